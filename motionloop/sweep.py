"""Sweeps: every combination of some settings, each with several seeds, over all cores.

An arm is one combination; its runs lie in `<out>/<arm>/seed_<n>`, each a run folder of its own,
and a sweep that was stopped goes on with the runs that are not complete.
"""

import itertools
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motionloop.experiment import Experiment
from motionloop.interfaces import Scalars
from motionloop.launch import claimed
from motionloop.loop.controller import SilentDisplay, run
from motionloop.loop.run_directory import RunDirectory, write_json
from motionloop.reporters import SilentReporter


@dataclass(frozen=True)
class Arm:
    """One combination of the swept settings.

    Attributes:
        label: such as `gamma=0.1`, also its folder's name.
        settings: dotted setting -> value.
    """

    label: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class SweepResult:
    """What a sweep found.

    Attributes:
        arms: in the order of the config.
        histories: arm label -> one history a seed.
    """

    arms: list[Arm]
    histories: dict[str, list[list[dict[str, float]]]]

    def summary(self) -> list[dict[str, Any]]:
        """One row per arm and generation, over the seeds.

        A scalar's mean stands under its `name`, its standard deviation and standard error under
        `name_sd` and `name_se`.
        """
        rows = []
        for arm in self.arms:
            for same in zip(*self.histories[arm.label]):
                row: dict[str, Any] = {"arm": arm.label, **arm.settings, "seeds": len(same)}
                row["generation"] = same[0]["generation"]
                for name in same[0]:
                    if name != "generation":
                        row |= _spread(name, [one.get(name, np.nan) for one in same])
                rows.append(row)
        return rows


def _spread(name: str, values: list[float]) -> Scalars:
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    se = sd / np.sqrt(len(values))
    return {name: float(np.mean(values)), f"{name}_sd": sd, f"{name}_se": float(se)}


def arms_of(experiment: Experiment) -> list[Arm]:
    """The arms of an experiment."""
    return combinations(experiment.sweep.over, experiment.name)


def combinations(over: Mapping[str, Sequence[Any]], name: str) -> list[Arm]:
    """All combinations of settings and their values; without any, one arm called `name`."""
    arms = []
    for values in itertools.product(*over.values()):
        settings = dict(zip(over, values))
        parts = [f"{key.rsplit('.', 1)[1]}={value}" for key, value in settings.items()]
        arms.append(Arm(",".join(parts) or name, settings))
    return arms


def sweep(
    experiment: Experiment, path: Path, on_run: Callable[[str, int, int], None]
) -> SweepResult:
    """Run all arms with all seeds in processes of their own.

    Args:
        experiment: with a section `sweep`.
        path: the sweep's folder.
        on_run: called with the arm's label, runs done, runs in all, after every run.

    Raises:
        InputError: the folder holds another sweep.
    """
    arms = arms_of(experiment)
    seeds = range(experiment.loop.seed, experiment.loop.seed + experiment.sweep.seeds)
    with claimed(path, experiment):
        jobs = {}
        workers = experiment.sweep.workers or os.cpu_count() or 1
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread)
        histories = {arm.label: {} for arm in arms}
        try:
            for seed, arm in itertools.product(seeds, arms):
                one = experiment.with_setting("loop.seed", seed)
                for key, value in arm.settings.items():
                    one = one.with_setting(key, value)
                folder = path / arm.label / f"seed_{seed}"
                jobs[pool.submit(_run_one, one, folder)] = (arm.label, seed)
            for done, job in enumerate(as_completed(jobs), start=1):
                label, seed = jobs[job]
                histories[label][seed] = job.result()
                on_run(label, done, len(jobs))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    result = SweepResult(arms, {k: [v[s] for s in sorted(v)] for k, v in histories.items()})
    write_json(path / "summary.json", result.summary())
    return result


def _one_thread() -> None:
    """Workers share the cores between them."""
    os.environ["OMP_NUM_THREADS"] = "1"


def _run_one(experiment: Experiment, folder: Path) -> list[dict[str, float]]:
    directory = RunDirectory(folder)
    complete = directory.complete()
    if complete and complete[-1] >= experiment.loop.generations:
        return directory.history()
    task = experiment.build(SilentDisplay())
    return run(task, experiment.loop, folder, SilentReporter())
