"""StyleGAN2 for small images: a mapped latent modulates the convolutions of the synthesis.

    w = mapping(z, class),   w' = mean w + psi (w - mean w)            psi: truncation
    y = conv(x, W s),  W s scaled to unit norm a output channel,  s = affine(w')
    critic     softplus(D(G(z))) + softplus(-D(x)) + 5 |grad D(x)|^2
    generator  softplus(-D(G(z)))

Karras et al., Analyzing and Improving the Image Quality of StyleGAN (2020): modulation and
demodulation (equations 1-3), skip connections to the image, R1 (lazily, on one step in sixteen),
equalised learning rates, batch deviation. Without path-length regularisation, style mixing and
augmentation, which matter at larger sizes.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from motionloop.diffusion.denoiser import Denoiser
from motionloop.diffusion.descent import Player
from motionloop.diffusion.method import Batch
from motionloop.models.single_step import SingleStep
from motionloop.models.wgan import GanConfig

MEAN_OF = 512  # latents that the mean of a class's w is taken over
GAIN = math.sqrt(2)
BATCH_GROUP = 4  # images whose deviation the critic sees


class Linear(nn.Module):
    """A linear layer with an equalised learning rate: unit weights, scaled where they are used."""

    def __init__(self, width_in: int, width_out: int, bias: float = 0.0, rate: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width_out, width_in) / rate)
        self.bias = nn.Parameter(torch.full((width_out,), bias / rate))
        self.scale, self.rate = rate / math.sqrt(width_in), rate

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in) to (B, width_out)."""
        return functional.linear(x, self.weight * self.scale, self.bias * self.rate)


class Convolution(nn.Module):
    """A convolution with an equalised learning rate and a leaky rectifier."""

    def __init__(self, width_in: int, width_out: int, kernel: int = 3):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width_out, width_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(width_out))
        self.scale = 1 / math.sqrt(width_in * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, S, S) to (B, width_out, S, S)."""
        padding = self.weight.shape[-1] // 2
        y = functional.conv2d(x, self.weight * self.scale, self.bias, padding=padding)
        return GAIN * functional.leaky_relu(y, 0.2)


class ModulatedConvolution(nn.Module):
    """A convolution whose input channels the style weighs, image by image."""

    def __init__(self, width_in: int, width_out: int, style: int, kernel: int = 3):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width_out, width_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(width_out))
        self.style = Linear(style, width_in, bias=1.0)
        self.scale = 1 / math.sqrt(width_in * kernel**2)
        self.demodulate = kernel > 1

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(B, width_in, S, S) and styles (B, style) to (B, width_out, S, S)."""
        weight = self.scale * self.weight * self.style(w)[:, None, :, None, None]
        if self.demodulate:
            weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
        batch, size = len(x), x.shape[-1]
        # One group of channels an image: all images in one convolution.
        y = functional.conv2d(
            x.reshape(1, -1, size, size),
            weight.flatten(0, 1),
            padding=self.weight.shape[-1] // 2,
            groups=batch,
        )
        return y.view(batch, -1, size, size) + self.bias[:, None, None]


class Synthesis(nn.Module):
    """Styles to image, from a learned constant; every level adds its own to the image."""

    def __init__(self, config: GanConfig):
        super().__init__()
        widths = config.widths()[::-1]
        self.bottom = config.bottom
        self.constant = nn.Parameter(torch.randn(widths[0], config.bottom, config.bottom))
        wider = [widths[0], *widths]
        self.first, self.second, self.to_image = (nn.ModuleList() for _ in range(3))
        for wide, narrow in zip(wider, widths):
            self.first.append(ModulatedConvolution(wide, narrow, config.latent))
            self.second.append(ModulatedConvolution(narrow, narrow, config.latent))
            self.to_image.append(ModulatedConvolution(narrow, config.channels, config.latent, 1))
        self.noise_strength = nn.Parameter(torch.zeros(2 * len(widths)))

    def noise_numbers(self) -> list[int]:
        """Noise values of every layer: one a pixel."""
        sides = [self.bottom * 2**level for level in range(len(self.first))]
        return [side**2 for side in sides for _ in range(2)]

    def forward(self, w: Tensor, noise: Tensor) -> Tensor:
        """Images (B, C, S, S) of styles (B, latent) and the noise of all layers (B, K)."""
        x = self.constant.expand(len(w), -1, -1, -1)
        image = torch.zeros((), device=w.device)
        maps = list(noise.split(self.noise_numbers(), dim=1))
        for level, layers in enumerate(zip(self.first, self.second, self.to_image)):
            first, second, to_image = layers
            if level > 0:
                x = _doubled(x)
                image = _doubled(image)
            for number, layer in enumerate((first, second)):
                y = layer(x, w)
                grain = maps[2 * level + number].view(len(w), 1, *y.shape[2:])
                y = y + self.noise_strength[2 * level + number] * grain
                x = GAIN * functional.leaky_relu(y, 0.2)
            image = image + to_image(x, w)
        return image


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class StyleCritic(nn.Module):
    """Image and class to one number, by residual levels."""

    def __init__(self, config: GanConfig):
        super().__init__()
        widths = config.widths()
        self.stem = Convolution(config.channels, widths[0], 1)
        self.first = nn.ModuleList(Convolution(a, a) for a in widths[:-1])
        self.second = nn.ModuleList(Convolution(a, b) for a, b in zip(widths, widths[1:]))
        self.path = nn.ModuleList(
            nn.Conv2d(a, b, 1, bias=False) for a, b in zip(widths, widths[1:])
        )
        self.last = Convolution(widths[-1] + 1, widths[-1])
        self.hidden = Linear(widths[-1] * config.bottom**2, 4 * config.width)
        self.head = Linear(4 * config.width, 1)
        self.embedding = nn.Embedding(config.classes, 4 * config.width)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Scores (B,) of images (B, C, S, S) with labels (B,)."""
        x = self.stem(x)
        for first, second, path in zip(self.first, self.second, self.path):
            straight = functional.avg_pool2d(path(x), 2)
            x = (functional.avg_pool2d(second(first(x)), 2) + straight) / GAIN
        x = self.last(torch.cat([x, _deviation(x)], dim=1))
        hidden = functional.leaky_relu(self.hidden(x.flatten(1)), 0.2)
        projected = (hidden * self.embedding(label)).sum(1) / math.sqrt(hidden.shape[1])
        return self.head(hidden)[:, 0] + projected


def _deviation(x: Tensor) -> Tensor:
    """One more channel (B, 1, S, S): how much the images of a small group differ on average."""
    batch, _, side, _ = x.shape
    group = BATCH_GROUP if batch % BATCH_GROUP == 0 else 1
    y = x.reshape(group, batch // group, -1)
    spread = (y.var(0, correction=0) + 1e-8).sqrt().mean(1)
    return spread.repeat(group)[:, None, None, None].expand(batch, 1, side, side)


class StyleNetwork(nn.Module):
    """Both players; called, it is the generator, and the time is the truncation."""

    def __init__(self, config: GanConfig):
        super().__init__()
        self.latent, self.classes = config.latent, config.classes
        self.embedding = nn.Embedding(config.classes, config.latent)
        layers: list[nn.Module] = []
        for number in range(4):
            width_in = (2 if number == 0 else 1) * config.latent
            layers += [Linear(width_in, config.latent, rate=0.01), nn.LeakyReLU(0.2)]
        self.mapping = nn.Sequential(*layers)
        self.synthesis = Synthesis(config)
        self.critic = StyleCritic(config)
        self.noise_shape = (config.latent + sum(self.synthesis.noise_numbers()),)

    def style(self, z: Tensor, label: Tensor) -> Tensor:
        """The styles w (B, latent) of latents (B, latent) and labels (B,)."""
        both = [z, self.embedding(label)]
        normal = [x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt() for x in both]
        return self.mapping(torch.cat(normal, dim=1))

    def mean_style(self) -> Tensor:
        """The mean w (classes, latent) of every class, over always the same latents."""
        device = self.embedding.weight.device
        z = torch.randn((MEAN_OF, self.latent), generator=torch.Generator().manual_seed(0))
        label = torch.arange(self.classes, device=device).repeat_interleave(MEAN_OF)
        w = self.style(z.to(device).repeat(self.classes, 1), label)
        return w.view(self.classes, MEAN_OF, -1).mean(1)

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor, mask: Tensor | None) -> Tensor:
        """Images of noise x_t (B, *noise_shape), truncated by t (B,); 1 leaves styles alone."""
        z, noise = x_t[:, : self.latent], x_t[:, self.latent :]
        w = self.style(z, label)
        if not self.training and bool((t != 1).any()):
            middle = self.mean_style()[label]
            w = middle + t[:, None] * (w - middle)
        return self.synthesis(w, noise)

    def makers(self) -> nn.Module:
        """The parts that the generator's loss moves."""
        return nn.ModuleList([self.embedding, self.mapping, self.synthesis])


@dataclass(frozen=True)
class Logistic(SingleStep):
    """A `Method`: the game of the module's formula.

    Attributes:
        penalty: weight of the squared slope at real images, half of R1's gamma.
        every: the slope counts on one critic step in so many, and so many times as much.
        truncation: psi; below 1 trades variety for samples that are more typical.
    """

    penalty: float = 5.0
    every: int = 16
    truncation: float = 1.0

    def players(self, network: nn.Module, batch: Batch) -> list[Player]:
        """The critic, then the generator."""
        assert isinstance(network, StyleNetwork)
        judge = network.critic

        def drawn(rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
            x, label = batch(rows, generator)
            assert label is not None
            noise = torch.randn((len(x), *network.noise_shape), generator=generator)
            return x, label, network(noise.to(x.device), x.new_ones(len(x)), label, None)

        def critic_loss(rows: Tensor, generator: torch.Generator) -> Tensor:
            x, label, made = drawn(rows, generator)
            x.requires_grad_()
            real = judge(x, label)
            loss = functional.softplus(judge(made.detach(), label)) + functional.softplus(-real)
            if int(torch.randint(self.every, (), generator=generator)) == 0:
                (slope,) = torch.autograd.grad(real.sum(), x, create_graph=True)
                loss = loss + self.every * self.penalty * slope.flatten(1).square().sum(1)
            return loss.mean()

        def generator_loss(rows: Tensor, generator: torch.Generator) -> Tensor:
            _, label, made = drawn(rows, generator)
            return functional.softplus(-judge(made, label)).mean()

        betas = (0.0, 0.99)
        return [
            Player(judge, critic_loss, 1, betas),
            Player(network.makers(), generator_loss, 1, betas),
        ]

    def draw(self, network: Denoiser, noise: Tensor, label: Tensor | None) -> Tensor:
        """See `SingleStep.draw`."""
        return network(noise, noise.new_full((len(noise),), self.truncation), label, None)
