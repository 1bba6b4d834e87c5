"""How is a motion repaired without simulation? The kinematic stage: floor, slip, penetration.

In this order: noise is estimated and smoothed away; the floor under the stance points is brought to
z = 0; the root's horizontal path is re-integrated so that stance points stand still; the root comes
down by what the standing soles hover on the mean; the legs reach for what remains; hands, knees and
back are brought out of the ground. What is not wrong is left as it is: flight stays flight, and a
clean clip comes back nearly unchanged.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from physics.contacts import (
    CORNERS,
    NOISY,
    ContactPlan,
    candidates,
    carried,
    plan_contacts,
    velocities,
)
from physics.fidelity import travel
from physics.limb_ik import ARMS, LEGS, Limb, reach
from physics.motion import MotionError, SmplMotion
from physics.reintegration import footprints, path_correction, reweighted, shrink_to_signal
from physics.skeleton import PARENTS, Skeleton, axis_angles, forward_kinematics
from physics.smoothing import (
    noise_level,
    smooth_by_cross_validation,
    stiffness_of,
    upper_envelope,
    whittaker,
)

# Joints whose points stand still on the ground when they support the body; backs roll.
FOOTHOLDS = (4, 5, 7, 8, 10, 11, 20, 21, 22, 23)
SWING_SPEED = 0.2  # m/s at which a point of a foot swings
RESTLESS = 0.03  # m of noise of the feet that doubles the times over which the path is found
NOISY_SLIP = 5.0  # m/s that are added to `still_speed`, per m of noise
HOVER_PERIOD = 1.0  # s; slower changes of the soles' mean height are followed by the root
GRIP, EASE = 60, 1.0  # weights of a foot's place in a stance, and of its own place out of it
SURE_ONLY = 10  # power of the confidence in the grip: a foot that lands or lifts off is let go
SLACK = 0.001  # m of penetration that is left alone
UNSEEN = 0.0005  # m; legs that need to move less are left as they are


@dataclass(frozen=True)
class CleanupConfig:
    """Settings of the clean-up.

    Attributes:
        root_noise: noise of the root's position above which it is smoothed, m.
        joint_noise: noise of the rotations above which they are smoothed, rad.
        path_period: time over which the root's path correction is smooth, s.
        pull_time: about the duration of slip that is corrected against the pull to the input, s.
        slip_floor: slip that is left to the legs, so that the root's path stays as it is, m/s.
        still_speed: slip at which a point counts for the path a quarter of a still one, m/s.
        clearance: height that moving points of the feet keep over the floor, m.
        travel_tolerance: largest change of the root's travel as a part of it; a correction of
            the path that changes more is rejected.
        pins: whether the legs hold stance points at one place; False leaves them to the root.
        blend_time: time over which the legs' corrections fade in and out, s.
        iterations: Gauss-Newton steps of the legs and arms.
    """

    root_noise: float = 0.003
    joint_noise: float = 0.012
    path_period: float = 0.4
    pull_time: float = 20.0
    slip_floor: float = 0.05
    still_speed: float = 0.1
    travel_tolerance: float = 0.4
    pins: bool = True
    blend_time: float = 0.25
    clearance: float = 0.007
    iterations: int = 3

    def __post_init__(self):
        for name in ("path_period", "pull_time", "blend_time"):
            if not getattr(self, name) > 0:
                raise MotionError(f"{name} is {getattr(self, name)}; it must be positive, in s")
        if self.iterations < 1:
            raise MotionError(f"iterations is {self.iterations}; it must be at least 1")


def denoise(motion: SmplMotion, config: CleanupConfig) -> SmplMotion:
    """Smooth the root and the rotations as far as their own high frequencies say they are noisy."""
    poses = np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1)
    turns = Rotation.from_rotvec(poses.reshape(-1, 3)).as_quat().reshape(len(motion), -1, 4)
    flips = np.sign(np.einsum("tjq,tjq->tj", turns[1:], turns[:-1]))
    turns[1:] *= np.cumprod(np.where(flips == 0, 1.0, flips), axis=0)[..., None]
    if noise_level(motion.transl) > config.root_noise:
        transl = smooth_by_cross_validation(motion.transl[:, None], motion.fps)[:, 0]
        motion = replace(motion, transl=transl)
    # A turn by an angle moves three of the four components of its quaternion by half of it.
    if noise_level(turns) * 2 * np.sqrt(4 / 3) > config.joint_noise:
        turns = smooth_by_cross_validation(turns, motion.fps)
        poses = Rotation.from_quat(turns.reshape(-1, 4)).as_rotvec().reshape(poses.shape)
        motion = replace(motion, global_orient=poses[:, 0], body_pose=poses[:, 1:])
    return motion


class _Pose:
    """The clip while it is repaired: world joints and rotations, with the points it carries."""

    def __init__(self, motion: SmplMotion, skeleton: Skeleton, noise: float):
        self.motion, self.skeleton, self.fps, self.noise = motion, skeleton, motion.fps, noise
        self.joints_w, self.rotations_w = forward_kinematics(
            skeleton.rest, motion.transl, motion.global_orient, motion.body_pose
        )
        self.carriers, self.offsets = candidates(skeleton)
        self.turned: set[int] = set()

    def points(self) -> np.ndarray:
        return carried(self.joints_w, self.rotations_w, self.carriers, self.offsets)

    def plan(self, tolerant: bool = True) -> ContactPlan:
        centre = self.joints_w.mean(axis=1)
        points, carriers, offsets = self.points(), self.carriers, self.offsets
        return plan_contacts(points, carriers, offsets, centre, self.fps, self.noise, tolerant)

    def lowest(self) -> np.ndarray:
        return self.skeleton.surface(self.joints_w, self.rotations_w)[..., 2].min(axis=1)

    def shift(self, by: np.ndarray) -> None:
        self.joints_w = self.joints_w + by[:, None]

    def reach(
        self,
        limb: Limb,
        rows: np.ndarray,
        targets: np.ndarray,
        config: CleanupConfig,
        axes: tuple[float, float, float] = (1.0, 1.0, 1.0),
    ) -> None:
        chain = list(limb.chain)
        weights = np.broadcast_to(axes, targets.shape)
        self.joints_w[:, chain], self.rotations_w[:, chain] = reach(
            self.skeleton.rest, self.joints_w, self.rotations_w, limb, self.carriers[rows],
            self.offsets[rows], targets, weights, iterations=config.iterations,
        )  # fmt: skip
        self.turned.update(chain)

    def result(self) -> SmplMotion:
        body_pose = self.motion.body_pose.copy()
        for j in self.turned:
            local = self.rotations_w[:, PARENTS[j]].swapaxes(-1, -2) @ self.rotations_w[:, j]
            body_pose[:, j - 1] = axis_angles(local)
        transl = self.joints_w[:, 0] - self.skeleton.rest[0]
        return replace(self.motion, transl=transl, body_pose=body_pose)


def _level(pose: _Pose) -> ContactPlan:
    """Bring the floor under the stance points to z = 0."""
    plan = pose.plan()
    pose.shift(np.stack([0 * plan.level, 0 * plan.level, -plan.level], axis=1))
    return plan


def _stand_still(pose: _Pose, config: CleanupConfig) -> None:
    """Re-integrate the root's path over the stance points, unless that changes its travel much."""
    given = pose.joints_w
    plan = pose.plan(tolerant=False)
    trust = plan.confidence**2 * np.isin(pose.carriers, FOOTHOLDS)
    calm = 1.0 + pose.noise / RESTLESS
    # Feet that land and push off slide; that the root is wrong, the stillest of them say best.
    slip = np.linalg.norm(velocities(plan.points[..., :2], pose.fps), axis=-1)
    still = config.still_speed + NOISY_SLIP * pose.noise
    agreed = reweighted(trust, slip / still, pose.fps)
    path = path_correction(
        plan.points[..., :2], agreed, pose.fps, calm * config.path_period, config.pull_time
    )
    path = shrink_to_signal(path, trust, pose.noise, config.slip_floor, pose.fps, calm)
    pose.shift(np.pad(path, ((0, 0), (0, 1))))
    old, new = (travel(joints[:, 0, :2], pose.fps) for joints in (given, pose.joints_w))
    if abs(new - old) > config.travel_tolerance * old + 0.1:
        pose.joints_w = given


def _come_down(pose: _Pose) -> None:
    """Lower the root by what the standing soles hover on the mean, so that no leg stretches for it.

    The level of the floor is that of the lowest points, and the rest of a sole hovers by
    millimetres; a knee that is nearly straight would move by a centimetre to bring it down. In a
    noisy clip these millimetres are not known.
    """
    plan = pose.plan()
    weights = plan.confidence[:, : 2 * CORNERS] ** SURE_ONLY
    total = weights.sum(axis=1)
    hover = (weights * plan.points[:, : 2 * CORNERS, 2]).sum(axis=1) / np.maximum(total, 1e-9)
    hover = whittaker(hover, np.minimum(total, 1.0) + 1e-6, stiffness_of(HOVER_PERIOD, pose.fps))
    known = 1.0 / (1.0 + (pose.noise / NOISY) ** 2)
    pose.shift(np.stack([0 * hover, 0 * hover, -known * hover], axis=1))


def _legs(pose: _Pose, config: CleanupConfig) -> ContactPlan:
    """Legs bring stance corners to the floor (and to one place), and swing corners above it."""
    plan = pose.plan()
    places = footprints(plan.points, plan.confidence)
    places[..., 2] = np.where(plan.in_contact, 0.0, places[..., 2])
    if not config.pins:
        places[..., :2] = plan.points[..., :2]
    stiffness = stiffness_of(config.blend_time, pose.fps)
    for side, limb in enumerate(LEGS):
        rows = np.arange(side * CORNERS, (side + 1) * CORNERS)
        wanted = places[:, rows] - plan.points[:, rows]
        moves = np.stack(
            [
                whittaker(
                    wanted[:, k], GRIP * plan.confidence[:, row] ** SURE_ONLY + EASE, stiffness
                )
                for k, row in enumerate(rows)
            ],
            axis=1,
        )
        reached = plan.points[:, rows] + moves
        speed = np.linalg.norm(velocities(reached, pose.fps)[..., :2], axis=-1)
        swing = np.clip(speed / SWING_SPEED - 0.5, 0.0, 1.0) * ~plan.in_contact[:, rows]
        sunk = np.maximum(config.clearance * swing - reached[..., 2], 0.0).max(axis=1)
        moves[..., 2] += upper_envelope(sunk, round(0.05 * pose.fps))[:, None]
        if np.abs(moves).max() > UNSEEN:
            pose.reach(limb, rows, plan.points[:, rows] + moves, config)
    return plan


def _arms(pose: _Pose, config: CleanupConfig) -> None:
    """Arms lift hands and elbows that are lower than the ground the rest of the body stands on."""
    heights = pose.points()[..., 2]
    for limb in ARMS:
        rows = np.flatnonzero(np.isin(pose.carriers, limb.chain[1:]))
        if not len(rows):
            continue
        sunk = np.maximum(-heights[:, rows], 0.0).max(axis=1)
        if sunk.max() <= SLACK:
            continue
        targets = pose.points()[:, rows]
        targets[..., 2] += upper_envelope(sunk, round(0.1 * pose.fps))[:, None]
        # A stretched arm can only rise by swinging, so that its place matters little.
        pose.reach(limb, rows, targets, config, axes=(0.02, 0.02, 1.0))


def _settle(pose: _Pose, plan: ContactPlan) -> None:
    """Lay the lowest skin on the floor while there is contact, and lift all of it out of it."""
    touching = np.maximum(plan.confidence.max(axis=1), np.where(plan.flight, 0.0, 0.5))
    lowest = pose.lowest()
    shift = -whittaker(lowest, touching + 1e-6, stiffness_of(0.3, pose.fps))
    sunk = np.maximum(-(lowest + shift) - SLACK, 0.0)
    shift = shift + upper_envelope(sunk, round(0.05 * pose.fps))
    pose.shift(np.stack([0 * shift, 0 * shift, shift], axis=1))


def clean_up(
    motion: SmplMotion, skeleton: Skeleton, config: CleanupConfig | None = None
) -> tuple[SmplMotion, ContactPlan]:
    """Repair a motion's floor contact, slip and penetration; also says what touches when.

    Args:
        motion: any length from one frame, any frame rate; z up, floor at z = 0.
        skeleton: the rest shape, with skin points on every joint that may touch the ground.
        config: settings; the defaults if None.

    Returns:
        The repaired motion, of the same length and rate, and its contact plan.
    """
    config = config or CleanupConfig()
    noise = noise_level(_Pose(motion, skeleton, 0.0).points()[:, : 2 * CORNERS])
    pose = _Pose(denoise(motion, config), skeleton, noise)
    _level(pose)
    _stand_still(pose, config)
    _come_down(pose)
    plan = _legs(pose, config)
    _arms(pose, config)
    _settle(pose, plan)
    return pose.result(), replace(plan, points=pose.points(), level=0.0 * plan.level)
