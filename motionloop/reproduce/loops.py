"""Loops of an experiment: all arms and seeds of a shipped config, run side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motionloop.experiment import load
from motionloop.interfaces import Display
from motionloop.reproduce.record import Line
from motionloop.reproduce.seeds_figures import mean_figure, mean_line
from motionloop.reproduce.verdict import Figure
from motionloop.sweep import SweepResult, sweep

NO_CHANGE = "no change"
"""Name of a figure that is 0, for checks of a sign."""


@dataclass(frozen=True)
class Loops:
    """The histories of all arms.

    Attributes:
        result: of the sweep.
        generations: the last generation.
        seeds: of each arm.
    """

    result: SweepResult
    generations: int
    seeds: int

    def scores(self, scalar: str, **settings: Any) -> np.ndarray:
        """One scalar (G + 1, S) of the arm with these settings, by the last word of their names."""
        for arm in self.result.arms:
            short = {name.rsplit(".", 1)[1]: value for name, value in arm.settings.items()}
            if short == settings:
                rows = self.result.histories[arm.label]
                return np.array([[row.get(scalar, np.nan) for row in one] for one in rows]).T
        raise KeyError(f"no arm {settings}")

    def late(self, scalar: str, count: int = 3, **settings: Any) -> np.ndarray:
        """Its mean (S,) over the last `count` generations."""
        return self.scores(scalar, **settings)[-count:].mean(0)

    def change(self, scalar: str, generation: int = -1, **settings: Any) -> np.ndarray:
        """How far it is (S,) from generation 0."""
        scores = self.scores(scalar, **settings)
        return scores[generation] - scores[0]

    def slope(self, scalar: str, first: int = 0, **settings: Any) -> np.ndarray:
        """Its least-squares growth (S,) per generation, from generation `first` on."""
        scores = self.scores(scalar, **settings)[first:]
        return np.polyfit(np.arange(len(scores)), scores, 1)[0]

    def line(self, label: str, scalar: str, **settings: Any) -> Line:
        """Its mean over seeds by generation."""
        return mean_line(label, range(self.generations + 1), self.scores(scalar, **settings))

    def setting(self) -> str:
        """Sizes and seeds, for the page."""
        return f"{self.generations} generations, {self.seeds} seeds an arm"


def run_loops(config: str, display: Display, folder: Path, changes: Sequence[str] = ()) -> Loops:
    """Run all arms of a shipped config, or go on with the ones that a folder holds.

    Args:
        config: its name.
        display: shows how many runs are done.
        folder: of the experiment; the arms lie in a folder of the config's name inside it.
        changes: settings as on the command line, such as `["--seeds", "1"]`.
    """
    experiment = load(config, changes)
    result = sweep(
        experiment,
        folder / config,
        lambda arm, done, total: display.progress(arm, done, total),
    )
    return Loops(result, experiment.loop.generations, experiment.sweep.seeds)


def figures_of(values: dict[str, np.ndarray]) -> dict[str, Figure]:
    """Mean and standard error of every figure (S,) over seeds, and `NO_CHANGE`."""
    return {NO_CHANGE: Figure(0.0), **{name: mean_figure(v) for name, v in values.items()}}
