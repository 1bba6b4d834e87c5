"""The two towers of the text-motion evaluator: motions and captions in one space.

    motion: view -> convolutions over time -> mean and deviation over frames -> D numbers
    caption: vector of a frozen text encoder -> perceptron -> D numbers
    score(i, j) = - s |motion_i - caption_j|^2

The score is the Euclidean distance because the T2M protocol ranks by it. Beside the contrast the
motion features must also tell how fast, evenly and smoothly each joint moves, where it is, and how
far low feet slip (`facts_of`): captions alone do not ask for that, and features that have forgotten
it could not see sliding or jitter.
"""

from dataclasses import dataclass

import torch
from torch import nn

from motionloop.metrics.encoder_network import CHANNELS
from physics.skeleton import JOINT_COUNT, JOINT_NAMES

_PARTS = ("ankle", "foot")
_FEET = [JOINT_NAMES.index(f"{side}_{part}") for side in ("left", "right") for part in _PARTS]
FACTS = 6 * JOINT_COUNT + len(_FEET)
_LOW = 0.08  # m, the height below which a foot counts as standing


@dataclass(frozen=True)
class EvaluatorConfig:
    """How a text-motion evaluator is trained.

    Attributes:
        text_encoder: of the captions: words, minilm or a folder.
        fps: frame rate that it reads, Hz; clips of other rates are resampled.
        frames: longest window that it is trained on; windows of half as many occur too.
        steps: optimiser steps.
        batch: windows a step, all of which are candidates for each other's captions.
        learning_rate: of AdamW at the start; falls to 0 as a cosine.
        weight_decay: of AdamW.
        noise: most standard deviation of the noise on joint positions, m.
        lift: a window is raised or lowered by at most this, m.
        speed: a window is played faster or slower by at most this part.
        mirror: chance that a window is mirrored, left and right in its caption with it.
        dropout: of the pooled channels and of the caption's hidden numbers.
        fact_weight: weight of the error of the facts beside the contrast.
        width: channels of the convolutions.
        features: D.
    """

    text_encoder: str = "words"
    fps: float = 20.0
    frames: int = 80
    steps: int = 600
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    noise: float = 0.001
    lift: float = 0.01
    speed: float = 0.05
    mirror: float = 0.5
    dropout: float = 0.2
    fact_weight: float = 1.0
    width: int = 96
    features: int = 64


class MotionTower(nn.Module):
    """Motion features; `mean` and `scale` of the input are set by the training."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, config: EvaluatorConfig):
        super().__init__()
        width = config.width
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("scale", torch.ones(CHANNELS))
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(CHANNELS, width, 3, padding=1)]
            + [nn.Conv1d(width, width, 5, padding=2) for _ in range(2)]
            + [nn.Conv1d(width, width, 5, padding=8, dilation=4)]
        )
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in self.convolutions])
        self.dropout = nn.Dropout(config.dropout)
        self.features = nn.Sequential(
            nn.Linear(2 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, config.features)
        )
        self.facts = nn.Linear(config.features, FACTS)

    def forward(self, view: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Features (B, D) of views (B, T, CHANNELS), of which `count` (B,) frames count."""
        counts = (torch.arange(view.shape[1]) < count[:, None]).to(view.dtype)[:, None]  # (B, 1, T)
        x = ((view - self.mean) / self.scale).transpose(1, 2) * counts
        for step, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            y = nn.functional.gelu(norm(convolution(x).transpose(1, 2))).transpose(1, 2)
            x = (y if step == 0 else x + y) * counts  # frames that do not count stay zero
        frames = counts.sum(-1)
        mean = x.sum(-1) / frames
        deviation = ((((x - mean[..., None]) * counts) ** 2).sum(-1) / frames + 1e-6).sqrt()
        return self.features(self.dropout(torch.cat([mean, deviation], dim=-1)))


class CaptionTower(nn.Module):
    """Caption features from the vectors of a frozen text encoder."""

    def __init__(self, config: EvaluatorConfig, text_width: int):
        super().__init__()
        hidden = 4 * config.features
        self.layers = nn.Sequential(
            nn.Linear(text_width, hidden),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, config.features),
        )

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Features (B, D) of vectors (B, W)."""
        return self.layers(vectors)


class EvaluatorNetwork(nn.Module):
    """Both towers and the sharpness s of the score.

    Attributes:
        centre: (D,) mean of the motion features on training windows.
        size: what features are divided by so that their total variance there is D.
    """

    centre: torch.Tensor
    size: torch.Tensor

    def __init__(self, config: EvaluatorConfig, text_width: int):
        super().__init__()
        self.motion = MotionTower(config)
        self.caption = CaptionTower(config, text_width)
        self.log_sharpness = nn.Parameter(torch.tensor(-1.0))
        self.register_buffer("centre", torch.zeros(config.features))
        self.register_buffer("size", torch.ones(()))

    def scores(self, motion: torch.Tensor, caption: torch.Tensor) -> torch.Tensor:
        """Scores (B, C) of motion features (B, D) and caption features (C, D)."""
        return -self.log_sharpness.exp() * torch.cdist(motion, caption).square()


def facts_of(view: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Facts (B, FACTS) of a window: what its features must tell besides the caption.

    Of every joint the mean height, and the logarithms of the variance of its place seen from the
    heading, of its mean squared horizontal speed, vertical speed, change of velocity, and of the
    variance of its speed; of the feet the horizontal speed while they are low.
    """
    batch, frames, _ = view.shape
    counts = (torch.arange(frames) < count[:, None]).to(view.dtype)[..., None]  # (B, T, 1)
    place, velocity = view.view(batch, frames, 2, JOINT_COUNT, 3).unbind(2)

    def mean(values: torch.Tensor) -> torch.Tensor:
        return (values * counts).sum(1) / counts.sum(1)

    centre = mean(place.flatten(2)).view(batch, 1, JOINT_COUNT, 3)
    change = torch.zeros_like(velocity)
    change[:, 1:] = velocity[:, 1:] - velocity[:, :-1]
    speed = velocity.norm(dim=-1)
    feet = velocity[:, :, _FEET, :2].square().sum(-1)
    low = (-(place[:, :, _FEET, 2] / _LOW).square()).exp()
    return torch.cat(
        [
            mean(place[..., 2]),
            (mean((place - centre).square().sum(-1)) + 1e-4).log(),
            (mean(velocity[..., :2].square().sum(-1)) + 1e-4).log(),
            (mean(velocity[..., 2].square()) + 1e-4).log(),
            (mean(change.square().sum(-1)) + 1e-4).log(),
            (mean((speed - mean(speed)[:, None]).square()) + 1e-4).log(),
            (mean(feet * low) + 1e-4).log(),
        ],
        dim=1,
    )
