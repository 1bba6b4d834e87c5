"""The sampler: from pure noise to samples, one denoiser call a step.

It goes from time t to an earlier time s with an estimate x of the clean sample:

    x_s = alpha_s x + sqrt(sigma_s^2 - nu^2) eps + nu z

with eps = (x_t - alpha_t x) / sigma_t and nu = eta sigma_s sqrt(tau), where
tau = 1 - (alpha_t sigma_s / (alpha_s sigma_t))^2. Without eta it is DDIM's deterministic path; with
eta = 1 it is DDPM's ancestral sampling, x_s ~ q(x_s | x_t, x).
Ho et al., Denoising Diffusion Probabilistic Models (2020), equations 6-7; Song et al., Denoising
Diffusion Implicit Models (2021), equations 12 and 16.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from motionloop.diffusion.denoiser import Denoiser
from motionloop.diffusion.noise import Schedule
from motionloop.samples import InputError


class Sampler(Protocol):
    """Turns noise into samples."""

    def __call__(
        self,
        denoiser: Denoiser,
        noise: Tensor,
        label: Tensor | None,
        mask: Tensor | None,
        generator: torch.Generator | None,
        on_step: Callable[[int], None] | None = None,
    ) -> Tensor:
        """The samples, with the shape of `noise`.

        Args:
            denoiser: estimates clean samples.
            noise: (B, ...) drawn from N(0, I): x_t at t = 1.
            label: (B,) class numbers, or None.
            mask: (B, T) true on the frames that count, or None.
            generator: where a random sampler draws from. A generator of the CPU serves noise on
                any device, so that one seed gives the same draw everywhere.
            on_step: called with the number of steps done.
        """
        ...


@dataclass(frozen=True)
class DDIMSampler:
    """Follows the estimate along a smooth path, `eta` of it random.

    Attributes:
        schedule: the noise that the denoiser was trained with.
        steps: denoiser calls.
        eta: 0 is deterministic given the first noise (DDIM), 1 ancestral (DDPM).
    """

    schedule: Schedule
    steps: int = 20
    eta: float = 0.0

    def __post_init__(self):
        if self.steps < 1:
            raise InputError(f"a sampler has {self.steps} steps; it needs at least 1")
        if not 0 <= self.eta <= 1:
            raise InputError(f"eta is {self.eta}; it must lie in [0, 1]")

    @torch.no_grad()
    def __call__(
        self,
        denoiser: Denoiser,
        noise: Tensor,
        label: Tensor | None,
        mask: Tensor | None,
        generator: torch.Generator | None,
        on_step: Callable[[int], None] | None = None,
    ) -> Tensor:
        """The samples, with the shape of `noise`."""
        x_t = noise
        times, alphas, sigmas = _grid(self.schedule, self.steps)
        for i in range(self.steps):
            x = denoiser(x_t, _batch_time(times[i], x_t), label, mask)
            alpha_t, alpha_s, sigma_t, sigma_s = alphas[i], alphas[i + 1], sigmas[i], sigmas[i + 1]
            eps = (x_t - alpha_t * x) / sigma_t
            tau = 1 - (alpha_t * sigma_s / (alpha_s * sigma_t)) ** 2
            nu = self.eta * sigma_s * max(tau, 0.0) ** 0.5
            x_t = alpha_s * x + max(sigma_s**2 - nu**2, 0.0) ** 0.5 * eps
            if nu > 0:
                x_t = x_t + nu * _normal(x_t, generator)
            if on_step is not None:
                on_step(i + 1)
        return x_t


def _grid(schedule: Schedule, steps: int) -> tuple[list[float], list[float], list[float]]:
    """Times from 1 to 0 with their alphas and sigmas; time 0 is made exactly clean."""
    times = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    alphas, sigmas = (scale.tolist() for scale in schedule(times))
    alphas[-1], sigmas[-1] = 1.0, 0.0
    return times.tolist(), alphas, sigmas


def _batch_time(t: float, x: Tensor) -> Tensor:
    return torch.full((len(x),), t, dtype=x.dtype, device=x.device)


def _normal(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Noise like x, drawn on the generator's own device."""
    device = x.device if generator is None else generator.device
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)
