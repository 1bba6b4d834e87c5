"""The samples of a report: which are shown beside each other, filmed in small.

Shown are the first samples of their captions, never chosen by how they look: the arms beside each
other, the generations of one arm beside each other, and samples before and after correction.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from motionloop.report.arms import Arm
from motionloop.report.runs import Run
from motionloop.samples import InputError

_PANEL = (230, 290)  # pixels
_ARMS, _CAPTIONS, _PAIRS = 5, 2, 2  # at most
_STILLS = 4
_MEDIA = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif", ".mp4": "video/mp4"}


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


@dataclass(frozen=True)
class Medium:
    """A picture or a video for the page.

    Attributes:
        group: the heading it stands under.
        name: of its files, without suffix.
        title: what it shows.
        kind: of `content`, such as video/mp4.
        content: the file.
        still: a JPEG strip of the same, for paper; empty for a picture.
        width: of the content, pixels; 0 where it is not known.
    """

    group: str
    name: str
    title: str
    kind: str
    content: bytes
    still: bytes = b""
    width: int = 0


def media(
    arms: Sequence[Arm], progress: Callable[[int, int], None], problems: list[str]
) -> tuple[list[Medium], str]:
    """What there is to see of the arms: filmed motions, and else the previews of the runs.

    The text is HTML of a player that shows the motions from all sides; empty where there are none.

    Args:
        arms: with at least one complete generation each.
        progress: called with pictures done and in all.
        problems: what cannot be read is added to it, in words.
    """
    shots = [*_across_arms(arms, problems), *_across_generations(arms, problems)]
    shots += _corrections(arms, problems)
    if not shots:
        return _previews(arms), ""
    total, done, filmed = sum(_frames(shot) for shot in shots), 0, []
    body = _body(arms, problems)
    for shot in shots:
        filmed.append(_film(shot, body, lambda k, _, done=done: progress(done + k, total)))
        done += _frames(shot)
    return filmed, _player(shots, body)


def _player(shots: list[Shot], body) -> str:
    from motionloop.viewer.web.player import player_data, player_element
    from motionloop.viewer.web.scene import Scene, ShownClip

    scenes = [
        Scene(
            f"{shot.group}: {shot.title}",
            tuple(
                ShownClip(clip, label, colour=colour)
                for clip, label, colour in zip(shot.clips, shot.labels, shot.colours)
            ),
        )
        for shot in shots
    ]
    return player_element(range(len(scenes))) + player_data(scenes, body)


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
        run = _shown_run(arm)
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
        run = _shown_run(arm)
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


def _film(shot: Shot, body, progress: Callable[[int, int], None]) -> Medium:
    """The video, and a strip of some of its pictures."""
    from motionloop.viewer.encode import write_picture, write_pictures
    from motionloop.viewer.render import pictures

    size = (_PANEL[0] * len(shot.clips), _PANEL[1])
    frames = list(
        pictures(shot.clips, body, shot.labels, size, progress=progress, colours=shot.colours)
    )
    height, width = frames[0].shape[:2]
    chosen = np.unique(np.linspace(0, len(frames) - 1, _STILLS).round().astype(int))
    with tempfile.TemporaryDirectory() as folder:
        video, still = Path(folder) / "shot.mp4", Path(folder) / "shot.jpg"
        write_pictures(video, iter(frames), (width, height), shot.clips[0].fps)
        write_picture(still, _tiled([frames[k] for k in chosen]))
        content = (video.read_bytes(), still.read_bytes())
    return Medium(shot.group, shot.name, shot.title, "video/mp4", *content, width)


def _tiled(frames: list[np.ndarray]) -> np.ndarray:
    """Pictures in rows of two, or all in a row where they are narrow."""
    if frames[0].shape[1] < 600 or len(frames) % 2:
        return np.concatenate(frames, axis=1)
    half = len(frames) // 2
    return np.concatenate([np.concatenate(row, axis=1) for row in (frames[:half], frames[half:])])


def _previews(arms: Sequence[Arm]) -> list[Medium]:
    """The pictures that the runs made of their last generation."""
    found = []
    for n, arm in enumerate(arms):
        run = _shown_run(arm)
        if run is None:
            continue
        for g in run.folder.complete()[-1:]:
            for path in sorted(run.folder.generation(g).glob("preview.*")):
                if path.suffix.lower() in _MEDIA:
                    title, kind = f"{arm.label}, generation {g}", _MEDIA[path.suffix.lower()]
                    name = f"preview_{n}"
                    found.append(Medium("Samples", name, title, kind, path.read_bytes()))
    return found


def _shown_run(arm: Arm) -> Run | None:
    """The arm's first run that has anything."""
    return next((run for run in arm.runs if run.history), None)


def _last_samples(arm: Arm, problems: list[str]):
    run = _shown_run(arm)
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


def _body(arms: Sequence[Arm], problems: list[str]):
    """The body of the runs; the shipped one where theirs is not here."""
    from motionloop.motion.body import Body

    path = arms[0].runs[0].config["task"].get("body_model")
    try:
        return Body.load(Path(path) if path else None)
    except InputError as error:
        problems.append(f"the shipped body is shown instead of the runs': {error}")
        return Body.load(None)


def _frames(shot: Shot) -> int:
    """How many pictures `_film` draws: the longest clip's, at the first one's rate."""
    return max(len(clip.resample(shot.clips[0].fps)) for clip in shot.clips)


def _rgb(colour: str) -> tuple[float, float, float]:
    """#RRGGBB in [0, 1], not darker than a body in the shade can be seen."""
    red, green, blue = (max(int(colour[i : i + 2], 16) / 255, 0.12) for i in (1, 3, 5))
    return red, green, blue
