"""What a tracker follows: positions, velocities and smooth accelerations at the control rate.

Positions are cubic splines through the frames (quaternions component by component with signs
aligned, then normalised), smoothed by a Gaussian; velocities and accelerations are central
differences. The acceleration is smoothed more than the position, because whatever part of it
the floor cannot deliver has to come from assistance or becomes error.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from physics.humanoid import Humanoid
from physics.motion import SmplMotion

GRAVITY = 9.81  # m/s^2


@dataclass(frozen=True)
class Reference:
    """A reference of K + 1 control times, `step` s apart, the first at frame 0.

    Attributes:
        step: time between two control times, s.
        qpos: (K + 1, 99).
        qvel: (K + 1, 75).
        qacc: (K + 1, 75).
        smoothing: Gaussian smoothing of accelerations, s.
        begin: time of its first row in the clip, s.
    """

    step: float
    qpos: np.ndarray
    qvel: np.ndarray
    qacc: np.ndarray
    smoothing: float
    begin: float = 0.0

    def between(self, first: int, last: int) -> Self:
        """The reference of the control steps from `first` to `last`."""
        rows = slice(first, last + 1)
        columns = {name: getattr(self, name)[rows] for name in ("qpos", "qvel", "qacc")}
        return replace(self, **columns, begin=self.begin + first * self.step)

    def acceleration_of(self, velocity: np.ndarray) -> np.ndarray:
        """The acceleration of a velocity (K + 1, ...), smoothed as `qacc` is."""
        return smooth_rate(velocity, self.step, self.smoothing)

    def __len__(self) -> int:
        return len(self.qpos) - 1


def control_count(motion: SmplMotion, step: float) -> int:
    """Control steps that cover a motion."""
    return int(np.ceil(motion.duration / step - 1e-6))


def plan_reference(
    humanoid: Humanoid,
    motion: SmplMotion,
    step: float,
    position_sigma: float = 0.012,
    acceleration_sigma: float = 0.04,
) -> Reference:
    """The reference of a motion at control times `step` s apart.

    Args:
        humanoid: the body.
        motion: at any frame rate, at least two frames.
        step: s.
        position_sigma: standard deviation of the Gaussian that smooths positions, s.
        acceleration_sigma: the same for accelerations, s.
    """
    count = control_count(motion, step)
    times = np.arange(count + 1) * step
    qpos = sample_qpos(humanoid, humanoid.to_qpos(motion), 1 / motion.fps, times)
    qpos = _smooth_positions(humanoid, qpos, position_sigma / step)
    qvel = humanoid.velocities(qpos, step)
    qacc = smooth_rate(qvel, step, acceleration_sigma)
    return Reference(step, qpos, qvel, qacc, acceleration_sigma)


def smooth_rate(values: np.ndarray, step: float, sigma: float) -> np.ndarray:
    """The rate of change of values (T, ...), `step` s apart, smoothed by a Gaussian of sigma s."""
    if len(values) < 2:
        return np.zeros_like(values)
    return gaussian_filter1d(
        np.gradient(values, step, axis=0), sigma / step, axis=0, mode="nearest"
    )


def sample_qpos(humanoid: Humanoid, qpos: np.ndarray, step: float, times: np.ndarray) -> np.ndarray:
    """Positions at `times` (K,), s, of positions (T, nq) that are `step` s apart."""
    knots = np.arange(len(qpos)) * step
    aligned = _align_signs(humanoid, qpos)
    times = np.clip(times, 0, knots[-1])
    if len(qpos) < 3:
        sampled = np.stack([np.interp(times, knots, column) for column in aligned.T], axis=1)
    else:
        sampled = CubicSpline(knots, aligned, bc_type="natural")(times)
    return _normalise(humanoid, sampled)


def _align_signs(humanoid: Humanoid, qpos: np.ndarray) -> np.ndarray:
    """The same rotations, with quaternions that do not jump between antipodes."""
    columns = humanoid.quaternion[:, None] + np.arange(4)
    quaternions = qpos[:, columns]
    agreement = (quaternions[1:] * quaternions[:-1]).sum(-1)
    signs = np.cumprod(np.where(agreement < 0, -1.0, 1.0), axis=0)
    out = qpos.copy()
    out[1:, columns] = quaternions[1:] * signs[..., None]
    return out


def _normalise(humanoid: Humanoid, qpos: np.ndarray) -> np.ndarray:
    columns = humanoid.quaternion[:, None] + np.arange(4)
    quaternions = qpos[:, columns]
    qpos[:, columns] = quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)
    return qpos


def _smooth_positions(humanoid: Humanoid, qpos: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing that keeps both ends and their velocity (odd reflection)."""
    pad = min(int(4 * sigma), len(qpos) - 1)
    if pad < 1:
        return qpos
    aligned = _align_signs(humanoid, qpos)
    head = 2 * aligned[0] - aligned[pad:0:-1]
    tail = 2 * aligned[-1] - aligned[-2 : -pad - 2 : -1]
    smooth = gaussian_filter1d(np.concatenate([head, aligned, tail]), sigma, axis=0, mode="nearest")
    return _normalise(humanoid, smooth[pad : pad + len(qpos)])
