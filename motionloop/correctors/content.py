"""Content: what does not show what it is labelled as is drawn again, or dropped.

Physics repairs contact, not content: a walk that was sampled as a kick stays a walk. The judge is a
classifier of real training samples; it must not be the one that the loop is judged by.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.samples import Samples

S = TypeVar("S", bound=Samples)


class Content(Generic[S]):
    """A `Corrector[S]` that only selects.

    Attributes:
        again: `again(rejected, rng)` draws one new sample for each rejected one, with its label;
            a loop that trains its sampler sets it when there is one. None only drops.
    """

    def __init__(
        self,
        classify: Callable[[S], np.ndarray],
        labels: Callable[[S], np.ndarray],
        rounds: int = 0,
    ):
        """Take the judge.

        Args:
            classify: (N,) classes that the samples show.
            labels: (N,) classes that they were sampled for.
            rounds: how often what is rejected is drawn again.
        """
        self.classify, self.labels, self.rounds = classify, labels, rounds
        self.again: Callable[[S, np.random.Generator], S] | None = None

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """The samples that show their label, in order.

        Scalars: `accepted`, the share of all judged samples that was accepted; `redrawn`, the
        samples drawn again; `rejected`, those that were dropped in the end.
        """
        if len(samples) == 0:
            return samples, {"rejected": 0.0}
        right = self._right(samples)
        judged = len(samples)
        for _ in range(self.rounds):
            wrong = np.flatnonzero(~right)
            if len(wrong) == 0 or self.again is None:
                break
            drawn = self.again(samples[wrong], rng)
            rows = np.arange(len(samples))
            rows[wrong] = len(samples) + np.arange(len(wrong))
            samples = samples.concatenate([samples, drawn])[rows]
            right[wrong] = self._right(drawn)
            judged += len(wrong)
        scalars = {"accepted": float(right.sum() / judged), "rejected": float((~right).sum())}
        if self.rounds:
            scalars["redrawn"] = float(judged - len(samples))
        return samples[right], scalars

    def _right(self, samples: S) -> np.ndarray:
        return np.asarray(self.classify(samples) == self.labels(samples))
