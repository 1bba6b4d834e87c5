"""npz files of physics imitators: ProtoMotions' rigid-body states, and PHC's poses.

ProtoMotions (NVlabs/ProtoMotions, RobotState and data/scripts/convert_amass_to_proto.py):
`rigid_body_pos` (T, 24, 3) m, `rigid_body_rot` (T, 24, 4) x y z w, `fps`; z up; bodies in
MuJoCo's depth-first order. Its body axes are SMPL's turned by a constant quarter turn, x ahead
and z up in the rest pose; files with SMPL's own axes exist too. The bones tell which it is.

PHC (ZhengyiLuo/PHC, scripts/data_process/convert_amass_isaac.py): `pose_aa` (T, 72 or 156) in
SMPL's order, `trans_orig` or `trans` (T, 3), `beta`, `fps`; z up.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.formats.guard import Arrays
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import JOINT_COUNT, JOINT_NAMES, PARENTS, axis_angles

PROTOMOTIONS = {"rigid_body_pos", "rigid_body_rot"}
PHC = {"pose_aa"}
_UPRIGHT = Rotation.from_quat([0.5, 0.5, 0.5, 0.5]).as_matrix()  # SMPL's axes to ProtoMotions'


def depth_first() -> list[int]:
    """SMPL's joint numbers in the order in which MuJoCo lists bodies."""
    order: list[int] = []

    def visit(joint: int) -> None:
        order.append(joint)
        for child in range(JOINT_COUNT):
            if PARENTS[child] == joint:
                visit(child)

    visit(0)
    return order


def read_protomotions(arrays: Arrays, rest: np.ndarray, caption: str = "") -> SmplMotion:
    """The motion of rigid-body states, for a body with rest joints (24, 3).

    Raises:
        InputError: there is no frame rate, or the shapes are not those of SMPL's 24 bodies.
    """
    place = np.asarray(arrays["rigid_body_pos"], np.float64)
    quaternions = np.asarray(arrays["rigid_body_rot"], np.float64)
    if place.shape[1:] != (JOINT_COUNT, 3) or quaternions.shape != (*place.shape[:2], 4):
        raise InputError(
            f"{arrays.path} has rigid bodies of shape {place.shape} and {quaternions.shape}; "
            f"SMPL's humanoid has (T, {JOINT_COUNT}, 3) and (T, {JOINT_COUNT}, 4)"
        )
    size = np.linalg.norm(quaternions, axis=-1)
    if not (np.isfinite(place).all() and np.isfinite(size).all() and size.min() > 1e-3):
        raise InputError(f"{arrays.path} has NaN or empty quaternions; repair the clip")
    turned = Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix()
    order = depth_first()
    rotations_w = np.empty((len(place), JOINT_COUNT, 3, 3))
    joints = np.empty_like(place)
    rotations_w[:, order] = turned.reshape(len(place), JOINT_COUNT, 3, 3)
    joints[:, order] = place
    upright = rotations_w @ _UPRIGHT
    if _misfit(joints, upright, rest) < _misfit(joints, rotations_w, rest):
        rotations_w = upright
    local = rotations_w.copy()
    for j in range(1, JOINT_COUNT):
        local[:, j] = np.swapaxes(rotations_w[:, PARENTS[j]], 1, 2) @ rotations_w[:, j]
    poses = axis_angles(local)
    return SmplMotion(
        transl=joints[:, 0] - rest[0],
        global_orient=poses[:, 0],
        body_pose=poses[:, 1:],
        betas=np.zeros(10),
        fps=frame_rate(arrays),
        caption=caption,
    )


def _misfit(joints: np.ndarray, rotations_w: np.ndarray, rest: np.ndarray) -> float:
    """How far the rest pose's limbs, carried by the rotations, point away from the joints'."""
    total = 0.0
    for j in (JOINT_NAMES.index(f"{side}_{joint}") for side in ("left", "right")
              for joint in ("knee", "ankle", "elbow", "wrist")):  # fmt: skip
        p = PARENTS[j]
        have = joints[:, j] - joints[:, p]
        want = rotations_w[:, p] @ (rest[j] - rest[p])
        cosine = np.sum(have * want, axis=1) / (
            np.linalg.norm(have, axis=1) * np.linalg.norm(want, axis=1) + 1e-12
        )
        total -= float(cosine.mean())
    return total


def read_phc(arrays: Arrays, caption: str = "") -> SmplMotion:
    """The motion of PHC's poses.

    Raises:
        InputError: there is no translation or frame rate, or the shapes are wrong.
    """
    poses = np.asarray(arrays["pose_aa"], np.float64)
    poses = poses.reshape(len(poses), -1) if poses.ndim else poses
    if poses.ndim != 2 or len(poses) == 0 or poses.shape[1] not in (72, 156):
        raise InputError(
            f"{arrays.path} has pose_aa of shape {poses.shape}; PHC has (T, 72) or (T, 156)"
        )
    name = next((n for n in ("trans_orig", "trans", "transl") if n in arrays.names), None)
    if name is None:
        raise InputError(f"{arrays.path} has no trans_orig; it holds {sorted(arrays.names)}")
    body_pose = np.zeros((len(poses), JOINT_COUNT - 1, 3))
    last = JOINT_COUNT - 1 if poses.shape[1] == 72 else 21  # beyond, 156 numbers are fingers
    body_pose[:, :last] = poses[:, 3 : 3 + 3 * last].reshape(len(poses), last, 3)
    betas = np.zeros(10)
    shape = np.ravel(arrays["beta"])[:10] if "beta" in arrays.names else betas
    betas[: len(shape)] = shape
    return SmplMotion(arrays[name], poses[:, :3], body_pose, betas, frame_rate(arrays), caption)


def frame_rate(arrays: Arrays) -> float:
    """The file's frames a second, Hz.

    Raises:
        InputError: it has none.
    """
    known = ("mocap_framerate", "mocap_frame_rate", "fps", "framerate", "frame_rate")
    for name in known:
        if name in arrays.names:
            return float(np.ravel(arrays[name])[0])
    raise InputError(f"{arrays.path} has no frame rate ({' or '.join(known[:3])})")
