"""Motion files of every known format, as SMPL motions in a z-up world with the floor at z = 0."""

from pathlib import Path

import numpy as np

from motionloop.motion.body import Body
from motionloop.motion.floor import level
from motionloop.motion.formats.amass import load_npz
from motionloop.motion.formats.bvh import joints_in_world, read_bvh
from motionloop.motion.formats.joint_names import match_joints
from motionloop.motion.formats.world import TO_Z_UP, in_world, up_axis
from motionloop.motion.retarget import Fit, retarget
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import forward_kinematics

SUFFIXES = (".npz", ".bvh")
KNOWN = "motionloop's own .npz, AMASS .npz (SMPL-H or SMPL-X), .bvh (any skeleton)"


def load_motion(path: Path, body: Body) -> SmplMotion:
    """The motion in a file of any known format.

    Our own files are given as they are; others are levelled, so that the feet stand on z = 0.

    Raises:
        InputError: the file is missing, of no known format, or damaged.
    """
    return read_motion(path, body)[0]


def read_motion(path: Path, body: Body, caption: str = "") -> tuple[SmplMotion, float]:
    """The motion in a file, and its mean joint fitting error in m (0 where nothing is fitted).

    Args:
        path: the file.
        body: the body that the motion is for.
        caption: for files that have none.

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
    if start[:2] == b"PK" and suffix == ".npz":
        motion, own = load_npz(path, caption)
        return (motion if own else on_floor(motion, body)), 0.0
    if suffix == ".bvh" or b"HIERARCHY" in start.upper():
        fit = fit_bvh(path, body, caption)
        return on_floor(fit.motion, body), fit.error_m
    if suffix == ".npz":
        raise InputError(f"{path} is not a readable npz file; it is damaged or empty")
    raise InputError(f"{path} is of no known format; known are {KNOWN}")


def fit_bvh(path: Path, body: Body, caption: str = "") -> Fit:
    """The SMPL motion fitted to a BVH file, not yet levelled.

    Raises:
        InputError: see `read_bvh` and `match_joints`.
    """
    bvh = read_bvh(path)
    joints, rotations = joints_in_world(bvh)
    rest = bvh.rest()
    try:
        mapping = match_joints(bvh.names, bvh.parents, joints @ TO_Z_UP["y"].T)
        up = up_axis(joints, rest, mapping)
        source = in_world(joints, rotations, rest, mapping, up, bvh.fps, caption)
        return retarget(source, body.rest_joints(np.zeros(10)))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def on_floor(motion: SmplMotion, body: Body) -> SmplMotion:
    """The motion moved up or down so that the body's lowest points stand on z = 0."""
    skeleton = body.skeleton(motion.betas)
    pose = (motion.transl, motion.global_orient, motion.body_pose)
    surface = skeleton.surface(*forward_kinematics(skeleton.rest, *pose))
    return level(motion, surface[..., 2].min(axis=1))
