"""LeNet: the encoder of small images, trained on real images that no generator trains on.

Two convolutions and three linear layers read a class; the 84 numbers before the last layer are the
features that FID compares, as in the MNIST experiments of Gillman et al. (2024) and Alemohammad et
al. (2024). LeCun et al., Gradient-Based Learning Applied to Document Recognition (1998). Its name
holds a hash of its weights, because figures of two different encoders do not compare.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from motionloop.diffusion.checkpoint import read_checkpoint, write_checkpoint
from motionloop.diffusion.descent import DescentConfig, Player, descend
from motionloop.images.images import Images
from motionloop.metrics.fingerprint import fingerprint
from motionloop.samples import InputError

SIDE = 32  # pixels that the network reads; images of other sizes are resized
FEATURES = 84
_AT_ONCE = 512


@dataclass(frozen=True)
class LeNetConfig:
    """How a LeNet is trained.

    Attributes:
        epochs: passes over the images.
        least_steps: optimiser steps at least, for small sets.
        batch: images in a step.
        learning_rate: of AdamW at the start; falls to 0 along a half cosine.
        seed: of first weights and batches.
    """

    epochs: int = 10
    least_steps: int = 600
    batch: int = 64
    learning_rate: float = 2e-3
    seed: int = 0


class _Network(nn.Module):
    mean: Tensor
    scale: Tensor
    spread: Tensor

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("spread", torch.ones(()))
        self.convolution_1 = nn.Conv2d(channels, 6, 5)
        self.convolution_2 = nn.Conv2d(6, 16, 5)
        self.linear_1 = nn.Linear(400, 120)
        self.linear_2 = nn.Linear(120, FEATURES)
        self.classes = nn.Linear(FEATURES, classes)

    def features(self, pixels: Tensor) -> Tensor:
        """(B, 84) of pixels (B, C, S, S) in [0, 1]."""
        x = (pixels - self.mean) / self.scale
        if x.shape[-1] != SIDE:
            x = functional.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True)
        x = functional.avg_pool2d(functional.silu(self.convolution_1(x)), 2)
        x = functional.avg_pool2d(functional.silu(self.convolution_2(x)), 2)
        return self.linear_2(functional.silu(self.linear_1(x.flatten(1))))

    def forward(self, pixels: Tensor) -> Tensor:
        """Class logits (B, K)."""
        return self.classes(functional.silu(self.features(pixels)))


class LeNet:
    """Features and classes of images; made by `fit` or `load`.

    Attributes:
        config: how it was trained.
        accuracy: on images that neither it nor the generator trains on; NaN where unknown.
    """

    dimension = FEATURES

    def __init__(self, channels: int, classes: int, config: LeNetConfig):
        """An untrained encoder."""
        self.config, self.accuracy = config, float("nan")
        self._shape = {"channels": channels, "classes": classes}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = _Network(channels, classes).eval()

    @property
    def name(self) -> str:
        """`lenet-` and the first 8 digits of a SHA-256 over the weights."""
        return f"lenet-{fingerprint(b'', self.network)}"

    @classmethod
    def fit(
        cls,
        images: Images,
        classes: int,
        held_out: Images,
        config: LeNetConfig | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Train an encoder.

        Args:
            images: that no generator trains on.
            classes: number of classes.
            held_out: images to measure the accuracy on.
            config: how.
            progress: called as progress(steps done, steps).

        Raises:
            InputError: no images, or of one class only.
        """
        if len(np.unique(images.label)) < 2:
            raise InputError(
                "the images have one class only: LeNet has nothing to tell apart; give images of "
                "several classes, or set task.encoder inception"
            )
        config = config or LeNetConfig()
        encoder = cls(images.channels, classes, config)
        network = encoder.network
        x, label = _tensor(images), torch.from_numpy(images.label)
        network.mean.copy_(x.mean())
        network.scale.copy_(x.std().clamp_min(1e-3))

        def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
            return functional.cross_entropy(network(x[rows]), label[rows])

        steps = max(config.least_steps, config.epochs * -(-len(images) // config.batch))
        descend(
            network,
            [Player(network, loss)],
            len(images),
            steps,
            DescentConfig(config.batch, config.learning_rate),
            torch.Generator().manual_seed(config.seed),
            None if progress is None else lambda step, _: progress(step, steps),
        )
        network.spread.copy_(torch.tensor(encoder.features(images).var(0).mean() ** 0.5))
        right = encoder.probabilities(held_out).argmax(1) == held_out.label
        encoder.accuracy = float(right.mean()) if len(right) else float("nan")
        return encoder

    def features(self, images: Images) -> np.ndarray:
        """Features (N, 84), of mean variance 1 on the images that it was trained on."""
        return self._batched(images, self.network.features) / self.network.spread.item()

    def probabilities(self, images: Images) -> np.ndarray:
        """Probability of every class (N, K)."""
        return self._batched(images, lambda x: self.network(x).softmax(1))

    def certainty(self, images: Images) -> np.ndarray:
        """Probability (N,) of the class that an image is labelled with."""
        return self.probabilities(images)[np.arange(len(images)), images.label]

    def save(self, path: Path) -> None:
        """Write weights and facts to one safetensors file, whole or not at all."""
        facts = {**self._shape, "config": asdict(self.config), "accuracy": self.accuracy}
        write_checkpoint(Path(path), {"network": dict(self.network.state_dict())}, facts)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing or is no such encoder.
        """
        groups, facts = read_checkpoint(Path(path))
        try:
            encoder = cls(facts["channels"], facts["classes"], LeNetConfig(**facts["config"]))
            encoder.network.load_state_dict(groups["network"])
            encoder.accuracy = facts["accuracy"]
        except (KeyError, TypeError, RuntimeError) as error:
            raise InputError(f"{path} is no encoder of images: {error}") from error
        return encoder

    def _batched(self, images: Images, read: Callable[[Tensor], Tensor]) -> np.ndarray:
        with torch.no_grad():
            parts = [
                read(_tensor(images[start : start + _AT_ONCE])).numpy()
                for start in range(0, max(len(images), 1), _AT_ONCE)
            ]
        return np.concatenate(parts).astype(np.float64)


def _tensor(images: Images) -> Tensor:
    """(N, C, S, S) in [0, 1]."""
    return torch.from_numpy(images.pixels).permute(0, 3, 1, 2).float() / 255
