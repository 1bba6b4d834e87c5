"""The figures of a report: curves with bands, plausibility before and after; SVG and CSV each."""

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from motionloop.report.arms import Arm, metrics_of, real
from motionloop.viewer.curves import STYLE, draw_metric
from motionloop.viewer.palette import REAL, ArmStyle
from motionloop.viewer.series import Line
from motionloop.viewer.units import label_and_unit

Theory = Mapping[str, tuple[Sequence[float], Sequence[float]]]
_SIZE = (3.5, 2.35)  # inches
_SVG: dict[Any, Any] = {"svg.fonttype": "none", "axes.titlesize": 10, "font.size": 9}


@dataclass(frozen=True)
class Figure:
    """A figure in the two forms in which it leaves the report.

    Attributes:
        name: of its files, without suffix.
        svg: the picture.
        csv: the numbers in it.
        alt: what it shows, for a reader who does not see it.
    """

    name: str
    svg: str
    csv: str
    alt: str

    @property
    def file(self) -> str:
        """The picture as a file of its own, with a size."""
        width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.svg)[0]
        size = f'width="{float(width) * 4 / 3:.0f}" height="{float(height) * 4 / 3:.0f}"'
        return '<?xml version="1.0" encoding="utf-8"?>\n' + self.svg.replace(
            "<svg", f"<svg {size}", 1
        )


def metric_figure(
    arms: Sequence[Arm], name: str, theory: Mapping[str, Theory] | None = None
) -> Figure:
    """One metric of all arms against the generation, with bands and the real data's line.

    Args:
        arms: some of which have the metric.
        name: of the metric.
        theory: arm -> figure -> (generations, expected values), dotted in the arm's colour.
    """
    shown = [arm for arm in arms if arm.seeds]
    expected = {arm.label: (theory or {}).get(arm.label, {}).get(name) for arm in shown}

    def draw(axis) -> None:
        histories = {arm.label: arm.seeds for arm in shown}
        draw_metric(axis, histories, name, [arm.style for arm in shown])
        for arm in shown:
            curve = expected[arm.label]
            if curve is not None:
                look = {"color": arm.style.colour, "linestyle": ":", "linewidth": 1.5}
                axis.plot(*curve, zorder=3, **look)
        axis.set_xlabel("generation")

    goal, rows = _number(real(shown, name)), []
    for arm in shown:
        known = dict(zip(*(expected[arm.label] or ((), ()))))
        for row in _rows(arm.label, arm.line(name)):
            rows.append([*row, goal, _number(known.get(int(row[1]), math.nan))])
    table = csv_text(["arm", "generation", "value", "low", "high", "real", "theory"], rows)
    alt = f"{label_and_unit(name)[0]} against the generation, a line for each arm"
    return Figure(file_name(name), draw_svg(draw, name), table, alt)


def corrected_metrics(arms: Sequence[Arm]) -> list[str]:
    """The metrics that correctors state before and after, without the ending."""
    names = metrics_of(arms)
    stems = [name.removesuffix("_before") for name in names if name.endswith("_before")]
    return [stem for stem in stems if f"{stem}_after" in names]


def correction_figure(arms: Sequence[Arm], stem: str) -> Figure:
    """A metric of the synthetic samples before and after their correction, by generation."""
    before, after = f"{stem}_before", f"{stem}_after"
    shown = [arm for arm in arms if _has(arm, after)]
    plain = stem.rpartition("/")[2]
    label, unit = label_and_unit(plain)

    def draw(axis) -> None:
        from matplotlib.ticker import MaxNLocator

        for arm in shown:
            ends = (arm.line(before), arm.line(after))
            style = arm.style
            hollow = {"markerfacecolor": "white", "linestyle": ":", "linewidth": 1.1}
            _plot(axis, ends[0], style, hollow)
            _plot(axis, ends[1], style, {"linestyle": style.linestyle, "linewidth": 1.6})
        if math.isfinite(real(shown, plain)):
            axis.axhline(real(shown, plain), color=REAL, linestyle=(0, (4, 3)), linewidth=1.2)
        axis.set_ylim(bottom=0)
        axis.set_title(label)
        axis.set_ylabel(unit)
        axis.set_xlabel("generation")
        axis.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))

    rows = [
        [arm.label, *both]
        for arm in shown
        for both in zip(
            (f"{g:g}" for g in arm.line(before).generations),
            map(_number, arm.line(before).middle),
            map(_number, arm.line(after).middle),
        )
    ]
    table = csv_text(["arm", "generation", "before", "after"], rows)
    alt = f"{label} before and after correction against the generation"
    return Figure(file_name(f"correction {plain}"), draw_svg(draw, stem), table, alt)


def draw_svg(draw, salt: str, size: tuple[float, float] = _SIZE) -> str:
    """What `draw(axis)` draws, as an SVG that scales to the page; the same bytes every time."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    with rc_context({**STYLE, **_SVG, "svg.hashsalt": salt}):
        canvas = Canvas(figsize=size, layout="constrained")
        draw(canvas.subplots())
        file = io.StringIO()
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    svg = text[text.index("<svg") :]
    return re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", svg, count=1)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV file's content."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return file.getvalue()


def file_name(name: str) -> str:
    """A metric's name as the name of a file."""
    return re.sub(r"[^\w.-]+", "_", name)


def _rows(label: str, line: Line) -> list[list[str]]:
    return [
        [label, f"{g:g}", *map(_number, ends)]
        for g, *ends in zip(line.generations, line.middle, line.low, line.high)
    ]


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""


def _has(arm: Arm, name: str) -> bool:
    return any(name in record for history in arm.seeds for record in history)


def _plot(axis, line: Line, style: ArmStyle, look: dict[str, Any]) -> None:
    size = 3.8 if len(line.generations) <= 30 else 0
    common = {"color": style.colour, "marker": style.marker, "markersize": size}
    axis.plot(line.generations, line.middle, **{**common, **look})
