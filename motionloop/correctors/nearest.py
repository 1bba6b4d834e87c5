"""Nearest: every sample becomes the nearest of a few trusted ones, within its class.

With k means per class as the trusted ones this is the corrector of the image experiments of
Gillman et al., Self-Correcting Self-Consuming Generative Model Training (2024), section 6.1; with
the real samples themselves it is the tightest corrector that knows no more than the data.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.samples import InputError, Samples

S = TypeVar("S", bound=Samples)
Vectors = Callable[[S], np.ndarray]
Labels = Callable[[S], np.ndarray]


class Nearest(Generic[S]):
    """A `Corrector[S]` that puts the nearest trusted sample in the place of each."""

    def __init__(self, trusted: S, vectors: Vectors, labels: Labels):
        """Take the trusted samples.

        Args:
            trusted: at least one of every class that will be corrected.
            vectors: gives the (N, D) that distances are measured between.
            labels: gives the class (N,) of samples; zeros where there are no classes.
        """
        self.trusted, self.vectors, self.labels = trusted, vectors, labels
        self._trusted_vectors, self._trusted_labels = vectors(trusted), labels(trusted)

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """The nearest trusted samples, and `moved`, the mean distance to them.

        Raises:
            InputError: a class has no trusted sample.
        """
        if len(samples) == 0:
            return samples, {}
        x, labels = self.vectors(samples), self.labels(samples)
        chosen = np.empty(len(samples), dtype=np.int64)
        moved = np.empty(len(samples))
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            candidates = np.flatnonzero(self._trusted_labels == label)
            if len(candidates) == 0:
                raise InputError(f"no real sample of class {label} to correct towards")
            squared = _squared_distances(x[rows], self._trusted_vectors[candidates])
            best = squared.argmin(axis=1)
            chosen[rows] = candidates[best]
            moved[rows] = np.sqrt(np.maximum(squared[np.arange(len(rows)), best], 0.0))
        return self.trusted[chosen], {"moved": float(moved.mean())}


def class_means(x: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres (K, D) of `count` clusters in each class, and their classes (K,).

    Classes with fewer samples than `count` get a centre a sample. Always the same clusters for
    the same data, as in the experiments of SCSC.

    Args:
        x: (N, D).
        labels: (N,).
        count: clusters of a class.
    """
    from sklearn.cluster import KMeans  # here: costs a second to import

    centres, classes = [], []
    for label in np.unique(labels):
        members = x[labels == label]
        clusters = KMeans(min(count, len(members)), random_state=0).fit(members)
        centres.append(clusters.cluster_centers_)
        classes.append(np.full(len(clusters.cluster_centers_), label))
    return np.concatenate(centres), np.concatenate(classes)


def _squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N, M) between x (N, D) and y (M, D), without an array (N, M, D)."""
    return (x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * x @ y.T
