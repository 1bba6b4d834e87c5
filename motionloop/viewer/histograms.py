"""How are the figures of many clips spread? A panel of histograms as a picture."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from motionloop.samples import write_whole

_COLUMNS = 4
_BARS = 30


def plot_histograms(
    figures: Mapping[str, np.ndarray],
    units: Mapping[str, str],
    counts: Mapping[str, int],
    path: Path,
    title: str,
) -> Path:
    """Draw a histogram of every figure, and a bar for every class.

    Histograms end at the 99th percentile, so that one wild clip does not flatten the others; how
    many lie beyond is written there.

    Args:
        figures: name -> (K,) values.
        units: name -> what stands at the axis.
        counts: clips of each class, the first 12 of which are drawn.
        path: of the picture, PNG.
        title: stands above.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = -(-(len(figures) + 1) // _COLUMNS)
    figure, axes = plt.subplots(
        rows, _COLUMNS, figsize=(3.1 * _COLUMNS, 2.5 * rows), squeeze=False, layout="constrained"
    )
    panels = list(axes.flat)
    for panel, (name, values) in zip(panels, figures.items()):
        finite = values[np.isfinite(values)]
        end = float(np.quantile(finite, 0.99)) if len(finite) else 1.0
        shown = finite[finite <= end]
        panel.hist(shown, bins=_BARS, color="#0072B2")
        beyond = len(values) - len(shown)
        note = f"median {np.median(finite):.3g}" if len(finite) else "no clip"
        panel.set_title(name, loc="left", fontsize=9, fontweight="bold")
        panel.set_xlabel(f"{units.get(name, '')}; {note}, {beyond} beyond", fontsize=7.5)
        panel.set_ylabel("clips", fontsize=7.5)
    last = panels[len(figures)]
    first = list(counts.items())[:12][::-1]
    last.barh(range(len(first)), [n for _, n in first], color="#009E73")
    last.set_yticks(range(len(first)), [_short(name) for name, _ in first])
    more = len(counts) - len(first)
    last.set_title(
        "captions" + (f", {more} more" if more else ""), loc="left", fontsize=9, fontweight="bold"
    )
    for panel in panels[len(figures) + 1 :]:
        panel.set_visible(False)
    for panel in panels:
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    write_whole(path, lambda file: figure.savefig(file, dpi=110, format="png"))
    plt.close(figure)
    return path


def _short(name: str, most: int = 34) -> str:
    return name if len(name) <= most else name[: most - 3] + "..."
