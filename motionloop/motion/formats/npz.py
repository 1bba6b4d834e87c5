"""Which of the npz formats a file is, by the arrays in it, and the motion that it holds."""

from pathlib import Path

import numpy as np

from motionloop.motion.formats.amass import read_amass
from motionloop.motion.formats.guard import opened_npz
from motionloop.motion.formats.kimodo import KIMODO, read_kimodo
from motionloop.motion.formats.rigid_bodies import PHC, PROTOMOTIONS, read_phc, read_protomotions
from motionloop.motion.retarget import SourceMotion
from motionloop.samples import InputError
from physics.motion import MotionError, SmplMotion

_OWN = {"transl", "global_orient", "body_pose"}


def read_npz(
    path: Path, rest: np.ndarray, caption: str = ""
) -> tuple[SmplMotion | SourceMotion, bool]:
    """The motion in an npz file; and whether the file is our own, written by `SmplMotion.save`.

    Args:
        path: an npz file of any known layout.
        rest: (24, 3) rest joints of the body that the motion is for, m.
        caption: for files that have none.

    Raises:
        InputError: the file is missing, damaged, too large, of no known layout, or holds NaN, no
            frames, or no frame rate where the layout has one.
    """
    try:
        with opened_npz(path) as arrays:
            if arrays.names >= _OWN:
                for name in _OWN:
                    arrays.check(name)
                return SmplMotion.load(path), True
            if arrays.names >= PROTOMOTIONS:
                return read_protomotions(arrays, rest, caption), False
            if arrays.names >= KIMODO:
                return read_kimodo(arrays, rest, caption), False
            if arrays.names >= PHC:
                return read_phc(arrays, caption), False
            return read_amass(arrays, caption), False
    except MotionError as error:
        raise InputError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
