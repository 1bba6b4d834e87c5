"""Feet of a fitted motion: the ball of the foot stays on the floor while the heel lifts.

Skeletons disagree about where ankle and toe joints are in a foot, and how long it is. With
h = z_toes - z_ankle of the scaled source and h_0 its value in a resting foot, the pitch of
SMPL's foot bone (length l, height difference d_flat when flat) becomes

    pitch = max(w asin((d_flat + h - h_0) / l) + (1 - w) pitch_source, pitch_floor),
    w = exp(-(height of the source's toes / 5 cm)^2),

so that near the floor the ball stays where it was while the ankle rises, in the air the foot
keeps the source's angle, and never does the ball sink below its place in a resting foot.
Toes near the floor that would point into it lie flat.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.orientations import SIDES, Orientations, index, unit

_NEAR_FLOOR_M = 0.05
_LARGEST_TOE_BEND = np.deg2rad(60)


def fit_feet(
    rotations_w: np.ndarray, calibration: Orientations, rest: np.ndarray, scale: float
) -> None:
    """Turn ankles and toes (joints of `rotations_w`, (T, 24, 3, 3)) in place.

    Args:
        rotations_w: world orientations that follow the source's angles.
        calibration: of the source; sides whose toes it does not know are left alone.
        rest: (24, 3) SMPL rest joints, m.
        scale: metres in a unit of the source.
    """
    for side in SIDES:
        if side in calibration.resting:
            _fit_foot(rotations_w, calibration, rest, scale, side)


def _fit_foot(rotations_w, calibration: Orientations, rest, scale: float, side: str) -> None:
    ankle, toes = index(f"{side}_ankle"), index(f"{side}_foot")
    weights, _ = calibration.resting[side]
    at = calibration.mapping
    source = calibration.joints[:, [at[f"{side}_ankle"], at[f"{side}_foot"]], 2] * scale
    rise = source[:, 1] - source[:, 0]
    lift = source[:, 1] - np.average(source[:, 1], weights=weights)
    near = np.exp(-((np.maximum(lift, 0.0) / _NEAR_FLOOR_M) ** 2))

    bone = rest[toes] - rest[ankle]
    length = float(np.hypot(bone[1], bone[2]))
    planted = _asin((bone[1] + rise - np.average(rise, weights=weights)) / length)
    heel = source[:, 0] - np.average(source[:, 0], weights=weights)  # lift of the ankle
    floor = _asin((bone[1] - heel) / length) - 20 * np.maximum((heel - bone[1]) / length - 1, 0)

    across = rotations_w[:, ankle, :, 0]
    ahead = unit(np.cross(across, [0.0, 0.0, 1.0]))
    bone_w = rotations_w[:, ankle] @ bone
    pitch = np.arctan2(bone_w[:, 2], np.einsum("ta,ta->t", bone_w, ahead))
    wanted = np.maximum(near * planted + (1 - near) * pitch, floor)
    turn = _pitched(wanted - pitch, ahead)
    rotations_w[:, ankle] = turn @ rotations_w[:, ankle]
    rotations_w[:, toes] = turn @ rotations_w[:, toes]

    ball = heel + length * np.sin(wanted) - bone[1]
    near = np.exp(-((np.maximum(ball, 0.0) / _NEAR_FLOOR_M) ** 2))
    point = rotations_w[:, toes, :, 2]  # toes point along z in SMPL's rest pose
    down = np.maximum(-np.arctan2(point[:, 2], np.einsum("ta,ta->t", point, ahead)), 0.0)
    lifted = _pitched(np.minimum(near * down, _LARGEST_TOE_BEND), ahead)
    rotations_w[:, toes] = lifted @ rotations_w[:, toes]


def _asin(sine: np.ndarray) -> np.ndarray:
    return np.arcsin(np.clip(sine, -1.0, 1.0))


def _pitched(angle: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) that raise what points `ahead` (T, 3), level, by `angle` (T,)."""
    axis = np.cross(ahead, [0.0, 0.0, 1.0])
    return Rotation.from_rotvec(axis * angle[:, None]).as_matrix()
