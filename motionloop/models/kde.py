"""A kernel density estimate with a Gaussian kernel: the model that keeps its data.

    p(x) = sum_i N(x; x_i, h^2 I) / n

The bandwidth h is fixed, or follows the number of points as in scikit-learn's `KernelDensity`:
Scott's n^(-1/(D + 4)), Silverman's (n (D + 2) / 4)^(-1/(D + 4)).
"""

from pathlib import Path
from typing import Literal

import numpy as np

from motionloop.models.gaussian import PointModel

Bandwidth = float | Literal["scott", "silverman"]


class KernelDensityModel(PointModel):
    """A Gaussian kernel density estimate.

    Attributes:
        points: (..., N, D).
    """

    STATE = ("points",)

    def __init__(self, dimension: int, bandwidth: Bandwidth = 0.1, bias: float = 1.0):
        """An estimate without points.

        Args:
            dimension: D.
            bandwidth: standard deviation of the kernel, or the rule for it.
            bias: factor of the kernel's variance in sampling.
        """
        self.points = np.zeros((1, dimension))
        self.bandwidth = bandwidth
        self.bias = bias
        self._watched: np.ndarray | None = None
        self._log_sums = np.empty(0)
        self._counted = 0  # points whose kernels are in the sums

    def width(self) -> float:
        """The bandwidth h."""
        count, dimension = self.points.shape[-2:]
        if self.bandwidth == "scott":
            return count ** (-1 / (dimension + 4))
        if self.bandwidth == "silverman":
            return (count * (dimension + 2) / 4) ** (-1 / (dimension + 4))
        return float(self.bandwidth)

    def learn(self, data: np.ndarray) -> None:
        """Keep `data` (..., N, D)."""
        self.points = data
        self._counted = 0

    def learn_more(self, data: np.ndarray) -> None:
        """Keep `data` as well."""
        self.points = np.concatenate([self.points, data], axis=-2)
        if isinstance(self.bandwidth, str):
            self._counted = 0

    def noise(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, 1 + D): a uniform number that chooses the point, and the kernel's noise."""
        return np.concatenate(
            [rng.random((count, 1)), rng.standard_normal((count, self.points.shape[-1]))], axis=1
        )

    def make(self, noise: np.ndarray) -> np.ndarray:
        """Points drawn with replacement, each moved by the kernel."""
        chosen = (noise[..., :1] * self.points.shape[-2]).astype(np.int64)  # (..., count, 1)
        centres = np.take_along_axis(self.points, chosen, axis=-2)
        return centres + np.sqrt(self.bias) * self.width() * noise[..., 1:]

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """The log density (..., M) at `x` (..., M, D).

        Asked again for the same array after more was learned, it adds the new points' kernels
        to the sums that it has, unless the bandwidth has changed.
        """
        if x is not self._watched or self._counted == 0:
            self._watched = x
            self._log_sums = self._log_sum(x, self.points)
        elif self._counted < self.points.shape[-2]:
            new = self._log_sum(x, self.points[..., self._counted :, :])
            self._log_sums = np.logaddexp(self._log_sums, new)
        self._counted = self.points.shape[-2]
        count, dimension = self.points.shape[-2:]
        return (
            self._log_sums - np.log(count) - dimension * np.log(np.sqrt(2 * np.pi) * self.width())
        )

    def load(self, path: Path) -> None:
        """Read what `save` wrote."""
        super().load(path)
        self._counted = 0

    def _log_sum(self, x: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Log sum_i exp(-|x - x_i|^2 / 2 h^2), (..., M), seed by seed to stay in the cache."""
        sums = np.empty(x.shape[:-1])
        for seed in np.ndindex(*x.shape[:-2]):
            sums[seed] = _log_kernel_sum(x[seed] / self.width(), points[seed] / self.width())
        return sums


def _log_kernel_sum(x: np.ndarray, points: np.ndarray, block: int = 1024) -> np.ndarray:
    """Log sum_i exp(-|x - x_i|^2 / 2) for points (N, D) at x (M, D), stable far from all points.

    The exponent x.x_i - |x_i|^2 / 2 - |x|^2 / 2 is one matrix product of rows that carry the
    squares as columns of their own.
    """
    left = np.concatenate([x, -0.5 * (x**2).sum(1)[:, None], np.ones((len(x), 1))], axis=1)
    total = np.full(len(x), -np.inf)
    for start in range(0, len(points), block):
        part = points[start : start + block]
        squares = -0.5 * (part**2).sum(1)[:, None]
        right = np.concatenate([part, np.ones((len(part), 1)), squares], axis=1)
        exponent = left @ right.T  # (M, block)
        highest = exponent.max(axis=1)
        np.exp(np.subtract(exponent, highest[:, None], out=exponent), out=exponent)
        total = np.logaddexp(total, highest + np.log(exponent.sum(axis=1)))
    return total
