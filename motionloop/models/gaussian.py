"""A multivariate Gaussian fitted by moments: the smallest generative model.

mean = sum x_i / n,   covariance = sum (x_i - mean)(x_i - mean)^T / n     (maximum likelihood)
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.samples import InputError, Samples, write_whole


@dataclass(frozen=True)
class Points(Samples):
    """Points in D dimensions.

    Attributes:
        x: (N, D).
    """

    x: np.ndarray


class GaussianModel:
    """Maximum-likelihood Gaussian; before a fit it is N(0, I).

    Attributes:
        mean: (D,).
        covariance: (D, D).
    """

    def __init__(self, dimension: int):
        self.mean = np.zeros(dimension)
        self.covariance = np.eye(dimension)

    def fit(self, data: Points, steps: int, rng: np.random.Generator) -> Scalars:
        """Fit the moments of `data`; exact, so `steps` is not used."""
        self.mean = data.x.mean(axis=0)
        centred = data.x - self.mean
        self.covariance = centred.T @ centred / len(data)
        return {}

    def sample(self, count: int, rng: np.random.Generator) -> Points:
        """`count` independent draws."""
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        return Points(self.mean + rng.standard_normal((count, len(self.mean))) @ root.T)

    def save(self, path: Path) -> None:
        """Write mean and covariance as safetensors."""
        from safetensors.numpy import save

        content = save({"mean": self.mean, "covariance": np.ascontiguousarray(self.covariance)})
        write_whole(Path(path), lambda file: file.write(content))

    def load(self, path: Path) -> None:
        """Read what `save` wrote."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(path)
            self.mean, self.covariance = arrays["mean"], arrays["covariance"]
        except (SafetensorError, KeyError) as error:
            raise InputError(f"{path} is not a saved Gaussian: {error}") from error
