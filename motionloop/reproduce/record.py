"""What an experiment of a paper is: a question, the paper's claims, and what a run measures.

A new experiment is one file in `papers/` that defines

    EXPERIMENT = PaperExperiment(name=..., paper=..., question=..., claims=(...), run=run)

with `run(size, display, folder) -> Measured`. The file imports what is heavy (torch,
scikit-learn) inside `run`, because listing the experiments imports every file.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from motionloop.interfaces import Display
from motionloop.reproduce.verdict import Check, Figure
from motionloop.samples import InputError

Size = Literal["small", "paper"]
SIZES: tuple[Size, ...] = ("small", "paper")
LineKind = Literal["measured", "paper", "theory"]


@dataclass(frozen=True)
class Line:
    """One line of a panel.

    Attributes:
        label: in the legend.
        x: (N,) where.
        y: (N,) the values; NaN leaves a gap.
        error: (N,) standard errors, drawn as a band; empty: none known.
        kind: `measured` is drawn solid in a colour of its own, `paper` as crosses
            in the colour of the measured line of the same label, `theory` dotted and dark.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    error: tuple[float, ...] = ()
    kind: LineKind = "measured"

    @classmethod
    def of(cls, label: str, x, y, error=(), kind: LineKind = "measured") -> "Line":
        """A line from arrays, with the six digits that a picture can use."""
        x, y, error = (
            tuple(float(f"{value:.6g}") for value in np.asarray(a, float).ravel())
            for a in (x, y, error)
        )
        return cls(label, x, y, error, kind)


@dataclass(frozen=True)
class Panel:
    """One set of axes of an experiment's picture.

    Attributes:
        title: what is shown.
        x_label: of the horizontal axis.
        lines: what is drawn.
        log_x: whether the horizontal axis is logarithmic.
        log_y: whether the vertical axis is logarithmic.
    """

    title: str
    x_label: str
    lines: tuple[Line, ...]
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Measured:
    """What a run of an experiment found.

    Attributes:
        figures: name -> value with its standard error; the claims' checks refer to the names.
        panels: the picture.
        setting: the sizes and seeds of this run, one sentence.
        notes: what a reader should know of the result, one paragraph each.
    """

    figures: dict[str, Figure]
    panels: tuple[Panel, ...]
    setting: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain lists and dictionaries."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Any) -> "Measured":
        """What `to_json` gave.

        Raises:
            InputError: the content has another form.
        """
        try:
            figures = {k: Figure(*map(_number, v.values())) for k, v in content["figures"].items()}
            panels = tuple(
                Panel(**{**panel, "lines": tuple(map(_line, panel["lines"]))})
                for panel in content["panels"]
            )
            return cls(figures, panels, content["setting"], tuple(content["notes"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"these are not an experiment's results: {error!r}") from error


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _line(content: dict[str, Any]) -> Line:
    numbers = {name: tuple(map(_number, content[name])) for name in ("x", "y", "error")}
    return Line(content["label"], **numbers, kind=content["kind"])


@dataclass(frozen=True)
class Claim:
    """What a paper says, and what would bear it out.

    Attributes:
        text: the claim, one sentence.
        source: where the figures stand: table, figure, released code, own derivation.
        checks: comparisons of the measured figures with the paper's; the claim holds when all do.
    """

    text: str
    source: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class PaperExperiment:
    """An experiment of a paper.

    Attributes:
        name: on the command line.
        paper: authors, year.
        question: what it asks, one sentence.
        claims: what the paper answers.
        run: `run(size, display, folder)` measures; same size, same numbers. What it leaves in the
            folder is there again when it was stopped and runs once more.
        theory: what is known in closed form and where it is derived; empty: nothing.
        data: the file that it reads, from the working folder; empty: none.
        configs: the shipped config that it runs at each size; empty: none.
    """

    name: str
    paper: str
    question: str
    claims: tuple[Claim, ...]
    run: Callable[[Size, Display, Path], Measured]
    theory: str = ""
    data: str = ""
    configs: Mapping[Size, str] = field(default_factory=dict, hash=False)
