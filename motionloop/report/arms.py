"""Which runs are seeds of one arm, in what the arms differ, and what they came to."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from motionloop.report.runs import Run
from motionloop.viewer.palette import ArmStyle, arm_styles
from motionloop.viewer.series import History, Line, line_of, metric_names, real_value

_NOT_THE_ARM = ("name", "loop.seed", "loop.start_from", "wandb.", "sweep.")


@dataclass(frozen=True)
class Arm:
    """Runs that differ in their seed only.

    Attributes:
        label: unique among the arms.
        runs: one a seed.
        style: of its lines.
    """

    label: str
    runs: tuple[Run, ...]
    style: ArmStyle

    @cached_property
    def seeds(self) -> list[History]:
        """The histories of the runs that have any."""
        return [run.history for run in self.runs if run.history]

    @property
    def settings(self) -> dict[str, Any]:
        """Dotted setting -> value, without those that do not tell arms apart."""
        return arm_settings(self.runs[0])

    @property
    def last(self) -> int | None:
        """The last generation that a seed has completed."""
        return max((run.last for run in self.runs if run.last is not None), default=None)

    @property
    def progress(self) -> str:
        """How far it came, in words."""
        planned = self.runs[0].planned
        states = {run.state for run in self.runs}
        text = "none yet" if self.last is None else f"{self.last} of {planned}"
        if states == {"complete"}:
            text = f"{planned}"
        elif len(self.seeds) < len(self.runs):
            text += f", {len(self.seeds)} of {len(self.runs)} seeds"
        return text + (", still going" if "running" in states else "")

    def line(self, name: str) -> Line:
        """A metric over the generations: mean and standard error, or value and interval."""
        return line_of(self.seeds, name)

    def final(self, name: str) -> tuple[float, float, float]:
        """Value, lower and upper end of the band of a metric in the last generation; or nan."""
        if not self.seeds:
            return math.nan, math.nan, math.nan
        line = self.line(name)
        return float(line.middle[-1]), float(line.low[-1]), float(line.high[-1])


def arm_settings(run: Run) -> dict[str, Any]:
    """Dotted setting -> value of a run, without those that do not tell arms apart."""
    return {k: v for k, v in flat(run.config).items() if not k.startswith(_NOT_THE_ARM)}


def flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted name -> value of every setting."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def group(runs: Sequence[Run]) -> list[Arm]:
    """Arms in the order of the runs; runs with the same config and another seed are one arm."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        key = json.dumps(arm_settings(run), sort_keys=True, default=str)
        # The same seed once more is no other seed: it is shown beside the first.
        same_seed = [one.config["loop"].get("seed") for one in groups.get(key, [])]
        if run.config["loop"].get("seed") in same_seed:
            key = f"{key} {run.path.resolve()}"
        groups.setdefault(key, []).append(run)
    members = list(groups.values())
    labels = _unique([_label(runs) for runs in members], members)
    styles = arm_styles(len(members))
    return [Arm(*parts) for parts in zip(labels, map(tuple, members), styles)]


def _label(runs: list[Run]) -> str:
    """The common beginning of the runs' names; the folder around them where they have none."""
    first, last = min(run.label for run in runs), max(run.label for run in runs)
    same = next((k for k, (a, b) in enumerate(zip(first, last)) if a != b), len(first))
    shared = first[:same]
    if first != last:
        shared = re.sub(r"[_\-. ]*(seed|s)?[_\-. =]*\d*$", "", shared)
    return shared or runs[0].path.resolve().parent.name


def _unique(labels: list[str], members: list[list[Run]]) -> list[str]:
    """Labels that occur twice are preceded by the folder around the run, or else numbered."""
    longer = [
        label if labels.count(label) == 1 else f"{runs[0].path.resolve().parent.name}/{label}"
        for label, runs in zip(labels, members)
    ]
    return [
        label if longer.count(label) == 1 else f"{label} ({longer[: i + 1].count(label)})"
        for i, label in enumerate(longer)
    ]


def differences(arms: Sequence[Arm]) -> dict[str, list[Any]]:
    """Setting -> its value in every arm, for the settings that are not the same in all."""
    settings = [arm.settings for arm in arms]
    names = dict.fromkeys(name for one in settings for name in one)
    rows = {name: [one.get(name) for one in settings] for name in names}
    return {name: row for name, row in rows.items() if len({repr(value) for value in row}) > 1}


def metrics_of(arms: Sequence[Arm]) -> list[str]:
    """All metrics by first appearance, those of a group after the rest."""
    return metric_names({arm.label: arm.seeds for arm in arms})


def real(arms: Sequence[Arm], name: str) -> float:
    """The real data's value of a metric, or nan."""
    return real_value({arm.label: arm.seeds for arm in arms}, name)


def closest_to_real(arms: Sequence[Arm], name: str) -> int | None:
    """Which arm ends nearest to the real data; None where that cannot be said."""
    goal = real(arms, name)
    distances = np.abs(np.array([arm.final(name)[0] for arm in arms]) - goal)
    if len(arms) < 2 or not np.isfinite(distances).any():
        return None
    return int(np.nanargmin(distances))
