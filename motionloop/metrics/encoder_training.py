"""How the encoder learns: cross-entropy of class and style on random windows of real clips."""

import re
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import nn

from motionloop.metrics.encoder_network import EncoderConfig, EncoderNetwork
from motionloop.metrics.joints import at_times, heading_view, resample
from motionloop.metrics.window_draws import WindowDraws
from motionloop.motion.motions import caption_class


def caption_style(caption: str) -> str:
    """The style of a caption: what stands after its first comma; empty where there is none."""
    return caption.partition(",")[2].strip()


@dataclass(frozen=True)
class Labels:
    """Classes and styles of N clips.

    Attributes:
        classes: names, sorted.
        styles: names, sorted; empty where no caption has a style.
        class_index: (N,) into `classes`.
        style_index: (N,) into `styles`, -1 where the caption has none.
        class_mirrored: (N,) the class of the clip's mirror image, where left and right change
            places; -1 where no clip has that class.
        style_mirrored: (N,) its style; -1 where no clip has it.
    """

    classes: list[str]
    styles: list[str]
    class_index: np.ndarray
    style_index: np.ndarray
    class_mirrored: np.ndarray
    style_mirrored: np.ndarray

    @classmethod
    def of(cls, captions: np.ndarray) -> Self:
        """The labels that captions (N,) name."""
        kinds = [caption_class(str(caption)) for caption in captions]
        manners = [caption_style(str(caption)) for caption in captions]
        classes, styles = sorted(set(kinds)), sorted(set(manners) - {""})

        def places(names: list[str], known: list[str]) -> np.ndarray:
            return np.array([known.index(n) if n in known else -1 for n in names], np.int64)

        return cls(
            classes,
            styles,
            places(kinds, classes),
            places(manners, styles),
            places([other_side(name) for name in kinds], classes),
            places([other_side(name) for name in manners], styles),
        )


def other_side(name: str) -> str:
    """The name with left and right in each other's place."""
    other = {"left": "right", "right": "left"}
    return re.sub(r"\b(left|right)\b", lambda side: other[side[0]], name)


def train(
    network: EncoderNetwork,
    joints: np.ndarray,
    length: np.ndarray,
    fps: np.ndarray,
    labels: Labels,
    config: EncoderConfig,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Train `network` from fresh weights and scale its features; leaves it in evaluation mode.

    Args:
        network: is changed.
        joints: (N, T, 24, 3) m.
        length: (N,) frames that count.
        fps: (N,) Hz.
        labels: of the N clips.
        config: how to train.
        rng: sets weights, windows and the clips that are held out.

    Returns:
        what it was trained on, and class and style accuracy on windows of held-out clips.
    """
    joints, length = resample(np.asarray(joints, np.float32), length, fps, config.fps)
    held_out = _held_out(labels.class_index, config.held_out, rng)
    learned = np.flatnonzero(~held_out)
    may_mirror = labels.class_mirrored >= 0
    draws = WindowDraws(joints, length, labels.class_index, may_mirror, learned, config, rng)
    windows = _Windows(draws, labels)
    with torch.random.fork_rng(devices=[]):  # weights and dropout come from rng alone
        torch.manual_seed(int(rng.integers(2**62)))
        _standardise(network, windows)
        _descend(network, windows, config)
    network.eval()
    _scale_features(network, windows)
    return {
        "clips": int((~held_out).sum()),
        "held_out_clips": int(held_out.sum()),
        "seconds": round(float(length[~held_out].sum() / config.fps), 1),
        **_accuracy(network, joints, length, labels, held_out, config),
    }


def _held_out(class_index: np.ndarray, part: float, rng: np.random.Generator) -> np.ndarray:
    """Mask (N,) of clips kept for the accuracy: the same part of every class, never all of one."""
    mask = np.zeros(len(class_index), bool)
    for label in np.unique(class_index):
        members = rng.permutation(np.flatnonzero(class_index == label))
        mask[members[: min(round(part * len(members)), len(members) - 1)]] = True
    return mask


@dataclass(frozen=True)
class _Windows:
    """Random windows with the labels of what they show."""

    draws: WindowDraws
    labels: Labels

    def draw(self, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Views (B, frames, C), frames that count (B,), classes (B,), styles (B,)."""
        view, count, rows, mirrored = self.draws.draw(size)
        kinds = (self.labels.class_mirrored, self.labels.class_index)
        manners = (self.labels.style_mirrored, self.labels.style_index)
        classes, styles = (np.where(mirrored, a[rows], b[rows]) for a, b in (kinds, manners))
        return view, count, torch.from_numpy(classes), torch.from_numpy(styles)


def _standardise(network: EncoderNetwork, windows: _Windows) -> None:
    """Fresh weights, and the mean and scale of the input, one scale for the axes of a joint."""
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.Linear | nn.LayerNorm):
            module.reset_parameters()
    view, count, *_ = windows.draw(512)
    seen = view[torch.arange(view.shape[1]) < count[:, None]]
    network.mean.copy_(seen.mean(0))
    scale = seen.var(0).reshape(-1, 3).mean(1).sqrt().clamp_min(0.05)
    network.scale.copy_(scale.repeat_interleave(3))


def _descend(network: EncoderNetwork, windows: _Windows, config: EncoderConfig) -> None:
    """AdamW on the cross-entropy of class and, where a caption has one, style."""
    optimiser = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1, ignore_index=-1)
    network.train()
    for _ in range(config.steps):
        view, count, class_index, style_index = windows.draw(config.batch)
        _, classes, styles = network(view, count)
        loss = loss_of(classes, class_index)
        if styles is not None and (style_index >= 0).any():
            loss = loss + loss_of(styles, style_index)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def _scale_features(network: EncoderNetwork, windows: _Windows) -> None:
    """Centre the features and bring their total variance to their number."""
    view, count, *_ = windows.draw(1024)
    with torch.no_grad():
        features = network(view, count)[0]
    network.centre.copy_(features.mean(0))
    network.size.copy_((features.var(0).sum() / features.shape[1]).sqrt())


def _accuracy(
    network: EncoderNetwork,
    joints: np.ndarray,
    length: np.ndarray,
    labels: Labels,
    held_out: np.ndarray,
    config: EncoderConfig,
) -> dict[str, float]:
    """Class and style accuracy on the held-out clips, in consecutive windows; none without any."""
    cuts = [
        (row, start)
        for row in np.flatnonzero(held_out)
        for start in range(0, max(int(length[row]) - config.frames // 2, 1), config.frames)
    ]
    if not cuts:
        return {}
    rows, starts = np.array(cuts).T
    count = np.minimum(config.frames, length[rows] - starts)
    times = starts[:, None] + np.minimum(np.arange(config.frames), count[:, None] - 1)
    view = heading_view(at_times(joints, length, times, rows), count, config.fps)
    with torch.no_grad():
        _, classes, styles = network(torch.from_numpy(view), torch.from_numpy(count))
    right = classes.argmax(-1).numpy() == labels.class_index[rows]
    found = {"class_accuracy": round(float(right.mean()), 3)}
    styled = labels.style_index[rows] >= 0
    if styles is not None and styled.any():
        right = (styles.argmax(-1).numpy() == labels.style_index[rows])[styled]
        found["style_accuracy"] = round(float(right.mean()), 3)
    return found
