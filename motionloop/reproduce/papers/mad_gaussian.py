"""MAD's Gaussian in 100 dimensions: what do fresh real data do for a loop, and how many?"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from motionloop import theory
from motionloop.interfaces import Display
from motionloop.loop.controller import LoopConfig
from motionloop.loop.seeds import run_seeds
from motionloop.reproduce.record import Claim, Line, Measured, Panel, PaperExperiment, Size
from motionloop.reproduce.seeds_figures import Arms, mean_figure, mean_line, spaced
from motionloop.reproduce.verdict import Figure, Less, Near, Same, Within
from motionloop.tasks import gaussian
from motionloop.tasks.gaussian import GaussianConfig
from motionloop.tasks.idealised import IdealisedCorrectorConfig

BIASES = (1.0, 0.8)
STARTS = (100, 1000)
SYNTHETIC: dict[Size, tuple[int, ...]] = {
    "small": (0, 50, 100, 200, 400, 900, 3000),
    "paper": (0, 25, 50, 100, 150, 200, 300, 400, 600, 900, 1500, 3000, 6000),
}
_SEEDS: dict[Size, int] = {"small": 20, "paper": 100}
_REAL, _LAST, _LONG = 100, 60, 600
_SETTLED = range(40, _LAST + 1, 5)
"""Generations whose mean stands for the limit."""


def run(size: Size, display: Display, _: Path) -> Measured:
    """Fresh data from two starts, fresh data by n_s, and no real data at all."""
    seeds = range(_SEEDS[size])
    counts = SYNTHETIC[size]
    arms = Arms(display, len(BIASES) * (len(STARTS) + len(counts) + 1))
    figures: dict[str, Figure] = {}
    starts = tuple(line for bias in BIASES for line in _by_start(bias, seeds, arms, figures))
    by_count = tuple(_by_count(bias, counts, seeds, arms, figures) for bias in BIASES)
    alone = tuple(line for bias in BIASES for line in _alone(bias, seeds, arms, figures))
    return Measured(
        figures,
        (
            Panel("W2, n_r = 100, n_s = 900", "generation", starts),
            Panel("W2 in the limit, n_r = 100", "synthetic points n_s + 10", by_count, log_x=True),
            Panel("trace ratio, synthetic only", "generation", alone, log_y=True),
        ),
        f"100 dimensions, unbiased covariance, {len(seeds)} seeds; limits are means over "
        f"generations {_SETTLED[0]} to {_SETTLED[-1]}.",
        (
            "Without real data the variance vanishes seed by seed while its expectation stays at 1 "
            "for bias 1: the third panel shows the median over seeds, and the theory's mean.",
        ),
    )


def _build(bias: float, count: int = _REAL):
    config = GaussianConfig(
        dimension=100, count=count, covariance="unbiased", bias=bias,
        corrector=IdealisedCorrectorConfig(gamma=0),
    )  # fmt: skip
    return partial(gaussian.build_seeds, config)


def _by_start(bias: float, seeds: range, arms: Arms, figures: dict[str, Figure]) -> Iterator[Line]:
    measured = sorted({*spaced(_LAST, 16), *_SETTLED})
    late = [measured.index(g) for g in _SETTLED]
    for start in STARTS:
        loop = LoopConfig(
            generations=_LAST, workflow="fresh", synthetic_count=900, initial_count=start
        )
        scores = run_seeds(_build(bias), loop, seeds, measured, arms)
        label = f"bias {bias:g}, n_ini {start}"
        figures[f"W2 limit, {label}"] = mean_figure(scores["w2"][late].mean(0))
        figures[f"variance limit, {label}"] = mean_figure(scores["trace_ratio"][late].mean(0))
        mean_error = scores["squared_mean_error"][late].mean(0) / 100
        figures[f"mean error limit, {label}"] = mean_figure(mean_error)
        yield mean_line(label, measured, scores["w2"])


def _by_count(
    bias: float, counts: tuple[int, ...], seeds: range, arms: Arms, figures: dict[str, Figure]
) -> Line:
    found = []
    for count in counts:
        loop = LoopConfig(generations=_LAST, workflow="fresh", synthetic_count=count)
        scores = run_seeds(_build(bias), loop, seeds, list(_SETTLED), arms)
        found.append(mean_figure(scores["w2"].mean(0)))
        figures[_limit(bias, count)] = found[-1]
    x = [count + 10 for count in counts]
    return Line.of(f"bias {bias:g}", x, [f.value for f in found], [f.error for f in found])


def _alone(bias: float, seeds: range, arms: Arms, figures: dict[str, Figure]) -> Iterator[Line]:
    """Fully synthetic, 20 points a generation."""
    measured = spaced(_LONG, 40)
    loop = LoopConfig(generations=_LONG, workflow="replace")
    build = partial(_build(bias, 20), w2=False)
    trace = run_seeds(build, loop, seeds, measured, arms)["trace_ratio"]
    label = f"bias {bias:g}"
    middle = np.median(trace, axis=1)
    shown = np.where(middle > 1e-12, middle, np.nan)
    figures[f"median trace ratio, synthetic only, {label}, generation {_LONG}"] = Figure(middle[-1])
    known = theory.gaussian_fresh(_LONG, 20, 0, 20, bias, True).variance[measured]
    yield Line.of(label, measured, shown)
    yield Line.of(label, measured, np.where(known > 1e-12, known, np.nan), kind="theory")


def _limit(bias: float, count: int) -> str:
    return f"W2 limit, bias {bias:g}, n_s = {count}"


def _moments(bias: float) -> tuple[Near, ...]:
    variance, mean_error = theory.gaussian_fresh_limit(_REAL, 900, bias, unbiased=True)
    return (
        Near(f"variance limit, bias {bias:g}, n_ini 100", variance),
        Near(f"mean error limit, bias {bias:g}, n_ini 100", mean_error),
    )


EXPERIMENT = PaperExperiment(
    name="mad_gaussian",
    paper="Alemohammad et al. 2024",
    question="Does fresh real data stop a loop from decaying, and is more synthetic data better?",
    claims=(
        Claim(
            "With fresh data W2 has a limit that does not depend on n_ini.",
            "section on the fresh data loop",
            tuple(
                Same(f"W2 limit, bias {bias:g}, n_ini 100", f"W2 limit, bias {bias:g}, n_ini 1000")
                for bias in BIASES
            ),
        ),
        Claim(
            "Fully synthetic, the variance vanishes, with and without bias.",
            "section on the fully synthetic loop",
            tuple(
                Within(
                    f"median trace ratio, synthetic only, bias {b:g}, generation {_LONG}", 0, 0.01
                )
                for b in BIASES
            ),
        ),
        Claim(
            "With bias .8 few synthetic points help and many hurt.",
            "phase transition of the fresh data loop",
            (
                Less(_limit(0.8, 50), _limit(0.8, 0)),
                Less(_limit(0.8, 200), _limit(0.8, 50)),
                Less(_limit(0.8, 200), _limit(0.8, 900)),
                Less(_limit(0.8, 0), _limit(0.8, 3000)),
            ),
        ),
        Claim(
            "Without bias synthetic points always help.",
            "phase transition of the fresh data loop",
            tuple(Less(_limit(1, n), _limit(1, 0)) for n in SYNTHETIC["small"][1:]),
        ),
        Claim(
            "The limits of variance and mean are those of the linear recursion.",
            "own derivation, docs/theory.md",
            tuple(check for bias in BIASES for check in _moments(bias)),
        ),
    ),
    run=run,
    theory="Dotted: bias^g, the expectation of the variance without real data.",
)
