"""Run an experiment: train on real data, then sample, correct, retrain and judge, again and again.

CONFIG is the name of a shipped config or the path of a YAML file. Any setting can follow:
  motionloop run motion --generations 3 --gamma 1 --out runs/gamma_1
  motionloop run motion_uncorrected --start_from runs/motion
  motionloop run motion --task.data my_set --device cuda --seed 7
A run that was interrupted goes on when the same command is given again.
`motionloop run CONFIG --help` lists every setting with its meaning and value.
"""

import argparse
from pathlib import Path

from motionloop import experiment as experiments
from motionloop.experiment import Experiment
from motionloop.launch import launch, save_json

TAKES_SETTINGS = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's own options; settings of the experiment are read by its config."""
    parser.add_argument("config", metavar="CONFIG", help=f"{_names()}, or a YAML file")
    parser.add_argument("--out", type=Path, help="the run folder (default: runs/NAME)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the scalars here")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("--quiet", action="store_true", help="print nothing but the result")
    loudness.add_argument(
        "--verbose", action="store_true", help="a line for every stage, with all metrics"
    )
    parser.epilog = f"shipped configs: {_names()}"
    teach_settings(parser)


def teach_settings(parser: argparse.ArgumentParser) -> None:
    """Let `COMMAND CONFIG --help` list the config's settings after the command's own options."""
    parser._option_string_actions["--help"].__class__ = _Help


class _Help(argparse._HelpAction):
    def __call__(self, parser, namespace, values, option_string=None):
        parser.print_help()
        if getattr(namespace, "config", None):
            settings, *_ = experiments.parser_for(namespace.config)
            print()
            settings.print_help()
        parser.exit()


def _names() -> str:
    return ", ".join(experiments.shipped_configs())


def execute(args: argparse.Namespace, settings: list[str]) -> None:
    """Run the experiment and print its table."""
    experiment = experiments.load(args.config, settings)
    path = args.out or Path("runs") / experiment.name
    if experiment.is_sweep():
        from motionloop.commands.sweep_command import run_sweep

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
