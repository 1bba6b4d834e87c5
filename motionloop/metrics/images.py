"""ImageMetrics: all that is measured of a generation of the image task.

encoder -> features -> distances (FID and its interval, KID), neighbour scores, diversities; and
the class that the encoder reads against the one that was asked for, where it reads classes. The
reference's side is computed once per reference set.
"""

import math
from typing import Protocol, runtime_checkable

import numpy as np

from motionloop.images.images import Images
from motionloop.interfaces import Scalars
from motionloop.metrics import distribution
from motionloop.metrics.neighbours import manifold_scores, reference_radii

BOOTSTRAP_UP_TO = 256  # features; more make a hundred Frechet distances slow


class ImageEncoder(Protocol):
    """What distances are measured with."""

    @property
    def name(self) -> str:
        """Names the network and its weights."""
        ...

    def features(self, images: Images) -> np.ndarray:
        """Features (N, D)."""
        ...


@runtime_checkable
class ReadsClasses(Protocol):
    """An encoder that also names classes."""

    def probabilities(self, images: Images) -> np.ndarray:
        """Probability of every class (N, K)."""
        ...


class ImageMetrics:
    """Metric[Images]."""

    def __init__(self, encoder: ImageEncoder, neighbours: int, resamples: int = 100):
        """Measure with an encoder.

        Args:
            encoder: gives features, and classes if it can.
            neighbours: k of precision, recall, density and coverage.
            resamples: replicates of FID's bootstrap.
        """
        self.encoder, self.neighbours, self.resamples = encoder, neighbours, resamples
        self._of: Images | None = None
        self._features = np.empty((0, 0))
        self._moments: tuple[np.ndarray, np.ndarray] = np.empty(0), np.empty((0, 0))
        self._radii: np.ndarray | None = None

    def __call__(self, generated: Images, reference: Images) -> Scalars:
        """All figures; those that the samples cannot support are left out.

        `fid` with `fid_low` and `fid_high` (95 % of the bootstrap), `kid`, `precision`, `recall`,
        `density`, `coverage`, `diversity`, `within_class_diversity`, and `agreement`, the share
        of images read as the class that they were drawn for.
        """
        if len(generated) < 2:
            return {}
        self._see(reference)
        features = self.encoder.features(generated)
        scalars: Scalars = {"fid": self._fid(features)}
        if features.shape[1] <= BOOTSTRAP_UP_TO:
            low, high = distribution.bootstrap(
                lambda replicate, _: self._fid(replicate),
                features,
                features,
                np.random.default_rng(0),
                self.resamples,
            )
            scalars |= {"fid_low": max(low, 0.0), "fid_high": high}
        scalars["kid"] = distribution.kernel_distance(features, self._features)
        if len(features) > self.neighbours and self._radii is not None:
            scores = manifold_scores(features, self._features, self.neighbours, self._radii)
            scalars |= vars(scores)
        scalars["diversity"] = distribution.diversity(features, np.random.default_rng(0))
        scalars["within_class_diversity"] = distribution.within_class_diversity(
            features, generated.label
        )
        if isinstance(self.encoder, ReadsClasses):
            read = self.encoder.probabilities(generated).argmax(1)
            scalars["agreement"] = float((read == generated.label).mean())
        return {name: value for name, value in scalars.items() if not math.isnan(value)}

    def describe(self) -> dict[str, str]:
        """The definitions behind the figures, for the record of a run."""
        return {
            "encoder": self.encoder.name,
            "fid": "squared Frechet distance of encoder features to those of the reference",
            "kid": "unbiased squared MMD of encoder features, cubic kernel",
            "interval": f"95 %, {self.resamples} bootstrap replicates of the generated set",
            "neighbours": f"k = {self.neighbours}, encoder features",
        }

    def _see(self, reference: Images) -> None:
        if self._of is reference:
            return
        self._of, self._features = reference, self.encoder.features(reference)
        self._moments = distribution.moments(self._features)
        enough = len(reference) > self.neighbours
        self._radii = reference_radii(self._features, self.neighbours) if enough else None

    def _fid(self, features: np.ndarray) -> float:
        return float(
            distribution.frechet_distance_of_moments(
                *distribution.moments(features), *self._moments
            )
        )
