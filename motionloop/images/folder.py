"""A folder of images with one folder a class becomes a data set.

my_set/cat/1.png  my_set/cat/2.jpg  my_set/dog/1.png
my_set/train/cat/1.png  my_set/test/cat/9.png           where the split is given
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from motionloop.images.images import Images, ImageSet
from motionloop.samples import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
Progress = Callable[[int, int], None]


def load_folder(folder: Path, size: int | None, progress: Progress) -> ImageSet:
    """The data set of a folder; grey if all images are, else RGB.

    Args:
        folder: holds class folders, or `train` and `test` with class folders.
        size: images are cropped to a square and resized to this; none takes them as they are.
        progress: called as progress(images read, images).

    Raises:
        InputError: there are no class folders, or an image is damaged or of another size.
    """
    split = (folder / "train").is_dir() and (folder / "test").is_dir()
    roots = [folder / "train", folder / "test"] if split else [folder]
    classes = tuple(sorted(p.name for p in roots[0].iterdir() if p.is_dir() and _images_in(p)))
    if not classes:
        raise InputError(
            f"{folder} has no class folders with images ({', '.join(SUFFIXES)}); put the images "
            "of each class into a folder of its own"
        )
    files = [
        [(path, n) for n, name in enumerate(classes) for path in _images_in(root / name)]
        for root in roots
    ]
    grey = all(_is_grey(path) for part in files for path, _ in part)
    total, parts = sum(map(len, files)), []
    for part in files:
        done = sum(len(images) for images in parts)
        parts.append(_read(part, grey, size, lambda n, done=done: progress(done + n, total)))
    return ImageSet(folder.name, parts[0], parts[1] if split else None, classes)


def resized(images: Images, size: int | None) -> Images:
    """Images (N, H, W, C) cropped to the middle square and resized to `size` pixels."""
    if size is None or images.pixels.shape[1:3] == (size, size):
        return images
    from PIL import Image

    pixels = [
        np.asarray(_square(Image.fromarray(one[..., 0] if one.shape[-1] == 1 else one), size))
        for one in images.pixels
    ]
    return Images(np.stack(pixels).reshape(len(images), size, size, -1), images.label)


def _images_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _open(path: Path):
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(path)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is no readable image: {error}") from error


def _is_grey(path: Path) -> bool:
    with _open(path) as image:
        return image.mode in ("1", "L", "LA", "I;16", "I")


def _square(image, size: int):
    from PIL import Image

    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # Cropped first: resizing a box of the image would let pixels outside of it bleed in.
    square = image.crop((left, top, left + side, top + side))
    return square.resize((size, size), Image.Resampling.LANCZOS)


def _read(
    files: list[tuple[Path, int]], grey: bool, size: int | None, progress: Callable[[int], None]
) -> Images:
    pixels: list[np.ndarray] = []
    for number, (path, _) in enumerate(files, start=1):
        with _open(path) as image:
            try:
                picture = image.convert("L" if grey else "RGB")
            except (OSError, SyntaxError, ValueError) as error:
                raise InputError(f"{path} is damaged or cut short: {error}") from error
        array = np.asarray(picture if size is None else _square(picture, size))
        if pixels and array.shape != pixels[0].shape:
            raise InputError(
                f"{path} has {array.shape[1]} x {array.shape[0]} pixels, {files[0][0]} has "
                f"{pixels[0].shape[1]} x {pixels[0].shape[0]}; set task.size to crop and resize"
            )
        pixels.append(array)
        if number % 500 == 0 or number == len(files):
            progress(number)
    label = np.array([n for _, n in files])
    return Images.checked(np.stack(pixels), label, str(files[0][0].parent.parent))
