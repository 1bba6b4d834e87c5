"""Motion on a page that needs no server and no network: data, player and page as text of HTML.

A page holds one data block and one script, and as many players as it likes:

    page = player_data(scenes, body) + player_element(range(3)) + ... + player_element([7])

`player_html` is the page with one player that shows all scenes. Poses are stored, not vertices:
a frame of a clip takes 200 bytes before compression, a body 180 kB.
"""

import base64
import gzip
import hashlib
import html
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.viewer.render import COLOURS
from motionloop.viewer.web.readings import read
from motionloop.viewer.web.scene import Scene, ShownClip
from motionloop.viewer.web.surfaces import LOOKS, Look, Surface, surface_of

_HERE = Path(__file__).parent
_SCRIPTS = ("clip.js", "shaders.js", "stage.js", "curves.js", "player.js")
_GRID = 2e-4  # m, to which vertices of a body at rest are rounded

Progress = Callable[[int, int], None]


def player_html(
    scenes: Sequence[Scene],
    body: Body,
    title: str = "motionloop",
    looks: Sequence[Look] = LOOKS,
    progress: Progress | None = None,
) -> str:
    """A whole page with one player of all scenes.

    Args:
        scenes: at least one; a list chooses between several.
        body: whose skin, skeleton and humanoid are shown.
        title: of the page.
        looks: which ways of showing the body the page offers.
        progress: called with the number of scenes done and their total.
    """
    heading = html.escape(title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n"
        "<style>body { margin: 0 auto; max-width: 72em; padding: .8em; background: #fff; }\n"
        "h1 { font: 600 1.05em system-ui, sans-serif; margin: 0 0 .5em; color: #222; }</style>\n"
        f"</head><body><h1>{heading}</h1>\n"
        f"{player_element(play=True)}\n{player_data(scenes, body, looks, progress)}\n"
        "</body></html>\n"
    )


def player_element(scenes: Iterable[int] = (), play: bool = False) -> str:
    """The place of one player on a page.

    Args:
        scenes: numbers of the scenes of the page's data that it shows; all if none are given.
        play: whether it starts by itself.
    """
    listed = ",".join(map(str, scenes))
    return f'<div class="motionloop-player" data-scenes="{listed}"{" data-play" * play}></div>'


def player_data(
    scenes: Sequence[Scene],
    body: Body,
    looks: Sequence[Look] = LOOKS,
    progress: Progress | None = None,
) -> str:
    """The data of all players of a page and the script that plays them; once on a page."""
    packed = Packed(body, looks)
    for done, scene in enumerate(scenes, start=1):
        packed.add(scene)
        if progress is not None:
            progress(done, len(scenes))
    return (
        '<script id="motionloop-scenes" type="text/plain">'
        f"{packed.text()}</script>\n{player_script()}"
    )


def player_script() -> str:
    """The player itself; `player_data` brings it already."""
    parts = [_HERE.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS]
    return f'<script>"use strict";\n(() => {{\n{"".join(parts)}}})();</script>'


class Packed:
    """Scenes as the player reads them; equal arrays and surfaces are stored once."""

    def __init__(self, body: Body, looks: Sequence[Look] = LOOKS, known: Iterable[str] = ()):
        """Pack for a body.

        Args:
            body: whose skin, skeleton and humanoid are shown.
            looks: which of them.
            known: names of surfaces that the player has already.
        """
        self._body, self._looks, self._known = body, looks, frozenset(known)
        self._blobs: dict[str, str] = {}
        self._surfaces: dict[str, dict] = {}
        self._scenes: list[dict] = []

    def content(self) -> dict[str, Any]:
        """What has been added, for JSON."""
        return {"blobs": self._blobs, "surfaces": self._surfaces, "scenes": self._scenes}

    def text(self) -> str:
        """The same, compressed, in letters that a page can hold."""
        content = self.content()
        return base64.b64encode(gzip.compress(json.dumps(content).encode(), mtime=0)).decode()

    def add(self, scene: Scene) -> None:
        """Pack one more scene."""
        clips = [self._clip(clip, n) for n, clip in enumerate(scene.clips)]
        self._scenes.append({"title": scene.title, "azimuth": scene.azimuth, "clips": clips})

    def _clip(self, clip: ShownClip, number: int) -> dict:
        motion, readings = clip.motion, read(clip, self._body)
        rest = self._body.rest_joints(motion.betas)
        pose = np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1)
        turns = Rotation.from_rotvec(pose.reshape(-1, 3)).as_quat(canonical=True, scalar_first=True)
        force = None if clip.force is None else self._blob(clip.force, "<f4")
        return {
            "title": clip.title,
            "note": clip.note,
            "colour": clip.colour or COLOURS[number % len(COLOURS)],
            "group": clip.group,
            "fps": motion.fps,
            "surfaces": {look: self._surface(look, motion.betas) for look in self._looks},
            "rest": self._blob(rest, "<f4"),
            "root": self._blob(rest[0] + motion.transl, "<f4"),
            "pose": self._blob(np.round(turns[:, 1:] * 32767), "<i2"),
            "feet": self._blob(readings.feet, "u1"),
            "force": force,
            "curves": [
                {"name": c.name, "unit": c.unit, "values": self._blob(c.values, "<f4")}
                for c in readings.curves()
            ],
        }

    def _surface(self, look: Look, betas: np.ndarray) -> str:
        name = f"{look} {hashlib.sha256(np.asarray(betas, float).tobytes()).hexdigest()[:12]}"
        if name not in self._surfaces and name not in self._known:
            self._surfaces[name] = self._described(surface_of(look, self._body, betas))
        return name

    def _described(self, surface: Surface) -> dict:
        return {
            "scale": _GRID,
            "vertices": self._blob(np.round(surface.vertices / _GRID), "<i2"),
            "faces": self._blob(surface.faces, "<u4"),
            "joints": self._blob(surface.joints, "u1"),
            "weights": self._blob(_bytes_of_weights(surface.weights), "u1"),
            "foot": self._blob(surface.foot, "u1"),
            "flat": surface.flat,
        }

    def _blob(self, values: np.ndarray, kind: str) -> str:
        content = np.ascontiguousarray(values).astype(kind).tobytes()
        name = hashlib.sha256(kind.encode() + content).hexdigest()[:16]
        self._blobs.setdefault(name, base64.b64encode(content).decode())
        return name


def _bytes_of_weights(weights: np.ndarray) -> np.ndarray:
    """Weights (V, 4) as bytes whose rows sum to 255: what rounding leaves goes to the first."""
    rounded = np.round(weights * 255)
    rounded[:, 0] += 255 - rounded.sum(axis=1)
    return rounded
