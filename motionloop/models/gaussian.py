"""A multivariate Gaussian fitted by moments: the smallest generative model.

    mean = sum x_i / n,   covariance = sum (x_i - mean)(x_i - mean)^T / n     (maximum likelihood)

or divided by n - 1 (unbiased). Moments of batches are merged as in Chan, Golub and LeVeque (1983).
"""

from dataclasses import dataclass

import numpy as np

from motionloop.models.closed_form import ClosedFormModel
from motionloop.samples import Samples


@dataclass(frozen=True)
class Points(Samples):
    """Points in D dimensions.

    Attributes:
        x: (N, D).
    """

    x: np.ndarray


class PointModel(ClosedFormModel[Points]):
    """A closed-form model of points."""

    def to_array(self, samples: Points) -> np.ndarray:
        """The points."""
        return samples.x

    def to_samples(self, array: np.ndarray) -> Points:
        """The points."""
        return Points(array)


class GaussianModel(PointModel):
    """A Gaussian fitted by its moments; before a fit it is N(0, I).

    Attributes:
        mean: (..., D).
        covariance: (..., D, D), of the fit; sampling scales it by the bias.
        count: (), points behind the fit.
    """

    STATE = ("mean", "covariance", "count")

    def __init__(self, dimension: int, unbiased: bool = False, bias: float = 1.0):
        """A Gaussian in `dimension` dimensions.

        Args:
            dimension: D.
            unbiased: divide by n - 1 instead of n.
            bias: factor of the covariance in sampling, the lambda of MAD.
        """
        self.mean = np.zeros(dimension)
        self.covariance = np.eye(dimension)
        self.count = np.array(0)
        self.unbiased = unbiased
        self.bias = bias

    def _divisor(self) -> int:
        return max(int(self.count) - self.unbiased, 1)

    def learn(self, data: np.ndarray) -> None:
        """Fit the moments of `data` (..., N, D)."""
        self.count = np.array(data.shape[-2])
        self.mean, scatter = _scatter(data)
        self.covariance = scatter / self._divisor()

    def learn_more(self, data: np.ndarray) -> None:
        """Fit the moments of all points so far and `data`, whose number does not matter."""
        before, new = int(self.count), data.shape[-2]
        mean, scatter = _scatter(data)
        scatter += self.covariance * self._divisor()
        step = mean - self.mean
        scatter += step[..., :, None] * step[..., None, :] * (before * new / (before + new))
        self.count = np.array(before + new)
        self.mean = self.mean + step * (new / (before + new))
        self.covariance = scatter / self._divisor()

    def noise(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Standard normal (count, D)."""
        return rng.standard_normal((count, self.mean.shape[-1]))

    def make(self, noise: np.ndarray) -> np.ndarray:
        """Mean plus the covariance's root times `noise` (..., count, D)."""
        made = noise @ np.swapaxes(self.root(), -1, -2)
        made *= np.sqrt(self.bias)
        made += self.mean[..., None, :]
        return made

    def root(self) -> np.ndarray:
        """The lower Cholesky factor (..., D, D) of the covariance.

        A covariance of fewer points than dimensions is singular: 1e-10 of its mean variance is
        added to the diagonal, far below anything that sampling resolves.
        """
        dimension = self.mean.shape[-1]
        variance = np.trace(self.covariance, axis1=-2, axis2=-1)[..., None, None] / dimension
        lift = 1e-10 * variance + np.finfo(float).tiny
        return np.linalg.cholesky(self.covariance + lift * np.eye(dimension))

    def log_determinant(self) -> np.ndarray:
        """Of the covariance, (...)."""
        return 2 * np.log(np.diagonal(self.root(), axis1=-2, axis2=-1)).sum(-1)


def _scatter(data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (..., D) and summed outer products around it (..., D, D)."""
    mean = data.mean(axis=-2)
    centred = data - mean[..., None, :]
    return mean, np.swapaxes(centred, -1, -2) @ centred
