"""How arms look: a colour, a marker and a line style that tell each from the others.

The palette of Okabe and Ito (Color Universal Design, 2008) is told apart with every common colour
blindness; markers and line styles do it on grey paper. More arms than it has are steps of a
setting, and take the steps of a map that gets steadily brighter.
"""

from dataclasses import dataclass

import numpy as np

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ((), (7, 1.6), (4, 1.2, 1.2, 1.2), (9, 1.4, 2.4, 1.4), (2.6, 1.1))
REAL, THEORY = "#7A7A7A", "#222222"


@dataclass(frozen=True)
class ArmStyle:
    """How the lines of one arm are drawn.

    Attributes:
        colour: as #RRGGBB.
        marker: matplotlib's letter.
        dashes: lengths of dash, gap, dash, ... in line widths; empty is a solid line.
    """

    colour: str
    marker: str
    dashes: tuple[float, ...]

    @property
    def linestyle(self) -> tuple:
        """The dashes as matplotlib takes them."""
        return (0, self.dashes or None)


def arm_styles(count: int) -> list[ArmStyle]:
    """The styles of `count` arms, in their order."""
    return [
        ArmStyle(colour, _MARKERS[i % len(_MARKERS)], _DASHES[i % len(_DASHES)])
        for i, colour in enumerate(_colours(count))
    ]


def _colours(count: int) -> list[str]:
    if count <= len(_COLOURS):
        return list(_COLOURS[:count])
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colour) for colour in colormaps["viridis"](np.linspace(0, 0.92, count))]
