"""The regression task of Kazdan et al.: least squares that learns from its own labels.

w* ~ N(0, I) and a design X of n rows from N(0, I) are drawn once; every generation draws labels
X w + e anew and fits w again. Judged by the mean squared error on noiseless test points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from motionloop import theory as closed_forms
from motionloop.interfaces import Display, Scalars, Task
from motionloop.models.closed_form import Scores, SeedsTask
from motionloop.models.regression import Labelled, RegressionModel
from motionloop.samples import InputError
from motionloop.strength import Strength
from motionloop.tasks.idealised import IdealisedCorrectorConfig, check_bias, check_counts

HEADLINE = CURVES = ("mse", "weight_error")


@dataclass(frozen=True)
class RegressionConfig:
    """Settings of the regression task.

    Attributes:
        dimension: D of the design.
        count: n, rows of the design.
        noise: variance of a label.
        bias: factor of that variance in the model's samples.
        held_out: noiseless test points.
        corrector: how synthetic labels are corrected.
    """

    dimension: int = 10
    count: int = 100
    noise: float = 1.0
    bias: float = 1.0
    held_out: int = 1000
    corrector: IdealisedCorrectorConfig = field(default_factory=IdealisedCorrectorConfig)

    def __post_init__(self):
        check_counts(dimension=self.dimension, count=self.count, held_out=self.held_out)
        if not 0 <= self.noise < np.inf:
            raise InputError(f"task.noise is {self.noise}; it is a variance and at least 0")
        check_bias(self.bias)


@dataclass(frozen=True)
class TrueLabels:
    """The idealised corrector: every label is drawn anew from the true weights.

    Attributes:
        weights: (D,).
        noise: variance of a label.
    """

    weights: np.ndarray
    noise: float

    def correct(self, samples: Labelled, rng: np.random.Generator) -> tuple[Labelled, Scalars]:
        """The same points with new labels."""
        noise = np.sqrt(self.noise) * rng.standard_normal(len(samples))
        return Labelled(samples.x, samples.x @ self.weights + noise), {}


def build(config: RegressionConfig, seed: int, display: Display | None = None) -> Task[Labelled]:
    """The regression task; `seed` draws the weights, the design and the test points."""
    rng = np.random.default_rng([seed, 1])
    weights = rng.standard_normal(config.dimension)
    design = rng.standard_normal((config.count, config.dimension))
    test = rng.standard_normal((config.held_out, config.dimension))
    labels = TrueLabels(weights, config.noise)

    def draw_real(count: int, rng: np.random.Generator) -> Labelled:
        x = design[np.arange(count) % config.count]
        return labels.correct(Labelled(x, np.zeros(count)), rng)[0]

    def judge(model: RegressionModel) -> Scalars:
        return {k: float(v) for k, v in figures(model, weights, test).items()}

    return Task(
        real=draw_real(config.count, rng),
        reference=Labelled(test, test @ weights),
        make_model=lambda rng: RegressionModel(design, config.noise, config.bias),
        corrector=Strength(labels, config.corrector.gamma),
        metrics=(),
        draw_real=draw_real,
        model_metrics=(judge,),
    )


def figures(model: RegressionModel, weights: np.ndarray, test: np.ndarray) -> Scores:
    """Figures (...) of fitted weights against true ones (..., D), on test points (..., M, D)."""
    missed = model.weights - weights
    return {
        "mse": ((test @ missed[..., None]) ** 2).mean(axis=(-2, -1)),
        "weight_error": (missed**2).sum(-1),
    }


def build_seeds(config: RegressionConfig, seeds: Sequence[int]) -> SeedsTask:
    """The task of several seeds at once."""
    tasks = tuple(build(config, seed) for seed in seeds)
    count = config.count
    design = np.stack([task.real.x[:count] for task in tasks])
    weights = np.stack([_true_weights(task) for task in tasks])
    test = np.stack([task.reference.x for task in tasks])
    model = RegressionModel(design, config.noise, config.bias)
    return SeedsTask(tasks, model, lambda model: figures(model, weights, test))


def _true_weights(task: Task[Labelled]) -> np.ndarray:
    corrector = task.corrector
    assert isinstance(corrector, Strength)
    assert isinstance(corrector.corrector, TrueLabels)
    return corrector.corrector.weights


def theory(
    config: RegressionConfig, workflow: str, generations: int, initial: int, synthetic: int
) -> Mapping[str, tuple[Sequence[float], Sequence[float]]]:
    """The expected curves where a closed form is known, by figure: generations and values."""
    plain = config.bias == 1 and config.corrector.gamma == 0
    if not plain or workflow not in ("replace", "accumulate"):
        return {}
    if not config.count == initial == synthetic:
        return {}
    error = closed_forms.regression_error(
        generations, config.count, config.dimension, config.noise, workflow
    )
    if not np.isfinite(error).all():
        return {}
    curve = (range(generations + 1), error.tolist())
    return {"mse": curve, "weight_error": curve}
