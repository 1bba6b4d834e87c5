"""AMASS npz files, in SMPL-H and SMPL-X layout and either spelling of the frame rate, and ours.

Mahmood et al., AMASS: Archive of Motion Capture as Surface Shapes (2019). The first 66 values
of a pose are pelvis and 21 body joints, as in SMPL; fingers and face have no place in SMPL.
The first ten shape coefficients are kept.
"""

import zipfile
from pathlib import Path

import numpy as np

from motionloop.samples import InputError
from physics.motion import MotionError, SmplMotion

_RATES = ("mocap_framerate", "mocap_frame_rate", "fps", "framerate", "frame_rate")
_OWN = ("transl", "global_orient", "body_pose")
_BODY = 66  # pelvis and 21 joints, 3 numbers each


def load_npz(path: Path, caption: str = "") -> tuple[SmplMotion, bool]:
    """Read a motion from an npz file; and whether it is our own, written by `SmplMotion.save`.

    Args:
        path: an AMASS file or one of ours.
        caption: for AMASS files, which have none.

    Raises:
        InputError: the file is missing, damaged, holds no poses, no frames, NaN, no frame rate
            or one that is not positive, or would run code when read.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            held = set(archive.files)
            if all(name in held for name in _OWN):
                return SmplMotion.load(path), True
            return _amass(archive, held, path, caption), False
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except InputError:
        raise
    except MotionError as error:
        raise InputError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    except (OSError, ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a readable npz file: {error}") from error


def _amass(archive, held: set[str], path: Path, caption: str) -> SmplMotion:
    """The motion in an opened AMASS file."""
    if "poses" in held:
        poses = np.asarray(archive["poses"], dtype=np.float64)
    elif {"root_orient", "pose_body"} <= held:
        parts = [np.asarray(archive[name], np.float64) for name in ("root_orient", "pose_body")]
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
    transl = next((archive[name] for name in ("trans", "transl") if name in held), None)
    if transl is None:
        raise InputError(f"{path} has no trans; it holds {', '.join(sorted(held))}")
    rate = next((float(archive[name]) for name in _RATES if name in held), None)
    if rate is None:
        raise InputError(f"{path} has no frame rate ({' or '.join(_RATES[:2])})")
    body_pose = np.zeros((len(poses), 23, 3))
    body_pose[:, :21] = poses[:, 3:_BODY].reshape(-1, 21, 3)
    betas = np.zeros(10)
    shape = np.ravel(archive["betas"])[:10] if "betas" in held else betas
    betas[: len(shape)] = shape
    return SmplMotion(transl, poses[:, :3], body_pose, betas, rate, caption)
