"""kimodo's npz files: sampled motion of its SMPL-X or SOMA skeleton, y up, metres.

NVIDIA kimodo, user guide, Output Formats: `posed_joints` (T, J, 3), `global_rot_mats` and
`local_rot_mats` (T, J, 3, 3), `root_positions` (T, 3). J is 22 for SMPL-X, 77 (or, in older
files, 30) for SOMA, 34 for the robot G1. The files carry no frame rate; kimodo samples at 30 Hz.
"""

import numpy as np

from motionloop.motion.formats.guard import Arrays
from motionloop.motion.formats.rigid_bodies import frame_rate
from motionloop.motion.formats.world import in_world
from motionloop.motion.retarget import SourceMotion
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import JOINT_COUNT, PARENTS, REST_TO_WORLD, axis_angles

KIMODO = {"posed_joints", "global_rot_mats"}
_FPS = 30.0
_SMPLX_JOINTS = 22
# SOMA's joints that have a counterpart, by their number in the 77- and the 30-joint skeleton.
_SOMA = {
    77: {
        "pelvis": 0, "spine3": 3, "neck": 4, "head": 6,
        "left_collar": 11, "left_shoulder": 12, "left_elbow": 13, "left_wrist": 14,
        "right_collar": 39, "right_shoulder": 40, "right_elbow": 41, "right_wrist": 42,
        "left_hip": 67, "left_knee": 68, "left_ankle": 69, "left_foot": 70,
        "right_hip": 72, "right_knee": 73, "right_ankle": 74, "right_foot": 75,
    },
    30: {
        "pelvis": 0, "spine3": 3, "neck": 4, "head": 6,
        "left_collar": 10, "left_shoulder": 11, "left_elbow": 12, "left_wrist": 13,
        "right_collar": 16, "right_shoulder": 17, "right_elbow": 18, "right_wrist": 19,
        "left_hip": 22, "left_knee": 23, "left_ankle": 24, "left_foot": 25,
        "right_hip": 26, "right_knee": 27, "right_ankle": 28, "right_foot": 29,
    },
}  # fmt: skip
# Parents of those joints on the way to the root, for the zero pose.
_SOMA_ABOVE = {
    "spine3": "pelvis", "neck": "spine3", "head": "neck",
    **{f"{s}_collar": "spine3" for s in ("left", "right")},
    **{f"{s}_hip": "pelvis" for s in ("left", "right")},
    **{f"{s}_{low}": f"{s}_{up}" for s in ("left", "right")
       for chain in (("collar", "shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "foot"))
       for up, low in zip(chain, chain[1:])},
}  # fmt: skip


def read_kimodo(arrays: Arrays, rest: np.ndarray, caption: str = "") -> SmplMotion | SourceMotion:
    """A motion of the SMPL-X skeleton as it is; one of SOMA's as a source for retargeting.

    Raises:
        InputError: the shapes are wrong, or the skeleton is the robot's.
    """
    joints = np.asarray(arrays["posed_joints"], np.float64)
    rotations = np.asarray(arrays["global_rot_mats"], np.float64)
    if joints.ndim != 3 or joints.shape[2] != 3 or rotations.shape != (*joints.shape, 3):
        raise InputError(
            f"{arrays.path} has posed_joints of shape {joints.shape} and global_rot_mats of shape "
            f"{rotations.shape}; kimodo has (T, J, 3) and (T, J, 3, 3)"
        )
    if len(joints) == 0:
        raise InputError(f"{arrays.path} has 0 frames")
    if not (np.isfinite(joints).all() and np.isfinite(rotations).all()):
        raise InputError(f"{arrays.path} has NaN or infinity; repair the clip")
    rates = {"fps", "mocap_frame_rate", "framerate"} & arrays.names
    fps = frame_rate(arrays) if rates else _FPS
    count = joints.shape[1]
    if count == _SMPLX_JOINTS:
        return _smplx(joints, rotations, rest, fps, caption)
    if count not in _SOMA:
        raise InputError(
            f"{arrays.path} has {count} joints; known are 22 (SMPL-X) and 77 or 30 (SOMA); "
            "34 is a robot"
        )
    mapping = _SOMA[count]
    zero = np.zeros((count, 3))
    for name, above in _SOMA_ABOVE.items():
        step = joints[:, mapping[name]] - joints[:, mapping[above]]
        own = np.einsum("tba,tb->ta", rotations[:, mapping[above]], step)
        zero[mapping[name]] = zero[mapping[above]] + own.mean(axis=0)
    return in_world(joints, rotations, zero, mapping, "y", fps, caption)


def _smplx(joints, rotations, rest, fps: float, caption: str) -> SmplMotion:
    """The 22 joints of SMPL-X are SMPL's first; hands stay straight."""
    local = np.tile(np.eye(3), (len(joints), JOINT_COUNT, 1, 1))
    local[:, 0] = REST_TO_WORLD @ rotations[:, 0]
    for j in range(1, _SMPLX_JOINTS):
        local[:, j] = np.swapaxes(rotations[:, PARENTS[j]], 1, 2) @ rotations[:, j]
    poses = axis_angles(local)
    return SmplMotion(
        transl=joints[:, 0] @ REST_TO_WORLD.T - rest[0],
        global_orient=poses[:, 0],
        body_pose=poses[:, 1:],
        betas=np.zeros(10),
        fps=fps,
        caption=caption,
    )
