"""ClipStore: the clips of a data set folder, opened at once and read as they are asked for.

A small set is read whole. A large one (from half an hour at 30 frames a second) is packed once
into one file beside the clips, `.packed_HASH/frames.f32`, which is then mapped into memory: a set
of 40 hours opens in under two seconds, and only the frames that are asked for are read. The hash
is that of every clip file's name, size and time of change, so that a stale pack has another name
and is made anew. The clips and index.json stay what other tools read.
"""

import hashlib
import json
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from motionloop.motion.dataset import Entry, captions_of, new_folder, read_clip, read_index
from motionloop.samples import InputError
from physics.motion import SmplMotion

PACK_FROM = 54_000  # frames; fewer are read whole
NUMBERS = 75  # in a frame: transl, global_orient, body_pose
_PREFIX = ".packed_"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ClipStore:
    """N clips, each a stretch of one array of frames.

    Attributes:
        entries: N, of the index.
        frames: (F, 75) float32: transl, m, then global_orient and body_pose, rad. Mapped from a
            file where the set is large.
        start: (N,) where each clip starts.
        length: (N,) its frames.
        fps: (N,) Hz.
        betas: (N, 10).
    """

    entries: list[Entry]
    frames: np.ndarray
    start: np.ndarray
    length: np.ndarray
    fps: np.ndarray
    betas: np.ndarray

    @classmethod
    def open(cls, directory: Path, progress: Progress | None = None) -> Self:
        """The clips of a data set folder; packs a large set the first time.

        Args:
            directory: the folder.
            progress: called as `progress(done, total)` while a set is packed.

        Raises:
            InputError: see `dataset.read_clip`.
        """
        directory = Path(directory)
        entries = read_index(directory)
        if sum(int(entry.get("frames") or 0) for entry in entries) < PACK_FROM:
            return cls.of((entry, read_clip(directory, entry)) for entry in entries)
        kept = directory / f"{_PREFIX}{_fingerprint(directory, entries)}"
        if not kept.is_dir():
            try:
                _pack(directory, entries, kept, progress)
            except PermissionError:
                warnings.warn(
                    f"{directory} cannot be written: its {len(entries)} clips are read whole",
                    stacklevel=2,
                )
                return cls.of((entry, read_clip(directory, entry)) for entry in entries)
        try:
            about = json.loads((kept / "clips.json").read_text())
            length = np.array(about["length"], np.int64)
            shape = (int(length.sum()), NUMBERS)
            frames = np.memmap(kept / "frames.f32", np.float32, "r", shape=shape)
            fps, betas = np.array(about["fps"]), np.array(about["betas"])
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{kept} is damaged ({error}); remove this folder, and it is made anew"
            ) from error
        return cls(entries, frames, np.cumsum(length) - length, length, fps, betas)

    @classmethod
    def of(cls, clips: Iterable[tuple[Entry, SmplMotion]]) -> Self:
        """A store of clips at hand, each with its entry; the clip's caption counts."""
        pairs = list(clips)
        length = np.array([len(clip) for _, clip in pairs], np.int64)
        return cls(
            [{**entry, "caption": clip.caption} for entry, clip in pairs],
            np.concatenate([np.empty((0, NUMBERS), np.float32), *(_rows(c) for _, c in pairs)]),
            np.cumsum(length) - length,
            length,
            np.array([clip.fps for _, clip in pairs], np.float64),
            np.array([clip.betas for _, clip in pairs], np.float64).reshape(-1, 10),
        )

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[tuple[Entry, SmplMotion]]:
        return ((entry, self.clip(n)) for n, entry in enumerate(self.entries))

    def clip(self, number: int, first: int = 0, last: int | None = None) -> SmplMotion:
        """Frames `first` to `last`, not included, of a clip; all of them by default."""
        stop = int(self.length[number]) if last is None else min(last, int(self.length[number]))
        begin = int(self.start[number])
        rows = self.frames[begin + first : begin + stop]
        return SmplMotion(
            transl=rows[:, :3],
            global_orient=rows[:, 3:6],
            body_pose=rows[:, 6:].reshape(-1, 23, 3),
            betas=self.betas[number],
            fps=float(self.fps[number]),
            caption=str(self.entries[number].get("caption", "")),
        )

    def stretches(self) -> Self:
        """One clip for each stretch that captions speak of; no frame is copied.

        Captions of the whole clip stay with it. Those of a part become a clip of their own, as
        HumanML3D's users cut them, and a clip that has no others gives way to its parts.

        Raises:
            InputError: an entry's list of captions is damaged.
        """
        found: list[tuple[int, int, int, Entry]] = []
        for number, entry in enumerate(self.entries):
            texts: dict[tuple[float, float], list[str]] = {}
            for text, start_s, end_s in captions_of(entry):
                texts.setdefault((start_s, end_s) if end_s > start_s else (0.0, 0.0), []).append(
                    text
                )
            for (start_s, end_s), said in texts.items():
                fps, length = float(self.fps[number]), int(self.length[number])
                first, last = (round(start_s * fps), round(end_s * fps)) if end_s else (0, length)
                named = dict(entry)
                if end_s and "name" in entry:
                    named["name"] = f"{entry['name']} {start_s:g}-{end_s:g} s"
                if "captions" in entry:
                    whole = [{"text": text, "start_s": 0.0, "end_s": 0.0} for text in said]
                    named |= {"caption": said[0], "captions": whole}
                found.append((number, first, min(last, length), named))
        found = [one for one in found if one[2] > one[1]]
        rows = np.array([number for number, *_ in found], np.int64)
        first = np.array([first for _, first, _, _ in found], np.int64)
        last = np.array([last for _, _, last, _ in found], np.int64)
        return replace(
            self.subset(rows),
            entries=[named for *_, named in found],
            start=self.start[rows] + first,
            length=last - first,
        )

    def subset(self, numbers: Sequence[int] | np.ndarray) -> Self:
        """The clips with these numbers, in this order; no frame is copied."""
        rows = np.asarray(numbers, np.int64)
        return replace(
            self,
            entries=[self.entries[n] for n in rows],
            start=self.start[rows],
            length=self.length[rows],
            fps=self.fps[rows],
            betas=self.betas[rows],
        )


def _rows(clip: SmplMotion) -> np.ndarray:
    """The clip's frames (T, 75), float32."""
    columns = (clip.transl, clip.global_orient, clip.body_pose.reshape(len(clip), -1))
    return np.concatenate(columns, axis=1).astype(np.float32)


def _fingerprint(directory: Path, entries: list[Entry]) -> str:
    """A hash of the clips' files: names, sizes and times of change."""
    digest = hashlib.sha256()
    for entry in entries:
        try:
            found = (directory / entry["file"]).stat()
        except OSError:
            read_clip(directory, entry)  # says what is wrong with it
            raise
        digest.update(f"{entry['file']}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _pack(directory: Path, entries: list[Entry], kept: Path, progress: Progress | None) -> None:
    """Write all clips to the folder `kept`, whole or not at all, and remove stale packs."""
    about: dict[str, list] = {"length": [], "fps": [], "betas": []}
    try:
        with new_folder(kept) as partial:
            with open(partial / "frames.f32", "wb") as file:
                for done, entry in enumerate(entries, start=1):
                    clip = read_clip(directory, entry)
                    file.write(_rows(clip).tobytes())
                    about["length"].append(len(clip))
                    about["fps"].append(clip.fps)
                    about["betas"].append(clip.betas.tolist())
                    if progress:
                        progress(done, len(entries))
            (partial / "clips.json").write_text(json.dumps(about))
    except OSError:
        if not kept.is_dir():  # else another process was faster, and its pack is as good
            raise
    for stale in directory.glob(f"{_PREFIX}*"):
        if stale != kept:
            shutil.rmtree(stale, ignore_errors=True)
