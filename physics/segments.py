"""Human body segments on an SMPL skeleton: mass, centre of mass, inertia, strength, thickness.

Mass shares, centres of mass and radii of gyration are the means of women and men in de Leva,
Adjustments to Zatsiorsky-Seluyanov's segment inertia parameters, J. Biomechanics 29 (1996),
table 4; a segment that SMPL cuts into several bodies is shared between them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from physics.motion import MotionError
from physics.skeleton import JOINT_NAMES, Skeleton


@dataclass(frozen=True)
class Segment:
    """What one body of the humanoid weighs and can do.

    Attributes:
        mass: share of the body's mass, percent.
        end: the joint where the segment ends; "" for a last segment, which then ends at `tip`.
        com: distance of the centre of mass from the joint, as a fraction of joint to end.
        gyration: radii of gyration, as fractions of the segment's length: about the first and
            the second transverse axis and the long axis.
        torque: greatest torque about each axis of the joint, N m, for 70 kg and 1.75 m.
        cone: greatest rotation away from the rest pose, degrees.
        thickness: radius of the limb as a fraction of stature, where the surface does not tell.
        tip: end of a last segment, from its joint, fractions of stature, y up; x points outwards.
        start: where the limb's capsule starts, from the joint, fractions of stature.
        length: length for `gyration` as a fraction of stature; 0: from joint to end.
        upright: the long axis is the vertical of the rest pose, as for the trunk.
    """

    mass: float
    end: str
    com: float
    gyration: tuple[float, float, float]
    torque: float
    cone: float
    thickness: float
    tip: tuple[float, float, float] = (0.0, 0.0, 0.0)
    start: tuple[float, float, float] = (0.0, 0.0, 0.0)
    length: float = 0.0
    upright: bool = False


# Trunk (lower, middle, upper part), head with neck, then the limbs, one side each.
_LOWER, _MIDDLE, _UPPER, _HEAD = 11.82, 15.49, 15.705, 6.81
SEGMENTS = {
    "pelvis": Segment(
        _LOWER, "spine1", 0.3, (0.52, 0.47, 0.50), 0, 180, 0.06, length=0.10, upright=True
    ),
    "spine1": Segment(
        _MIDDLE / 2, "spine2", 0.5, (0.85, 0.70, 0.85), 400, 75, 0.065, length=0.062, upright=True
    ),
    "spine2": Segment(
        _MIDDLE / 2, "spine3", 0.5, (0.85, 0.70, 0.85), 400, 75, 0.065, length=0.062, upright=True
    ),
    "spine3": Segment(
        0.84 * _UPPER, "neck", 0.45, (0.50, 0.33, 0.46), 400, 75, 0.065, length=0.139, upright=True
    ),
    "neck": Segment(
        0.15 * _HEAD, "head", 0.5, (0.45, 0.45, 0.40), 100, 80, 0.032, length=0.06, upright=True
    ),
    "head": Segment(
        0.85 * _HEAD, "", 0.55, (0.33, 0.34, 0.28), 100, 80, 0.05,
        tip=(0, 0.085, 0.012), start=(0, 0.025, 0.012), length=0.13,
    ),
    "collar": Segment(0.08 * _UPPER, "shoulder", 0.5, (0.3, 0.3, 0.3), 250, 60, 0.03),
    "shoulder": Segment(2.63, "elbow", 0.576, (0.282, 0.265, 0.153), 150, 150, 0.026),
    "elbow": Segment(1.50, "wrist", 0.457, (0.269, 0.261, 0.108), 120, 165, 0.021),
    "wrist": Segment(0.40, "hand", 0.7, (0.45, 0.40, 0.30), 50, 100, 0.016),
    "hand": Segment(0.185, "", 0.4, (0.35, 0.33, 0.20), 20, 90, 0.010, tip=(0.05, 0, 0)),
    "hip": Segment(14.47, "knee", 0.385, (0.349, 0.344, 0.156), 300, 150, 0.042),
    "knee": Segment(4.57, "ankle", 0.437, (0.263, 0.258, 0.097), 300, 165, 0.028),
    "ankle": Segment(1.06, "foot", 0.45, (0.45, 0.45, 0.28), 200, 80, 0.02),
    "foot": Segment(0.27, "", 0.4, (0.33, 0.33, 0.30), 60, 75, 0.015, tip=(0, 0, 0.045)),
}  # fmt: skip
INSTEP = 0.012  # m above the sole: what is higher touches the floor only in a foot that lies
SOLE_BAND = 0.02  # m: surface points this close to a foot's lowest point are its sole


def base_name(name: str) -> str:
    """A joint's name without its side."""
    return name.removeprefix("left_").removeprefix("right_")


def stature(skeleton: Skeleton) -> float:
    """Height of the rest surface, m."""
    return float(np.ptp(skeleton.surface_points[:, 1]))


def _mirrored(joint: int, vector: tuple[float, float, float]) -> np.ndarray:
    """A vector of the left side for this joint's side; the left is +x in the rest pose."""
    sign = -1.0 if JOINT_NAMES[joint].startswith("right_") else 1.0
    return np.array([sign, 1.0, 1.0]) * vector


def segment_end(skeleton: Skeleton, joint: int) -> np.ndarray:
    """Where a joint's segment ends, from the joint, in the rest frame, m."""
    name = JOINT_NAMES[joint]
    side = name[: name.find("_") + 1]
    segment = SEGMENTS[name.removeprefix(side)]
    if segment.end:
        return skeleton.rest[JOINT_NAMES.index(side + segment.end)] - skeleton.rest[joint]
    return _mirrored(joint, segment.tip) * stature(skeleton)


def limb_radius(skeleton: Skeleton, joint: int, start: np.ndarray, end: np.ndarray) -> float:
    """Radius of the capsule around a segment: the median distance of the skin, within reason."""
    usual = SEGMENTS[base_name(JOINT_NAMES[joint])].thickness * stature(skeleton)
    points = skeleton.surface_points[skeleton.surface_joints == joint] - skeleton.rest[joint]
    if len(points) < 4:
        return usual
    axis = end - start
    along = np.clip((points - start) @ axis / (axis @ axis), 0, 1)
    distance = np.linalg.norm(points - start - along[:, None] * axis, axis=1)
    return float(np.clip(np.median(distance), 0.6 * usual, 1.5 * usual))


def surface_hull(skeleton: Skeleton, joint: int, above: float = -np.inf) -> np.ndarray | None:
    """Corners (H, 3) of the convex hull of a joint's skin points, from the joint, m.

    Args:
        skeleton: the rest shape.
        joint: whose skin.
        above: only points higher than this over the joint, m.

    Returns:
        None if the points span no volume.
    """
    points = skeleton.surface_points[skeleton.surface_joints == joint] - skeleton.rest[joint]
    points = points[points[:, 1] > above]
    if len(points) < 4:
        return None
    try:
        hull = ConvexHull(points)
    except QhullError:
        return None
    return points[hull.vertices] if hull.volume > 1e-6 else None


def foot_boxes(skeleton: Skeleton) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Low and high corner of the box of each heel (ankle) and toe (foot), from its joint, m.

    The bottom is the lowest surface point, the outline that of the points of the sole.

    Raises:
        MotionError: a heel or toe has fewer than three surface points.
    """
    boxes = {}
    for side in ("left", "right"):
        for part, height in (("ankle", 0.05), ("foot", 0.025)):
            joint = JOINT_NAMES.index(f"{side}_{part}")
            points = (
                skeleton.surface_points[skeleton.surface_joints == joint] - skeleton.rest[joint]
            )
            if len(points) < 3:
                raise MotionError(
                    f"{len(points)} surface points are carried by {side}_{part}; the humanoid's "
                    "foot needs at least 3: give the skeleton the body's sole"
                )
            floor = points[:, 1].min()
            sole = points[points[:, 1] < floor + SOLE_BAND]
            low, high = sole.min(axis=0), sole.max(axis=0)
            low[1], high[1] = floor, floor + height
            # The heel ends where the toes begin, so that bent toes do not lift the heel's box.
            ball = skeleton.rest[joint + 3, 2] - skeleton.rest[joint, 2] if part == "ankle" else 0.0
            low[2], high[2] = (low[2], min(high[2], ball)) if part == "ankle" else (ball, high[2])
            boxes[joint] = (low, np.maximum(high, low + 0.02))
    return boxes
