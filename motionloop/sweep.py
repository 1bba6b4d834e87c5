"""Sweeps: every combination of some settings, each with several seeds, over all cores.

An arm is one combination; its runs lie in `<out>/<arm>/seed_<n>`, each a run folder of its own,
or, where all seeds run at once, in the one file `<out>/<arm>/scores.npz`. Arms that have the same
generation 0 share it: it is trained once for each seed, in `<out>/generation_0/seed_<n>`. A sweep
that was stopped goes on with the runs that are not complete.
"""

import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from motionloop.experiment import Experiment
from motionloop.interfaces import Scalars
from motionloop.launch import claimed, shares_generation_0
from motionloop.loop.controller import SilentDisplay, run
from motionloop.loop.run_directory import RunDirectory, write_json
from motionloop.loop.seeds import run_seeds
from motionloop.reporters import SilentReporter
from motionloop.samples import InputError, write_whole

START = "generation_0"  # folder of the generation that all arms start from


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
    return combinations(experiment.sweep.over, experiment.sweep.arms, experiment.name)


def combinations(
    over: Mapping[str, Sequence[Any]], named: Mapping[str, Mapping[str, Any]], name: str
) -> list[Arm]:
    """All combinations of settings and their values, for each of the named arms.

    Without any, one arm called `name`.
    """
    arms = []
    for label, fixed in (named or {"": {}}).items():
        for values in itertools.product(*over.values()):
            settings = dict(zip(over, values))
            parts = [f"{key.rsplit('.', 1)[1]}={value}" for key, value in settings.items()]
            arms.append(Arm(",".join([label] * bool(label) + parts) or name, {**fixed, **settings}))
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
    if not path.exists() and not experiment.sweep.together:
        _with(experiment, arms[0]).build(SilentDisplay())  # names bad data; nothing is written yet
    with claimed(path, experiment):
        jobs: dict[Future, tuple[Arm | None, list[int]]] = {}
        workers = experiment.sweep.workers or os.cpu_count() or 1
        context = multiprocessing.get_context("spawn")
        stopped = context.Event()
        pool = ProcessPoolExecutor(
            workers,
            mp_context=context,
            initializer=_begin_worker,
            initargs=(os.getpid(), stopped),
        )
        histories = {arm.label: {} for arm in arms}

        def submit(arm: Arm, seeds: list[int], start: Path | None) -> None:
            one = _with(experiment.with_setting("loop.seed", seeds[0]), arm)
            if start is not None:
                one = one.with_setting("loop.start_from", start)
            jobs[pool.submit(_run_group, one, seeds, path / arm.label)] = (arm, seeds)

        try:
            groups = _groups(experiment)
            total = len(groups) * (len(arms) + _shares(experiment))
            for seeds in groups:
                if _shares(experiment):
                    first = experiment.with_setting("loop.seed", seeds[0])
                    first = first.with_setting("loop.generations", 0)
                    job = pool.submit(_run_group, first, seeds, path / START)
                    jobs[job] = (None, seeds)
                else:
                    for arm in arms:
                        submit(arm, seeds, None)
            for done in range(1, total + 1):
                job = next(as_completed(jobs))
                arm, seeds = jobs.pop(job)
                found = job.result()
                if arm is None:
                    for each in arms:
                        submit(each, seeds, path / START / f"seed_{seeds[0]}")
                else:
                    histories[arm.label].update(zip(seeds, found))
                on_run(arm.label if arm else "generation 0", done, total)
        except KeyboardInterrupt:
            stopped.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    result = SweepResult(arms, {k: [v[s] for s in sorted(v)] for k, v in histories.items()})
    write_json(path / "summary.json", result.summary())
    return result


def _with(experiment: Experiment, arm: Arm) -> Experiment:
    for key, value in arm.settings.items():
        experiment = experiment.with_setting(key, value)
    return experiment


def _shares(experiment: Experiment) -> bool:
    """Whether the arms start from one generation 0 that is trained for all of them."""
    return (
        len(arms_of(experiment)) > 1
        and not experiment.sweep.together
        and experiment.loop.start_from is None
        and all(shares_generation_0(key) for key in experiment.sweep.varied())
    )


def _begin_worker(sweep: int, stopped: Event) -> None:
    """One thread of arithmetic, since workers share the cores, and no life after the sweep's own.

    The next sweep in the folder would otherwise write the same runs as a worker that was left, and
    a sweep that was stopped would wait for runs to their end.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(sweep, stopped), daemon=True).start()


def _end_with(process: int, stopped: Event) -> None:
    while os.getppid() == process and not stopped.wait(0.5):
        pass
    os._exit(1)


def _groups(experiment: Experiment) -> list[list[int]]:
    """The seeds that are run in one go: all of them, or one by one."""
    first = experiment.loop.seed
    seeds = list(range(first, first + experiment.sweep.seeds))
    return [seeds] if experiment.sweep.together else [[seed] for seed in seeds]


def _run_group(
    experiment: Experiment, seeds: list[int], folder: Path
) -> list[list[dict[str, float]]]:
    """The histories of the seeds."""
    if experiment.sweep.together:
        return _run_together(experiment, seeds, folder)
    return [_run_one(experiment, folder / f"seed_{seeds[0]}")]


def _run_together(
    experiment: Experiment, seeds: list[int], folder: Path
) -> list[list[dict[str, float]]]:
    """Run all seeds at once, unless the folder has their scores already."""
    path, shape = folder / "scores.npz", (experiment.loop.generations + 1, len(seeds))
    scores = _read_scores(path)
    if any(values.shape != shape for values in scores.values()) or not scores:
        scores = run_seeds(experiment.build_seeds, experiment.loop, seeds)
        write_whole(path, lambda file: np.savez_compressed(file, allow_pickle=False, **scores))
    return _histories(scores)


def read_together(folder: Path) -> list[list[dict[str, float]]]:
    """The histories of an arm's seeds where all ran at once; none where they did not.

    Raises:
        InputError: the file that holds them is damaged.
    """
    return _histories(_read_scores(folder / "scores.npz"))


def _histories(scores: Mapping[str, np.ndarray]) -> list[list[dict[str, float]]]:
    """A history a seed, of scores (generations, seeds)."""
    generations, seeds = next(iter(scores.values())).shape if scores else (0, 0)
    return [
        [
            {"generation": g, **{name: float(v[g, i]) for name, v in scores.items()}}
            for g in range(generations)
        ]
        for i in range(seeds)
    ]


def _read_scores(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    except (OSError, ValueError, BadZipFile) as error:
        raise InputError(f"{path} is damaged, delete it: {error}") from error


def _run_one(experiment: Experiment, folder: Path) -> list[dict[str, float]]:
    directory = RunDirectory(folder)
    complete = directory.complete()
    if complete and complete[-1] >= experiment.loop.generations:
        return directory.history()
    task = experiment.build(SilentDisplay())
    return run(task, experiment.loop, folder, SilentReporter())
