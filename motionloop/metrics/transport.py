"""Wasserstein-2 distance between two sets of samples: exact, or averaged over directions.

    W2^2 = min over plans P of sum_ij P_ij |x_i - y_j|^2            exact, by POT's network simplex
    SW2^2 = mean over unit vectors u of W2^2(x . u, y . u)          sliced, for large sets

The exact distance between two draws of one law is not zero but falls with their size: compare it
with the row of the real data. Bonneel et al., Sliced and Radon Wasserstein Barycenters (2015).
"""

import numpy as np

from motionloop.metrics.checks import checked
from motionloop.samples import InputError


def sample_w2(x: np.ndarray, y: np.ndarray) -> float:
    """Exact W2 distance (not squared) between samples (N, D) and (M, D), each of weight 1/N, 1/M.

    Time grows as about N^2.5: 0.2 s for 1000 on each side.

    Raises:
        InputError: an empty set, other than two axes, or NaN.
    """
    import ot  # here: costs half a second to import

    x, y = _both(x, y)
    squared = np.asarray(ot.emd2([], [], ot.dist(x, y), numItermax=10_000_000))
    return float(np.sqrt(max(squared.item(), 0.0)))


def sliced_w2(
    x: np.ndarray, y: np.ndarray, rng: np.random.Generator, directions: int = 200
) -> float:
    """Sliced W2 distance (not squared) between samples (N, D) and (M, D).

    Raises:
        InputError: an empty set, other than two axes, or NaN.
    """
    x, y = _both(x, y)
    axes = rng.standard_normal((x.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    # Quantile functions at the middle of as many equal steps as the larger set has samples.
    levels = (np.arange(max(len(x), len(y))) + 0.5) / max(len(x), len(y))
    gap = _quantiles(x @ axes, levels) - _quantiles(y @ axes, levels)
    return float(np.sqrt(np.square(gap).mean()))


def _quantiles(projected: np.ndarray, levels: np.ndarray) -> np.ndarray:
    ordered = np.sort(projected, axis=0)
    return ordered[np.minimum((levels * len(ordered)).astype(np.int64), len(ordered) - 1)]


def _both(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = checked(x), checked(y)
    if not len(x) or not len(y):
        raise InputError(f"W2 compares two sets; they hold {len(x)} and {len(y)} samples")
    return x, y
