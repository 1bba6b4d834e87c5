"""Descent: optimiser steps on the loss of random batches, for one network or for players in turn.

Denoisers, velocity fields and flows have one loss; a generator and its critic have two, and take
turns. All of them shuffle, anneal, clip and average their weights in the same way.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class DescentConfig:
    """How weights descend.

    Attributes:
        batch: samples in one optimiser step.
        learning_rate: AdamW's step size, at its highest.
        anneal: lower the learning rate to zero along a half cosine; else it stays constant.
        weight_decay: AdamW's decay of the weights, per unit of learning rate.
        gradient_norm: longer gradients are shortened to this norm.
        ema_decay: decay per step of the running mean of the weights; 0 keeps none.
    """

    batch: int = 32
    learning_rate: float = 1e-3
    anneal: bool = True
    weight_decay: float = 0.01
    gradient_norm: float = 1.0
    ema_decay: float = 0.0


@dataclass(frozen=True)
class Player:
    """A network with a loss of its own.

    Attributes:
        network: its parameters move.
        loss: the loss of the rows (B,) of the data; draws from the generator that it is given.
        turns: steps that it takes, each on a new batch, before the next player.
        betas: decays of AdamW's two moments.
    """

    network: nn.Module
    loss: Callable[[Tensor, torch.Generator], Tensor]
    turns: int = 1
    betas: tuple[float, float] = (0.9, 0.999)

    def optimiser(self, config: DescentConfig) -> torch.optim.AdamW:
        """A fresh optimiser of this player's parameters."""
        return torch.optim.AdamW(
            self.network.parameters(),
            lr=config.learning_rate,
            betas=self.betas,
            weight_decay=config.weight_decay,
            fused=True,
        )


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


@dataclass(frozen=True)
class Descended:
    """What a descent ended with.

    Attributes:
        losses: of each player, the mean over the last tenth of the steps; NaN without steps.
        average: the averaged parameters by name; None where the configuration asks for none.
        optimisers: one a player, to go on with.
    """

    losses: list[float]
    average: dict[str, Tensor] | None
    optimisers: list[torch.optim.AdamW]


def descend(
    network: nn.Module,
    players: Sequence[Player],
    count: int,
    steps: int,
    config: DescentConfig,
    generator: torch.Generator,
    progress: Callable[[int, float], None] | None = None,
    autocast: torch.dtype | None = None,
    optimisers: list[torch.optim.AdamW] | None = None,
) -> Descended:
    """Take `steps` steps of all players; parameters change in place.

    Args:
        network: holds all players' networks; its parameters are averaged.
        players: take their turns in this order, in every step.
        count: rows of the data.
        steps: how many rounds of turns.
        config: how.
        generator: of the CPU; draws the batches and what the losses draw.
        progress: called as progress(steps done, loss of the last player) about a hundred times.
        autocast: number format of the networks' products, or None for that of their weights.
        optimisers: those of an earlier descent of the same players; none starts afresh.
    """
    if optimisers is None:
        optimisers = [player.optimiser(config) for player in players]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate
    device = next(network.parameters()).device
    average = WeightAverage(network, config.ema_decay) if config.ema_decay else None
    report_every = max(1, steps // 100)
    last_steps = max(1, steps // 10)
    last = [torch.zeros((), device=device) for _ in players]
    network.train()
    turns = steps * sum(player.turns for player in players)
    batches = shuffled_batches(count, config.batch, turns, generator)
    for step in range(steps):
        loss = torch.zeros((), device=device)
        for number, (player, optimiser) in enumerate(zip(players, optimisers)):
            if config.anneal:
                for group in optimiser.param_groups:
                    group["lr"] = config.learning_rate * cosine_factor(step, steps)
            for _ in range(player.turns):
                with torch.autocast(device.type, autocast, enabled=autocast is not None):
                    loss = player.loss(next(batches), generator)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(player.network.parameters(), config.gradient_norm)
                optimiser.step()
            if step >= steps - last_steps:
                last[number] += loss.detach()
        if average is not None:
            average.update()
        if progress is not None and ((step + 1) % report_every == 0 or step + 1 == steps):
            progress(step + 1, loss.item())
    network.eval()
    losses = [total.item() / last_steps if steps else math.nan for total in last]
    return Descended(losses, None if average is None else average.average(), optimisers)
