"""Turn motion files of any known format into a data set that motionloop trains on.

Folders are searched through all levels. What cannot be read is named with its reason, and the
rest goes on; an interrupted import goes on when the same command is given again:
  motionloop import Bandai-Namco/dataset --out bandai    BVH of any skeleton
  motionloop import AMASS/CMU AMASS/KIT --out amass      SMPL-H and SMPL-X npz
  motionloop import HumanML3D --out humanml3d            a built folder: captions and split too
  motionloop run motion --data bandai
Also read are .npz of ProtoMotions, PHC and kimodo, .npy of HumanML3D and KIT-ML, and .amc with
its .asf; docs/formats.md says what is kept. The data set is one .npz a clip with smplx's field
names, and index.json. Clips above 30 Hz are resampled to 30 Hz.
"""

import argparse
import os
from pathlib import Path

from motionloop.launch import save_json
from motionloop.samples import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="files or folders")
    parser.add_argument("--out", type=Path, required=True, help="the new data set's folder")
    parser.add_argument("--body_model", type=Path, help="SMPL body to fit (default: the shipped)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the report here")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Import and print what was read and what was skipped."""
    from rich.console import Console

    from motionloop.commands.progress import counting
    from motionloop.motion.body import Body
    from motionloop.motion.importing import import_motion

    if args.workers < 1:
        raise InputError(f"--workers is {args.workers}; it must be at least 1")
    console = Console()
    body = Body.load(args.body_model)
    with counting("importing") as progress:
        report = import_motion(args.sources, args.out, body, args.workers, progress)
    for path, reason in report.skipped:
        console.print(f"skipped {path}: {reason}", soft_wrap=True, markup=False, highlight=False)
    console.print(report.summary(), soft_wrap=True, markup=False)
    save_json(
        args.json,
        {"read": report.read, "skipped": [[str(path), why] for path, why in report.skipped]},
    )
