"""Convert motion files from one format to another; the endings say which.

One file, or all files of a folder:
  motionloop convert walk.bvh walk.npz                 any skeleton, fitted to the body
  motionloop convert walk.npz walk.bvh                 SMPL's skeleton, opens in Blender as it is
  motionloop convert walk.npz walk.glb --fps 60        the skinned body with its animation
  motionloop convert walk.npz walk.npy                 HumanML3D's 263 features at 20 Hz
  motionloop convert samples out --to .bvh             a folder; what cannot be read is named
  motionloop convert my_set out --to humanml3d         joints, features, texts and lists, for
                                                       the evaluators of others
docs/formats.md says what each format keeps and loses. Read are .npz (motionloop, AMASS,
ProtoMotions, PHC, kimodo), .bvh, .npy (HumanML3D, KIT-ML) and .amc with its .asf; written are
.npz, .amass.npz, .bvh, .glb, .npy (features) and .joints.npy.
"""

import argparse
from pathlib import Path

from motionloop.launch import save_json
from motionloop.samples import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "source", type=Path, metavar="IN", help="a motion file, or a folder of them"
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the file, or the folder, to write")
    parser.add_argument("--to", metavar="ENDING", help="for folders: .bvh, ..., or humanml3d")
    parser.add_argument("--fps", type=float, help="resample to this rate, Hz (default: as it is)")
    parser.add_argument("--up", choices=("y", "z"), help="up axis of a written .bvh (default: y)")
    parser.add_argument(
        "--from_up", choices=("y", "z"), help="up axis of a read .bvh (default: told from the body)"
    )
    parser.add_argument("--body_model", type=Path, help="SMPL body (default: the shipped)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the report here")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Convert, and print what was written and what was skipped."""
    from rich.console import Console

    from motionloop.commands.progress import counting
    from motionloop.motion.body import Body
    from motionloop.motion.converting import (
        HUMANML3D_FOLDER,
        Conversion,
        convert_file,
        convert_folder,
        convert_to_humanml3d,
    )

    if args.fps is not None and not 0 < args.fps < float("inf"):
        raise InputError(f"--fps is {args.fps}; it must be a positive number of frames a second")
    if not args.source.exists():
        raise InputError(f"no such file or folder: {args.source}")
    if args.source.is_dir() and args.to is None:
        raise InputError(
            f"{args.source} is a folder; say what to write with --to, such as --to .bvh"
        )
    if not args.source.is_dir() and args.to is not None:
        raise InputError("--to is for folders; one file goes by the ending of OUT")
    console = Console()
    how = Conversion(Body.load(args.body_model), args.fps, args.up, args.from_up)
    if args.to is None:
        convert_file(args.source, args.out, how)
        console.print(f"wrote {args.out}", soft_wrap=True, markup=False, highlight=False)
        save_json(args.json, {"written": [str(args.out)], "skipped": []})
        return
    with counting("converting") as progress:
        if args.to == HUMANML3D_FOLDER:
            written, skipped = convert_to_humanml3d(args.source, args.out, how, progress)
        else:
            written, skipped = convert_folder(args.source, args.out, args.to, how, progress)
    for path, reason in skipped:
        console.print(f"skipped {path}: {reason}", soft_wrap=True, markup=False, highlight=False)
    console.print(
        f"wrote {len(written)} clips into {args.out}; skipped {len(skipped)}",
        soft_wrap=True,
        markup=False,
    )
    save_json(
        args.json,
        {
            "written": [str(path) for path in written],
            "skipped": [[str(path), why] for path, why in skipped],
        },
    )
