"""The Gaussian task: the toy of *Self-Correcting Self-Consuming Loops*, where everything is exact.

n = 50 points of N(0, I) in the plane, synthetic ratio 0.5, 500 generations, the `ramp` workflow.
The corrector replaces a synthetic point by a draw from N(0, I); at strength gamma this is the
paper's operator (Gillman et al., ICML 2024, section 5). Judged by the closed-form Wasserstein-2
distance between the fitted Gaussian and N(0, I).
"""

from dataclasses import dataclass, field

import numpy as np

from motionloop.interfaces import Display, Scalars, Task
from motionloop.metrics.distribution import gaussian_w2
from motionloop.models.gaussian import GaussianModel, Points
from motionloop.samples import InputError
from motionloop.strength import Strength, check_gamma

HEADLINE = CURVES = ("w2", "trace_ratio", "squared_mean_error")


@dataclass(frozen=True)
class GaussianCorrectorConfig:
    """How synthetic points are corrected.

    Attributes:
        gamma: correction strength in [0, inf].
    """

    gamma: float = 1.0

    def __post_init__(self):
        check_gamma(self.gamma)


@dataclass(frozen=True)
class GaussianConfig:
    """Settings of the Gaussian task.

    Attributes:
        dimension: of the space.
        count: real points, drawn once.
        corrector: how synthetic points are corrected.
    """

    dimension: int = 2
    count: int = 50
    corrector: GaussianCorrectorConfig = field(default_factory=GaussianCorrectorConfig)

    def __post_init__(self):
        for name in ("dimension", "count"):
            if getattr(self, name) < 1:
                raise InputError(f"task.{name} is {getattr(self, name)}; it must be at least 1")


class TargetDraw:
    """The idealised corrector: every point becomes a draw from N(0, I)."""

    def correct(self, samples: Points, rng: np.random.Generator) -> tuple[Points, Scalars]:
        """As many draws from the target as there are samples."""
        return Points(rng.standard_normal(samples.x.shape)), {}


def build(config: GaussianConfig, seed: int, display: Display) -> Task[Points]:
    """The Gaussian task; `seed` draws the real points."""

    def draw_real(count: int, rng: np.random.Generator) -> Points:
        return Points(rng.standard_normal((count, config.dimension)))

    target_mean, target_covariance = np.zeros(config.dimension), np.eye(config.dimension)

    def moments(model: GaussianModel) -> Scalars:
        w2 = gaussian_w2(model.mean, model.covariance, target_mean, target_covariance)
        return {
            "w2": float(w2),
            "trace_ratio": float(np.trace(model.covariance)) / config.dimension,
            "squared_mean_error": float(model.mean @ model.mean),
        }

    return Task(
        real=draw_real(config.count, np.random.default_rng([seed, 1])),
        reference=Points(np.empty((0, config.dimension))),
        make_model=lambda rng: GaussianModel(config.dimension),
        corrector=Strength(TargetDraw(), config.corrector.gamma),
        metrics=(),
        draw_real=draw_real,
        model_metrics=(moments,),
    )
