"""Run the experiments of the papers and compare: curve, the paper's figures, ours, a verdict.

Without a name, the experiments are listed with what each claims.
  motionloop reproduce                                 what there is
  motionloop reproduce kazdan_gaussian                 one experiment, at laptop size
  motionloop reproduce all --out my_results            everything; finished ones are not run again
  motionloop reproduce mad_gaussian --size paper       with the paper's own numbers of samples
The page is OUT/reproduction.md, and reproduction.html is the same page in one file. Results are
kept beside it: the same command, given again after it was stopped, goes on where it was.
"""

import argparse
from pathlib import Path

from motionloop.commands.progress import counting
from motionloop.launch import save_json
from motionloop.loop.controller import SilentDisplay
from motionloop.reproduce import results
from motionloop.reproduce.page import write_page
from motionloop.reproduce.record import SIZES, PaperExperiment
from motionloop.reproduce.registry import chosen, experiments
from motionloop.reproduce.results import Result
from motionloop.samples import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments; `all` is every one")
    parser.add_argument(
        "--size", choices=SIZES, default="small", help="of the runs (default: small)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/reproduce"), help="folder (default: runs/reproduce)"
    )
    parser.add_argument("--again", action="store_true", help="run everything from the start")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the verdicts here")


def execute(args: argparse.Namespace, others: list[str]) -> None:
    """List or run."""
    if not args.names:
        _list()
        return
    if args.out.exists() and not args.out.is_dir():
        raise InputError(f"{args.out} is a file; name a folder with --out")
    wanted = chosen(args.names)
    lacking = {
        one: f"{one.name} needs {one.data}; docs/image_task.md says what is in it"
        for one in wanted
        if _lacks_data(one, args)
    }
    if lacking and "all" not in args.names:
        raise InputError(next(iter(lacking.values())))
    done = [_result(experiment, args) for experiment in wanted if experiment not in lacking]
    # The page shows all that lies in the folder, not only what was asked for now.
    there = (results.finished(one, args.size, args.out) for one in experiments().values())
    pages = write_page([result for result in there if result], args.size, args.out)
    _print_table(done)
    for needed in lacking.values():
        print(f"left out: {needed}")
    print("\n".join(f"page: {page}" for page in pages))
    save_json(args.json, _records(done))


def _lacks_data(experiment: PaperExperiment, args: argparse.Namespace) -> bool:
    """Whether its result is not there and neither is what would make it."""
    if not experiment.data or Path(experiment.data).is_file():
        return False
    return args.again or results.finished(experiment, args.size, args.out) is None


class _Bar(SilentDisplay):
    """Shows how far an experiment has come."""

    def __init__(self, update):
        self._update = update

    def progress(self, what: str, done: int, total: int) -> None:
        self._update(done, total)


def _result(experiment: PaperExperiment, args: argparse.Namespace) -> Result:
    if args.again:
        results.forget(experiment, args.size, args.out)
    else:
        there = results.finished(experiment, args.size, args.out)
        if there is not None:
            if there.outdated:
                print(
                    f"{experiment.name}: config {experiment.configs[args.size]} has changed since "
                    "this result; --again runs it anew"
                )
            return there
    with counting(experiment.name) as update:
        return results.run(experiment, args.size, args.out, _Bar(update))


def _list() -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for one in experiments().values():
        console.print(f"[bold]{one.name}[/]  {one.paper}. {one.question}", soft_wrap=True)
        for claim in one.claims:
            console.print(f"    {claim.text}", markup=False, soft_wrap=True)
    console.print("\nmotionloop reproduce NAME runs one, `motionloop reproduce all` every one")


def _print_table(done: list[Result]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("experiment", "claim", "verdict"):
        table.add_column(column)
    for result in done:
        for claim, (verdict, _) in zip(result.experiment.claims, result.judgements()):
            table.add_row(result.experiment.name, claim.text, str(verdict))
    Console().print(table)


def _records(done: list[Result]) -> list[dict]:
    return [
        {
            "experiment": result.experiment.name,
            "size": result.size,
            "claim": claim.text,
            "verdict": str(verdict),
            "checks": [vars(check) for check in checks],
        }
        for result in done
        for claim, (verdict, checks) in zip(result.experiment.claims, result.judgements())
    ]
