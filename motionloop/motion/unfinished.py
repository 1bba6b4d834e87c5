"""A data set that is being imported: where its clips lie until all are there, and how to go on.

The clips of NAME are written to `.NAME.partial` beside it, with a journal of one line a clip.
A killed import, or one that found the disk full, leaves this folder; the next one with the same
name takes over every clip whose source and settings have not changed since. `finish` writes the
index, removes what no entry names, and gives the folder its name.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from motionloop.motion.dataset import INDEX, Entry, write_index
from motionloop.samples import InputError

_JOURNAL = "journal.jsonl"


class Unfinished:
    """The folder of an import that is not complete.

    Attributes:
        path: the folder that clips are written to.
    """

    def __init__(self, out: Path, settings: str):
        """Use `open`."""
        self.path = out.with_name(f".{out.name}.partial")
        self._out, self._settings = out, settings
        self._kept = self._read_journal()

    @classmethod
    @contextmanager
    def open(cls, out: Path, settings: str) -> Iterator[Self]:
        """The unfinished folder of the data set `out`, new or as an interruption left it.

        Args:
            out: the data set's folder, which is empty or does not exist.
            settings: what else the clips depend on; clips of other settings are not taken over.

        Raises:
            InputError: `out` holds something.
        """
        out = out if out.name else out.resolve()
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InputError(f"{out} exists and is not empty; choose another --out or remove it")
        folder = cls(out, settings)
        folder.path.mkdir(parents=True, exist_ok=True)
        try:
            yield folder
        finally:
            if folder.path.is_dir() and not folder._kept:
                shutil.rmtree(folder.path, ignore_errors=True)

    def entry(self, source: Path, name: str) -> Entry | None:
        """The entry of a clip that was written from this file as it still is; else None."""
        line = self._kept.get(name)
        if line is None or line["source"] != self._state(source):
            return None
        clip = self.path / line["entry"]["file"]
        return line["entry"] if clip.is_file() and clip.stat().st_size == line["bytes"] else None

    def keep(self, source: Path, entry: Entry) -> None:
        """Note that the clip of an entry is written."""
        size = (self.path / entry["file"]).stat().st_size
        line = {"source": self._state(source), "bytes": size, "entry": entry}
        with open(self.path / _JOURNAL, "a", encoding="utf-8") as file:
            # A line that a full disk or a kill cut off must not spoil this one.
            file.write("\n" + json.dumps(line, ensure_ascii=False))
        self._kept[entry["name"]] = line

    def finish(self, entries: list[Entry]) -> None:
        """Make the folder the data set."""
        write_index(self.path, entries)
        named = {INDEX, *(entry["file"] for entry in entries)}
        for path in self.path.iterdir():
            if path.name not in named:
                path.unlink()
        if self._out.exists():
            self._out.rmdir()
        os.replace(self.path, self._out)

    def _state(self, source: Path) -> list:
        status = source.stat()
        return [str(source.resolve()), status.st_size, status.st_mtime_ns, self._settings]

    def _read_journal(self) -> dict[str, dict]:
        """The journal's lines by the clip's name; a line that was cut off does not count."""
        kept: dict[str, dict] = {}
        try:
            text = (self.path / _JOURNAL).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return kept
        for line in text.split("\n"):
            try:
                content = json.loads(line)
                kept[content["entry"]["name"]] = content
            except (ValueError, KeyError, TypeError):
                continue
        return kept
