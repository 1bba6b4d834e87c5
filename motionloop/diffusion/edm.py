"""EDM: diffusion in the preconditioning of Karras et al., sampled by Heun's method.

    D(x; s) = c_skip x + c_out F(c_in x, ln(s) / 4),        s the standard deviation of the noise,
    c_skip = d^2 / (s^2 + d^2),  c_out = s d / sqrt(s^2 + d^2),  c_in = 1 / sqrt(s^2 + d^2),
    loss = mean |F - (x - c_skip x_s) / c_out|^2,            ln s ~ N(-1.2, 1.2^2),

with d the standard deviation of the data. Karras et al., Elucidating the Design Space of
Diffusion-Based Generative Models (2022), table 1 and algorithm 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionloop.diffusion.denoiser import Denoiser
from motionloop.diffusion.descent import Player
from motionloop.diffusion.method import Batch
from motionloop.diffusion.noise import over
from motionloop.samples import InputError


@dataclass(frozen=True)
class Preconditioned:
    """A `Denoiser` in which noise of deviation s stands beside a sample of deviation d.

    Its time t is s itself.

    Attributes:
        network: F of the module's formula.
        data_deviation: d.
    """

    network: Denoiser
    data_deviation: float

    def __call__(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """The estimate of x, with the shape of x_t."""
        skip, out = (over(scale, x_t) for scale in self.skip_and_out(t))
        return skip * x_t + out * self.raw(x_t, t, label, mask)

    def raw(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """F of the module's formula."""
        total = (t**2 + self.data_deviation**2).sqrt()
        return self.network(x_t / over(total, x_t), t.log() / 4, label, mask)

    def skip_and_out(self, s: Tensor) -> tuple[Tensor, Tensor]:
        """c_skip and c_out, each with the shape of s."""
        squared = s**2 + self.data_deviation**2
        return self.data_deviation**2 / squared, s * self.data_deviation / squared.sqrt()


def noise_levels(steps: int, smallest: float, largest: float, rho: float) -> list[float]:
    """Noise levels of a draw, falling from the largest to the smallest, then 0 (equation 5)."""
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    low, high = smallest ** (1 / rho), largest ** (1 / rho)
    return [*((high + ramp * (low - high)) ** rho).tolist(), 0.0]


@dataclass(frozen=True)
class EDM:
    """Preconditioned diffusion.

    Attributes:
        steps: noise levels of a draw; each costs two network calls, the last one.
        data_deviation: standard deviation of the data.
        smallest: least noise of a draw.
        largest: its first noise.
        rho: how much of the steps small noise gets.
        log_mean: mean of ln s in training.
        log_deviation: standard deviation of ln s in training.
        temperature: scales the first noise; below 1 trades variety for typical samples.
    """

    steps: int = 18
    data_deviation: float = 0.5
    smallest: float = 0.002
    largest: float = 80.0
    rho: float = 7.0
    log_mean: float = -1.2
    log_deviation: float = 1.2
    temperature: float = 1.0

    def __post_init__(self):
        if self.steps < 2:
            raise InputError(f"EDM samples in {self.steps} steps; it needs at least 2")

    def players(self, network: nn.Module, batch: Batch) -> list[Player]:
        """The one loss."""
        denoiser = Preconditioned(network, self.data_deviation)

        def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
            x, label = batch(rows, generator)
            normal = torch.randn(len(x), generator=generator).to(x.device)
            s = (self.log_mean + self.log_deviation * normal).exp()
            noise = torch.randn(x.shape, generator=generator).to(x.device)
            x_s = x + over(s, x) * noise
            skip, out = (over(scale, x) for scale in denoiser.skip_and_out(s))
            raw = denoiser.raw(x_s, s, label, None).float()
            return (raw - (x - skip * x_s) / out).square().mean()

        return [Player(network, loss)]

    @torch.no_grad()
    def sample(
        self,
        network: Denoiser,
        noise: Tensor,
        label: Tensor | None,
        generator: torch.Generator,
        on_step: Callable[[int], None] | None = None,
    ) -> Tensor:
        """See `Method.sample`; deterministic given the noise."""
        denoiser = Preconditioned(network, self.data_deviation)
        levels = noise_levels(self.steps, self.smallest, self.largest, self.rho)
        x = self.temperature * levels[0] * noise

        def slope(x: Tensor, s: float) -> Tensor:
            return (x - denoiser(x, x.new_full((len(x),), s), label, None)) / s

        for step, (s, following) in enumerate(zip(levels, levels[1:])):
            first = slope(x, s)
            ahead = x + (following - s) * first
            if following > 0:
                ahead = x + (following - s) * (first + slope(ahead, following)) / 2
            x = ahead
            if on_step is not None:
                on_step(step + 1)
        return x
