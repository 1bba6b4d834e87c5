"""Look at motions: raw beside corrected, generation beside generation, in a browser.

RUN is a run folder, a folder of runs, or a data set; FILES are motion files (.npz, .bvh) or a
run's own files of samples:
  motionloop view                                  all runs in the folder runs
  motionloop view runs/motion                      a page on this machine; Ctrl-C ends it
  motionloop view runs/motion runs/motion_baseline several runs side by side
  motionloop view walk.bvh corrected/walk.npz      files beside each other
  motionloop view runs/motion --export page.html   one file that plays without a server
  motionloop view runs/motion --export page.html --generation 6 --sort phys_err --clips 6
"""

import argparse
import contextlib
from pathlib import Path
from typing import Any

from motionloop.samples import InputError

_CLIPS = 8
_RUNS = Path("runs")
_SORTS: dict[str, Any] = {
    "number": "number",
    "fid": "FID contribution",
    "phys_err": "phys_err",
    "error": "joint error",
    "assistance": "assistance",
    "fell": "fell",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="RUN|FILES", default=[_RUNS],
        help="what to show (default: all runs in the folder runs)",
    )  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (default: ours)")
    parser.add_argument("--port", type=int, help="port (default: the first free one from 8080)")
    parser.add_argument("--body_model", type=Path, help="SMPL body (default: the run's)")
    parser.add_argument("--export", type=Path, metavar="HTML", help="write a page and end")
    export = parser.add_argument_group("what --export takes of a run")
    export.add_argument("--generation", type=int, nargs="*", help="which ones (default: all)")
    export.add_argument(
        "--samples", choices=("synthetic", "evaluation"), default="synthetic",
        help="those that were corrected and trained on, or those that were judged",
    )  # fmt: skip
    export.add_argument("--sort", choices=tuple(_SORTS), default="number", help="first in order")
    export.add_argument("--clips", type=int, default=_CLIPS, help="a generation (default: 8)")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Serve until Ctrl-C, or export."""
    from rich.console import Console

    from motionloop.gallery.catalogue import body_model_of, open_all
    from motionloop.gallery.choice import Gallery
    from motionloop.motion.body import Body

    console = Console()
    body = Body.load(args.body_model or body_model_of(args.paths))
    gallery = Gallery(open_all(args.paths, body), body)
    if args.export is not None:
        _export(args, gallery, console)
        return
    from motionloop.gallery.serving import GalleryServer

    server = GalleryServer(gallery, args.host, args.port)
    console.print(f"{server.address}   (Ctrl-C ends it)", soft_wrap=True, highlight=False)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()


def _export(args: argparse.Namespace, gallery, console) -> None:
    from motionloop.commands.progress import counting
    from motionloop.gallery.exporting import Selection, scenes_of
    from motionloop.samples import write_whole
    from motionloop.viewer.web.player import player_html

    if args.clips < 1:
        raise InputError(f"--clips is {args.clips}; it must be at least 1")
    if args.export.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{args.export}: an exported page is an .html file")
    generations = None if args.generation is None else tuple(args.generation)
    selection = Selection(generations, args.samples, _SORTS[args.sort], args.clips)
    with counting("exporting") as progress:
        scenes, problems = scenes_of(gallery, selection)
        title = ", ".join(gallery.sources)
        text = player_html(scenes, gallery.body, title, progress=progress)
    write_whole(args.export, lambda file: file.write(text.encode()))
    for problem in problems:
        console.print(problem, soft_wrap=True, highlight=False, markup=False)
    size = args.export.stat().st_size / 1e6
    console.print(f"wrote {args.export}: {len(scenes)} scenes, {size:.1f} MB", soft_wrap=True)
