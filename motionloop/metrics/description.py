"""What is in a data set of motions: counts, hours, captions, speeds, plausibility, broken clips."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from motionloop.metrics.joints import resample
from motionloop.motion.body import Body
from motionloop.motion.dataset import Entry, captions_of, read_clip, read_index, split
from motionloop.motion.ground import ground_contacts
from motionloop.motion.motions import Motions, caption_class
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.plausibility import jerk, phys_errors

FPS = 20.0  # speeds and jerk are measured at one rate, Hz
# Real motion stays within these; a clip beyond one of them is named, because a wrong unit, a
# wrong up axis or a lost marker is the usual cause.
LIMITS = {"top_speed": 12.0, "penetrate_mm": 100.0, "float_mm": 1000.0, "jerk": 2000.0}
UNITS = {
    "duration": "s",
    "speed": "m/s, mean of the root",
    "top_speed": "m/s, root",
    "penetrate_mm": "mm below the floor",
    "float_mm": "mm above the floor",
    "skate_mm": "mm a frame, sliding soles",
    "jerk": "m/s^3",
}


@dataclass(frozen=True)
class Description:
    """A data set, measured.

    Attributes:
        clips: listed in the index.
        hours: of motion, as the index says.
        rates: clips at each frame rate, Hz.
        classes: clips of each caption class, the most frequent first.
        captions: different captions.
        parts: clips of each part of the split.
        measured: clips that the figures below come from.
        figures: name -> (K,) one value a measured clip; units in `UNITS`.
        broken: clips that cannot be read, each with the reason.
        strange: clips that lie beyond one of `LIMITS`, each with what is strange.
    """

    clips: int
    hours: float
    rates: dict[float, int]
    classes: dict[str, int]
    captions: int
    parts: dict[str, int]
    measured: int
    figures: dict[str, np.ndarray]
    broken: list[tuple[str, str]] = field(default_factory=list)
    strange: list[tuple[str, str]] = field(default_factory=list)


def describe(
    directory: Path,
    body: Body,
    most: int = 2000,
    progress: Callable[[int, int], None] | None = None,
) -> Description:
    """Read every clip of a data set and measure `most` of them, drawn at random.

    Args:
        directory: the data set.
        body: gives joints and the skin's contact with the floor.
        most: clips that are measured; all are read.
        progress: called as `progress(done, total)`.

    Raises:
        InputError: the index is missing or damaged, or lists no clip.
    """
    entries = read_index(directory)
    if not entries:
        raise InputError(f"the index of {directory} lists no clip")
    chosen = set(np.random.default_rng(0).permutation(len(entries))[:most].tolist())
    rows: list[dict[str, float]] = []
    broken, strange = [], []
    for number, entry in enumerate(entries):
        try:
            clip = read_clip(directory, entry)
        except InputError as error:
            broken.append((entry["name"], str(error)))
            continue
        finally:
            if progress:
                progress(number + 1, len(entries))
        if number in chosen:
            rows.append(_measure(clip, body))
            beyond = [
                f"{name} {rows[-1][name]:.0f}, above {limit:g} {UNITS[name]}"
                for name, limit in LIMITS.items()
                if rows[-1][name] > limit
            ]
            if beyond:
                strange.append((entry["name"], "; ".join(beyond)))
    return Description(
        clips=len(entries),
        hours=sum(_seconds(entry) for entry in entries) / 3600,
        rates=dict(Counter(float(entry.get("fps") or 0) for entry in entries).most_common()),
        classes=dict(Counter(caption_class(_caption(entry)) for entry in entries).most_common()),
        captions=len({text for entry in entries for text, *_ in captions_of(entry)}),
        parts=dict(Counter(split(entries).values())),
        measured=len(rows),
        figures={name: np.array([row[name] for row in rows]) for name in UNITS},
        broken=broken,
        strange=strange,
    )


def _caption(entry: Entry) -> str:
    return str(entry.get("caption", ""))


def _seconds(entry: Entry) -> float:
    fps = float(entry.get("fps") or 0)
    return float(entry.get("frames") or 0) / fps if fps > 0 else 0.0


def _measure(clip: SmplMotion, body: Body) -> dict[str, float]:
    """The figures of `UNITS` for one clip."""
    motions = Motions.pack([clip.resample(FPS) if clip.fps > FPS else clip])
    joints, _ = resample(body.joints(motions), motions.length, motions.fps, FPS)
    lowest, feet = next(ground_contacts(body, motions))
    steps = np.linalg.norm(np.diff(motions.transl[0], axis=0), axis=-1) * motions.fps[0]
    return {
        "duration": clip.duration,
        "speed": float(steps.mean()) if len(steps) else 0.0,
        "top_speed": float(steps.max(initial=0.0)),
        "jerk": jerk(joints[0], FPS),
        **{name: value for name, value in phys_errors(lowest, feet).items() if name in UNITS},
    }
