"""The samples of a report, filmed in small, in a player, and as strips for paper."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionloop.report.arms import Arm
from motionloop.report.shots import Shot, choose_shots, shown_run
from motionloop.samples import InputError

_PANEL = (230, 290)  # pixels
_STILLS = 4
_MEDIA = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif", ".mp4": "video/mp4"}


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
    shots = choose_shots(arms, problems)
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
        run = shown_run(arm)
        if run is None:
            continue
        for g in run.folder.complete()[-1:]:
            for path in sorted(run.folder.generation(g).glob("preview.*")):
                if path.suffix.lower() in _MEDIA:
                    title, kind = f"{arm.label}, generation {g}", _MEDIA[path.suffix.lower()]
                    name = f"preview_{n}"
                    found.append(Medium("Samples", name, title, kind, path.read_bytes()))
    return found


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
