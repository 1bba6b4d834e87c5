"""Figures and lines from scores of many seeds: means with their standard errors."""

import math

import numpy as np

from motionloop.interfaces import Display
from motionloop.loop.controller import SilentDisplay
from motionloop.reproduce.record import Line
from motionloop.reproduce.verdict import Figure


def mean_figure(values: np.ndarray) -> Figure:
    """Mean and standard error of one figure (S,) over seeds; of one seed the error is NaN."""
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else math.nan
    return Figure(float(values.mean()), error)


def mean_line(label: str, x, values: np.ndarray) -> Line:
    """The line of means over seeds, of values (G, S)."""
    seeds = values.shape[1]
    error = values.std(axis=1, ddof=1) / np.sqrt(seeds) if seeds > 1 else ()
    return Line.of(label, x, values.mean(axis=1), error)


class Arms(SilentDisplay):
    """Shows a display how far several runs have come, as if they were one."""

    def __init__(self, display: Display, count: int):
        """For `count` runs, one after the other."""
        self._display, self._count, self._done = display, count, 0

    def progress(self, what: str, done: int, total: int) -> None:
        """How far the present run has come."""
        scale = 1000
        self._display.progress(
            what, self._done * scale + scale * done // total, self._count * scale
        )
        if done == total:
            self._done += 1


def spaced(generations: int, count: int = 20) -> list[int]:
    """About `count` generations from 0 to the last, denser at the start."""
    return sorted({round(g) - 1 for g in np.geomspace(1, generations + 1, count)})
