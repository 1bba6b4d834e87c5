"""The command `motionloop`: finds the subcommand, and turns errors into one line and an exit code.

Only the subcommand that is asked for is imported, so that `--help` answers at once. Exit codes:
0 done, 2 the input is wrong or a file could not be written, 130 interrupted.
"""

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence

from motionloop import __version__
from motionloop.samples import InputError

COMMANDS = {
    "run": "run an experiment: train, sample, correct, retrain, judge",
    "sweep": "run every combination of some settings, with several seeds",
    "sample": "draw new motions from a run's model",
    "correct": "correct motion files with physics",
    "evaluate": "compare two sets of motions, or two runs",
    "evaluator": "train the judge of text and motion on a data set",
    "data": "get open data sets, describe and split them",
    "import": "turn motion files into a data set",
    "convert": "motion files from one format to another",
    "render": "draw motions as a video, side by side",
    "reproduce": "run the papers' experiments and compare with their figures",
    "report": "one page on one or more runs: table, curves, samples, configs",
    "view": "look at motions in a browser, raw beside corrected",
    "info": "versions, devices, body, data",
}

_EXAMPLES = """examples:
  motionloop run motion                              train with self-correction on shipped clips
  motionloop run motion_uncorrected --out runs/raw   the same loop without the corrector
  motionloop run motion --gamma 0.5 --data my_set    a weaker corrector, on your own motion
  motionloop run gaussian                            the Gaussian toy at every strength
  motionloop import my_bvh_folder --out my_set       BVH or AMASS files to a data set
  motionloop convert walk.npz walk.glb               BVH, glTF, AMASS, HumanML3D features
  motionloop correct walk.bvh --out corrected        the nearest physically plausible motion
  motionloop render walk.npz corrected/walk.npz --out walk.mp4
  motionloop view runs/motion                        raw beside corrected, in the browser
  motionloop reproduce kazdan_gaussian               a paper's experiment, beside its figures
  motionloop report runs/motion runs/raw --out report   one page to read and to send on

`motionloop COMMAND --help` explains a command."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motionloop",
        description="Human-motion synthesis that corrects itself with physics.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"motionloop {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, line in COMMANDS.items():
        commands.add_parser(name, help=line, add_help=False)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with the code that the module names."""
    sys.exit(_main(list(sys.argv[1:] if arguments is None else arguments)))


def _main(arguments: list[str]) -> int:
    if not arguments:
        _parser().print_help()
        return 2
    command, *rest = arguments
    if command.startswith("-"):
        _parser().parse_args([command])
        return 0
    from motionloop.experiment import suggestion
    from physics.motion import MotionError

    warnings.formatwarning = lambda message, *_: f"motionloop {command}: warning: {message}\n"
    try:
        if command not in COMMANDS:
            raise InputError(
                f"there is no command {command!r}{suggestion(command, list(COMMANDS))}"
            )
        module = importlib.import_module(f"motionloop.commands.{command}_command")
        parser = argparse.ArgumentParser(
            prog=f"motionloop {command}",
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(parser)
        known, others = parser.parse_known_args(rest)
        if others and not getattr(module, "TAKES_SETTINGS", False):
            raise InputError(_unknown(others[0], parser))
        module.execute(known, others)
    except (InputError, MotionError) as error:
        print(f"motionloop {command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"motionloop {command}: {error.strerror or error}{where}; what was complete before is "
            "untouched, and the same command goes on from it",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on where a run stopped", file=sys.stderr)
        return 130
    return 0


def _unknown(argument: str, parser: argparse.ArgumentParser) -> str:
    from motionloop.experiment import suggestion

    options = [option for action in parser._actions for option in action.option_strings]
    for action in parser._actions:  # those of subcommands too
        for below in action.choices.values() if isinstance(action.choices, dict) else ():
            options += [o for known in below._actions for o in known.option_strings]
    word = argument.split("=", 1)[0]
    return f"there is no option {word}{suggestion(word, [o for o in options if len(o) > 2])}"
