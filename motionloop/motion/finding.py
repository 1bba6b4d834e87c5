"""Which motion files there are: in folders through all levels, hidden ones named and left out."""

import os
from pathlib import Path

from motionloop.motion.formats import KNOWN, SUFFIXES
from motionloop.samples import InputError

Skipped = list[tuple[Path, str]]


def find_motions(sources: list[Path]) -> tuple[list[tuple[Path, Path]], Skipped]:
    """Motion files, each with the folder that it was found through; and what was left out.

    Hidden are files and folders whose name begins with a dot: what other systems and
    interrupted programs leave behind. Links that lead nowhere are left out too.

    Args:
        sources: files, and folders that are searched for the endings in `SUFFIXES`.

    Raises:
        InputError: a source is missing, or there is no motion file.
    """
    found: dict[Path, Path] = {}
    hidden: Skipped = []
    for source in sources:
        if source.is_dir():
            for folder, inner, names in os.walk(source):
                inner[:] = sorted(name for name in inner if not name.startswith("."))
                for path in (Path(folder) / name for name in sorted(names)):
                    if path.suffix.lower() not in SUFFIXES:
                        continue
                    if path.name.startswith("."):
                        hidden.append((path, "a hidden file; rename it to have it read"))
                    elif path.is_file():
                        found[path] = source
                    else:
                        hidden.append((path, "is no file, or a link to one that is not there"))
        elif source.is_file():
            found[source] = source.parent
        else:
            raise InputError(f"no such file or folder: {source}")
    if not found:
        raise InputError(f"no motion file in {', '.join(map(str, sources))}; known are {KNOWN}")
    return list(found.items()), hidden
