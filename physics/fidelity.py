"""Is the correction still the motion that was given? Travel and timing, against the input alone.

A corrector may move the root where the feet of the input slip, since feet that hold still leave
only the root to move; but not by more than they slip:

    |travel(corrected) - travel(given)| <= slip(given) + TOLERANCE travel(given) + LEAST

with travel the length of the root's horizontal path between marks a quarter of a second apart,
and slip that of the points that stay low over the floor between two marks, averaged over them.
And it may not be early or late: the shift in time at which the two motions agree best is less
than LATE.
"""

import numpy as np

from physics.contacts import ContactPlan, carried
from physics.motion import SmplMotion
from physics.skeleton import Skeleton, forward_kinematics

TOLERANCE = 0.05  # part of the travel that may change without slip
LEAST = 0.15  # m that may change in any clip: a body that balances sways
LOW = 0.03  # m over the floor, in the cleaned motion
MARKS = 0.25  # s between the marks of a path, so that jitter is no travel
LATE = 0.2  # s
LATE_GAIN = 0.8  # part of the distance that must be left at the other time to call it late


def travel(path: np.ndarray, fps: float) -> float:
    """Length of a path (T, 2) between marks a quarter of a second apart, m; blind to jitter."""
    marks = path[:: max(1, round(MARKS * fps))]
    return float(np.linalg.norm(np.diff(marks, axis=0), axis=1).sum())


def measured_slip(points: np.ndarray, low: np.ndarray, fps: float) -> float:
    """How far points (T, C, 2) slide while they are low over the floor (T, C), m."""
    stride = max(1, round(MARKS * fps))
    marks = np.arange(0, len(points), stride)
    if len(marks) < 2:
        return 0.0
    # A point counts in an interval through which it stays low: feet that swing do not.
    stays = np.logical_and.reduceat(low, marks, axis=0)[:-1] & low[marks[1:]]
    slip = np.linalg.norm(np.diff(points[marks], axis=0), axis=-1)
    return float(((slip * stays).sum(axis=1) / np.maximum(stays.sum(axis=1), 1)).sum())


def distortion(
    given: SmplMotion, corrected: SmplMotion, plan: ContactPlan, skeleton: Skeleton
) -> str:
    """What a correction changed beyond repair; "" if it did not.

    Args:
        given: the input.
        corrected: of the same length and rate.
        plan: the points of the body that may touch the floor, where the cleaned motion has them.
        skeleton: the rest shape of both.
    """
    fps = given.fps
    (joints, rotations), (moved, _) = (
        forward_kinematics(skeleton.rest, m.transl, m.global_orient, m.body_pose)
        for m in (given, corrected)
    )
    before, after = (travel(j[:, 0, :2], fps) for j in (joints, moved))
    points = carried(joints, rotations, plan.joints, plan.offsets)[..., :2]
    slip = measured_slip(points, plan.points[..., 2] < LOW, fps)
    if abs(after - before) > slip + TOLERANCE * before + LEAST:
        return (
            f"distorted: the root travels {after:.2f} m instead of {before:.2f} m, "
            f"and the feet slip by only {slip:.2f} m"
        )
    lag = _lag(joints - joints[:, :1], moved - moved[:, :1], fps)
    if abs(lag) >= LATE:
        return f"distorted: the motion is {abs(lag):.2f} s {'late' if lag > 0 else 'early'}"
    return ""


def _lag(given: np.ndarray, corrected: np.ndarray, fps: float) -> float:
    """By how much time the corrected joints (T, J, 3) follow the given ones, s; 0 if unclear."""
    most = min(round(2 * LATE * fps), len(given) // 4)
    distances = {}
    for shift in range(-most, most + 1):
        early = given[max(-shift, 0) : len(given) - max(shift, 0)]
        late = corrected[max(shift, 0) : len(given) - max(-shift, 0)]
        distances[shift] = float(np.linalg.norm(early - late, axis=-1).mean())
    best = min(distances, key=lambda shift: distances[shift])
    return best / fps if distances[best] < LATE_GAIN * distances[0] else 0.0
