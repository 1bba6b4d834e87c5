"""Run folders made by hand: histories, configs and tiny samples, without running a loop."""

import json
from pathlib import Path

import numpy as np
import yaml

from motionloop.motion.motions import Motions
from motionloop.reporters import JsonlReporter
from physics.motion import SmplMotion
from physics.skeleton import REST_TO_WORLD


def config(task="motion", over=None, seeds=1, **settings):
    content = {
        "name": "made",
        "task": {"name": task, "body_model": None, "corrector": {"gamma": 1.0}},
        "loop": {"generations": 2, "synthetic_ratio": 1.0, "seed": 0, "start_from": None},
        "wandb": {"project": "p"},
        "sweep": {"over": over or {}, "seeds": seeds, "workers": 0},
    }
    for key, value in settings.items():
        section, _, rest = key.partition("__")
        place = content[section]
        *outer, last = rest.split("__")
        for name in outer:
            place = place[name]
        place[last] = value
    return content


def made_run(path: Path, rows, content=None, samples=False) -> Path:
    """A run folder with these rows of scalars; `samples` adds clips of three frames."""
    path.mkdir(parents=True)
    (path / "config.yaml").write_text(yaml.safe_dump(content or config(), sort_keys=False))
    (path / "provenance.json").write_text(
        json.dumps({"motionloop": "0.1.0", "commit": "abc123", "started": "2026-01-02T03:04:05"})
    )
    (path / "definitions.json").write_text('{"fid": "squared <distance>"}')
    jsonl = JsonlReporter(path / "metrics.jsonl")
    for g, row in enumerate(rows):
        jsonl.report(row, g)
        folder = path / f"generation_{g:03d}"
        folder.mkdir()
        (folder / "scalars.json").write_text(json.dumps([{"generation": g, **row}]))
        if samples:
            motions(0.0).save(folder / "evaluation.npz")
            if g > 0:
                motions(0.0).save(folder / "synthetic.npz")
                motions(0.1).save(folder / "corrected.npz")
    return path


def made_sweep(path: Path, over, seeds, value) -> Path:
    """A sweep's folder; `value(settings, seed, g)` is the metric w2."""
    from motionloop.sweep import combinations

    path.mkdir(parents=True)
    content = config("gaussian", over, seeds)
    (path / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    for arm in combinations(over, {}, path.name):
        for seed in range(seeds):
            folder = path / arm.label / f"seed_{seed}" / "generation_002"
            folder.mkdir(parents=True)
            rows = [{"generation": g, "w2": value(arm.settings, seed, g)} for g in range(3)]
            (folder / "scalars.json").write_text(json.dumps(rows))
    return path


def motions(shift: float) -> Motions:
    """Two clips of three frames that stand."""
    from scipy.spatial.transform import Rotation

    upright = Rotation.from_matrix(REST_TO_WORLD).as_rotvec()
    clips = [
        SmplMotion(
            np.full((3, 3), (shift, 0.0, 1.0)), np.tile(upright, (3, 1)), np.zeros((3, 23, 3)),
            np.zeros(10), 20.0, caption,
        )
        for caption in ("a person walks", "a person runs")
    ]  # fmt: skip
    return Motions.pack(clips)
