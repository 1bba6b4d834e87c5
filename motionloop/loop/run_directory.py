"""The run folder: what is in it, what is complete, and how a run goes on.

    config.yaml  provenance.json                  what was run, and with what
    definitions.json  real.json                   what the figures mean, the real-data row
    generation_000/                               complete as soon as it has this name
        model.safetensors  synthetic.npz  corrected.npz  corrections.npz  evaluation.npz
        scalars.json

A generation is written under another name and renamed when it is whole, so that a folder with
its final name can be trusted after a crash, a kill or a full disk.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motionloop.interfaces import Scalars
from motionloop.samples import InputError, write_whole

MODEL_FILE = "model.safetensors"
_NAME = re.compile(r"generation_(\d{3,})")


def write_json(path: Path, content: Any) -> None:
    """Write JSON, whole or not at all; NaN becomes null."""
    text = json.dumps(_finite(content), indent=1)
    write_whole(path, lambda file: file.write(text.encode()))


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not readable JSON: {error}") from error


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and value != value:
        return None
    return value


@dataclass(frozen=True)
class RunDirectory:
    """A run folder.

    Attributes:
        path: the folder.
    """

    path: Path

    def generation(self, g: int) -> Path:
        """The folder of generation g."""
        return self.path / f"generation_{g:03d}"

    def complete(self) -> list[int]:
        """The checkpointed generations, in order."""
        if not self.path.is_dir():
            return []
        found = [(_NAME.fullmatch(p.name), p) for p in self.path.iterdir() if p.is_dir()]
        return sorted(int(match[1]) for match, _ in found if match)

    def history(self) -> list[dict[str, Any]]:
        """The scalars of every complete generation, each with its number as `generation`."""
        rows: list[dict[str, Any]] = []
        for g in self.complete():
            rows += self.rows(g)
        return rows

    def rows(self, g: int) -> list[dict[str, Any]]:
        """The scalars in the checkpoint of generation g: its own, and those since the last one.

        Raises:
            InputError: they are missing or damaged.
        """
        rows = read_json(self.generation(g) / "scalars.json")
        return [{k: float("nan") if v is None else v for k, v in row.items()} for row in rows]

    def model_file(self, g: int) -> Path:
        """The weights of generation g.

        Raises:
            InputError: there are none.
        """
        if g not in self.complete():
            have = self.complete()
            raise InputError(f"{self.path} has no generation {g}; it has {have or 'none'}")
        return self.generation(g) / MODEL_FILE

    @contextmanager
    def writing(self, g: int) -> Iterator[Path]:
        """A folder to fill; it becomes generation g's on leaving without an error."""
        partial = self.path / f".generation_{g:03d}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            os.replace(partial, self.generation(g))
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def copy_generation(self, source: "RunDirectory", g: int) -> None:
        """Take over generation g of another run."""
        source.model_file(g)
        with self.writing(g) as folder:
            shutil.copytree(source.generation(g), folder, dirs_exist_ok=True)


def scalars_row(generation: int, scalars: Scalars) -> dict[str, Any]:
    """A row of `RunDirectory.history`."""
    return {"generation": generation, **scalars}
