"""TextMotionMetrics: the T2M figures of a generation, or of any two sets of captioned motions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol as TypingProtocol

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.metrics.t2m_protocol import Estimate, Protocol, fids, scores
from motionloop.metrics.text_motion import TextMotionEvaluator
from motionloop.motion.body import Body
from motionloop.motion.motions import Motions


class Evaluator(TypingProtocol):
    """Motions and captions in one space: ours, or the official one of T2M."""

    @property
    def name(self) -> str:
        """With a hash of the weights."""
        ...

    def motions(
        self, joints: np.ndarray, length: np.ndarray, fps: np.ndarray | float
    ) -> np.ndarray:
        """Features (N, D) of joints (N, T, 24, 3), m, of which `length` (N,) frames count."""
        ...

    def captions(self, captions: Sequence[str] | np.ndarray) -> np.ndarray:
        """Features (N, D) of captions."""
        ...

    def describe(self) -> dict[str, str]:
        """What stands behind the figures, for the record of a run."""
        ...


def load_evaluator(path: Path) -> Evaluator:
    """An evaluator of `motionloop evaluator`, or the official one of a folder.

    Raises:
        InputError: the path is missing or holds neither.
    """
    if Path(path).is_dir():
        from motionloop.metrics.official_t2m import OfficialT2MEvaluator

        return OfficialT2MEvaluator.load(path)
    return TextMotionEvaluator.load(path)


class TextMotionMetrics:
    """Metric[Motions]: R-precision, MM-distance, FID, diversity, multimodality of an evaluator."""

    def __init__(
        self,
        body: Body,
        evaluator: Evaluator,
        protocol: Protocol | None = None,
        seed: int = 0,
    ):
        """Measure with a body and an evaluator.

        Args:
            body: gives joints.
            evaluator: gives features of motions and captions.
            protocol: the numbers; T2M's by default.
            seed: of all draws; the same motions always give the same figures.
        """
        self.body, self.evaluator, self.seed = body, evaluator, seed
        self.protocol = protocol or Protocol()
        self._reference: tuple[Motions, np.ndarray] | None = None

    def __call__(self, generated: Motions, reference: Motions) -> Scalars:
        """The figures of `t2m_protocol`, each with `_low` and `_high`; nothing of no samples."""
        if len(generated) == 0:
            return {}
        if self._reference is None or self._reference[0] is not reference:
            self._reference = reference, self._features(reference)
        found = self.estimates(generated, self._features(generated), self._reference[1])
        return {
            f"{name}{end}": value
            for name, estimate in found.items()
            for end, value in (
                ("", estimate.value),
                ("_low", estimate.low),
                ("_high", estimate.high),
            )
        }

    def describe(self) -> dict[str, str]:
        """The definitions behind the figures, for the record of a run."""
        return {**self.evaluator.describe(), "t2m_protocol": self.protocol.name}

    def against(self, a: Motions, b: Motions) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
        """The figures of `a` against the reference `b`, and those of `b` itself.

        The distances of B itself are those of one half, drawn at random, against the other.
        """
        of_a, of_b = self._features(a), self._features(b)
        own = self.estimates(b, of_b, of_b)
        half = np.random.default_rng(self.seed).permutation(len(b))
        first, second = of_b[half[: len(b) // 2]], of_b[half[len(b) // 2 :]]
        for name in ("t2m_fid", "t2m_fid_infinity"):
            own.pop(name, None)
        if len(first) >= 2:
            own |= fids(first, second, self.protocol, self.seed)
        return self.estimates(a, of_a, of_b), own

    def estimates(
        self, motions: Motions, features: np.ndarray, real: np.ndarray
    ) -> dict[str, Estimate]:
        """The figures of motions with features (N, D) against real features (M, D)."""
        captions = self.evaluator.captions(motions.caption)
        return scores(features, captions, motions.caption, real, self.protocol, self.seed)

    def _features(self, motions: Motions) -> np.ndarray:
        joints = self.body.joints(motions)
        return self.evaluator.motions(joints, motions.length, motions.fps)
