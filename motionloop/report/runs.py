"""What a run folder holds, as far as it can be read; a run may still go on, or be broken.

A folder is a run (config.yaml and generations), a sweep (its runs lie in <arm>/seed_<n>, or all in
<arm>/scores.npz), or a folder of such folders.
"""

import fcntl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from motionloop.loop.run_directory import RunDirectory, read_json
from motionloop.reporters import read_history
from motionloop.samples import InputError
from motionloop.sweep import combinations, read_together

State = Literal["complete", "running", "stopped"]


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        path: its folder.
        label: what it is called: the folder's name, or the arm's in a sweep.
        config: the whole config.
        history: the records of the complete generations, ascending.
        state: complete; running: another process holds it; stopped: before its last generation.
        problems: what could not be read, in words.
        provenance: versions, commit and time of the start.
        definitions: what stands behind the figures.
        source: the folder whose config.yaml the run was started with; in a sweep, the sweep's.
    """

    path: Path
    label: str
    config: dict[str, Any]
    history: list[dict[str, Any]]
    state: State
    problems: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    source: Path = Path()

    @property
    def planned(self) -> int:
        """The number of the last generation that was asked for."""
        return int(self.config.get("loop", {}).get("generations", 0))

    @property
    def last(self) -> int | None:
        """The last complete generation."""
        return self.history[-1]["generation"] if self.history else None

    @property
    def folder(self) -> RunDirectory:
        """The folder as the loop sees it."""
        return RunDirectory(self.path)


def read_runs(paths: list[Path]) -> list[Run]:
    """All runs of the folders, in order.

    Raises:
        InputError: a path is no run, no sweep and no folder of runs, or its config is damaged.
    """
    runs = []
    for path in paths:
        for folder in _run_folders(path):
            runs += _read(folder)
    return runs


def _run_folders(path: Path) -> list[Path]:
    if (path / "config.yaml").is_file():
        return [path]
    if path.is_file():
        raise InputError(f"{path} is a file; name the run's folder")
    if not path.is_dir():
        raise InputError(f"there is no folder {path}")
    inside = sorted(folder.parent for folder in path.glob("*/config.yaml"))
    if not inside:
        raise InputError(f"{path} is not a run folder (it has no config.yaml), nor holds any")
    return inside


def _read(path: Path) -> list[Run]:
    """The run of a folder, or all runs of a sweep's."""
    config = _config(path / "config.yaml")
    over, named = (config["sweep"].get(key) or {} for key in ("over", "arms"))
    seeds = config["sweep"].get("seeds", 1)
    known: dict[str, Any] = {
        "source": path,
        "provenance": _optional(path / "provenance.json"),
        "definitions": _optional(path / "definitions.json"),
    }
    if not over and not named and seeds == 1:
        return [_one(path, path.name, config, _is_locked(path), known)]
    running, first = _is_locked(path), config["loop"].get("seed", 0)
    runs = []
    for arm in combinations(over, named, path.name):
        together, damage = _together(path / arm.label)
        for k, seed in enumerate(range(first, first + seeds)):
            one = _with(config, {**arm.settings, "loop.seed": seed})
            folder = path / arm.label / f"seed_{seed}"
            there = together[k] if k < len(together) else None
            found = None if there is None and not damage else (there or [], damage)
            runs.append(_one(folder, arm.label, one, running, known, found))
    return runs


def _together(folder: Path) -> tuple[list[list[dict[str, Any]]], list[str]]:
    """The histories of an arm whose seeds ran at once, and what is wrong with them."""
    try:
        return read_together(folder), []
    except InputError as error:
        return [], [str(error)]


def _one(
    path: Path,
    label: str,
    config: dict[str, Any],
    running: bool,
    known: dict[str, Any],
    found: tuple[list[dict[str, Any]], list[str]] | None = None,
) -> Run:
    history, problems = _history(path) if found is None else found
    planned = int(config["loop"].get("generations", 0))
    complete = bool(history) and history[-1]["generation"] >= planned
    state: State = "complete" if complete else "running" if running else "stopped"
    return Run(path, label, config, history, state, tuple(problems), **known)


def _history(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The records of `metrics.jsonl`, or of the generations' own folders where it is no use."""
    folder, problems = RunDirectory(path), []
    rows: dict[int, dict[str, Any]] = {}
    for g in folder.complete():
        try:
            rows.update({int(row["generation"]): row for row in folder.rows(g)})
        except (InputError, AttributeError, KeyError, TypeError, ValueError) as error:
            problems.append(f"generation {g} is broken: {error}")
    try:
        if (path / "metrics.jsonl").is_file():
            rows.update({row["generation"]: row for row in read_history(path / "metrics.jsonl")})
    except InputError as error:
        problems.append(str(error))
    missing = sorted(set(range(max(rows, default=0))) - set(rows) - set(folder.complete()))
    problems += [f"generation {g} is missing" for g in missing] if len(missing) < 10 else []
    return [rows[g] for g in sorted(rows)], problems


def _config(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path} is not readable YAML: {error}") from error
    sections = ("task", "loop", "wandb", "sweep")
    if not isinstance(content, dict) or not all(isinstance(content.get(s), dict) for s in sections):
        raise InputError(f"{path} is not the config of a run: it has no {', '.join(sections)}")
    return content


def _optional(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except InputError:
        return {}
    return content if isinstance(content, dict) else {}


def _is_locked(path: Path) -> bool:
    """Whether a process is at work in the folder."""
    try:
        with open(path / ".lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _with(config: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """A config with dotted settings changed."""
    for key, value in settings.items():
        section, _, rest = key.partition(".")
        inner = _with(config.get(section) or {}, {rest: value}) if rest else value
        config = {**config, section: inner}
    return config
