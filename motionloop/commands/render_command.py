"""Draw motions as a video or a contact sheet, side by side when several are given.

motionloop render walk.npz --out walk.mp4
motionloop render raw.npz corrected.npz --out both.gif --titles raw corrected
motionloop render walk.bvh run.bvh --out sheet.png     a strip of pictures for each
motionloop render walk.npz --out slow.webm --fps 10 --renderer software
"""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("motions", nargs="+", type=Path, metavar="MOTION", help="motion files")
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
    from motionloop.motion.formats import load_motion
    from motionloop.samples import InputError
    from motionloop.viewer.render import render

    titles = args.titles if args.titles is not None else [path.stem for path in args.motions]
    if len(titles) != len(args.motions):
        raise InputError(f"{len(titles)} titles for {len(args.motions)} motions; give one each")
    body = Body.load(args.body_model)
    clips = [load_motion(path, body) for path in args.motions]
    with counting("rendering") as progress:
        size = (args.width, args.height)
        render(clips, args.out, body, titles, size, args.fps, progress, args.renderer)
    Console().print(f"wrote {args.out}", soft_wrap=True)
