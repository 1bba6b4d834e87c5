"""MotionMetrics: all that is measured of a generation of the motion task.

encoder -> features -> distances (FID and its interval, neighbour scores, diversities), class read
by the encoder against the caption, kinetic and geometric distances without any training, and
physical plausibility. The reference's side is computed once per reference set.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Self

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.metrics import distribution
from motionloop.metrics.encoders import MotionEncoder
from motionloop.metrics.joints import resample
from motionloop.metrics.kinetic import ReferenceSpace, geometric_features, kinetic_features
from motionloop.metrics.neighbours import manifold_scores, reference_radii
from motionloop.metrics.physical import DEFINITION, PhysicalMetrics
from motionloop.motion.body import Body
from motionloop.motion.motions import Motions, caption_class

FEW = 100  # samples under which a Frechet distance is mostly its own bias


@dataclass(frozen=True)
class _Described:
    """What distances compare: three kinds of features and the classes read off N clips."""

    features: np.ndarray
    kinetic: np.ndarray
    geometric: np.ndarray
    predicted: np.ndarray

    @classmethod
    def of(cls, motions: Motions, joints: np.ndarray, encoder: MotionEncoder) -> Self:
        rate = encoder.config.fps
        joints, length = resample(joints, motions.length, motions.fps, rate)
        features, predicted = encoder.read(joints, length, rate)
        return cls(
            features,
            kinetic_features(joints, length, rate),
            geometric_features(joints, length),
            predicted,
        )


@dataclass(frozen=True)
class _Reference:
    """The reference set's side of the distances.

    Attributes:
        motions: the set itself, to know it again.
        features: (M, 32) of the encoder.
        moments: of the features.
        radii: of their neighbourhoods; none where the set is too small for them.
        kinetic: space and moments in it.
        geometric: space and moments in it.
    """

    motions: Motions
    features: np.ndarray
    moments: tuple[np.ndarray, np.ndarray]
    radii: np.ndarray | None
    kinetic: tuple[ReferenceSpace, tuple[np.ndarray, np.ndarray]]
    geometric: tuple[ReferenceSpace, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, motions: Motions, described: _Described, neighbours: int) -> Self:
        def space(features: np.ndarray):
            fitted = ReferenceSpace.fit(features)
            return fitted, distribution.moments(fitted.project(features))

        return cls(
            motions,
            described.features,
            distribution.moments(described.features),
            reference_radii(described.features, neighbours) if len(motions) > neighbours else None,
            space(described.kinetic),
            space(described.geometric),
        )


class MotionMetrics:
    """Metric[Motions]: distances to the reference, agreement with captions, and physics."""

    def __init__(
        self,
        body: Body,
        encoder: MotionEncoder,
        neighbours: int = 5,
        resamples: int = 200,
        seed: int = 0,
    ):
        """Measure with a body and an encoder.

        Args:
            body: gives joints and the skin's contact with the floor.
            encoder: gives features and classes.
            neighbours: k of precision, recall, density and coverage.
            resamples: replicates of the bootstrap.
            seed: of the bootstrap; the same samples always give the same figures.
        """
        self.body, self.encoder = body, encoder
        self.physical = PhysicalMetrics(body)
        self.neighbours, self.resamples, self.seed = neighbours, resamples, seed
        self._reference: _Reference | None = None
        self._warned = False

    def __call__(self, generated: Motions, reference: Motions) -> Scalars:
        """All figures; those that the samples cannot support are left out.

        `fid`, `kinetic_fid` with `_low` and `_high` (95 % of the bootstrap), `geometric_fid`,
        `precision`, `recall`, `density`, `coverage`, `diversity`, `within_class_diversity`,
        `within_caption_diversity`, `caption_agreement`, and those of `PhysicalMetrics`. Nothing of
        no samples; distances need two samples, neighbour scores more than `neighbours` on both
        sides, agreement two known classes.

        Raises:
            InputError: the reference has fewer than two clips.
        """
        if len(generated) == 0:
            return {}
        self._warn_of_few(len(generated))
        joints = self.body.joints(generated)
        described = _Described.of(generated, joints, self.encoder)
        scalars = {
            **self._distances(described, self._side_of(reference)),
            **self._conditions(described, generated.caption),
            **self.physical.measure(generated, joints),
        }
        return {name: value for name, value in scalars.items() if not math.isnan(value)}

    def describe(self) -> dict[str, str]:
        """The definitions behind the figures, for the record of a run."""
        accuracy = self.encoder.training.get("class_accuracy")
        return {
            "encoder": self.encoder.name,
            "encoder_class_accuracy": "unknown" if accuracy is None else f"{accuracy:g} held out",
            "fid": f"squared Frechet distance, {self.encoder.config.features} encoder features",
            "kinetic_fid": "log kinetic energies, z and PCA 16 of the reference",
            "geometric_fid": "angles, distances and heights, z and PCA 16 of the reference",
            "interval": f"95 %, {self.resamples} bootstrap replicates of the generated set",
            "neighbours": f"k = {self.neighbours}",
            "physics": DEFINITION,
        }

    def _warn_of_few(self, count: int) -> None:
        if count < FEW and not self._warned:
            self._warned = True
            warnings.warn(
                f"FID of {count} samples is mostly the bias of so few: compare it only with FID of "
                f"as many samples, or evaluate at least {FEW}",
                stacklevel=3,
            )

    def _side_of(self, reference: Motions) -> _Reference:
        if self._reference is None or self._reference.motions is not reference:
            described = _Described.of(reference, self.body.joints(reference), self.encoder)
            self._reference = _Reference.of(reference, described, self.neighbours)
        return self._reference

    def _distances(self, described: _Described, real: _Reference) -> Scalars:
        scalars: Scalars = {}
        if len(described.features) >= 2:
            scalars |= self._frechet("fid", described.features, real.moments)
            space, moments = real.kinetic
            scalars |= self._frechet("kinetic_fid", space.project(described.kinetic), moments)
            space, moments = real.geometric
            scalars["geometric_fid"] = _frechet(space.project(described.geometric), moments)
        if len(described.features) > self.neighbours and real.radii is not None:
            scores = manifold_scores(described.features, real.features, self.neighbours, real.radii)
            scalars |= vars(scores)
        return scalars

    def _frechet(self, name: str, features: np.ndarray, moments: tuple) -> Scalars:
        low, high = distribution.bootstrap(
            lambda generated, _: _frechet(generated, moments),
            features,
            features,
            np.random.default_rng(self.seed),
            self.resamples,
        )
        return {
            name: _frechet(features, moments),
            f"{name}_low": max(low, 0.0),
            f"{name}_high": high,
        }

    def _conditions(self, described: _Described, captions: np.ndarray) -> Scalars:
        classes = np.array([caption_class(str(caption)) for caption in captions])
        rng = np.random.default_rng(self.seed)
        return {
            "diversity": distribution.diversity(described.features, rng),
            "within_class_diversity": distribution.within_class_diversity(
                described.features, classes
            ),
            "within_caption_diversity": distribution.within_class_diversity(
                described.features, captions
            ),
            "caption_agreement": self.encoder.agreement(described.predicted, captions),
        }


def _frechet(features: np.ndarray, moments: tuple[np.ndarray, np.ndarray]) -> float:
    return float(
        distribution.frechet_distance_of_moments(*distribution.moments(features), *moments)
    )
