"""Builds the encoder of the shipped clips: a judge trained on the clips of the reference side.

    python assets/encoders/build_encoder.py

Reads the shipped clips and the shipped body; writes shipped_clips.safetensors beside this file
and prints the name, the file's SHA-256 and the accuracy for the README. Same versions of the
libraries and one thread give the same bytes.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch

from motionloop.metrics.encoder_network import EncoderConfig
from motionloop.metrics.encoders import MotionEncoder
from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips, split
from motionloop.motion.motions import Motions
from motionloop.paths import CLIPS

# One clip a class leaves none to hold out.
CONFIG = EncoderConfig(held_out=0.0)
OUT = Path(__file__).parent / "shipped_clips.safetensors"


def main() -> None:
    """Train, save, and print what the README states."""
    torch.set_num_threads(1)
    loaded = load_clips(CLIPS)
    part = split([entry for entry, _ in loaded])
    motions = Motions.pack([clip for entry, clip in loaded if part[entry["name"]] == "reference"])
    joints = Body.load().joints(motions)
    encoder = MotionEncoder.fit(motions, joints, np.random.default_rng(0), CONFIG)
    encoder.save(OUT)
    content = OUT.read_bytes()
    print(f"{encoder.name}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()}")
    print(f"classes: {', '.join(encoder.classes)}; styles: {', '.join(encoder.styles) or 'none'}")
    print("; ".join(f"{name} {value}" for name, value in encoder.training.items()))


if __name__ == "__main__":
    main()
