"""From a file's axes to the world of motionloop: z up; and what the file's unit is likely to be."""

import numpy as np

from motionloop.motion.retarget import SourceMotion
from physics.skeleton import REST_TO_WORLD

# Rotations that take a file's axes to z up, by the name of its up axis.
TO_Z_UP = {"y": REST_TO_WORLD, "z": np.eye(3)}
# Metres in one unit; the length of an adult's leg from hip to ankle tells them apart.
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254}
_LEG_M = 0.82


def up_axis(joints: np.ndarray, rest: np.ndarray, mapping: dict[str, int]) -> str:
    """The file's up axis, "y" or "z".

    Three signs are added up: along which axis the body stands in the motion, along which it
    stands in the zero pose, and along which it rests on zero, where the floor is.

    Args:
        joints: (T, K, 3) positions in the file's axes.
        rest: (K, 3) the zero pose.
        mapping: source index of SMPL joint names.
    """
    feet = [mapping["left_ankle"], mapping["right_ankle"]]
    top = [mapping["left_shoulder"], mapping["right_shoulder"]]
    upright = joints[:, top].mean(axis=1) - joints[:, feet].mean(axis=1)
    size = float(np.median(np.linalg.norm(upright, axis=1))) + 1e-12
    stands = (upright / (np.linalg.norm(upright, axis=1, keepdims=True) + 1e-12)).mean(axis=0)
    zero = rest[top].mean(axis=0) - rest[feet].mean(axis=0)
    both = rest[feet] - rest[[mapping["left_hip"], mapping["right_hip"]]]
    alike = both[0] @ both[1] > 0.5 * np.linalg.norm(both[0]) * np.linalg.norm(both[1])
    zero = zero / (np.linalg.norm(zero) + 1e-12) if alike else np.zeros(3)
    lowest = joints[:, list(mapping.values())].min(axis=1)
    floor = np.exp(-((lowest / (0.1 * size)) ** 2)).mean(axis=0)
    score = stands + 0.9 * zero + floor
    return "y" if score[1] >= score[2] else "z"


def unit_of(rest: np.ndarray, mapping: dict[str, int]) -> str:
    """The file's likely unit of length, by the length of the legs: "m", "cm", "mm" or "inch"."""
    leg = sum(
        float(np.linalg.norm(rest[mapping[f"left_{a}"]] - rest[mapping[f"left_{b}"]]))
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    )
    return min(UNITS, key=lambda name: abs(np.log(max(leg, 1e-12) * UNITS[name] / _LEG_M)))


def in_world(
    joints: np.ndarray,
    rotations: np.ndarray,
    rest: np.ndarray,
    mapping: dict[str, int],
    up: str,
    fps: float,
    caption: str = "",
) -> SourceMotion:
    """A source motion of positions (T, K, 3) and orientations in axes whose `up` is "y" or "z"."""
    turn = TO_Z_UP[up]
    return SourceMotion(joints @ turn.T, turn @ rotations, rest, mapping, fps, caption)
