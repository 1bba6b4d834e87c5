"""SCSC's image experiment, on any data: does replacing images by class means hold FID?"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from motionloop.interfaces import Display
from motionloop.reproduce.loops import figures_of, run_loops
from motionloop.reproduce.record import Claim, Measured, Panel, PaperExperiment, Size
from motionloop.reproduce.verdict import Positive

RATIOS = (0.2, 0.5, 1, 1.5)
ARMS = {"uncorrected": "none", "corrected": "means"}


def _fid(arm: str, ratio: float) -> str:
    return f"FID {arm}, ratio {ratio:g}"


def _gap(ratio: float) -> str:
    return f"FID uncorrected - corrected, ratio {ratio:g}"


def _growth(less: float, more: float) -> str:
    return f"growth of the gap from ratio {less:g} to {more:g}"


def correction_by_means(
    name: str,
    configs: Mapping[Size, str],
    question: str,
    data: str = "",
    notes: tuple[str, ...] = (),
) -> PaperExperiment:
    """The experiment on one data set.

    Args:
        name: of the experiment.
        configs: a sweep over `loop.synthetic_ratio` and `task.corrector.rule` for each size.
        question: what it asks, one sentence.
        data: the file that it reads; empty: none.
        notes: what to know about its figures.
    """

    def run(size: Size, display: Display, folder: Path) -> Measured:
        """Fine-tune with and without correction at every ratio."""
        loops = run_loops(configs[size], display, folder)
        values: dict[str, np.ndarray] = {}
        for ratio in RATIOS:
            for arm, rule in ARMS.items():
                values[_fid(arm, ratio)] = loops.late("fid", synthetic_ratio=ratio, rule=rule)
            values[_gap(ratio)] = (
                values[_fid("uncorrected", ratio)] - values[_fid("corrected", ratio)]
            )
        for less, more in pairwise(RATIOS):
            values[_growth(less, more)] = values[_gap(more)] - values[_gap(less)]
        panels = tuple(
            Panel(
                f"{title}, {arm}",
                "generation",
                tuple(
                    loops.line(f"ratio {ratio:g}", scalar, synthetic_ratio=ratio, rule=rule)
                    for ratio in RATIOS
                ),
            )
            for scalar, title in (("fid", "FID"), ("recall", "recall"))
            for arm, rule in ARMS.items()
        )
        return Measured(
            figures_of(values),
            panels,
            f"config {configs[size]}: {loops.setting()}; FID is a mean over the last 3 "
            "generations; arms share seeds and generation 0, so gaps are differences seed by seed.",
            (
                "Corrected images take at most 160 distinct values. That holds each image near its "
                "class, and it narrows the set: recall shows the price.",
                *notes,
            ),
        )

    return PaperExperiment(
        name=name,
        paper="Gillman et al. 2024",
        question=question,
        claims=(
            Claim(
                "Corrected FID lies below uncorrected FID at every ratio.",
                "section 6.1, FID by generation at four ratios",
                tuple(Positive(_gap(ratio)) for ratio in RATIOS),
            ),
            Claim(
                "The gap grows with the ratio.",
                "section 6.1, the same curves",
                tuple(Positive(_growth(less, more)) for less, more in pairwise(RATIOS)),
            ),
        ),
        run=run,
        data=data,
        configs=configs,
    )
