"""Small motions with classes for the metrics to judge, made by formula."""

import numpy as np

from motionloop.motion.motions import Motions
from physics.motion import SmplMotion
from physics.skeleton import JOINT_NAMES, REST_TO_WORLD, axis_angles, rotation_matrices

FPS = 20.0
CLASSES = ("walk", "wave", "bow")
STYLES = ("slow", "quick")
PELVIS_HEIGHT = 0.93


def _turn(pose: np.ndarray, joint: str, axis: int, angle: np.ndarray) -> None:
    pose[:, JOINT_NAMES.index(joint) - 1, axis] = angle


def make_clip(rng: np.random.Generator, kind: str, style: str, frames: int = 40) -> SmplMotion:
    """A person who walks, waves or bows, in a random direction; sizes and phases vary."""
    time = np.arange(frames) / FPS
    phase = rng.uniform(0, 2 * np.pi) + 2 * np.pi * time * (0.7 if style == "slow" else 1.3)
    size = rng.uniform(0.7, 1.3)
    pose = 0.02 * rng.normal(size=(1, 23, 3)) * np.ones((frames, 1, 1))
    _turn(pose, "left_shoulder", 2, np.full(frames, -1.2))
    _turn(pose, "right_shoulder", 2, np.full(frames, 1.2))
    forward = np.zeros(frames)
    if kind == "walk":
        for side, sign in (("left", 1), ("right", -1)):
            _turn(pose, f"{side}_hip", 0, -0.4 * size * sign * np.sin(phase))
            _turn(pose, f"{side}_knee", 0, 0.3 * size * (1 + sign * np.cos(phase)))
        forward = time * (0.6 if style == "slow" else 1.2) * size
    elif kind == "wave":
        _turn(pose, "right_shoulder", 2, -0.8 + 0.0 * time)
        _turn(pose, "right_elbow", 2, 0.6 * size * np.sin(2 * phase))
    else:
        _turn(pose, "spine1", 0, 0.5 * size * (1 - np.cos(phase)))
    yaw = rng.uniform(-np.pi, np.pi)
    orient = np.tile([[0.0, 0.0, yaw]], (frames, 1))
    world = rotation_matrices(orient) @ REST_TO_WORLD
    ahead = np.array([np.sin(yaw), -np.cos(yaw), 0.0])  # the rest pose looks along -y
    rise = np.array([0.0, 0.0, PELVIS_HEIGHT + rng.normal() * 0.01])
    transl = forward[:, None] * ahead + rise + np.append(rng.normal(size=2), 0.0)
    return SmplMotion(transl, axis_angles(world), pose, np.zeros(10), FPS, f"{kind}, {style}")


def make_motions(rng: np.random.Generator, count: int, kinds=CLASSES, frames: int = 40) -> Motions:
    return Motions.pack(
        [
            make_clip(rng, kinds[n % len(kinds)], STYLES[(n // len(kinds)) % 2], frames)
            for n in range(count)
        ]
    )
