"""Compare two sets of motions: how far is A from the reference B?

A set is a data set folder, a file of samples (.npz of a run) or a run folder, whose newest
evaluation samples then count:
  motionloop evaluate runs/motion my_set
  motionloop evaluate runs/motion runs/motion_uncorrected
Beside every figure stands the same one of B itself: one half against the other, or its physics.
With an evaluator of text and motion (see `motionloop evaluator`) the T2M figures are added:
  motionloop evaluate samples my_set --evaluator my_set/evaluator.safetensors
  motionloop evaluate samples my_set --evaluator t2m     a folder with T2M's own weights
  motionloop evaluate samples my_set --part reference    clips that no generator trained on
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from motionloop.launch import save_json
from motionloop.loop.run_directory import RunDirectory
from motionloop.motion.dataset import INDEX, PARTS, split
from motionloop.samples import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("a", type=Path, metavar="A", help="the set that is judged")
    parser.add_argument("b", type=Path, metavar="B", help="the reference")
    parser.add_argument(
        "--part", choices=PARTS, help="of the data set B: only its clips (default: all)"
    )
    parser.add_argument("--encoder", type=Path, help="of the FID (default: the shipped one)")
    parser.add_argument(
        "--evaluator",
        type=Path,
        help="of text and motion: adds T2M figures; a folder is the official evaluator",
    )
    parser.add_argument("--body_model", type=Path, help="SMPL body (default: the shipped)")
    parser.add_argument("--seconds", type=float, default=2.0, help="windows of clips (default: 2)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the table here")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Compare and print."""
    for path in (args.a, args.b):
        if not path.exists():
            raise InputError(f"no such file or folder: {path}")
    from rich.console import Console
    from rich.table import Table

    from motionloop.metrics.compare import evaluate, evaluate_text
    from motionloop.metrics.encoders import MotionEncoder
    from motionloop.metrics.text_motion_metrics import load_evaluator
    from motionloop.motion.body import Body

    body = Body.load(args.body_model)
    encoder = MotionEncoder.load(args.encoder) if args.encoder else MotionEncoder.shipped()
    a = _motions(args.a, args.seconds, encoder.config.fps)
    b = _motions(args.b, args.seconds, encoder.config.fps, args.part)
    rows = evaluate(a, b, body, encoder)
    named = [f"encoder {encoder.name}"]
    if args.evaluator:
        evaluator = load_evaluator(args.evaluator)
        rows += evaluate_text(a, b, body, evaluator)
        named.append(f"evaluator {rows[-1].by}")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("metric", "A", "B itself", "meaning"):
        side = "right" if name in ("A", "B itself") else "left"
        table.add_column(name, justify=side, no_wrap=name != "meaning")
    for row in rows:
        own = "" if row.real is None else f"{row.real:.3f}"
        spread = "" if row.low is None else f" ({row.low:.3f}-{row.high:.3f})"
        table.add_row(row.metric, f"{row.value:.3f}{spread}", own, row.meaning)
    console = Console()
    title = f"A: {args.a}, {len(a)} motions; B: {args.b}, {len(b)} motions"
    console.print(title, soft_wrap=True, highlight=False)
    console.print(table)
    console.print("\n".join(named), highlight=False, soft_wrap=True)
    save_json(args.json, [asdict(row) for row in rows])


def _motions(path: Path, seconds: float, fps: float, part: str | None = None):
    """The motions of a run's newest evaluation, of a file of samples, or windows of a data set."""
    if part is not None and not (path / INDEX).is_file():
        raise InputError(f"--part is for a data set; {path} has no {INDEX}")
    from motionloop.motion.clip_store import ClipStore
    from motionloop.motion.motions import Motions
    from motionloop.motion.windows import windows

    if path.is_file():
        return Motions.load(path)
    if (path / "config.yaml").is_file():
        complete = RunDirectory(path).complete()
        if not complete:
            raise InputError(f"{path} has no complete generation yet")
        return Motions.load(RunDirectory(path).generation(complete[-1]) / "evaluation.npz")
    clips = ClipStore.open(path)
    if part is not None:
        parts = split(clips.entries)
        rows = [n for n, entry in enumerate(clips.entries) if parts[entry["name"]] == part]
        if not rows:
            raise InputError(f"{path} has no clips of part {part}; see motionloop data split")
        clips = clips.subset(rows)
    found, skipped = windows(clips.stretches(), seconds, fps, seconds)
    if skipped:
        named = ", ".join(skipped[:5]) + (", ..." if len(skipped) > 5 else "")
        print(f"{len(skipped)} clips of {path} are too short: {named}", file=sys.stderr)
    if len(found) == 0:
        raise InputError(f"no clip of {path} is as long as {seconds:g} s; lower --seconds")
    return found
