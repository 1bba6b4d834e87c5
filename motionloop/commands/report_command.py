"""Write a report on runs: one self-contained page with table, curves, samples and configs.

motionloop report runs/motion --out report
motionloop report runs/motion runs/motion_uncorrected runs/motion_real_copy --out report
motionloop report runs/gaussian --out report          a sweep, with heat maps
motionloop report runs --out report --question "Does correction hold the loop?"

Runs that differ in their seed only are one arm. A run that is still going is shown as far as it
has come. Open DIR/report.html; beside it lie report.md, figures as SVG and CSV, and the videos.
"""

import argparse
import time
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="run, sweep, or folder of such folders"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the report's folder"
    )
    parser.add_argument("--question", help="what the runs are to answer, one sentence")
    parser.add_argument("--no-samples", action="store_true", help="no pictures; takes seconds")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the table here")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Write the report and print where it is."""
    from rich.console import Console

    from motionloop.commands.progress import counting
    from motionloop.launch import save_json
    from motionloop.report.write import write_report

    began = time.monotonic()
    with counting("filming samples") as progress:
        content = write_report(
            args.runs, args.out, args.question, progress, with_samples=not args.no_samples
        )
    console = Console(highlight=False, soft_wrap=True)
    for problem in content.problems:
        console.print(f"not read: {problem}", markup=False)
    page = args.out / "report.html"
    size, seconds = page.stat().st_size / 1e6, time.monotonic() - began
    console.print(f"wrote {page} ({size:.1f} MB, {len(content.arms)} arms, {seconds:.0f} s)")
    save_json(
        args.json,
        [
            {"arm": arm.label, "generation": arm.last}
            | {name: arm.final(name)[0] for name in content.table}
            for arm in content.arms
        ],
    )
