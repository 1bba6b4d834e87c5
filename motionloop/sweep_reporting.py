"""What a sweep leaves behind for readers: metrics.jsonl, and a W&B run for every arm.

Both hold means over seeds. A line of `metrics.jsonl` is an arm's generation; in W&B the arms are
runs of one group, with the generation as the x axis.
"""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from motionloop.experiment import Experiment
from motionloop.reporters import WandbReporter
from motionloop.samples import write_whole
from motionloop.sweep import Arm, SweepResult


def report_sweep(experiment: Experiment, path: Path, result: SweepResult) -> str:
    """Write `metrics.jsonl`, tell W&B of every arm, and say where that is.

    A metric's mean over seeds has its name; `<name>_low` and `<name>_high` are one standard error
    to both sides. The wait for a server that does not answer is one `wandb.timeout` for all arms.

    Raises:
        InputError: the W&B mode is online and no API key is configured.
    """
    rows = [{**row, **_band(row)} for row in result.summary()]
    write_whole(path / "metrics.jsonl", lambda file: file.writelines(_line(row) for row in rows))
    config = replace(experiment.wandb, group=experiment.wandb.group or experiment.name)
    modes = []
    for arm in result.arms:
        records = [_record(row, arm) for row in rows if row["arm"] == arm.label]
        settings = {**yaml.safe_load(experiment.text), "arm": arm.settings}
        reporter = WandbReporter(config, path / arm.label, settings, arm.label, records)
        reporter.close()
        # A server that did not answer for one arm is not asked again for the next.
        config = replace(config, mode=reporter.mode)
        modes.append(reporter.mode)
    if modes[-1] == "disabled":
        return "W&B: off"
    if modes[-1] == "online":
        return f"W&B: {len(modes)} runs in the group {config.group!r}"
    return f"W&B: {len(modes)} runs offline; send them with: wandb sync {path / '*' / 'wandb'}"


def _record(row: dict[str, Any], arm: Arm) -> dict[str, Any]:
    """What W&B gets of a row: its generation, means and bands."""
    others = {"arm", "seeds", *arm.settings}
    return {
        name: value
        for name, value in row.items()
        if name not in others and not name.endswith(("_sd", "_se"))
    }


def _band(row: dict[str, Any]) -> dict[str, float]:
    """One standard error below and above every mean."""
    names = [name for name in row if f"{name}_se" in row]
    ends = {"low": -1, "high": 1}
    return {
        f"{name}_{end}": row[name] + sign * row[f"{name}_se"]
        for name in names
        for end, sign in ends.items()
    }


def _line(row: dict[str, Any]) -> bytes:
    finite = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
    return json.dumps(finite).encode() + b"\n"
