"""Converting motion files: one file, or a folder of them into a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionloop.motion.body import Body
from motionloop.motion.captions import caption_of
from motionloop.motion.dataset import INDEX, Entry, captions_of, new_folder, read_index, split
from motionloop.motion.finding import find_motions
from motionloop.motion.formats import (
    ENDINGS,
    ending_of,
    read_motion,
    rewrite_humanml3d,
    write_motion,
)
from motionloop.motion.formats.t2m_folder import Caption, write_clip, write_lists
from motionloop.samples import InputError, write_whole
from physics.motion import MotionError

Progress = Callable[[int, int], None]
HUMANML3D_FOLDER = "humanml3d"  # what --to is for a folder as HumanML3D has it


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

    HumanML3D's joints and features become each other without a body in between.

    Raises:
        InputError: an ending is unknown, or the source cannot be read.
    """
    rewritten = rewrite_humanml3d(source, ending_of(out)) if how.fps in (None, 20.0) else None
    if rewritten is not None:
        write_whole(out, lambda file: np.save(file, rewritten.astype(np.float32)))
        return
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
        known = ", ".join((*ENDINGS, HUMANML3D_FOLDER))
        raise InputError(f"--to {ending} is unknown; known are {known}")
    found, skipped = find_motions([source])
    written: list[Path] = []
    for number, (path, root) in enumerate(found, start=1):
        place = out / path.relative_to(root)
        place = place.with_name(_stem(path) + ending)
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


def convert_to_humanml3d(
    source: Path, out: Path, how: Conversion, progress: Progress | None = None
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Make a folder as HumanML3D has it, for the evaluators of others.

    Args:
        source: a data set of motionloop, whose captions and parts are kept; or any folder of
            motion files, which is dealt into parts as a data set is.
        out: the new folder.
        how: the body, and how files are read.
        progress: called as `progress(done, total)` after every clip.

    Returns:
        the files of features, and what was skipped with the reason.

    Raises:
        InputError: `out` holds something, or no clip could be converted.
    """
    skipped: list[tuple[Path, str]] = []
    if (source / INDEX).is_file():
        entries = read_index(source)
    else:
        found, skipped = find_motions([source])
        entries = [{"name": p.stem, "file": str(p.relative_to(source))} for p, _ in found]
        if len({entry["name"] for entry in entries}) < len(entries):
            raise InputError(f"{source} has files of one name; make a data set with import first")
    parts = split(entries)
    done: dict[str, str] = {}
    with new_folder(out) as folder:
        for number, entry in enumerate(entries, start=1):
            path = source / entry["file"]
            try:
                caption = str(entry.get("caption") or caption_of(path))
                motion, _ = read_motion(path, how.body, caption, how.from_up)
                captions = _captions(entry, motion.caption or caption)
                rest = how.body.rest_joints(motion.betas)
                write_clip(folder, entry["name"], motion, captions, rest)
                done[entry["name"]] = parts[entry["name"]]
            except (InputError, MotionError) as reason:
                skipped.append((path, str(reason).removeprefix(f"{path}").lstrip(": ")))
            if progress:
                progress(number, len(entries))
        if not done:
            first = f"; {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
            raise InputError(f"none of {len(entries)} clips could be converted{first}")
        write_lists(folder, done)
    return [out / "new_joint_vecs" / f"{name}.npy" for name in done], sorted(skipped)


def _stem(path: Path) -> str:
    """A file's name without its ending, which may have two dots, such as `.joints.npy`."""
    found = next((end for end in ENDINGS if path.name.lower().endswith(end)), path.suffix)
    return path.name[: len(path.name) - len(found)]


def _captions(entry: Entry, otherwise: str) -> tuple[Caption, ...]:
    """All captions of an entry; its one caption, or another, where it has no list."""
    return tuple(Caption(text or otherwise, *when) for text, *when in captions_of(entry))
