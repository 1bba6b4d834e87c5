"""Motion files of every known format, as SMPL motions in a z-up world with the floor at z = 0.

docs/formats.md says of each format what is kept and what is lost.
"""

from pathlib import Path

import numpy as np

from motionloop.motion.body import Body
from motionloop.motion.floor import level
from motionloop.motion.formats import asf_amc, humanml3d
from motionloop.motion.formats.bvh import joints_in_world, read_bvh
from motionloop.motion.formats.bvh_writer import smpl_motion, write_bvh
from motionloop.motion.formats.gltf import write_glb
from motionloop.motion.formats.guard import read_npy
from motionloop.motion.formats.joint_names import match_joints
from motionloop.motion.formats.npz import read_npz
from motionloop.motion.formats.t2m_layouts import layout_of
from motionloop.motion.formats.world import TO_Z_UP, in_world, up_axis
from motionloop.motion.retarget import SourceMotion, retarget
from motionloop.samples import InputError, write_whole
from physics.motion import MotionError, SmplMotion
from physics.skeleton import forward_kinematics

SUFFIXES = (".npz", ".bvh", ".npy", ".amc")
KNOWN = (
    "motionloop's own .npz; .npz of AMASS (SMPL-H or SMPL-X), ProtoMotions, PHC and kimodo; "
    ".bvh (any skeleton); .npy of HumanML3D and KIT-ML (joints or features); .amc with its .asf"
)
# Endings that can be written, the longest first, and what they mean.
ENDINGS = {
    ".amass.npz": "AMASS, SMPL-H layout",
    ".joints.npy": "HumanML3D's 22 joints, 20 Hz, y up",
    ".npz": "motionloop's own",
    ".npy": "HumanML3D's 263 features, 20 Hz",
    ".bvh": "SMPL's skeleton with its rest offsets, m",
    ".glb": "the skinned body with its animation",
}


def load_motion(path: Path, body: Body, up: str | None = None) -> SmplMotion:
    """The motion in a file of any known format.

    Our own files are given as they are; others are levelled, so that the feet stand on z = 0.

    Args:
        path: the file.
        body: the body that the motion is for.
        up: the file's up axis, "y" or "z", where it is a BVH file; told from the body by default.

    Raises:
        InputError: the file is missing, of no known format, or damaged.
    """
    return read_motion(path, body, up=up)[0]


def read_motion(
    path: Path, body: Body, caption: str = "", up: str | None = None
) -> tuple[SmplMotion, float]:
    """The motion in a file, and its mean joint fitting error in m (0 where nothing is fitted).

    Args:
        path: the file.
        body: the body that the motion is for.
        caption: for files that have none.
        up: see `load_motion`.

    Raises:
        InputError: the file is missing, of no known format, or damaged.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a motion file")
    if not path.is_file():
        raise InputError(f"no such file: {path}")
    suffix = path.suffix.lower()
    with open(path, "rb") as file:
        start = file.read(512)
    rest = body.rest_joints(np.zeros(10))
    try:
        if start[:2] == b"PK" and suffix == ".npz":
            found, exact = read_npz(path, rest, caption)
        elif suffix == ".bvh" or b"HIERARCHY" in start.upper():
            found, exact = _read_bvh(path, body, caption, up)
        elif suffix == ".npy":
            found, exact = _read_npy(path, caption), False
        elif suffix == ".amc":
            found, exact = asf_amc.source_motion(path, caption), False
        elif suffix == ".npz":
            raise InputError(f"{path} is not a readable npz file; it is damaged or empty")
        else:
            raise InputError(f"{path} is of no known format; known are {KNOWN}")
        if isinstance(found, SmplMotion):
            return (found if exact else on_floor(found, body)), 0.0
        fit = retarget(found, rest)
        return on_floor(fit.motion, body), fit.error_m
    except (InputError, MotionError) as error:
        raise InputError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    except np.linalg.LinAlgError as error:
        raise InputError(f"{path} holds numbers beyond any body's; it cannot be fitted") from error


def _read_bvh(
    path: Path, body: Body, caption: str, up: str | None
) -> tuple[SmplMotion | SourceMotion, bool]:
    """A file that `write_bvh` wrote as it is; any other skeleton for retargeting."""
    bvh = read_bvh(path)
    own = smpl_motion(bvh, body, caption)
    if own is not None:
        return own, True
    joints, rotations = joints_in_world(bvh)
    rest = bvh.rest()
    turns = any(c.endswith("rotation") for channels in bvh.channels for c in channels)
    if not turns:  # a file of positions only
        mapping = match_joints(bvh.names, bvh.parents, joints @ TO_Z_UP[up or "y"].T)
        upright = joints @ TO_Z_UP[up or up_axis(joints, joints[0], mapping)].T
        return SourceMotion(upright, None, None, mapping, bvh.fps, caption), False
    mapping = match_joints(bvh.names, bvh.parents, joints @ TO_Z_UP[up or "y"].T)
    up = up or up_axis(joints, rest, mapping)
    return in_world(joints, rotations, rest, mapping, up, bvh.fps, caption), False


def rewrite_humanml3d(path: Path, ending: str) -> np.ndarray | None:
    """What a HumanML3D file holds, as `.npy` (features) or `.joints.npy`, without a body.

    Nothing is fitted, so that nothing is lost but the frame that features lack.

    Returns:
        the array of the other file, or None where a body is needed: another file or ending.

    Raises:
        InputError: the file is damaged.
    """
    if path.suffix.lower() != ".npy" or ending not in (".npy", ".joints.npy") or not path.is_file():
        return None
    values = read_npy(path)
    joints = _joints_in(path, values)
    if layout_of(joints.shape[1]) is not humanml3d.HUMANML3D:
        return None
    if ending == ".joints.npy":
        return joints
    return values if values.ndim == 2 else humanml3d.features(joints)


def _read_npy(path: Path, caption: str) -> SourceMotion:
    """Joints (T, 22 or 21, 3) or features (T, 263 or 251) of HumanML3D or KIT-ML."""
    joints = _joints_in(path, read_npy(path))
    return humanml3d.source_motion(joints, layout_of(joints.shape[1]), caption)


def _joints_in(path: Path, values: np.ndarray) -> np.ndarray:
    """Joints (T, J, 3), y up, that the numbers in a file are or stand for."""
    if values.ndim == 2:
        values = humanml3d.joints_of(values)
    if values.ndim != 3 or values.shape[2] != 3 or len(values) == 0:
        raise InputError(
            f"{path} has shape {values.shape}; HumanML3D has joints (T, 22, 3) or features (T, 263)"
        )
    if not np.isfinite(values).all():
        frame = int(np.flatnonzero(~np.isfinite(values).all(axis=(1, 2)))[0])
        raise InputError(f"{path} has NaN or infinity, first in frame {frame}; repair the clip")
    return values


def ending_of(path: Path) -> str:
    """Which of `ENDINGS` a path has.

    Raises:
        InputError: none.
    """
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return ending
    known = "; ".join(f"{ending} ({meaning})" for ending, meaning in ENDINGS.items())
    raise InputError(f"{path} has no ending that can be written; known are {known}")


def write_motion(motion: SmplMotion, path: Path, body: Body, up: str | None = None) -> None:
    """Write a motion in the format that the path's ending names, whole or not at all.

    Args:
        motion: T frames.
        path: the file.
        body: the body that the motion is for.
        up: "y" or "z", of BVH files; y by default. The other formats have one up axis each.

    Raises:
        InputError: the ending is unknown, or its format has another up axis.
    """
    path = Path(path)
    ending = ending_of(path)
    fixed = {".amass.npz": "z", ".npz": "z"}.get(ending, "y")
    if ending != ".bvh" and up not in (None, fixed):
        raise InputError(f"{ending} files are {fixed} up by definition, not {up}; leave --up out")
    rest = body.rest_joints(motion.betas)
    if ending == ".bvh":
        write_bvh(motion, path, body, up or "y")
    elif ending == ".glb":
        write_glb(motion, path, body)
    elif ending == ".amass.npz":
        _write_amass(motion, path)
    elif ending == ".npz":
        motion.save(path)
    else:
        joints = humanml3d.joints_of_motion(motion, rest)
        values = joints if ending == ".joints.npy" else humanml3d.features(joints)
        write_whole(path, lambda file: np.save(file, values.astype(np.float32)))


def _write_amass(motion: SmplMotion, path: Path) -> None:
    """SMPL-H layout: 52 joints, of which the fingers are straight."""
    poses = np.zeros((len(motion), 156))
    poses[:, :3] = motion.global_orient
    poses[:, 3:66] = motion.body_pose[:, :21].reshape(len(motion), -1)
    betas = np.zeros(16)
    betas[:10] = motion.betas
    arrays = {
        "poses": poses,
        "trans": motion.transl,
        "betas": betas,
        "gender": np.array("neutral"),
        "mocap_framerate": np.array(motion.fps),
    }
    write_whole(path, lambda file: np.savez_compressed(file, **arrays))


def on_floor(motion: SmplMotion, body: Body) -> SmplMotion:
    """The motion moved up or down so that the body's lowest points stand on z = 0."""
    skeleton = body.skeleton(motion.betas)
    pose = (motion.transl, motion.global_orient, motion.body_pose)
    surface = skeleton.surface(*forward_kinematics(skeleton.rest, *pose))
    return level(motion, surface[..., 2].min(axis=1))
