"""A small run of made motions for the tests of pages."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from motionloop.motion.correction import Corrections
from motionloop.motion.motions import Motions
from physics.motion import SmplMotion

CAPTIONS = ("a person runs", "a person walks")


def lifted(clip: SmplMotion, height: float) -> SmplMotion:
    return replace(clip, transl=clip.transl + np.array([0, 0, height]))


def write_run(path: Path, clip: SmplMotion, count: int, generations: int, fell: int = 1) -> Path:
    """A run whose raw samples float 1 cm a generation; the sample `fell` was dropped."""
    path.mkdir(parents=True)
    (path / "config.yaml").write_text("task: {name: motion}\n")
    kept = np.array([n for n in range(count) if n != fell])
    for g in range(generations):
        folder = path / f"generation_{g:03d}"
        folder.mkdir()
        clips = [replace(clip, caption=CAPTIONS[n % 2]) for n in range(count)]
        corrected = Motions.pack(clips)
        raw = Motions.pack([lifted(one, 0.01 * g) for one in clips])
        corrected.save(folder / "evaluation.npz")
        row = {"generation": g, "corrector/corrected": float(len(kept)) if g else None}
        (folder / "scalars.json").write_text(json.dumps([row]))
        if g == 0:
            continue
        raw.save(folder / "synthetic.npz")
        corrected[kept].save(folder / "corrected.npz")
        frames = len(clip)
        Corrections(
            index=raw.index,
            fell=raw.index == fell,
            reason=np.where(raw.index == fell, "fell: mean joint error 0.51 m at 1.00 s", ""),
            position_error=np.zeros((count, frames)),
            assistance=np.full((count, frames), 0.2),
            force=np.tile([0.0, 0.0, 0.2], (count, frames, 1)),
        ).save(folder / "corrections.npz")
    return path
