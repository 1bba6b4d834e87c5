"""Correct motions with physics: the nearest motion that a simulated body can do.

Takes any motion files (motionloop or AMASS .npz, .bvh) and data set folders, writes one .npz a
clip into DIR, and prints plausibility before and after:
  motionloop correct walk.bvh --out corrected
  motionloop correct *.npz --out corrected --gamma 1          half way to the correction
  motionloop correct clips --out corrected --rescue_budgets 0.1 0.25   help those that fall
  motionloop correct clips --out corrected --falls falls      see how they fall
A clip that falls is written as its kinematic projection, and the table says that it fell and why.
Clips over 12 s are tracked in windows; where one falls, only that window is not simulated.
"""

import argparse
import math
from pathlib import Path
from typing import Any

from motionloop.launch import save_json
from motionloop.samples import InputError

_ERRORS = ("penetrate_mm", "float_mm", "skate_mm", "phys_err_mm")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILES", help="files or data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for the corrected clips")
    parser.add_argument(
        "--gamma", type=float, default=math.inf,
        help="correction strength: go gamma / (1 + gamma) of the way (default: all of it)",
    )  # fmt: skip
    parser.add_argument(
        "--assistance_budget", type=float,
        help="external force that may hold the root up, in body weights (default: 0, pure physics)",
    )  # fmt: skip
    parser.add_argument(
        "--rescue_budgets", type=float, nargs="*", default=[], metavar="BW",
        help="larger budgets to try in turn with a clip that falls, such as 0.1 0.25",
    )  # fmt: skip
    parser.add_argument(
        "--search", type=int, metavar="N",
        help="draws in a round when looking for what saves a clip that falls or strays; 0 does not "
        "look, which is faster (default: 16)",
    )  # fmt: skip
    parser.add_argument(
        "--kinematic_only", action="store_true", help="clean up contacts without simulation"
    )
    parser.add_argument(
        "--falls", type=Path, metavar="DIR",
        help="also write what the simulated body did up to its fall, one .npz a clip that fell",
    )  # fmt: skip
    parser.add_argument("--body_model", type=Path, help="SMPL body (default: the shipped)")
    parser.add_argument("--workers", type=int, default=0, help="processes (default: all cores)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the table here")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Correct, write and print."""
    from motionloop.commands.progress import counting
    from motionloop.motion.body import Body
    from motionloop.strength import check_gamma
    from physics.corrector import CorrectorConfig, TrackingCorrector
    from physics.tracking.search import SearchConfig

    check_gamma(args.gamma)
    chosen: dict[str, Any] = {"kinematic_only": args.kinematic_only, "workers": args.workers}
    chosen["rescue_budgets"] = tuple(args.rescue_budgets)
    if args.assistance_budget is not None:
        chosen["assistance_budget"] = args.assistance_budget
    if args.search is not None:
        chosen["search"] = SearchConfig(samples=args.search)
    config = CorrectorConfig(**chosen)
    body = Body.load(args.body_model)
    clips = load_all(args.files, body)
    targets = {name: args.out / f"{name}.npz" for name in clips}
    taken = [path for path in targets.values() if path.exists()]
    if taken:
        raise InputError(f"{taken[0]} exists already; choose another --out")
    if args.falls is not None and args.falls.exists() and any(args.falls.iterdir()):
        raise InputError(f"{args.falls} holds files already; choose another --falls")
    with counting("correcting") as progress, TrackingCorrector(body.skeleton, config) as corrector:
        motions = list(clips.values())
        results = corrector.correct(motions, progress=lambda done: progress(done, len(motions)))
    rows = []
    for (name, clip), result in zip(clips.items(), results):
        after = _at_strength(clip, result.motion, args.gamma)
        after.save(targets[name])
        if args.falls is not None and result.fallen is not None:
            result.fallen.save(args.falls / f"{name}.npz")
        rows.append(_row(name, clip, after, result, body))
    _print(rows, config)
    save_json(args.json, rows)


def load_all(paths: list[Path], body) -> dict[str, Any]:
    """All clips of files and data set folders, by name.

    Raises:
        InputError: a file cannot be read, or two clips have one name.
    """
    from motionloop.motion.dataset import load_clips
    from motionloop.motion.formats import load_motion

    clips = {}
    for path in paths:
        if path.is_dir():
            found = {entry["name"]: clip for entry, clip in load_clips(path)}
        else:
            found = {path.stem: load_motion(path, body)}
        twice = clips.keys() & found.keys()
        if twice:
            raise InputError(f"two clips are called {min(twice)!r}; correct them in two calls")
        clips |= found
    if not clips:
        raise InputError("there are no clips in what was given")
    return clips


def _at_strength(clip, corrected, gamma: float):
    from motionloop.motion.motions import Motions

    if math.isinf(gamma):
        return corrected
    pack = Motions.pack
    return pack([clip]).blend(pack([corrected]), gamma / (1 + gamma)).unpack()[0]


def _row(name: str, clip, after, result, body) -> dict[str, Any]:
    from motionloop.motion.correction import mpjpe_mm, plausibility

    before, now = plausibility([clip, after], body)
    return {
        "name": name,
        "fell": result.fell,
        "reason": result.reason,
        "budget_bw": result.budget,
        "assistance_mean_bw": result.assistance_mean_bw,
        "assistance_max_bw": result.assistance_max_bw,
        "force_skate_mm": result.force_skate_mm,
        "mpjpe_mm": mpjpe_mm(clip, after, body),
        **{error: [before[error], now[error]] for error in _ERRORS},
    }


def _print(rows: list[dict[str, Any]], config) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print("plausibility before → after, mm (PhysDiff's metrics, tolerance 5 mm)")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("clip")
    for name in ("penetrate", "float", "skate", "phys_err", "mpjpe", "assistance, bw"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(*_cells(row))
    table.add_section()
    table.add_row(*_cells(_overall(rows)), style="bold")
    console.print(table)
    for row in rows:
        if row["fell"]:
            console.print(f"{row['name']} {row['reason']}", soft_wrap=True, highlight=False)
    fell = sum(row["fell"] for row in rows)
    console.print(
        f"{len(rows) - fell} of {len(rows)} tracked; {fell} fell and were written as kinematic "
        "projections",
        soft_wrap=True,
    )
    for budget in (config.assistance_budget, *config.rescue_budgets):
        count = sum(row["budget_bw"] == budget and not row["fell"] for row in rows)
        console.print(f"{count} with an assistance budget of {budget:g} body weights")


def _overall(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean of all rows; the largest assistance of all."""
    mean: dict[str, Any] = {"name": "mean", "fell": False, "reason": ""}
    for error in _ERRORS:
        mean[error] = [sum(row[error][i] for row in rows) / len(rows) for i in (0, 1)]
    for key in ("mpjpe_mm", "assistance_mean_bw"):
        mean[key] = sum(row[key] for row in rows) / len(rows)
    mean["assistance_max_bw"] = max(row["assistance_max_bw"] for row in rows)
    return mean


def _cells(row: dict[str, Any]) -> list[str]:
    errors = [f"{row[error][0]:.1f}→{row[error][1]:.1f}" for error in _ERRORS]
    assistance = f"{row['assistance_mean_bw']:.2f}, max {row['assistance_max_bw']:.2f}"
    return [
        row["name"],
        *errors,
        f"{row['mpjpe_mm']:.0f}",
        assistance,
        "fell" if row["fell"] else "",
    ]
