"""HumanML3D's and KIT-ML's features of a motion: from joint positions, and back.

Guo et al., Generating Diverse and Natural 3D Human Motions from Text (2022). For J joints, y up,
a row is 12 J - 1 numbers (263 for 22 joints, 251 for 21):

    yaw velocity (rad, half the turn to the next frame), root velocity x z, root height,
    (J - 1) x 3 positions relative to the root, (J - 1) x 6 rotations, J x 3 velocities,
    4 foot contacts

Velocities are steps to the next frame, so T frames give T - 1 rows. Positions, rotations and
velocities are seen from the heading, which is smoothed over time (Gaussian, 20 frames) and
zero in the first frame. As in the published code, which all evaluators are trained on, the
heading's hip line points to the left and its shoulder line to the right; contacts ask for
speed only; and rotations are the minimal turns from unit directions to bones, without twist.
One thing differs: where the heading passes half a turn, the published yaw velocity has the
wrong sign for one frame, and its own recovery then goes astray; here the sign is right.

The joints that the data set publishes were made of its features, so that they lack the motion's
last frame, which the smoothing of the heading still saw: without it up to the last 60 rows come
out otherwise. For such joints the line of the heading is continued by one frame along a parabola.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from motionloop.motion.formats.t2m_layouts import HUMANML3D, Layout, layout_of
from motionloop.motion.orientations import minimal_turn, unit
from motionloop.motion.retarget import SourceMotion
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import REST_TO_WORLD, forward_kinematics

_HEADING_SIGMA = 20.0  # frames
_PLACED_M = 1e-3  # joints that are so near to their uniform skeleton's are it
_UP = np.array([0.0, 1.0, 0.0])
_AHEAD = np.array([0.0, 0.0, 1.0])


def uniform(joints: np.ndarray, layout: Layout) -> np.ndarray:
    """Joints (T, J, 3) with the uniform skeleton's bone lengths, on the floor, facing +z.

    Bones keep their directions; the path of the root is scaled by the ratio of the shanks; the
    lowest joint of all frames is at y = 0; the first frame's root is above the origin.
    """
    bones = np.zeros_like(joints)
    for joint, parent in enumerate(layout.parents):
        if parent >= 0:
            bones[:, joint] = joints[:, joint] - joints[:, parent]
    have = np.linalg.norm(bones[0], axis=-1)
    want = have if layout.lengths is None else layout.lengths
    shank = list(layout.shank)
    if not have[shank].sum() > 0:
        raise InputError("the first frame's shanks have no length")
    placed = np.empty_like(joints)
    placed[:, 0] = joints[:, 0] * (want[shank].sum() / have[shank].sum())
    for chain in layout.chains:
        for parent, joint in zip(chain, chain[1:]):
            placed[:, joint] = placed[:, parent] + want[joint] * unit(bones[:, joint])
    placed[..., 1] -= placed[..., 1].min()
    placed -= placed[0, 0] * [1.0, 0.0, 1.0]
    facing = np.cross(_UP, _across(placed[:1], layout, 1.0))
    return placed @ minimal_turn(unit(facing)[0], _AHEAD).T


def features(joints: np.ndarray, layout: Layout = HUMANML3D, cut: bool | None = None) -> np.ndarray:
    """Features (T - 1, 12 J - 1) of joints (T, J, 3), y up, at the layout's frame rate.

    Args:
        joints: of a motion.
        layout: of the joints.
        cut: whether the motion went on for one frame, as with the joints that HumanML3D publishes.
            None tells it from the joints: those that stand in the uniform skeleton, above the
            origin, facing +z, were made of features, and are cut.

    Raises:
        InputError: there are fewer than two frames, another number of joints, NaN or infinity.
    """
    joints = np.asarray(joints, dtype=np.float64)
    count = len(layout.joints)
    if joints.ndim != 3 or joints.shape[1:] != (count, 3) or len(joints) < 2:
        raise InputError(f"joints have shape {joints.shape}; {layout.name} has (T, {count}, 3)")
    if not np.isfinite(joints).all():
        raise InputError("joints hold NaN or infinity; repair the clip")
    given, joints = joints, uniform(joints, layout)
    if cut is None:
        apart = np.abs(joints - given)[..., [0, 2]].max()  # heights differ where the floor was cut
        cut = bool(apart * layout.unit_m < _PLACED_M)
    angle = _heading(joints, layout, cut)
    seen = _turns(angle)  # from the world to the heading
    step = np.diff(joints, axis=0)
    root = (seen[1:] @ step[:, 0, :, None])[..., 0]
    local = joints - joints[:, :1] * [1.0, 0.0, 1.0]
    local = local @ np.swapaxes(seen, 1, 2)
    velocity = step @ np.swapaxes(seen[:-1], 1, 2)
    turn = (np.diff(angle) + np.pi) % (2 * np.pi) - np.pi
    squared = (step[:, list(layout.contacts)] ** 2).sum(axis=-1)
    rows = len(step)
    return np.concatenate(
        [
            turn[:, None] / 2,
            root[:, [0, 2]],
            joints[:-1, 0, 1:2],
            local[:-1, 1:].reshape(rows, -1),
            _rotations(joints, seen, layout)[:-1].reshape(rows, -1),
            velocity.reshape(rows, -1),
            squared < layout.contact_step,
        ],
        axis=1,
    )


def joints_of(rows: np.ndarray, layout: Layout | None = None) -> np.ndarray:
    """Joints (T, J, 3), y up, that features (T, 12 J - 1) stand for; rotations are not read.

    Raises:
        InputError: the rows are of another width, none, or hold NaN or infinity.
    """
    rows = np.asarray(rows, dtype=np.float64)
    if rows.ndim != 2 or len(rows) == 0 or (rows.shape[1] + 1) % 12:
        raise InputError(f"features have shape {rows.shape}; known are (T, 263) and (T, 251)")
    if not np.isfinite(rows).all():
        raise InputError("features hold NaN or infinity; repair the clip")
    layout = layout_of((rows.shape[1] + 1) // 12) if layout is None else layout
    angle = np.zeros(len(rows))
    angle[1:] = np.cumsum(2 * rows[:-1, 0])
    back = np.swapaxes(_turns(angle), 1, 2)
    step = np.zeros((len(rows), 3))
    step[1:, [0, 2]] = rows[:-1, 1:3]
    root = np.cumsum((back @ step[..., None])[..., 0], axis=0)
    local = rows[:, 4 : 4 + 3 * (len(layout.joints) - 1)].reshape(len(rows), -1, 3)
    joints = np.empty((len(rows), len(layout.joints), 3))
    joints[:, 0] = root + rows[:, 3:4] * _UP
    joints[:, 1:] = local @ np.swapaxes(back, 1, 2) + root[:, None]
    return joints


def joints_of_motion(motion: SmplMotion, rest: np.ndarray) -> np.ndarray:
    """HumanML3D's 22 joints (T, 22, 3), y up, at 20 Hz of a motion with rest joints (24, 3)."""
    at_rate = motion.resample(HUMANML3D.fps)
    pose = (at_rate.transl, at_rate.global_orient, at_rate.body_pose)
    joints, _ = forward_kinematics(rest, *pose)
    return joints[:, : len(HUMANML3D.joints)] @ REST_TO_WORLD


def source_motion(joints: np.ndarray, layout: Layout, caption: str = "") -> SourceMotion:
    """Joints (T, J, 3), y up, as a source for retargeting: z up, without rotations."""
    mapping = {name: j for j, name in enumerate(layout.joints) if name}
    return SourceMotion(joints @ REST_TO_WORLD.T, None, None, mapping, layout.fps, caption)


def _across(joints: np.ndarray, layout: Layout, hips: float) -> np.ndarray:
    """Unit vectors (T, 3) from left to right shoulder plus `hips` times those of the hips."""

    def side(joint: str) -> np.ndarray:
        right, left = (layout.joints.index(f"{s}_{joint}") for s in ("right", "left"))
        return joints[:, right] - joints[:, left]

    return unit(hips * side("hip") + side("shoulder"))


def _heading(joints: np.ndarray, layout: Layout, cut: bool) -> np.ndarray:
    """Angles (T,), rad, about y that turn the heading to +z; the hips count backwards.

    Of joints that are `cut` the forward line goes on along the parabola of its last three frames.
    """
    forward = np.cross(_UP, _across(joints, layout, -1.0))
    if cut and len(forward) >= 3:
        beyond = 3 * forward[-1] - 3 * forward[-2] + forward[-3]
        forward = np.concatenate([forward, beyond[None]])
    forward = gaussian_filter1d(forward, _HEADING_SIGMA, axis=0, mode="nearest")[: len(joints)]
    angle = -np.arctan2(forward[:, 0], forward[:, 2])
    angle[0] = 0.0
    return angle


def _turns(angle: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) by angles (T,) about y."""
    turns = np.zeros((len(angle), 3, 3))
    turns[:, 0, 0] = turns[:, 2, 2] = np.cos(angle)
    turns[:, 0, 2] = np.sin(angle)
    turns[:, 2, 0] = -turns[:, 0, 2]
    turns[:, 1, 1] = 1.0
    return turns


def _rotations(joints: np.ndarray, seen: np.ndarray, layout: Layout) -> np.ndarray:
    """6D rotations (T, J - 1, 6) along the chains; every chain begins at the heading."""
    out = np.empty((len(joints), len(layout.joints), 6))
    for chain in layout.chains:
        above = seen
        for parent, joint in zip(chain, chain[1:]):
            bone = unit(joints[:, joint] - joints[:, parent])
            turn = minimal_turn(layout.directions[joint], bone)
            local = np.swapaxes(above, 1, 2) @ turn
            out[:, joint] = np.concatenate([local[..., 0], local[..., 1]], axis=-1)
            above = turn
    return out[:, 1:]
