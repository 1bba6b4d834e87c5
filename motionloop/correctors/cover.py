"""Cover: several draws of every label, of which those are kept that lie near the real ones.

A model that learns from few samples blends them, and one that learns from its own blends blends
again: within a class the samples draw together. Here every sample is given a real one of its label,
in turns, so that together they cover the real ones; of several draws the nearest to it is chosen,
and of the chosen the nearest are kept. They stay the model's own: nothing is copied, only chosen.
What that is worth beside taking few samples at all: docs/does_it_help.md.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from motionloop.correctors.verifier import check_keep
from motionloop.interfaces import Scalars
from motionloop.samples import InputError, Samples

S = TypeVar("S", bound=Samples)


class Cover(Generic[S]):
    """A `Corrector[S]` that chooses among draws.

    Attributes:
        again: `again(samples, rng)` draws one new sample for each of these, with its label; a loop
            that trains its sampler sets it when there is one. None leaves the samples as they are.
    """

    def __init__(
        self,
        real: S,
        vectors: Callable[[S], np.ndarray],
        labels: Callable[[S], np.ndarray],
        candidates: int,
        keep: float = 1.0,
    ):
        """Take the real samples that are to be covered.

        Args:
            real: at least one of every label.
            vectors: gives the (N, D) that distances are measured between, each dimension in units
                of its standard deviation over the real samples.
            labels: gives the label (N,) of samples.
            candidates: draws that one is chosen of, the sample itself included.
            keep: share of the chosen that is kept, in (0, 1], the nearest ones; at least one.
        """
        check_keep(keep)
        self.vectors, self.labels, self.candidates, self.keep = vectors, labels, candidates, keep
        self.again: Callable[[S, np.random.Generator], S] | None = None
        known = vectors(real)
        # A dimension in which the real samples do not differ says nothing.
        deviation = known.std(0)
        self._scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
        self._known, self._known_labels = known * self._scale, labels(real)

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """The chosen samples that are kept, in order.

        Scalars: `distance_before` and `distance`, from the first draws and from the kept ones to
        the real samples that they were given, root mean square over dimensions; `kept`, the share.

        Raises:
            InputError: a label has no real sample.
        """
        if len(samples) == 0 or self.again is None:
            return samples, {}
        given = self._known[self._partners(self.labels(samples), rng)]
        draws = [samples, *(self.again(samples, rng) for _ in range(self.candidates - 1))]
        distances = np.stack(
            [np.sqrt(((self.vectors(d) * self._scale - given) ** 2).mean(1)) for d in draws]
        )
        best = distances.argmin(0)
        chosen = samples.concatenate(draws)[best * len(samples) + np.arange(len(samples))]
        nearest = distances.min(0)
        count = max(1, round(self.keep * len(samples)))
        kept = np.sort(np.argsort(nearest, kind="stable")[:count])
        return chosen[kept], {
            "distance_before": float(distances[0].mean()),
            "distance": float(nearest[kept].mean()),
            "kept": count / len(samples),
        }

    def _partners(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Rows (N,) of the real samples that the samples are given."""
        partners = np.empty(len(labels), dtype=np.int64)
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            known = np.flatnonzero(self._known_labels == label)
            if len(known) == 0:
                raise InputError(f"no real sample of {label!r} that a synthetic one could cover")
            partners[rows] = np.resize(rng.permutation(known), len(rows))
        return partners
