"""Verifier: keeps the samples that a judge is surest of, and drops the rest.

Feng et al., Beyond Model Collapse: Scaling Up with Synthesized Data Requires Verification (2025):
a judge need not be able to make good samples in order to select them.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.samples import InputError, Samples

S = TypeVar("S", bound=Samples)


def check_keep(keep: float) -> None:
    """Raise `InputError` unless `keep` is a share that leaves something."""
    if not 0 < keep <= 1:
        raise InputError(f"keep is {keep}; it is a share in (0, 1]")


class Verifier(Generic[S]):
    """A `Corrector[S]` that only selects."""

    def __init__(
        self,
        score: Callable[[S], np.ndarray],
        labels: Callable[[S], np.ndarray],
        keep: float,
    ):
        """Take the judge.

        Args:
            score: (N,) of samples; higher is surer.
            labels: (N,) classes of samples; the share is kept in each of them, so that classes
                that are hard to judge do not die out.
            keep: share that is kept, in (0, 1]; at least one sample of every class.
        """
        check_keep(keep)
        self.score, self.labels, self.keep = score, labels, keep

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """The kept samples in order, with `kept`, `score` of all, and `kept_score`."""
        if len(samples) == 0:
            return samples, {}
        score, labels = self.score(samples), self.labels(samples)
        kept = np.zeros(len(samples), dtype=bool)
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            count = max(1, round(self.keep * len(rows)))
            kept[rows[np.argsort(-score[rows], kind="stable")[:count]]] = True
        return samples[kept], {
            "kept": float(kept.mean()),
            "score": float(score.mean()),
            "kept_score": float(score[kept].mean()),
        }
