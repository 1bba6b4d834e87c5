"""The SMPL skeleton: names, parents, rest shape, and forward kinematics in numpy.

    joints[j] = joints[parent] + R[parent] (rest[j] - rest[parent]),   R[j] = R[parent] R_local[j]

Loper et al., SMPL: A Skinned Multi-Person Linear Model (2015). In the rest pose the body stands
in a T, looks along +z and has y up, as SMPL's template does; `global_orient` turns it into the
z-up world. The pelvis of a motion lies at `rest[0] + transl`, as in smplx.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

JOINT_NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2",
    "left_ankle", "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar",
    "right_collar", "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
JOINT_COUNT = len(JOINT_NAMES)
# Left-right partner of every joint, for mirroring.
MIRROR = (0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20, 23, 22)
# Turns the y-up rest pose into the z-up world: the body then looks along -y.
REST_TO_WORLD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True)
class Skeleton:
    """A body's rest shape: joints, and surface points that are carried rigidly by joints.

    Attributes:
        rest: (24, 3) joint positions in the rest pose, m, y up.
        surface_points: (P, 3) points of the skin in the rest pose, m.
        surface_joints: (P,) the joint that carries each point.
    """

    rest: np.ndarray
    surface_points: np.ndarray
    surface_joints: np.ndarray

    def surface(self, joints: np.ndarray, rotations_w: np.ndarray) -> np.ndarray:
        """World positions (T, P, 3) of the surface points for posed joints and rotations."""
        j = self.surface_joints
        offsets = self.surface_points - self.rest[j]
        return joints[:, j] + np.einsum("tpab,pb->tpa", rotations_w[:, j], offsets)


def rotation_matrices(axis_angle: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) of axis-angle vectors (..., 3), rad."""
    # A copy, because scipy refuses read-only arrays, as a motion's fields are.
    flat = Rotation.from_rotvec(np.array(axis_angle, dtype=float).reshape(-1, 3)).as_matrix()
    return flat.reshape(*axis_angle.shape[:-1], 3, 3)


def axis_angles(matrices: np.ndarray) -> np.ndarray:
    """Axis-angle vectors (..., 3), rad, of rotation matrices (..., 3, 3)."""
    flat = Rotation.from_matrix(matrices.reshape(-1, 3, 3)).as_rotvec()
    return flat.reshape(*matrices.shape[:-2], 3)


def geodesic(start: np.ndarray, end: np.ndarray, part: np.ndarray | float) -> np.ndarray:
    """Axis-angle vectors (..., 3) at `part` (broadcast) of the shortest way from start to end."""
    first = Rotation.from_rotvec(np.asarray(start, np.float64).reshape(-1, 3))
    last = Rotation.from_rotvec(np.asarray(end, np.float64).reshape(-1, 3))
    way = (first.inv() * last).as_rotvec().reshape(start.shape) * part
    return (first * Rotation.from_rotvec(way.reshape(-1, 3))).as_rotvec().reshape(start.shape)


def forward_kinematics(
    rest: np.ndarray, transl: np.ndarray, global_orient: np.ndarray, body_pose: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """World joint positions and orientations of a motion.

    Args:
        rest: (24, 3) rest joints, m.
        transl: (T, 3) m.
        global_orient: (T, 3) axis-angle, rad.
        body_pose: (T, 23, 3) axis-angle, rad.

    Returns:
        joints (T, 24, 3) m and rotations_w (T, 24, 3, 3).
    """
    local = rotation_matrices(np.concatenate([global_orient[:, None], body_pose], axis=1))
    rotations_w = local.copy()
    joints = np.empty((*local.shape[:2], 3))
    joints[:, 0] = rest[0] + transl
    for j in range(1, JOINT_COUNT):
        p = PARENTS[j]
        rotations_w[:, j] = rotations_w[:, p] @ local[:, j]
        joints[:, j] = joints[:, p] + rotations_w[:, p] @ (rest[j] - rest[p])
    return joints, rotations_w
