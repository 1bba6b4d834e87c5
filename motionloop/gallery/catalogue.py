"""What there is to look at: runs, sweeps, data sets, files of samples and motion files.

Opening reads names only. A generation's samples are read when they are asked for, so that a run
of thousands of clips opens at once; a generation that cannot be read is named, and the others
are shown. A run that is still going shows what is complete, and more when it is asked again.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, get_args

import numpy as np
import yaml

from motionloop.gallery.batch import Batch
from motionloop.loop.run_directory import RunDirectory, read_json
from motionloop.motion.body import Body
from motionloop.motion.correction import Corrections
from motionloop.motion.dataset import INDEX, load_clips
from motionloop.motion.formats import load_motion
from motionloop.motion.motions import Motions
from motionloop.samples import InputError

Kind = Literal["synthetic", "evaluation"]
KINDS: tuple[Kind, ...] = get_args(Kind)
S = TypeVar("S", Motions, Corrections)
_LOOSE = 4  # so many single motion files stand beside each other; of more, one is chosen


class Source(Protocol):
    """Something with samples in it."""

    @property
    def name(self) -> str:
        """What a list calls it."""
        ...

    def generations(self) -> tuple[list[int], list[str]]:
        """The generations that can be shown, and what is wrong with the others."""
        ...

    def batch(self, generation: int, kind: Kind) -> Batch:
        """The samples of a generation.

        Raises:
            InputError: they are missing or damaged.
        """
        ...


@dataclass(frozen=True)
class Clips:
    """Motions that belong to no run: they are generation 0 of nothing.

    Attributes:
        name: what a list calls them.
        content: the motions.
    """

    name: str
    content: Batch

    def generations(self) -> tuple[list[int], list[str]]:
        """One."""
        return [0], []

    def batch(self, generation: int, kind: Kind) -> Batch:
        """All of them."""
        return self.content


@dataclass(frozen=True)
class Run:
    """The samples of a run folder of the motion task.

    Attributes:
        name: what a list calls it.
        path: the folder.
    """

    name: str
    path: Path

    def generations(self) -> tuple[list[int], list[str]]:
        """Reads the folder anew, because the run may still be going."""
        found, problems = [], []
        for last in RunDirectory(self.path).complete():
            folder = RunDirectory(self.path).generation(last)
            try:
                found += _rounds(folder)
                for file in folder.glob("*.npz"):
                    if not zipfile.is_zipfile(file):
                        raise InputError(f"{file} is damaged")
            except InputError as error:
                found = [g for g in found if g < last]
                problems.append(f"{self.name}, generation {last} is left out: {error}")
        return found, problems

    def batch(self, generation: int, kind: Kind) -> Batch:
        """Reads the generation's files."""
        folder = self._folder(generation)
        if kind == "evaluation":
            return Batch.of_motions(Motions.load(folder / "evaluation.npz"))
        if not (folder / "synthetic.npz").is_file():
            raise InputError(
                f"{self.name}, generation {generation} was trained on real data only; "
                "look at its evaluation samples"
            )
        place = [g for g in _rounds(folder) if g > 0].index(generation)
        raw = _draws(Motions.load(folder / "synthetic.npz"))[place]
        corrected = Motions.load(folder / "corrected.npz")
        rows = [row for row in read_json(folder / "scalars.json") if row["generation"] > 0]
        counts = [int(row.get("corrector/corrected") or 0) for row in rows]
        end = int(np.cumsum(counts)[place])
        noted = None
        if (folder / "corrections.npz").is_file():
            draws = _draws(Corrections.load(folder / "corrections.npz"))
            noted = draws[place] if len(draws) == len(rows) else None
        return Batch.of_motions(raw, corrected[end - counts[place] : end], noted)

    def _folder(self, generation: int) -> Path:
        """The checkpoint that holds a generation: the first one that is not before it."""
        for last in RunDirectory(self.path).complete():
            if last >= generation:
                return RunDirectory(self.path).generation(last)
        raise InputError(f"{self.name} has no generation {generation}")


def _rounds(folder: Path) -> list[int]:
    """The generations that a checkpoint holds; more than one with loop.checkpoint_every."""
    return [int(row["generation"]) for row in read_json(folder / "scalars.json")]


def _draws(samples: S) -> list[S]:
    """Samples of several generations one by one: the numbers of a draw rise."""
    starts = np.flatnonzero(np.diff(samples.index) <= 0) + 1
    edges = [0, *map(int, starts), len(samples)]
    return [samples[a:b] for a, b in zip(edges, edges[1:])]


def open_all(paths: Sequence[Path], body: Body) -> list[Source]:
    """Everything that the paths name.

    Args:
        paths: run folders, folders of runs (a sweep), data set folders, files of samples that a
            run left, and motion files of any known format.
        body: the body that motions of other formats are fitted to.

    Raises:
        InputError: a path is missing, of no known kind, or a run without motions.
    """
    sources: list[Source] = []
    loose: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise InputError(f"no such file or folder: {path}")
        if path.is_file() and not _holds_samples(path):
            loose[path.stem if path.stem not in loose else str(path)] = path
        elif path.is_file():
            sources.append(Clips(path.stem, Batch.of_motions(Motions.load(path))))
        elif (path / INDEX).is_file():
            clips = {entry["name"]: clip for entry, clip in load_clips(path)}
            sources.append(Clips(path.name, Batch.of_clips(clips)))
        else:
            sources += _runs(path)
    clips = {name: load_motion(path, body) for name, path in loose.items()}
    if len(clips) > _LOOSE:
        sources.append(Clips("files", Batch.of_clips(clips)))
    else:
        sources += [Clips(name, Batch.of_clips({name: clip})) for name, clip in clips.items()]
    return _told_apart(sources)


def body_model_of(paths: Sequence[Path]) -> Path | None:
    """The body that the first run among the paths was made with; None is the shipped one.

    Raises:
        InputError: that run's config cannot be read.
    """
    for path in paths:
        if (path / "config.yaml").is_file():
            named = task_settings(path).get("body_model")
            return None if named is None else Path(named)
    return None


def _told_apart(sources: list[Source]) -> list[Source]:
    """The sources, those of one name with their paths or a number added."""
    names = [source.name for source in sources]
    taken: list[Source] = []
    for place, source in enumerate(sources):
        if names.count(source.name) > 1:
            more = str(source.path) if isinstance(source, Run) else f"{source.name} {place + 1}"
            source = replace(source, name=more)  # pyright: ignore[reportArgumentType]
        taken.append(source)
    return taken


def _holds_samples(path: Path) -> bool:
    """Whether a file is a batch of samples that a run left, not one motion."""
    if path.suffix != ".npz" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "index.npy" in archive.namelist()


def _runs(folder: Path) -> list[Source]:
    """The run of a folder, or all runs at most two levels below it (arms, then seeds)."""
    if (folder / "config.yaml").is_file():
        found = [folder]
    else:
        configs = [*folder.glob("*/config.yaml"), *folder.glob("*/*/config.yaml")]
        found = sorted(config.parent for config in configs)
    runs: list[Source] = []
    others: set[str] = set()
    for path in found:
        task = _task_of(path)
        if task == "motion":
            name = path.name if path == folder else str(path.relative_to(folder))
            runs.append(Run(name, path))
        else:
            others.add(task)
    if not runs and others:
        raise InputError(f"{folder} is a run of the task {min(others)}, which has no motions")
    if not runs:
        raise InputError(
            f"{folder} holds nothing to show: it is no run (it has no config.yaml), "
            f"no folder of runs and no data set (it has no {INDEX})"
        )
    return runs


def _task_of(run: Path) -> str:
    return str(task_settings(run)["name"])


def task_settings(run: Path) -> dict[str, Any]:
    """The section `task` of a run's config.

    Raises:
        InputError: the config cannot be read.
    """
    try:
        settings = yaml.safe_load((run / "config.yaml").read_text())["task"]
        return {"name": "", **settings}
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise InputError(f"{run / 'config.yaml'} is not a run's config: {error}") from error
