"""ImagePacking: images as the tensors that a network learns, and back."""

import numpy as np
import torch

from motionloop.images.images import Images
from motionloop.samples import InputError


class ImagePacking:
    """Images as tensors (N, C, S, S) in [-1, 1]; draws serve the classes in turn."""

    def __init__(self, size: int, channels: int, classes: int):
        """Of images of `size` pixels with `channels` channels, in so many classes."""
        self.shape = (channels, size, size)
        self.classes = classes

    def pack(self, samples: Images) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, C, S, S) in [-1, 1] and labels (N,)."""
        x = torch.from_numpy(samples.pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
        return x.contiguous(), torch.from_numpy(samples.label)

    def unpack(self, x: torch.Tensor, label: torch.Tensor | None) -> Images:
        """The images, rounded to what a file can hold.

        Raises:
            InputError: pixels that are NaN or infinite.
        """
        assert label is not None
        if not bool(torch.isfinite(x).all()):
            raise InputError(
                "the model's samples are NaN or infinite: its training diverged; "
                "lower task.model.learning_rate"
            )
        pixels = ((x.permute(0, 2, 3, 1) + 1) * 127.5).round().clamp(0, 255)
        return Images(np.ascontiguousarray(pixels.to(torch.uint8).numpy()), label.numpy())

    def labels(self, count: int) -> torch.Tensor:
        """Classes in turn (count,)."""
        return torch.arange(count) % self.classes
