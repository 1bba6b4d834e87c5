"""The mixture task: neural models of laws on the plane, where collapse can be seen and measured.

Eight or twenty-five Gaussians, two moons, the Rosenbrock bend (`planar.py`), learned by a flow,
flow matching or diffusion: the synthetic experiments of Bertrand et al. (2024) and of the appendix
of Alemohammad et al., Self-Consuming Generative Models Go MAD (2024). New real points never run
out, and the true density is known.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from motionloop.correctors.nearest import Nearest, class_means
from motionloop.correctors.verifier import Verifier, check_keep
from motionloop.diffusion.device import resolve_device
from motionloop.diffusion.perceptron import Perceptron, PerceptronConfig
from motionloop.interfaces import Corrector, Display, GenerativeModel, Scalars, Task
from motionloop.metrics.points import PointMetrics
from motionloop.models.build import ModelConfig
from motionloop.models.flow import FlowConfig, FlowNetwork
from motionloop.models.gaussian import Points
from motionloop.models.neural import NeuralModel
from motionloop.models.self_guidance import SelfGuidanceConfig, SelfGuided, self_guided
from motionloop.samples import InputError
from motionloop.strength import Identity, Strength, check_gamma
from motionloop.tasks.planar import LawName, Modes, PlanarLaw, planar_law

HEADLINE = ("w2", "cross_entropy", "precision", "recall", "on_mode", "modes")
CURVES = ("w2", "cross_entropy", "precision", "recall", "density", "coverage", "on_mode", "modes",
          "nll", "corrector/moved", "corrector/kept")  # fmt: skip
REFERENCE = 1000  # held-out points


@dataclass(frozen=True)
class MixtureCorrectorConfig:
    """How synthetic points are corrected.

    Attributes:
        rule: none; target (a new draw of the law, the idealised operator of SCSC); means (the
            nearest of k means of the real points); nearest (the nearest real point); verifier
            (keeps the share that is likeliest under the law).
        gamma: correction strength in [0, inf].
        means: k of `means`.
        keep: share that the verifier keeps.
    """

    rule: Literal["none", "target", "means", "nearest", "verifier"] = "none"
    gamma: float = float("inf")
    means: int = 32
    keep: float = 0.5

    def __post_init__(self):
        check_gamma(self.gamma)
        check_keep(self.keep)
        if self.means < 1:
            raise InputError(f"corrector.means is {self.means}; it must be at least 1")


@dataclass(frozen=True)
class MixtureConfig:
    """Settings of the mixture task.

    Attributes:
        law: eight_gaussians, twentyfive_gaussians, two_moons or rosenbrock.
        count: real points, drawn once.
        neighbours: k of precision, recall, density and coverage.
        device: auto, cpu or cuda.
        threads: of the model's arithmetic on the CPU.
        model: the generative model.
        self_guidance: steering away from the model's own samples.
        corrector: how synthetic points are corrected.
    """

    law: LawName = "eight_gaussians"
    count: int = 1000
    neighbours: int = 5
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = 1
    model: ModelConfig = field(
        default_factory=lambda: ModelConfig(
            width=64, blocks=3, learning_rate=3e-3, data_deviation=1.0
        )
    )
    self_guidance: SelfGuidanceConfig = field(default_factory=SelfGuidanceConfig)
    corrector: MixtureCorrectorConfig = field(default_factory=MixtureCorrectorConfig)

    def __post_init__(self):
        for name in ("count", "neighbours", "threads"):
            if getattr(self, name) < 1:
                raise InputError(f"task.{name} is {getattr(self, name)}; it must be at least 1")
        if self.model.method in ("wgan", "stylegan2"):
            raise InputError(f"task.model.method {self.model.method} makes images, not points")
        if self.model.guidance != 1:
            raise InputError("task.model.guidance needs classes, and points have none")
        if self.self_guidance.variant == "sims" and self.model.method == "flow":
            raise InputError("sims guides steps, and a flow has none; take neon")


class PointPacking:
    """Points as tensors of zero mean and unit deviation over the law's real points."""

    shape = (2,)

    def __init__(self, real: np.ndarray):
        """Take the scale of real points (N, 2)."""
        self.mean = real.mean(0)
        self.deviation = np.sqrt(real.var(0).mean()) if len(real) > 1 else 1.0

    def pack(self, samples: Points) -> tuple[torch.Tensor, None]:
        """(N, 2), no labels."""
        return torch.from_numpy((samples.x - self.mean) / self.deviation).float(), None

    def unpack(self, x: torch.Tensor, label: torch.Tensor | None) -> Points:
        """The points of (N, 2)."""
        return Points(x.double().numpy() * self.deviation + self.mean)

    def labels(self, count: int) -> None:
        """No labels."""


def build(config: MixtureConfig, seed: int, display: Display) -> Task[Points]:
    """The mixture task; `seed` draws the real points."""
    resolve_device(config.device)
    torch.set_num_threads(config.threads)
    law = planar_law(config.law)

    def draw_real(count: int, rng: np.random.Generator) -> Points:
        return Points(law.draw(count, rng))

    real = draw_real(config.count, np.random.default_rng([seed, 1]))
    reference = draw_real(REFERENCE, np.random.default_rng([seed, 2]))
    packing = PointPacking(real.x)

    def make_network() -> torch.nn.Module:
        model = config.model
        if model.method == "flow":
            return FlowNetwork(FlowConfig((2,), 0, model.blocks, model.width))
        return Perceptron(PerceptronConfig(2, 0, model.width, model.blocks))

    def make_model(rng: np.random.Generator) -> GenerativeModel[Points]:
        model = NeuralModel(
            make_network, config.model.make_method(), packing, config.model.training(),
            config.model.identity(), rng, device=config.device,
        )  # fmt: skip
        model.on_progress = lambda _, done, total: display.progress("", done, total)
        return self_guided(model, config.self_guidance)

    def nll(model: NeuralModel[Points] | SelfGuided[Points]) -> Scalars:
        """-mean log p of the reference under the flow, nats."""
        inner = model.model if isinstance(model, SelfGuided) else model
        assert isinstance(inner.network, FlowNetwork)
        x, _ = packing.pack(reference)
        with torch.no_grad():
            log_density = inner.network.log_density(x.to(inner.device), None).mean().item()
        return {"nll": 2 * float(np.log(packing.deviation)) - log_density}

    modes = law if isinstance(law, Modes) else None
    return Task(
        real=real,
        reference=reference,
        make_model=make_model,
        corrector=Strength(_corrector(config.corrector, law, real), config.corrector.gamma),
        metrics=(
            PointMetrics(
                law.log_density,
                None if modes is None else modes.centres,
                0.0 if modes is None else modes.deviation,
                config.neighbours,
            ),
        ),
        draw_real=draw_real,
        model_metrics=(nll,) if config.model.method == "flow" else (),
        definitions={
            "w2": f"exact optimal transport to {REFERENCE} held-out points; sliced above 2000",
            "neighbours": f"k = {config.neighbours}, of the points themselves",
        },
        preview=lambda samples, path: _preview(samples, reference, path),
    )


class TargetDraw:
    """The idealised corrector: every point becomes a draw of the law."""

    def __init__(self, law: PlanarLaw):
        self.law = law

    def correct(self, samples: Points, rng: np.random.Generator) -> tuple[Points, Scalars]:
        """As many draws of the law as there are samples."""
        return Points(self.law.draw(len(samples), rng)), {}


def _corrector(config: MixtureCorrectorConfig, law: PlanarLaw, real: Points) -> Corrector[Points]:
    def vectors(samples: Points) -> np.ndarray:
        return samples.x

    def one_class(samples: Points) -> np.ndarray:
        return np.zeros(len(samples), dtype=np.int64)

    match config.rule:
        case "none":
            return Identity()
        case "target":
            return TargetDraw(law)
        case "nearest":
            return Nearest(real, vectors, one_class)
        case "verifier":
            return Verifier(lambda samples: law.log_density(samples.x), one_class, config.keep)
        case "means":
            centres, _ = class_means(real.x, one_class(real), config.means)
            return Nearest(Points(centres), vectors, one_class)


def _preview(samples: Points, reference: Points, path: Path) -> Path:
    """The points over held-out real ones."""
    from matplotlib.figure import Figure

    from motionloop.samples import write_whole

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.scatter(*reference.x.T, s=6, color="0.8", label="real")
    axes.scatter(*samples.x.T, s=6, alpha=0.6, label="generated")
    spread = np.ptp(reference.x, axis=0).max() * 0.6
    middle = (reference.x.max(0) + reference.x.min(0)) / 2
    axes.set(xlim=middle[0] + [-spread, spread], ylim=middle[1] + [-spread, spread], aspect=1)
    axes.legend(loc="upper right", framealpha=1)
    target = path.with_suffix(".png")
    write_whole(target, lambda file: figure.savefig(file, format="png", dpi=100))
    return target
