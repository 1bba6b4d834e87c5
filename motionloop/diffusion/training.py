"""Training: how a denoiser learns from sequences of different lengths.

    loss = mean |x_hat - x|^2  +  w mean |d x_hat - d x|^2,    x_hat = denoiser(x_t, t, label),

where d is the difference of neighbouring frames and both means run over frames that count. The
second term punishes jitter, to which the first is nearly blind. The denoiser predicts x itself,
as in Tevet et al., Human Motion Diffusion Model (2023). Labels are dropped at random so that the
same network also learns the unconditional estimate (Ho & Salimans, 2022).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motionloop.diffusion.noise import Schedule, add_noise


@dataclass(frozen=True)
class TrainingConfig:
    """How a denoiser is trained.

    Attributes:
        batch: samples in one optimiser step.
        learning_rate: AdamW's step size, at its highest.
        anneal: lower the learning rate to zero along a half cosine; else it stays constant.
        weight_decay: AdamW's decay of the weights, per unit of learning rate.
        gradient_norm: longer gradients are shortened to this norm.
        difference_weight: w, weight of the error of frame differences; 0 for data that are no
            sequences.
        label_dropout: share of the samples that are trained without their label.
        view_weight: weight of the loss of what `Trainer`'s view shows, if it has one.
        ema_decay: decay per step of the running mean of the weights; 0 keeps none.
    """

    batch: int = 32
    learning_rate: float = 1e-3
    anneal: bool = True
    weight_decay: float = 0.01
    gradient_norm: float = 1.0
    difference_weight: float = 10.0
    label_dropout: float = 0.1
    view_weight: float = 1.0
    ema_decay: float = 0.0


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


def shuffled_batches(
    count: int, batch: int, steps: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Row numbers (batch,) for each of `steps` steps, from endless shuffled passes over `count`."""
    rows = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        while len(rows) < batch:
            rows = torch.cat([rows, torch.randperm(count, generator=generator)])
        yield rows[:batch]
        rows = rows[batch:]


def cosine_factor(step: int, steps: int) -> float:
    """The learning rate of step 0..steps-1 as a share of its highest: from 1 down towards 0."""
    return (1 + math.cos(math.pi * step / steps)) / 2


class WeightAverage:
    """Exponential moving average of a module's parameters, without bias to where it started.

    After updates w_1..w_k it is sum_i d^(k-i) w_i / sum_i d^(k-i) for decay d, as Adam's moments.
    """

    def __init__(self, module: nn.Module, decay: float):
        self.decay = decay
        self.updates = 0
        self._parameters = dict(module.named_parameters())
        self._sums = {n: torch.zeros_like(p) for n, p in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the module's present parameters."""
        self.updates += 1
        for name, parameter in self._parameters.items():
            self._sums[name].lerp_(parameter, 1 - self.decay)

    def average(self) -> dict[str, Tensor]:
        """The averaged parameters by name; needs at least one update."""
        weight = 1 - self.decay**self.updates
        return {name: total / weight for name, total in self._sums.items()}


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
        config = self.config
        optimiser = torch.optim.AdamW(
            self.denoiser.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
        )
        average = WeightAverage(self.denoiser, config.ema_decay) if config.ema_decay else None
        report_every = max(1, steps // 100)
        last = torch.zeros((), device=x.device)
        last_steps = max(1, steps // 10)
        self.denoiser.train()
        batches = shuffled_batches(len(x), config.batch, steps, generator)
        for step, rows in enumerate(batches):
            if config.anneal:
                for group in optimiser.param_groups:
                    group["lr"] = config.learning_rate * cosine_factor(step, steps)
            with torch.autocast(x.device.type, autocast, enabled=autocast is not None):
                loss = self._loss(x, label, mask, rows, generator)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.denoiser.parameters(), config.gradient_norm)
            optimiser.step()
            if average is not None:
                average.update()
            if step >= steps - last_steps:
                last += loss.detach()
            if progress is not None and ((step + 1) % report_every == 0 or step + 1 == steps):
                progress(step + 1, loss.item())
        self.denoiser.eval()
        mean_loss = last.item() / last_steps if steps else math.nan
        return mean_loss, None if average is None else average.average()

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
