"""What a loop is doing right now: a live table on a terminal, plain lines elsewhere."""

import math
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console

from motionloop.viewer.screens import duration, open_screen
from motionloop.viewer.units import is_derived, label_and_unit, read_number


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
        self._screen = open_screen(console, names, quiet, verbose)

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
        took, left = duration(self._durations[-1]), ""
        parts.append(took)
        if self._last is not None and generation < self._last:
            mean = sum(self._durations) / len(self._durations)
            left = f"about {duration(mean * (self._last - generation))} left"
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


def _figure(scalars: Mapping[str, Any], name: str) -> str:
    label, unit = label_and_unit(name)
    text = f"{label} {read_number(scalars[name])}{' ' if unit else ''}{unit}"
    real = scalars.get(f"real/{name}", math.nan)
    return text + (f" (real {read_number(real)})" if math.isfinite(real) else "")
