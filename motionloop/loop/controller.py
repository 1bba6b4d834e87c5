"""The self-consuming loop: sample, correct, mix with real data, train, judge, and again.

Generation 0 is trained on real data only. Generation g samples round(ratio * n) from the model of
g - 1, corrects them, builds its training set by the data workflow, trains, and evaluates fresh
samples against held-out real data (Gillman et al. 2024, Algorithm 1; Bertrand et al. 2024).

Every use of randomness in generation g has a stream of its own, `default_rng([seed, g, stream])`:
a resumed run equals an uninterrupted one, and arms of an experiment share what they have in common.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

import numpy as np

from motionloop.interfaces import Display, GenerativeModel, Reporter, Scalars, Task
from motionloop.loop.mixing import Mixing, Pool, Remembered, Workflow, training_set
from motionloop.loop.run_directory import (
    MODEL_FILE,
    RunDirectory,
    read_json,
    scalars_row,
    write_json,
)
from motionloop.samples import InputError, Samples

S = TypeVar("S", bound=Samples)
Regime = Literal["finetune", "scratch"]
_STREAMS = ("weights", "training", "synthesis", "correction", "mixing", "evaluation", "real")


@dataclass(frozen=True)
class LoopConfig:
    """Settings of the loop.

    Attributes:
        generations: rounds after generation 0.
        synthetic_ratio: synthetic count / real count; 0 trains on real data only.
        synthetic_count: synthetic samples a generation; none: by the ratio.
        initial_count: real samples of generation 0, drawn for it; 0: the real data itself.
        workflow: what a generation trains on: augment, replace, accumulate,
            accumulate_subsample, fresh, ramp (SCSC's Gaussian toy), real_copy (control).
        memory: newest generations of synthetic data in augment, replace and fresh; 0: all.
        remembered: whole trains on every remembered generation; sampled on as many samples as
            one generation has, drawn from the remembered ones.
        regime: finetune goes on from the previous weights, scratch starts anew.
        initial_steps: optimiser steps of generation 0, and of every generation from scratch.
        steps: optimiser steps of a fine-tuned generation.
        evaluation_count: fresh samples that every generation is judged on.
        start_from: another run's folder whose generation 0 is taken over, so that arms of an
            experiment share it.
        checkpoint_every: generations between checkpoints; a run resumes from the last one.
        seed: of every random stream.
    """

    generations: int = 6
    synthetic_ratio: float = 1.0
    synthetic_count: int | None = None
    initial_count: int = 0
    workflow: Workflow = "augment"
    memory: int = 1
    remembered: Remembered = "whole"
    regime: Regime = "finetune"
    initial_steps: int = 1000
    steps: int = 100
    evaluation_count: int = 256
    start_from: Path | None = None
    checkpoint_every: int = 1
    seed: int = 0

    def __post_init__(self):
        for name, least in (
            ("generations", 0), ("synthetic_ratio", 0), ("initial_count", 0),
            ("memory", 0), ("initial_steps", 1), ("steps", 0),
            ("evaluation_count", 1), ("checkpoint_every", 1), ("seed", 0),
        ):  # fmt: skip
            if not getattr(self, name) >= least:
                raise InputError(
                    f"loop.{name} is {getattr(self, name)}; it must be at least {least}"
                )
        count = self.synthetic_count
        if count is not None and count < 0:
            raise InputError(f"loop.synthetic_count is {count}; it must be at least 0")
        if self.workflow == "replace" and not (self.synthetic_ratio if count is None else count):
            raise InputError(
                "loop.workflow replace without synthetic samples leaves nothing to train on"
            )

    def synthetic(self, real: int) -> int:
        """Synthetic samples that a generation draws, for so many real ones."""
        if self.workflow == "real_copy":
            return 0
        if self.synthetic_count is not None:
            return self.synthetic_count
        return round(self.synthetic_ratio * real)

    def mixing(self) -> Mixing:
        """How training sets are put together."""
        return Mixing(self.workflow, self.synthetic_ratio, self.memory, self.remembered)


class SilentDisplay:
    """Shows nothing."""

    def stage(self, generation: int, what: str) -> None:
        """Nothing."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing."""

    def generation_done(self, generation: int, scalars: Scalars) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


def stream(seed: int, generation: int, name: str) -> np.random.Generator:
    """The random stream of one use in one generation."""
    return np.random.default_rng([seed, generation, _STREAMS.index(name)])


def run(
    task: Task[S],
    config: LoopConfig,
    directory: Path,
    reporter: Reporter,
    display: Display | None = None,
) -> list[dict[str, float]]:
    """Run the loop in `directory`, going on from its last complete generation.

    Returns:
        The scalars of every generation, each with its number as `generation`.

    Raises:
        InputError: the folder of `start_from` has no generation 0.
        OSError: a generation could not be saved; the ones before it stay good.
    """
    loop = _Loop(task, config, RunDirectory(Path(directory)), reporter, display or SilentDisplay())
    return loop.run()


@dataclass(frozen=True)
class _Round(Generic[S]):
    """What a generation leaves for its checkpoint.

    Attributes:
        row: its scalars.
        raw: its synthetic samples.
        corrected: what became of them.
        noted: what the corrector found out about each of them, if it says.
    """

    row: dict[str, float]
    raw: S
    corrected: S
    noted: Samples | None


@dataclass
class _Loop(Generic[S]):
    """One run's state between generations."""

    task: Task[S]
    config: LoopConfig
    folder: RunDirectory
    reporter: Reporter
    display: Display

    def run(self) -> list[dict[str, float]]:
        done = self.folder.complete()
        if not done and self.config.start_from is not None:
            self.folder.copy_generation(RunDirectory(self.config.start_from), 0)
            done = [0]
            for row in self.folder.history():
                self._report(row)
        real_row = self._real_row()
        model = self.task.make_model(self._rng(0, "weights"))
        pool = self._load_pool(done)
        if done:
            model.load(self.folder.model_file(done[-1]))
        unsaved: list[_Round[S]] = []
        for g in range(done[-1] + 1 if done else 0, self.config.generations + 1):
            scalars: Scalars = {}
            raw = corrected = self.task.real[:0]
            noted = None
            if g > 0 and self._synthetic_count():
                raw, corrected, scalars = self._synthesize(model, g)
                noted = self.task.corrections() if self.task.corrections is not None else None
                pool = pool.add(corrected).newest(self.config.mixing().batches)
            model, fitted = self._train(model, pool, g)
            fresh, judged = self._judge(model, g)
            row = scalars_row(g, {**judged, **scalars, **fitted, **real_row})
            unsaved.append(_Round(row, raw, corrected, noted))
            if g % self.config.checkpoint_every == 0 or g == self.config.generations:
                self._checkpoint(model, unsaved, fresh)
                unsaved = []
        return self.folder.history()

    def _rng(self, g: int, name: str) -> np.random.Generator:
        return stream(self.config.seed, g, name)

    def _synthetic_count(self) -> int:
        return self.config.synthetic(len(self.task.real))

    def _synthesize(self, model: GenerativeModel[S], g: int) -> tuple[S, S, Scalars]:
        """Sample from the model of the generation before, and correct."""
        self.display.stage(g, "sampling")
        raw = model.sample(self._synthetic_count(), self._rng(g, "synthesis"))
        self.display.stage(g, "correcting")
        corrected, scalars = self.task.corrector.correct(raw, self._rng(g, "correction"))
        counts = {"synthetic": float(len(raw)), "corrected": float(len(corrected))}
        return raw, corrected, {f"corrector/{k}": v for k, v in {**scalars, **counts}.items()}

    def _train(
        self, model: GenerativeModel[S], pool: Pool[S], g: int
    ) -> tuple[GenerativeModel[S], Scalars]:
        config = self.config
        data = self.task.real
        if g > 0:
            data = training_set(config.mixing(), self.task, pool, self._rng(g, "mixing"))
        elif config.initial_count:
            data = self.task.draw_real(config.initial_count, self._rng(0, "mixing"))
        if len(data) == 0:
            raise InputError(
                f"generation {g} has nothing to train on: every synthetic sample was dropped; "
                "use another workflow than replace, or another policy for falls"
            )
        if g > 0 and config.regime == "scratch":
            model = self.task.make_model(self._rng(g, "weights"))
        fresh_model = g == 0 or config.regime == "scratch"
        steps = config.initial_steps if fresh_model else config.steps
        self.display.stage(g, "training")
        scalars = model.fit(data, steps, self._rng(g, "training"))
        return model, {f"train/{k}": v for k, v in {**scalars, "size": float(len(data))}.items()}

    def _judge(self, model: GenerativeModel[S], g: int) -> tuple[S, Scalars]:
        self.display.stage(g, "evaluating")
        scalars: Scalars = {}
        for read in self.task.model_metrics:
            scalars.update(read(model))
        fresh = self.task.real[:0]
        if self.task.metrics:
            fresh = model.sample(self.config.evaluation_count, self._rng(g, "evaluation"))
            scalars.update(self._measure(fresh))
        return fresh, scalars

    def _measure(self, samples: S) -> Scalars:
        scalars: Scalars = {}
        for metric in self.task.metrics:
            scalars.update(metric(samples, self.task.reference))
        return scalars

    def _real_row(self) -> Scalars:
        """The metrics of real data, as `real/<name>`: what a perfect model would get."""
        path = self.folder.path / "real.json"
        if not self.task.metrics:
            return {}
        if not path.is_file():
            self.display.stage(0, "measuring real data")
            real = self.task.draw_real(self.config.evaluation_count, self._rng(0, "real"))
            write_json(path, {f"real/{k}": v for k, v in self._measure(real).items()})
        return {k: float("nan") if v is None else v for k, v in read_json(path).items()}

    def _checkpoint(self, model: GenerativeModel[S], unsaved: list[_Round[S]], fresh: S) -> None:
        g = int(unsaved[-1].row["generation"])
        join = type(self.task.real).concatenate
        with self.folder.writing(g) as folder:
            model.save(folder / MODEL_FILE)
            if g > 0:
                join([done.raw for done in unsaved]).save(folder / "synthetic.npz")
                join([done.corrected for done in unsaved]).save(folder / "corrected.npz")
                noted = [done.noted for done in unsaved if done.noted is not None]
                if noted:
                    type(noted[0]).concatenate(noted).save(folder / "corrections.npz")
            if len(fresh):
                fresh.save(folder / "evaluation.npz")
            if self.task.preview is not None and len(fresh):
                self.display.stage(g, "drawing")
                self.task.preview(fresh, folder / "preview")
            write_json(folder / "scalars.json", [done.row for done in unsaved])
        for done in unsaved:
            self._report(done.row)

    def _report(self, row: dict[str, float]) -> None:
        g = int(row["generation"])
        scalars = {name: value for name, value in row.items() if name != "generation"}
        self.reporter.report(scalars, g)
        for preview in sorted(self.folder.generation(g).glob("preview.*")):
            self.reporter.attach(preview, g)
        self.display.generation_done(g, scalars)

    def _load_pool(self, done: list[int]) -> Pool[S]:
        """The corrected batches of the complete generations, where the workflow needs them."""
        nothing, kind = self.task.real[:0], type(self.task.real)
        batches = self.config.mixing().batches
        if batches == 1:  # the batch that comes next is all that is needed
            return Pool(nothing, ())
        files = [self.folder.generation(g) / "corrected.npz" for g in done if g > 0]
        rows = [row for row in self.folder.history() if row["generation"] > 0]
        sizes = tuple(int(row.get("corrector/corrected", 0)) for row in rows)
        return Pool(kind.concatenate([nothing, *map(kind.load, files)]), sizes).newest(batches)
