"""Inception: the encoder of the field's published FID, through torch-fidelity, with your weights.

The weights are not part of this project; `weights-inception-2015-12-05-6726825d.pth` of the
torch-fidelity project's releases is the file that published figures use.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch

from motionloop.diffusion.device import resolve_device
from motionloop.images.images import Images
from motionloop.samples import InputError

_AT_ONCE = 64


class Inception:
    """The 2048 features of InceptionV3; grey images are given to it as RGB.

    Attributes:
        name: `inception-` and the first 8 digits of the SHA-256 of its weights' file.
    """

    def __init__(self, weights: Path, device: str = "auto"):
        """Load the network.

        Args:
            weights: the file of weights.
            device: "auto", "cpu" or "cuda".

        Raises:
            InputError: torch-fidelity is not installed, or the file is missing or no such weights.
        """
        extractor = _extractor()
        try:
            content = Path(weights).read_bytes()
            # torch-fidelity reads the file without this restriction. A file that passes under it
            # names nothing but tensors, so reading it again runs no code either.
            torch.load(weights, map_location="cpu", weights_only=True)
            self._network = extractor(
                "inception", ["2048"], feature_extractor_weights_path=str(weights)
            )
        except FileNotFoundError:
            raise InputError(f"task.inception_weights: no such file: {weights}") from None
        except Exception as error:  # a file of another kind fails in many ways
            raise InputError(f"{weights} does not hold weights of Inception: {error}") from error
        self.name = f"inception-{hashlib.sha256(content).hexdigest()[:8]}"
        self._device = resolve_device(device)
        self._network.to(self._device).eval()

    def features(self, images: Images) -> np.ndarray:
        """Features (N, 2048)."""
        parts = [np.empty((0, 2048))]
        for start in range(0, len(images), _AT_ONCE):
            pixels = torch.from_numpy(images.pixels[start : start + _AT_ONCE]).permute(0, 3, 1, 2)
            rgb = pixels.expand(-1, 3, -1, -1).to(self._device)
            with torch.no_grad():
                parts.append(self._network(rgb)[0].cpu().numpy())
        return np.concatenate(parts).astype(np.float64)


def _extractor():
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import (  # pyright: ignore[reportMissingImports]
            FeatureExtractorInceptionV3,
        )
    except ImportError as error:
        raise InputError(
            "task.encoder inception needs the package torch-fidelity: "
            f"pip install 'motionloop[inception]' ({error})"
        ) from None
    return FeatureExtractorInceptionV3
