"""How much does each sample add to the Frechet distance: its value with the sample, less without.

    contribution_i = d^2(x, y) - d^2(x without x_i, y)

The moments without one row follow from those of all rows, so that N distances cost N small
matrix roots and no second pass over the data.
"""

import numpy as np

from motionloop.metrics.checks import checked
from motionloop.metrics.distribution import frechet_distance_of_moments, moments
from motionloop.samples import InputError

_AT_ONCE = 256  # distances in one call: 256 covariances of 32 features take 2 MB


def frechet_contributions(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The contribution (N,) of each row of features (N, D) to the distance to features (M, D).

    A positive one makes the distance larger. They do not add up to the distance.

    Raises:
        InputError: fewer than three rows in `x` or two in `y`, other than two axes, or NaN.
    """
    x = checked(x)
    count = len(x)
    if count < 3:
        raise InputError(f"a covariance without one sample needs 3 samples, got {count}")
    mean, covariance = moments(x)
    reference = moments(y)
    whole = frechet_distance_of_moments(mean, covariance, *reference)
    parts = []
    for start in range(0, count, _AT_ONCE):
        away = x[start : start + _AT_ONCE] - mean
        means = mean - away / (count - 1)
        outer = away[:, :, None] * away[:, None, :] * (count / (count - 1))
        covariances = ((count - 1) * covariance - outer) / (count - 2)
        parts.append(whole - frechet_distance_of_moments(means, covariances, *reference))
    return np.concatenate(parts)
