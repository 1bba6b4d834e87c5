"""What a fit asks of its source, and the turns and directions that all its steps compute with.

`Calibration` gives the orientations of a source that has rotations, `Positions` those of one
that has joint positions only.
"""

from typing import Protocol

import numpy as np
from scipy.spatial.transform import Rotation

from physics.skeleton import JOINT_NAMES

SIDES = ("left", "right")
LIMBS = (("hip", "knee", "ankle", "pelvis"), ("shoulder", "elbow", "wrist", "spine3"))
# Where the lower segment goes when the joint bends, in SMPL's rest pose (y up, facing +z).
FLEXION = {"knee": np.array([0.0, 0.0, -1.0]), "elbow": np.array([0.0, 0.0, 1.0])}


class Orientations(Protocol):
    """What the fit asks of a source: orientations of SMPL joints, and which feet rest.

    Attributes:
        joints: (T, K, 3) source joints, z up.
        mapping: source index of SMPL joint names.
        turns: the joints whose orientations are known, by name.
        resting: for each side with known toes, `resting` of its foot.
        zero_pose: (K, 3) the source's zero pose where it is that of a standing body; else None.
    """

    joints: np.ndarray
    mapping: dict[str, int]
    turns: dict[str, np.ndarray]
    resting: dict[str, tuple[np.ndarray, np.ndarray]]
    zero_pose: np.ndarray | None

    def world(self, name: str) -> np.ndarray:
        """SMPL orientations (T, 3, 3) of a joint in `turns`."""
        ...


def index(name: str) -> int:
    """Number of the SMPL joint `name`."""
    return JOINT_NAMES.index(name)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) scaled to length 1; the zero vector stays."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def minimal_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The smallest rotations (..., 3, 3) that take unit vectors `start` to `end` (..., 3)."""
    start, end = np.broadcast_arrays(start, end)
    cosine = np.sum(start * end, axis=-1)[..., None, None]
    v = np.cross(start, end)
    cross = np.zeros((*v.shape[:-1], 3, 3))
    cross[..., 0, 1], cross[..., 0, 2], cross[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    cross -= np.swapaxes(cross, -1, -2)
    turn = np.eye(3) + cross + cross @ cross / np.maximum(1.0 + cosine, 1e-9)
    opposite = cosine[..., 0, 0] < -1.0 + 1e-7
    if opposite.any():  # half a turn about any axis across
        away = np.where(np.abs(start[opposite][:, :1]) < 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]])
        axis = unit(np.cross(start[opposite], away))
        turn[opposite] = 2 * axis[:, :, None] * axis[:, None, :] - np.eye(3)
    return turn


def mean_rotation(rotations: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The rotation (3, 3) nearest to the weighted sum of rotations (T, 3, 3)."""
    total = np.einsum(
        "tab,t->ab", rotations, np.ones(len(rotations)) if weights is None else weights
    )
    u, _, vt = np.linalg.svd(total)
    return u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt


def resting(points: np.ndarray, shank: float, heading: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How surely a foot rests in every frame (T,), and its orientation (T, 3, 3) if level.

    It rests where ankle and toes are low and slow in proportion to the shank.

    Args:
        points: (T, 2, 3) ankle and toes, z up.
        shank: its length, in the same unit.
        heading: (3,) where the foot points in SMPL's rest pose, level.
    """
    height = points[..., 2]
    speed = np.linalg.norm(np.gradient(points, axis=0), axis=-1) if len(points) > 1 else 0 * height
    low = np.maximum(height - np.percentile(height, 10, axis=0), 0.0) / (0.05 * shank)
    slow = speed / (0.02 * shank)
    weights = np.exp(-np.sum(low**2 + slow**2, axis=1)) + 1e-9
    toward = points[:, 1] - points[:, 0]
    yaw = np.arctan2(toward[:, 1], toward[:, 0])
    level = Rotation.from_euler("z", yaw[:, None]).as_matrix()
    # SMPL's rest axes (x left, y up, z forward) in a world whose x axis is the heading.
    stand = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    return weights, level @ stand @ minimal_turn(heading, np.array([0.0, 0.0, 1.0]))
