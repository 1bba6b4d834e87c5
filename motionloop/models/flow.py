"""Normalizing flow: an invertible map between noise and data, trained on the exact likelihood.

    log p(x) = log N(z; 0, I) + log |det dz/dx|,   z = f(x | label),
    samples x = f^-1(temperature z)

The layers are zuko's coupling layers: rational-quadratic splines for points (Durkan et al., Neural
Spline Flows, 2019), affine ones for images (Dinh et al., Density Estimation Using Real NVP, 2017).
Scaling the latent by a temperature is the sampling bias of flows in Alemohammad et al.,
Self-Consuming Generative Models Go MAD (2024).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from motionloop.diffusion.denoiser import Denoiser
from motionloop.diffusion.descent import Player
from motionloop.diffusion.method import Batch
from motionloop.models.single_step import SingleStep


@dataclass(frozen=True)
class FlowConfig:
    """The size of a FlowNetwork.

    Attributes:
        shape: of one sample.
        classes: classes that condition it; 0 for none.
        layers: coupling layers.
        width: hidden numbers of a layer's perceptron, which has two hidden layers.
        spline: splines instead of affine maps.
    """

    shape: tuple[int, ...]
    classes: int
    layers: int = 4
    width: int = 64
    spline: bool = True


class FlowNetwork(nn.Module):
    """The map from noise to samples; `log_density` goes the other way."""

    def __init__(self, config: FlowConfig):
        super().__init__()
        import zuko

        self.shape, self.classes = config.shape, config.classes
        kind = zuko.flows.NSF if config.spline else zuko.flows.MAF
        self.flow = kind(
            int(torch.Size(config.shape).numel()),
            config.classes,
            transforms=config.layers,
            hidden_features=(config.width, config.width),
            passes=2,  # coupling: half of the numbers condition the other half
            randperm=not config.spline,
        )

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """Samples of noise x_t, with its shape; `t` and `mask` change nothing."""
        return self._law(label).transform.inv(x_t.flatten(1)).view(-1, *self.shape)

    def log_density(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Log p (B,) of samples (B, *shape), in nats."""
        return self._law(label).log_prob(x.flatten(1))

    def _law(self, label: Tensor | None):
        if label is None:
            return self.flow()
        return self.flow(functional.one_hot(label, self.classes).float())


@dataclass(frozen=True)
class Likelihood(SingleStep):
    """A `Method`: maximum likelihood.

    Attributes:
        temperature: scale of the latent; below 1 trades variety for samples that are typical.
        noise: standard deviation of the noise added to the data in training; data that take few
            values, such as pixels, need some, or the density grows without bound.
    """

    temperature: float = 1.0
    noise: float = 0.0

    def players(self, network: nn.Module, batch: Batch) -> list[Player]:
        """The one loss, in nats a dimension."""

        def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
            x, label = batch(rows, generator)
            if self.noise > 0:
                x = x + self.noise * torch.randn(x.shape, generator=generator).to(x.device)
            return -network.log_density(x, label).mean() / x[0].numel()  # type: ignore[operator]

        return [Player(network, loss)]

    def draw(self, network: Denoiser, noise: Tensor, label: Tensor | None) -> Tensor:
        """See `SingleStep.draw`."""
        return network(self.temperature * noise, noise.new_zeros(len(noise)), label, None)
