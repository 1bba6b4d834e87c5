"""TextMotionEvaluator: motions and captions in one space, where a motion lies near its caption.

It is what the T2M protocol (`t2m_protocol.py`) measures with. Trained on real clips in a few
minutes, saved with a hash of its weights in its name, because figures of two evaluators do not
compare.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Self

import numpy as np
import torch

from motionloop.metrics.fingerprint import fingerprint
from motionloop.metrics.joints import heading_view, resample
from motionloop.metrics.network_file import read_network, write_network
from motionloop.metrics.text_motion_network import EvaluatorConfig, EvaluatorNetwork
from motionloop.metrics.text_motion_training import Captions, train
from motionloop.motion.motions import Motions
from motionloop.motion.text import TextEncoder, text_encoder
from motionloop.samples import InputError

FORMAT = "motionloop_evaluator_1"
_AT_ONCE = 256  # clips


class TextMotionEvaluator:
    """Features of motions and of captions; made by `fit` or `load`.

    Attributes:
        config: how it was trained.
        text: the frozen text encoder below the caption tower.
        training: what it was trained on, for its file and reports.
    """

    def __init__(self, config: EvaluatorConfig, text: TextEncoder, training: dict):
        self.config, self.text, self.training = config, text, training
        with torch.random.fork_rng(devices=[]):
            self.network = EvaluatorNetwork(config, text.width).eval()

    @property
    def name(self) -> str:
        """`text-motion-` and the first 8 digits of a SHA-256 over text encoder and weights."""
        facts = json.dumps([self.text.name, self.config.fps]).encode()
        return f"text-motion-{fingerprint(facts, self.network)}"

    @classmethod
    def fit(
        cls,
        motions: Motions,
        joints: np.ndarray,
        rng: np.random.Generator,
        config: EvaluatorConfig | None = None,
        progress: Callable[[int, int], None] | None = None,
        captions: Sequence[Sequence[str]] | None = None,
    ) -> Self:
        """Train an evaluator on real clips.

        Args:
            motions: N clips of any length and frame rate, with captions.
            joints: (N, T, 24, 3) m, their joints.
            rng: sets weights and windows.
            config: how to train.
            progress: called as `progress(done, total)`.
            captions: all captions of each clip, of which a draw takes one at random; by default
                the one that `motions` has.

        Raises:
            InputError: clips of fewer than two captions, which teach nothing.
        """
        config = config or EvaluatorConfig()
        every = [[str(text)] for text in motions.caption] if captions is None else captions
        distinct = len({text for texts in every for text in texts})
        if distinct < 2:
            raise InputError(
                f"an evaluator learns to tell captions apart, and the {len(motions)} clips have "
                f"{distinct}; give clips of more captions"
            )
        text = text_encoder(config.text_encoder)
        said = Captions(every, text)
        joints, length = resample(
            np.asarray(joints, np.float32), motions.length, motions.fps, config.fps
        )
        about = {
            "clips": len(motions),
            "captions": distinct,
            "seconds": round(float(length.sum() / config.fps), 1),
        }
        evaluator = cls(config, text, about)
        with torch.random.fork_rng(devices=[]):  # weights and dropout come from rng alone
            torch.manual_seed(int(rng.integers(2**62)))
            evaluator.network = EvaluatorNetwork(config, text.width)
            loss = train(evaluator.network, joints, length, said, config, rng, progress)
        about["loss"] = round(loss, 4)
        return evaluator

    def motions(
        self, joints: np.ndarray, length: np.ndarray, fps: np.ndarray | float
    ) -> np.ndarray:
        """Features (N, D) of motions.

        Turning a clip about z, shifting it along the floor, or changing frames at or beyond
        `length` changes nothing.

        Args:
            joints: (N, T, 24, 3) m.
            length: (N,) frames that count.
            fps: (N,) or one for all, Hz.
        """
        joints, length = resample(np.asarray(joints), length, fps, self.config.fps)
        found = [np.empty((0, self.config.features))]
        for start in range(0, len(joints), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            view = torch.from_numpy(heading_view(joints[rows], length[rows], self.config.fps))
            with torch.no_grad():
                features = self.network.motion(view, torch.from_numpy(length[rows]))
            found.append(self._scaled(features))
        return np.concatenate(found)

    def captions(self, captions: Sequence[str] | np.ndarray) -> np.ndarray:
        """Features (N, D) of captions."""
        vectors = torch.from_numpy(self.text([str(caption) for caption in captions]))
        with torch.no_grad():
            return self._scaled(self.network.caption(vectors))

    def _scaled(self, features: torch.Tensor) -> np.ndarray:
        """Centred on the training windows, with total variance D there; distances keep order."""
        return ((features - self.network.centre) / self.network.size).numpy().astype(np.float64)

    def describe(self) -> dict[str, str]:
        """What stands behind the figures, for the record of a run."""
        about = self.training
        return {
            "evaluator": self.name,
            "evaluator_text": self.text.name,
            "evaluator_data": f"{about.get('data', 'unknown')}, {about.get('clips', 0)} clips",
        }

    def save(self, path: Path) -> None:
        """Write weights and description to one safetensors file, whole or not at all.

        The text encoder is named, not stored.
        """
        description = {
            "config": asdict(self.config),
            "text_encoder": self.text.name,
            "training": self.training,
        }
        write_network(path, FORMAT, description, self.network)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing, is not such an evaluator, or needs a text encoder
                that is not here or has other weights.
        """

        def build(about: dict) -> Self:
            config = EvaluatorConfig(**about["config"])
            text = text_encoder(config.text_encoder)
            if text.name != about["text_encoder"]:
                raise InputError(
                    f"{path} was trained on captions of {about['text_encoder']}, here is "
                    f"{text.name}; give it the same weights"
                )
            return cls(config, text, about["training"])

        return read_network(path, FORMAT, "text-motion evaluator", build)
