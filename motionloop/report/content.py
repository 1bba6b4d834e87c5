"""What a report says: the question, the table of arms, the differences, how to run it again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from motionloop import experiment as experiments
from motionloop.experiment import TASKS, task_module
from motionloop.report import wording
from motionloop.report.arms import Arm, closest_to_real, differences, flat, metrics_of, real
from motionloop.report.clips import Medium
from motionloop.report.figures import (
    Figure,
    Theory,
    corrected_metrics,
    correction_figure,
    metric_figure,
)
from motionloop.report.heatmaps import heat_map, swept_numbers
from motionloop.samples import InputError
from motionloop.viewer.units import label_and_unit, read_number


@dataclass(frozen=True)
class Cell:
    """One figure of the table of arms.

    Attributes:
        value: as it reads.
        spread: its interval or standard error, as it reads; empty where there is none.
        best: nearest to the real data of all arms.
    """

    value: str
    spread: str = ""
    best: bool = False


@dataclass(frozen=True)
class Source:
    """A run or sweep as it was started.

    Attributes:
        name: of its folder.
        config: the config file's content.
        command: what runs it again, from the report's folder.
        facts: commit, versions and time, as they read.
    """

    name: str
    config: str
    command: str
    facts: dict[str, str]


@dataclass(frozen=True)
class Content:
    """All that a report says.

    Attributes:
        title: of the page.
        question: one sentence.
        summary: a line below it.
        arms: in order.
        table: the metrics of the table of arms.
        columns: (label, unit, group) of the table's figures; unit and group may be empty.
        rows: the table of arms, a list of cells for each.
        real_row: the real data's figures, as they read.
        main: the figures of the task's main metrics.
        others: the figures of all other metrics.
        correction: plausibility before and after correction.
        heat: heat maps over the swept settings.
        swept: the settings of the heat maps.
        media: what there is to see, by heading.
        player: HTML of a player of the same motions; empty where there are none.
        changes: setting -> its value in every arm, as they read.
        sources: what was run.
        definitions: what stands behind the figures.
        problems: what could not be read.
        notes: how the figures are to be read.
    """

    title: str
    question: str
    summary: str
    arms: list[Arm]
    table: list[str]
    columns: list[tuple[str, str, str]]
    rows: list[list[Cell]]
    real_row: list[str]
    main: list[Figure]
    others: list[Figure]
    correction: list[Figure]
    heat: list[Figure]
    swept: list[str]
    changes: dict[str, list[str]]
    sources: list[Source]
    definitions: dict[str, str]
    problems: list[str]
    notes: list[str]
    media: dict[str, list[Medium]] = field(default_factory=dict)
    player: str = ""

    @property
    def corrected(self) -> list[Arm]:
        """The arms whose samples were corrected."""
        return [arm for arm in self.arms if corrected_metrics([arm])]

    @property
    def figures(self) -> list[Figure]:
        """All figures, in the page's order."""
        return [*self.main, *self.heat, *self.correction, *self.others]


def write_content(
    arms: list[Arm], asked: str | None, shots: list[Medium], player: str, problems: list[str]
) -> Content:
    """The content of a report on arms with at least one complete generation each."""
    headline, curves = _task_metrics(arms)
    known = metrics_of(arms)
    main = [name for name in dict.fromkeys([*curves, *headline]) if name in known] or known
    table = [name for name in headline if name in known] or main[:8]
    corrected = corrected_metrics(arms)
    ends = {f"{stem}{end}" for stem in corrected for end in ("_before", "_after")}
    others = [name for name in known if name not in main and name not in ends]
    grouped: dict[str, list[Medium]] = {}
    for shot in shots:
        grouped.setdefault(shot.group, []).append(shot)
    swept, theory = swept_numbers(arms), {arm.label: _theory(arm) for arm in arms}
    definitions = {k: v for arm in arms for k, v in arm.runs[0].definitions.items()}
    return Content(
        title=", ".join(dict.fromkeys(str(run.config.get("name")) for a in arms for run in a.runs)),
        question=asked or wording.question(arms),
        summary=wording.summary(arms),
        arms=arms,
        table=table,
        columns=[_column(name) for name in table],
        rows=_rows(arms, table),
        real_row=[
            read_number(real(arms, n)) if math.isfinite(real(arms, n)) else "" for n in table
        ],
        main=[metric_figure(arms, name, theory) for name in main],
        others=[metric_figure(arms, name) for name in others],
        correction=[correction_figure(arms, stem) for stem in corrected],
        heat=[heat_map(arms, name) for name in table] if swept else [],
        swept=swept,
        changes={k: [_said(v) for v in row] for k, row in differences(arms).items()},
        sources=_sources(arms),
        definitions=definitions,
        problems=problems,
        notes=wording.notes(arms, any(theory.values())),
        media=grouped,
        player=player,
    )


def _task_metrics(arms: list[Arm]) -> tuple[Sequence[str], Sequence[str]]:
    """The scalars of the task's tables and of its pictures; none for a task not known here."""
    name = arms[0].runs[0].config["task"].get("name")
    if name not in TASKS:
        return (), ()
    module = task_module(name)
    return module.HEADLINE, module.CURVES


def _theory(arm: Arm) -> Theory:
    """The closed forms of an arm's task, by figure; none where none is known."""
    run = arm.runs[0]
    task = run.config["task"].get("name")
    if task not in TASKS or not hasattr(task_module(task), "theory"):
        return {}
    try:
        experiment = experiments.load(str(run.source / "config.yaml"))
    except InputError:  # of another version, whose settings are not known here
        return {}
    settings = flat(run.config)
    for key in sorted(experiment.sweep.varied()):
        experiment = experiment.with_setting(key, settings[key])
    return experiment.theory()


def _column(name: str) -> tuple[str, str, str]:
    part, _, metric = name.rpartition("/")
    return *label_and_unit(metric), part


def _rows(arms: list[Arm], names: list[str]) -> list[list[Cell]]:
    best = [closest_to_real(arms, name) for name in names]
    return [
        [_cell(arm, name, best[k] == n) for k, name in enumerate(names)]
        for n, arm in enumerate(arms)
    ]


def _cell(arm: Arm, name: str, best: bool) -> Cell:
    value, low, high = arm.final(name)
    if not math.isfinite(low + high):
        return Cell(read_number(value), "", best)
    if len(arm.seeds) > 1:
        return Cell(read_number(value), f"± {read_number((high - low) / 2)}", best)
    return Cell(read_number(value), f"{read_number(low)} to {read_number(high)}", best)


def _sources(arms: list[Arm]) -> list[Source]:
    found: dict[Any, Source] = {}
    for arm in arms:
        for run in arm.runs:
            if run.source not in found:
                name = _free(run.source.resolve().name, [one.name for one in found.values()])
                config = (run.source / "config.yaml").read_text()
                command = f"motionloop run configs/{name}.yaml --out runs/{name}"
                found[run.source] = Source(name, config, command, _facts(run.provenance))
    return list(found.values())


def _free(name: str, taken: list[str]) -> str:
    """The name, or the name and a number where another has it."""
    tries = (name if k == 1 else f"{name}_{k}" for k in range(1, len(taken) + 2))
    return next(one for one in tries if one not in taken)


def _facts(provenance: dict[str, Any]) -> dict[str, str]:
    commit = str(provenance.get("commit") or "")[:12]
    if commit and provenance.get("uncommitted_changes"):
        commit += " and uncommitted changes (diff.patch in the run folder)"
    packages = provenance.get("packages") or {}
    facts = {
        "started": str(provenance.get("started", "")),
        "motionloop": str(provenance.get("motionloop", "")),
        "commit": commit,
        "python": str(provenance.get("python", "")),
        "packages": ", ".join(f"{name} {version}" for name, version in packages.items()),
    }
    return {name: fact for name, fact in facts.items() if fact}


def _read(value: float) -> str:
    return read_number(value) if math.isfinite(value) else ""


def _said(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
