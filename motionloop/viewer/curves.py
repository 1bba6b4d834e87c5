"""What happened over the generations, in one picture: a small panel for every metric."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motionloop.samples import InputError, write_whole
from motionloop.viewer.palette import REAL, THEORY, ArmStyle, arm_styles
from motionloop.viewer.series import (
    Arms,
    History,
    Line,
    has_interval,
    line_of,
    metric_names,
    real_value,
    seeds_of,
)
from motionloop.viewer.units import label_and_unit

_COLUMNS = 4
STYLE: dict[Any, Any] = {
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
    several histories (seeds), the line is their mean and the band its standard error. A
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

    arms = {arm: seeds_of(given) for arm, given in histories.items()}
    names = _panels(arms, names)
    columns = min(_COLUMNS, len(names), max(2, math.ceil(math.sqrt(len(names)))))
    rows = math.ceil(len(names) / columns)
    with rc_context(STYLE):
        width, height = (4.6, 2.9) if columns == 1 else (3.1 * columns, 2.35 * rows)
        figure = Figure(figsize=(width, height + 0.75), layout="constrained")
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        styles = arm_styles(len(arms))
        for axis, name in zip(axes, names):
            draw_metric(axis, arms, name, styles, (theory or {}).get(name))
        for axis in axes[len(names) :]:
            axis.remove()
        figure.supxlabel("generation", fontsize=8.5, color="#555555")
        real = any(math.isfinite(real_value(arms, name)) for name in names)
        interval = any(has_interval(seeds, names) for seeds in arms.values())
        handles = _handles(arms, styles, real=real, theory=bool(theory), interval=interval)
        figure.legend(
            handles=handles,
            loc="outside upper left",
            ncols=_legend_columns(handles, width),
            frameon=False,
            title=title or None,
            title_fontproperties={"weight": "bold", "size": 11.5},
            alignment="left",
            borderaxespad=0.2,
        )
        write_whole(Path(path), lambda file: figure.savefig(file, format="png", dpi=150))
    return Path(path)


def _panels(arms: Arms, wanted: Sequence[str] | None) -> list[str]:
    """The metrics to draw: those wanted that some generation has, finite or not."""
    there = metric_names(arms)
    panels = there if wanted is None else [name for name in wanted if name in there]
    if not panels:
        asked = "" if wanted is None else f" of {', '.join(wanted)}"
        raise InputError(f"nothing to draw{asked}: the metrics are {', '.join(there) or 'none'}")
    return panels


def draw_metric(
    axis,
    arms: Arms,
    name: str,
    styles: Sequence[ArmStyle],
    theory: tuple[Sequence[float], Sequence[float]] | None = None,
) -> None:
    """One metric of all arms on a matplotlib axis, with title, unit and real-data line."""
    from matplotlib.ticker import MaxNLocator

    lines = [line_of(seeds, name) for seeds in arms.values()]
    real = real_value(arms, name)
    shown = [real, *(theory[1] if theory else ())]
    shown = np.concatenate([line.middle for line in lines] + [np.asarray(shown, float)])
    if not np.isfinite(shown).any():
        axis.text(0.5, 0.5, "no finite value", transform=axis.transAxes, ha="center", color=REAL)
        axis.set_yticks([])
    bottom = -math.inf
    if _spans_decades(shown):
        axis.set_yscale("log")
        bottom = np.nanmin(np.where(np.isfinite(shown), shown, math.nan)) / 3
    for line, style in zip(lines, styles):
        _arm(axis, line, style, bottom)
    if math.isfinite(real):
        axis.axhline(real, color=REAL, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1.5)
    if theory:
        axis.plot(*theory, color=THEORY, linestyle=":", linewidth=1.4, zorder=3)
    label, unit = label_and_unit(name)
    axis.set_title(label)
    axis.set_ylabel(unit)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    _widen(axis, np.concatenate([line.generations for line in lines]))


def _arm(axis, line: Line, style: ArmStyle, bottom: float) -> None:
    """The line and its band, which ends at `bottom`: on a logarithmic axis zero is far away."""
    x, middle, high, colour = line.generations, line.middle, line.high, style.colour
    low = np.maximum(line.low, bottom)
    banded = np.isfinite(middle) & np.isfinite(low) & np.isfinite(high)
    if len(x) == 1:
        axis.vlines(x[banded], low[banded], high[banded], color=colour, alpha=0.35, linewidth=4)
    else:
        axis.fill_between(x, low, high, where=banded, color=colour, alpha=0.16, linewidth=0)
    drawn = np.isfinite(middle)
    size = 3.6 if len(x) <= 30 else 0
    if drawn.any() and not drawn[drawn.argmax() : len(x) - drawn[::-1].argmax()].all():
        axis.plot(x[drawn], middle[drawn], color=colour, linewidth=1.0, alpha=0.35)  # across gaps
    axis.plot(
        x, middle, color=colour, linewidth=1.6, linestyle=style.linestyle,
        marker=style.marker, markersize=size,
    )  # fmt: skip


def _spans_decades(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and bool(finite.min() > 0) and finite.max() > 100 * finite.min()


def _widen(axis, generations: np.ndarray) -> None:
    """Room left and right of the points, also when there is a single generation."""
    first, last = generations.min(), generations.max()
    margin = max(0.04 * (last - first), 0.25 if last > first else 0.5)
    axis.set_xlim(first - margin, last + margin)


def _handles(
    arms: Arms, styles: Sequence[ArmStyle], *, real: bool, theory: bool, interval: bool
) -> list[Any]:
    """The entries of the legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    counts = {len(seeds) for seeds in arms.values()}
    handles: list[Any] = []
    for style, (arm, seeds) in zip(styles, arms.items()):
        label = arm if len(counts) == 1 else f"{arm} (n = {len(seeds)})"
        look: Any = {"color": style.colour, "marker": style.marker, "linestyle": style.linestyle}
        handles.append(Line2D([], [], label=label, markersize=4.5, **look))
    if real:
        handles.append(Line2D([], [], color=REAL, linestyle=(0, (4, 3)), label="real data"))
    if theory:
        handles.append(Line2D([], [], color=THEORY, linestyle=":", label="theory"))
    band = {"color": REAL, "alpha": 0.25, "linewidth": 0}
    if interval:
        handles.append(Patch(label="interval", **band))
    if max(counts) > 1:
        seeds = f"{max(counts)} seeds" if len(counts) == 1 else "seeds"
        handles.append(Patch(label=f"± standard error, {seeds}", **band))
    return handles


def _legend_columns(handles: list[Any], width: float) -> int:
    """How many entries fit beside each other into `width` inches."""
    longest = max(len(handle.get_label()) for handle in handles)
    return max(1, min(len(handles), int(width / (0.55 + 0.068 * longest))))
