"""Features: motions as vectors for a diffusion model, and back; the one place that packs them.

A frame is 152 numbers: the root's height (m), the root's planar velocity along the heading's axes
(m/s), the yaw rate (rad/s), the orientations of the 24 joints relative to the heading in 6D, and
4 foot contacts (0 or 1). Place and heading of the first frame are forgotten, so a decoded clip
starts with its pelvis over the origin and its heading along -y.

Orientations are relative to the heading and not to the parent joint, because errors then do not
add up along a limb: with the same training, joints of generated motion jerk and feet slide less.

The heading is the angle that brings the standing body, `REST_TO_WORLD`, closest to the root's
orientation by a turn about z (the twist of the swing-twist decomposition). It is defined when the
body lies on its front, back or side, and only not when it hangs upside down.

Velocities look forward: frame t holds what leads to frame t + 1. The last frame leads nowhere; it
repeats its neighbour's, which `decode` does not read, so that the round trip is exact.
6D rotations: Zhou et al., On the Continuity of Rotation Representations (2019).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from physics.skeleton import (
    JOINT_COUNT,
    JOINT_NAMES,
    PARENTS,
    REST_TO_WORLD,
    axis_angles,
    forward_kinematics,
    rotation_matrices,
)

HEIGHT = slice(0, 1)
VELOCITY = slice(1, 3)
YAW_RATE = slice(3, 4)
ROTATIONS = slice(4, 4 + 6 * JOINT_COUNT)
CONTACT_JOINTS = tuple(
    JOINT_NAMES.index(name) for name in ("left_ankle", "right_ankle", "left_foot", "right_foot")
)
CONTACTS = slice(ROTATIONS.stop, ROTATIONS.stop + len(CONTACT_JOINTS))
FEATURES = CONTACTS.stop
# A foot joint is in contact when it is no higher above the floor than this over its height in
# the rest pose, and no faster.
CONTACT_HEIGHT = 0.05  # m
CONTACT_SPEED = 0.4  # m/s
SOLE = 0.02  # m, from the lowest foot joint down to the floor


def encode(motions: Motions, rest: np.ndarray) -> np.ndarray:
    """Features (N, T, 152) of motions, for a body whose rest joints are `rest` (24, 3), m.

    Frames from a clip's length on hold nothing of use.
    """
    poses = np.concatenate([motions.global_orient[:, :, None], motions.body_pose], axis=2)
    rotations = rotation_matrices(poses.astype(np.float64))  # (N, T, 24, 3, 3), of the parent
    yaw = heading(rotations[:, :, 0])
    upright = turns(-yaw)
    rotations[:, :, 0] = upright @ rotations[:, :, 0]
    for j in range(1, JOINT_COUNT):  # from here on of the heading
        rotations[:, :, j] = rotations[:, :, PARENTS[j]] @ rotations[:, :, j]
    position = rest[0] + motions.transl
    fps = motions.fps[:, None]

    step = np.zeros_like(position)
    step[:, :-1] = np.diff(position, axis=1)
    turn = np.zeros_like(yaw)
    turn[:, :-1] = (np.diff(yaw, axis=1) + np.pi) % (2 * np.pi) - np.pi

    features = np.empty((*yaw.shape, FEATURES))
    features[..., HEIGHT] = position[..., 2:]
    features[..., VELOCITY] = (upright @ step[..., None])[..., :2, 0] * fps[..., None]
    features[..., YAW_RATE] = (turn * fps)[..., None]
    for column in (VELOCITY, YAW_RATE):
        _repeat_before_last(features[..., column], motions.length)
    features[..., ROTATIONS] = to_6d(rotations).reshape(*yaw.shape, -1)
    features[..., CONTACTS] = foot_contacts(motions, rest)
    return features


def decode(
    features: np.ndarray,
    rest: np.ndarray,
    length: np.ndarray,
    fps: float,
    caption: np.ndarray,
    betas: np.ndarray | None = None,
) -> Motions:
    """Motions from features, with their rotations made orthonormal; contacts are not read.

    Args:
        features: (N, T, 152).
        rest: (24, 3) rest joints, m.
        length: (N,) frames that count; later frames repeat the last of them.
        fps: Hz.
        caption: (N,) str.
        betas: (10,) shape of all bodies; zeros by default.
    """
    count, frames, _ = features.shape
    features = features.astype(np.float64)
    yaw = _sum_before(features[..., YAW_RATE] / fps)[..., 0]
    headings = turns(yaw)
    velocity = np.concatenate([features[..., VELOCITY], np.zeros((count, frames, 1))], axis=-1)
    position = _sum_before((headings @ velocity[..., None])[..., 0] / fps)
    position[..., 2:] = features[..., HEIGHT]
    rotations = from_6d(features[..., ROTATIONS].reshape(count, frames, JOINT_COUNT, 6))
    local = rotations[:, :, PARENTS].swapaxes(-1, -2) @ rotations
    local[:, :, 0] = headings @ rotations[:, :, 0]
    poses = axis_angles(local)

    rows = np.arange(count)[:, None]
    shown = np.minimum(np.arange(frames), np.asarray(length)[:, None] - 1)
    return Motions(
        transl=(position - rest[0])[rows, shown].astype(np.float32),
        global_orient=poses[rows, shown, 0].astype(np.float32),
        body_pose=poses[rows, shown, 1:].astype(np.float32),
        betas=np.tile(np.zeros(10) if betas is None else betas, (count, 1)).astype(np.float32),
        length=np.asarray(length, np.int64),
        fps=np.full(count, fps, np.float64),
        caption=np.asarray(caption, dtype=np.str_),
        index=np.arange(count),
    )


def heading(orientation: np.ndarray) -> np.ndarray:
    """Yaw (...), rad, of root orientations (..., 3, 3); 0 is the standing body facing -y."""
    turned = orientation @ REST_TO_WORLD.T
    return np.arctan2(turned[..., 1, 0] - turned[..., 0, 1], turned[..., 0, 0] + turned[..., 1, 1])


def turns(yaw: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) by yaw (...), rad, about z."""
    matrices = np.zeros((*yaw.shape, 3, 3))
    matrices[..., 0, 0] = matrices[..., 1, 1] = np.cos(yaw)
    matrices[..., 1, 0] = np.sin(yaw)
    matrices[..., 0, 1] = -matrices[..., 1, 0]
    matrices[..., 2, 2] = 1
    return matrices


def to_6d(rotations: np.ndarray) -> np.ndarray:
    """The first two columns (..., 6) of rotation matrices (..., 3, 3)."""
    return np.concatenate([rotations[..., 0], rotations[..., 1]], axis=-1)


def from_6d(six: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) from any numbers (..., 6), by Gram-Schmidt.

    Columns that vanish or are parallel are replaced, so that the result is always a rotation.
    """
    x_axis = np.array([1.0, 0.0, 0.0])
    first, second = six[..., :3], six[..., 3:]
    length = np.linalg.norm(first, axis=-1, keepdims=True)
    first = np.where(length > 1e-6, first / np.maximum(length, 1e-6), x_axis)
    second = second - (first * second).sum(-1, keepdims=True) * first
    length = np.linalg.norm(second, axis=-1, keepdims=True)
    # The axis along which `first` is smallest is never parallel to it.
    other = np.cross(first, np.eye(3)[np.abs(first).argmin(-1)])
    other /= np.linalg.norm(other, axis=-1, keepdims=True)
    second = np.where(length > 1e-6, second / np.maximum(length, 1e-6), other)
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def foot_contacts(motions: Motions, rest: np.ndarray) -> np.ndarray:
    """1.0 where a joint of `CONTACT_JOINTS` is low and slow, else 0.0: (N, T, 4).

    The speed of a frame is that towards the next one; the last frame repeats its neighbour's.
    """
    count, frames = motions.transl.shape[:2]
    joints, _ = forward_kinematics(
        rest,
        motions.transl.reshape(-1, 3),
        motions.global_orient.reshape(-1, 3),
        motions.body_pose.reshape(-1, JOINT_COUNT - 1, 3),
    )
    feet = joints[:, CONTACT_JOINTS].reshape(count, frames, -1, 3)
    step = np.zeros(feet.shape[:3])
    step[:, :-1] = np.linalg.norm(np.diff(feet, axis=1), axis=-1)
    _repeat_before_last(step, motions.length)
    resting = rest[list(CONTACT_JOINTS), 1]
    low = feet[..., 2] < resting - resting.min() + SOLE + CONTACT_HEIGHT
    slow = step * motions.fps[:, None, None] < CONTACT_SPEED
    return (low & slow).astype(np.float64)


@dataclass(frozen=True)
class FeatureScaling:
    """Brings features to zero mean, and each group of them to one common standard deviation.

    A group is a joint's rotation, the velocity, the contacts, the height or the yaw rate. Groups
    keep the axes of a rotation comparable; a floor keeps joints that hardly move from counting
    as much as those that do.

    Attributes:
        mean: (152,).
        std: (152,) equal within a group.
    """

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray, length: np.ndarray) -> Self:
        """The scaling of features (N, T, 152), of which `length` (N,) frames count.

        Raises:
            InputError: there is no clip.
        """
        if len(features) == 0:
            raise InputError("no clips to fit the feature scaling on; give at least one")
        valid = features[np.arange(features.shape[1]) < np.asarray(length)[:, None]]
        mean, variance = valid.mean(0), valid.var(0)
        std = np.empty_like(mean)
        for group, floor in _GROUPS:
            std[group] = max(np.sqrt(variance[group].mean()), floor)
        return cls(mean, std)

    def apply(self, features: np.ndarray) -> np.ndarray:
        """Scaled features, of the same shape."""
        return (features - self.mean) / self.std

    def invert(self, scaled: np.ndarray) -> np.ndarray:
        """Features from scaled ones."""
        return scaled * self.std + self.mean


# Groups and the least standard deviation of each: m, m/s, rad/s, (rotations, contacts) no unit.
_GROUPS = (
    (HEIGHT, 0.02),
    (VELOCITY, 0.05),
    (YAW_RATE, 0.1),
    *((slice(start, start + 6), 0.05) for start in range(ROTATIONS.start, ROTATIONS.stop, 6)),
    (CONTACTS, 0.1),
)


def _sum_before(steps: np.ndarray) -> np.ndarray:
    """The sum of all earlier steps along the frames (N, T, ...); zero at frame 0."""
    total = np.zeros_like(steps)
    np.cumsum(steps[:, :-1], axis=1, out=total[:, 1:])
    return total


def _repeat_before_last(steps: np.ndarray, length: np.ndarray) -> None:
    """Give each clip's last frame (N, T, ...) the step of the frame before it, in place."""
    rows = np.flatnonzero(length > 1)
    last = length[rows] - 1
    steps[rows, last] = steps[rows, last - 1]
