"""Do the bodies move with real energies and in real shapes? Features without any training.

Kinetic: for every joint the logarithm of its mean squared horizontal speed, vertical speed and
acceleration over the clip (Onuma et al., FMDistance, Eurographics 2008; used by AI Choreographer,
ICCV 2021). Geometric: mean and standard deviation over the clip of angles, heights and distances
of body parts, in the spirit of the relational features of Mueller et al. (SIGGRAPH 2005).

`kinetic_fid` is the Frechet distance after the features are standardised and projected to the
leading principal axes, both taken from the REFERENCE set: an axis on which real motion hardly
varies does not count, and the space is the same for every generation.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from motionloop.metrics.checks import checked
from motionloop.metrics.distribution import frechet_distance
from physics.skeleton import JOINT_NAMES

# Below these a joint counts as still: 1 cm/s and 10 cm/s^2, about the noise of motion capture.
STILL_SPEED = 0.01  # m/s
STILL_ACCELERATION = 0.1  # m/s^2
LEAST_SCALE = 0.05  # features that vary less in the reference are not blown up further


def _mean_over_frames(values: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Mean (N, ...) of values (N, T, ...) over the first `count` (N,) frames; 0 of none."""
    frames = np.arange(values.shape[1]) < count[:, None]
    kept = np.where(frames.reshape(frames.shape + (1,) * (values.ndim - 2)), values, 0.0)
    total = kept.sum(1)
    return total / np.maximum(count, 1).reshape(-1, *(1,) * (total.ndim - 1))


def kinetic_features(joints: np.ndarray, length: np.ndarray, fps: np.ndarray | float) -> np.ndarray:
    """Log kinetic features (N, 72): 24 horizontal, 24 vertical, 24 of acceleration.

    Args:
        joints: (N, T, 24, 3) m, z up.
        length: (N,) frames that count.
        fps: (N,) or one for all, Hz. Acceleration grows with the frame rate where a motion
            jitters: compare sets of one frame rate.
    """
    length = np.asarray(length)
    rate = np.broadcast_to(np.asarray(fps, np.float64), length.shape)[:, None, None, None]
    velocity = np.diff(joints, axis=1) * rate
    acceleration = np.diff(velocity, axis=1) * rate
    moving, turning = np.maximum(length - 1, 0), np.maximum(length - 2, 0)
    horizontal = _mean_over_frames((velocity[..., :2] ** 2).sum(-1), moving)
    vertical = _mean_over_frames(velocity[..., 2] ** 2, moving)
    accelerating = _mean_over_frames((acceleration**2).sum(-1), turning)
    return np.log(
        np.concatenate(
            [
                horizontal + STILL_SPEED**2,
                vertical + STILL_SPEED**2,
                accelerating + STILL_ACCELERATION**2,
            ],
            axis=1,
        )
    )


# Angles at the middle joint of three, rad; then distances between two joints, m; heights, m.
_ANGLES = (
    ("left_hip", "left_knee", "left_ankle"),
    ("right_hip", "right_knee", "right_ankle"),
    ("spine3", "left_hip", "left_knee"),
    ("spine3", "right_hip", "right_knee"),
    ("left_shoulder", "left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow", "right_wrist"),
    ("pelvis", "left_shoulder", "left_elbow"),
    ("pelvis", "right_shoulder", "right_elbow"),
    ("pelvis", "spine3", "head"),
)
_DISTANCES = (
    ("left_wrist", "right_wrist"),
    ("left_ankle", "right_ankle"),
    ("left_knee", "right_knee"),
    ("left_wrist", "head"),
    ("right_wrist", "head"),
    ("left_wrist", "pelvis"),
    ("right_wrist", "pelvis"),
    ("left_ankle", "right_wrist"),
    ("right_ankle", "left_wrist"),
)
_HEIGHTS = (
    "pelvis", "head", "left_wrist", "right_wrist",
    "left_knee", "right_knee", "left_foot", "right_foot",
)  # fmt: skip


def geometric_features(joints: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Shape features (N, 52): mean and deviation over a clip of 9 angles, 9 distances, 8 heights.

    Joints (N, T, 24, 3) m, z up; length (N,). They change with the height of the body above the
    floor, and neither with its place nor with its heading.
    """

    def at(name: str) -> np.ndarray:
        return joints[:, :, JOINT_NAMES.index(name)]

    def angle(first: str, middle: str, last: str) -> np.ndarray:
        a, b = at(first) - at(middle), at(last) - at(middle)
        return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1))

    values = np.stack(
        [angle(*names) for names in _ANGLES]
        + [np.linalg.norm(at(a) - at(b), axis=-1) for a, b in _DISTANCES]
        + [at(name)[..., 2] for name in _HEIGHTS],
        axis=-1,
    )
    length = np.asarray(length)
    mean = _mean_over_frames(values, length)
    variance = _mean_over_frames((values - mean[:, None]) ** 2, length)
    return np.concatenate([mean, np.sqrt(variance)], axis=1)


@dataclass(frozen=True)
class ReferenceSpace:
    """Standardised principal axes of a reference set.

    Attributes:
        mean: (D,) of the reference.
        scale: (D,) standard deviation of the reference, at least `LEAST_SCALE`.
        axes: (D, K) leading principal axes of the standardised reference.
    """

    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray

    @classmethod
    def fit(cls, reference: np.ndarray, components: int = 16) -> Self:
        """The space of reference features (M, D); K is `components` or what M and D allow."""
        reference = checked(reference)
        mean, scale = reference.mean(0), np.maximum(reference.std(0), LEAST_SCALE)
        _, _, rows = np.linalg.svd((reference - mean) / scale, full_matrices=False)
        return cls(mean, scale, rows[: max(1, min(components, len(reference) - 1))].T)

    def project(self, features: np.ndarray) -> np.ndarray:
        """Features (N, D) in this space, (N, K)."""
        return ((checked(features) - self.mean) / self.scale) @ self.axes


def kinetic_fid(generated: np.ndarray, reference: np.ndarray, components: int = 16) -> float:
    """Frechet distance of kinetic (or geometric) features (N, D), (M, D) in the reference's space.

    Raises:
        InputError: fewer than two rows, or values that are NaN or infinite.
    """
    space = ReferenceSpace.fit(reference, components)
    return frechet_distance(space.project(generated), space.project(reference))
