"""What a loop is doing right now: a live table on a terminal, plain lines elsewhere."""

import math
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from motionloop.viewer.table import generation_table
from motionloop.viewer.units import is_derived, label_and_unit, read_number

PAUSE = 10.0
"""Shortest time between two plain lines within a stage, s."""
WORTH_A_LINE = 1.0
"""A stage that took less than this gets no plain line of its own, s."""


class LoopDisplay:
    """Says what a running loop does, how far it is, and what each generation came to.

    Use it as a context manager: leaving it, also by an exception or Ctrl-C, stops the live part.
    On a terminal that is a table of the generations so far, with a bar of the present stage below.
    Where the output is not a terminal there is one line for each generation, one for each stage
    that took a second or more, and within a long stage one every ten seconds.

    Args:
        generations: the last generation of the loop; None: unknown.
        names: the metrics of a finished generation to show; None: those in no group
            ("corrector/fell" is in one).
        quiet: show nothing at all.
        verbose: plain lines on a terminal too, one for every stage, with all metrics.
        console: where to write; None: the standard output.
    """

    def __init__(
        self,
        generations: int | None = None,
        names: Sequence[str] | None = None,
        quiet: bool = False,
        console: Console | None = None,
        verbose: bool = False,
    ):
        self._last = generations
        self._names = names
        self._verbose = verbose
        self._what = ""
        self._stage_began = self._generation_began = time.monotonic()
        self._durations: list[float] = []
        console = console or Console(highlight=False)
        self._screen: _Screen = _Nothing()
        if not quiet:
            live = console.is_terminal and not verbose
            self._screen = _Live(console, names) if live else _Lines(console, verbose)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def stage(self, generation: int, what: str) -> None:
        """Say that `what` ("training", "sampling", ...) of a generation begins."""
        self._end_stage()
        self._what = what
        self._stage_began = time.monotonic()
        self._screen.begin(f"{self._of(generation)} · {what}")

    def progress(self, what: str, done: float, total: float) -> None:
        """Say how far the stage is: `done` of `total` steps, samples or clips.

        `what` is the stage's name, or names a part of it.
        """
        elapsed = time.monotonic() - self._stage_began
        left = elapsed * (total - done) / done if 0 < done <= total else math.nan
        self._screen.advance("" if what == self._what else what, done, total, left)

    def generation_done(self, generation: int, scalars: Mapping[str, float]) -> None:
        """Say what a finished generation came to, and when the loop will be through."""
        self._end_stage()
        now = time.monotonic()
        self._durations.append(now - self._generation_began)
        self._generation_began = now
        parts = [_figure(scalars, name) for name in self._shown(scalars)]
        took, left = _duration(self._durations[-1]), ""
        parts.append(took)
        if self._last is not None and generation < self._last:
            mean = sum(self._durations) / len(self._durations)
            left = f"about {_duration(mean * (self._last - generation))} left"
            parts.append(left)
        record = {"generation": generation, **scalars}
        line = f"{self._of(generation)} done · " + " · ".join(parts)
        self._screen.finish(record, line, took, left)

    def note(self, text: str) -> None:
        """Say something that is no stage."""
        self._screen.say(text)

    def close(self) -> None:
        """Stop the live bar; may be called twice."""
        self._screen.stop()

    def _end_stage(self) -> None:
        if self._what:
            self._screen.end(time.monotonic() - self._stage_began)
        self._what = ""

    def _of(self, generation: int) -> str:
        return f"generation {generation}" + (f"/{self._last}" if self._last is not None else "")

    def _shown(self, scalars: Mapping[str, float]) -> list[str]:
        if self._verbose:
            return [name for name in scalars if not is_derived(name)]
        if self._names is not None:
            return [name for name in self._names if name in scalars]
        return [name for name in scalars if "/" not in name and not is_derived(name)]


class _Screen(Protocol):
    """A way to show stages: `begin`, any number of `advance`, `end`; `say` between stages.

    `finish` takes a generation's record, the same as a line, how long it took, and what is left.
    """

    def begin(self, label: str) -> None: ...

    def advance(self, part: str, done: float, total: float, left: float) -> None: ...

    def end(self, seconds: float) -> None: ...

    def finish(self, record: Mapping[str, Any], line: str, took: str, left: str) -> None: ...

    def say(self, line: str) -> None: ...

    def stop(self) -> None: ...


class _Nothing:
    def begin(self, label: str) -> None: ...

    def advance(self, part: str, done: float, total: float, left: float) -> None: ...

    def end(self, seconds: float) -> None: ...

    def finish(self, record: Mapping[str, Any], line: str, took: str, left: str) -> None: ...

    def say(self, line: str) -> None: ...

    def stop(self) -> None: ...


class _Lines:
    def __init__(self, console: Console, every_stage: bool = False):
        self._console = console
        self._worth = 0.0 if every_stage else WORTH_A_LINE
        self._label = ""
        self._said = time.monotonic()

    def begin(self, label: str) -> None:
        self._label = label
        self._said = time.monotonic()

    def advance(self, part: str, done: float, total: float, left: float) -> None:
        now = time.monotonic()
        if now - self._said < PAUSE or done >= total:
            return
        self._said = now
        label = " · ".join(filter(None, (self._label, part)))
        self.say(f"{label}: {done:g}/{total:g}{_left(left)}")

    def end(self, seconds: float) -> None:
        if seconds >= self._worth:
            self.say(f"{self._label}: {_duration(seconds)}")

    def finish(self, record: Mapping[str, Any], line: str, took: str, left: str) -> None:
        self.say(line)

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._console.file.flush()

    def stop(self) -> None: ...


class _Live:
    """The generations so far and, below them, the present stage; rich redraws both."""

    def __init__(self, console: Console, names: Sequence[str] | None):
        self._console, self._names = console, names
        self._records: list[Mapping[str, Any]] = []
        self._times: dict[int, str] = {}
        self._left = ""
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", style="dim"),
            console=console,
        )
        self._live = Live(
            console=console,
            transient=True,
            refresh_per_second=5,
            get_renderable=self._drawn,
        )
        self._label = ""

    def begin(self, label: str) -> None:
        self._label = label
        self._clear()
        self._progress.add_task(escape(label), total=None, count="", left="")
        self._live.start()

    def advance(self, part: str, done: float, total: float, left: float) -> None:
        label = " · ".join(filter(None, (self._label, part)))
        for task in self._progress.task_ids:
            self._progress.update(
                task,
                description=escape(label),
                completed=done,
                total=total,
                count=f"{done:g}/{total:g}",
                left=_left(left).removeprefix(", "),
            )

    def end(self, seconds: float) -> None:
        self._clear()

    def finish(self, record: Mapping[str, Any], line: str, took: str, left: str) -> None:
        self._records.append(record)
        self._times[record["generation"]] = took
        self._left = left

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False)

    def stop(self) -> None:
        self._live.stop()

    def _clear(self) -> None:
        for task in self._progress.task_ids:
            self._progress.remove_task(task)

    def _drawn(self) -> RenderableType:
        if not self._records:
            return self._progress
        newest = self._records[-max(self._console.height - 8, 3) :]
        table = generation_table(newest, self._names, times=self._times)
        left = [f"[dim]{self._left}[/]"] if self._left else []
        return Group(table, *left, self._progress)


def _figure(scalars: Mapping[str, Any], name: str) -> str:
    label, unit = label_and_unit(name)
    text = f"{label} {read_number(scalars[name])}{' ' if unit else ''}{unit}"
    real = scalars.get(f"real/{name}", math.nan)
    return text + (f" (real {read_number(real)})" if math.isfinite(real) else "")


def _left(seconds: float) -> str:
    return f", {_duration(seconds)} left" if math.isfinite(seconds) else ""


def _duration(seconds: float) -> str:
    """0.4 s, 12 s, 3:05 min, 2:10 h."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
