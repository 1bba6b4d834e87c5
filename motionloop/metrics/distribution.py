"""How far are two sets of features apart: pure functions of arrays (N, D), no network inside.

Frechet distance and Gaussian W2 (Dowson and Landau 1982; Heusel et al. 2017),

    d^2 = |m_x - m_y|^2 + tr(S_x + S_y - 2 (S_x^{1/2} S_y S_x^{1/2})^{1/2}),

kernel distance (Binkowski et al. 2018), diversity (Guo et al. 2020), and the interval of any of
them by the bootstrap (Efron 1979). Precision and recall come from `neighbours.py`. Imports
numpy only, so that tasks without a network start at once.
"""

from collections.abc import Callable

import numpy as np

from motionloop.metrics.checks import checked
from motionloop.metrics.neighbours import density_coverage, precision_recall
from motionloop.samples import InputError

__all__ = [
    "bootstrap",
    "density_coverage",
    "diversity",
    "frechet_distance",
    "frechet_distance_at_infinity",
    "frechet_distance_of_moments",
    "gaussian_w2",
    "kernel_distance",
    "moments",
    "precision_recall",
    "within_class_diversity",
]


_NEAR_SINGULAR = 1e-4  # of Cholesky's diagonal: below it digits of the eigenvalues are lost


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and unbiased covariance (D, D) of features (N, D).

    Raises:
        InputError: fewer than two rows, or values that are NaN or infinite.
    """
    x = checked(x)
    if len(x) < 2:
        raise InputError(f"a covariance needs at least 2 samples, got {len(x)}; draw more")
    mean = x.mean(0)
    centred = x - mean
    return mean, centred.T @ centred / (len(x) - 1)


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root of covariances (..., D, D); singular ones are welcome."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def _trace_of_cross_root(cov_x: np.ndarray, cov_y: np.ndarray) -> np.ndarray:
    """tr((S_x^{1/2} S_y S_x^{1/2})^{1/2}), with any factor S_x = L L^T in place of the root.

    With Cholesky's factor it is the sum of the square roots of the eigenvalues of L^T S_y L, a
    symmetric matrix: a tenth of the time of a general matrix root. A covariance that has none,
    because it is singular, takes the sum of the singular values of S_x^{1/2} S_y^{1/2}, which
    keep the digits that small eigenvalues lose. In two dimensions it is
    sqrt(tr(S_x S_y) + 2 sqrt(det S_x det S_y)).
    """
    if cov_x.shape[-1] == 2 and cov_y.shape[-1] == 2:
        trace = (cov_x * np.swapaxes(cov_y, -1, -2)).sum((-1, -2))
        determinants = np.maximum(np.linalg.det(cov_x), 0) * np.maximum(np.linalg.det(cov_y), 0)
        return np.sqrt(np.maximum(trace + 2 * np.sqrt(determinants), 0.0))
    factor = _factor(cov_x)
    if factor is None:
        return np.linalg.svd(_root(cov_x) @ _root(cov_y), compute_uv=False).sum(-1)
    values = np.linalg.eigvalsh(np.swapaxes(factor, -1, -2) @ cov_y @ factor)
    return np.sqrt(np.maximum(values, 0.0)).sum(-1)


def _factor(covariance: np.ndarray) -> np.ndarray | None:
    """Cholesky's factor of covariances (..., D, D); none where one of them is near singular."""
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return None
    diagonal = np.diagonal(factor, axis1=-2, axis2=-1)
    return factor if (diagonal.min(-1) >= _NEAR_SINGULAR * diagonal.max(-1)).all() else None


def frechet_distance_of_moments(
    mean_x: np.ndarray, cov_x: np.ndarray, mean_y: np.ndarray, cov_y: np.ndarray
) -> np.ndarray:
    """Squared Frechet distance between Gaussians, shape (...).

    Means (..., D), covariances (..., D, D); leading axes broadcast: many Gaussians in one call.
    """
    mean_x, cov_x, mean_y, cov_y = (
        np.asarray(a, np.float64) for a in (mean_x, cov_x, mean_y, cov_y)
    )
    traces = np.trace(cov_x, axis1=-2, axis2=-1) + np.trace(cov_y, axis1=-2, axis2=-1)
    squared = ((mean_x - mean_y) ** 2).sum(-1) + traces - 2 * _trace_of_cross_root(cov_x, cov_y)
    return np.maximum(squared, 0.0)


def gaussian_w2(
    mean_x: np.ndarray, cov_x: np.ndarray, mean_y: np.ndarray, cov_y: np.ndarray
) -> np.ndarray:
    """Wasserstein-2 distance (not squared) between Gaussians, shape (...).

    Means (..., D), covariances (..., D, D); leading axes broadcast. Against N(0, I) it is
    sqrt(|m|^2 + tr(S + I - 2 S^{1/2})), the figure of the Gaussian experiment of SCSC.
    """
    return np.sqrt(frechet_distance_of_moments(mean_x, cov_x, mean_y, cov_y))


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Squared Frechet distance between Gaussians fitted to features (N, D) and (M, D).

    It falls with N at equal quality: only figures of the same N and M are comparable.

    Raises:
        InputError: fewer than two rows, other than two axes, or NaN.
    """
    return float(frechet_distance_of_moments(*moments(x), *moments(y)))


def frechet_distance_at_infinity(
    x: np.ndarray,
    y: np.ndarray,
    rng: np.random.Generator,
    points: int = 15,
    draws: int = 8,
) -> tuple[float, float, float] | None:
    """What the squared Frechet distance of features (N, D) and (M, D) would be for endless sets.

    The distance of a share f of both sets is d + c / f to first order, so that a straight line
    through the distances of random shares, against 1 / f, meets 1 / f = 0 at d. Chong and
    Forsyth, Effectively Unbiased FID and Inception Score (CVPR 2020), shrink the generated set
    only, because their real one is huge; here both are shrunk, which takes out the bias of both.
    It may lie a little below zero for equal laws.

    Args:
        x: generated features.
        y: real features.
        rng: draws the shares.
        points: shares, evenly spread in 1 / f from 1 to the smallest.
        draws: independent lines, whose spread gives the interval.

    Returns:
        the mean of the lines, and its 95 % interval over the draws; none where half of the
        smaller set is not more than D, because the distance is then no straight line.
    """
    x, y = checked(x), checked(y)
    inverse = np.linspace(1.0, min(4.0, min(len(x), len(y)) / (x.shape[1] + 2)), points)
    if inverse[-1] < 2.0:
        return None
    lines = []
    for _ in range(draws):
        distances = [
            frechet_distance(
                x[rng.permutation(len(x))[: round(len(x) / i)]],
                y[rng.permutation(len(y))[: round(len(y) / i)]],
            )
            for i in inverse
        ]
        lines.append(np.polyfit(inverse, distances, 1)[1])
    mean, error = float(np.mean(lines)), 1.96 * float(np.std(lines)) / draws**0.5
    return mean, mean - error, mean + error


def kernel_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD with the kernel (x.y / D + 1)^3; near 0, also below, for equal laws.

    Unlike the Frechet distance its mean does not depend on N.
    """
    x, y = checked(x), checked(y)
    if min(len(x), len(y)) < 2:
        raise InputError(f"the kernel distance needs 2 samples a side, got {len(x)} and {len(y)}")

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / x.shape[1] + 1) ** 3

    def within(a: np.ndarray) -> float:
        k = kernel(a, a)
        return float((k.sum() - np.trace(k)) / (len(a) * (len(a) - 1)))

    return within(x) + within(y) - 2 * float(kernel(x, y).mean())


def diversity(x: np.ndarray, rng: np.random.Generator | None = None, pairs: int = 200_000) -> float:
    """Mean distance between two different samples of features (N, D); NaN for one sample.

    All pairs where there are at most `pairs` of them (N = 632 by default), else `pairs` random
    ones, for which `rng` is needed.
    """
    x = checked(x)
    count = len(x)
    if count < 2:
        return float("nan")
    if count * (count - 1) // 2 <= pairs:
        return _sum_over_pairs(x) / (count * (count - 1) / 2)
    if rng is None:
        raise InputError(f"{count} samples have more than {pairs} pairs: pass rng to draw some")
    first = rng.integers(count, size=pairs)
    second = (first + rng.integers(1, count, size=pairs)) % count
    return float(np.linalg.norm(x[first] - x[second], axis=1).mean())


def _sum_over_pairs(x: np.ndarray) -> float:
    """Sum of the distances of all pairs of rows, in blocks that stay small in memory."""
    from scipy.spatial.distance import cdist  # here: costs 0.1 s to import

    return sum(float(cdist(x[s : s + 512], x).sum()) for s in range(0, len(x), 512)) / 2


def within_class_diversity(x: np.ndarray, labels: np.ndarray) -> float:
    """Mean distance between two samples that share a label; NaN where no two do.

    Diversity over all pairs is mostly distance between classes and does not see a class that
    shrinks to one motion; this does. Features (N, D), labels (N,).
    """
    x, labels = checked(x), np.asarray(labels)
    total, count = 0.0, 0
    for label in np.unique(labels):
        members = x[labels == label]
        if len(members) > 1:
            total += _sum_over_pairs(members)
            count += len(members) * (len(members) - 1) // 2
    return total / count if count else float("nan")


def bootstrap(
    function: Callable[[np.ndarray, np.ndarray], float],
    generated: np.ndarray,
    reference: np.ndarray,
    rng: np.random.Generator,
    resamples: int = 200,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of `function(generated, reference)` under redrawing the generated set.

    The spread of the bootstrap replicates around their median, laid around the figure itself:
    a replicate holds duplicates, so a Frechet distance of replicates is shifted upwards by about
    as much as the figure itself exceeds the distance of infinitely many samples, and the plain
    percentile interval would often not even contain the figure. The interval answers: what else
    might this model have scored with as many samples? The reference set stays as it is, because
    all generations share it. For functions of moments; neighbour statistics see the duplicates.

    Returns:
        low and high, with `level` of the replicates between them.
    """
    count = len(generated)
    replicates = [
        function(generated[rng.integers(count, size=count)], reference) for _ in range(resamples)
    ]
    tail = (1 - level) / 2
    low, middle, high = np.quantile(replicates, [tail, 0.5, 1 - tail])
    figure = function(generated, reference)
    return float(figure + low - middle), float(figure + high - middle)
