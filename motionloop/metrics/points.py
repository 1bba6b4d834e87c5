"""PointMetrics: how well points of the plane follow a law whose density is known.

Distances to held-out points, neighbour scores, and what only a known law can tell: how likely the
points are under it, and, for a mixture of separate modes, how many lie on one and how many modes
they reach.
"""

from collections.abc import Callable

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.metrics.neighbours import manifold_scores
from motionloop.metrics.transport import sample_w2, sliced_w2
from motionloop.models.gaussian import Points

ON_MODE = 3.0  # standard deviations: 98.9 % of a round Gaussian
MOST_EXACT = 2000  # points a side above which transport is sliced


class PointMetrics:
    """Metric[Points] for one law."""

    def __init__(
        self,
        log_density: Callable[[np.ndarray], np.ndarray],
        modes: np.ndarray | None,
        deviation: float,
        neighbours: int,
    ):
        """Measure against a law.

        Args:
            log_density: (N,) of points (N, 2), nats.
            modes: (M, 2) their centres, or None for a law without separate modes.
            deviation: standard deviation of a mode along each axis.
            neighbours: k of precision, recall, density and coverage.
        """
        self.log_density, self.modes, self.deviation = log_density, modes, deviation
        self.neighbours = neighbours

    def __call__(self, generated: Points, reference: Points) -> Scalars:
        """All figures of generated points (N, 2) against reference points (M, 2).

        `w2` to the reference (sliced above 2000 points), `cross_entropy` = -mean log p under the
        true law (nats; a collapsed model can fall below the law's own entropy), `precision`,
        `recall`, `density`, `coverage`; with modes `on_mode`, the share within three standard
        deviations of one, and `modes`, the number of modes that have such a point.
        """
        x, y = generated.x, reference.x
        if len(x) == 0:
            return {}
        exact = max(len(x), len(y)) <= MOST_EXACT
        scalars: Scalars = {
            "w2": sample_w2(x, y) if exact else sliced_w2(x, y, np.random.default_rng(0)),
            "cross_entropy": float(-self.log_density(x).mean()),
        }
        if min(len(x), len(y)) > self.neighbours:
            scalars |= vars(manifold_scores(x, y, self.neighbours))
        if self.modes is not None:
            distance = np.linalg.norm(x[:, None] - self.modes, axis=-1)
            on = distance.min(1) <= ON_MODE * self.deviation
            scalars["on_mode"] = float(on.mean())
            scalars["modes"] = float(len(np.unique(distance[on].argmin(1))))
        return scalars
