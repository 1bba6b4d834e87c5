"""The Gaussian task: N(0, I) in any dimension, fitted by its moments, where everything is exact.

With its defaults the toy of *Self-Correcting Self-Consuming Loops*: n = 50 points in the plane,
ratio 0.5, 500 generations of the `ramp` workflow (Gillman et al., ICML 2024, section 5). The
corrector replaces a synthetic point by a draw from N(0, I), which at strength gamma is the paper's
operator. With the workflows of Kazdan et al. and the bias of MAD it is their Gaussian experiment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from motionloop import theory as closed_forms
from motionloop.interfaces import Display, Scalars, Task
from motionloop.models.closed_form import Scores, SeedsTask
from motionloop.models.gaussian import GaussianModel, Points
from motionloop.samples import InputError
from motionloop.strength import Strength, TargetDraw
from motionloop.tasks.idealised import IdealisedCorrectorConfig, check_bias, check_counts

HEADLINE = ("w2", "trace_ratio", "squared_mean_error")
CURVES = (*HEADLINE, "determinant_ratio")


@dataclass(frozen=True)
class GaussianConfig:
    """Settings of the Gaussian task.

    Attributes:
        dimension: of the space.
        count: real points, drawn once.
        covariance: maximum_likelihood divides by n, unbiased by n - 1.
        bias: factor of the covariance in sampling, MAD's lambda; below 1 prefers quality over
            diversity.
        corrector: how synthetic points are corrected.
    """

    dimension: int = 2
    count: int = 50
    covariance: Literal["maximum_likelihood", "unbiased"] = "maximum_likelihood"
    bias: float = 1.0
    corrector: IdealisedCorrectorConfig = field(
        default_factory=lambda: IdealisedCorrectorConfig(gamma=1.0)
    )

    def __post_init__(self):
        check_counts(dimension=self.dimension, count=self.count)
        if self.covariance == "unbiased" and self.count < 2:
            raise InputError("task.covariance unbiased needs task.count of at least 2")
        check_bias(self.bias)

    def model(self) -> GaussianModel:
        """The model before it is fitted."""
        return GaussianModel(self.dimension, self.covariance == "unbiased", self.bias)


def figures(model: GaussianModel, w2: bool = True) -> Scores:
    """Figures (...) of fitted Gaussians against N(0, I); `w2` costs most in high dimension.

    The Wasserstein-2 distance to N(0, I) is sqrt(|m|^2 + sum (sqrt(e) - 1)^2) over the
    eigenvalues e of the covariance: `metrics.distribution.gaussian_w2` without its roots.
    """
    dimension = model.mean.shape[-1]
    found = {
        "trace_ratio": np.trace(model.covariance, axis1=-2, axis2=-1) / dimension,
        "determinant_ratio": np.exp(model.log_determinant()),
        "squared_mean_error": (model.mean**2).sum(-1),
    }
    if w2:
        deviations = np.sqrt(np.maximum(np.linalg.eigvalsh(model.covariance), 0.0))
        found["w2"] = np.sqrt(found["squared_mean_error"] + ((deviations - 1) ** 2).sum(-1))
    return found


def build(config: GaussianConfig, seed: int, display: Display | None = None) -> Task[Points]:
    """The Gaussian task; `seed` draws the real points."""

    def draw_real(count: int, rng: np.random.Generator) -> Points:
        return Points(rng.standard_normal((count, config.dimension)))

    def moments(model: GaussianModel) -> Scalars:
        return {name: float(value) for name, value in figures(model).items()}

    return Task(
        real=draw_real(config.count, np.random.default_rng([seed, 1])),
        reference=Points(np.empty((0, config.dimension))),
        make_model=lambda rng: config.model(),
        corrector=Strength(TargetDraw(draw_real), config.corrector.gamma),
        metrics=(),
        draw_real=draw_real,
        model_metrics=(moments,),
    )


def build_seeds(config: GaussianConfig, seeds: Sequence[int], w2: bool = True) -> SeedsTask:
    """The task of several seeds at once."""
    tasks = tuple(build(config, seed) for seed in seeds)
    return SeedsTask(tasks, config.model(), lambda model: figures(model, w2))


def theory(
    config: GaussianConfig, workflow: str, generations: int, initial: int, synthetic: int
) -> Mapping[str, tuple[Sequence[float], Sequence[float]]]:
    """The expected curves where a closed form is known, by figure: generations and values."""
    unbiased = config.covariance == "unbiased"
    if config.corrector.gamma != 0:
        return {}
    if workflow in ("fresh", "replace"):
        real = config.count if workflow == "fresh" else 0
        curve = closed_forms.gaussian_fresh(
            generations, initial, real, synthetic, config.bias, unbiased
        )
    elif workflow == "accumulate" and not unbiased and config.bias == 1:
        if not config.count == initial == synthetic:
            return {}
        curve = closed_forms.gaussian_accumulate(generations, config.count)
    else:
        return {}
    x = range(generations + 1)
    return {
        "trace_ratio": (x, curve.variance.tolist()),
        "squared_mean_error": (x, (config.dimension * curve.mean_error).tolist()),
    }
