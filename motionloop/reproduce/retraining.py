"""Bertrand et al.'s comparison, for any task: real data only, half and half, synthetic only."""

from pathlib import Path

import numpy as np

from motionloop.interfaces import Display
from motionloop.reproduce.loops import NO_CHANGE, figures_of, run_loops
from motionloop.reproduce.record import SIZES, Claim, Measured, Panel, PaperExperiment, Size
from motionloop.reproduce.verdict import Less, Same

METHODS = ("flow", "otcfm", "ddpm", "edm")
SHARES = {"real only": "real_copy", "half and half": "augment", "synthetic only": "replace"}


def retraining(
    name: str, config: str, scalar: str, title: str, data: str, tried: tuple[str, ...] = ()
) -> PaperExperiment:
    """The experiment on one data set.

    Args:
        name: of the experiment.
        config: a sweep over `loop.workflow` and `task.model.method`.
        scalar: a distance to real data that grows as samples get worse.
        title: what the scalar is called.
        data: what the data are called.
        tried: notes on other settings.
    """

    def late(share: str, method: str) -> str:
        return f"{title} {share}, {method}"

    def growth(method: str) -> str:
        return f"growth of {title} a generation, synthetic only, {method}"

    def later_growth(method: str) -> str:
        return f"its growth from generation 1 on, half and half, {method}"

    def run(size: Size, display: Display, folder: Path) -> Measured:
        loops = run_loops(config, display, folder)
        values: dict[str, np.ndarray] = {}
        for method in METHODS:
            for share, workflow in SHARES.items():
                values[late(share, method)] = loops.late(scalar, workflow=workflow, method=method)
            values[growth(method)] = loops.slope(scalar, workflow="replace", method=method)
            values[later_growth(method)] = loops.slope(
                scalar, first=1, workflow="augment", method=method
            )
        panels = tuple(
            Panel(
                f"{title}, {method}",
                "generation",
                tuple(
                    loops.line(share, scalar, workflow=workflow, method=method)
                    for share, workflow in SHARES.items()
                ),
            )
            for method in METHODS
        )
        return Measured(
            figures_of(values),
            panels,
            f"{data}, config {config}: {loops.setting()}; {title} is a mean over the last 3 "
            "generations.",
            (
                "Real only trains on the real data and a second copy of them, so that all arms "
                "take as many steps on as many samples.",
                "Half and half inherits half of what the model before it missed. One that misses "
                "its data by e at every retraining settles at e + e/2 + e/4 + ... = 2 e: near its "
                "start, as the theorem says, and above real data only by as much as one model "
                f"misses; {title} is about quadratic in it. Only a model that misses less than the "
                "noise stays within it.",
                *tried,
                "The paper's size is the config bertrand_cifar10.",
            ),
        )

    return PaperExperiment(
        name=name,
        paper="Bertrand et al. 2024",
        question=f"Is retraining on its own samples stable beside real data? On {data}.",
        claims=(
            Claim(
                "Fully synthetic retraining degrades generation by generation.",
                "figures of the fully synthetic loop",
                tuple(Less(NO_CHANGE, growth(method)) for method in METHODS),
            ),
            Claim(
                "Half and half settles: after the first retraining it grows less than a fifth as "
                "fast as fully synthetic.",
                "theorem 1: with enough real data the loop stays near its start; the fifth is ours",
                tuple(Less(later_growth(m), growth(m), factor=5) for m in METHODS),
            ),
            Claim(
                "Half and half stays within the noise of real data only.",
                "figures of ratio 1",
                tuple(
                    Same(late("real only", m), late("half and half", m), resolution=0.5)
                    for m in METHODS
                ),
            ),
        ),
        run=run,
        configs=dict.fromkeys(SIZES, config),
    )
