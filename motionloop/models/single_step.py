"""SingleStep: what methods share that make a sample with one call of the network."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from motionloop.diffusion.denoiser import Denoiser


class SingleStep(ABC):
    """The sampling half of a `Method`; what the call is, is `draw`."""

    @property
    def steps(self) -> int:
        """One."""
        return 1

    @torch.no_grad()
    def sample(
        self,
        network: Denoiser,
        noise: Tensor,
        label: Tensor | None,
        generator: torch.Generator,
        on_step: Callable[[int], None] | None = None,
    ) -> Tensor:
        """See `Method.sample`; noise is (B, *noise_shape) of the network."""
        x = self.draw(network, noise, label)
        if on_step is not None:
            on_step(1)
        return x

    @abstractmethod
    def draw(self, network: Denoiser, noise: Tensor, label: Tensor | None) -> Tensor:
        """Samples (B, ...) of noise (B, ...) and labels (B,)."""
