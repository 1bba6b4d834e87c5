"""Kazdan's regression: does the error grow without end when labels come from the last fit?"""

from functools import partial
from pathlib import Path

import numpy as np

from motionloop import theory
from motionloop.interfaces import Display
from motionloop.loop.controller import LoopConfig
from motionloop.loop.mixing import Workflow
from motionloop.loop.seeds import run_seeds
from motionloop.reproduce.record import Claim, Line, Measured, Panel, PaperExperiment, Size
from motionloop.reproduce.seeds_figures import Arms, mean_figure, mean_line, spaced
from motionloop.reproduce.verdict import Near
from motionloop.tasks import regression
from motionloop.tasks.regression import RegressionConfig

WORKFLOWS: tuple[Workflow, ...] = ("replace", "accumulate_subsample", "accumulate")
PUBLISHED = {100: (11, 0.37, 0.19), 1000: (1.0, 0.03, 0.0165)}
"""n -> test MSE at iteration 100 by workflow, read off the authors' figure, d = 10."""
_DIMENSIONS: dict[Size, tuple[int, ...]] = {"small": (10,), "paper": (1, 3, 10, 32, 100)}
_COUNTS: dict[Size, tuple[int, ...]] = {"small": (32, 100, 1000), "paper": (10, 32, 100, 316, 1000)}
_ITERATIONS = 100


def run(size: Size, display: Display, _: Path) -> Measured:
    """Noise variance 1; generation g is the paper's iteration g + 1."""
    arms = Arms(display, len(_DIMENSIONS[size]) * len(_COUNTS[size]) * len(WORKFLOWS))
    measured = spaced(_ITERATIONS - 1, 25)
    figures, panels = {}, []
    for d in _DIMENSIONS[size]:
        for n in _COUNTS[size]:
            lines = []
            for workflow in WORKFLOWS:
                loop = LoopConfig(generations=_ITERATIONS - 1, workflow=workflow)
                config = RegressionConfig(dimension=d, count=n)
                build = partial(regression.build_seeds, config)
                mse = run_seeds(build, loop, range(100), measured, arms)["mse"]
                figures[_name(workflow, d, n)] = mean_figure(mse[-1])
                lines += _lines(workflow, d, n, measured, mse)
            if d == 10 and n >= 32:
                panels.append(
                    Panel(f"MSE, d = {d}, n = {n}", "iteration", tuple(lines), True, True)
                )
    return Measured(
        figures,
        tuple(panels),
        f"dimension {', '.join(map(str, _DIMENSIONS[size]))}, noise variance 1, 100 iterations, "
        f"1000 noiseless test points, 100 seeds; n = {', '.join(map(str, _COUNTS[size]))}.",
    )


def _lines(workflow: str, d: int, n: int, measured: list[int], mse: np.ndarray) -> list[Line]:
    label, iterations = workflow.replace("_", "-"), [g + 1 for g in measured]
    lines = [mean_line(label, iterations, mse)]
    if workflow != "accumulate_subsample":
        known = theory.regression_error(_ITERATIONS - 1, n, d, 1.0, workflow)[measured]
        if np.isfinite(known).all():
            lines.append(Line.of(label, iterations, known, kind="theory"))
    if d == 10 and n in PUBLISHED:
        value = PUBLISHED[n][WORKFLOWS.index(workflow)]
        lines.append(Line.of(label, [_ITERATIONS], [value], kind="paper"))
    return lines


def _name(workflow: str, d: int, n: int) -> str:
    return f"MSE, {workflow}, d = {d}, n = {n}, iteration 100"


def _known(workflow: str, n: int) -> float:
    return float(theory.regression_error(_ITERATIONS - 1, n, 10, 1.0, workflow)[-1])


EXPERIMENT = PaperExperiment(
    name="kazdan_regression",
    paper="Kazdan et al. 2025",
    question="Does the error grow without end when the labels come from the last fit?",
    claims=(
        *(
            Claim(
                f"n = {n}: replace {values[0]:g}, accumulate-subsample {values[1]:g}, "
                f"accumulate {values[2]:g}.",
                "read off the authors' figure, d = 10, noise variance 1",
                tuple(Near(_name(w, 10, n), v, within=0.15) for w, v in zip(WORKFLOWS, values)),
            )
            for n, values in PUBLISHED.items()
        ),
        Claim(
            "The error is d / (n - d - 1) times t under replace, times the sum of 1/i^2 under "
            "accumulate.",
            "Gerstgrasser et al. 2024; docs/theory.md",
            tuple(
                Near(_name(workflow, 10, n), _known(workflow, n))
                for workflow in ("replace", "accumulate")
                for n in (32, 100, 1000)
            ),
        ),
    ),
    run=run,
    theory="Dotted: d / (n - d - 1) times t, or times the sum of 1/i^2 for i <= t.",
)
