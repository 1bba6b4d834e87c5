"""Samples: frozen records of arrays that share one leading axis, what every task generates.

Files are npz archives of plain arrays, written whole or not at all, and loaded without
running code from them.
"""

import os
import uuid
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np


class InputError(ValueError):
    """The user's input is wrong; the message names the thing, the value and the remedy."""


def write_whole(path: Path, write) -> None:
    """Call `write(file)` on a binary file that appears at `path` only when it is complete.

    Raises:
        OSError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with open(partial, "wb") as file:
            write(file)
            file.flush()
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class Samples:
    """A batch of N samples: every field is an array with leading axis N.

    Subclasses add the columns; strings are numpy unicode arrays, so that files need no pickle.

    Raises:
        InputError: the columns have different lengths.
    """

    def __post_init__(self):
        lengths = {name: len(column) for name, column in self.columns().items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"columns of {type(self).__name__} differ in length: {lengths}")

    def columns(self) -> dict[str, np.ndarray]:
        """The columns by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __len__(self) -> int:
        return len(next(iter(self.columns().values())))

    def __getitem__(self, rows) -> Self:
        """The samples at `rows`: a slice, an index array or a boolean mask (never one integer)."""
        return type(self)(**{name: column[rows] for name, column in self.columns().items()})

    @classmethod
    def concatenate(cls, parts: list[Self]) -> Self:
        """All samples of `parts` (at least one), in order."""
        names = parts[0].columns()
        return cls(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})

    def save(self, path: Path) -> None:
        """Write an npz file, whole or not at all."""
        write_whole(
            Path(path), lambda file: np.savez_compressed(file, allow_pickle=False, **self.columns())
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing, damaged, or has other columns.
        """
        names = [field.name for field in fields(cls)]
        try:
            with np.load(path, allow_pickle=False) as archive:
                return cls(**{name: archive[name] for name in names})
        except FileNotFoundError:
            raise InputError(f"no such file: {path}") from None
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InputError(f"{path} does not hold {cls.__name__} samples: {error}") from error
