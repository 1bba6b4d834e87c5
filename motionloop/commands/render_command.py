"""Draw motions as a video or a contact sheet, side by side when several are given.

motionloop render walk.npz --out walk.mp4
motionloop render raw.npz corrected.npz --out both.gif --titles raw corrected
motionloop render walk.bvh run.bvh --out sheet.png     a strip of pictures for each
motionloop render walk.npz --out slow.webm --fps 10 --renderer software
motionloop render runs/motion/generation_006/evaluation.npz:3 --out third.mp4
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionloop.motion.body import Body
    from physics.motion import SmplMotion


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "motions", nargs="+", metavar="MOTION", help="motion files; FILE:ROW of a run's samples"
    )
    parser.add_argument("--out", type=Path, required=True, help=".mp4, .gif, .webm or .png")
    parser.add_argument("--titles", nargs="*", default=None, help="one a motion (default: names)")
    parser.add_argument("--width", type=int, default=640, help="pixels (default 640)")
    parser.add_argument("--height", type=int, default=480, help="pixels (default 480)")
    parser.add_argument("--fps", type=float, help="frames a second (default: the first motion's)")
    parser.add_argument(
        "--renderer",
        default="auto",
        help="mujoco (EGL or OSMesa), software (no graphics driver), or auto: what is there",
    )
    parser.add_argument("--body_model", type=Path, help="SMPL body (default: the shipped)")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Render."""
    from rich.console import Console

    from motionloop.commands.progress import counting
    from motionloop.motion.body import Body
    from motionloop.samples import InputError
    from motionloop.viewer.render import render

    titles = args.titles if args.titles is not None else [Path(m).stem for m in args.motions]
    if len(titles) != len(args.motions):
        raise InputError(f"{len(titles)} titles for {len(args.motions)} motions; give one each")
    body = Body.load(args.body_model)
    clips = [_load(motion, body) for motion in args.motions]
    with counting("rendering") as progress:
        size = (args.width, args.height)
        render(clips, args.out, body, titles, size, args.fps, progress, args.renderer)
    Console().print(f"wrote {args.out}", soft_wrap=True)


def _load(motion: str, body: "Body") -> "SmplMotion":
    """The motion of a file, or of a row of the samples in a run's file.

    Raises:
        InputError: a row is missing, or there is no such row.
    """
    from motionloop.motion.formats import load_motion
    from motionloop.motion.motions import Motions
    from motionloop.samples import InputError

    name, colon, row = motion.rpartition(":")
    path = Path(name if colon and row.isdigit() else motion)
    if not _holds_samples(path):
        return load_motion(path, body)
    samples = Motions.load(path)
    if path == Path(motion) or int(row) >= len(samples):
        raise InputError(f"{path} holds {len(samples)} motions; name one as {path}:0 and so on")
    return samples[[int(row)]].unpack()[0]


def _holds_samples(path: Path) -> bool:
    """Whether a file is one of a run's sample sets."""
    import zipfile

    if path.suffix != ".npz" or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {"index.npy", "length.npy"} <= set(archive.namelist())
