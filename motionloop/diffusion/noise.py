"""Noise: how signal turns into noise as time goes from 0 to 1.

    x_t = alpha_t x + sigma_t eps,   eps ~ N(0, I),   alpha_t^2 + sigma_t^2 = 1

Both schedules are variance preserving: data of unit variance keep unit variance at all times.
Ho et al., Denoising Diffusion Probabilistic Models (2020); Nichol & Dhariwal, Improved DDPM (2021).
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Schedule(Protocol):
    """The scales of signal and noise over time."""

    def __call__(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """alpha_t and sigma_t, each with the shape of `t`, which lies in [0, 1]."""
        ...


@dataclass(frozen=True)
class CosineSchedule:
    """alpha_t = cos(pi/2 (t + s) / (1 + s)) / cos(pi/2 s / (1 + s)), zero signal at t = 1.

    Nichol & Dhariwal (2021), equation 17, in continuous time.

    Attributes:
        offset: s, which keeps the first steps from being vanishingly small.
    """

    offset: float = 0.008

    def __call__(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """alpha_t and sigma_t, each with the shape of `t`."""
        start = math.cos(math.pi / 2 * self.offset / (1 + self.offset))
        alpha = torch.cos(math.pi / 2 * (t + self.offset) / (1 + self.offset)) / start
        alpha = alpha.clamp(0.0, 1.0)
        return alpha, (1 - alpha**2).sqrt()


@dataclass(frozen=True)
class LinearSchedule:
    """alpha_t = exp(-(beta_min t + (beta_max - beta_min) t^2 / 2) / 2): noise rate linear in time.

    The continuous form of DDPM's linear betas: S steps from b_0 to b_1 are beta_min = S b_0 and
    beta_max = S b_1. Song et al., Score-Based Generative Modeling through SDEs (2021), equation 33.

    Attributes:
        beta_min: noise rate at t = 0, per unit of time.
        beta_max: noise rate at t = 1, per unit of time.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __call__(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """alpha_t and sigma_t, each with the shape of `t`."""
        exponent = self.beta_min * t + (self.beta_max - self.beta_min) * t**2 / 2
        return torch.exp(-exponent / 2), torch.sqrt(-torch.expm1(-exponent))


def over(scale: Tensor, x: Tensor) -> Tensor:
    """A scale per sample (B,) with trailing axes of one, so that it multiplies x (B, ...)."""
    return scale.view(-1, *[1] * (x.ndim - 1))


def add_noise(schedule: Schedule, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """x_t of clean samples x (B, ...) at times t (B,) with the given noise (B, ...)."""
    alpha, sigma = schedule(t)
    return over(alpha, x) * x + over(sigma, x) * noise
