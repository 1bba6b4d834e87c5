"""Results of experiments on disk: one JSON file an experiment and size, and what they came to.

    <out>/reproduction/<name>_<size>.json  <name>_<size>.png
                       <name>_<size>.runs/    runs of an experiment that was stopped

A command that was stopped goes on from the finished experiments, because a file that is there is
complete, and from the generations that the last one had finished.
"""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from motionloop import __version__
from motionloop.interfaces import Display
from motionloop.loop.run_directory import read_json, write_json
from motionloop.paths import CONFIGS
from motionloop.reproduce.record import Measured, PaperExperiment, Size
from motionloop.reproduce.verdict import Judgement, Verdict, overall

FOLDER = "reproduction"


@dataclass(frozen=True)
class Result:
    """A finished experiment.

    Attributes:
        experiment: what was asked.
        size: at which it ran.
        measured: what was found.
        seconds: processor time that it took, with the processes that it started, s.
        outdated: whether the config that it ran has changed since; False where that is not known.
    """

    experiment: PaperExperiment
    size: Size
    measured: Measured
    seconds: float
    outdated: bool = False

    def judgements(self) -> list[tuple[Verdict, list[Judgement]]]:
        """For every claim its verdict and the checks behind it."""
        judged = []
        for claim in self.experiment.claims:
            checks = [check.judge(self.measured.figures) for check in claim.checks]
            judged.append((overall([check.verdict for check in checks]), checks))
        return judged


def stem(name: str, size: Size) -> str:
    """The name of an experiment's files, without suffix."""
    return f"{name}_{size}"


def finished(experiment: PaperExperiment, size: Size, out: Path) -> Result | None:
    """The result that lies in the folder, if there is one.

    Raises:
        InputError: the file is damaged; delete it to run the experiment again.
    """
    path = out / FOLDER / f"{stem(experiment.name, size)}.json"
    if not path.is_file():
        return None
    content = read_json(path)
    measured = Measured.from_json(content.get("measured"))
    outdated = content.get("config", "") not in ("", _digest(experiment, size))
    return Result(experiment, size, measured, float(content.get("seconds", 0)), outdated)


def forget(experiment: PaperExperiment, size: Size, out: Path) -> None:
    """Remove the runs of an experiment that was stopped, so that it starts anew."""
    shutil.rmtree(_runs(experiment, size, out), ignore_errors=True)


def _runs(experiment: PaperExperiment, size: Size, out: Path) -> Path:
    return out / FOLDER / f"{stem(experiment.name, size)}.runs"


def _digest(experiment: PaperExperiment, size: Size) -> str:
    """Of the config that the experiment runs; empty if it runs none."""
    if size not in experiment.configs:
        return ""
    return hashlib.sha256((CONFIGS / f"{experiment.configs[size]}.yaml").read_bytes()).hexdigest()


def _processor_time() -> float:
    """Of this process and the ones that it started and that have ended, s."""
    return sum(os.times()[:4])


def run(experiment: PaperExperiment, size: Size, out: Path, display: Display) -> Result:
    """Run an experiment, or go on with one that was stopped, and keep what it found."""
    folder = _runs(experiment, size, out)
    spent = folder / "seconds.json"
    before = float(read_json(spent)) if spent.is_file() else 0.0
    began = _processor_time()
    try:
        measured = experiment.run(size, display, folder)
    finally:
        seconds = before + _processor_time() - began
        if folder.is_dir():
            write_json(spent, seconds)
    content = {
        "experiment": experiment.name,
        "size": size,
        "motionloop": __version__,
        "config": _digest(experiment, size),
        "seconds": round(seconds, 1),
        "measured": measured.to_json(),
    }
    write_json(out / FOLDER / f"{stem(experiment.name, size)}.json", content)
    forget(experiment, size, out)
    return Result(experiment, size, measured, seconds)
