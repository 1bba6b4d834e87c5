"""An experiment's picture: its panels side by side, measured lines, the paper's, the theory's."""

import math
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from motionloop.reproduce.record import Line, Measured, Panel
from motionloop.samples import write_whole
from motionloop.viewer.curves import STYLE
from motionloop.viewer.palette import THEORY, ArmStyle, arm_styles

_COLUMNS = 3
_LOOK = {"fontsize": 7, "framealpha": 0.75, "edgecolor": "none"}


def draw(measured: Measured, path: Path, title: str) -> Path:
    """Write the picture as PNG, of at most 256 colours so that it stays small.

    Returns:
        `path`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    count = len(measured.panels)
    columns = 2 if count == 4 else min(count, _COLUMNS)
    rows = math.ceil(count / columns)
    with rc_context(STYLE):
        size = (max(5.2, 3.6 * columns), 3.0 * rows + 0.45)
        figure = Figure(figsize=size, layout="constrained")
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        keys = [_panel(axis, panel) for axis, panel in zip(axes, measured.panels)]
        names = [[handle.get_label() for handle in handles] for handles in keys]
        if count > 1 and len(names[0]) > 1 and all(one == names[0] for one in names):
            figure.legend(handles=keys[0], loc="outside lower center", ncols=len(keys[0]), **_LOOK)
        else:
            for axis, handles in zip(axes, keys):
                _legend(axis, handles)
        for axis in axes[count:]:
            axis.remove()
        figure.suptitle(
            fill(title, int(9.5 * size[0])), x=0.01, ha="left", fontsize=11, fontweight="bold"
        )
        write_whole(path, lambda file: _save(figure, file))
    return path


def _save(figure, file) -> None:
    from io import BytesIO

    from PIL import Image

    content = BytesIO()
    figure.savefig(content, format="png", dpi=110)
    image = Image.open(content).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(file, format="PNG", optimize=True)


def _panel(axis, panel: Panel) -> list[Any]:
    """Draw a panel; the entries of its legend."""
    labels = list(dict.fromkeys(line.label for line in panel.lines))
    styles = dict(zip(labels, arm_styles(len(labels))))
    for line in panel.lines:
        _line(axis, line, styles[line.label])
    axis.set_title(panel.title, fontsize=9.5 if len(panel.title) <= 34 else 8)
    axis.set_xlabel(panel.x_label)
    if panel.log_x:
        axis.set_xscale("log")
    if panel.log_y:
        axis.set_yscale("log")
    return _handles(axis, panel)


def _line(axis, line: Line, style: ArmStyle) -> None:
    colour = style.colour
    x, y = np.array(line.x), np.array(line.y)
    if line.kind == "theory":
        axis.plot(x, y, color=THEORY, linestyle=":", linewidth=1.3, zorder=3)
        return
    if line.kind == "paper":
        axis.plot(x, y, color=colour, linestyle="", marker="x", markersize=6, zorder=4)
        return
    marked = {"marker": style.marker, "markersize": 3.6} if len(x) <= 30 else {}
    axis.plot(
        x, y, color=colour, linestyle=style.linestyle, linewidth=1.5, label=line.label, **marked
    )
    if line.error:
        low, high = y - np.array(line.error), y + np.array(line.error)
        if len(x) == 1:
            axis.vlines(x, low, high, color=colour, linewidth=3, alpha=0.35)
        axis.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)


def _handles(axis, panel: Panel) -> list[Any]:
    from matplotlib.lines import Line2D

    handles, _ = axis.get_legend_handles_labels()
    kinds = {line.kind for line in panel.lines}
    if "paper" in kinds:
        handles.append(Line2D([], [], color=THEORY, linestyle="", marker="x", label="paper"))
    if "theory" in kinds:
        handles.append(Line2D([], [], color=THEORY, linestyle=":", label="theory"))
    return handles


def _legend(axis, handles: list[Any]) -> None:
    if len(handles) > 4:  # too many to lie on the curves
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.17), "ncols": 4}
        axis.legend(handles=handles, **_LOOK, **below)
    elif handles:
        axis.legend(handles=handles, **_LOOK)
