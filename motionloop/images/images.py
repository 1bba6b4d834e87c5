"""Images: labelled pictures as samples of the loop, and what a data set of them is."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from motionloop.samples import InputError, Samples

SMALLEST, LARGEST = 8, 128  # pixels


@dataclass(frozen=True)
class Images(Samples):
    """A batch of square images.

    Attributes:
        pixels: (N, S, S, C) uint8, C = 1 (grey) or 3 (RGB).
        label: (N,) int64 class numbers from 0.
    """

    pixels: np.ndarray
    label: np.ndarray

    @property
    def size(self) -> int:
        """Pixels of a side."""
        return self.pixels.shape[1]

    @property
    def channels(self) -> int:
        """1 or 3."""
        return self.pixels.shape[3]

    def vectors(self) -> np.ndarray:
        """Pixels (N, S * S * C) in [0, 1]."""
        return self.pixels.reshape(len(self), -1) / 255.0

    @classmethod
    def checked(cls, pixels: np.ndarray, label: np.ndarray, source: str) -> Self:
        """Images of arrays from a file.

        Args:
            pixels: (N, S, S) or (N, S, S, C), 0 to 255.
            label: (N,) integers.
            source: of the arrays, for errors.

        Raises:
            InputError: wrong shapes, sizes, ranges or counts, or no images at all.
        """
        pixels, label = np.asarray(pixels), np.asarray(label)
        if pixels.ndim == 3:
            pixels = pixels[..., None]
        if pixels.ndim != 4 or pixels.shape[3] not in (1, 3):
            raise InputError(
                f"{source} has images of shape {pixels.shape}; expected (N, S, S) or (N, S, S, 3)"
            )
        if len(pixels) == 0:
            raise InputError(f"{source} has no images")
        if label.shape == (len(pixels), 1):
            label = label[:, 0]
        if label.shape != (len(pixels),):
            raise InputError(f"{source} has {len(pixels)} images, but labels {label.shape}")
        if label.dtype.kind not in "iu":
            raise InputError(f"{source} has labels of {label.dtype}; expected class numbers")
        if pixels.dtype != np.uint8:
            if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 255:
                raise InputError(f"{source} has pixels outside 0 to 255")
            if pixels.dtype.kind == "f" and pixels.max() <= 1:
                raise InputError(f"{source} has pixels in [0, 1]; store them as 0 to 255")
            pixels = np.rint(pixels).astype(np.uint8)
        return cls(pixels, label.astype(np.int64))


@dataclass(frozen=True)
class ImageSet:
    """A data set.

    Attributes:
        name: for tables and errors.
        train: the images to learn from.
        test: held-out images, or None where the set has no such part.
        classes: their names.
    """

    name: str
    train: Images
    test: Images | None
    classes: tuple[str, ...]

    def __post_init__(self):
        parts = [part for part in (self.train, self.test) if part is not None]
        for part in parts:
            outside = part.label[(part.label < 0) | (part.label >= len(self.classes))]
            if len(outside):
                raise InputError(
                    f"{self.name} has label {outside[0]}, outside 0 to {len(self.classes) - 1}"
                )
            if part.pixels.shape[1:] != self.train.pixels.shape[1:]:
                raise InputError(
                    f"{self.name} has training images of {_size(self.train)} and test images of "
                    f"{_size(part)}; set task.size"
                )
        missing = np.setdiff1d(np.arange(len(self.classes)), self.train.label)
        if len(missing):
            raise InputError(
                f"{self.name} has no training image of class {self.classes[missing[0]]!r} "
                f"(number {missing[0]}); number the classes from 0 without gaps"
            )
        height, width = self.train.pixels.shape[1:3]
        if height != width or not SMALLEST <= height <= LARGEST:
            raise InputError(
                f"{self.name} has images of {_size(self.train)}; they must be square, of "
                f"{SMALLEST} to {LARGEST} pixels: set task.size to crop and resize"
            )


def _size(images: Images) -> str:
    return " x ".join(str(n) for n in images.pixels.shape[1:])
