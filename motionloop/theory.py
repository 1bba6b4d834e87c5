"""Closed forms of the papers: what expectation says about loops of Gaussians and of regressions.

Curves are over generations g = 0 .. G: generation 0 is fitted on n real points, so a paper's
"iteration t" is g + 1. Variances are per dimension, of a target N(0, I).

[1] Bertrand et al., ICLR 2024, theorem 1     [2] Alemohammad et al., ICLR 2024, section 2
[3] Kazdan et al., 2025, section 2            [4] Gillman et al., ICML 2024, theorem 4.3
[5] Gerstgrasser et al., 2024, theorems 1, 2  [6] own derivation, docs/theory.md
"""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GaussianCurve:
    """What a loop of fitted Gaussians does in expectation.

    Attributes:
        variance: (G + 1,) E tr(covariance) / D.
        mean_error: (G + 1,) E |mean|^2 / D.
    """

    variance: np.ndarray
    mean_error: np.ndarray


def gaussian_fresh(
    generations: int,
    initial: int,
    real: int,
    synthetic: int,
    bias: float = 1.0,
    unbiased: bool = False,
) -> GaussianCurve:
    """New real and synthetic points in every generation [2, 6]; without real ones, `replace` [3].

    Without real points and bias the variance is (1 - 1/n)^(g + 1) with maximum likelihood [3],
    and bias^g with the unbiased covariance [2].

    Args:
        generations: G.
        initial: real points of generation 0.
        real: new real points of each later generation.
        synthetic: points from the model of the generation before.
        bias: factor of the covariance in sampling.
        unbiased: whether the covariance is divided by n - 1 instead of n.
    """
    total = real + synthetic
    share = synthetic / total
    variance, mean_error = np.empty(generations + 1), np.empty(generations + 1)
    variance[0] = 1.0 if unbiased else 1 - 1 / initial
    mean_error[0] = 1 / initial
    for g in range(1, generations + 1):
        v, m = bias * variance[g - 1], mean_error[g - 1]
        noise = (1 - share) / total + share * v / total  # of the mean of all points
        mean_error[g] = share**2 * m + noise
        second_moment = (1 - share) + share * (v + m)
        variance[g] = second_moment - mean_error[g]
        if unbiased:
            variance[g] *= total / (total - 1)
    return GaussianCurve(variance, mean_error)


def gaussian_fresh_limit(
    real: int, synthetic: int, bias: float = 1.0, unbiased: bool = False
) -> tuple[float, float]:
    """Where `gaussian_fresh` ends: variance and squared mean error, whatever it started from [6].

    The recursion is linear; this solves for its fixed point.
    """
    total = real + synthetic
    share = synthetic / total
    scale = total / (total - 1) if unbiased else 1.0
    # mean = a mean + b variance + c;   variance = scale (d mean + e variance + f)
    a, b, c = share**2, share * bias / total, (1 - share) / total
    d, e, f = share - a, share * bias - b, (1 - share) - c
    system = np.array([[1 - a, -b], [-scale * d, 1 - scale * e]])
    mean_error, variance = np.linalg.solve(system, [c, scale * f])
    return float(variance), float(mean_error)


def gaussian_accumulate(generations: int, count: int) -> GaussianCurve:
    """Real and all synthetic points, n of each generation, maximum likelihood [3, 6].

    E variance = product over i <= g + 1 of (1 - 1 / (n i^2)), and E |mean|^2 / D is 1 minus that.
    """
    i = np.arange(1, generations + 2)
    variance = np.cumprod(1 - 1 / (count * i**2))
    return GaussianCurve(variance, 1 - variance)


def gaussian_accumulate_limit(count: int) -> float:
    """Where the variance of `gaussian_accumulate` ends: sin(pi / sqrt n) / (pi / sqrt n) [3, 6].

    To first order it loses (pi^2 / 6) / n.
    """
    return float(np.sinc(1 / math.sqrt(count)))


def regression_error(
    generations: int, count: int, dimension: int, noise: float, workflow: str
) -> np.ndarray:
    """E |w - w*|^2 of least squares on a design of n normal rows, labels drawn anew [5]: (G + 1,).

    noise D / (n - D - 1) times g + 1 under replace, times the sum of 1 / i^2 for i <= g + 1 under
    accumulate, whose limit is pi^2 / 6. Exact for n > D + 1, infinite otherwise.

    Args:
        generations: G.
        count: n.
        dimension: D.
        noise: variance of the labels' noise.
        workflow: `replace` or `accumulate`.
    """
    if count <= dimension + 1:
        return np.full(generations + 1, math.inf)
    once = noise * dimension / (count - dimension - 1)
    i = np.arange(1, generations + 2)
    return once * (i if workflow == "replace" else np.cumsum(1 / i**2))


def stability_bound(gamma: float) -> float:
    """Largest synthetic ratio for which the theorems promise stability: (1 + gamma) / (2 + gamma).

    gamma = 0 is the bound 1/2 of [1]; with correction it follows from the rate of [4]. A factor
    1 + eps L / alpha for a model class that misses the data is left out (eps = 0).
    """
    return 1.0 if math.isinf(gamma) else (1 + gamma) / (2 + gamma)


def promised_rate(ratio: float, gamma: float) -> float:
    """The theorems' contraction factor a generation: ratio / ((1 - ratio) (1 + gamma)) [1, 4].

    It is below 1 exactly when `ratio` is below `stability_bound`; infinite from ratio 1 on.
    """
    if ratio >= 1:
        return math.inf
    return ratio / ((1 - ratio) * (1 + gamma))


def exponential_family_rate(ratio: float, gamma: float, bias: float = 1.0) -> float:
    """The true contraction factor with infinite sampling: bias ratio / ((1 + ratio) (1 + gamma)).

    For any exponential family fitted to the maximum, in its mean parameters [6]: below 1 for every
    finite ratio, so the bound of the theorems is sufficient, not necessary. `bias` scales what the
    model samples; only above 1 can it make the loop diverge.
    """
    return bias * ratio / ((1 + ratio) * (1 + gamma))
