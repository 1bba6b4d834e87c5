"""How curves over time are smoothed: penalised least squares, envelopes, and the noise level.

The smoother is Whittaker's: given values y with weights w it returns the x that minimises

    sum_t w_t (x_t - y_t)^2 + stiffness * sum_t (D^order x)_t^2,

where D is the difference from frame to frame. The system is banded, so that a clip of T frames
costs O(T), clips of one frame need no special case, and frames of weight zero are bridged.
Whittaker, On a New Method of Graduation (1923); Eilers, A Perfect Smoother (2003).
"""

from functools import lru_cache
from math import comb, sqrt

import numpy as np
from scipy.linalg import solveh_banded
from scipy.ndimage import maximum_filter1d


@lru_cache(maxsize=64)
def _difference_penalty(count: int, order: int) -> np.ndarray:
    """Upper diagonals (order + 1, T) of D'D for differences of an order."""
    stencil = np.array([(-1) ** k * comb(order, k) for k in range(order + 1)], dtype=float)
    bands = np.zeros((order + 1, count))
    rows = count - order
    for offset in range(order + 1):
        for k in range(order + 1 - offset):
            column = k + offset
            bands[order - offset, column : column + rows] += stencil[k] * stencil[column]
    bands.flags.writeable = False
    return bands


def whittaker(
    values: np.ndarray, weights: np.ndarray, stiffness: float, order: int = 2
) -> np.ndarray:
    """Smooth values (T, ...) with weights (T,) >= 0; clips shorter than the order use a lower one.

    Frames where the data and the penalty decide nothing stay finite: a tiny weight pulls to zero.
    """
    count = len(values)
    order = min(order, count - 1)
    flat = values.reshape(count, -1)
    bands = (
        np.zeros((order + 1, count))
        if order == 0
        else _difference_penalty(count, order) * stiffness
    )
    floor = 1e-9 * max(1.0, float(weights.max(initial=0.0)))
    bands[-1] += weights + floor
    solved = solveh_banded(bands, flat * weights[:, None], check_finite=False)
    return solved.reshape(values.shape)


def stiffness_of(period: float, fps: float, order: int = 2) -> float:
    """The stiffness that halves the amplitude of a wave of `period` seconds at unit weights."""
    omega = min(np.pi / (period * fps), np.pi / 2)
    return float((2 * np.sin(omega)) ** (-2 * order))


def smooth_by_cross_validation(values: np.ndarray, fps: float, order: int = 3) -> np.ndarray:
    """Smooth noisy curves (T, G, D), each of the G groups as much as its own noise asks for.

    The stiffness of a group minimises the generalised cross-validation score

        mean squared residual / (1 - tr H / T)^2,   H the smoother's matrix,

    where the trace is taken from the eigenvalues of a periodic curve. Craven and Wahba (1979).
    """
    count = len(values)
    if count <= order:
        return values
    frequencies = (2 * np.sin(np.pi * (np.arange(count) + 0.5) / (2 * count))) ** (2 * order)
    ones = np.ones(count)
    best = values
    lowest = np.full(values.shape[1], np.inf)
    for period in np.geomspace(2.2 / fps, 1.5, 14):
        stiffness = stiffness_of(float(period), fps, order)
        smooth = whittaker(values, ones, stiffness, order)
        freedom = (order + (1.0 / (1.0 + stiffness * frequencies)).sum()) / (count + order)
        score = ((values - smooth) ** 2).mean(axis=(0, 2)) / (1.0 - freedom) ** 2
        better = score < lowest
        best = np.where(better[:, None], smooth, best)
        lowest = np.where(better, score, lowest)
    return best


def upper_envelope(need: np.ndarray, half_width: int) -> np.ndarray:
    """A smooth curve (T,) that is nowhere below `need` (T,): its running maximum, averaged.

    The maximum is taken over +-2 `half_width` frames and averaged twice over +-`half_width`, so
    that every averaged value is a maximum over a window that holds the frame itself.
    """
    if half_width < 1 or not need.any():
        return need.copy()
    curve = maximum_filter1d(need, 4 * half_width + 1, mode="nearest")
    box = np.full(2 * half_width + 1, 1.0 / (2 * half_width + 1))
    for _ in range(2):
        curve = np.convolve(np.pad(curve, half_width, mode="edge"), box, mode="valid")
    return np.maximum(curve, need)


def spells(flags: np.ndarray) -> np.ndarray:
    """Number, from 0, of the unbroken run in time that each true flag (T, C) is in; -1 if false."""
    begins = flags.copy()
    begins[1:] &= ~flags[:-1]
    numbers = np.cumsum(begins.T.reshape(-1)).reshape(flags.T.shape).T - 1
    return np.where(flags, numbers, -1)


def noise_level(values: np.ndarray) -> float:
    """Standard deviation of the white noise in curves (T, ...), from their fourth differences.

    Motion is smooth at most times and noise is there at all times, so a low quantile over time
    of the differences is used. Clips under 12 frames are said to be without noise.
    """
    if len(values) < 12:
        return 0.0
    fourth = np.diff(values.reshape(len(values), -1), n=4, axis=0) / sqrt(70.0)
    power = (fourth**2).mean(axis=1)
    # The 0.3 quantile of a power of D degrees of freedom lies a little under its mean.
    return float(np.sqrt(np.quantile(power, 0.3)))
