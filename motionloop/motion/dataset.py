"""Data sets of clips: a folder of npz files, one a clip, and index.json that lists them.

An entry of the index has `name`, `file` (relative to the folder), `source`, `frames`, `fps`,
`caption`, `fit_error_m`, and optionally `split` and `captions`: all captions of the clip, each
with `text`, `start_s` and `end_s`, where 0 and 0 are the whole clip.
"""

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from motionloop.samples import InputError, write_whole
from physics.motion import MotionError, SmplMotion
from physics.skeleton import MIRROR

INDEX = "index.json"
MIRRORED = "_mirrored"  # the end of the name of a clip's mirror image
PARTS = ("train", "reference", "encoder")
Entry = dict[str, Any]


def read_index(directory: Path) -> list[Entry]:
    """The entries of a data set folder.

    Raises:
        InputError: the folder or its index.json is missing, damaged, or names a clip twice.
    """
    directory = Path(directory)
    path = directory / INDEX
    if not directory.is_dir():
        raise InputError(f"no such folder: {directory}")
    if not path.is_file():
        raise InputError(
            f"{directory} is no data set: it has no {INDEX}. "
            f"Make one with: motionloop import {directory} --out NEW_FOLDER"
        )
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if not isinstance(entries, list) or not all(
        isinstance(e, dict) and isinstance(e.get("name"), str) and isinstance(e.get("file"), str)
        for e in entries
    ):
        raise InputError(f"{path} is not a list of entries with name and file")
    names = [entry["name"] for entry in entries]
    twice = (
        sorted({name for name in names if names.count(name) > 1})
        if len(set(names)) < len(names)
        else []
    )
    if twice:
        raise InputError(f"{path} lists {twice[0]!r} more than once; names must differ")
    return entries


def captions_of(entry: Entry) -> list[tuple[str, float, float]]:
    """All captions of an entry: text, and where its stretch begins and ends, s; 0 and 0 are all.

    Raises:
        InputError: the entry's list of captions is damaged.
    """
    listed = entry.get("captions") or [{"text": entry.get("caption", "")}]
    try:
        return [
            (str(one["text"]), float(one.get("start_s") or 0), float(one.get("end_s") or 0))
            for one in listed
        ]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise InputError(
            f"clip {entry['name']!r} has damaged captions {str(listed)[:80]}; "
            "each needs text, start_s and end_s"
        ) from None


def load_clips(directory: Path) -> list[tuple[Entry, SmplMotion]]:
    """All clips of a data set, each with its entry; for sets that fit into memory.

    Raises:
        InputError: see `read_index` and `read_clip`.
    """
    directory = Path(directory)
    return [(entry, read_clip(directory, entry)) for entry in read_index(directory)]


def read_clip(directory: Path, entry: Entry) -> SmplMotion:
    """The clip of an entry; the index's caption is the clip's.

    Raises:
        InputError: the clip's file is missing, damaged, or outside of the folder.
    """
    path = directory / entry["file"]
    if not path.resolve().is_relative_to(directory.resolve()):
        raise InputError(f"{directory / INDEX}: {entry['file']} lies outside of the folder")
    if not path.is_file():
        raise InputError(f"{path} is missing, though {INDEX} lists it; import the data set again")
    try:
        motion = SmplMotion.load(path)
    except MotionError as error:
        raise InputError(f"clip {entry['name']!r} is damaged: {error}") from error
    return replace(motion, caption=str(entry.get("caption", motion.caption)))


def write_dataset(directory: Path, clips: Mapping[str, SmplMotion], source: str) -> list[Entry]:
    """Write clips by name as a new data set folder, whole or not at all; returns its entries.

    Raises:
        InputError: the folder holds something already.
    """
    with new_folder(Path(directory)) as partial:
        entries = []
        for name, clip in clips.items():
            clip.save(partial / f"{name}.npz")
            entries.append(entry_of(name, clip, source))
        write_index(partial, entries)
    return entries


def entry_of(name: str, clip: SmplMotion, source: str, fit_error_m: float = 0.0) -> Entry:
    """The index's entry of a clip that lies in `name`.npz."""
    return {
        "name": name,
        "file": f"{name}.npz",
        "source": source,
        "frames": len(clip),
        "fps": clip.fps,
        "caption": clip.caption,
        "fit_error_m": fit_error_m,
    }


def write_index(directory: Path, entries: list[Entry]) -> None:
    """Write index.json."""
    text = json.dumps(entries, indent=1, ensure_ascii=False) + "\n"
    write_whole(directory / INDEX, lambda file: file.write(text.encode()))


@contextmanager
def new_folder(directory: Path) -> Iterator[Path]:
    """A folder to fill that takes the name `directory` on leaving without an error.

    Raises:
        InputError: `directory` holds something already.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"{directory} exists and is not empty; choose another --out or remove it")
    partial = directory.with_name(f".{directory.name}.{uuid.uuid4().hex}.partial")
    partial.mkdir(parents=True)
    try:
        yield partial
        if directory.exists():
            directory.rmdir()
        os.replace(partial, directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def split(
    entries: Sequence[Entry], fractions: Sequence[float] = (0.6, 0.2, 0.2), seed: int = 0
) -> dict[str, str]:
    """The part of every clip by its name: "train", "reference" or "encoder".

    Whole clips are dealt out, never windows, and a clip and its mirror image together, by a
    hash of the name: a clip's part does not depend on which other clips there are. What an
    entry says in `split` goes before.

    Args:
        entries: of the index.
        fractions: share of each part; they add up to 1.
        seed: another seed deals differently.

    Raises:
        InputError: the fractions are not three shares, or an entry names an unknown part.
    """
    if len(fractions) != 3 or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise InputError(f"split fractions are {tuple(fractions)}; give three that add up to 1")
    bounds = np.cumsum(fractions)
    parts = {}
    for entry in entries:
        part = entry.get("split")
        if part is None:
            stem = entry["name"].removesuffix(MIRRORED)
            digest = hashlib.sha256(f"{seed}/{stem}".encode()).digest()
            draw = int.from_bytes(digest[:8], "big") / 2**64
            part = PARTS[min(int(np.searchsorted(bounds, draw, side="right")), 2)]
        elif part not in PARTS:
            raise InputError(f"clip {entry['name']!r} has split {part!r}; known are {PARTS}")
        parts[entry["name"]] = part
    return parts


def mirrored(motion: SmplMotion) -> SmplMotion:
    """The motion's mirror image: left and right change places, in the caption too.

    The mirror is the plane x = 0 of the world, which is the body's own in the rest pose; it
    takes axis-angle vectors (x, y, z) to (x, -y, -z).
    """
    poses = np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1)
    poses = poses[:, list(MIRROR)] * [1.0, -1.0, -1.0]
    other = {"left": "right", "right": "left"}
    caption = re.sub(r"\b(left|right)\b", lambda m: other[m[0]], motion.caption)
    return replace(
        motion,
        transl=motion.transl * [-1.0, 1.0, 1.0],
        global_orient=poses[:, 0],
        body_pose=poses[:, 1:],
        caption=caption,
    )
