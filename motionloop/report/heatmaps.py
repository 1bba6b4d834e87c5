"""What a setting does: heat maps of the arms that are steps of one number, or of two.

Two numbers: a cell for every pair, the metric in the last generation. One number: a row for every
value, a column for every generation. Arms that differ in anything else have no such picture.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from motionloop.report.arms import Arm, differences
from motionloop.report.figures import Figure, csv_text, draw_svg, file_name
from motionloop.viewer.units import label_and_unit, read_number

_MAP = "cividis"  # steadily brighter, and read alike with every colour blindness
_CELLS = 60  # columns at most


def swept_numbers(arms: Sequence[Arm]) -> list[str]:
    """The one or two numeric settings that alone tell the arms apart; else none."""
    varied = differences(arms)
    numeric = all(_is_number(value) for row in varied.values() for value in row)
    told = [arm for arm in arms if arm.seeds]
    if not numeric or not 1 <= len(varied) <= 2 or len(told) < 3:
        return []
    return list(varied)


def heat_map(arms: Sequence[Arm], name: str) -> Figure:
    """The heat map of a metric over `swept_numbers(arms)`."""
    settings = swept_numbers(arms)
    if len(settings) == 1:
        return _over_generations(arms, name, settings[0])
    return _over_pairs(arms, name, settings[0], settings[1])


def _over_pairs(arms: Sequence[Arm], name: str, down: str, across: str) -> Figure:
    rows, columns = (_values(arms, setting) for setting in (down, across))
    table = np.full((len(rows), len(columns)), math.nan)
    for arm in arms:
        place = rows.index(arm.settings[down]), columns.index(arm.settings[across])
        table[place] = arm.final(name)[0]

    def draw(axis) -> None:
        picture = _image(axis, table)
        for (i, j), value in np.ndenumerate(table):
            red, green, blue, _ = picture.to_rgba(value)
            dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
            if math.isfinite(value):
                look: dict[str, Any] = {"color": "white" if dark else "black", "fontsize": 8}
                axis.text(j, i, read_number(value), ha="center", va="center", **look)
        axis.set_xticks(range(len(columns)), [f"{value:g}" for value in columns])
        axis.set_xlabel(_short(across))
        _name_rows(axis, rows, down, name)

    cells = [
        [f"{rows[i]:g}", f"{columns[j]:g}", repr(float(value))]
        for (i, j), value in np.ndenumerate(table)
        if math.isfinite(value)
    ]
    return _figure(name, draw, csv_text([down, across, name], cells), f"{down} and {across}")


def _over_generations(arms: Sequence[Arm], name: str, setting: str) -> Figure:
    rows = _values(arms, setting)
    lines = {arm.settings[setting]: arm.line(name) for arm in arms if arm.seeds}
    last = int(max(line.generations[-1] for line in lines.values()))
    shown = np.unique(np.linspace(0, last, min(last + 1, _CELLS)).round().astype(int))
    table = np.full((len(rows), len(shown)), math.nan)
    for i, value in enumerate(rows):
        if value in lines:
            known = dict(zip(lines[value].generations.astype(int), lines[value].middle))
            table[i] = [known.get(g, math.nan) for g in shown]

    def draw(axis) -> None:
        from matplotlib.ticker import MaxNLocator

        _image(axis, table, (-0.5, last + 0.5, -0.5, len(rows) - 0.5))
        axis.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
        axis.set_xlabel("generation")
        _name_rows(axis, rows, setting, name)

    cells = [
        [f"{value:g}", str(g), repr(float(table[i, j]))]
        for i, value in enumerate(rows)
        for j, g in enumerate(shown)
        if math.isfinite(table[i, j])
    ]
    return _figure(name, draw, csv_text([setting, "generation", name], cells), setting)


def _image(axis, table: np.ndarray, extent: tuple[float, float, float, float] | None = None):
    """The cells, the first row at the bottom; the colours are logarithmic over two decades."""
    from matplotlib.colors import LogNorm

    finite = table[np.isfinite(table)]
    wide = len(finite) and finite.min() > 0 and finite.max() > 100 * finite.min()
    look: dict[str, Any] = {"cmap": _MAP, "norm": LogNorm() if wide else None, "extent": extent}
    picture = axis.imshow(table, aspect="auto", origin="lower", **look)
    axis.figure.colorbar(picture, ax=axis, pad=0.02)
    axis.grid(False)
    return picture


def _name_rows(axis, rows: list[float], setting: str, name: str) -> None:
    label, unit = label_and_unit(name)
    axis.set_yticks(range(len(rows)), [f"{value:g}" for value in rows])
    axis.set_ylabel(_short(setting))
    axis.set_title(f"{label}, {unit}" if unit else label)


def _figure(name: str, draw, table: str, over: str) -> Figure:
    svg = draw_svg(draw, f"heat map {name}")
    return Figure(file_name(f"heat_{name}"), svg, table, f"{name} over {over}")


def _values(arms: Sequence[Arm], setting: str) -> list[float]:
    return sorted({arm.settings[setting] for arm in arms})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(setting: str) -> str:
    return setting.rpartition(".")[2].replace("_", " ")
