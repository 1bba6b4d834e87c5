"""Does a loop diverge above the synthetic ratio that the theorems allow? Gaussians, no noise.

With infinite sampling a generation is a map of moments: the training distribution is the mixture
of the target, of the model, and of the target again where the corrector has been.
"""

import math
from pathlib import Path

import numpy as np

from motionloop import theory
from motionloop.interfaces import Display
from motionloop.metrics.distribution import gaussian_w2
from motionloop.reproduce.record import Claim, Line, Measured, Panel, PaperExperiment, Size
from motionloop.reproduce.verdict import Figure, Near, Within

GAMMAS = (0.0, 0.3, 1.0, 5.0)
BELOW, FAR_ABOVE = 0.8, 10.0
"""Synthetic ratio as a multiple of the bound."""
_SHOWN = (0.0, 1.0)
_GENERATIONS, _DIMENSION = 60, 2


def population_step(
    mean: np.ndarray, covariance: np.ndarray, ratio: float, gamma: float, bias: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Moments of the maximum-likelihood Gaussian of infinitely many real and corrected points."""
    raw = ratio / ((1 + ratio) * (1 + gamma))  # share of points that come from the model
    new_mean = raw * mean
    scatter = raw * (bias * covariance + np.outer(mean, mean))
    scatter = scatter + (1 - raw) * np.eye(len(mean))
    return new_mean, scatter - np.outer(new_mean, new_mean)


def distances(ratio: float, gamma: float) -> np.ndarray:
    """W2 to the target over the generations, from a wrong start."""
    mean, covariance = np.array([0.5, -0.3]), np.array([[1.6, 0.4], [0.4, 0.7]])
    target = np.zeros(_DIMENSION), np.eye(_DIMENSION)
    found = []
    for _ in range(_GENERATIONS + 1):
        found.append(float(gaussian_w2(mean, covariance, *target)))
        mean, covariance = population_step(mean, covariance, ratio, gamma)
    return np.array(found)


def rate(distance: np.ndarray) -> float:
    """Factor a generation between a tenth of the start and the end of what float64 resolves."""
    used = np.flatnonzero((distance < 0.1 * distance[0]) & (distance > 1e-6))
    first, last = (used[0], used[-1]) if len(used) > 1 else (len(distance) // 2, -1)
    steps = (last if last > 0 else len(distance) - 1) - first
    return float((distance[last] / distance[first]) ** (1 / steps))


def run(size: Size, display: Display, _: Path) -> Measured:
    """Iterate the exact map below the bound and far above it."""
    figures, curves, rates = {}, [], []
    for gamma in GAMMAS:
        bound = theory.stability_bound(gamma)
        for where, multiple in (("below", BELOW), ("far above", FAR_ABOVE)):
            distance = distances(multiple * bound, gamma)
            label = f"{where}, gamma {gamma:g}"
            figures[f"rate {label}"] = Figure(rate(distance))
            figures[f"left of the error, {label}"] = Figure(distance[-1] / distance[0])
            kept = np.where(distance > 1e-7, distance, math.nan)
            if gamma in _SHOWN:
                curves.append(Line.of(label, range(_GENERATIONS + 1), kept))
    multiples = np.geomspace(0.1, 30, 25)
    for gamma in GAMMAS:
        ratios = multiples * theory.stability_bound(gamma)
        found = [rate(distances(ratio, gamma)) for ratio in ratios]
        known = [theory.exponential_family_rate(ratio, gamma) for ratio in ratios]
        rates.append(Line.of(f"gamma {gamma:g}", multiples, found))
        rates.append(Line.of(f"gamma {gamma:g}", multiples, known, kind="theory"))
    return Measured(
        figures,
        (
            Panel("W2 to the target", "generation", tuple(curves), log_y=True),
            Panel("factor a generation", "ratio / bound", tuple(rates), log_x=True),
        ),
        "exact moments, no sampling, 2 dimensions, one start; no seeds, no noise.",
        (
            "The bound is sufficient, not necessary. In an exponential family the fitted mean "
            "parameters of the mixture are the mixture of the mean parameters, so the factor is "
            "ratio / ((1 + ratio) (1 + gamma)), below 1 at every finite ratio. Only without any "
            "real data and without correction does the factor reach 1: the loop then stays "
            "where it starts. See docs/theory.md.",
        ),
    )


def _measured_rate(where: str, multiple: float) -> tuple[Near, ...]:
    return tuple(
        Near(
            f"rate {where}, gamma {gamma:g}",
            theory.exponential_family_rate(multiple * theory.stability_bound(gamma), gamma),
            within=0.02,
        )
        for gamma in GAMMAS
    )


EXPERIMENT = PaperExperiment(
    name="stability_bound",
    paper="Bertrand et al. 2024, Gillman et al. 2024",
    question="Does the loop converge below the theorems' synthetic ratio and diverge above?",
    claims=(
        Claim(
            "Below the bound (1 + gamma) / (2 + gamma) the loop converges.",
            "theorem 1 of Bertrand et al., theorem 4.3 of Gillman et al.",
            tuple(
                Within(f"left of the error, below, gamma {gamma:g}", 0, 1e-3) for gamma in GAMMAS
            ),
        ),
        Claim(
            "Ten times above the bound it does not converge.",
            "not in the papers: what a reader may take from the bound",
            tuple(
                Within(f"left of the error, far above, gamma {gamma:g}", 1, math.inf)
                for gamma in GAMMAS
            ),
        ),
        Claim(
            "The factor a generation is ratio / ((1 + ratio) (1 + gamma)), below and above.",
            "own derivation, docs/theory.md",
            _measured_rate("below", BELOW) + _measured_rate("far above", FAR_ABOVE),
        ),
    ),
    run=run,
    theory="Dotted: ratio / ((1 + ratio) (1 + gamma)), docs/theory.md.",
)
