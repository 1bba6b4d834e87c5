"""Which line, band and real-data value the histories of an arm amount to."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from motionloop.viewer.units import is_derived

History = list[dict[str, Any]]
Arms = Mapping[str, list[History]]


@dataclass(frozen=True)
class Line:
    """A metric of one arm over G generations; nan stands where there is no value.

    Attributes:
        generations: (G,) ascending.
        middle: (G,) the value, or the mean over seeds.
        low: (G,) lower end of the band.
        high: (G,) upper end of the band.
    """

    generations: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


def seeds_of(given: History | Sequence[History]) -> list[History]:
    """The histories of an arm's seeds, one where a single history was given."""
    if given and isinstance(given[0], Mapping):
        return [list(given)]  # type: ignore[arg-type]
    return [list(history) for history in given]  # type: ignore[arg-type]


def metric_names(arms: Arms) -> list[str]:
    """All metrics by first appearance, those of a group ("corrector/fell") after the rest."""
    records = [record for seeds in arms.values() for history in seeds for record in history]
    names = dict.fromkeys(name for record in records for name in record if not is_derived(name))
    return sorted(names, key=lambda name: "/" in name)


def line_of(seeds: list[History], name: str) -> Line:
    """The line of a metric.

    One history: its values, and the band from `<name>_low` to `<name>_high`. Several: the mean
    over the seeds that have the generation, and one standard error of that mean to both sides.
    """
    generations = sorted({record["generation"] for history in seeds for record in history})
    x = np.array(generations, float)
    if len(seeds) == 1:
        ends = (_table(seeds, generations, name + end)[0] for end in ("", "_low", "_high"))
        return Line(x, *ends)
    table = np.ma.masked_invalid(_table(seeds, generations, name))
    count = table.count(axis=0)
    mean = table.mean(axis=0).filled(math.nan)
    deviation = np.where(count > 1, table.std(axis=0, ddof=1).filled(math.nan), math.nan)
    error = deviation / np.sqrt(np.maximum(count, 1))
    return Line(x, mean, mean - error, mean + error)


def real_value(arms: Arms, name: str) -> float:
    """The real data's value of a metric: the mean of what the arms state, or nan."""
    columns = [_column(h, f"real/{name}") for seeds in arms.values() for h in seeds]
    finite = [value for column in columns for value in _finite(column.values())]
    return float(np.mean(finite)) if finite else math.nan


def has_interval(seeds: list[History], names: Sequence[str]) -> bool:
    """Whether an arm of one history states an interval of one of the metrics."""
    return len(seeds) == 1 and any(
        _finite(_column(seeds[0], f"{name}_low").values()) for name in names
    )


def _table(seeds: list[History], generations: list[int], name: str) -> np.ndarray:
    """Values by seed and generation: (seeds, G)."""
    columns = [_column(history, name) for history in seeds]
    rows = [[column.get(g, math.nan) for g in generations] for column in columns]
    return np.array(rows, float).reshape(len(seeds), len(generations))


def _column(history: History, name: str) -> dict[int, float]:
    return {record["generation"]: float(record.get(name, math.nan)) for record in history}


def _finite(values: Iterable[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]
