"""Which points of the humanoid may carry force, and when the contact plan has them on the floor.

The feet use the corners of the humanoid's own boxes, each with the plan of the nearest planned
point of the same joint, so that the controller counts on forces where the simulated floor can
give them. All other planned points (hands, knees, back) are used as they are.
"""

import math
from dataclasses import dataclass

import numpy as np

from physics.contacts import ContactPlan, carried
from physics.humanoid import FOOT_JOINTS, Humanoid
from physics.motion import SmplMotion
from physics.skeleton import forward_kinematics

FLAT = 0.03  # m: a foot's corner below this stands when another corner of its box does
LANDING = 0.05  # s before a planned contact, in which a low corner may already land
LOW = 0.02  # m: such a corner is lower


@dataclass(frozen=True)
class Support:
    """Points that may carry force.

    Attributes:
        points: (C, 3) from their joint in its rest frame, m.
        joints: (C,) SMPL joint that carries each point.
        planned: (T, C) bool, on the floor according to the plan, at each frame.
    """

    points: np.ndarray
    joints: np.ndarray
    planned: np.ndarray

    def at(self, times: np.ndarray, fps: float) -> np.ndarray:
        """The plan (K, C) at the frames nearest to `times` (K,), s."""
        frames = np.minimum(np.round(times * fps).astype(int), len(self.planned) - 1)
        return self.planned[frames]


def support_of(humanoid: Humanoid, motion: SmplMotion, plan: ContactPlan) -> Support:
    """The support of a humanoid that follows a motion under its contact plan.

    A box that touches with one corner is planned with all its low corners: a simulated foot
    stands on its sole, not on an edge. Corners that are low shortly before the plan has them
    down may land then: a plan speaks of standing still, and a foot touches first.
    """
    feet = np.zeros((len(plan.in_contact), len(humanoid.corners)), bool)
    for corner, (joint, offset) in enumerate(zip(humanoid.corner_joints, humanoid.corners)):
        same = np.flatnonzero(plan.joints == joint)
        if len(same):
            nearest = same[np.argmin(np.linalg.norm(plan.offsets[same] - offset, axis=1))]
            feet[:, corner] = plan.in_contact[:, nearest]
    joints_w, rotations_w = forward_kinematics(
        humanoid.skeleton.rest, motion.transl, motion.global_orient, motion.body_pose
    )
    heights = carried(joints_w, rotations_w, humanoid.corner_joints, humanoid.corners)[..., 2]
    for joint in FOOT_JOINTS:
        box = humanoid.corner_joints == joint
        feet[:, box] |= feet[:, box].any(axis=1, keepdims=True) & (heights[:, box] < FLAT)
    for _ in range(math.ceil(LANDING * motion.fps)):
        feet[:-1] |= feet[1:] & (heights[:-1] < LOW)
    body = ~np.isin(plan.joints, FOOT_JOINTS)
    return Support(
        points=np.concatenate([humanoid.corners, plan.offsets[body]]),
        joints=np.concatenate([humanoid.corner_joints, plan.joints[body]]),
        planned=np.concatenate([feet, plan.in_contact[:, body]], axis=1),
    )
