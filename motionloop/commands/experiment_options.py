"""Options that `run` and `sweep` share, and a help that lists the settings of the config."""

import argparse
from pathlib import Path

from motionloop import experiment as experiments


def add_experiment_options(parser: argparse.ArgumentParser, out: str, verbose: str) -> None:
    """Add CONFIG, `--out`, `--json`, `--quiet` and `--verbose`.

    Settings of the experiment are no options of the parser: its config reads them.

    Args:
        parser: of the command.
        out: the help of `--out`.
        verbose: the help of `--verbose`.
    """
    parser.add_argument("config", metavar="CONFIG", help="a shipped config, or a YAML file")
    parser.add_argument("--out", type=Path, help=out)
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the table here")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("--quiet", action="store_true", help="print nothing but the result")
    loudness.add_argument("--verbose", action="store_true", help=verbose)
    parser.epilog = f"shipped configs: {', '.join(experiments.shipped_configs())}"
    parser._option_string_actions["--help"].__class__ = _Help


class _Help(argparse._HelpAction):
    """`COMMAND CONFIG --help` lists the config's settings after the command's own options."""

    def __call__(self, parser, namespace, values, option_string=None):
        parser.print_help()
        if getattr(namespace, "config", None):
            settings, *_ = experiments.parser_for(namespace.config)
            print()
            settings.print_help()
        parser.exit()
