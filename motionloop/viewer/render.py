"""Motions as a video or a strip of pictures: several clips side by side under one camera."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np

from motionloop.motion.body import Body
from motionloop.samples import InputError
from motionloop.viewer.camera import follow
from motionloop.viewer.encode import VIDEO_SUFFIXES, write_picture, write_pictures
from motionloop.viewer.painter import Painter, Renderer, open_painter
from physics.motion import SmplMotion
from physics.skeleton import forward_kinematics

COLOURS = (
    (0.93, 0.47, 0.42),
    (0.45, 0.66, 0.92),
    (0.50, 0.76, 0.55),
    (0.72, 0.60, 0.88),
    (0.90, 0.76, 0.40),
    (0.66, 0.70, 0.75),
)
SUFFIXES = (*VIDEO_SUFFIXES, ".png")
_GIF_FPS = 20.0
_STRIP_FRAMES = 8
_STRIP_ASPECT = (0.5, 0.9)  # least and greatest width over height of one picture of a strip
_AT_ONCE = 32  # frames whose skins are computed together
_TITLE_SHARE = 0.065  # of the picture's height
_PAPER, _INK = (247, 248, 250), (45, 52, 64)

Progress = Callable[[int, int], None]
Colour = tuple[float, float, float]


def render(
    clips: Sequence[SmplMotion],
    path: Path,
    body: Body,
    titles: Sequence[str] = (),
    size: tuple[int, int] = (640, 480),
    fps: float | None = None,
    progress: Progress | None = None,
    renderer: Renderer = "auto",
    colours: Sequence[Colour] = COLOURS,
) -> Path:
    """Draw clips side by side, each in its own colour, on one floor under one camera.

    Args:
        clips: at least one; shorter ones hold their last frame.
        path: .mp4, .webm, .gif, or .png for a strip of pictures (a row for each clip, frames
            from left to right). Written whole or not at all.
        body: whose skin is drawn.
        titles: none, or one for each clip; they stand below.
        size: width and height of the video, pixels; the rows of a strip are half as high.
        fps: Hz; by default the first clip's. A GIF has at most 20.
        progress: called with the number of pictures done and their total.
        renderer: mujoco needs OpenGL (EGL or OSMesa), software does not, auto takes what is there.
        colours: of the clips, in turn, each in [0, 1].

    Returns:
        The path.

    Raises:
        InputError: no clips, a suffix that is not known, titles or a size that do not fit.
    """
    path = Path(path)
    _check(clips, path, titles, size, fps)
    fps = clips[0].fps if fps is None else fps
    if path.suffix.lower() == ".gif":
        fps = min(fps, _GIF_FPS)
    if path.suffix.lower() == ".png":
        strip = _strip(_aligned(clips, fps), titles, body, size, progress, renderer, colours)
        write_picture(path, strip)
    else:
        frames = pictures(clips, body, titles, size, fps, progress, renderer, colours)
        write_pictures(path, frames, _even(size), fps)
    return path


def _check(
    clips: Sequence[SmplMotion],
    path: Path,
    titles: Sequence[str],
    size: tuple[int, int],
    fps: float | None,
) -> None:
    if not clips:
        raise InputError(f"no clips to render to {path}; give at least one")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{path}: cannot render to '{path.suffix}'; known are {', '.join(SUFFIXES)}"
        )
    if titles and len(titles) != len(clips):
        raise InputError(f"{len(titles)} titles for {len(clips)} clips; give one each or none")
    if fps is not None and not 0 < fps < math.inf:
        raise InputError(f"fps is {fps:g}; it must be a positive number of frames a second")
    if size[0] < 64 * len(clips) or size[1] < 64:
        raise InputError(
            f"size {size[0]}x{size[1]} is too small for {len(clips)} clips; "
            f"it must be at least {64 * len(clips)}x64"
        )


def _aligned(clips: Sequence[SmplMotion], fps: float) -> list[SmplMotion]:
    """The clips at one frame rate and length."""
    clips = [clip.resample(fps) for clip in clips]
    longest = max(len(clip) for clip in clips)

    def held(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, np.repeat(values[-1:], longest - len(values), axis=0)])

    return [
        replace(
            clip,
            transl=held(clip.transl),
            global_orient=held(clip.global_orient),
            body_pose=held(clip.body_pose),
        )
        for clip in clips
    ]


def _joints(clips: list[SmplMotion], body: Body) -> np.ndarray:
    """World joints (clips, T, 24, 3) of clips of one length, m."""
    return np.stack(
        [
            forward_kinematics(
                body.rest_joints(clip.betas), clip.transl, clip.global_orient, clip.body_pose
            )[0]
            for clip in clips
        ]
    )


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] // 2 * 2, size[1] // 2 * 2


def pictures(
    clips: Sequence[SmplMotion],
    body: Body,
    titles: Sequence[str] = (),
    size: tuple[int, int] = (640, 480),
    fps: float | None = None,
    progress: Progress | None = None,
    renderer: Renderer = "auto",
    colours: Sequence[Colour] = COLOURS,
) -> Iterator[np.ndarray]:
    """The pictures of `render`'s video: (height, width, 3) uint8, even in width and height."""
    clips = _aligned(clips, clips[0].fps if fps is None else fps)
    width, height = _even(size)
    title = max(round(height * _TITLE_SHARE) // 2 * 2, 24) if any(titles) else 0
    edges = np.linspace(0, width, len(clips) + 1).astype(int)
    panel = (int(np.diff(edges).max()), height - title)
    footer = _caption_band(titles, edges, title) if title else np.zeros((0, width, 3), np.uint8)
    cameras = follow(_joints(clips, body), clips[0].fps).cameras(panel[0] / panel[1])
    total = len(clips[0])
    with _painter(body, panel, renderer) as painter:
        for start in range(0, total, _AT_ONCE):
            skins = [body.vertices(clip[start : start + _AT_ONCE]) for clip in clips]
            for k in range(len(skins[0])):
                panels = [
                    painter.draw(skin[k], colours[n % len(colours)], cameras[n][start + k])
                    for n, skin in enumerate(skins)
                ]
                row = [p[:, : edges[n + 1] - edges[n]] for n, p in enumerate(panels)]
                yield np.concatenate([np.concatenate(row, axis=1), footer])
                if progress is not None:
                    progress(start + k + 1, total)


def _strip(
    clips: list[SmplMotion],
    titles: Sequence[str],
    body: Body,
    size: tuple[int, int],
    progress: Progress | None,
    renderer: Renderer,
    colours: Sequence[Colour],
) -> np.ndarray:
    """Rows of pictures, one row a clip, at evenly spaced frames."""
    frames = np.unique(np.linspace(0, len(clips[0]) - 1, _STRIP_FRAMES).round().astype(int))
    framing = follow(_joints(clips, body)[:, frames], None)
    tile = (round(size[1] / 2 * np.clip(framing.aspect, *_STRIP_ASPECT)), size[1] // 2)
    band = max(round(2 * tile[1] * _TITLE_SHARE), 14)
    edges = np.array([0, tile[0] * len(frames)])
    cameras = framing.cameras(tile[0] / tile[1])
    rows = []
    with _painter(body, tile, renderer) as painter:
        for n, clip in enumerate(clips):
            row = []
            for column, k in enumerate(frames):
                skin = body.vertices(clip[k : k + 1])[0]
                row.append(painter.draw(skin, colours[n % len(colours)], cameras[n][column]))
                if progress is not None:
                    progress(n * len(frames) + len(row), len(clips) * len(frames))
            rows.append(np.concatenate(row, axis=1))
            if any(titles):
                rows.append(_caption_band(titles[n : n + 1], edges, band))
    return np.concatenate(rows)


def _painter(
    body: Body, size: tuple[int, int], renderer: Renderer
) -> AbstractContextManager[Painter]:
    return open_painter(body.faces, len(body.rest_vertices(np.zeros(10))), size, renderer)


def _caption_band(titles: Sequence[str], edges: np.ndarray, height: int) -> np.ndarray:
    """A band (height, width, 3) with every title in the middle of its panel."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    band = Image.new("RGB", (int(edges[-1]), height), _PAPER)
    font_file = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    font = ImageFont.truetype(str(font_file), max(round(0.52 * height), 8))
    pen = ImageDraw.Draw(band)
    for title, left, right in zip(titles, edges, edges[1:]):
        text = " ".join(str(title).split())
        while text and pen.textlength(text, font) > right - left - 8:
            text = text[:-2].rstrip() + "…" if len(text) > 2 else ""
        middle = (float(left + right) / 2, height / 2)
        pen.text(middle, text, font=font, fill=_INK, anchor="mm")
    return np.asarray(band)
