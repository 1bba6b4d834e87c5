"""UNet: the network for images, from 8 to 128 pixels.

Residual blocks on the way down and up, each level half as wide as the one above in pixels, with
a direct path between the same levels; attention at the bottom. Ronneberger et al., U-Net (2015);
Dhariwal & Nichol, Diffusion Models Beat GANs (2021): time and class scale and shift every block.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from motionloop.diffusion.transformer import sinusoids
from motionloop.samples import InputError

BOTTOM = 4  # pixels: no level is smaller
MOST_LEVELS = 4


@dataclass(frozen=True)
class UNetConfig:
    """The size of a UNet.

    Attributes:
        channels: of an image.
        size: pixels of an image's side.
        classes: classes that condition it; class number `classes` is the null class.
        width: channels of the first level; the others have twice as many.
        blocks: residual blocks of a level, on the way down and up each.
    """

    channels: int
    size: int
    classes: int
    width: int = 32
    blocks: int = 1

    def __post_init__(self):
        if self.width % 8:
            raise InputError(f"width {self.width} of the U-Net is no multiple of 8")


def levels(size: int) -> int:
    """How often an image of `size` pixels is halved, at most down to 4 pixels, plus one."""
    count = 1
    while count < MOST_LEVELS and size % 2 == 0 and size // 2 >= BOTTOM:
        size, count = size // 2, count + 1
    return count


class ResidualBlock(nn.Module):
    """Two convolutions beside a direct path; the condition scales and shifts the second."""

    def __init__(self, width_in: int, width_out: int, condition: int):
        super().__init__()
        self.norm_in = nn.GroupNorm(8, width_in)
        self.convolution_in = nn.Conv2d(width_in, width_out, 3, padding=1)
        self.modulation = nn.Linear(condition, 2 * width_out)
        self.norm_out = nn.GroupNorm(8, width_out)
        self.convolution_out = nn.Conv2d(width_out, width_out, 3, padding=1)
        self.path = nn.Conv2d(width_in, width_out, 1) if width_in != width_out else nn.Identity()
        nn.init.zeros_(self.convolution_out.weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(B, width_in, S, S) to (B, width_out, S, S) at the condition (B, condition)."""
        hidden = self.convolution_in(functional.silu(self.norm_in(x)))
        scale, shift = self.modulation(condition)[:, :, None, None].chunk(2, dim=1)
        hidden = functional.silu(self.norm_out(hidden) * (1 + scale) + shift)
        return self.path(x) + self.convolution_out(hidden)


class Attention(nn.Module):
    """Every pixel looks at every other."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.query_key_value = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, S, S) to the same shape."""
        query, key, value = (
            part.flatten(2).transpose(1, 2)[:, None]  # (B, 1, S * S, width)
            for part in self.query_key_value(self.norm(x)).chunk(3, dim=1)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return x + self.out(mixed[:, 0].transpose(1, 2).reshape(x.shape))


class UNet(nn.Module):
    """Maps noisy images to what the method asks for; the last layer starts at zero."""

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.width = config.width
        self.null_label = config.classes
        condition = 4 * config.width
        self.class_embedding = nn.Embedding(config.classes + 1, condition)
        self.time = nn.Sequential(
            nn.Linear(config.width, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        count = levels(config.size)
        widths = [config.width] + [2 * config.width] * (count - 1)
        self.stem = nn.Conv2d(config.channels, config.width, 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()
        kept, width = [], config.width
        for level, wide in enumerate(widths):
            blocks = nn.ModuleList()
            for _ in range(config.blocks):
                blocks.append(ResidualBlock(width, wide, condition))
                width = wide
                kept.append(wide)
            self.down.append(blocks)
            last = level == count - 1
            self.shrink.append(
                nn.Identity() if last else nn.Conv2d(wide, wide, 3, stride=2, padding=1)
            )
        self.before = ResidualBlock(width, width, condition)
        self.attention = Attention(width)
        self.after = ResidualBlock(width, width, condition)
        for level, wide in reversed(list(enumerate(widths))):
            blocks = nn.ModuleList()
            for _ in range(config.blocks):
                blocks.append(ResidualBlock(width + kept.pop(), wide, condition))
                width = wide
            self.up.append(blocks)
            self.grow.append(nn.Identity() if level == 0 else nn.Conv2d(wide, wide, 3, padding=1))
        self.head = nn.Sequential(
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, config.channels, 3, padding=1)
        )
        for parameter in self.head[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """What the network predicts, with the shape of x_t (B, C, S, S), at t (B,).

        `label` (B,) may be None for the null class; `mask` changes nothing.
        """
        if label is None:
            label = torch.full((len(x_t),), self.null_label, device=x_t.device)
        condition = self.time(sinusoids(1000 * t, self.width, 1e4)) + self.class_embedding(label)
        condition = functional.silu(condition)
        x, kept = self.stem(x_t), []
        for blocks, shrink in zip(self.down, self.shrink):
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x, condition)
                kept.append(x)
            x = shrink(x)
        x = self.after(self.attention(self.before(x, condition)), condition)
        for level, (blocks, grow) in enumerate(zip(self.up, self.grow)):
            for block in blocks:  # type: ignore[attr-defined]
                x = block(torch.cat([x, kept.pop()], dim=1), condition)
            if level < len(self.up) - 1:
                x = grow(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.head(x)
