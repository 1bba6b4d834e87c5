"""A grid of images: one row a class, as a PNG."""

from pathlib import Path

import numpy as np

from motionloop.samples import write_whole

ROWS, COLUMNS, CELL = 10, 10, 48  # CELL: least pixels of a cell's side


def draw_grid(pixels: np.ndarray, label: np.ndarray, path: Path) -> Path:
    """Write up to ten images of each of the first ten classes; returns the file's path.

    Args:
        pixels: (N, S, S, C) uint8, C = 1 or 3.
        label: (N,) class numbers.
        path: of the picture, without suffix.
    """
    from PIL import Image

    classes = np.unique(label)[:ROWS]
    side, gap = pixels.shape[1], 1
    sheet = np.full(
        (len(classes) * (side + gap) + gap, COLUMNS * (side + gap) + gap, pixels.shape[3]),
        255,
        np.uint8,
    )
    for row, name in enumerate(classes):
        for column, one in enumerate(pixels[label == name][:COLUMNS]):
            top, left = gap + row * (side + gap), gap + column * (side + gap)
            sheet[top : top + side, left : left + side] = one
    picture = Image.fromarray(sheet[..., 0] if sheet.shape[-1] == 1 else sheet)
    times = max(1, round(CELL / side))
    picture = picture.resize(
        (picture.width * times, picture.height * times), Image.Resampling.NEAREST
    )
    target = path.with_suffix(".png")
    write_whole(target, lambda file: picture.save(file, format="PNG"))
    return target
