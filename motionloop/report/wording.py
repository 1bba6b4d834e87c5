"""How a report speaks: its question, its summary, and how its figures are to be read."""

import math

from motionloop.report.arms import Arm, differences, metrics_of, real


def question(arms: list[Arm]) -> str:
    """What the arms can answer, from the settings in which they differ."""
    task = arms[0].runs[0].config["task"].get("name", "")
    last = max(arm.last or 0 for arm in arms)
    settings = [name.rpartition(".")[2].replace("_", " ") for name in differences(arms)]
    if not settings:
        return f"What happens to the {task} task over {last} generations?"
    if len(settings) > 3:
        return f"How do {len(arms)} arms of the {task} task fare over {last} generations?"
    *others, final = settings
    joined = f"{', '.join(others)} and {final}" if others else final
    verb = "do" if others else "does"
    return f"What {verb} {joined} do to the {task} task over {last} generations?"


def summary(arms: list[Arm]) -> str:
    """How many arms and seeds there are, and how far they came."""
    seeds = sorted({len(arm.seeds) for arm in arms})
    counted = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    parts = [
        f"{len(arms)} arm{'s' if len(arms) > 1 else ''}",
        f"{counted} seed{'s' if seeds != [1] else ''} each",
        f"up to generation {max(arm.last or 0 for arm in arms)}",
    ]
    started = sorted(run.provenance.get("started", "")[:10] for arm in arms for run in arm.runs)
    return ", ".join(parts) + (f"; started {started[0]}" if started and started[0] else "")


def notes(arms: list[Arm], has_theory: bool) -> list[str]:
    """How the lines, the bands and the bold figures are to be read."""
    said = []
    several = any(len(arm.seeds) > 1 for arm in arms)
    if several:
        said.append("Lines are means over seeds, bands one standard error of that mean.")
    if any(len(arm.seeds) == 1 for arm in arms):
        said.append(
            "Bands of single runs are the interval that the metric states for its own value."
        )
    if any(math.isfinite(real(arms, name)) for name in metrics_of(arms)):
        said.append(
            "The grey dashed line and the last row are real data; "
            "bold is the arm that ends nearest to it."
        )
    if len(arms) > 1 and not several:
        said.append(
            "One seed an arm: a gap between two arms can be the noise of training once more."
        )
    if has_theory:
        said.append("Dotted is what theory expects of an arm, where a closed form is known.")
    if len({arm.last for arm in arms}) > 1:
        said.append("Arms have come to different generations; the table shows the last of each.")
    return said
