"""Kazdan's kernel density estimates: does the held-out likelihood survive replacing the data?"""

from functools import partial
from pathlib import Path

from motionloop.interfaces import Display
from motionloop.loop.controller import LoopConfig
from motionloop.loop.mixing import Workflow
from motionloop.loop.seeds import run_seeds
from motionloop.reproduce.record import Claim, Line, Measured, Panel, PaperExperiment, Size
from motionloop.reproduce.seeds_figures import Arms, mean_figure, mean_line, spaced
from motionloop.reproduce.verdict import Less, Near
from motionloop.tasks import kde
from motionloop.tasks.kde import KdeConfig

WORKFLOWS: tuple[Workflow, ...] = ("replace", "accumulate_subsample", "accumulate")
PUBLISHED = {10: (135, 12, 1.85), 32: (70, 3, 1.45), 1000: (2.9, 1.35, 1.35)}
"""n -> NLL at iteration 100 by workflow, read off the authors' figure."""
_COUNTS: dict[Size, tuple[int, ...]] = {"small": (10, 32, 1000), "paper": (10, 32, 100, 316, 1000)}
_ITERATIONS = 100


def run(size: Size, display: Display, _: Path) -> Measured:
    """Moons, bandwidth .1; generation g is the paper's iteration g + 1."""
    counts = _COUNTS[size]
    arms = Arms(display, len(counts) * len(WORKFLOWS))
    measured = spaced(_ITERATIONS - 1, 16)
    iterations = [g + 1 for g in measured]
    figures, panels = {}, []
    for n in counts:
        seeds = range(20 if size == "small" and n == 1000 else 100)
        lines = []
        for i, workflow in enumerate(WORKFLOWS):
            loop = LoopConfig(generations=_ITERATIONS - 1, workflow=workflow)
            build = partial(kde.build_seeds, KdeConfig(count=n, bandwidth=0.1))
            nll = run_seeds(build, loop, seeds, measured, arms)["nll"]
            figures[_name(workflow, n)] = mean_figure(nll[-1])
            figures[f"start, n = {n}"] = mean_figure(nll[0])
            label = workflow.replace("_", "-")
            lines.append(mean_line(label, iterations, nll))
            if n in PUBLISHED:
                lines.append(Line.of(label, [_ITERATIONS], [PUBLISHED[n][i]], kind="paper"))
        panels.append(Panel(f"NLL, n = {n}", "iteration", tuple(lines), True, True))
    seeds_text = "100 seeds, 20 at n = 1000" if size == "small" else "100 seeds"
    return Measured(
        figures,
        tuple(panels),
        f"moons, bandwidth .1, 100 iterations, 500 held-out points; n = "
        f"{', '.join(map(str, counts))}; {seeds_text}.",
        (
            "The paper's real points are those of scikit-learn's generator, which spaces them "
            "evenly along the moons: ten of them score 2.4, ten independent ones about 7.",
        ),
    )


def _name(workflow: str, n: int) -> str:
    return f"NLL, {workflow}, n = {n}, iteration 100"


EXPERIMENT = PaperExperiment(
    name="kazdan_kde",
    paper="Kazdan et al. 2025",
    question="Does the held-out likelihood of a kernel density estimate survive its own samples?",
    claims=(
        *(
            Claim(
                f"n = {n}: replace {values[0]:g}, accumulate-subsample {values[1]:g}, "
                f"accumulate {values[2]:g}.",
                "read off the authors' figure, moons, bandwidth .1",
                tuple(Near(_name(w, n), v, within=0.15) for w, v in zip(WORKFLOWS, values)),
            )
            for n, values in PUBLISHED.items()
        ),
        Claim(
            "Replace is worse than accumulate-subsample, which is worse than accumulate.",
            "section on kernel density estimates",
            tuple(
                Less(_name(better, n), _name(worse, n))
                for n in (10, 32)
                for worse, better in zip(WORKFLOWS, WORKFLOWS[1:])
            ),
        ),
        Claim(
            "With scarce data accumulating synthetic data even improves on the real data alone.",
            "section on kernel density estimates: 2.3 falls to about 1.85 at n = 10",
            (Less(_name("accumulate", 10), "start, n = 10"),),
        ),
    ),
    run=run,
)
