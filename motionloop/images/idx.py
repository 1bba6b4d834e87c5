"""IDX, the format of MNIST and its kin: a header of big-endian numbers, then the bytes.

0 0 8 D   n_1 ... n_D   data        8: unsigned bytes, D axes of lengths n, 4 bytes each
"""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from motionloop.images.images import Images, ImageSet
from motionloop.samples import InputError

_PARTS = {"train": "train", "test": "t10k"}


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of an IDX file, packed by gzip or not.

    Raises:
        InputError: the file is missing, damaged, cut short, or of another format.
    """
    try:
        content = Path(path).read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged or cut short: {error}") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or not 1 <= content[3] <= 4:
        raise InputError(f"{path} is no IDX file of bytes")
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise InputError(f"{path} is cut short in its header")
    shape = struct.unpack(f">{axes}I", content[4:start])
    wanted = int(np.prod(shape, dtype=object))
    if len(content) - start != wanted:
        raise InputError(
            f"{path} is cut short or damaged: {len(content) - start} bytes of data, "
            f"its header says {wanted}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def is_idx_folder(folder: Path) -> bool:
    """Whether the folder holds MNIST's training images by their usual name."""
    return _find(folder, "train", "images-idx3") is not None


def load_idx_folder(folder: Path) -> ImageSet:
    """MNIST or a set like it, by its usual file names, with ten classes.

    Raises:
        InputError: a file is missing or damaged, or images and labels do not match.
    """
    parts = {}
    for name, prefix in _PARTS.items():
        images = _find(folder, prefix, "images-idx3")
        labels = _find(folder, prefix, "labels-idx1")
        if images is None and name == "test":
            parts[name] = None
            continue
        if images is None or labels is None:
            missing = f"{prefix}-{'images-idx3' if images is None else 'labels-idx1'}-ubyte"
            raise InputError(f"{folder} lacks {missing} or {missing}.gz")
        parts[name] = Images.checked(read_idx(images), read_idx(labels), str(images))
    digits = tuple(str(digit) for digit in range(10))
    return ImageSet(folder.name, parts["train"], parts["test"], digits)


def _find(folder: Path, prefix: str, what: str) -> Path | None:
    names = [f"{prefix}-{what}-ubyte", f"{prefix}-{what.replace('-idx', '.idx')}-ubyte"]
    candidates = [folder / (name + end) for name in names for end in ("", ".gz")]
    return next((path for path in candidates if path.is_file()), None)
