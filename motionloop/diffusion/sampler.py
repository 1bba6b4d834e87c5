"""Samplers: from pure noise to samples, one denoiser call a step.

Both go from time t to an earlier time s with an estimate x of the clean sample:

    DDPM  x_s ~ q(x_s | x_t, x)                                  (ancestral, always random)
    DDIM  x_s = alpha_s x + sqrt(sigma_s^2 - nu^2) eps + nu z    (deterministic at eta = 0)

with eps = (x_t - alpha_t x) / sigma_t and nu = eta sigma_s sqrt(tau), where
tau = 1 - (alpha_t sigma_s / (alpha_s sigma_t))^2. DDIM with eta = 1 has DDPM's distribution.
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
class DDPMSampler:
    """Ancestral sampling: each step draws from the posterior of x_s given x_t and the estimate.

    Attributes:
        schedule: the noise that the denoiser was trained with.
        steps: denoiser calls.
    """

    schedule: Schedule
    steps: int = 1000

    def __post_init__(self):
        _check_steps(self.steps)

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
            ratio = alpha_t / alpha_s  # signal that survives the step from s to t
            variance_step = sigma_t**2 - (ratio * sigma_s) ** 2  # noise that it adds
            mean = ratio * (sigma_s / sigma_t) ** 2 * x_t + alpha_s * variance_step / sigma_t**2 * x
            deviation = sigma_s * variance_step**0.5 / sigma_t
            x_t = mean + deviation * _normal(x_t, generator) if i + 1 < self.steps else x
            if on_step is not None:
                on_step(i + 1)
        return x_t


@dataclass(frozen=True)
class DDIMSampler:
    """Implicit sampling: follows the estimate along a smooth path, `eta` of it random.

    Attributes:
        schedule: the noise that the denoiser was trained with.
        steps: denoiser calls.
        eta: 0 is deterministic given the first noise, 1 as random as DDPM.
    """

    schedule: Schedule
    steps: int = 20
    eta: float = 0.0

    def __post_init__(self):
        _check_steps(self.steps)
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


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise InputError(f"a sampler has {steps} steps; it needs at least 1")


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
