"""DDPM as a method: the network predicts the velocity v between sample and noise.

    v = alpha_t eps - sigma_t x,   x = alpha_t x_t - sigma_t v,
    loss = mean |network(x_t, t) - v|^2

Ho et al., Denoising Diffusion Probabilistic Models (2020), in the parametrisation of Salimans &
Ho, Progressive Distillation (2022), which is sound where a schedule has no signal left. Sampled
by DDIM or ancestrally, see `sampler.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionloop.diffusion.denoiser import Denoiser
from motionloop.diffusion.descent import Player
from motionloop.diffusion.method import Batch
from motionloop.diffusion.noise import Schedule, over
from motionloop.diffusion.sampler import DDIMSampler
from motionloop.diffusion.training import spread_times


@dataclass(frozen=True)
class VelocityDenoiser:
    """A `Denoiser` made of a network that predicts v.

    Attributes:
        network: predicts v.
        schedule: the noise that it was trained with.
    """

    network: Denoiser
    schedule: Schedule

    def __call__(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """The estimate of x, with the shape of x_t."""
        alpha, sigma = self.schedule(t)
        return over(alpha, x_t) * x_t - over(sigma, x_t) * self.network(x_t, t, label, mask)


@dataclass(frozen=True)
class DDPM:
    """Denoising diffusion in discrete sampling steps.

    Attributes:
        sampler: its schedule is that of the training.
        temperature: standard deviation of the first noise; below 1 trades variety for samples
            that are more typical.
    """

    sampler: DDIMSampler
    temperature: float = 1.0

    @property
    def steps(self) -> int:
        """Steps of a draw."""
        return self.sampler.steps

    def players(self, network: nn.Module, batch: Batch) -> list[Player]:
        """The one loss."""

        def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
            x, label = batch(rows, generator)
            t = spread_times(len(x), generator).to(x.device)
            noise = torch.randn(x.shape, generator=generator).to(x.device)
            alpha, sigma = (over(scale, x) for scale in self.sampler.schedule(t))
            velocity = network(alpha * x + sigma * noise, t, label, None).float()
            return (velocity - (alpha * noise - sigma * x)).square().mean()

        return [Player(network, loss)]

    def sample(
        self,
        network: Denoiser,
        noise: Tensor,
        label: Tensor | None,
        generator: torch.Generator,
        on_step: Callable[[int], None] | None = None,
    ) -> Tensor:
        """See `Method.sample`."""
        denoiser = VelocityDenoiser(network, self.sampler.schedule)
        return self.sampler(denoiser, self.temperature * noise, label, None, generator, on_step)
