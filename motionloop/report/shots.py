"""Which samples a report shows beside each other.

The first samples of their captions, never chosen by how they look: the arms beside each other, the
generations of one arm beside each other, and samples before and after correction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np

from motionloop.report.arms import Arm
from motionloop.report.runs import Run
from motionloop.samples import InputError

_ARMS, _CAPTIONS, _PAIRS = 5, 2, 2  # at most


@dataclass(frozen=True)
class Shot:
    """Clips that are shown beside each other.

    Attributes:
        group: the heading it stands under.
        name: of its files, without suffix.
        title: what it shows.
        clips: `SmplMotion`, one a panel.
        labels: one a panel.
        colours: one a panel, each (red, green, blue) in [0, 1].
    """

    group: str
    name: str
    title: str
    clips: list[Any]
    labels: list[str]
    colours: list[tuple[float, float, float]]


def choose_shots(arms: Sequence[Arm], problems: list[str]) -> list[Shot]:
    """What to show of arms whose samples are motions; what cannot be read joins `problems`."""
    shots = [*_across_arms(arms, problems), *_across_generations(arms, problems)]
    return shots + _corrections(arms, problems)


def _across_arms(arms: Sequence[Arm], problems: list[str]) -> list[Shot]:
    """The arms' last generations beside each other, a shot for each of some captions."""
    sets = [(arm, _last_samples(arm, problems)) for arm in arms]
    sets = [(arm, samples) for arm, samples in sets if samples is not None][:_ARMS]
    if len(sets) < 2:
        return []
    shots = []
    for caption in _captions([samples for _, samples in sets])[:_CAPTIONS]:
        clips = [_first(samples, caption) for _, samples in sets]
        shots.append(
            Shot(
                "Arms, last generation", f"arms_{len(shots)}", caption, clips,
                [arm.label for arm, _ in sets], [_rgb(arm.style.colour) for arm, _ in sets],
            )
        )  # fmt: skip
    return shots


def _across_generations(arms: Sequence[Arm], problems: list[str]) -> list[Shot]:
    """First, middle and last generation of every arm, one caption."""
    shots = []
    for n, arm in enumerate(arms[:_ARMS]):
        run = shown_run(arm)
        have = [] if run is None else run.folder.complete()
        if run is None or len(have) < 2:
            continue
        chosen = sorted({have[0], have[len(have) // 2], have[-1]})
        sets = [(g, _samples(run, g, "evaluation.npz", problems)) for g in chosen]
        sets = [(g, samples) for g, samples in sets if samples is not None]
        captions = _captions([samples for _, samples in sets])
        if len(sets) > 1 and captions:
            clips = [_first(samples, captions[0]) for _, samples in sets]
            labels = [f"generation {g}" for g, _ in sets]
            title = f"{arm.label}: {captions[0]}"
            colours = [_rgb(arm.style.colour)] * len(clips)
            name = f"generations_{n}"
            shots.append(Shot("Generation beside generation", name, title, clips, labels, colours))
    return shots


def _corrections(arms: Sequence[Arm], problems: list[str]) -> list[Shot]:
    """Synthetic samples of the last generation beside their corrections."""
    shots = []
    for arm in arms[:_ARMS]:
        run = shown_run(arm)
        if run is None or not run.folder.complete():
            continue
        g = run.folder.complete()[-1]
        raw, corrected = (
            _samples(run, g, f"{kind}.npz", problems) for kind in ("synthetic", "corrected")
        )
        if raw is None or corrected is None:
            continue
        captions: set[str] = set()
        for row, index in enumerate(corrected.index):
            (there,) = np.flatnonzero(raw.index == index)[:1] or [None]
            pair = None if there is None else (raw[[there]], corrected[[row]])
            if pair is None or str(pair[0].caption[0]) in captions or not _differ(*pair):
                continue
            captions.add(str(pair[0].caption[0]))
            clips = [one.unpack()[0] for one in pair]
            title = f"{arm.label}: {pair[0].caption[0]}"
            colours = [(0.62, 0.65, 0.70), _rgb(arm.style.colour)]
            name = f"correction_{len(shots)}"
            labels = ["as the model made it", "corrected"]
            shots.append(Shot("Before and after correction", name, title, clips, labels, colours))
            if len(captions) == _PAIRS:
                break
    return shots


def _differ(raw, corrected) -> bool:
    """Whether a correction changed a motion by more than its storage."""
    names = ("transl", "global_orient", "body_pose")
    return any(np.abs(getattr(raw, n) - getattr(corrected, n)).max() > 1e-4 for n in names)


def shown_run(arm: Arm) -> Run | None:
    """The arm's first run that has anything."""
    return next((run for run in arm.runs if run.history), None)


def _last_samples(arm: Arm, problems: list[str]):
    run = shown_run(arm)
    if run is None:
        return None
    for g in reversed(run.folder.complete()):
        samples = _samples(run, g, "evaluation.npz", problems)
        if samples is not None:
            return samples
    return None


def _samples(run: Run, g: int, name: str, problems: list[str]):
    """The motions of a file of a generation; None where there are none."""
    path = run.folder.generation(g) / name
    try:
        with np.load(path, allow_pickle=False) as archive:
            if "global_orient" not in archive:
                return None
        from motionloop.motion.motions import Motions

        samples = Motions.load(path)
        return samples if len(samples) else None
    except FileNotFoundError:
        return None
    except (InputError, OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        text = f"{run.label}: generation {g} is broken: {name} cannot be read ({error})"
        if text not in problems:
            problems.append(text)
        return None


def _captions(sets: list) -> list[str]:
    """The captions that all sets have, in the order of the first."""
    if not sets:
        return []
    shared = set.intersection(*(set(map(str, samples.caption)) for samples in sets))
    return [c for c in dict.fromkeys(map(str, sets[0].caption)) if c in shared]


def _first(samples, caption: str):
    return samples[np.flatnonzero(samples.caption == caption)[:1]].unpack()[0]


def _rgb(colour: str) -> tuple[float, float, float]:
    """#RRGGBB in [0, 1], not darker than a body in the shade can be seen."""
    red, green, blue = (max(int(colour[i : i + 2], 16) / 255, 0.12) for i in (1, 3, 5))
    return red, green, blue
