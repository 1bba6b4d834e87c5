"""What the scalars of every generation were: a file with one JSON object a line.

A line is `{"generation": 3, "fid": 4.21, ...}`. A number that is not finite is stored as null,
which every JSON reader understands, and read back as nan. A generation has at most one line.
"""

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from motionloop.interfaces import Scalars
from motionloop.samples import InputError, write_whole

History = list[dict[str, Any]]


class JsonlReporter:
    """Appends one line a generation to the file at `path`; it is made, or continued.

    Every line is on the disk when `report` returns. A process that is killed while it writes
    leaves at most a last line without its end; opening the file again cuts that line off.

    Raises:
        InputError: the file holds a whole line that is not a record of a generation.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        lines, torn = _lines(self.path)
        self._records = {record["generation"]: record for record in lines}
        if torn or len(self._records) < len(lines):
            self._rewrite()

    def report(self, scalars: Scalars, generation: int) -> None:
        """Write the line of `generation`; a line that it already has is replaced.

        Raises:
            InputError: a scalar is called "generation" or is not a number.
            OSError: the disk is full or the file cannot be written; the file is as it was.
        """
        record = _record(scalars, generation)
        newest = max(self._records, default=-1)
        before = dict(self._records)
        self._records[generation] = record
        try:
            if generation > newest:
                self._append(record)
            else:
                self._rewrite()
        except BaseException:
            self._records = before
            raise

    def attach(self, path: Path, generation: int) -> None:
        """Do nothing: files lie in the run folder already."""

    def close(self) -> None:
        """Do nothing: every line is on the disk already."""

    def _append(self, record: dict[str, Any]) -> None:
        with open(self.path, "ab") as file:
            end = file.tell()
            try:
                file.write(_encode(record))
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                os.truncate(self.path, end)
                raise

    def _rewrite(self) -> None:
        records = [self._records[generation] for generation in sorted(self._records)]

        def write(file) -> None:
            file.writelines(map(_encode, records))
            file.flush()
            os.fsync(file.fileno())

        write_whole(self.path, write)


def read_history(path: Path) -> History:
    """The records of a metrics file by ascending generation; what is null there is nan here.

    Safe to call while a loop writes the file: an unfinished last line is left out. Where a
    generation has several lines the last one counts.

    Raises:
        InputError: there is no such file, or a whole line of it is not a record of a generation.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no metrics at {path}: a loop writes them into its run folder")
    lines, _ = _lines(path)
    records = {record["generation"]: record for record in lines}
    return [_with_nan(records[generation]) for generation in sorted(records)]


def _lines(path: Path) -> tuple[History, bool]:
    """The whole lines of a file, nulls kept, and whether a torn line follows them."""
    *whole, rest = path.read_bytes().split(b"\n")
    return list(_parse(path, whole)), bool(rest)


def _parse(path: Path, lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or type(record.get("generation")) is not int:
            raise InputError(
                f"line {number} of {path} is not a record of a generation: {line[:60]!r}; "
                "remove the line and continue"
            )
        yield record


def _record(scalars: Scalars, generation: int) -> dict[str, Any]:
    if "generation" in scalars:
        raise InputError("a scalar may not be called 'generation': it is the key of the line")
    record: dict[str, Any] = {"generation": int(generation)}
    for name, value in scalars.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(f"scalar {name!r} is {value!r}, which is not a number") from None
        record[name] = number if math.isfinite(number) else None
    return record


def _encode(record: dict[str, Any]) -> bytes:
    return json.dumps(record, allow_nan=False).encode() + b"\n"


def _with_nan(record: dict[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value for name, value in record.items()}
