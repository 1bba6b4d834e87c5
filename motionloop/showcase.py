"""What is shown of a generation's samples beside its scalars: figures of each, a video, files."""

import csv
import io
import logging
from pathlib import Path
from typing import Any

import numpy as np

from motionloop.interfaces import Scalars, Task
from motionloop.loop.run_directory import MODEL_FILE, RunDirectory
from motionloop.reporters import WandbReporter
from motionloop.samples import write_whole

_log = logging.getLogger("motionloop.reporters")
_SETS = {"before": "synthetic.npz", "after": "corrected.npz", "fresh": "evaluation.npz"}
_MOST = 512  # samples of a set that get figures


class Showcase:
    """A reporter that shows a run's samples to W&B.

    Every generation gets `samples.csv` (figures of the first 512 samples before correction, after
    it, and fresh), every `wandb.video_every` generations a video of the same prompts, and by
    `wandb.artifacts` its weights and sample sets become artifacts. All are files of the run
    folder too. What fails here is said once and does not stop the run.
    """

    def __init__(self, path: Path, task: Task[Any], wandb: WandbReporter):
        self.task, self.wandb = task, wandb
        self.folder = RunDirectory(path)
        self._newest: int | None = None
        self._failed = wandb.mode == "disabled"

    def report(self, scalars: Scalars, generation: int) -> None:
        """Make the files of a checkpointed generation, and hand them on."""
        folder = self.folder.generation(generation)
        if self._failed or not folder.is_dir():
            return
        self._newest = generation
        config = self.wandb.config
        try:
            if self.task.figures is not None:
                self._tabulate(folder, generation)
            if config.video_every and generation % config.video_every == 0:
                self._film(folder, generation)
            if config.artifacts == "all":
                self._hand_over(generation)
        except Exception as failure:  # a picture may not cost a run its next generation
            self._failed = True
            _log.warning("samples are no longer shown to W&B (%s)", failure)

    def attach(self, path: Path, generation: int) -> None:
        """Nothing: W&B gets it itself."""

    def close(self) -> None:
        """Hand over the last generation's weights and samples."""
        wanted = self.wandb.config.artifacts == "last" and not self._failed
        if wanted and self._newest is not None:
            self._hand_over(self._newest)

    def _tabulate(self, folder: Path, generation: int) -> None:
        assert self.task.figures is not None
        tables = {}
        for name, file in _SETS.items():
            samples = self._load(folder / file)
            if samples is not None:
                tables[name] = dict(self.task.figures(samples[:_MOST]))
        if tables:
            path = folder / "samples.csv"
            text = _csv(tables)
            write_whole(path, lambda file: file.write(text.encode()))
            self.wandb.attach(path, generation)

    def _film(self, folder: Path, generation: int) -> None:
        samples = None if self.task.film is None else self._load(folder / _SETS["fresh"])
        if self.task.film is not None and samples is not None:
            self.wandb.attach(self.task.film(samples, folder / "video"), generation)

    def _hand_over(self, generation: int) -> None:
        for name in (MODEL_FILE, *_SETS.values()):
            path = self.folder.generation(generation) / name
            if path.is_file():
                self.wandb.attach(path, generation)

    def _load(self, path: Path) -> Any:
        """The samples of a file; None where there is none, or none in it."""
        samples = type(self.task.real).load(path) if path.is_file() else ()
        return samples if len(samples) else None


def _csv(tables: dict[str, dict[str, np.ndarray]]) -> str:
    """Rows of all sets below each other, the set in the first column."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = list(next(iter(tables.values())))
    writer.writerow(["set", *names])
    for kind, columns in tables.items():
        writer.writerows([kind, *row] for row in zip(*(columns[name].tolist() for name in names)))
    return file.getvalue()
