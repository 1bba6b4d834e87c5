"""Which path of the centre of mass can the floor support? A convex re-plan of the reference.

The floor pushes and does not pull, so the zero-moment point

    p = c - z c'' / (g + z'') + (-L'_y, L'_x) / (m (g + z''))                                (1)

of a motion (c horizontal place and z height of the centre of mass, L angular momentum about it)
has to lie in the hull of the points in contact; in flight c'' is 0. With z from `plan_height` and
L of the motion this is linear in c. Of all paths that keep to it, up to slack that costs much, the
one nearest to the motion's own in place and acceleration solves a quadratic programme. The root
follows it; the legs reach for the places that the feet had, where moving feet also keep clear of
the floor: a simulated foot that only skims it is stopped by friction. Vukobratovic and
Borovac, Zero-moment point: thirty-five years of its life (2004); Kajita et al., Biped walking
pattern generation by using preview control of zero-moment point (2003).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import ConvexHull, QhullError

from physics.contacts import CORNERS, candidates, carried, velocities
from physics.dynamics import GRAVITY
from physics.height import plan_height, room_above, second_difference
from physics.humanoid import FOOT_JOINTS, Humanoid
from physics.limb_ik import LEGS, reach
from physics.momentum import Momentum, momentum_of
from physics.motion import MotionError, SmplMotion
from physics.quadratic import minimise
from physics.skeleton import PARENTS, axis_angles, forward_kinematics
from physics.tracking.support import Support

LEAST_LIFT = 0.3  # part of gravity that (1) counts at least, near take-off
EDGE = 0.015  # m: half the width of a contact of fewer points than make a hull
KEEP = 100.0  # weight of a place of the centre while hands, knees or back carry it
ITERATIONS = 4  # Gauss-Newton steps of the legs


@dataclass(frozen=True)
class BalanceConfig:
    """Settings of the re-plan.

    Attributes:
        rounds: how often the path is planned, each time for the body that has moved; 0 leaves the
            motion as it is.
        margin: how far inside the hull of the contacts the zero-moment point stays, m.
        period: time that weighs a change of acceleration against one of place, s.
        slack: cost of a zero-moment point outside, against that of a path that is off as much.
        smoothing: Gaussian smoothing of the motion's momentum, s.
        clearance: height that fast points of the feet keep over the floor, m.
        resting: horizontal speed up to which a point of a foot needs no clearance, m/s.
        swinging: speed from which it needs all of it, m/s.
        lift_time: Gaussian smoothing of the clearance over time, s.
        heights: whether heights are planned as well.
        least_load: least part of the body's weight on the floor while something stands on it.
        most_load: most of it, body weights.
        load_slack: cost of a load outside, against that of a height that is off as much.
    """

    rounds: int = 2
    margin: float = 0.01
    period: float = 0.1
    slack: float = 300.0
    smoothing: float = 0.04
    clearance: float = 0.025
    resting: float = 0.3
    swinging: float = 1.0
    lift_time: float = 0.02
    heights: bool = True
    least_load: float = 0.3
    most_load: float = 2.5
    load_slack: float = 1.0

    def __post_init__(self):
        for name in ("period", "slack", "smoothing", "lift_time", "load_slack"):
            if not getattr(self, name) > 0:
                raise MotionError(f"balance.{name} is {getattr(self, name)}; it must be positive")
        if not 0 <= self.least_load < self.most_load:
            raise MotionError(
                f"balance.least_load is {self.least_load} and most_load {self.most_load}; the "
                "least must be at least 0 and below the most"
            )
        if not self.swinging > self.resting:
            raise MotionError(
                f"balance.swinging is {self.swinging} m/s; it must exceed resting, {self.resting}"
            )


def rebalance(
    humanoid: Humanoid,
    motion: SmplMotion,
    support: Support,
    flight: np.ndarray,
    config: BalanceConfig,
) -> SmplMotion:
    """The motion with a path of the centre of mass that its contacts can hold.

    Args:
        humanoid: the body.
        motion: any length; under three frames it comes back as it is.
        support: its contacts.
        flight: (T,) bool, frames of free fall.
        config: settings.
    """
    if len(motion) < 3:
        return motion
    for _ in range(config.rounds):
        momentum = momentum_of(humanoid, motion, config.smoothing)
        planned = momentum
        if config.heights:
            planned = plan_height(
                momentum, ~flight, room_above(humanoid, motion, support),
                motion.fps, (config.least_load, config.most_load), config.period,
                config.load_slack,
            )  # fmt: skip
        path = plan_path(planned, _hulls(humanoid, motion, support), flight, motion.fps, config)
        shift = np.column_stack([path, planned.centre[:, 2]]) - momentum.centre
        motion = _moved(humanoid, motion, shift, config)
    return motion


def plan_path(
    momentum: Momentum,
    hulls: list[np.ndarray | None],
    flight: np.ndarray,
    fps: float,
    config: BalanceConfig,
) -> np.ndarray:
    """The horizontal path (T, 2) of the centre of mass, m, of the quadratic programme.

    Args:
        momentum: of the motion, T >= 3 frames.
        hulls: for each frame the points (C, 2) that stand on the floor; none are no constraint,
            and None keeps the centre where it is.
        flight: (T,) bool, frames of free fall.
        fps: Hz.
        config: settings.
    """
    count = len(hulls)
    inner = sparse.eye_array(count - 2, count, k=1, format="csr")
    second = second_difference(count, fps)
    keep = np.where([hull is None for hull in hulls], KEEP, 1.0)
    weight = config.period**4
    quad = sparse.diags_array(keep) + weight * (second.T @ second)
    places = momentum.centre[:, :2]
    wish = keep[:, None] * places + weight * (second.T @ momentum.acceleration[1:-1, :2])

    lift = GRAVITY + np.maximum(momentum.acceleration[1:-1, 2], (LEAST_LIFT - 1.0) * GRAVITY)
    lever = momentum.centre[1:-1, 2] / lift
    turn = momentum.torque[1:-1, (1, 0)] * (-1.0, 1.0) / lift[:, None]
    point = sparse.csr_array(inner - sparse.diags_array(lever) @ second)  # p of (1) less `turn`

    rows, planes = [], []
    for t in np.flatnonzero(~flight[1:-1]):
        hull = hulls[t + 1]
        if hull is not None and len(hull):
            sides = sides_of(hull)
            rows.extend([t] * len(sides))
            planes.extend(sides)
    rows, planes = np.array(rows, dtype=int), np.array(planes).reshape(-1, 3)
    order = np.arange(len(rows))
    sides = sparse.hstack(
        [
            sparse.diags_array(planes[:, 0]) @ point[rows],
            sparse.diags_array(planes[:, 1]) @ point[rows],
            sparse.coo_array((-np.ones(len(rows)), (order, rows)), shape=(len(rows), count - 2)),
        ]
    )
    limits = -planes[:, 2] - config.margin - (planes[:, :2] * turn[rows]).sum(axis=1)
    falling = second[np.flatnonzero(flight[1:-1])]
    slackless = sparse.csr_array((falling.shape[0], count - 2))
    free = sparse.hstack(
        [sparse.block_diag([falling, falling]), sparse.vstack([slackless, slackless])]
    )
    equal = 2 * falling.shape[0]

    x = minimise(
        sparse.block_diag([quad, quad, config.slack * sparse.eye_array(count - 2)]),
        np.concatenate([-wish[:, 0], -wish[:, 1], np.zeros(count - 2)]),
        sparse.vstack([free, sides]),
        np.concatenate([np.zeros(equal), limits]),
        equal,
    )
    return places if x is None else x[: 2 * count].reshape(2, count).T


def _hulls(humanoid: Humanoid, motion: SmplMotion, support: Support) -> list[np.ndarray | None]:
    """For each frame the feet's points on the floor; None where other parts carry the body."""
    skeleton = humanoid.skeleton
    joints_w, rotations_w = forward_kinematics(
        skeleton.rest, motion.transl, motion.global_orient, motion.body_pose
    )
    points = carried(joints_w, rotations_w, support.joints, support.points)[..., :2]
    feet = np.isin(support.joints, FOOT_JOINTS)
    body = np.asarray(support.planned[:, ~feet].any(axis=1))
    return [None if body[t] else points[t, support.planned[t] & feet] for t in range(len(points))]


def sides_of(points: np.ndarray) -> np.ndarray:
    """Half-planes (S, 3) n_x, n_y, d, with n p + d <= 0 in the hull of points (C, 2)."""
    try:
        return ConvexHull(points).equations
    except (QhullError, ValueError):
        corners = EDGE * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
        return ConvexHull((points[:, None] + corners).reshape(-1, 2)).equations


def _moved(
    humanoid: Humanoid, motion: SmplMotion, shift: np.ndarray, config: BalanceConfig
) -> SmplMotion:
    """The motion with its root moved by `shift` (T, 3), m, over feet that keep their places."""
    skeleton = humanoid.skeleton
    carriers, offsets = candidates(skeleton)
    joints_w, rotations_w = forward_kinematics(
        skeleton.rest, motion.transl, motion.global_orient, motion.body_pose
    )
    places = carried(joints_w, rotations_w, carriers, offsets)
    speeds = np.linalg.norm(velocities(places, motion.fps)[..., :2], axis=-1)
    part = (speeds - config.resting) / (config.swinging - config.resting)
    sunk = np.maximum(config.clearance * np.clip(part, 0.0, 1.0) - places[..., 2], 0.0)
    joints_w = joints_w + shift[:, None]
    body_pose = motion.body_pose.copy()
    for side, limb in enumerate(LEGS):
        rows = np.arange(side * CORNERS, (side + 1) * CORNERS)
        targets = places[:, rows]
        lifted = gaussian_filter1d(sunk[:, rows].max(axis=1), config.lift_time * motion.fps)
        targets[..., 2] += lifted[:, None]
        chain = list(limb.chain)
        joints_w[:, chain], rotations_w[:, chain] = reach(
            skeleton.rest, joints_w, rotations_w, limb, carriers[rows], offsets[rows],
            targets, np.ones_like(targets), iterations=ITERATIONS,
        )  # fmt: skip
        for j in chain:
            local = rotations_w[:, PARENTS[j]].swapaxes(-1, -2) @ rotations_w[:, j]
            body_pose[:, j - 1] = axis_angles(local)
    return replace(motion, transl=joints_w[:, 0] - skeleton.rest[0], body_pose=body_pose)
