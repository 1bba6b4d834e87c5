"""WGAN-GP: a generator against a critic whose slope is held at one.

    critic     mean D(G(z)) - mean D(x) + 10 mean (|grad D(x_mix)| - 1)^2     five steps, then
    generator  -mean D(G(z))                                                   one

with x_mix on the straight line between a real and a generated image. Gulrajani et al., Improved
Training of Wasserstein GANs (2017), equation 3 and algorithm 1; conditioned on classes by the
projection of Miyato & Koyama (2018).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from motionloop.diffusion.denoiser import Denoiser
from motionloop.diffusion.descent import Player
from motionloop.diffusion.method import Batch
from motionloop.diffusion.unet import levels
from motionloop.models.single_step import SingleStep


@dataclass(frozen=True)
class GanConfig:
    """The size of a generator and its opponent.

    Attributes:
        channels: of an image.
        size: pixels of an image's side.
        classes: classes that condition it.
        width: channels at full size; every level below has twice as many, at most eight times.
        latent: numbers that an image is made of.
    """

    channels: int
    size: int
    classes: int
    width: int = 32
    latent: int = 64

    def widths(self) -> list[int]:
        """Channels of the levels, from full size down to the smallest."""
        return [self.width * min(2**level, 8) for level in range(levels(self.size))]

    @property
    def bottom(self) -> int:
        """Pixels of the smallest level's side."""
        return self.size // 2 ** (levels(self.size) - 1)


class Generator(nn.Module):
    """Latent and class to image: doubled in size level by level."""

    def __init__(self, config: GanConfig):
        super().__init__()
        widths = config.widths()[::-1]
        self.bottom = config.bottom
        self.embedding = nn.Embedding(config.classes, config.latent)
        self.stem = nn.Linear(2 * config.latent, widths[0] * config.bottom**2)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(scale_factor=2.0),
                nn.Conv2d(wide, narrow, 3, padding=1),
                nn.GroupNorm(min(8, narrow), narrow),
                nn.SiLU(),
                nn.Conv2d(narrow, narrow, 3, padding=1),
                nn.GroupNorm(min(8, narrow), narrow),
                nn.SiLU(),
            )
            for wide, narrow in zip(widths, widths[1:])
        )
        self.head = nn.Conv2d(widths[-1], config.channels, 3, padding=1)

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        """Images (B, C, S, S) in [-1, 1] of latents (B, L) and labels (B,)."""
        x = self.stem(torch.cat([latent, self.embedding(label)], dim=1))
        x = functional.silu(x).view(len(latent), -1, self.bottom, self.bottom)
        for block in self.blocks:
            x = block(x)
        return self.head(x).tanh()


class Critic(nn.Module):
    """Image and class to one number; no normalisation, which would mix the images of a batch."""

    def __init__(self, config: GanConfig):
        super().__init__()
        widths = config.widths()
        self.stem = nn.Conv2d(config.channels, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(narrow, wide, 3, padding=1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(wide, wide, 3, padding=1),
                nn.LeakyReLU(0.2),
                nn.AvgPool2d(2),
            )
            for narrow, wide in zip(widths, widths[1:])
        )
        features = widths[-1] * config.bottom**2
        self.hidden = nn.Linear(features, 4 * config.width)
        # No bias: it cancels in the difference of two means.
        self.head = nn.Linear(4 * config.width, 1, bias=False)
        self.embedding = nn.Embedding(config.classes, 4 * config.width)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Scores (B,) of images (B, C, S, S) with labels (B,)."""
        x = functional.leaky_relu(self.stem(x), 0.2)
        for block in self.blocks:
            x = block(x)
        hidden = functional.leaky_relu(self.hidden(x.flatten(1)), 0.2)
        return self.head(hidden)[:, 0] + (hidden * self.embedding(label)).sum(1)


class WganNetwork(nn.Module):
    """Both players; called, it is the generator."""

    def __init__(self, config: GanConfig):
        super().__init__()
        self.noise_shape = (config.latent,)
        self.generator, self.critic = Generator(config), Critic(config)

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor, mask: Tensor | None) -> Tensor:
        """Images of latents x_t (B, L); `t` and `mask` change nothing."""
        return self.generator(x_t, label)


@dataclass(frozen=True)
class Wasserstein(SingleStep):
    """A `Method`: the game of the module's formula.

    Attributes:
        critic_turns: critic steps for one of the generator.
        penalty: weight of the slope's term.
        temperature: scale of the latent; below 1 trades variety for typical samples.
    """

    critic_turns: int = 5
    penalty: float = 10.0
    temperature: float = 1.0

    def players(self, network: nn.Module, batch: Batch) -> list[Player]:
        """The critic, then the generator."""
        assert isinstance(network, WganNetwork)
        make, judge = network.generator, network.critic

        def drawn(rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
            x, label = batch(rows, generator)
            assert label is not None
            latent = torch.randn((len(x), *network.noise_shape), generator=generator)
            return x, label, make(latent.to(x.device), label)

        def critic_loss(rows: Tensor, generator: torch.Generator) -> Tensor:
            x, label, made = drawn(rows, generator)
            made = made.detach()
            share = torch.rand((len(x), 1, 1, 1), generator=generator).to(x.device)
            mixed = (share * x + (1 - share) * made).requires_grad_()
            (slope,) = torch.autograd.grad(judge(mixed, label).sum(), mixed, create_graph=True)
            penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
            gap = judge(made, label).mean() - judge(x, label).mean()
            return gap + self.penalty * penalty

        def generator_loss(rows: Tensor, generator: torch.Generator) -> Tensor:
            _, label, made = drawn(rows, generator)
            return -judge(made, label).mean()

        betas = (0.0, 0.9)
        return [
            Player(judge, critic_loss, self.critic_turns, betas),
            Player(make, generator_loss, 1, betas),
        ]

    def draw(self, network: Denoiser, noise: Tensor, label: Tensor | None) -> Tensor:
        """See `SingleStep.draw`."""
        return network(self.temperature * noise, noise.new_zeros(len(noise)), label, None)
