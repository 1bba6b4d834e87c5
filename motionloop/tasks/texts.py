"""Where texts come from: plain files, JSON lines, parquet and arrow files, sets of `datasets`.

file.txt                 texts end at an empty line, or every line is one
file.jsonl               one object a line
file.parquet .arrow      one row a text
folder of save_to_disk   a set of `datasets`, or several splits of one
any other folder         all such files in it, in the order of their names

Objects, rows and sets hold the text in the column `text` unless another is named. Nothing is
downloaded, and no code of a file runs.
"""

import importlib
import json
from pathlib import Path
from typing import Any

from motionloop.samples import InputError

EXTRA = "pip install 'motionloop[datasets]'"
_READ = (".txt", ".jsonl", ".parquet", ".arrow")


def read_texts(path: Path, column: str = "text", part: str = "train") -> list[str]:
    """The texts of a file or folder.

    Args:
        path: see above.
        column: that holds the text, where there are columns.
        part: split that is read, where the folder holds several.

    Raises:
        InputError: there is no such file, column or split, it cannot be read, it holds no text,
            or a package is missing.
    """
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        texts = _texts_of_set(path, column, part)
    elif path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix in _READ)
        texts = [text for file in files for text in _texts_of_file(file, column)]
    else:
        texts = _texts_of_file(path, column)
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        raise InputError(f"task.text: {path} holds no text")
    return texts


def _texts_of_file(path: Path, column: str) -> list[str]:
    if path.suffix in (".parquet", ".arrow"):
        return _texts_of_table(path, column)
    try:
        content = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            rows = [json.loads(line) for line in content.splitlines() if line.strip()]
            return [str(row[column]) for row in rows]
    except FileNotFoundError:
        raise InputError(f"task.text: no such file: {path}") from None
    except (UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        lines = f"JSON lines with a field {column}"
        wanted = lines if path.suffix == ".jsonl" else "UTF-8 text"
        raise InputError(f"task.text: {path} is not {wanted}: {error}") from error
    return content.split("\n\n") if "\n\n" in content.strip() else content.splitlines()


def _texts_of_table(path: Path, column: str) -> list[str]:
    if not path.is_file():
        raise InputError(f"task.text: no such file: {path}")
    pyarrow = _package("pyarrow")
    try:
        if path.suffix == ".parquet":
            table = _package("pyarrow.parquet").read_table(path)
        else:
            with pyarrow.memory_map(str(path)) as file:
                table = _arrow_reader(pyarrow, file).read_all()
    except (OSError, pyarrow.ArrowException) as error:
        line = " ".join(str(error).split())[:160]
        raise InputError(f"task.text: {path} is no whole {path.suffix} file: {line}") from error
    return _column(path, table.column_names, column, lambda: table.column(column).to_pylist())


def _arrow_reader(pyarrow: Any, file: Any) -> Any:
    """Of a stream, as `datasets` writes it, or of a file with a footer."""
    ipc = _package("pyarrow.ipc")
    try:
        return ipc.open_stream(file)
    except pyarrow.ArrowInvalid:
        return ipc.open_file(file)


def _texts_of_set(path: Path, column: str, part: str) -> list[str]:
    datasets = _package("datasets")
    try:
        found = datasets.load_from_disk(str(path))
    except Exception as error:  # a damaged folder raises whatever its reader stumbles over
        line = " ".join(str(error).split())[:160]
        raise InputError(f"task.text: {path} is no whole set of datasets: {line}") from error
    if isinstance(found, dict):
        if part not in found:
            raise InputError(
                f"task.text: {path} has no split {part!r}; it has {', '.join(sorted(found))}: "
                "set task.text_split"
            )
        found = found[part]
    return _column(path, found.column_names, column, lambda: list(found[column]))


def _column(path: Path, names: list[str], column: str, read: Any) -> list[str]:
    if column not in names:
        raise InputError(
            f"task.text: {path} has no column {column!r}; it has {', '.join(names)}: "
            "set task.text_column"
        )
    values = read()
    if any(not isinstance(value, str) for value in values):
        raise InputError(f"task.text: the column {column!r} of {path} does not hold text alone")
    return values


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f"task.text: reading this needs datasets: {EXTRA}") from None
