"""Are the generated samples real, and are all kinds of real ones there: k-nearest-neighbour scores.

The manifold of a set is the union of balls around its points that reach to the k-th neighbour.
Precision and recall: Kynkaanniemi et al., Improved Precision and Recall Metric (2019).
Density and coverage: Naeem et al., Reliable Fidelity and Diversity Metrics (2020).
"""

from dataclasses import dataclass

import numpy as np

from motionloop.metrics.checks import checked
from motionloop.samples import InputError


@dataclass(frozen=True)
class ManifoldScores:
    """The four neighbour scores of a generated set; for equal laws all are near their best.

    Attributes:
        precision: share of generated samples inside the reference manifold.
        recall: share of reference samples inside the generated manifold.
        density: mean number of reference balls around a generated sample, over k; 1 for equal laws.
        coverage: share of reference balls that hold a generated sample.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def _distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist  # here: costs 0.1 s to import

    return cdist(x, y)


def _radii(x: np.ndarray, k: int, name: str) -> np.ndarray:
    """Distance (N,) from every point to its k-th neighbour in its own set, itself not counted."""
    if not 1 <= k < len(x):
        raise InputError(f"k = {k} neighbours need at least {k + 1} {name} samples, got {len(x)}")
    return np.partition(_distances(x, x), k, axis=1)[:, k]


def reference_radii(reference: np.ndarray, k: int = 5) -> np.ndarray:
    """Radii (M,) of the reference manifold, to be computed once for many generated sets."""
    return _radii(checked(reference), k, "reference")


def manifold_scores(
    generated: np.ndarray,
    reference: np.ndarray,
    k: int = 5,
    radii: np.ndarray | None = None,
) -> ManifoldScores:
    """All four scores of generated (N, D) against reference (M, D) from one distance matrix.

    Args:
        generated: (N, D) features.
        reference: (M, D) features.
        k: neighbours that set the radius of a ball.
        radii: what `reference_radii(reference, k)` gave, to save its time.

    Raises:
        InputError: a set with no more than k samples, other than two axes, or NaN.
    """
    generated, reference = checked(generated), checked(reference)
    real_radii = reference_radii(reference, k) if radii is None else radii
    made_radii = _radii(generated, k, "generated")
    distances = _distances(reference, generated)  # (M, N)
    inside_real = distances <= real_radii[:, None]
    return ManifoldScores(
        precision=float(inside_real.any(0).mean()),
        recall=float((distances <= made_radii[None]).any(1).mean()),
        density=float(inside_real.sum() / (k * len(generated))),
        coverage=float(inside_real.any(1).mean()),
    )


def precision_recall(
    generated: np.ndarray, reference: np.ndarray, k: int = 5
) -> tuple[float, float]:
    """Improved precision and recall of generated (N, D) against reference (M, D)."""
    scores = manifold_scores(generated, reference, k)
    return scores.precision, scores.recall


def density_coverage(
    generated: np.ndarray, reference: np.ndarray, k: int = 5
) -> tuple[float, float]:
    """Density and coverage of generated (N, D) against reference (M, D)."""
    scores = manifold_scores(generated, reference, k)
    return scores.density, scores.coverage
