"""Method: how a network learns to make samples, and how it then makes them.

A method knows no data and no architecture. DDPM, EDM and flow matching call the same networks,
`network(x_t, t, label, mask)`, and differ in what the network's output means; in each of them it
is an affine function of the sample that is sought, so that guidance, which mixes outputs, means
the same everywhere.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from motionloop.diffusion.denoiser import Denoiser
from motionloop.diffusion.descent import Player

Batch = Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor | None]]
"""Gives the clean samples x (B, ...) and the labels (B,), or None, of the rows (B,)."""


class Method(Protocol):
    """A way to learn and to sample."""

    def players(self, network: nn.Module, batch: Batch) -> list[Player]:
        """The losses of `network` on the data that `batch` gives."""
        ...

    def sample(
        self,
        network: Denoiser,
        noise: Tensor,
        label: Tensor | None,
        generator: torch.Generator,
        on_step: Callable[[int], None] | None = None,
    ) -> Tensor:
        """Samples (B, ...) from noise (B, ...) of N(0, I), without gradients.

        Args:
            network: the trained network, guided or not.
            noise: one draw a sample.
            label: (B,) class numbers, or None.
            generator: of the CPU, where further draws come from.
            on_step: called with the number of steps done.
        """
        ...

    @property
    def steps(self) -> int:
        """Steps of a draw, for its progress."""
        ...
