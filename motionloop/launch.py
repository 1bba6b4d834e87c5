"""Launching one run: its folder is checked and locked, its reporters opened, the loop run.

A run folder belongs to one configuration. The same command goes on where it stopped. What may
change is what leaves the runs that are there as they are: `loop.generations` may grow, a sweep may
get more arms, values and seeds, and W&B and the number of workers are free.
"""

import fcntl
import importlib.metadata
import json
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

import motionloop
from motionloop.experiment import Experiment
from motionloop.interfaces import Display, Scalars
from motionloop.loop.controller import run
from motionloop.loop.run_directory import RunDirectory, write_json
from motionloop.reporters import SeveralReporters
from motionloop.reporters.jsonl import JsonlReporter, read_history
from motionloop.reporters.wandb_reporter import WandbReporter
from motionloop.samples import InputError, write_whole
from motionloop.showcase import Showcase

_REDRAW = 10.0  # s
# The settings of the loop that generation 0 depends on.
_INITIAL = {"initial_steps", "initial_count", "seed", "evaluation_count", "start_from"}
_PACKAGES = ("numpy", "scipy", "torch", "mujoco", "smplx", "wandb")


def launch(experiment: Experiment, path: Path, display: Display) -> list[dict[str, float]]:
    """Run or go on with an experiment of one arm in the folder `path`.

    Returns:
        The scalars of every generation.

    Raises:
        InputError: the folder holds another run, or something that is no run.
    """
    _check_start(experiment)
    _check_folder(path, experiment)
    if finished := _finished(path, experiment):
        display.note(f"{path} is complete; nothing to do")
        return finished
    task = experiment.build(display)
    with claimed(path, experiment):
        write_json(path / "definitions.json", dict(task.definitions))
        jsonl = JsonlReporter(path / "metrics.jsonl")
        complete = RunDirectory(path).history()
        reported = {row["generation"] for row in read_history(path / "metrics.jsonl")}
        for row in complete:
            if row["generation"] not in reported:
                jsonl.report(*_split(row))
        history = read_history(path / "metrics.jsonl")
        config = {**yaml.safe_load(experiment.text), "definitions": dict(task.definitions)}
        group = experiment.wandb.group or experiment.name
        settings = replace(experiment.wandb, group=group)
        wandb = WandbReporter(settings, path, config, path.resolve().name, history)
        display.note(wandb.where)
        curves, showcase = Curves(path, experiment, wandb), Showcase(path, task, wandb)
        reporter = SeveralReporters([jsonl, curves, showcase, wandb])
        try:
            return run(task, experiment.loop, path, reporter, display)
        finally:
            reporter.close()


def _finished(path: Path, experiment: Experiment) -> list[dict[str, float]]:
    """The scalars of a run that has all its generations and has told of all; else none.

    With other W&B settings than the last time there is still something to tell.
    """
    last, metrics = experiment.loop.generations, path / "metrics.jsonl"
    if not (metrics.is_file() and (path / "curves.png").is_file()):
        return []
    reported, complete = read_history(metrics), RunDirectory(path).complete()
    told = yaml.safe_load((path / "config.yaml").read_text())["wandb"]
    same = told == yaml.safe_load(experiment.text)["wandb"]
    both = bool(reported and complete) and min(reported[-1]["generation"], complete[-1]) >= last
    return reported if same and both else []


def _split(row: dict[str, float]) -> tuple[Scalars, int]:
    return {k: v for k, v in row.items() if k != "generation"}, int(row["generation"])


class Curves:
    """A reporter that keeps `curves.png` of the run folder up to date, and shows it to W&B.

    A loop of fast generations is redrawn at most every ten seconds, and at the end.
    """

    def __init__(self, path: Path, experiment: Experiment, wandb: WandbReporter):
        self.path, self.experiment, self.wandb = path, experiment, wandb
        self._drawn = -_REDRAW
        self._newest: int | None = None

    def report(self, scalars: Scalars, generation: int) -> None:
        """Redraw the curves of all generations so far, if the last drawing is old."""
        self._newest = generation
        if time.monotonic() - self._drawn >= _REDRAW:
            self._draw()

    def attach(self, path: Path, generation: int) -> None:
        """Nothing: curves show scalars."""

    def close(self) -> None:
        """Draw what is not drawn yet, and send the picture to W&B."""
        if self._newest is not None:
            self._draw()
            self.wandb.attach(self.path / "curves.png", self._newest)

    def _draw(self) -> None:
        from motionloop.viewer.curves import plot_curves

        name, rows = self.experiment.name, read_history(self.path / "metrics.jsonl")
        curves, theory = self.experiment.curves(), self.experiment.theory()
        plot_curves({name: [rows]}, self.path / "curves.png", curves, name, theory)
        self._drawn = time.monotonic()


@contextmanager
def claimed(path: Path, experiment: Experiment) -> Iterator[None]:
    """The run folder, made or recognised, and locked against a second process.

    Raises:
        InputError: the folder is in use, holds another run, or something that is no run.
    """
    _check_folder(path, experiment)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{path} is in use by another process; wait for it or stop it"
            ) from None
        write_whole(path / "config.yaml", lambda file: file.write(experiment.text.encode()))
        if not (path / "provenance.json").is_file():
            write_json(path / "provenance.json", _provenance(path))
        yield


def _check_folder(path: Path, experiment: Experiment) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"{path} is a file; name a folder with --out")
    config = path / "config.yaml"
    if not config.is_file():
        if any(entry.name != ".lock" for entry in path.iterdir()):
            raise InputError(f"{path} is not empty and holds no run; choose another --out")
        return
    try:
        there = yaml.safe_load(config.read_text())
    except yaml.YAMLError as error:
        raise InputError(f"{config} is damaged: {error}") from error
    here = yaml.safe_load(experiment.text)
    if arms := there.get("sweep", {}).get("arms"):
        here["sweep"]["arms"] = {k: v for k, v in here["sweep"]["arms"].items() if k in arms}
    changed = [
        f"{key} ({old} there, {new} here)"
        for key, old, new in _differences(there, here)
        if not _keeps_runs(key, old, new)
    ]
    if changed:
        raise InputError(
            f"{path} holds another run: {', '.join(changed)}; choose another --out, "
            "or repeat that run's settings to go on with it"
        )


def _keeps_runs(key: str, old: Any, new: Any) -> bool:
    """Whether the runs of a folder stay what they are when this setting changes."""
    if key.startswith("wandb.") or key == "sweep.workers":
        return True
    if key in ("loop.generations", "sweep.seeds"):
        return new > old
    grows = key.startswith("sweep.over.") and old and new
    return bool(grows) and all(value in new for value in old)


def _differences(a: Any, b: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a, *b}):
            yield from _differences(a.get(key), b.get(key), f"{prefix}.{key}" if prefix else key)
    elif a != b:
        yield prefix, a, b


def _check_start(experiment: Experiment) -> None:
    """The run of `start_from` must have trained its generation 0 on the same task."""
    start = experiment.loop.start_from
    if start is None:
        return
    config = Path(start) / "config.yaml"
    if not config.is_file():
        raise InputError(f"loop.start_from: {start} is not a run folder (it has no config.yaml)")
    there, here = yaml.safe_load(config.read_text()), yaml.safe_load(experiment.text)
    for content in (there, here):
        content["task"].pop("corrector", None)
    changed = [
        f"task.{k} ({a} there, {b} here)" for k, a, b in _differences(there["task"], here["task"])
    ]
    for key in sorted(_INITIAL - {"start_from"}):
        if there["loop"][key] != here["loop"][key]:
            changed.append(f"loop.{key} ({there['loop'][key]} there, {here['loop'][key]} here)")
    if changed:
        raise InputError(f"loop.start_from: {start} has another generation 0: {', '.join(changed)}")


def shares_generation_0(key: str) -> bool:
    """Whether runs that differ in this setting alone have the same generation 0."""
    section, _, name = key.partition(".")
    return (section == "loop" and name not in _INITIAL) or key.startswith("task.corrector.")


def _provenance(path: Path) -> dict[str, Any]:
    """Versions, commit and time; uncommitted changes of the checkout go to `diff.patch`."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    checkout = Path(motionloop.__file__).resolve().parent.parent
    commit = _git(checkout, "rev-parse", "HEAD") if (checkout / ".git").exists() else ""
    diff = _git(checkout, "diff", "HEAD") if commit else ""
    if diff:
        write_whole(path / "diff.patch", lambda file: file.write(diff.encode()))
    return {
        "motionloop": motionloop.__version__,
        "commit": commit.strip() or None,
        "uncommitted_changes": bool(diff),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": versions,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _git(folder: Path, *arguments: str) -> str:
    if shutil.which("git") is None:
        return ""
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def save_json(path: Path | None, content: Any) -> None:
    """Write what a command's table shows, where `--json` asks for it."""
    if path is not None:
        write_json(path, json.loads(json.dumps(content, default=str)))
