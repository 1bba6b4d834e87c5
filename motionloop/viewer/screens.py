"""Ways to show what a loop does: nothing, plain lines, or a live table on a terminal."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from motionloop.viewer.table import generation_table

PAUSE = 10.0
"""Shortest time between two plain lines within a stage, s."""
WORTH_A_LINE = 1.0
"""A stage that took less than this gets no plain line of its own, s."""


class Screen(Protocol):
    """A way to show stages: `begin`, any number of `advance`, `end`; the rest between stages."""

    def begin(self, label: str) -> None:
        """A stage begins."""
        ...

    def advance(self, part: str, done: float, total: float, left: float) -> None:
        """The stage is at `done` of `total`, with `left` s to go; `part` names a part of it."""
        ...

    def end(self, seconds: float) -> None:
        """The stage took so long."""
        ...

    def finish(self, record: Mapping[str, Any], line: str, took: str, left: str) -> None:
        """A generation is complete: its record, the same as a line, its time, and what is left."""
        ...

    def say(self, line: str) -> None:
        """Something that is no stage."""
        ...

    def stop(self) -> None:
        """Leave the terminal as it was."""
        ...


def open_screen(
    console: Console, names: Sequence[str] | None, quiet: bool, verbose: bool
) -> Screen:
    """What fits the output: a live table on a terminal, else lines; nothing where `quiet`."""
    if quiet:
        return _Nothing()
    if console.is_terminal and not verbose:
        return _LiveTable(console, names)
    return _Lines(console, every_stage=verbose)


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
            self.say(f"{self._label}: {duration(seconds)}")

    def finish(self, record: Mapping[str, Any], line: str, took: str, left: str) -> None:
        self.say(line)

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._console.file.flush()

    def stop(self) -> None: ...


class _LiveTable:
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


def _left(seconds: float) -> str:
    return f", {duration(seconds)} left" if math.isfinite(seconds) else ""


def duration(seconds: float) -> str:
    """0.4 s, 12 s, 3:05 min, 2:10 h."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
