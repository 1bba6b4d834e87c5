"""A figure of plain proportions, and motions made by formula whose contacts are known exactly."""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from physics.motion import SmplMotion
from physics.skeleton import REST_TO_WORLD, Skeleton

GRAVITY = 9.81
SOLE = -0.96  # m, height of the sole in the rest pose
_THIGH, _SHANK = 0.42, 0.40
_HIP = (0.09, -0.08, 0.0)
# One side's joints of the rest pose, m; the other side is their mirror image.
_LEFT = {
    1: _HIP,
    4: [0.09, -0.08 - _THIGH, 0.0],
    7: [0.09, -0.08 - _THIGH - _SHANK, 0.0],
    10: [0.09, -0.08 - _THIGH - _SHANK - 0.04, 0.12],
    13: [0.05, 0.42, 0.0],
    16: [0.18, 0.43, 0.0],
    18: [0.45, 0.43, 0.0],
    20: [0.70, 0.43, 0.0],
    22: [0.78, 0.43, 0.0],
}
_CENTRE = {0: 0.0, 3: 0.1, 6: 0.22, 9: 0.3, 12: 0.5, 15: 0.6}


def figure() -> Skeleton:
    """A skeleton with flat soles (15 points each) and a few skin points on every other joint."""
    rest = np.zeros((24, 3))
    for joint, height in _CENTRE.items():
        rest[joint, 1] = height
    for joint, place in _LEFT.items():
        rest[joint] = place
        rest[joint + 1] = np.asarray(place) * [-1, 1, 1]
    points, joints = [], []
    for ankle, toe in ((7, 10), (8, 11)):
        for z in (-0.06, -0.02, 0.04, 0.10, 0.18):
            for x in (-0.04, 0.0, 0.04):
                points.append([rest[ankle, 0] + x, SOLE, z])
                joints.append(toe if z > 0.11 else ankle)
    for joint in set(range(24)) - {7, 8, 10, 11}:
        radius = 0.1 if joint in (0, 3, 6, 9, 15) else 0.04
        for direction in np.concatenate([np.eye(3), -np.eye(3)]):
            points.append(rest[joint] + radius * direction)
            joints.append(joint)
    return Skeleton(rest, np.array(points), np.array(joints))


def posed(
    pelvis: np.ndarray, ankles: np.ndarray, fps: float, pitch: np.ndarray | None = None
) -> SmplMotion:
    """A motion that walks along -y with flat feet.

    Args:
        pelvis: (T, 3) m.
        ankles: (T, 2, 2) forward and up position of the left and right ankle, m.
        fps: Hz.
        pitch: (T, 2) turn of the toes about the ankle, rad; flat if None.
    """
    count = len(pelvis)
    body = np.zeros((count, 23, 3))
    for side in (0, 1):
        forward = ankles[:, side, 0] + pelvis[:, 1]  # the figure looks along -y
        up = ankles[:, side, 1] - (pelvis[:, 2] + _HIP[1])
        reach = np.minimum(np.hypot(forward, up), _THIGH + _SHANK - 1e-6)
        bend = np.arccos((_THIGH**2 + _SHANK**2 - reach**2) / (2 * _THIGH * _SHANK))
        lean = np.arctan2(forward, -up)
        inner = np.arcsin(np.clip(_SHANK * np.sin(bend) / reach, -1, 1))
        hip, knee = -(lean + inner), np.pi - bend
        body[:, 0 + side, 0] = hip
        body[:, 3 + side, 0] = knee
        body[:, 6 + side, 0] = -(hip + knee) + (0 if pitch is None else pitch[:, side])
        body[:, 15 + side, 2] = (-1.2, 1.2)[side]  # the arms hang
    orient = np.tile(Rotation.from_matrix(REST_TO_WORLD).as_rotvec(), (count, 1))
    return SmplMotion(pelvis, orient, body, np.zeros(10), fps)


ANKLE = -0.08 - _THIGH - _SHANK - SOLE  # height of the ankle over the sole, m


def standing(frames: int = 40, fps: float = 20.0) -> SmplMotion:
    """Knees slightly bent, swaying by some millimetres over feet that stand still."""
    time = np.arange(frames) / fps
    pelvis = np.stack([0 * time, 0.004 * np.sin(2 * time), 0.93 + 0.003 * np.cos(3 * time)], axis=1)
    return posed(pelvis, np.tile([0.0, ANKLE], (frames, 2, 1)), fps)


def walking(frames: int = 80, fps: float = 20.0, speed: float = 1.0, lift: float = 0.08):
    """Walking with flat feet: steps of 0.5 s, each foot on the ground 60 % of the time."""
    time = np.arange(frames) / fps
    cycle, duty = 1.0, 0.6
    ankles = np.empty((frames, 2, 2))
    for side in (0, 1):
        phase = time / cycle + 0.5 * side
        step, part = np.floor(phase), phase % 1.0
        swing = np.clip((part - duty) / (1 - duty), 0.0, 1.0)
        ease = swing**3 * (10 - 15 * swing + 6 * swing**2)
        stride = speed * cycle
        ankles[:, side, 0] = stride * (step + ease + 0.5 * duty - 0.5 * side)
        ankles[:, side, 1] = ANKLE + lift * np.sin(np.pi * swing) ** 2
    bounce = 0.90 + 0.01 * np.cos(4 * np.pi * time / cycle)
    pelvis = np.stack([0 * time, -speed * time, bounce], axis=1)
    return posed(pelvis, ankles, fps)


def jumping(fps: float = 20.0, height: float = 0.25) -> SmplMotion:
    """Standing, a jump by `height` m with feet that hang, standing again."""
    takeoff, low = 0.93, 0.72
    up = np.sqrt(2 * GRAVITY * height)
    flight, push, hold = 2 * up / GRAVITY, 2 * (takeoff - low) / up, 0.6
    marks = np.cumsum([hold, 0.4, push, flight, push, 0.4, hold])
    time = np.arange(0.0, marks[-1], 1 / fps)

    def dip(t):  # from standing to the low point, at rest at both ends
        s = np.clip(t / 0.4, 0, 1)
        return takeoff - (takeoff - low) * s**2 * (3 - 2 * s)

    z = np.select(
        [time < marks[0], time < marks[1], time < marks[2], time < marks[3], time < marks[4]],
        [
            0 * time + takeoff,
            dip(time - marks[0]),
            low + 0.5 * up / push * (time - marks[1]) ** 2,
            takeoff + up * (time - marks[2]) - 0.5 * GRAVITY * (time - marks[2]) ** 2,
            low + 0.5 * up / push * (marks[4] - time) ** 2,
        ],
        dip(np.maximum(marks[5] - time, 0)),
    )
    pelvis = np.stack([0 * time, 0 * time, z], axis=1)
    ankles = np.tile([0.0, ANKLE], (len(time), 2, 1))
    ankles[:, :, 1] += np.where((time > marks[2]) & (time < marks[3]), z - takeoff, 0.0)[:, None]
    return posed(pelvis, ankles, fps)


def lying(frames: int = 40, fps: float = 20.0) -> SmplMotion:
    """On the back, legs and arms stretched, breathing; the pelvis skin touches the floor."""
    motion = posed(np.zeros((frames, 3)), np.zeros((frames, 2, 2)), fps)
    back = Rotation.from_euler("x", 0.0).as_rotvec()  # rest axes: looks along z, so it looks up
    time = np.arange(frames) / fps
    body = np.zeros((frames, 23, 3))
    body[:, 15, 2] = -0.02 * np.sin(time)
    pelvis = np.tile([0.0, 0.0, 0.10], (frames, 1))
    return replace(motion, transl=pelvis, global_orient=np.tile(back, (frames, 1)), body_pose=body)


def moved(motion: SmplMotion, yaw: float = 0.0, by=(0.0, 0.0, 0.0)) -> SmplMotion:
    """The same motion turned about the vertical and shifted; of a skeleton with rest[0] = 0."""
    turn = Rotation.from_euler("z", yaw)
    orient = (turn * Rotation.from_rotvec(np.array(motion.global_orient))).as_rotvec()
    return replace(motion, transl=turn.apply(np.array(motion.transl)) + by, global_orient=orient)
