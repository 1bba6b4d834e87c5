"""What a loop is doing right now: a live bar on a terminal, plain lines elsewhere."""

import math
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from motionloop.viewer.units import is_derived, label_and_unit, read_number

PAUSE = 10.0
"""Shortest time between two plain lines within a stage, s."""
WORTH_A_LINE = 1.0
"""A stage that took less than this gets no plain line of its own, s."""


class LoopDisplay:
    """Says what a running loop does, how far it is, and what each generation came to.

    Use it as a context manager: leaving it, also by an exception or Ctrl-C, stops the bar. Where
    the output is not a terminal there is one line for each generation, one for each stage that
    took a second or more, and within a long stage one every ten seconds.

    Args:
        generations: the last generation of the loop; None: unknown.
        names: the metrics in the line of a finished generation; None: those in no group
            ("corrector/fell" is in one).
        quiet: show nothing at all.
        console: where to write; None: the standard output.
    """

    def __init__(
        self,
        generations: int | None = None,
        names: Sequence[str] | None = None,
        quiet: bool = False,
        console: Console | None = None,
    ):
        self._last = generations
        self._names = names
        self._what = ""
        self._stage_began = self._generation_began = time.monotonic()
        self._durations: list[float] = []
        console = console or Console(highlight=False)
        self._screen: _Screen = _Nothing()
        if not quiet:
            self._screen = _Bar(console) if console.is_terminal else _Lines(console)

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
        parts.append(_duration(self._durations[-1]))
        if self._last is not None and generation < self._last:
            mean = sum(self._durations) / len(self._durations)
            parts.append(f"about {_duration(mean * (self._last - generation))} left")
        self._screen.say(f"{self._of(generation)} done · " + " · ".join(parts))

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
        if self._names is not None:
            return [name for name in self._names if name in scalars]
        return [name for name in scalars if "/" not in name and not is_derived(name)]


class _Screen(Protocol):
    """A way to show stages: `begin`, any number of `advance`, `end`; `say` between stages."""

    def begin(self, label: str) -> None: ...

    def advance(self, part: str, done: float, total: float, left: float) -> None: ...

    def end(self, seconds: float) -> None: ...

    def say(self, line: str) -> None: ...

    def stop(self) -> None: ...


class _Nothing:
    def begin(self, label: str) -> None: ...

    def advance(self, part: str, done: float, total: float, left: float) -> None: ...

    def end(self, seconds: float) -> None: ...

    def say(self, line: str) -> None: ...

    def stop(self) -> None: ...


class _Lines:
    def __init__(self, console: Console):
        self._console = console
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
        if seconds >= WORTH_A_LINE:
            self.say(f"{self._label}: {_duration(seconds)}")

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._console.file.flush()

    def stop(self) -> None: ...


class _Bar:
    """One line at the bottom of the terminal, which rich redraws; it starts with a stage."""

    def __init__(self, console: Console):
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", style="dim"),
            console=console,
            transient=True,
            refresh_per_second=5,
        )
        self._label = ""

    def begin(self, label: str) -> None:
        self._label = label
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(escape(label), total=None, count="", left="")
        self._progress.start()

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
        for task in self._progress.task_ids:
            self._progress.remove_task(task)

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False)

    def stop(self) -> None:
        self._progress.stop()


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
