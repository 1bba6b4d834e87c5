"""What the generations of a loop came to: the table that a terminal shows."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from motionloop.viewer.units import is_derived, label_and_unit, read_number


def generation_table(
    history: Sequence[Mapping[str, Any]],
    names: Sequence[str] | None = None,
    real_row: Mapping[str, float] | None = None,
    times: Mapping[int, str] | None = None,
) -> Table:
    """A table with a row for every generation and the real data's row below.

    Args:
        history: the records, as `read_history` gives them.
        names: the metrics to show, in order; None: those that are in no group
            ("corrector/fell" is in one).
        real_row: the real data's values by metric; None: what the newest record states as
            `real/<name>`.
        times: generation -> how long it took, in words; a last column where it is given.

    Returns:
        The table, for `rich.print`. Intervals are left to the curves and the record.
    """
    if names is None:
        found = dict.fromkeys(name for record in history for name in record)
        names = [name for name in found if "/" not in name and not is_derived(name)]
    if real_row is None:
        newest = history[-1] if history else {}
        real_row = {n.removeprefix("real/"): v for n, v in newest.items() if n.startswith("real/")}
    gap = 2 if len(names) < 8 else 1  # nine metrics fit into 80 columns
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, gap, 0, 0))
    table.add_column("gen", justify="right")
    for name in names:
        label, unit = label_and_unit(name.rpartition("/")[2])
        table.add_column(f"{escape(label)}\n[not bold dim]{unit}[/]", justify="right")
    if times is not None:
        table.add_column("time", justify="right")
    for record in history:
        cells = [_cell(record, name) for name in names]
        if times is not None:
            cells.append(times.get(record["generation"], ""))
        table.add_row(str(record["generation"]), *cells)
    if any(name in real_row for name in names):
        table.add_section()
        cells = [_cell(real_row, name) if name in real_row else "" for name in names]
        table.add_row("real", *cells, style="dim")
    return table


def _cell(record: Mapping[str, Any], name: str) -> str:
    return read_number(record.get(name, math.nan))
