"""SelfGuided: steers a model away from what it becomes when it trains on its own samples.

After every fit, a copy theta_s of the model theta is fine-tuned on the model's own samples. Then

    sims   output = (1 + w) f(x; theta) - w f(x; theta_s)     in every step of a draw
    neon   theta_neon = theta - w (theta_s - theta)           once

Alemohammad et al., Self-Improving Diffusion Models with Synthetic Data (2024), equation 5, and
Alemohammad et al., Neon: Negative Extrapolation from Self-Training (2025), equation 3. The loop
goes on from theta; only samples are drawn with the guidance.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

import numpy as np
from torch import Tensor

from motionloop.diffusion.checkpoint import read_checkpoint, write_checkpoint
from motionloop.diffusion.denoiser import Denoiser
from motionloop.interfaces import GenerativeModel, Scalars
from motionloop.models.neural import NeuralModel, Weights
from motionloop.samples import InputError, Samples

S = TypeVar("S", bound=Samples)


@dataclass(frozen=True)
class SelfGuidanceConfig:
    """Negative guidance by the model's own samples.

    Attributes:
        variant: none, sims (guides every step; for ddpm, edm and otcfm) or neon (moves the weights;
            for every method).
        weight: w, how far away.
        ratio: own samples that the copy trains on, per training sample.
        steps: optimiser steps of the copy.
    """

    variant: Literal["none", "sims", "neon"] = "none"
    weight: float = 1.0
    ratio: float = 1.0
    steps: int = 100

    def __post_init__(self):
        for name, least in (("weight", 0), ("steps", 1)):
            if not getattr(self, name) >= least:
                raise InputError(
                    f"self_guidance.{name} is {getattr(self, name)}; it must be at least {least}"
                )
        if not self.ratio > 0:
            raise InputError(f"self_guidance.ratio is {self.ratio}; it must be positive")


class SelfGuided(Generic[S]):
    """A `GenerativeModel[S]` around a `NeuralModel[S]`."""

    def __init__(self, model: NeuralModel[S], config: SelfGuidanceConfig):
        """Wrap an untrained model; `config.variant` is sims or neon."""
        self.model, self.config = model, config
        self._worse: Weights = {}

    def fit(self, data: S, steps: int, rng: np.random.Generator) -> Scalars:
        """Fit the model, and its copy on its own samples; adds `self_train_loss`."""
        scalars = self.model.fit(data, steps, rng)
        own = self.model.sample(max(1, round(self.config.ratio * len(data))), rng)
        worse = self.model.branch()
        trained = worse.fit(own, self.config.steps, rng)
        self._worse = worse.weights()
        return {**scalars, **{f"self_{name}": value for name, value in trained.items()}}

    def sample(self, count: int, rng: np.random.Generator) -> S:
        """Draw samples with the guidance."""
        guide = self._sims if self.config.variant == "sims" else self._neon()
        return self.model.sample_with(guide, count, rng)

    def save(self, path: Path) -> None:
        """Write the model and its copy to one safetensors file, whole or not at all."""
        groups = {**self.model.state(), "worse": self._worse}
        write_checkpoint(Path(path), groups, self.model.identity)

    def load(self, path: Path) -> None:
        """Restore what `save` wrote.

        Raises:
            InputError: the file is missing or damaged, or of a model with other settings.
        """
        groups, facts = read_checkpoint(Path(path))
        if "worse" not in groups:
            raise InputError(
                f"{path} was made without self-guidance; set self_guidance.variant none"
            )
        self.model.restore(groups, facts, Path(path))
        self._worse = {n: tensor.to(self.model.device) for n, tensor in groups["worse"].items()}

    def _sims(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        better = self.model.estimate(x_t, t, label, mask)
        worse = self.model.estimate_with(self._worse, x_t, t, label, mask)
        return better + self.config.weight * (better - worse)

    def _neon(self) -> Denoiser:
        away = {
            name: value + self.config.weight * (value - self._worse[name])
            for name, value in self.model.weights().items()
        }
        return lambda x_t, t, label, mask: self.model.estimate_with(away, x_t, t, label, mask)


def self_guided(model: NeuralModel[S], config: SelfGuidanceConfig) -> GenerativeModel[S]:
    """The model with the guidance that the configuration names."""
    return model if config.variant == "none" else SelfGuided(model, config)
