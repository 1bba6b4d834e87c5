"""DeepMimic's text clips of its humanoid, as shipped with pybullet: reading, looping, joints.

Peng et al., DeepMimic: Example-Guided Deep Reinforcement Learning of Physics-Based Character
Skills (2018). A frame is 44 numbers: duration, root position (3), root quaternion w x y z, then
the joints of `_JOINTS` in order, a quaternion each, knees and elbows one angle about z. The
world is y up, the character looks along x and its right is z.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from motionloop.motion.formats.world import in_world
from motionloop.motion.retarget import SourceMotion
from motionloop.samples import InputError

# SMPL's name, degrees of freedom (4: quaternion, 1: angle about z), parent, offset in the
# humanoid's file in quarters of a metre. Wrists and toes carry no numbers; the toes stand for
# the front edge of the foot's box.
_JOINTS = (
    ("pelvis", 4, "", (0.0, 0.0, 0.0)),
    ("spine3", 4, "pelvis", (0.0, 0.944604, 0.0)),
    ("neck", 4, "spine3", (0.0, 0.895576, 0.0)),
    ("right_hip", 4, "pelvis", (0.0, 0.0, 0.339548)),
    ("right_knee", 1, "right_hip", (0.0, -1.686184, 0.0)),
    ("right_ankle", 4, "right_knee", (0.0, -1.639480, 0.0)),
    ("right_shoulder", 4, "spine3", (-0.0962, 0.974, 0.73244)),
    ("right_elbow", 1, "right_shoulder", (0.0, -1.099152, 0.0)),
    ("left_hip", 4, "pelvis", (0.0, 0.0, -0.339548)),
    ("left_knee", 1, "left_hip", (0.0, -1.686184, 0.0)),
    ("left_ankle", 4, "left_knee", (0.0, -1.639480, 0.0)),
    ("left_shoulder", 4, "spine3", (-0.0962, 0.974, -0.73244)),
    ("left_elbow", 1, "left_shoulder", (0.0, -1.099152, 0.0)),
    ("right_wrist", 0, "right_elbow", (0.0, -1.035788, 0.0)),
    ("left_wrist", 0, "left_elbow", (0.0, -1.035788, 0.0)),
    ("right_foot", 0, "right_ankle", (0.534, -0.2, 0.0)),
    ("left_foot", 0, "left_ankle", (0.534, -0.2, 0.0)),
)
# The humanoid's collision shapes in the same unit: spheres at points, for capsules at both ends.
_BALLS = (
    ("pelvis", (0.0, 0.28, 0.0), 0.36), ("spine3", (0.0, 0.48, 0.0), 0.44),
    ("neck", (0.0, 0.7, 0.0), 0.41),
    *((f"{side}_{joint}", (0.0, y, 0.0), radius)
      for side in ("left", "right")
      for joint, y, radius in (
          ("hip", -0.24, 0.22), ("hip", -1.44, 0.22), ("knee", -0.18, 0.2), ("knee", -1.42, 0.2),
          ("shoulder", -0.2, 0.18), ("shoulder", -0.92, 0.18), ("elbow", -0.21, 0.16),
          ("elbow", -0.75, 0.16), ("wrist", 0.0, 0.16))),
    *((f"{side}_ankle", (x, -0.2, z), 0.0)
      for side in ("left", "right") for x in (-0.174, 0.534) for z in (-0.18, 0.18)),
)  # fmt: skip
_UNIT_M = 0.25
_NUMBERS = 44


@dataclass(frozen=True)
class DeepMimicClip:
    """A clip as the file has it.

    Attributes:
        times: (T,) s, from 0.
        root: (T, 3) root position, m, y up.
        turns: (T, J, 4) local rotations of `_JOINTS`, quaternions x y z w.
        loops: whether the last frame is the first of the next cycle.
    """

    times: np.ndarray
    root: np.ndarray
    turns: np.ndarray
    loops: bool


def read_deepmimic(path: Path) -> DeepMimicClip:
    """Read a clip.

    Raises:
        InputError: the file is missing, is not such JSON, or its frames do not hold 44 numbers
            (the quadruped's clips do not).
    """
    try:
        content = json.loads(Path(path).read_text())
        frames = np.array(content["Frames"], dtype=np.float64)
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a DeepMimic clip: {error}") from error
    if frames.ndim != 2 or len(frames) == 0 or frames.shape[1] != _NUMBERS:
        raise InputError(f"{path} has frames of shape {frames.shape}, not (T, {_NUMBERS})")
    turns = np.zeros((len(frames), len(_JOINTS), 4))
    turns[..., 3] = 1.0
    column = 4
    for j, (_, freedom, _, _) in enumerate(_JOINTS):
        if freedom == 4:
            turns[:, j] = frames[:, [column + 1, column + 2, column + 3, column]]
        elif freedom == 1:
            half = 0.5 * frames[:, column]
            turns[:, j, 2], turns[:, j, 3] = np.sin(half), np.cos(half)
        column += freedom
    times = np.concatenate([[0.0], np.cumsum(frames[:-1, 0])])
    return DeepMimicClip(times, frames[:, 1:4], turns, content.get("Loop") == "wrap")


def unrolled(clip: DeepMimicClip, seconds: float, fps: float, settle: float = 0.25):
    """Positions and local rotations at a fixed rate; a looping clip goes on for `seconds`.

    A cycle begins where the one before ended and in the heading in which it ended: its root is
    moved by the turn about the vertical and the way over the ground from first to last frame.
    Where the last pose is not quite the first, the difference fades out over `settle` seconds.
    Clips that do not loop keep their length.

    Args:
        clip: the file's frames.
        seconds: least length of a looping clip, s; whole cycles are appended.
        fps: Hz.
        settle: s.

    Returns:
        root (N, 3) m and turns (N, J, 3, 3).
    """
    period = clip.times[-1]
    cycles = max(1, int(np.ceil(seconds / period - 1e-6))) if clip.loops else 1
    times = np.arange(int(np.floor(cycles * period * fps + 1e-6)) + 1) / fps
    cycle = np.minimum((times / period).astype(int), cycles - 1)
    phase = np.clip(times - cycle * period, 0.0, period)
    root = np.stack([np.interp(phase, clip.times, axis) for axis in clip.root.T], axis=1)
    turns = np.stack(
        [
            Slerp(clip.times, Rotation.from_quat(clip.turns[:, j]))(phase).as_matrix()
            for j in range(len(_JOINTS))
        ],
        axis=1,
    )
    first, last = (Rotation.from_quat(clip.turns[k]).as_matrix() for k in (0, -1))
    heading = _heading(last[0]) @ _heading(first[0]).T
    seam = np.swapaxes(first, 1, 2) @ last  # what the next cycle's first pose lacks
    seam[0] = (heading @ first[0]).T @ last[0]
    gap = Rotation.from_matrix(seam).as_rotvec()
    drop = clip.root[-1, 1] - clip.root[0, 1]
    onward, placed = np.eye(3), np.zeros(3)
    for n in range(cycles):
        rows = cycle == n
        if n:
            moved = clip.root[-1] - heading @ clip.root[0]
            placed = placed + onward @ (moved * [1.0, 0.0, 1.0])
            onward = onward @ heading
            left = 0.5 + 0.5 * np.cos(np.pi * np.minimum(phase[rows] / settle, 1.0))
            fade = Rotation.from_rotvec((left[:, None, None] * gap).reshape(-1, 3)).as_matrix()
            turns[rows] = turns[rows] @ fade.reshape(-1, *gap.shape, 3)
            root[rows, 1] += left * drop
        root[rows] = root[rows] @ onward.T + placed
        turns[rows, 0] = onward @ turns[rows, 0]
    return root, turns


def _heading(rotation: np.ndarray) -> np.ndarray:
    """The part of a rotation (3, 3) that turns about the vertical, y."""
    x, _, z = rotation @ [1.0, 0.0, 0.0]
    return Rotation.from_euler("y", np.arctan2(-z, x)).as_matrix()


def source_motion(root: np.ndarray, turns: np.ndarray, fps: float, caption: str) -> SourceMotion:
    """The humanoid's joints in a z-up world, from root (N, 3) and local turns (N, J, 3, 3)."""
    names = [name for name, *_ in _JOINTS]
    rest = np.zeros((len(names), 3))
    joints = np.empty((len(root), len(names), 3))
    rotations = turns.copy()
    joints[:, 0] = root
    for j, (_, _, parent, offset) in enumerate(_JOINTS[1:], start=1):
        p = names.index(parent)
        step = np.multiply(offset, _UNIT_M)
        rest[j] = rest[p] + step
        joints[:, j] = joints[:, p] + rotations[:, p] @ step
        rotations[:, j] = rotations[:, p] @ turns[:, j]
    mapping = {name: j for j, name in enumerate(names)}
    return in_world(joints, rotations, rest, mapping, "y", fps, caption)


def lowest_point(source: SourceMotion) -> np.ndarray:
    """Height (N,) of the lowest point of the humanoid's collision shapes, m."""
    rotations_w = source.rotations_w
    assert rotations_w is not None  # `source_motion` gives them
    heights = []
    for name, offset, radius in _BALLS:
        j = source.mapping[name]
        centre = source.joints[:, j] + rotations_w[:, j] @ np.multiply(offset, _UNIT_M)
        heights.append(centre[:, 2] - radius * _UNIT_M)
    return np.min(heights, axis=0)
