"""What a loop remembers of its Weights & Biases run: its id, and which files it has shown."""

import json
import secrets
from pathlib import Path
from typing import Any

from motionloop.samples import InputError, write_whole


class WandbState:
    """The file `wandb.json` of a run folder: the W&B run's id and the files attached to it.

    The id is drawn when the file does not exist yet and stays for the life of the loop. Paths are
    kept relative to the file's folder where they lie inside, so that the folder can be moved.
    A path that is attached again counts for its last generation only: the file was overwritten.

    Raises:
        InputError: the file exists and is damaged.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        self._attached: dict[str, int] = {}
        if self.path.exists():
            self.id, self._attached = _read(self.path)
        else:
            self.id = secrets.token_hex(6)
            self._write()

    def remember(self, path: Path, generation: int) -> None:
        """Note that the file at `path` was attached to `generation`."""
        path = path.absolute()
        folder = self.path.parent.absolute()
        name = str(path.relative_to(folder) if path.is_relative_to(folder) else path)
        if self._attached.get(name) != generation:
            self._attached[name] = generation
            self._write()

    def attached_at(self, generation: int) -> list[Path]:
        """The files that were last attached to `generation` and still exist."""
        paths = [self.path.parent / name for name, g in self._attached.items() if g == generation]
        return [path for path in paths if path.is_file()]

    def _write(self) -> None:
        text = json.dumps({"id": self.id, "attached": self._attached}, indent=1)
        write_whole(self.path, lambda file: file.write(text.encode()))


def _read(path: Path) -> tuple[str, dict[str, int]]:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        return str(content["id"]), {str(k): int(v) for k, v in content["attached"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is damaged ({error}); remove it, and the loop starts a new W&B run"
        ) from None
