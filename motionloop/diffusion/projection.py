"""Projection inside sampling: at chosen steps the estimate of the clean sample is repaired.

A sampler goes from noise to a sample by way of estimates of the clean sample. Where a projection
knows what a clean sample must obey, such as physics, the estimates of some steps are projected
before the sampler goes on from them: the following steps make up for what the projection spoilt.
Yuan et al., PhysDiff: Physics-guided human motion diffusion model (2023), section 3, who found
that a few projections at the end serve best.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from motionloop.diffusion.denoiser import Denoiser
from motionloop.diffusion.sampler import Sampler
from motionloop.samples import InputError


def last_steps(steps: int, projections: int, spacing: int = 1) -> frozenset[int]:
    """The steps, counted from 0, that end with the last one and are `spacing` apart.

    Raises:
        InputError: they do not fit into `steps`.
    """
    if projections < 1 or spacing < 1 or (projections - 1) * spacing >= steps:
        raise InputError(
            f"{projections} projections, {spacing} steps apart, do not fit into {steps} steps; "
            "take fewer or closer ones, at least 1 of each"
        )
    return frozenset(steps - 1 - i * spacing for i in range(projections))


@dataclass(frozen=True)
class ProjectedSampler:
    """A `Sampler` that projects the estimates of some steps of another one.

    Attributes:
        sampler: goes on from the estimates.
        project: maps an estimate (B, ...) to the nearest allowed one.
        steps: at which denoiser calls, counted from 0. With the last one among them the samples
            themselves are allowed ones.
    """

    sampler: Sampler
    project: Callable[[Tensor], Tensor]
    steps: frozenset[int]

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
        calls = count()

        def projected(x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
            x = denoiser(x_t, t, label, mask)
            return self.project(x) if next(calls) in self.steps else x

        return self.sampler(projected, noise, label, mask, generator, on_step)
