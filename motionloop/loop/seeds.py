"""The loop with all its seeds at once, for models that are fitted in closed form.

The same generations as `controller.run`, on arrays with one leading axis of seeds (S). Every seed
draws from its own streams, the same as `run` would, so its figures are those of `run` up to
rounding, and do not depend on which seeds run together. `accumulate` needs no history: the models
merge the newest batch into running statistics.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from motionloop.interfaces import Display, Task
from motionloop.loop.controller import LoopConfig, SilentDisplay, stream
from motionloop.loop.mixing import Mixing
from motionloop.models.closed_form import Scores, SeedsTask
from motionloop.samples import InputError
from motionloop.strength import Identity

_MEMORY = 32e6
"""Bytes of samples that one group of seeds may hold: what stays near the processor is fastest."""


def run_seeds(
    build: Callable[[Sequence[int]], SeedsTask],
    config: LoopConfig,
    seeds: Sequence[int],
    measured: Sequence[int] | None = None,
    display: Display | None = None,
) -> Scores:
    """Run the loop for every seed.

    Args:
        build: makes the task of the seeds it is given.
        config: of the loop; `seed`, `start_from` and checkpoints are not used.
        seeds: of the runs.
        measured: the generations to measure, in order; None: all of them.
        display: told how many generations of all groups are done.

    Returns:
        Figures by name, each with shape (measured generations, seeds).

    Raises:
        InputError: a workflow that has nothing to train on.
    """
    measured = range(config.generations + 1) if measured is None else measured
    display = display or SilentDisplay()
    groups = _groups(build, config, seeds)
    total = len(groups) * (config.generations + 1)
    found = []
    for i, group in enumerate(groups):
        rows = []
        loop = _Generations(build(group), config, group)
        for g in range(config.generations + 1):
            loop.step(g)
            if g in measured:
                rows.append(loop.task.measure(loop.task.model))
            display.progress("generations", i * (config.generations + 1) + g + 1, total)
        found.append({name: np.stack([row[name] for row in rows]) for name in rows[0]})
    return {name: np.concatenate([part[name] for part in found], axis=1) for name in found[0]}


def _groups(
    build: Callable[[Sequence[int]], SeedsTask], config: LoopConfig, seeds: Sequence[int]
) -> list[Sequence[int]]:
    """Seeds that run together, so few that their history fits into memory."""
    one = build(seeds[:1])
    real = one.model.to_array(one.tasks[0].real)
    kept = config.mixing().batches or config.generations
    samples = len(real) + config.synthetic(len(real))
    if config.workflow != "accumulate":
        samples += kept * config.synthetic(len(real))
    size = max(1, int(_MEMORY / (8 * samples * real.shape[1])))
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


class _Generations:
    """The state of all seeds between generations."""

    def __init__(self, task: SeedsTask, config: LoopConfig, seeds: Sequence[int]):
        self.task, self.config, self.seeds = task, config, seeds
        self.real = self._stack([one.real for one in task.tasks])  # (S, N, C)
        self.synthetic = config.synthetic(self.real.shape[1])
        if not self.synthetic and config.workflow == "replace":
            raise InputError("replace without synthetic samples leaves nothing to train on")
        kept = config.mixing().batches or config.generations
        keeps = 0 if config.workflow == "accumulate" else kept * self.synthetic
        # [real; pool]: the pool's batches stand one after the other, the oldest first.
        self.everything = np.empty((len(seeds), self.real.shape[1] + keeps, self.real.shape[2]))
        self.everything[:, : self.real.shape[1]] = self.real
        self.sizes: tuple[int, ...] = ()

    def step(self, g: int) -> None:
        """Train generation g."""
        model = self.task.model
        if g == 0:
            model.learn(self._initial())
            return
        batch = self._batch(g) if self.synthetic else self.real[:, :0]
        if self.config.workflow == "accumulate":
            if g == 1 and self.config.initial_count:
                model.learn(self.real)
            model.learn_more(batch)
            return
        if self.synthetic:
            self._remember(batch)
        model.learn(self._training_set(g))

    def _rngs(self, g: int, name: str) -> list[np.random.Generator]:
        return [stream(seed, g, name) for seed in self.seeds]

    def _stack(self, samples: Sequence[Any]) -> np.ndarray:
        return np.stack([self.task.model.to_array(one) for one in samples])

    def _draw_real(self, count: int, rngs: Sequence[np.random.Generator]) -> np.ndarray:
        return self._stack([t.draw_real(count, rng) for t, rng in zip(self.task.tasks, rngs)])

    def _initial(self) -> np.ndarray:
        if not self.config.initial_count:
            return self.real
        return self._draw_real(self.config.initial_count, self._rngs(0, "mixing"))

    def _batch(self, g: int) -> np.ndarray:
        """Sample from the models of the generation before, and correct."""
        model = self.task.model
        rngs = self._rngs(g, "synthesis")
        made = model.make(np.stack([model.noise(self.synthetic, rng) for rng in rngs]))
        if all(_changes_nothing(task) for task in self.task.tasks):
            return made
        correctors = zip(self.task.tasks, made, self._rngs(g, "correction"))
        return self._stack(
            [task.corrector.correct(model.to_samples(x), rng)[0] for task, x, rng in correctors]
        )

    def _remember(self, batch: np.ndarray) -> None:
        batches = self.config.mixing().batches
        real, new = self.real.shape[1], batch.shape[1]
        if batches and len(self.sizes) == batches:  # forget the oldest
            self.everything[:, real:-new] = self.everything[:, real + new :].copy()
            self.sizes = self.sizes[1:]
        end = real + sum(self.sizes)
        self.everything[:, end : end + new] = batch
        self.sizes = (*self.sizes, new)

    def _training_set(self, g: int) -> np.ndarray:
        mixing: Mixing = self.config.mixing()
        real = self.real.shape[1]
        rngs = self._rngs(g, "mixing") if mixing.draws else []
        if mixing.workflow == "fresh":
            self.everything[:, :real] = self._draw_real(real, rngs)
        if not mixing.draws_rows:
            return self.everything[:, mixing.rows(real, self.sizes, np.random.default_rng(0))]
        rows = np.stack([mixing.rows(real, self.sizes, rng) for rng in rngs])  # (S, K)
        return np.take_along_axis(self.everything, rows[:, :, None], axis=1)


def _changes_nothing(task: Task) -> bool:
    return isinstance(task.corrector, Identity) or getattr(task.corrector, "weight", 1) == 0
