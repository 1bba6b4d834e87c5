"""Builds the encoder of the digits: a LeNet trained on digits that no generator trains on.

    python assets/encoders/build_digits.py

Reads scikit-learn's digits; writes digits.safetensors beside this file and prints the name, the
file's SHA-256 and the accuracy for the README. Same versions of the libraries and one thread give
the same bytes.
"""

import hashlib
from pathlib import Path

import torch

from motionloop.images.source import load_images
from motionloop.images.split import split
from motionloop.metrics.lenet import LeNet

OUT = Path(__file__).parent / "digits.safetensors"


def main() -> None:
    """Train, save, and print what the README states."""
    torch.set_num_threads(1)
    digits = load_images(None, None, lambda done, total: None)
    parts = split(digits, None)
    encoder = LeNet.fit(parts.encoder, len(digits.classes), parts.reference)
    encoder.save(OUT)
    content = OUT.read_bytes()
    print(f"{encoder.name}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()}")
    print(f"trained on {len(parts.encoder)}, reads {encoder.accuracy:.1%} of the reference right")


if __name__ == "__main__":
    main()
