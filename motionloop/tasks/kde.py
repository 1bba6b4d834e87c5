"""The kernel-density task of Kazdan et al.: toy sets of scikit-learn, judged by held-out NLL.

The model keeps its training points; its samples are those points, each moved by the kernel, so
under `replace` the variance grows by the squared bandwidth in every generation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from motionloop.interfaces import Display, Scalars, Task
from motionloop.models.closed_form import Scores, SeedsTask
from motionloop.models.gaussian import Points
from motionloop.models.kde import Bandwidth, KernelDensityModel
from motionloop.samples import InputError
from motionloop.strength import Strength, TargetDraw
from motionloop.tasks.idealised import IdealisedCorrectorConfig, check_bias, check_counts

HEADLINE = CURVES = ("nll", "variance_ratio")
DataSet = Literal["moons", "circles", "blobs", "swiss_roll"]
_NOISE = 0.05


@dataclass(frozen=True)
class KdeConfig:
    """Settings of the kernel-density task.

    Attributes:
        data: moons, circles and blobs lie in the plane, swiss_roll in space.
        count: real points, drawn once.
        bandwidth: standard deviation of the kernel, or scott, or silverman.
        bias: factor of the kernel's variance in sampling.
        held_out: points that the likelihood is measured on.
        corrector: how synthetic points are corrected.
    """

    data: DataSet = "moons"
    count: int = 100
    bandwidth: Bandwidth = 0.1
    bias: float = 1.0
    held_out: int = 500
    corrector: IdealisedCorrectorConfig = field(default_factory=IdealisedCorrectorConfig)

    def __post_init__(self):
        check_counts(count=self.count, held_out=self.held_out)
        if not isinstance(self.bandwidth, str) and not 0 < self.bandwidth < np.inf:
            raise InputError(f"task.bandwidth is {self.bandwidth}; it must be above 0")
        if self.data not in get_args(DataSet):
            raise InputError(f"task.data {self.data!r} is none of {', '.join(get_args(DataSet))}")
        check_bias(self.bias)


class Source:
    """Draws from one of scikit-learn's toy sets; blobs keep their centres.

    The generators space points evenly along the curve of moons and circles, so ten of them
    cover it better than ten independent ones would: the paper's figures are of such sets.
    """

    def __init__(self, data: DataSet, rng: np.random.Generator):
        """The source; `rng` places the centres of the blobs."""
        self.data = data
        self.centres = rng.uniform(-10, 10, size=(3, 2))
        self.dimension = 3 if data == "swiss_roll" else 2

    def draw(self, count: int, rng: np.random.Generator) -> Points:
        """`count` points."""
        from sklearn import datasets  # here: costs a second to import

        state = int(rng.integers(2**31))
        if self.data == "blobs":
            x = datasets.make_blobs(count, centers=self.centres, random_state=state)[0]
        else:
            make = getattr(datasets, f"make_{self.data}")
            x = make(count, noise=_NOISE, random_state=state)[0]
        return Points(np.asarray(x))


def build(config: KdeConfig, seed: int, display: Display | None = None) -> Task[Points]:
    """The kernel-density task; `seed` draws the real and the held-out points."""
    rng = np.random.default_rng([seed, 1])
    source = Source(config.data, rng)
    real, reference = source.draw(config.count, rng), source.draw(config.held_out, rng)

    def judge(model: KernelDensityModel) -> Scalars:
        return {name: float(value) for name, value in figures(model, reference.x).items()}

    return Task(
        real=real,
        reference=reference,
        make_model=lambda rng: KernelDensityModel(source.dimension, config.bandwidth, config.bias),
        corrector=Strength(TargetDraw(source.draw), config.corrector.gamma),
        metrics=(),
        draw_real=source.draw,
        model_metrics=(judge,),
    )


def figures(model: KernelDensityModel, held_out: np.ndarray) -> Scores:
    """Figures (...) of kernel density estimates on held-out points (..., M, D)."""
    spread = model.points.var(axis=-2).sum(-1) + held_out.shape[-1] * model.width() ** 2
    return {
        "nll": -model.log_density(held_out).mean(-1),
        "variance_ratio": spread / held_out.var(axis=-2).sum(-1),
    }


def build_seeds(config: KdeConfig, seeds: Sequence[int]) -> SeedsTask:
    """The task of several seeds at once."""
    tasks = tuple(build(config, seed) for seed in seeds)
    held_out = np.stack([task.reference.x for task in tasks])
    model = KernelDensityModel(held_out.shape[-1], config.bandwidth, config.bias)
    return SeedsTask(tasks, model, lambda model: figures(model, held_out))
