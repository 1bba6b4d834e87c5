"""Pictures become a file: mp4, webm, gif or png, written whole or not at all."""

import io
import itertools
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from motionloop.samples import write_whole

_CODECS = {".mp4": "libx264", ".webm": "libvpx-vp9"}
VIDEO_SUFFIXES = (*_CODECS, ".gif")


def write_pictures(
    path: Path, pictures: Iterator[np.ndarray], size: tuple[int, int], fps: float
) -> None:
    """Write pictures (height, width, 3) uint8 of an even size as the video that `path` names.

    Args:
        path: .mp4, .webm or .gif.
        pictures: one a frame.
        size: width and height, pixels.
        fps: frames a second, Hz; a GIF counts in hundredths of a second.
    """
    if path.suffix.lower() == ".gif":
        content = _encoded(list(pictures), "GIF", duration=round(100 / fps) * 10, loop=0)
        write_whole(path, lambda file: file.write(content))
    else:
        _write_video(path, pictures, size, fps)


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write one picture as a PNG, or as a JPEG where the path ends so."""
    kind = "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG"
    content = _encoded([picture], kind, **({"quality": 82} if kind == "JPEG" else {}))
    write_whole(path, lambda file: file.write(content))


def _encoded(pictures: list[np.ndarray], kind: str, **options) -> bytes:
    """The bytes of a PNG, a JPEG or an animated GIF."""
    from PIL import Image

    first, *others = (Image.fromarray(picture) for picture in pictures)
    file = io.BytesIO()
    if kind == "GIF":
        palette = first.quantize(255)
        first, *others = (
            i.quantize(palette=palette, dither=Image.Dither.NONE) for i in (first, *others)
        )
        options |= {"save_all": True, "append_images": others}
    first.save(file, kind, **options)
    return file.getvalue()


def _write_video(
    path: Path, pictures: Iterator[np.ndarray], size: tuple[int, int], fps: float
) -> None:
    """Encode with the ffmpeg that imageio-ffmpeg brings; the file appears when it is complete."""
    import imageio_ffmpeg

    first = next(pictures)  # what is wrong with the pictures is said before ffmpeg starts
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.partial{path.suffix}")
    writer = imageio_ffmpeg.write_frames(
        str(partial),
        size,
        fps=fps,  # pyright: ignore[reportArgumentType]  (it takes any number)
        codec=_CODECS[path.suffix.lower()],
        quality=7,
        macro_block_size=2,
        ffmpeg_log_level="error",
    )
    try:
        writer.send(None)
        for picture in itertools.chain([first], pictures):
            writer.send(np.ascontiguousarray(picture))
        writer.close()
        os.replace(partial, path)
    finally:
        writer.close()
        partial.unlink(missing_ok=True)
