"""Linear regression as a generative model: labels drawn anew on a fixed design.

    y = X w + e,   e ~ N(0, noise)         w fitted by least squares, of minimum norm if many fit

Kazdan et al. (2025), section on linear regression, after Gerstgrasser et al. (2024).
"""

from dataclasses import dataclass

import numpy as np

from motionloop.models.closed_form import ClosedFormModel
from motionloop.samples import Samples


@dataclass(frozen=True)
class Labelled(Samples):
    """Points with a label.

    Attributes:
        x: (N, D).
        y: (N,).
    """

    x: np.ndarray
    y: np.ndarray


class RegressionModel(ClosedFormModel[Labelled]):
    """Least squares; as an array, a sample is its D coordinates and its label.

    Attributes:
        weights: (..., D).
        gram: (..., D, D), X^T X of all that was learned.
        cross: (..., D), X^T y of it.
        rows: (), how many samples that were.
    """

    STATE = ("weights", "gram", "cross", "rows")

    def __init__(self, design: np.ndarray, noise: float = 1.0, bias: float = 1.0):
        """A model with weights 0.

        Args:
            design: (..., n, D), the points that labels are drawn on, one after the other.
            noise: variance of a label.
            bias: factor of that variance in sampling.
        """
        self.design = design
        self.variance = noise
        self.bias = bias
        dimension = design.shape[-1]
        self.weights = np.zeros((*design.shape[:-2], dimension))
        self.gram = np.zeros((*design.shape[:-2], dimension, dimension))
        self.cross = np.zeros_like(self.weights)
        self.rows = np.array(0)

    def learn(self, data: np.ndarray) -> None:
        """Least squares on `data` (..., N, D + 1)."""
        self.gram = np.zeros_like(self.gram)
        self.cross = np.zeros_like(self.cross)
        self.rows = np.array(0)
        self.learn_more(data)

    def learn_more(self, data: np.ndarray) -> None:
        """Least squares on all data so far and `data`: their sums are all that it takes."""
        x, y = data[..., :-1], data[..., -1:]
        self.gram = self.gram + np.swapaxes(x, -1, -2) @ x
        self.cross = self.cross + (np.swapaxes(x, -1, -2) @ y)[..., 0]
        self.rows = self.rows + data.shape[-2]
        self.weights = self._solved()

    def _solved(self) -> np.ndarray:
        dimension = self.cross.shape[-1]
        # All rows are rows of the design: so many different ones surely span the space.
        if min(int(self.rows), self.design.shape[-2]) >= 4 * dimension:
            return np.linalg.solve(self.gram, self.cross[..., None])[..., 0]
        inverse = np.linalg.pinv(self.gram, rcond=1e-10, hermitian=True)
        return (inverse @ self.cross[..., None])[..., 0]

    def noise(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Standard normal (count, 1)."""
        return rng.standard_normal((count, 1))

    def make(self, noise: np.ndarray) -> np.ndarray:
        """New labels on the design, from its first row on, around and around."""
        rows = np.arange(noise.shape[-2]) % self.design.shape[-2]
        x = self.design[..., rows, :]
        y = x @ self.weights[..., None] + np.sqrt(self.bias * self.variance) * noise
        return np.concatenate([x, y], axis=-1)

    def to_array(self, samples: Labelled) -> np.ndarray:
        """(N, D + 1), the label last."""
        return np.concatenate([samples.x, samples.y[:, None]], axis=1)

    def to_samples(self, array: np.ndarray) -> Labelled:
        """The inverse of `to_array`."""
        return Labelled(array[:, :-1], array[:, -1])
