"""Run every combination of some settings, each with several seeds, over all cores.

CONFIG is the name of a shipped config or the path of a YAML file. `--over` names a setting and the
values to try; any other setting can follow, as for `motionloop run`:
  motionloop sweep motion --over corrector.gamma=0,0.1,1,10 --seeds 3
  motionloop sweep motion --over corrector.gamma=0,1,inf --over loop.synthetic_ratio=0.25,0.5,1
  motionloop sweep motion --over tracking.assistance_budget=0,0.1,0.25 --over tracking.retries=0,3
Arms that have the same generation 0 share it: it is trained once for each seed. A sweep that was
interrupted goes on when the same command is given again, and so does one that now has more values,
arms, seeds or generations. `motionloop report FOLDER` tells more.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from motionloop import experiment as experiments
from motionloop.commands.experiment_options import add_experiment_options
from motionloop.experiment import Experiment
from motionloop.launch import save_json
from motionloop.samples import InputError, write_whole

TAKES_SETTINGS = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's own options; settings of the experiment are read by its config."""
    add_experiment_options(
        parser,
        out="the sweep's folder (default: runs/NAME_sweep)",
        verbose="a line for every run",
    )
    parser.add_argument(
        "--over",
        action="append",
        default=[],
        metavar="SETTING=V1,V2,...",
        help="a setting and its values; give several for all combinations",
    )


def execute(args: argparse.Namespace, settings: list[str]) -> None:
    """Run the sweep and print its table."""
    over = parse_over(args.config, args.over)
    extra = (
        [f"--sweep.over={yaml.safe_dump(over, default_flow_style=True).strip()}"] if over else []
    )
    experiment = experiments.load(args.config, [*settings, *extra])
    if not experiment.is_sweep():
        raise InputError(
            "nothing to sweep: name a setting and its values, such as "
            "--over corrector.gamma=0,1,inf, or several seeds with --seeds 3"
        )
    run_sweep(experiment, args.out or Path("runs") / f"{experiment.name}_sweep", args)


def parse_over(config: str, words: list[str]) -> dict[str, list]:
    """Full setting -> values, from `SETTING=V1,V2,...`.

    Raises:
        InputError: no such setting, no values, or a setting named twice.
    """
    parser, *_ = experiments.parser_for(config)
    names, over = experiments.settings(parser), {}
    for word in words:
        setting, equals, values = word.partition("=")
        if not equals or not values:
            raise InputError(f"--over {word}: write SETTING=V1,V2,..., such as gamma=0,1,inf")
        key = experiments.full_name(setting, names)
        if key in over:
            raise InputError(f"--over names {key} twice; give all its values at once")
        plain = [".inf" if value == "inf" else value for value in values.split(",")]
        over[key] = [yaml.safe_load(value) for value in plain]
    return over


def _cell(row: Mapping[str, Any], name: str) -> str:
    """Mean and standard error; an arm without a corrector, for one, has none of its scalars."""
    return f"{row[name]:.4f} ± {row[f'{name}_se']:.4f}" if name in row else "-"


def run_sweep(experiment: Experiment, path: Path, args: argparse.Namespace) -> None:
    """Run all arms, and print and draw what came of them."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Table

    from motionloop.sweep import sweep
    from motionloop.sweep_reporting import report_sweep
    from motionloop.viewer.curves import plot_curves

    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=args.quiet) as bar:
        job = bar.add_task(experiment.name, total=None)

        def advance(label: str, done: int, total: int) -> None:
            bar.update(job, completed=done, total=total)
            if args.verbose:
                console.print(f"{done}/{total}: {label}", markup=False, highlight=False)

        result = sweep(experiment, path, advance)
    where = report_sweep(experiment, path, result)
    headline = experiment.headline()
    curves, name = experiment.curves(), experiment.name
    # Arms have closed forms of their own; only one arm alone is drawn beside its line.
    theory = {} if len(result.arms) > 1 else experiment.theory()
    plot_curves(result.histories, path / "curves.png", curves, name, theory)
    rows = result.summary()
    table = Table(title=f"{experiment.name}: mean ± standard error over seeds, last generation")
    table.add_column("arm", overflow="fold", min_width=24)
    table.add_column("seeds", justify="right")
    for name in headline:
        table.add_column(name, justify="right")
    for row in rows:
        if row["generation"] == experiment.loop.generations:
            table.add_row(row["arm"], str(row["seeds"]), *(_cell(row, name) for name in headline))
    console.print(table)
    console.print(f"curves: {path / 'curves.png'}", soft_wrap=True, highlight=False)
    for picture in _heat_maps(path, headline):
        console.print(f"heat map: {picture}", soft_wrap=True, highlight=False)
    console.print(where, soft_wrap=True, highlight=False)
    save_json(args.json, rows)


def _heat_maps(path: Path, headline: tuple[str, ...]) -> list[Path]:
    """Draw the first metric over the settings, where they are one or two numbers."""
    from motionloop.report.arms import group
    from motionloop.report.heatmaps import heat_map, swept_numbers
    from motionloop.report.runs import read_runs

    arms = group(read_runs([path]))
    if not swept_numbers(arms):
        return []
    figure = heat_map(arms, headline[0])
    picture = path / f"{figure.name}.svg"
    write_whole(picture, lambda file: file.write(figure.svg.encode()))
    return [picture]
