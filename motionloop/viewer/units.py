"""Which unit a scalar has, as its name says, and how its values read."""

import math

_UNITS = {
    "mm": "mm",
    "cm": "cm",
    "m": "m",
    "ms": "ms",
    "s": "s",
    "bw": "body weights",
    "deg": "°",
    "rad": "rad",
    "percent": "%",
}


def label_and_unit(name: str) -> tuple[str, str]:
    """The readable name of a scalar and its unit, "" when the name states none.

    `"corrector/skate_mm"` is ("corrector/skate", "mm").
    """
    stem, _, ending = name.rpartition("_")
    if stem and ending in _UNITS:
        return stem.replace("_", " "), _UNITS[ending]
    return name.replace("_", " "), ""


def is_derived(name: str) -> bool:
    """Whether a name belongs to another scalar: an end of its interval, or its real-data row."""
    return name == "generation" or name.startswith("real/") or name.endswith(("_low", "_high"))


def read_number(value: float) -> str:
    """Three significant digits where a reader wants them, without an exponent if possible."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 100:
        return f"{value:.0f}" if size < 1e6 else f"{value:.2e}"
    if size < 1e-3:
        return f"{value:.1e}"
    return f"{value:.{2 - math.floor(math.log10(size))}f}"
