"""Joint positions of a batch of clips as the metrics look at them: one frame rate, one heading.

Nothing here reads a frame at or beyond a clip's `length`.
"""

import numpy as np

from physics.skeleton import JOINT_NAMES

_LEFT = [JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("left_shoulder")]
_RIGHT = [JOINT_NAMES.index("right_hip"), JOINT_NAMES.index("right_shoulder")]


def resample(
    joints: np.ndarray, length: np.ndarray, fps: np.ndarray | float, to: float
) -> tuple[np.ndarray, np.ndarray]:
    """The same clips at `to` frames a second, linear between frames.

    Args:
        joints: (N, T, J, 3) m.
        length: (N,) frames that count.
        fps: (N,) or one for all, Hz.
        to: Hz.

    Returns:
        joints (N, T', J, 3) and length (N,); frames from `length` on repeat the last one.
    """
    length = np.asarray(length)
    rate = np.broadcast_to(np.asarray(fps, np.float64), length.shape) / to  # old frames a new one
    count = np.floor((length - 1) / rate + 1e-6).astype(np.int64) + 1
    frames = np.arange(count.max(initial=1))
    return at_times(joints, length, np.minimum(frames, count[:, None] - 1) * rate[:, None]), count


def at_times(
    joints: np.ndarray, length: np.ndarray, times: np.ndarray, rows: np.ndarray | None = None
) -> np.ndarray:
    """Joints (K, S, J, 3) of clips `rows` (all by default) at fractional frame numbers (K, S).

    Times beyond a clip's last frame give that frame.
    """
    rows = np.arange(len(joints)) if rows is None else rows
    last = np.asarray(length)[rows, None] - 1
    times = np.clip(times, 0, last)
    before = times.astype(np.int64)
    start = joints[rows[:, None], before]
    part = (times - before).astype(joints.dtype)[..., None, None]
    if not part.any():
        return start
    return start * (1 - part) + joints[rows[:, None], np.minimum(before + 1, last)] * part


def heading(joints: np.ndarray) -> np.ndarray:
    """Angle (...) about z, rad, that the body of joints (..., 24, 3) faces: 0 is +x.

    Forward is the line from right to left of hips and shoulders, crossed with z.
    """
    left = (joints[..., _LEFT, :2] - joints[..., _RIGHT, :2]).sum(-2)
    return np.arctan2(-left[..., 0], left[..., 1])


def heading_view(joints: np.ndarray, length: np.ndarray, fps: float) -> np.ndarray:
    """What an encoder sees: positions and velocities in the axes of the body's heading.

    In every frame the origin is the floor below the pelvis and x points ahead, so that turning a
    clip about z or shifting it along the floor changes nothing; heights stay.

    Args:
        joints: (N, T, J, 3) m.
        length: (N,) frames that count.
        fps: Hz, one for all.

    Returns:
        (N, T, 2 * J * 3) float32: positions, m, then world velocities seen from the heading,
        m/s; frames from `length` on repeat the last one.
    """
    frames = np.minimum(np.arange(joints.shape[1]), np.asarray(length)[:, None] - 1)
    joints = at_times(joints.astype(np.float64, copy=False), length, frames)
    velocity = np.zeros_like(joints)
    velocity[:, 1:] = np.diff(joints, axis=1) * fps
    velocity[:, 0] = velocity[:, min(1, joints.shape[1] - 1)]
    rows = np.arange(len(joints))[:, None]
    velocity = velocity[rows, frames]
    local = joints.copy()
    local[..., :2] -= joints[..., :1, :2]
    angle = heading(joints)[..., None]
    cos, sin = np.cos(angle), np.sin(angle)
    seen = []
    for vector in (local, velocity):
        x, y = vector[..., 0], vector[..., 1]
        turned = np.stack([cos * x + sin * y, cos * y - sin * x, vector[..., 2]], axis=-1)
        seen.append(turned.reshape(*turned.shape[:2], -1))
    return np.concatenate(seen, axis=-1).astype(np.float32)
