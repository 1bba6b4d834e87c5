"""Which height of the centre of mass can the floor give? A convex re-plan of the reference.

The floor pushes with at least a little of the body's weight while a foot stands on it, with no
more than legs can bear, and not at all in flight, where the body falls freely:

    stance   least_load g <= z'' + g <= most_load g
    flight   z'' + g = 0                                                                      (1)

Of all paths z(t) that keep to it, up to slack, and do not stretch a standing leg, the one nearest
to the motion's own in place and acceleration solves a quadratic programme. Without it the bounce
of a run and the flight of a jump ask for a fall slower or faster than gravity's.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse

from physics.dynamics import GRAVITY
from physics.humanoid import Humanoid
from physics.limb_ik import LEGS
from physics.momentum import Momentum
from physics.motion import SmplMotion
from physics.quadratic import minimise
from physics.skeleton import forward_kinematics
from physics.tracking.support import Support

STRAIGHT = 0.99  # part of a leg's length that it is stretched to at most
FREE = 0.5  # m that a body without a standing leg may rise


def plan_height(
    momentum: Momentum,
    stance: np.ndarray,
    room: np.ndarray,
    fps: float,
    loads: tuple[float, float],
    period: float,
    slack: float,
) -> Momentum:
    """The momentum with the heights (T,) of the quadratic programme, and their acceleration.

    Args:
        momentum: of the motion, T >= 3 frames.
        stance: (T,) bool, frames in which something stands on the floor.
        room: (T,) how far the centre may rise, m.
        fps: Hz.
        loads: least and most of the body's weight that the floor carries in stance.
        period: time that weighs a change of acceleration against one of place, s.
        slack: cost of an acceleration outside of (1), against that of a path that is off as much.
    """
    count = len(stance)
    second = second_difference(count, fps)
    height = momentum.centre[:, 2]
    quad = sparse.eye_array(count) + period**4 * (second.T @ second)
    wish = height + period**4 * (second.T @ momentum.acceleration[1:-1, 2])
    least, most = (np.where(stance[1:-1], load - 1, -1.0) * GRAVITY for load in loads)
    eye = sparse.eye_array(count - 2)
    rise = sparse.hstack([sparse.eye_array(count), sparse.csr_array((count, count - 2))])
    x = minimise(
        sparse.block_diag([quad, slack * eye]),
        np.concatenate([-wish, np.zeros(count - 2)]),
        sparse.vstack([sparse.hstack([second, -eye]), sparse.hstack([-second, -eye]), rise]),
        np.concatenate([most, -least, height + room]),
    )
    if x is None:
        return momentum
    centre, acceleration = momentum.centre.copy(), momentum.acceleration.copy()
    centre[:, 2] = x[:count]
    acceleration[1:-1, 2] = second @ x[:count]
    return replace(momentum, centre=centre, acceleration=acceleration)


def room_above(humanoid: Humanoid, motion: SmplMotion, support: Support) -> np.ndarray:
    """How far (T,) the root can rise before a standing leg is stretched, m."""
    rest = humanoid.skeleton.rest
    joints, _ = forward_kinematics(rest, motion.transl, motion.global_orient, motion.body_pose)
    room = np.full(len(motion), FREE)
    for limb in LEGS:
        hip, knee, ankle, toe = limb.chain
        bones = np.linalg.norm(rest[[knee, ankle]] - rest[[hip, knee]], axis=1)
        leg = joints[:, hip] - joints[:, ankle]
        upright = (STRAIGHT * bones.sum()) ** 2 - (leg[:, :2] ** 2).sum(axis=1)
        spare = np.sqrt(np.maximum(upright, 0.0)) - leg[:, 2]
        stands = support.planned[:, np.isin(support.joints, (ankle, toe))].any(axis=1)
        room = np.where(stands, np.clip(spare, 0.0, room), room)
    return room


def second_difference(count: int, fps: float) -> sparse.csr_array:
    """(count - 2, count): accelerations of the inner frames of a path."""
    inner = sparse.eye_array(count - 2, count, k=1)
    ends = sparse.eye_array(count - 2, count) + sparse.eye_array(count - 2, count, k=2)
    return sparse.csr_array((ends - 2 * inner) * fps**2)
