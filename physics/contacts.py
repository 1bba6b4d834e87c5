"""Where and when does the body touch the ground? An estimate from motion alone, floor unknown.

A point of the skin is in contact where it is slow and low. *Low* is relative to a floor level of
the clip's own, a smooth lower envelope of the slow points' heights, so that a clip that floats,
sinks or drifts by some centimetres gives the same contacts; a swing toe may be lower than the
stance foot, but it is fast. *Slow* is relative to the root and to the slowest low point, so that
a foot that slides with a root that is too fast is still in contact.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_closing, binary_opening

from physics.motion import MotionError, SmplMotion
from physics.skeleton import Skeleton, forward_kinematics
from physics.smoothing import noise_level, spells, stiffness_of, whittaker

FEET = ((7, 10), (8, 11))  # (ankle, toe joint) of the left and the right foot
CORNERS = 6  # of each foot: 2 at the heel, 2 at the ball, 2 at the tip of the toes
# Joints whose skin may rest on the ground, in rolls, crawls and falls.
BODY_JOINTS = (0, 3, 6, 9, 4, 5, 15, 16, 17, 18, 19, 20, 21, 22, 23)

ARM_JOINTS = (18, 19, 20, 21, 22, 23)
ARMS_ARE_LOW = 0.05  # m that arms may be lower than the other points on the ground

LEVEL_PERIOD = 1.0  # s; slower changes of the floor level are followed
LOW = 0.025  # m above the level at which a point is half in contact
SLOW = 0.25  # m/s at which a point is half in contact, of a body at rest
SLOW_PER_TRAVEL = 0.35  # added per m/s of the body
SHORTEST_NOISY = 0.12  # s, of noisy motion
NOISY = 0.004  # m of noise of the feet from which motion is noisy
SLOW_PER_NOISE = 5.0  # m/s per m of noise
LOW_PER_NOISE = 0.3
SURE, LIKELY = 0.4, 0.2  # a contact rises above the first and lasts above the second
GRAZE = 0.004  # m over the level at which a body is off the ground
FALLING = 3.3  # m/s^2 downwards, from which a body without support flies
STRICT = 0.8  # part of the limits of speed that counts where slip is to be told from stepping
SHORTEST = 0.06  # s; shorter contacts, and shorter gaps in one, are dropped


@dataclass(frozen=True)
class ContactPlan:
    """Points of the skin that may touch the ground, and when they do.

    The first 12 points are foot corners (left heel 2, ball 2, toe tip 2, then right); the others
    lie on the pelvis, back, knees, head, shoulders, elbows and hands.

    Attributes:
        points: (T, C, 3) world positions in the motion, m.
        joints: (C,) the joint that carries each point.
        offsets: (C, 3) in that joint's rest axes, m: point = joint + R_w @ offset.
        in_contact: (T, C) bool.
        confidence: (T, C) in [0, 1].
        level: (T,) height of the floor that the contacts speak of, m; 0 in a clean motion.
        flight: (T,) bool, the body falls freely: nothing touches and it accelerates downwards.
    """

    points: np.ndarray
    joints: np.ndarray
    offsets: np.ndarray
    in_contact: np.ndarray
    confidence: np.ndarray
    level: np.ndarray
    flight: np.ndarray


def foot_corners(skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """The sole's corners: joints (12,) that carry them and rest positions (12, 3), m.

    Each is the lowest skin point of its part of the sole, the outer ones preferred.

    Raises:
        MotionError: a foot has no surface points.
    """
    joints, points = [], []
    for ankle, toe in FEET:
        own = np.isin(skeleton.surface_joints, (ankle, toe))
        if not own.any():
            raise MotionError(
                f"the skeleton has no surface points on joints {ankle} and {toe}; "
                "give it points of the sole"
            )
        skin, carriers = skeleton.surface_points[own], skeleton.surface_joints[own]
        sole = skin[:, 1] < skin[:, 1].min() + 0.03
        skin, carriers = skin[sole], carriers[sole]
        back, front = skin[:, 2].min(), skin[:, 2].max()
        middle = skeleton.rest[toe, 2]
        for wanted in (back, middle, front):
            for side in (-1.0, 1.0):
                reach = side * (skin[:, 0] - np.median(skin[:, 0]))
                cost = np.abs(skin[:, 2] - wanted) - 0.7 * reach + 2.0 * skin[:, 1]
                best = int(np.argmin(cost))
                joints.append(carriers[best])
                points.append(skin[best])
    return np.array(joints), np.array(points)


def body_points(skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Outer skin points of the joints other than the feet: joints (B,), rest positions (B, 3)."""
    directions = np.array(
        [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)], dtype=float
    )
    chosen: list[int] = []
    for joint in BODY_JOINTS:
        own = np.flatnonzero(skeleton.surface_joints == joint)
        if len(own):
            extremes = np.argmax(skeleton.surface_points[own] @ directions.T, axis=0)
            chosen.extend(own[np.unique(extremes)])
    rows = np.array(chosen, dtype=int)
    return skeleton.surface_joints[rows], skeleton.surface_points[rows]


def candidates(skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """All points that may touch the ground: joints (C,) and offsets (C, 3); feet first."""
    foot_joints, feet = foot_corners(skeleton)
    joints, points = body_points(skeleton)
    joints = np.concatenate([foot_joints, joints])
    points = np.concatenate([feet, points])
    return joints, points - skeleton.rest[joints]


def carried(
    joints_w: np.ndarray, rotations_w: np.ndarray, joints: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """World positions (T, C, 3) of points that joints carry at rest offsets (C, 3)."""
    return joints_w[:, joints] + np.einsum("tcab,cb->tca", rotations_w[:, joints], offsets)


def velocities(points: np.ndarray, fps: float) -> np.ndarray:
    """Central differences of points (T, ..., 3) in m/s; zero for a single frame."""
    return np.gradient(points, 1.0 / fps, axis=0) if len(points) > 1 else np.zeros_like(points)


def floor_level(
    heights: np.ndarray, speeds: np.ndarray, slow: np.ndarray, sure: np.ndarray, fps: float
) -> np.ndarray:
    """Smooth height (T,) of the ground under points of heights and speeds (T, C).

    Each frame offers its lowest point, where height counts a penalty for speed relative to the
    limit `slow` (T,); the offers are smoothed with weights that fall for fast points and for
    points above the curve (asymmetric least squares), so that a jump is bridged. Frames that are
    `sure` (T,) keep at least half their weight.
    """
    relative = speeds / slow[:, None]
    best = np.argmin(heights + 0.04 * relative**2, axis=1)[:, None]
    offers = np.take_along_axis(heights, best, axis=1)[:, 0]
    trust = 1.0 / (1.0 + np.take_along_axis(relative, best, axis=1)[:, 0] ** 4)
    long = stiffness_of(4 * LEVEL_PERIOD, fps)
    short = stiffness_of(LEVEL_PERIOD, fps)
    level = np.full(len(offers), np.quantile(offers, 0.2))
    for stiffness in (long, long, long, short, short, short, short):
        above = np.maximum(offers - level, 0.0) / LOW
        weights = np.maximum(trust / (1.0 + above**4), 0.5 * sure) + 1e-6
        level = whittaker(offers, weights, stiffness)
    return level


def free_fall(unsupported: np.ndarray, centre: np.ndarray, fps: float) -> np.ndarray:
    """Which unsupported frames (T,) are flight: the body's centre (T,) falls there, m.

    A spell without support is flight when the parabola through the heights of its frames and of
    one frame on either side accelerates downwards by more than a third of gravity; a clip that
    hovers does not.
    """
    flight = np.zeros(len(unsupported), bool)
    numbers = spells(unsupported[:, None])[:, 0]
    for number in range(numbers.max() + 1):
        frames = np.flatnonzero(numbers == number)
        around = np.arange(max(frames[0] - 1, 0), min(frames[-1] + 2, len(centre)))
        if len(around) < 3:
            continue
        time = (around - around.mean()) / fps
        acceleration = 2 * np.polynomial.polynomial.polyfit(time, centre[around], 2)[2]
        flight[frames] = acceleration < -FALLING
    return flight


def estimate_contacts(motion: SmplMotion, skeleton: Skeleton) -> ContactPlan:
    """Estimate which points of the body touch the ground in each frame of a motion."""
    joints_w, rotations_w = forward_kinematics(
        skeleton.rest, motion.transl, motion.global_orient, motion.body_pose
    )
    joints, offsets = candidates(skeleton)
    points = carried(joints_w, rotations_w, joints, offsets)
    noise = noise_level(points[:, : 2 * CORNERS])
    centre = joints_w.mean(axis=1)
    return plan_contacts(points, joints, offsets, centre, motion.fps, noise)


def _grown(core: np.ndarray, around: np.ndarray) -> np.ndarray:
    """The unbroken runs in time of `around` (T, C) that hold a flag of `core` (T, C)."""
    numbers = spells(around)
    return np.isin(numbers, numbers[core & around]) & around


def plan_contacts(
    points: np.ndarray,
    joints: np.ndarray,
    offsets: np.ndarray,
    centre: np.ndarray,
    fps: float,
    noise: float,
    tolerant: bool = True,
) -> ContactPlan:
    """Contacts of points (T, C, 3) that joints (C,) carry, of a body with its centre at (T, 3).

    `noise` is the white noise of the feet's positions in the raw motion, m: it decides how much
    the points are smoothed here, and, if `tolerant`, how far slow and low reach; else the limit of
    speed is the lower one.
    """
    smooth = points
    if noise > NOISY:
        smooth = whittaker(points, np.ones(len(points)), stiffness_of(0.3, fps, 3), 3)
    speeds = np.linalg.norm(velocities(smooth, fps), axis=-1)
    travel = np.linalg.norm(velocities(centre, fps)[:, :2], axis=-1)
    travel = whittaker(travel, np.ones(len(travel)), stiffness_of(0.5, fps)).clip(min=0.0)
    slow = SLOW + SLOW_PER_TRAVEL * travel
    slow = slow + SLOW_PER_NOISE * noise if tolerant else STRICT * slow
    low = LOW + LOW_PER_NOISE * noise * tolerant
    heights = smooth[..., 2]
    no_one = np.zeros(len(points), bool)
    # Arms can give way, so that they tell less than the rest where the floor is.
    standing = heights + ARMS_ARE_LOW * np.isin(joints, ARM_JOINTS)
    level = floor_level(standing, speeds, slow, no_one, fps)
    unsupported = heights.min(axis=1) > level + low
    flight = free_fall(unsupported, centre[:, 2], fps)
    if (unsupported & ~flight).any():
        level = floor_level(standing, speeds, slow, unsupported & ~flight, fps)
        flight &= heights.min(axis=1) > level + low
    height = np.maximum(heights - level[:, None], 0.0) / low
    # A wrong travel of the body carries the feet along; other parts must be slow by themselves.
    own = np.where(np.arange(points.shape[1]) < 2 * CORNERS, slow[:, None], SLOW)
    speed = speeds / own
    confidence = 1.0 / (1.0 + height**4) / (1.0 + speed**4)
    in_contact = _grown(confidence > SURE, confidence > LIKELY)
    frames = round((SHORTEST_NOISY if noise > NOISY else SHORTEST) * fps)
    if frames > 1 and len(points) > 2 * frames:
        window = np.ones((frames, 1), bool)
        in_contact = binary_opening(binary_closing(in_contact, window) | in_contact, window)
    # Flight lasts from the last frame on the ground to the first.
    off = (heights.min(axis=1) > level + GRAZE) & ~in_contact.any(axis=1)
    flight = _grown(flight[:, None], off[:, None])[:, 0]
    return ContactPlan(points, joints, offsets, in_contact, confidence * in_contact, level, flight)
