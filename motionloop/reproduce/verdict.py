"""Does a measured figure bear out the paper's? Holds, does not hold, or cannot be told from here.

Every verdict is computed from figures with their standard errors. Where the paper's figure has an
error of its own it counts as well. A figure that this size of run does not measure, measures too
coarsely, or has from one seed only, leaves its check open.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

SIGMAS = 3.0
"""Standard errors within which two figures agree."""


class Verdict(StrEnum):
    """What a comparison came to."""

    HOLDS = "holds"
    FAILS = "does not hold"
    OPEN = "not resolved at this size"


@dataclass(frozen=True)
class Figure:
    """A measured number.

    Attributes:
        value: the mean over seeds, or the one value there is.
        error: its standard error; 0 where the number is exact, NaN where one seed cannot tell.
    """

    value: float
    error: float = 0.0

    @property
    def known(self) -> bool:
        """Whether it was measured, with an error that can be told."""
        return math.isfinite(self.value) and math.isfinite(self.error)

    def __str__(self) -> str:
        if not math.isfinite(self.error):
            return f"{self.value:.4g} (one seed)"
        if self.error == 0:
            return f"{self.value:.4g}"
        digits = max(0, 1 - math.floor(math.log10(self.error)))
        if abs(self.value) >= 1e6 or digits > 8:
            return f"{self.value:.3g} ± {self.error:.1g}"
        return f"{self.value:.{digits}f} ± {self.error:.{digits}f}"


Figures = Mapping[str, Figure]


@dataclass(frozen=True)
class Judgement:
    """The result of one check, in words for the page.

    Attributes:
        what: which figure or relation.
        paper: what the paper has.
        ours: what was measured.
        verdict: whether they agree.
    """

    what: str
    paper: str
    ours: str
    verdict: Verdict


class Check(Protocol):
    """A comparison of measured figures with the paper's."""

    def judge(self, figures: Figures) -> Judgement:
        """Compare."""
        ...


@dataclass(frozen=True)
class Near:
    """A figure equals the paper's.

    Attributes:
        figure: its name.
        paper: the paper's value.
        paper_error: standard error of the paper's value; 0 for an exact one.
        within: relative tolerance, such as 0.15; None: three combined standard errors.
        resolution: the comparison stays open when three standard errors exceed this share of
            the paper's value.
    """

    figure: str
    paper: float
    paper_error: float = 0.0
    within: float | None = None
    resolution: float = 0.5

    def judge(self, figures: Figures) -> Judgement:
        """Compare."""
        stated = str(Figure(self.paper, self.paper_error))
        if self.within is not None:
            stated += f" (within {self.within:.0%})"
        ours = figures.get(self.figure)
        if ours is None or not ours.known:
            return _open(self.figure, stated, ours)
        return Judgement(self.figure, stated, str(ours), self._verdict(ours))

    def _verdict(self, ours: Figure) -> Verdict:
        gap = abs(ours.value - self.paper)
        noise = SIGMAS * math.hypot(ours.error, self.paper_error)
        if self.within is None:
            # Rounding of the printed figure is no disagreement.
            if gap > noise + 1e-9 + _half_digit(self.paper):
                return Verdict.FAILS
            return Verdict.OPEN if noise > self.resolution * abs(self.paper) else Verdict.HOLDS
        allowed = self.within * abs(self.paper)
        if gap - noise > allowed:
            return Verdict.FAILS
        return Verdict.HOLDS if gap <= allowed and noise <= SIGMAS * allowed else Verdict.OPEN


@dataclass(frozen=True)
class Within:
    """A figure lies in an interval, up to three standard errors.

    Beyond a single bound it must lie by three standard errors.

    Attributes:
        figure: its name.
        low: end of the interval.
        high: end of the interval.
    """

    figure: str
    low: float
    high: float

    def judge(self, figures: Figures) -> Judgement:
        """Compare."""
        if math.isinf(self.high):
            stated = f"at least {self.low:g}"
        elif math.isinf(self.low):
            stated = f"at most {self.high:g}"
        else:
            stated = f"{self.low:g} to {self.high:g}"
        ours = figures.get(self.figure)
        if ours is None or not ours.known:
            return _open(self.figure, stated, ours)
        noise = SIGMAS * ours.error
        if ours.value + noise < self.low or ours.value - noise > self.high:
            verdict = Verdict.FAILS
        elif math.isinf(self.high - self.low):
            beyond = ours.value - noise >= self.low and ours.value + noise <= self.high
            verdict = Verdict.HOLDS if beyond else Verdict.OPEN
        elif self.low <= ours.value <= self.high or noise <= self.high - self.low:
            verdict = Verdict.HOLDS
        else:
            verdict = Verdict.OPEN
        return Judgement(self.figure, stated, str(ours), verdict)


@dataclass(frozen=True)
class Less:
    """One figure lies below another, by more than three standard errors.

    Attributes:
        smaller: name of the figure that should be smaller.
        larger: name of the figure that should be larger.
        factor: the larger one should exceed this times the smaller.
    """

    smaller: str
    larger: str
    factor: float = 1.0

    def judge(self, figures: Figures) -> Judgement:
        """Compare."""
        times = "" if self.factor == 1 else f"{self.factor:g} x "
        what, stated = f"{self.smaller} < {self.larger}", f"{times}smaller < larger"
        a, b = figures.get(self.smaller), figures.get(self.larger)
        if a is None or b is None or not (a.known and b.known):
            return _open(what, stated, a, b)
        gap = b.value - self.factor * a.value
        noise = SIGMAS * math.hypot(self.factor * a.error, b.error)
        verdict = Verdict.OPEN
        if gap > noise:
            verdict = Verdict.HOLDS
        elif gap <= -noise:
            verdict = Verdict.FAILS
        return Judgement(what, stated, f"{a} and {b}", verdict)


@dataclass(frozen=True)
class Same:
    """Two figures agree within three standard errors.

    Attributes:
        first: name of a figure.
        second: name of a figure.
        resolution: the comparison stays open when three standard errors exceed this share of
            the first figure.
    """

    first: str
    second: str
    resolution: float = 0.1

    def judge(self, figures: Figures) -> Judgement:
        """Compare."""
        what = f"{self.first} = {self.second}"
        a, b = figures.get(self.first), figures.get(self.second)
        if a is None or b is None or not (a.known and b.known):
            return _open(what, "equal", a, b)
        noise = SIGMAS * math.hypot(a.error, b.error)
        if abs(a.value - b.value) > noise:
            verdict = Verdict.FAILS
        else:
            open_ = noise > self.resolution * abs(a.value)
            verdict = Verdict.OPEN if open_ else Verdict.HOLDS
        return Judgement(what, "equal", f"{a} and {b}", verdict)


@dataclass(frozen=True)
class Positive:
    """A figure, such as a difference between arms with the same seeds, lies above zero.

    Attributes:
        figure: its name.
    """

    figure: str

    def judge(self, figures: Figures) -> Judgement:
        """Compare."""
        ours = figures.get(self.figure)
        if ours is None or not ours.known:
            return _open(self.figure, "above 0", ours)
        noise = SIGMAS * ours.error
        verdict = Verdict.OPEN
        if ours.value > noise:
            verdict = Verdict.HOLDS
        elif ours.value <= -noise:
            verdict = Verdict.FAILS
        return Judgement(self.figure, "above 0", str(ours), verdict)


def ascending(*names: str) -> tuple[Less, ...]:
    """Checks that every figure lies below the next."""
    return tuple(Less(a, b) for a, b in zip(names, names[1:]))


def overall(verdicts: Sequence[Verdict]) -> Verdict:
    """Of several checks: one that fails decides, else one that is open."""
    for decisive in (Verdict.FAILS, Verdict.OPEN):
        if decisive in verdicts:
            return decisive
    return Verdict.HOLDS


def _open(what: str, stated: str, *ours: Figure | None) -> Judgement:
    """Of figures that were not measured, or with an error that nobody knows."""
    shown = [str(one) for one in ours if one is not None and math.isfinite(one.value)]
    return Judgement(what, stated, " and ".join(shown) or "–", Verdict.OPEN)


def _half_digit(value: float) -> float:
    """Half a unit of the last of the figure's printed decimals."""
    text = f"{value:.10g}"
    decimals = len(text.partition(".")[2]) if "e" not in text else 10
    return 0.5 * 10.0**-decimals if decimals else 0.0
