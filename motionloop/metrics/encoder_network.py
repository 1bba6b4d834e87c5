"""The network of the motion encoder: convolutions over time, pooled, then 32 features.

    x_0 = g(conv_3(view)),  x_k = x_{k-1} + g(conv_5(x_{k-1})),  k = 1, 2,   g = gelu o layer norm
    features = W [mean_t x_2, deviation_t x_2],   class and style logits linear in the features

Pooling mean and deviation makes the features independent of a clip's length for a motion that
stays the same, and a frame that does not count is zero in every layer.
"""

from dataclasses import dataclass

import torch
from torch import nn

from physics.skeleton import JOINT_COUNT

CHANNELS = 2 * JOINT_COUNT * 3  # positions and velocities of `joints.heading_view`


@dataclass(frozen=True)
class EncoderConfig:
    """How an encoder is trained.

    Attributes:
        fps: frame rate that it reads, Hz; clips of other rates are resampled.
        frames: longest window that it is trained on; windows of half as many occur too.
        steps: optimiser steps.
        batch: windows a step.
        learning_rate: of AdamW at the start; falls to 0 as a cosine.
        weight_decay: of AdamW.
        noise: standard deviation of the noise on joint positions of a frame, m.
        lift: a window is raised or lowered by at most this, m, so that features do not hang on
            the floor's height, which the physical metrics judge.
        speed: a window is played faster or slower by at most this part.
        mirror: chance that a window is mirrored, left and right in its labels with it.
        dropout: of the pooled channels.
        held_out: part of the clips of every class that only the accuracy is measured on.
        width: channels of the convolutions.
        features: dimension of the features, and their total variance on the training windows.
    """

    fps: float = 20.0
    frames: int = 40
    steps: int = 600
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    noise: float = 0.003
    lift: float = 0.02
    speed: float = 0.1
    mirror: float = 0.5
    dropout: float = 0.3
    held_out: float = 0.15
    width: int = 56
    features: int = 32


class EncoderNetwork(nn.Module):
    """Features and logits of views; `mean`, `scale`, `centre`, `size` are set by the training.

    Attributes:
        mean: (CHANNELS,) of the input.
        scale: (CHANNELS,) of the input.
        centre: (F,) mean of the features on training windows.
        size: what the features are divided by to have the total variance F there.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    centre: torch.Tensor
    size: torch.Tensor

    def __init__(self, config: EncoderConfig, classes: int, styles: int):
        super().__init__()
        width, features = config.width, config.features
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("scale", torch.ones(CHANNELS))
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("size", torch.ones(()))
        self.convolutions = nn.ModuleList(
            [
                nn.Conv1d(CHANNELS, width, 3, padding=1),
                nn.Conv1d(width, width, 5, padding=2),
                nn.Conv1d(width, width, 5, padding=2),
            ]
        )
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in self.convolutions])
        self.dropout = nn.Dropout(config.dropout)
        self.features = nn.Linear(2 * width, features)
        self.classes = nn.Linear(features, classes)
        self.styles = nn.Linear(features, styles) if styles else None

    def forward(
        self, view: torch.Tensor, count: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Features (B, F), class logits and style logits of views (B, T, CHANNELS).

        Frames of a view from `count` (B,) on have no influence.
        """
        counts = (torch.arange(view.shape[1]) < count[:, None]).to(view.dtype)[:, None]  # (B, 1, T)
        x = ((view - self.mean) / self.scale).transpose(1, 2) * counts
        for step, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            y = torch.nn.functional.gelu(norm(convolution(x).transpose(1, 2))).transpose(1, 2)
            x = (y if step == 0 else x + y) * counts  # frames that do not count stay zero
        frames = counts.sum(-1)
        mean = x.sum(-1) / frames
        deviation = ((((x - mean[..., None]) * counts) ** 2).sum(-1) / frames + 1e-6).sqrt()
        features = self.features(self.dropout(torch.cat([mean, deviation], dim=-1)))
        styles = None if self.styles is None else self.styles(features)
        return features, self.classes(features), styles
