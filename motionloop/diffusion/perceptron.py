"""Perceptron: the network for single vectors, such as points of the plane or small images.

Residual steps between layers of one width, each modulated by time and class.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from motionloop.diffusion.transformer import sinusoids


@dataclass(frozen=True)
class PerceptronConfig:
    """The size of a Perceptron.

    Attributes:
        features: D, numbers in a vector.
        classes: classes that condition it; class number `classes` is the null class.
        width: hidden numbers.
        blocks: residual steps.
    """

    features: int
    classes: int = 0
    width: int = 128
    blocks: int = 3


class Perceptron(nn.Module):
    """Maps noisy vectors to what the method asks for; the last layer starts at zero."""

    def __init__(self, config: PerceptronConfig):
        super().__init__()
        width = config.width
        self.width = width
        self.null_label = config.classes
        self.stem = nn.Linear(config.features, width)
        self.class_embedding = nn.Embedding(config.classes + 1, width)
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(config.blocks)
        )
        self.modulations = nn.ModuleList(nn.Linear(width, 2 * width) for _ in self.blocks)
        self.head = nn.Linear(width, config.features)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """What the network predicts, with the shape of x_t (B, ...) of D numbers each, at t (B,).

        `label` (B,) may be None for the null class; `mask` changes nothing.
        """
        if label is None:
            label = torch.full((len(x_t),), self.null_label, device=x_t.device)
        # Waves of at least a hundredth of the time axis: finer ones make the field rough.
        condition = self.time(sinusoids(100 * t, self.width, 1e2)) + self.class_embedding(label)
        hidden = self.stem(x_t.flatten(1))
        for block, modulation in zip(self.blocks, self.modulations):
            shift, scale = modulation(functional.silu(condition)).chunk(2, dim=-1)
            normal = functional.layer_norm(hidden, hidden.shape[-1:])
            hidden = hidden + block(torch.addcmul(shift, normal, 1 + scale))
        return self.head(functional.silu(hidden)).view(x_t.shape)
