"""Converting motion files: one file, or a folder of them into a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from motionloop.motion.body import Body
from motionloop.motion.captions import caption_of
from motionloop.motion.finding import find_motions
from motionloop.motion.formats import ENDINGS, ending_of, read_motion, write_motion
from motionloop.samples import InputError
from physics.motion import MotionError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Conversion:
    """How files are converted.

    Attributes:
        body: the body that motions are fitted to and written with.
        fps: rate of what is written, Hz; None keeps the source's.
        up: up axis of written BVH files, "y" or "z"; None is the format's own.
        from_up: up axis of read BVH files; None is told from the body.
    """

    body: Body
    fps: float | None = None
    up: str | None = None
    from_up: str | None = None


def convert_file(source: Path, out: Path, how: Conversion) -> None:
    """Write the motion of one file in the format of the other's ending, whole or not at all.

    Raises:
        InputError: an ending is unknown, or the source cannot be read.
    """
    ending_of(out)
    motion, _ = read_motion(source, how.body, caption_of(source), how.from_up)
    write_motion(motion if how.fps is None else motion.resample(how.fps), out, how.body, how.up)


def convert_folder(
    source: Path, out: Path, ending: str, how: Conversion, progress: Progress | None = None
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Convert all motion files of a folder, through all its levels, which stay the same.

    Args:
        source: the folder.
        out: the folder to write into.
        ending: one of `ENDINGS`, with or without the dot.
        how: what is done to each.
        progress: called as `progress(done, total)` after every file.

    Returns:
        the files that are there now, and what was skipped with the reason.

    Raises:
        InputError: the ending is unknown, or no file could be read.
    """
    ending = "." + ending.lstrip(".").lower()
    if ending not in ENDINGS:
        raise InputError(f"--to {ending} is unknown; known are {', '.join(ENDINGS)}")
    found, skipped = find_motions([source])
    written: list[Path] = []
    for number, (path, root) in enumerate(found, start=1):
        place = out / path.relative_to(root)
        place = place.with_name(place.stem + ending)
        if place in written:
            place = place.with_name(path.name + ending)
        try:
            convert_file(path, place, how)
            written.append(place)
        except (InputError, MotionError) as reason:
            skipped.append((path, str(reason).removeprefix(f"{path}").lstrip(": ")))
        if progress:
            progress(number, len(found))
    if not written:
        first = f"; {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        raise InputError(f"none of {len(found)} files could be converted{first}")
    return written, sorted(skipped)
