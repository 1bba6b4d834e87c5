"""MotionEncoder: names the class of a motion; FID compares the features that it does so by.

A small convolution network reads the body in the axes of its heading and gives 32 numbers, from
which two linear layers read the class ("walk") and, where captions have one, the style ("tired").
It is trained on clips that no generator trains on. Its name holds a hash of its weights, because
figures of two different encoders do not compare.
"""

import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Self

import numpy as np
import torch

from motionloop.metrics.encoder_network import EncoderConfig, EncoderNetwork
from motionloop.metrics.encoder_training import Labels, train
from motionloop.metrics.fingerprint import fingerprint
from motionloop.metrics.joints import heading_view, resample
from motionloop.metrics.network_file import read_network, write_network
from motionloop.motion.motions import Motions, caption_class
from motionloop.paths import ENCODERS
from motionloop.samples import InputError

FORMAT = "motionloop_encoder_1"


class MotionEncoder:
    """Features and classes of motions; made by `fit` or `load`.

    Attributes:
        classes: the classes that it names, sorted.
        styles: the styles that it was trained to tell apart; empty without any.
        config: how it was trained.
        training: what it was trained on and how well it does, for its file and reports.
    """

    def __init__(
        self, classes: list[str], styles: list[str], config: EncoderConfig, training: dict
    ):
        self.classes, self.styles, self.config, self.training = classes, styles, config, training
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, and then replaced
            self.network = EncoderNetwork(config, len(classes), len(styles)).eval()

    @property
    def name(self) -> str:
        """`motion-conv-` and the first 8 digits of a SHA-256 over classes and weights."""
        facts = json.dumps([self.classes, self.styles, self.config.fps]).encode()
        return f"motion-conv-{fingerprint(facts, self.network)}"

    @classmethod
    def fit(
        cls,
        motions: Motions,
        joints: np.ndarray,
        rng: np.random.Generator,
        config: EncoderConfig | None = None,
    ) -> Self:
        """Train an encoder on clips that no generator trains on.

        Args:
            motions: N clips of any length and frame rate; captions name class and style.
            joints: (N, T, 24, 3) m, their joints.
            rng: sets weights and windows.
            config: how to train.

        Raises:
            InputError: no clips.
        """
        if len(motions) == 0:
            raise InputError("an encoder needs clips to train on, got none")
        config = config or EncoderConfig()
        labels = Labels.of(motions.caption)
        if len(labels.classes) < 2 and len(labels.styles) < 2:
            warnings.warn(
                f"all {len(motions)} clips are of class {labels.classes[0]!r}: an encoder has "
                "nothing to learn, and FID compares features of random weights; give captions "
                "of more than one class",
                stacklevel=2,
            )
        encoder = cls(labels.classes, labels.styles, config, {})
        encoder.training = train(
            encoder.network, joints, motions.length, motions.fps, labels, config, rng
        )
        return encoder

    @classmethod
    def shipped(cls) -> Self:
        """The encoder of the shipped clips."""
        return cls.load(ENCODERS / "shipped_clips.safetensors")

    def read(
        self, joints: np.ndarray, length: np.ndarray, fps: np.ndarray | float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features (N, 32) and the class (N,) str read off each clip.

        The features are centred on the training windows and of total variance 32 there. Turning
        a clip about z, shifting it along the floor, or changing frames at or beyond `length`
        changes nothing. Clips of another frame rate than the encoder's are resampled.

        Args:
            joints: (N, T, 24, 3) m.
            length: (N,) frames that count.
            fps: (N,) or one for all, Hz.
        """
        joints, length = resample(np.asarray(joints), length, fps, self.config.fps)
        view = torch.from_numpy(heading_view(joints, length, self.config.fps))
        with torch.no_grad():
            features, classes, _ = self.network(view, torch.from_numpy(length))
        scaled = (features - self.network.centre) / self.network.size
        return (
            scaled.numpy().astype(np.float64),
            np.array(self.classes)[classes.argmax(-1).numpy()],
        )

    def features(
        self, joints: np.ndarray, length: np.ndarray, fps: np.ndarray | float
    ) -> np.ndarray:
        """The features (N, 32) that `read` gives."""
        return self.read(joints, length, fps)[0]

    def predict_class(
        self, joints: np.ndarray, length: np.ndarray, fps: np.ndarray | float
    ) -> np.ndarray:
        """The classes (N,) that `read` gives."""
        return self.read(joints, length, fps)[1]

    def agreement(self, predicted: np.ndarray, captions: np.ndarray) -> float:
        """Share of clips whose predicted class (N,) is that of the caption (N,).

        Captions of classes that the encoder does not know are left out; NaN where it knows but
        one class or none is left, because then agreement says nothing.
        """
        wanted = np.array([caption_class(str(caption)) for caption in captions])
        known = np.isin(wanted, self.classes)
        if len(self.classes) < 2 or not known.any():
            return float("nan")
        return float((np.asarray(predicted)[known] == wanted[known]).mean())

    def save(self, path: Path) -> None:
        """Write weights and description to one safetensors file, whole or not at all."""
        description = {
            "classes": self.classes,
            "styles": self.styles,
            "config": asdict(self.config),
            "training": self.training,
        }
        write_network(path, FORMAT, description, self.network)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing or is not such an encoder.
        """

        def build(about: dict) -> Self:
            config = EncoderConfig(**about["config"])
            return cls(about["classes"], about["styles"], config, about["training"])

        return read_network(path, FORMAT, "motion encoder", build)
