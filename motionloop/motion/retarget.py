"""Retargeting: the SMPL motion that a foreign skeleton's motion is, and how well it fits.

Steps, each for all frames at once:
1. `Calibration` gives SMPL orientations R = R_src G that the source's orientations stand for;
   the turn about every bone is the source's own, so it is as smooth as the source. Where the
   source has positions only, `Positions` gives orientations by bones and bends.
2. The source is scaled limb by limb: every segment between matched joints keeps its direction
   (and its stretch over time) and takes the length that SMPL's has in the rest pose, where the
   source is in its zero pose; the path of the root is scaled by the ratio of the leg lengths.
   Hips, not the pelvis, anchor the body, for where a skeleton puts its pelvis and spine joints
   inside the trunk is its own convention; so is the base of its neck, hence shoulders follow
   the source's from where its zero pose has them, if that is a standing body's.
3. `fit_trunk` turns trunk, neck and collars by damped Gauss-Newton steps on joint positions.
4. Limbs are aimed by the minimal turn at their targets; a knee or elbow cannot flip. `fit_feet`
   keeps the ball of the foot on the floor.

The error is the mean distance over matched joints and frames between the scaled source joints
and the joints of the fitted motion. Matched are hips, knees, ankles, toes, neck, head,
shoulders, elbows and wrists, as far as the source has them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.calibration import Calibration
from motionloop.motion.foot_fit import fit_feet
from motionloop.motion.orientations import SIDES, Orientations, index, minimal_turn, unit
from motionloop.motion.positions import Positions
from motionloop.motion.trunk_fit import MOVED, TrunkConfig, fit_trunk, root_place
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import JOINT_COUNT, JOINT_NAMES, PARENTS, axis_angles, forward_kinematics

_LIMB_CHAINS = tuple(
    tuple(f"{side}_{joint}" for joint in chain)
    for side in SIDES
    for chain in (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist"))
)


@dataclass(frozen=True)
class SourceMotion:
    """A motion of K joints of any skeleton, in a z-up world and any unit of length.

    Attributes:
        joints: (T, K, 3) world positions.
        rotations_w: (T, K, 3, 3) world orientations; None where only positions are known.
        rest: (K, 3) the zero pose: joint positions where every orientation is the identity;
            None where only positions are known.
        mapping: index of the source joint for SMPL joint names, as `joint_names.match_joints`
            gives it; hips, knees, ankles, shoulders, elbows and wrists are needed, and pelvis
            and spine3 where there are rotations.
        fps: Hz.
        caption: what the motion shows.
    """

    joints: np.ndarray
    rotations_w: np.ndarray | None
    rest: np.ndarray | None
    mapping: dict[str, int]
    fps: float
    caption: str = ""


@dataclass(frozen=True)
class Fit:
    """What retargeting gives.

    Attributes:
        motion: the SMPL motion; shape 0 unless betas were given.
        error_m: mean joint fitting error, m.
        joint_error_m: mean error of every matched joint, m.
        scale: metres of the fitted motion for one unit of the source's length.
    """

    motion: SmplMotion
    error_m: float
    joint_error_m: dict[str, float]
    scale: float


def retarget(
    source: SourceMotion,
    rest: np.ndarray,
    betas: np.ndarray | None = None,
    config: TrunkConfig | None = None,
) -> Fit:
    """Fit SMPL rotations to a source motion.

    Args:
        source: the motion of the foreign skeleton.
        rest: (24, 3) SMPL rest joints of the shape `betas`, m.
        betas: (10,) the shape that the motion is given; zeros by default.
        config: weights.

    Raises:
        InputError: a limb of the source is missing or has no length.
    """
    config = TrunkConfig() if config is None else config
    missing = [j for chain in _LIMB_CHAINS for j in chain[:3] if j not in source.mapping]
    if missing:
        raise InputError(f"the source's mapping has no {', '.join(missing)}; every limb is needed")
    orientations: Orientations
    if source.rotations_w is None or source.rest is None:
        orientations = Positions(rest, source.joints, source.mapping, source.fps)
    else:
        orientations = Calibration(
            rest, source.rest, source.joints, source.rotations_w, source.mapping
        )
    targets, scale = _scaled_source(source, rest, orientations)
    rotations_w = _initial_rotations(orientations, len(source.joints))
    fit_trunk(rotations_w, targets, rest, config)
    joints = _place(rotations_w, targets, rest)
    _aim_limbs(rotations_w, joints, targets, rest)
    fit_feet(rotations_w, orientations, rest, scale)
    _carry_on(rotations_w, orientations)
    local = rotations_w.copy()
    for j in range(1, JOINT_COUNT):
        local[:, j] = np.swapaxes(rotations_w[:, PARENTS[j]], 1, 2) @ rotations_w[:, j]
    poses = axis_angles(local)
    motion = SmplMotion(
        transl=joints[:, 0] - rest[0],
        global_orient=poses[:, 0],
        body_pose=poses[:, 1:],
        betas=np.zeros(10) if betas is None else betas,
        fps=source.fps,
        caption=source.caption,
    )
    fitted, _ = forward_kinematics(rest, motion.transl, motion.global_orient, motion.body_pose)
    errors = {
        name: float(np.linalg.norm(fitted[:, index(name)] - place, axis=1).mean())
        for name, place in targets.items()
    }
    return Fit(motion, float(np.mean(list(errors.values()))), errors, scale)


def _scaled_source(
    source: SourceMotion, rest: np.ndarray, orientations: Orientations
) -> tuple[dict[str, np.ndarray], float]:
    """Places (T, 3) of the matched joints with SMPL's segment lengths, and the path's scale."""
    at = {name: source.joints[:, j] for name, j in source.mapping.items()}
    zero = at if source.rest is None else {n: source.rest[j] for n, j in source.mapping.items()}
    zero = dict(zero)
    goal = {name: rest[index(name)] for name in at}
    for place in (at, zero, goal):
        place["hips"] = 0.5 * (place["left_hip"] + place["right_hip"])
        if "neck" not in place:
            place["neck"] = 0.5 * (place["left_shoulder"] + place["right_shoulder"])

    def lengths(segments: list[tuple[str, str]]) -> tuple[float, float]:
        have = np.mean([np.linalg.norm(at[b] - at[a], axis=-1).mean() for a, b in segments])
        still = np.mean([np.linalg.norm(zero[b] - zero[a], axis=-1).mean() for a, b in segments])
        if 0.85 * still < have < 1.15 * still:  # a bent spine is shorter than a straight one
            have = still
        want = np.mean([np.linalg.norm(goal[b] - goal[a]) for a, b in segments])
        if not have > 1e-9:
            raise InputError(f"the source has no length from {segments[0][0]} to {segments[0][1]}")
        return float(have), float(want)

    legs = [lengths([(f"{s}_{a}", f"{s}_{b}") for s in SIDES]) for a, b in
            (("hip", "knee"), ("knee", "ankle"))]  # fmt: skip
    scale = sum(want for _, want in legs) / sum(have for have, _ in legs)
    targets = {"hips": at["hips"] * scale}
    trunk = [[("hips", f"{s}_hip") for s in SIDES], [("hips", "neck")], [("neck", "head")]]
    trunk.append([("neck", f"{s}_shoulder") for s in SIDES])
    limbs = [
        [(f"{s}_{a}", f"{s}_{b}") for s in SIDES]
        for chain in (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist"))
        for a, b in zip(chain, chain[1:])
    ]
    for segments in trunk + limbs:
        segments = [pair for pair in segments if pair[1] in at]
        if not segments:
            continue
        have, want = lengths(segments)
        for a, b in segments:
            step = (at[b] - at[a]) * (want / have)
            if b.endswith("shoulder") and orientations.zero_pose is not None:
                step += _own_shoulder(
                    source, goal[b] - goal[a], zero[b] - zero[a], want / have, orientations
                )
            targets[b] = targets[a] + step
    return {n: p for n, p in targets.items() if n in source.mapping}, scale


def _own_shoulder(
    source: SourceMotion, goal, zero, factor: float, orientations: Orientations
) -> np.ndarray:
    """What turns the way (T, 3) from neck to shoulder of the source's zero pose into SMPL's.

    Where a skeleton puts the base of its neck is its own convention; a shoulder that is where
    its zero pose has it shall not raise SMPL's collar.
    """
    assert source.rotations_w is not None  # a source with a zero pose has them
    chest = source.rotations_w[:, source.mapping["spine3"]]
    return orientations.world("spine3") @ goal - factor * (chest @ zero)


def _initial_rotations(calibration: Orientations, frames: int) -> np.ndarray:
    """World orientations (T, 24, 3, 3) that the source's orientations stand for."""
    rotations_w = np.empty((frames, JOINT_COUNT, 3, 3))
    pelvis, chest = calibration.world("pelvis"), calibration.world("spine3")
    rotations_w[:, 0] = pelvis
    bend = Rotation.from_matrix(np.swapaxes(pelvis, 1, 2) @ chest).as_rotvec()
    for part, joint in ((1 / 3, "spine1"), (2 / 3, "spine2")):
        rotations_w[:, index(joint)] = pelvis @ Rotation.from_rotvec(part * bend).as_matrix()
    for j in range(1, JOINT_COUNT):
        if JOINT_NAMES[j] in calibration.turns:
            rotations_w[:, j] = calibration.world(JOINT_NAMES[j])
        elif JOINT_NAMES[j] not in ("spine1", "spine2"):
            rotations_w[:, j] = rotations_w[:, PARENTS[j]]
    return rotations_w


def _place(rotations_w: np.ndarray, targets: dict[str, np.ndarray], rest: np.ndarray) -> np.ndarray:
    """Joint positions (T, 24, 3) of the oriented bones, the hips on their targets."""
    joints = np.empty((*rotations_w.shape[:2], 3))
    joints[:, 0] = root_place(rotations_w, targets, rest)
    for j in range(1, JOINT_COUNT):
        p = PARENTS[j]
        joints[:, j] = joints[:, p] + rotations_w[:, p] @ (rest[j] - rest[p])
    return joints


def _aim_limbs(
    rotations_w: np.ndarray, joints: np.ndarray, targets: dict[str, np.ndarray], rest: np.ndarray
) -> None:
    """Turn every limb's bones towards their targets by the least turn, in place."""
    for chain in _LIMB_CHAINS:
        for upper, lower in zip(chain, chain[1:]):
            u, low = index(upper), index(lower)
            bone = rest[low] - rest[u]
            if lower in targets and not lower.endswith("foot"):
                have = unit(rotations_w[:, u] @ bone)
                turn = minimal_turn(have, unit(targets[lower] - joints[:, u]))
                rotations_w[:, u] = turn @ rotations_w[:, u]
            joints[:, low] = joints[:, u] + rotations_w[:, u] @ bone


def _carry_on(rotations_w: np.ndarray, calibration: Orientations) -> None:
    """Hands, and toes and head where the source has none, turn with their parents, in place."""
    for j in range(1, JOINT_COUNT):
        if JOINT_NAMES[j] not in calibration.turns and j not in MOVED:
            rotations_w[:, j] = rotations_w[:, PARENTS[j]]
