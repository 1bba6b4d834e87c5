"""Random windows of real clips that the encoders of the metrics learn from.

Windows are cut anywhere, played a little faster or slower, lifted or lowered, made a little noisy,
and some are mirrored, so that features follow what is done and not where a clip was cut.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from motionloop.metrics.joints import at_times, heading_view
from physics.skeleton import MIRROR


class DrawConfig(Protocol):
    """The settings of a config that say how windows are drawn; see `EncoderConfig`."""

    @property
    def fps(self) -> float:
        """Hz."""
        ...

    @property
    def frames(self) -> int:
        """Of the longest window; the shortest has half as many."""
        ...

    @property
    def speed(self) -> float:
        """Played faster or slower by at most this part."""
        ...

    @property
    def lift(self) -> float:
        """Raised or lowered by at most this, m."""
        ...

    @property
    def noise(self) -> float:
        """Most standard deviation of noise on joints, m."""
        ...

    @property
    def mirror(self) -> float:
        """Chance of being mirrored."""
        ...


@dataclass(frozen=True)
class WindowDraws:
    """Draws windows of clips `rows`.

    Attributes:
        joints: (N, T, 24, 3) m, at `config.fps`.
        length: (N,) frames that count.
        label: (N,) clips of one label share their chance; see `chances`.
        may_mirror: (N,) whether the mirror image of a clip has a label.
        rows: of the clips that are drawn from.
        config: how.
        rng: every draw moves it on.
    """

    joints: np.ndarray
    length: np.ndarray
    label: np.ndarray
    may_mirror: np.ndarray
    rows: np.ndarray
    config: DrawConfig
    rng: np.random.Generator

    def draw(self, size: int) -> tuple[torch.Tensor, torch.Tensor, np.ndarray, np.ndarray]:
        """Views (B, frames, C), frames that count (B,), clips (B,) and which are mirrored (B,)."""
        config, rng = self.config, self.rng
        rows = rng.choice(self.rows, size, p=self.chances())
        speed = np.exp(rng.uniform(-1, 1, size) * np.log1p(config.speed))
        wanted = rng.integers(max(config.frames // 2, 1), config.frames + 1, size)
        available = np.floor((self.length[rows] - 1) / speed).astype(np.int64) + 1
        count = np.minimum(wanted, available)
        start = rng.uniform(0, 1, size) * (self.length[rows] - 1 - (count - 1) * speed)
        steps = np.minimum(np.arange(config.frames), count[:, None] - 1)
        window = at_times(self.joints, self.length, start[:, None] + steps * speed[:, None], rows)
        window[..., 2] += rng.uniform(-config.lift, config.lift, (size, 1, 1))
        noise = rng.standard_normal(window.shape, np.float32)
        window += noise * (config.noise * rng.random((size, 1, 1, 1), np.float32))
        mirrored = (rng.random(size) < config.mirror) & self.may_mirror[rows]
        window[mirrored] = window[mirrored][:, :, list(MIRROR)] * np.array([-1, 1, 1], np.float32)
        view = torch.from_numpy(heading_view(window, count, config.fps))
        return view, torch.from_numpy(count), rows, mirrored

    def chances(self) -> np.ndarray:
        """Chance of every clip: by its duration, labels by the square root of theirs."""
        length, label = self.length[self.rows], self.label[self.rows]
        chance = length / np.sqrt(np.bincount(label, weights=length)[label])
        return chance / chance.sum()
