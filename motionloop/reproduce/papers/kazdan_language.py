"""Kazdan's language models: do they forget real text when they read themselves?"""

import math
from pathlib import Path

from motionloop.interfaces import Display
from motionloop.reproduce.loops import figures_of, run_loops
from motionloop.reproduce.record import SIZES, Claim, Measured, Panel, PaperExperiment, Size
from motionloop.reproduce.verdict import Figure, Less, Positive, Within

WORKFLOWS = ("replace", "accumulate_subsample", "accumulate")
CONFIGS = dict.fromkeys(SIZES, "language")
_BOUND = math.pi**2 / 6 - 1
_CHANGES: dict[Size, tuple[str, ...]] = {
    "small": (),
    "paper": (
        "--task.count=10000", "--generations=20", "--base_steps=10000", "--task.model.width=128",
        "--task.model.blocks=4", "--task.model.learning_rate=0.002",
    ),
}  # fmt: skip


def run(size: Size, display: Display, folder: Path) -> Measured:
    """Stories of a grammar with known entropy, every generation one epoch from the base weights."""
    loops = run_loops(CONFIGS[size], display, folder, _CHANGES[size])
    scores = {workflow: loops.scores("excess", workflow=workflow) for workflow in WORKFLOWS}
    first = loops.scores("cross_entropy", workflow="replace")[0]
    values = {
        "cross-entropy, generation 0": first,
        "excess, generation 0": scores["replace"][0],
        f"{_BOUND:.3f} x excess, generation 0": _BOUND * scores["replace"][0],
    }
    for workflow, found in scores.items():
        values[f"growth, {workflow}"] = found[-1] - found[0]
        values[f"growth by share, {workflow}"] = (found[-1] - found[0]) / first
    for worse, better in zip(WORKFLOWS, WORKFLOWS[1:]):
        values[f"{worse} above {better}"] = scores[worse][-1] - scores[better][-1]
    figures = figures_of(values)
    lines = tuple(loops.line(w.replace("_", "-"), "excess", workflow=w) for w in WORKFLOWS)
    return Measured(
        figures,
        (Panel("cross-entropy above the entropy, nats a token", "generation", lines),),
        f"config {CONFIGS[size]}: stories of a grammar, a transformer of GPT-2's shape, every "
        f"generation one epoch from the same base weights, {loops.setting()}.",
        (_factors(figures), _PROTOCOL),
    )


def _factors(figures: dict[str, Figure]) -> str:
    grown = {w: figures[f"growth, {w}"] for w in WORKFLOWS}
    factor = grown["replace"].value / grown["accumulate_subsample"].value
    return (
        f"Cross-entropy starts at {figures['cross-entropy, generation 0']} nats a token, of which "
        f"{figures['excess, generation 0']} are above the entropy, and grows by "
        f"{grown['replace']} (replace), {grown['accumulate_subsample']} (accumulate-subsample) and "
        f"{grown['accumulate']} (accumulate): replace {factor:.1f} times as much as "
        "accumulate-subsample. The paper's Gemma 2 2B goes from 1.06 to 2.23, 1.16 and 1.09 "
        "between iterations 1 and 5: growth of 1.17, .10 and .03, a factor of 12."
    )


_PROTOCOL = (
    "As in the paper, a generation is one epoch over its training texts, so accumulate takes more "
    "steps as its pool grows, and every generation restarts from base weights that know the "
    "language but not how often its words come: they have learned stories with all words equally "
    "likely. With a fixed number of steps from random weights accumulate does not stay, because "
    "it passes over a growing pool less and less often; without the base weights most of the "
    "excess is what a short training has not learned, and the factor is about 2."
)

EXPERIMENT = PaperExperiment(
    name="kazdan_language",
    paper="Kazdan et al. 2025",
    question="Does the cross-entropy on real text grow when a language model reads itself?",
    claims=(
        Claim(
            "The order is replace, accumulate-subsample, accumulate, worst first.",
            "figure on Gemma 2 2B, three seeds; differences of the same seeds",
            tuple(
                Positive(f"{worse} above {better}")
                for worse, better in zip(WORKFLOWS, WORKFLOWS[1:])
            ),
        ),
        Claim(
            "Under replace it grows at least three times as much as under accumulate-subsample.",
            "figure on Gemma 2 2B: 1.17 against .10 from iteration 1 to 5",
            (
                Positive("growth, replace"),
                Less("growth, accumulate_subsample", "growth, replace", factor=3),
            ),
        ),
        Claim(
            "Under accumulate it stays: it grows by no more than 3 % of what it was, and by no "
            "more than pi^2/6 - 1 of what it was above the entropy.",
            "figure on Gemma 2 2B: 1.06 to 1.09; the bound of Gerstgrasser et al. 2024",
            (
                Within("growth by share, accumulate", -math.inf, 0.03),
                Less("growth, accumulate", f"{_BOUND:.3f} x excess, generation 0"),
            ),
        ),
    ),
    run=run,
    configs=CONFIGS,
)
