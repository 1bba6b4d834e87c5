"""Which horizontal path of the root makes the stance points stand still?

With p_c(t) the horizontal position of contact point c, w_c(t) its confidence and s a stance (one
unbroken contact of one point), the correction x(t) of the root's path minimises

    sum_s sum_{t in s} w_c(t) |p_c(t) + x(t) - q_s|^2
        + stiffness |D^2 x|^2 + tau^2 |x'|^2 + pull |x|^2

over x and the footprints q_s. The pull keeps the input's path where no contact speaks, and keeps
the noise of the stance points from adding up to a drift; tau^2 |x'|^2 keeps its speed where
only feet speak that land or push off. It is one sparse linear system.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from physics.smoothing import spells, stiffness_of, whittaker

TRUST_TIME = 0.02  # tau, s
STEP_PERIOD = 2.0  # s; within it, what the stillest points say counts for the others


def path_correction(
    points: np.ndarray, confidence: np.ndarray, fps: float, period: float, pull_time: float
) -> np.ndarray:
    """The correction x (T, 2), m, for contact points (T, C, 2) with confidence (T, C).

    Args:
        points: horizontal positions, m.
        confidence: (T, C), zero outside contacts.
        fps: Hz.
        period: time over which the correction is smooth, s.
        pull_time: about the duration of slip that is still corrected against the pull, s.
    """
    count = len(points)
    if count < 2 or not confidence.any():
        return np.zeros((count, 2))
    numbers = spells(confidence > 0)
    total = confidence.sum(axis=1, keepdims=True)
    weights = confidence / np.maximum(total, 1.0)
    frame, point = np.nonzero(numbers >= 0)
    stance, w = numbers[frame, point], weights[frame, point]
    stance_count = int(stance.max()) + 1
    size = count + stance_count
    rows = np.concatenate([frame, frame, count + stance, count + stance])
    columns = np.concatenate([frame, count + stance, frame, count + stance])
    system = coo_array((np.concatenate([w, -w, -w, w]), (rows, columns)), shape=(size, size))
    system = system.tocsc()
    if count > 2:
        middle = np.arange(1, count - 1)
        stencil = (np.repeat([1.0, -2.0, 1.0], count - 2), np.add.outer([-1, 0, 1], middle).ravel())
        rows = np.tile(middle - 1, 3)
        second = coo_array((stencil[0], (rows, stencil[1])), shape=(count - 2, size)).tocsc()
        system = system + stiffness_of(period, fps) * (second.T @ second)
    first = coo_array(
        (
            np.repeat([-1.0, 1.0], count - 1),
            (np.tile(np.arange(count - 1), 2), np.add.outer([0, 1], np.arange(count - 1)).ravel()),
        ),
        shape=(count - 1, size),
    ).tocsc()
    system = system + (TRUST_TIME * fps) ** 2 * (first.T @ first)
    pull = np.zeros(size)
    pull[:count] = (0.35 / pull_time) ** 2
    pull[count:] = 1e-12
    diagonal = np.arange(size)
    system = (system + coo_array((pull, (diagonal, diagonal)), shape=(size, size))).tocsc()
    right = np.zeros((size, 2))
    np.add.at(right, frame, -w[:, None] * points[frame, point])
    np.add.at(right, count + stance, w[:, None] * points[frame, point])
    return splu(system).solve(right)[:count]


def shrink_to_signal(
    path: np.ndarray,
    confidence: np.ndarray,
    noise: float,
    floor: float,
    fps: float,
    calm: float = 1.0,
) -> np.ndarray:
    """Scale the speed of a correction (T, 2) down where noise, or little slip, explains it.

    White noise of size `noise` m on a stance of n frames gives its slip speed the variance
    12 noise^2 fps^2 / n^3 per axis. The speed of the correction is scaled by the positive part of
    1 - 3 noise variance / mean square of the speed found in about a second (James and Stein,
    1961), and by that of 1 - (floor / speed found)^4; `floor` in m/s.
    `calm` stretches the times of noisy motion.
    """
    numbers = spells(confidence > 0)
    if len(path) < 2 or not (numbers >= 0).any():
        return path
    lengths = np.bincount(numbers[numbers >= 0])
    # Each frame counts with the longest stance it is in: that one says most about slip.
    longest = np.where(numbers >= 0, lengths[numbers], 0).max(axis=1)
    supported = longest > 1
    if not supported.any():
        return path
    expected = float(np.mean(2 * 12 * noise**2 * fps**2 / longest[supported] ** 3))
    speed = np.gradient(path, axis=0) * fps
    if len(path) > 2:
        speed = whittaker(speed, np.ones(len(path)), stiffness_of(0.8 * calm, fps))
    found = whittaker((speed**2).sum(axis=1), np.ones(len(path)), stiffness_of(1.5 * calm, fps))
    found = np.maximum(found, 1e-12)
    scale = np.maximum(1.0 - 3.0 * expected / found, 0.0)
    scale *= np.maximum(1.0 - (floor**2 / found) ** 2, 0.0)
    steps = np.diff(path, axis=0) * (0.5 * (scale[1:] + scale[:-1]))[:, None]
    return np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def footprints(points: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """For each frame and point in contact (T, C, D): the mean place of the stance it is in."""
    numbers = spells(confidence > 0)
    places = points.copy()
    frame, point = np.nonzero(numbers >= 0)
    if len(frame):
        stance, w = numbers[frame, point], confidence[frame, point]
        total = np.bincount(stance, w)
        for axis in range(points.shape[-1]):
            mean = np.bincount(stance, w * points[frame, point, axis]) / total
            places[frame, point, axis] = mean[stance]
    return places


def reweighted(weights: np.ndarray, errors: np.ndarray, fps: float) -> np.ndarray:
    """Weights (T, C) moved to the points and frames of small error (T, C), within about a step.

    An error of 1 takes three quarters of a weight; the sum over about a second stays what it was.
    """
    after = weights / (1.0 + errors**2) ** 2
    stiffness = stiffness_of(STEP_PERIOD, fps, 1)
    sums = [
        whittaker(some.sum(axis=1), np.ones(len(some)), stiffness, 1) for some in (weights, after)
    ]
    return after * (sums[0] / np.maximum(sums[1], 1e-9))[:, None]
