"""How Weights & Biases shows a file of a run, by its suffix.

Pictures and videos are media. A CSV file is a table, and a histogram of every column of numbers;
where it has a column `set` (before, after), one for each set. Weights (.safetensors) and sample
sets (.npz) are artifacts, whose metadata say what they were made from. Anything else is a file.
"""

import csv
import math
import re
from pathlib import Path
from typing import Any

PICTURES = {".png", ".jpg", ".jpeg"}
VIDEOS = {".mp4", ".gif", ".webm"}
ARTIFACTS = {".safetensors": "model", ".npz": "samples"}
# What the loop makes of what: file -> what went into it, as name and generations back.
_LINEAGE = {
    "synthetic": (("model", 1),),
    "corrected": (("synthetic", 0),),
    "model": (("model", 1), ("corrected", 0)),
    "evaluation": (("model", 0),),
}


def shown(run: Any, path: Path, generation: int, base: Path) -> dict[str, Any]:
    """What of a file goes into the row of a generation; the rest goes to the W&B run itself.

    Args:
        run: of the W&B client.
        path: of the file.
        generation: that it belongs to.
        base: folder below which W&B keeps the paths of files.
    """
    import wandb

    suffix = path.suffix.lower()
    if suffix in PICTURES:
        return {_series(path): wandb.Image(str(path))}
    if suffix in VIDEOS:
        return {_series(path): wandb.Video(str(path), format=suffix[1:])}  # type: ignore[arg-type]
    if suffix == ".csv":
        return _table_and_histograms(path)
    if suffix in ARTIFACTS:
        _log_artifact(run, path, generation)
        return {}
    inside = base if path.is_relative_to(base) else path.parent
    run.save(str(path), base_path=str(inside), policy="now")
    return {}


def _series(path: Path) -> str:
    """The name of a file's series in W&B: its stem without a number at the end."""
    return re.sub(r"[_-]?\d+$", "", path.stem) or path.stem


def _table_and_histograms(path: Path) -> dict[str, Any]:
    import wandb

    with open(path, newline="") as file:
        header, *lines = csv.reader(file)
    rows: list[Any] = [[_value(cell) for cell in line] for line in lines]
    name = _series(path)
    table = wandb.Table(columns=list(header), data=rows)
    found: dict[str, Any] = {f"{name}/table": table}
    where = header.index("set") if "set" in header else None
    kinds = [""] * len(rows) if where is None else [str(row[where]) for row in rows]
    for k, column in enumerate(header):
        for kind in dict.fromkeys(kinds):
            values = [row[k] for row, its_kind in zip(rows, kinds) if its_kind == kind]
            numbers = [v for v in values if isinstance(v, float) and math.isfinite(v)]
            if numbers and column != "index":
                found[f"{name}/{column}_{kind}".rstrip("_")] = wandb.Histogram(numbers)
    return found


def _value(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def _log_artifact(run: Any, path: Path, generation: int) -> None:
    import wandb

    origin = [
        f"{name}:generation-{generation - back}"
        for name, back in _LINEAGE.get(path.stem, ())
        if generation - back >= 0 and (generation > 0 or name == "model" != path.stem)
    ]
    artifact = wandb.Artifact(
        f"{path.stem}-{run.id}",
        type=ARTIFACTS[path.suffix.lower()],
        metadata={"generation": generation, "made_from": origin},
    )
    # A complete generation does not change: W&B reads the file where it lies, without a copy.
    artifact.add_file(str(path), name=path.name, policy="immutable", skip_cache=True)
    run.log_artifact(artifact, aliases=["latest", f"generation-{generation}"])
