"""Training: how a denoiser learns from sequences of different lengths.

    loss = mean |x_hat - x|^2  +  w mean |d x_hat - d x|^2,    x_hat = denoiser(x_t, t, label),

where d is the difference of neighbouring frames and both means run over frames that count. The
second term punishes jitter, to which the first is nearly blind. The denoiser predicts x itself,
as in Tevet et al., Human Motion Diffusion Model (2023). Labels are dropped at random so that the
same network also learns the unconditional estimate (Ho & Salimans, 2022).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionloop.diffusion.descent import DescentConfig, Player, descend
from motionloop.diffusion.noise import Schedule, add_noise


@dataclass(frozen=True)
class TrainingConfig(DescentConfig):
    """How a denoiser is trained.

    Attributes:
        difference_weight: w, weight of the error of frame differences; 0 for data that are no
            sequences.
        label_dropout: share of the samples that are trained without their label.
        view_weight: weight of the loss of what `Trainer`'s view shows, if it has one.
    """

    difference_weight: float = 10.0
    label_dropout: float = 0.1
    view_weight: float = 1.0


def masked_loss(
    estimate: Tensor, x: Tensor, mask: Tensor | None, difference_weight: float
) -> Tensor:
    """The loss of the module's formula; what stands on masked frames cannot change it.

    Args:
        estimate: (B, T, D), or (B, ...) without a mask and with difference_weight 0.
        x: clean samples, of the same shape.
        mask: (B, T) true on the frames that count, or None where all do.
        difference_weight: w.
    """
    error = estimate - x
    if mask is None:
        loss = error.square().mean()
        if difference_weight:
            loss = loss + difference_weight * (error[:, 1:] - error[:, :-1]).square().mean()
        return loss
    # Selected, not multiplied: a NaN on a masked frame must not reach the loss.
    error = torch.where(mask[..., None], error, 0.0)
    loss = error.square().sum() / (mask.sum() * x.shape[-1])
    if difference_weight:
        pair = mask[:, 1:] & mask[:, :-1]
        steps = (error[:, 1:] - error[:, :-1]) * pair[..., None]
        loss = loss + difference_weight * steps.square().sum() / (
            pair.sum().clamp(min=1) * x.shape[-1]
        )
    return loss


def spread_times(count: int, generator: torch.Generator) -> Tensor:
    """Times (count,) in [0, 1), each uniform, together evenly spread.

    Kingma et al., Variational Diffusion Models (2021): one uniform draw shifts a regular grid,
    which makes the loss of a batch less noisy.
    """
    shift = torch.rand((), generator=generator)
    return (shift + torch.arange(count) / count) % 1.0


def drop_labels(label: Tensor, share: float, null_label: int, generator: torch.Generator) -> Tensor:
    """Labels (B,) of which a random share is replaced by the null label."""
    dropped = torch.rand(label.shape, generator=generator) < share
    return torch.where(dropped, null_label, label)


class Trainer:
    """Optimises a denoiser on one data set; each `train` starts with a fresh optimiser."""

    def __init__(
        self,
        denoiser: nn.Module,
        schedule: Schedule,
        config: TrainingConfig,
        null_label: int | None = None,
        view: Callable[[Tensor], Tensor] | None = None,
    ):
        """Make a trainer.

        Args:
            denoiser: the network.
            schedule: its noise.
            config: how it is trained.
            null_label: the label that means none, if there are labels.
            view: something else that samples (B, T, D) show, (B, T, K), in which errors count as
                well; frame t of it must not depend on frames after t, which may be padding.
        """
        self.denoiser = denoiser
        self.schedule = schedule
        self.config = config
        self.null_label = null_label
        self.view = view

    def train(
        self,
        x: Tensor,
        label: Tensor | None,
        mask: Tensor | None,
        steps: int,
        generator: torch.Generator,
        progress: Callable[[int, float], None] | None = None,
        autocast: torch.dtype | None = None,
    ) -> tuple[float, dict[str, Tensor] | None]:
        """Take `steps` optimiser steps; the network's parameters change in place.

        Args:
            x: (N, ...) clean samples on the network's device.
            label: (N,) class numbers on the CPU, or None.
            mask: (N, T) true on the frames that count, beside x, or None where all do.
            steps: optimiser steps.
            generator: of the CPU; draws batches, times, noise and dropped labels.
            progress: called as progress(steps done, loss) about a hundred times.
            autocast: number format of the network's products, or None for that of its weights.

        Returns:
            The mean loss of the last tenth of the steps (NaN without steps), and the averaged
            parameters, None where the configuration asks for none.
        """
        player = Player(
            self.denoiser, lambda rows, generator: self._loss(x, label, mask, rows, generator)
        )
        done = descend(
            self.denoiser, [player], len(x), steps, self.config, generator, progress, autocast
        )
        return done.losses[0], done.average

    def _loss(
        self,
        x: Tensor,
        label: Tensor | None,
        mask: Tensor | None,
        rows: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """The loss of one batch at random times and noise."""
        device = x.device
        t = spread_times(len(rows), generator).to(device)
        noise = torch.randn((len(rows), *x.shape[1:]), generator=generator).to(device)
        label = None if label is None else label[rows]
        if label is not None and self.null_label is not None:
            label = drop_labels(label, self.config.label_dropout, self.null_label, generator)
        label = None if label is None else label.to(device)
        rows = rows.to(device)
        clean = x[rows]
        mask = None if mask is None else mask[rows]
        x_t = add_noise(self.schedule, clean, t, noise)
        estimate = self.denoiser(x_t, t, label, mask).float()
        loss = masked_loss(estimate, clean, mask, self.config.difference_weight)
        if self.view is None or not self.config.view_weight:
            return loss
        seen, shown = self.view(estimate), self.view(clean)
        weight = self.config.view_weight
        return loss + weight * masked_loss(seen, shown, mask, self.config.difference_weight)
