"""Laws of the plane that are hard to learn and easy to see, each with its exact density.

eight_gaussians         on a circle of radius 5, standard deviation 0.32        (Tong et al. 2024)
twentyfive_gaussians    on a grid of spacing 2, standard deviation 0.1          (MAD, appendix)
two_moons               half circles of radius 1, noise 0.1
rosenbrock              x ~ N(1, 10), y | x ~ N(x^2, 0.1), a long thin bend     (MAD, appendix)
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

LawName = Literal["eight_gaussians", "twentyfive_gaussians", "two_moons", "rosenbrock"]


class PlanarLaw(Protocol):
    """A probability law on the plane."""

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points (count, 2)."""
        ...

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Log p (N,) of points (N, 2), nats."""
        ...


@dataclass(frozen=True)
class Modes:
    """Round Gaussians of equal weight and size.

    Attributes:
        centres: (M, 2).
        deviation: standard deviation along each axis.
    """

    centres: np.ndarray
    deviation: float

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points (count, 2)."""
        chosen = self.centres[rng.integers(len(self.centres), size=count)]
        return chosen + self.deviation * rng.standard_normal((count, 2))

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Log p (N,) of points (N, 2), nats."""
        squared = ((x[:, None] - self.centres) ** 2).sum(-1) / self.deviation**2
        nearest = squared.min(1)
        total = np.exp((nearest[:, None] - squared) / 2).mean(1)
        return np.log(total) - nearest / 2 - np.log(2 * np.pi * self.deviation**2)


def _moon_curves(angle: np.ndarray) -> np.ndarray:
    """Both curves (2, N, 2) at angles (N,) in [0, pi]."""
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return np.stack([upper, [1.0, 0.5] - upper])


@dataclass(frozen=True)
class TwoMoons:
    """Two half circles that reach into each other, blurred.

    Attributes:
        deviation: standard deviation of the blur along each axis.
    """

    deviation: float = 0.1

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points (count, 2)."""
        curves = _moon_curves(np.pi * rng.random(count))
        chosen = curves[rng.integers(2, size=count), np.arange(count)]
        return chosen + self.deviation * rng.standard_normal((count, 2))

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Log p (N,) of points (N, 2), nats: the curves as 400 Gaussians, closer than the blur."""
        angle = np.pi * (np.arange(200) + 0.5) / 200
        return Modes(_moon_curves(angle).reshape(-1, 2), self.deviation).log_density(x)


@dataclass(frozen=True)
class Rosenbrock:
    """log p = -(x - 1)^2 / 20 - 5 (y - x^2)^2 + constant (Goodman and Weare, 2010)."""

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points (count, 2)."""
        x = 1 + np.sqrt(10) * rng.standard_normal(count)
        return np.stack([x, x**2 + np.sqrt(0.1) * rng.standard_normal(count)], axis=-1)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Log p (N,) of points (N, 2), nats."""
        bend = x[:, 1] - x[:, 0] ** 2
        return -((x[:, 0] - 1) ** 2) / 20 - 5 * bend**2 - np.log(2 * np.pi)


def planar_law(name: LawName) -> PlanarLaw:
    """The law of that name; see the module's table."""
    if name == "two_moons":
        return TwoMoons()
    if name == "rosenbrock":
        return Rosenbrock()
    if name == "eight_gaussians":
        angle = 2 * np.pi * np.arange(8) / 8
        return Modes(5 * np.stack([np.cos(angle), np.sin(angle)], axis=-1), np.sqrt(0.1))
    line = np.arange(-4.0, 5.0, 2.0)
    return Modes(np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2), 0.1)
