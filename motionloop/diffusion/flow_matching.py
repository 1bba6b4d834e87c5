"""OT-CFM: a velocity field that carries noise to data along nearly straight lines.

    x_t = (1 - t) x_0 + t x_1,   loss = mean |network(x_t, t) - (x_1 - x_0)|^2,   x_0 ~ N(0, I),

where noise x_0 and data x_1 of a batch are paired by optimal transport: Tong et al., Improving and
Generalizing Flow-Based Generative Models with Minibatch Optimal Transport (2024), with sigma = 0.
With labels, the pairs are made class by class: pairs across classes would make the noise that a
class is trained on other than N(0, I), from which it is sampled.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from motionloop.diffusion.denoiser import Denoiser
from motionloop.diffusion.descent import Player
from motionloop.diffusion.method import Batch
from motionloop.diffusion.noise import over
from motionloop.samples import InputError


def transport_pairs(noise: Tensor, x: Tensor, label: Tensor | None) -> Tensor:
    """The noise (B, ...) reordered so that noise i belongs to x i, at least squared distance.

    Only noise of samples with the same label (B,) changes places.
    """
    import ot  # here: costs half a second to import

    paired = noise.clone()
    squared = torch.cdist(noise.flatten(1).double(), x.flatten(1).double()).square().cpu().numpy()
    groups = np.zeros(len(x)) if label is None else label.cpu().numpy()
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        uniform = np.full(len(rows), 1 / len(rows))
        plan = np.asarray(ot.emd(uniform, uniform, squared[np.ix_(rows, rows)]))
        paired[torch.from_numpy(rows)] = noise[torch.from_numpy(rows[plan.argmax(axis=0)])]
    return paired


@dataclass(frozen=True)
class FlowMatching:
    """Conditional flow matching.

    Attributes:
        steps: of the midpoint rule; each costs two network calls.
        transport: pair noise and data by optimal transport; else independently.
        temperature: standard deviation of the noise that samples start from; below 1 trades
            variety for samples that are more typical.
    """

    steps: int = 10
    transport: bool = True
    temperature: float = 1.0

    def __post_init__(self):
        if self.steps < 1:
            raise InputError(f"flow matching samples in {self.steps} steps; it needs at least 1")

    def players(self, network: nn.Module, batch: Batch) -> list[Player]:
        """The one loss."""

        def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
            x, label = batch(rows, generator)
            noise = torch.randn(x.shape, generator=generator).to(x.device)
            if self.transport:
                noise = transport_pairs(noise, x, label)
            t = torch.rand(len(x), generator=generator).to(x.device)
            x_t = noise + over(t, x) * (x - noise)
            return (network(x_t, t, label, None).float() - (x - noise)).square().mean()

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
        x, width = self.temperature * noise, 1 / self.steps

        def velocity(x: Tensor, t: float) -> Tensor:
            return network(x, x.new_full((len(x),), t), label, None)

        for step in range(self.steps):
            t = step * width
            middle = x + width / 2 * velocity(x, t)
            x = x + width * velocity(middle, t + width / 2)
            if on_step is not None:
                on_step(step + 1)
        return x
