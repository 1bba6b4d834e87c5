"""AMASS npz files, in SMPL, SMPL-H and SMPL-X layout and either spelling of the frame rate.

Mahmood et al., AMASS: Archive of Motion Capture as Surface Shapes (2019). The first 66 values
of a pose are pelvis and 21 body joints, as in SMPL; fingers and face have no place in SMPL.
The first ten shape coefficients are kept. z up, m, rad.
"""

import numpy as np

from motionloop.motion.formats.guard import Arrays
from motionloop.motion.formats.rigid_bodies import frame_rate
from motionloop.samples import InputError
from physics.motion import SmplMotion

_BODY = 66  # pelvis and 21 joints, 3 numbers each


def read_amass(arrays: Arrays, caption: str = "") -> SmplMotion:
    """The motion in an AMASS file.

    Raises:
        InputError: the file holds no poses, no frames, no translation or no frame rate.
    """
    held, path = arrays.names, arrays.path
    if "poses" in held:
        poses = np.asarray(arrays["poses"], dtype=np.float64)
    elif {"root_orient", "pose_body"} <= held:
        parts = [np.asarray(arrays[name], np.float64) for name in ("root_orient", "pose_body")]
        poses = np.concatenate(parts, axis=1)
    else:
        raise InputError(
            f"{path} holds no motion: AMASS has poses, or root_orient and pose_body; "
            f"it holds {', '.join(sorted(held)) or 'nothing'}"
        )
    if poses.ndim > 0 and len(poses) == 0:
        raise InputError(f"{path} has 0 frames")
    if poses.ndim != 2 or poses.shape[1] < _BODY:
        raise InputError(f"{path} has poses of shape {poses.shape}; AMASS has (T, 156) or (T, 72)")
    transl = next((arrays[name] for name in ("trans", "transl") if name in held), None)
    if transl is None:
        raise InputError(f"{path} has no trans; it holds {', '.join(sorted(held))}")
    body_pose = np.zeros((len(poses), 23, 3))
    body_pose[:, :21] = poses[:, 3:_BODY].reshape(-1, 21, 3)
    betas = np.zeros(10)
    shape = np.ravel(arrays["betas"])[:10] if "betas" in held else betas
    betas[: len(shape)] = shape
    return SmplMotion(transl, poses[:, :3], body_pose, betas, frame_rate(arrays), caption)
