"""What happened over the generations, in one picture: a small panel for every metric."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motionloop.samples import InputError, write_whole
from motionloop.viewer.units import is_derived, label_and_unit

History = list[dict[str, Any]]
Line = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Generations, values, lower and upper end of the band: each (G,), nan where there is none."""

# The palette of Okabe and Ito (2008), told apart with every common colour blindness; the
# markers tell the arms apart without any colour.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_REAL, _THEORY = "#7A7A7A", "#222222"
_COLUMNS = 4
_STYLE: dict[Any, Any] = {
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "text.color": "#222222",
    "axes.labelcolor": "#555555",
}


def plot_curves(
    histories: Mapping[str, History] | Mapping[str, Sequence[History]],
    path: Path,
    names: Sequence[str] | None = None,
    title: str = "",
    theory: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
) -> Path:
    """Draw metrics against the generation, one panel a metric and one colour an arm.

    A band around a line is the interval from `<name>_low` to `<name>_high`; where an arm has
    several histories (seeds), the line is their mean and the band one standard deviation. A
    dashed grey line is the real data's value, `real/<name>`. An axis is logarithmic when its
    positive values span more than two decades.

    Args:
        histories: arm -> its history as `read_history` gives it, or the list of the histories
            of its seeds.
        path: the PNG file, written whole or not at all.
        names: the metrics to draw, in order; None: all that a history has.
        title: heading of the picture.
        theory: metric -> (generations, values) of a predicted curve, dotted.

    Returns:
        `path`.

    Raises:
        InputError: no history holds any of the metrics.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    arms = {arm: _seeds(given) for arm, given in histories.items()}
    names = _panels(arms, names)
    columns = min(_COLUMNS, len(names), max(2, math.ceil(math.sqrt(len(names)))))
    rows = math.ceil(len(names) / columns)
    with rc_context(_STYLE):
        width, height = (4.6, 2.9) if columns == 1 else (3.1 * columns, 2.35 * rows)
        figure = Figure(figsize=(width, height + 0.75), layout="constrained")
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axis, name in zip(axes, names):
            _panel(axis, arms, name, (theory or {}).get(name))
        for axis in axes[len(names) :]:
            axis.remove()
        figure.supxlabel("generation", fontsize=8.5, color="#555555")
        real = any(math.isfinite(_real(arms, name)) for name in names)
        interval = any(_has_interval(seeds, names) for seeds in arms.values())
        _legend(figure, title, arms, real=real, theory=bool(theory), interval=interval)
        write_whole(Path(path), lambda file: figure.savefig(file, format="png", dpi=150))
    return Path(path)


def _seeds(given: History | Sequence[History]) -> list[History]:
    """The histories of an arm's seeds, one where it was given alone."""
    if given and isinstance(given[0], Mapping):
        return [list(given)]  # type: ignore[arg-type]
    return [list(history) for history in given]  # type: ignore[arg-type]


def _names(arms: Mapping[str, list[History]]) -> list[str]:
    """All metrics by first appearance, those of a group ("corrector/fell") after the rest."""
    records = [record for seeds in arms.values() for history in seeds for record in history]
    names = dict.fromkeys(name for record in records for name in record if not is_derived(name))
    return sorted(names, key=lambda name: "/" in name)


def _panels(arms: Mapping[str, list[History]], wanted: Sequence[str] | None) -> list[str]:
    """The metrics to draw: those wanted that some generation has, finite or not."""
    there = _names(arms)
    panels = there if wanted is None else [name for name in wanted if name in there]
    if not panels:
        asked = "" if wanted is None else f" of {', '.join(wanted)}"
        raise InputError(f"nothing to draw{asked}: the metrics are {', '.join(there) or 'none'}")
    return panels


def _has_interval(seeds: list[History], names: Sequence[str]) -> bool:
    return len(seeds) == 1 and any(
        math.isfinite(value)
        for name in names
        for value in _column(seeds[0], f"{name}_low").values()
    )


def _column(history: History, name: str) -> dict[int, float]:
    return {record["generation"]: float(record.get(name, math.nan)) for record in history}


def _line(seeds: list[History], name: str) -> Line:
    """The line of one arm and its band."""
    generations = sorted({record["generation"] for history in seeds for record in history})

    def values(column: str) -> np.ndarray:  # (seeds, G)
        tables = [_column(history, column) for history in seeds]
        return np.array([[t.get(g, math.nan) for g in generations] for t in tables])

    x = np.array(generations, float)
    if len(seeds) == 1:
        return x, *(values(name + end)[0] for end in ("", "_low", "_high"))
    table = np.ma.masked_invalid(values(name).reshape(len(seeds), len(x)))
    mean = table.mean(axis=0).filled(math.nan)
    spread = np.where(table.count(axis=0) > 1, table.std(axis=0, ddof=1).filled(math.nan), math.nan)
    return x, mean, mean - spread, mean + spread


def _real(arms: Mapping[str, list[History]], name: str) -> float:
    """The real data's value: the mean of what the arms state."""
    columns = [_column(h, f"real/{name}").values() for seeds in arms.values() for h in seeds]
    finite = [value for column in columns for value in column if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.nan


def _panel(axis, arms: Mapping[str, list[History]], name: str, theory) -> None:
    from matplotlib.ticker import MaxNLocator

    lines = [_line(seeds, name) for seeds in arms.values()]
    real = _real(arms, name)
    shown = [real, *(theory[1] if theory else ())]
    shown = np.concatenate([line[1] for line in lines] + [np.asarray(shown, float)])
    logarithmic = _spans_decades(shown)
    if not np.isfinite(shown).any():
        axis.text(0.5, 0.5, "no finite value", transform=axis.transAxes, ha="center", color=_REAL)
        axis.set_yticks([])
    if logarithmic:
        axis.set_yscale("log")
        bottom = _bottom(np.concatenate([shown, *(line[2] for line in lines)]))
        lines = [(x, middle, np.maximum(low, bottom), high) for x, middle, low, high in lines]
    for i, line in enumerate(lines):
        _arm(axis, line, i)
    if math.isfinite(real):
        axis.axhline(real, color=_REAL, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1.5)
    if theory:
        axis.plot(*theory, color=_THEORY, linestyle=":", linewidth=1.4, zorder=3)
    label, unit = label_and_unit(name)
    axis.set_title(label)
    axis.set_ylabel(unit)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    _widen(axis, np.concatenate([line[0] for line in lines]))


def _arm(axis, line: Line, i: int) -> None:
    x, middle, low, high = line
    colour, marker = _COLOURS[i % len(_COLOURS)], _MARKERS[i % len(_MARKERS)]
    banded = np.isfinite(middle) & np.isfinite(low) & np.isfinite(high)
    if len(x) == 1:
        axis.vlines(x[banded], low[banded], high[banded], color=colour, alpha=0.35, linewidth=4)
    else:
        axis.fill_between(x, low, high, where=banded, color=colour, alpha=0.16, linewidth=0)
    drawn = np.isfinite(middle)
    size = 3.6 if len(x) <= 30 else 0
    axis.plot(x[drawn], middle[drawn], color=colour, linewidth=1.0, alpha=0.35)  # across gaps
    axis.plot(x, middle, color=colour, linewidth=1.6, marker=marker, markersize=size)


def _spans_decades(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and bool(finite.min() > 0) and finite.max() > 100 * finite.min()


def _bottom(values: np.ndarray) -> float:
    """Where a logarithmic axis ends; an interval that goes below zero is cut off there."""
    return float(values[np.isfinite(values) & (values > 0)].min()) / 1.5


def _widen(axis, generations: np.ndarray) -> None:
    """Room left and right of the points, also when there is a single generation."""
    first, last = generations.min(), generations.max()
    margin = max(0.04 * (last - first), 0.25 if last > first else 0.5)
    axis.set_xlim(first - margin, last + margin)


def _legend(
    figure,
    title: str,
    arms: Mapping[str, list[History]],
    *,
    real: bool,
    theory: bool,
    interval: bool,
):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D(
            [],
            [],
            color=_COLOURS[i % len(_COLOURS)],
            marker=_MARKERS[i % len(_MARKERS)],
            markersize=4.5,
            label=arm if len(seeds) == 1 else f"{arm} (mean ± sd of {len(seeds)} seeds)",
        )
        for i, (arm, seeds) in enumerate(arms.items())
    ]
    if real:
        handles.append(Line2D([], [], color=_REAL, linestyle=(0, (4, 3)), label="real data"))
    if theory:
        handles.append(Line2D([], [], color=_THEORY, linestyle=":", label="theory"))
    if interval:
        handles.append(Patch(color=_REAL, alpha=0.25, linewidth=0, label="interval"))
    seeded = any(len(seeds) > 1 for seeds in arms.values())
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=min(len(handles), round(figure.get_figwidth() / (3.1 if seeded else 1.6))),
        frameon=False,
        title=title or None,
        title_fontproperties={"weight": "bold", "size": 11.5},
        alignment="left",
        borderaxespad=0.2,
    )
