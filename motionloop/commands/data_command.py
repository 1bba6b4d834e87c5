"""Get data sets, look into them, and deal them into parts.

motionloop data list                                open sets: licence, size, address
motionloop data download lafan1 --yes               fetch one; goes on after an interruption
motionloop data import lafan1 --out my_set          the same as `motionloop import`
motionloop data describe my_set                     counts, hours, histograms, broken clips
motionloop data split my_set --fractions .8 .1 .1   training, reference and encoder clips
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from motionloop.commands import import_command
from motionloop.launch import save_json
from motionloop.samples import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """The subcommands and their options."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def command(name: str, line: str, text: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=line,
            description=text or line,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    listed = command("list", "open data sets with licence, size and address")
    fetched = command("download", "fetch an open data set", _DOWNLOAD)
    fetched.add_argument("name", metavar="NAME", help="see `motionloop data list`")
    fetched.add_argument("--out", type=Path, help="the folder (default: NAME)")
    fetched.add_argument("--yes", action="store_true", help="I have read the licence and agree")
    fetched.add_argument("--address", default="", help="fetch from this mirror or folder instead")
    imported = command("import", "the same as `motionloop import`", import_command.__doc__ or "")
    import_command.configure(imported)
    described = command("describe", "counts, hours, captions, histograms, broken clips", _DESCRIBE)
    described.add_argument("set", type=Path, metavar="DIR", help="a data set folder")
    described.add_argument("--picture", type=Path, help="where (default: DIR/description.png)")
    described.add_argument("--most", type=int, default=2000, help="clips measured (default: 2000)")
    described.add_argument("--body_model", type=Path, help="SMPL body (default: the shipped)")
    parted = command("split", "write each clip's part into the index", _SPLIT)
    parted.add_argument("set", type=Path, metavar="DIR", help="a data set folder")
    parted.add_argument(
        "--fractions",
        type=float,
        nargs=3,
        default=(0.6, 0.2, 0.2),
        metavar=("TRAIN", "REFERENCE", "ENCODER"),
        help="shares that add up to 1 (default: 0.6 0.2 0.2)",
    )
    parted.add_argument("--seed", type=int, default=0, help="another seed deals differently")
    for sub in (listed, fetched, described, parted):
        sub.add_argument("--json", type=Path, metavar="PATH", help="also write the table here")


_DOWNLOAD = """Fetch an open data set; nothing is fetched before you agree to its licence.

  motionloop data download 100style           shows licence and size, and asks
  motionloop data download bandai --yes       agrees
What came is checked against a checksum; the same command goes on after an interruption."""
_DESCRIBE = """Read every clip, and measure speed and plausibility.

  motionloop data describe my_set
A clip that cannot be read, or whose figures no person reaches, is named with the reason."""
_SPLIT = """Deal whole clips, mirror images with their originals, into three parts.

  motionloop data split my_set --fractions .8 .1 .1
The generator trains on `train`, `reference` is what it is judged by, and the encoders of the
metrics learn from `encoder`. Without this command parts are dealt .6 .2 .2."""


def execute(args: argparse.Namespace, others: list[str]) -> None:
    """Do what the action names."""
    if args.action == "import":
        import_command.execute(args, others)
    else:
        {"list": _list, "download": _download, "describe": _describe, "split": _split}[args.action](
            args
        )


def _table(*columns: str) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name)
    return table


def _list(args: argparse.Namespace) -> None:
    from rich.console import Console

    from motionloop.motion.catalogue import OPEN_SETS

    console = Console()
    for one in OPEN_SETS.values():
        console.print(f"[bold]{one.name}[/bold]  {one.what}", highlight=False, soft_wrap=True)
        for name, value in (
            ("licence", f"{one.licence} ({one.terms})"),
            ("size", one.size_text),
            ("address", one.address),
        ):
            console.print(f"  {name:8s}{value}", highlight=False, soft_wrap=True, markup=False)
    save_json(args.json, [asdict(one) for one in OPEN_SETS.values()])


def _download(args: argparse.Namespace) -> None:
    from motionloop.commands.progress import counting
    from motionloop.motion.catalogue import open_set
    from motionloop.motion.downloading import download

    one = open_set(args.name)
    out = args.out or Path(one.name)
    print(f"{one.what}\n  licence {one.licence}\n          {one.terms}")
    print(f"  size    {one.size_text}\n  address {args.address or one.address}\n  to      {out}")
    if not args.yes:
        if not sys.stdin.isatty():
            raise InputError("nothing was fetched: read the licence and add --yes to agree to it")
        if input("Do you agree to the licence? [y/N] ").strip().lower() not in ("y", "yes"):
            raise InputError("nothing was fetched, because the licence was not agreed to")
    with counting(f"fetching {one.name}") as progress:
        download(one, out, args.address, progress)
    print(f"{one.name} is in {out}; next: motionloop data import {out} --out {one.name}_set")
    save_json(args.json, {**asdict(one), "out": out})


def _describe(args: argparse.Namespace) -> None:
    import numpy as np
    from rich.console import Console

    from motionloop.commands.progress import counting
    from motionloop.metrics.description import UNITS, describe
    from motionloop.motion.body import Body
    from motionloop.viewer.histograms import plot_histograms

    if args.most < 1:
        raise InputError(f"--most is {args.most}; it must be at least 1")
    with counting("reading") as progress:
        found = describe(args.set, Body.load(args.body_model), args.most, progress)
    console = Console()
    title = (
        f"{args.set}: {found.clips} clips, {found.hours:.2f} h, {found.captions} captions of "
        f"{len(found.classes)} classes"
    )
    parts = ", ".join(f"{name} {count}" for name, count in sorted(found.parts.items()))
    rates = ", ".join(f"{count} at {rate:g} Hz" for rate, count in found.rates.items())
    console.print(f"{title}\nparts: {parts}; frame rates: {rates}", soft_wrap=True, highlight=False)
    table = _table("figure", "5 %", "median", "95 %", "highest", "unit")
    quantiles = {
        name: np.quantile(values, [0.05, 0.5, 0.95, 1.0]).tolist()
        for name, values in found.figures.items()
        if len(values)
    }
    for name, values in quantiles.items():
        table.add_row(name, *(f"{value:.3g}" for value in values), UNITS[name])
    console.print(table)
    if found.measured < found.clips:
        console.print(f"figures of {found.measured} clips", highlight=False)
    for kind, clips in (("broken", found.broken), ("strange", found.strange)):
        for name, why in clips:
            line = f"{kind} {name}: {why}"
            console.print(line, soft_wrap=True, markup=False, highlight=False)
    if found.measured:
        picture = args.picture or args.set / "description.png"
        plot_histograms(found.figures, UNITS, found.classes, picture, title)
        console.print(f"histograms: {picture}", soft_wrap=True, highlight=False)
    save_json(args.json, {**asdict(found), "figures": quantiles})


def _split(args: argparse.Namespace) -> None:
    from rich.console import Console

    from motionloop.motion.dataset import PARTS, read_index, split, write_index

    entries = read_index(args.set)
    plain = [{key: value for key, value in e.items() if key != "split"} for e in entries]
    parts = split(plain, args.fractions, args.seed)
    dealt = [{**entry, "split": parts[entry["name"]]} for entry in plain]
    write_index(args.set, dealt)
    table = _table("part", "clips", "minutes")
    rows = []
    for part in PARTS:
        members = [entry for entry in dealt if entry["split"] == part]
        minutes = sum((e.get("frames") or 0) / e["fps"] for e in members if e.get("fps")) / 60
        rows.append({"part": part, "clips": len(members), "minutes": round(minutes, 2)})
        table.add_row(part, str(len(members)), f"{minutes:.1f}")
    Console().print(table)
    save_json(args.json, rows)
