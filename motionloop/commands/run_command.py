"""Run an experiment: train on real data, then sample, correct, retrain and judge, again and again.

CONFIG is the name of a shipped config or the path of a YAML file. Any setting can follow:
  motionloop run motion --generations 3 --gamma 1 --out runs/gamma_1
  motionloop run motion_uncorrected --start_from runs/motion
  motionloop run motion --task.data my_set --device cuda --seed 7
  motionloop run gaussian --gamma 0.5        in place of all that the config sweeps over
A run that was interrupted goes on when the same command is given again.
`motionloop run CONFIG --help` lists every setting with its meaning and value.
"""

import argparse
from pathlib import Path

from motionloop import experiment as experiments
from motionloop.commands.experiment_options import add_experiment_options
from motionloop.commands.sweep_command import run_sweep
from motionloop.experiment import Experiment
from motionloop.launch import launch, save_json

TAKES_SETTINGS = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's own options; settings of the experiment are read by its config."""
    add_experiment_options(
        parser,
        out="the run folder (default: runs/NAME)",
        verbose="a line for every stage, with all metrics",
    )


def execute(args: argparse.Namespace, settings: list[str]) -> None:
    """Run the experiment and print its table."""
    experiment = experiments.load(args.config, settings)
    path = args.out or Path("runs") / experiment.name
    if experiment.is_sweep():
        run_sweep(experiment, path, args)
    else:
        _run_one(experiment, path, args)


def _run_one(experiment: Experiment, path: Path, args: argparse.Namespace) -> None:
    from rich.console import Console

    from motionloop.viewer.display import LoopDisplay
    from motionloop.viewer.table import generation_table

    console = Console()
    headline = experiment.headline()
    last, loudness = experiment.loop.generations, {"quiet": args.quiet, "verbose": args.verbose}
    with LoopDisplay(last, headline, **loudness) as display:
        history = launch(experiment, path, display)
    console.print(generation_table(history, headline))
    console.print(f"curves: {path / 'curves.png'}", soft_wrap=True, highlight=False)
    save_json(args.json, history)
