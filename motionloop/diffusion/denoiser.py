"""Denoisers: estimate the clean sample from a noisy one.

A denoiser that minimises the squared error returns the posterior mean E[x | x_t]. For Gaussian
data this mean has a closed form, `GaussianDenoiser`, the baseline and the oracle of the tests:

    E[x | x_t] = mu + alpha Sigma (alpha^2 Sigma + sigma^2 I)^-1 (x_t - alpha mu)

`Guided` wraps any denoiser: Ho & Salimans, Classifier-Free Diffusion Guidance (2022).
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from motionloop.diffusion.noise import Schedule


class Denoiser(Protocol):
    """Estimates clean samples."""

    def __call__(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """The estimate of x, with the shape of x_t.

        Args:
            x_t: (B, ...) noisy samples; sequences are (B, T, D).
            t: (B,) times in [0, 1].
            label: (B,) class numbers, or None where there are no classes.
            mask: (B, T) true on the frames that count, or None where all do.
        """
        ...


class GaussianDenoiser:
    """The exact denoiser for samples from N(mean, covariance), flattened to vectors.

    Labels and masks change nothing.
    """

    def __init__(self, schedule: Schedule, mean: Tensor, covariance: Tensor):
        """Take the mean (K,) and the covariance (K, K), where K is the product of x's axes."""
        self.schedule = schedule
        self.mean = mean
        self.variances, self.axes = torch.linalg.eigh(covariance)

    def __call__(
        self, x_t: Tensor, t: Tensor, label: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """E[x | x_t], with the shape of x_t."""
        alpha, sigma = (scale.view(-1, 1) for scale in self.schedule(t))
        gain = alpha * self.variances / (alpha**2 * self.variances + sigma**2)  # (B, K)
        centred = (x_t.flatten(1) - alpha * self.mean) @ self.axes
        return (self.mean + (centred * gain) @ self.axes.T).view_as(x_t)


@dataclass(frozen=True)
class Guided:
    """Classifier-free guidance: pushes the estimate from the unconditional one by `scale`.

        x = (1 - scale) x(no label) + scale x(label)

    Attributes:
        denoiser: was trained with labels dropped, so that it knows `null_label`.
        scale: 1 is the plain conditional estimate, 0 the unconditional one, above 1 exaggerates.
        null_label: the class number that means no label.
    """

    denoiser: Denoiser
    scale: float
    null_label: int

    def __call__(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """The guided estimate, with the shape of x_t; one pass over a batch of twice the size."""
        if label is None or self.scale == 1.0:
            return self.denoiser(x_t, t, label, mask)
        none = torch.full_like(label, self.null_label)
        both = self.denoiser(
            torch.cat([x_t, x_t]),
            torch.cat([t, t]),
            torch.cat([label, none]),
            None if mask is None else torch.cat([mask, mask]),
        )
        conditional, unconditional = both.chunk(2)
        return unconditional + self.scale * (conditional - unconditional)
