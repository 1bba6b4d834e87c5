"""MotionGenerator: the motion diffusion model as a generative model of the loop.

What conditions it is the class of a caption, or, with a text encoder, the caption itself.

It wires the parts: motions -> features -> scaling -> transformer, trained on the clean-sample
loss; noise -> sampler -> features -> motions. Synthetic motions mirror the training set: each
draw goes through the captions and lengths that the model was first trained on, as Gillman et al.,
Self-Correcting Self-Consuming Loops (2024), prompt with the training captions.
"""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor

from motionloop.diffusion.checkpoint import read_checkpoint, write_checkpoint
from motionloop.diffusion.denoiser import Guided
from motionloop.diffusion.device import resolve_device, torch_generator
from motionloop.diffusion.noise import CosineSchedule
from motionloop.diffusion.projection import ProjectedSampler, last_steps
from motionloop.diffusion.sampler import DDIMSampler, Sampler
from motionloop.diffusion.training import Trainer, TrainingConfig
from motionloop.diffusion.transformer import (
    MotionTransformer,
    TransformerConfig,
    VectorEmbedding,
)
from motionloop.interfaces import Scalars
from motionloop.motion.features import FEATURES, FeatureScaling, decode, encode
from motionloop.motion.joint_view import JointView
from motionloop.motion.motions import Motions, caption_class
from motionloop.motion.text import text_encoder
from motionloop.samples import InputError

SAMPLES_AT_ONCE = 64  # as many as stay in a processor's cache


@dataclass(frozen=True)
class GeneratorConfig:
    """The motion diffusion model: its size, training and sampling.

    Attributes:
        width: numbers in a token of the transformer.
        blocks: transformer blocks.
        heads: attention heads; divides width.
        batch: motions in one optimiser step.
        learning_rate: step size of the first fit, lowered to zero along a half cosine.
        finetune_learning_rate: constant step size of every later fit.
        ema_decay: decay per step of the running mean of the weights that samples are drawn with;
            0 draws with the last weights.
        difference_weight: weight of the error of frame-to-frame differences; 0 gives jitter.
        joint_weight: weight of the error of joint positions and velocities; 0 leaves feet sliding.
        label_dropout: share of motions trained without their class; guidance needs some.
        guidance: scale of classifier-free guidance; 1 is none, above 1 trades diversity for
            samples that are more typical of their class.
        text_encoder: conditions on whole captions through this frozen encoder (words, minilm, or
            a folder of CLIP or T5); empty conditions on classes, what stands before the comma.
        sampler: "ddim" or "ddpm" (ancestral, wants more steps).
        sampling_steps: network calls for a sample; docs/generator.md says how many are enough.
        eta: randomness of DDIM's path, 0 none, 1 as DDPM.
        projections: how many of the last sampling steps project their estimate onto physics
            (PhysDiff); 0 samples without. Each costs as much as correcting the samples.
        projection_spacing: steps from one projection to the next.
    """

    width: int = 128
    blocks: int = 4
    heads: int = 4
    batch: int = 32
    learning_rate: float = 3e-3
    finetune_learning_rate: float = 3e-4
    ema_decay: float = 0.0
    difference_weight: float = 10.0
    joint_weight: float = 0.3
    label_dropout: float = 0.1
    guidance: float = 1.0
    text_encoder: str = ""
    sampler: Literal["ddim", "ddpm"] = "ddim"
    sampling_steps: int = 20
    eta: float = 0.0
    projections: int = 0
    projection_spacing: int = 1

    def __post_init__(self):
        if self.sampler not in ("ddim", "ddpm"):
            raise InputError(f"sampler is {self.sampler!r}; choose 'ddim' or 'ddpm'")
        if self.width % (2 * self.heads):
            raise InputError(
                f"width {self.width} is no multiple of twice the {self.heads} heads; change one"
            )
        for name in ("width", "blocks", "heads", "batch", "sampling_steps"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("ema_decay", "label_dropout", "eta"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must lie in [0, 1]")
        if self.ema_decay == 1:
            raise InputError("ema_decay is 1, which never learns; take less, such as 0.99")
        if self.projections:
            last_steps(self.sampling_steps, self.projections, self.projection_spacing)


class MotionGenerator:
    """Generates motions of captioned classes; a `GenerativeModel[Motions]`.

    The first `fit` of an untrained model fits the feature scaling and lowers the learning rate to
    zero. Later ones are fine-tuning: they keep scaling, captions and lengths, take the last
    weights, a fresh optimiser and a constant learning rate. On the CPU the same seeds give the
    same bits.

    Attributes:
        text: the encoder of its captions; none where classes condition it.
        on_progress: called as on_progress(what, done, total) with "train" or "sample".
        projector: maps motions to as many plausible ones; where `config.projections` wants one.
    """

    def __init__(
        self,
        config: GeneratorConfig,
        classes: Sequence[str],
        frames: int,
        fps: float,
        rest: np.ndarray,
        rng: np.random.Generator,
        device: str = "auto",
    ):
        """Make an untrained model.

        Args:
            config: size, training and sampling.
            classes: caption classes that it can tell apart.
            frames: most frames of a motion.
            fps: frame rate of all motions, Hz.
            rest: (24, 3) rest joints of the body, m, y up.
            rng: initial weights come from here.
            device: "auto", "cpu" or "cuda".
        """
        self.config = config
        self.classes = sorted(set(classes))
        self.frames = frames
        self.fps = fps
        self.rest = np.array(rest, dtype=np.float64)
        self.device = resolve_device(device)
        self.on_progress: Callable[[str, int, int], None] | None = None
        self.projector: Callable[[Motions], Motions] | None = None
        self._autocast = torch.bfloat16 if self.device.type == "cuda" else None
        self._schedule = CosineSchedule()
        self.text = text_encoder(config.text_encoder) if config.text_encoder else None
        size = TransformerConfig(
            FEATURES,
            len(self.classes),
            config.width,
            config.blocks,
            config.heads,
            text_width=self.text.width if self.text else 0,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**63)))
            self._network = MotionTransformer(size)
        self._network.to(self.device).eval()
        self._average: dict[str, Tensor] | None = None
        self._scaling: FeatureScaling | None = None
        self._captions = np.empty(0, dtype=np.str_)
        self._lengths = np.empty(0, dtype=np.int64)
        self._betas = np.zeros(10)

    def fit(self, data: Motions, steps: int, rng: np.random.Generator) -> Scalars:
        """Train for `steps` steps; returns `train_loss`, the mean over their last tenth.

        Raises:
            InputError: no clips, another frame rate, too many frames, or an unknown class.
        """
        if steps < 1:
            raise InputError(f"steps is {steps}; the generator trains for at least 1")
        self._check(data)
        label = self._labels(data.caption)
        features = encode(data, self.rest)
        first = self._scaling is None
        if self._scaling is None:
            self._scaling = FeatureScaling.fit(features, data.length)
            self._captions, self._lengths = data.caption, data.length
            self._betas = data.betas.mean(0, dtype=np.float64)
        x = torch.tensor(self._scaling.apply(features), dtype=torch.float32, device=self.device)
        trainer = Trainer(
            self._network,
            self._schedule,
            self._training(first),
            self._network.null_label,
            JointView(self._scaling, self.rest, self.fps, self.device),
        )
        loss, self._average = trainer.train(
            x,
            label,
            self._mask(data.length, x.shape[1]),
            steps,
            torch_generator(rng),
            progress=lambda done, _: self._progress("train", done, steps),
            autocast=self._autocast,
        )
        return {"train_loss": loss}

    @property
    def captions(self) -> list[str]:
        """The distinct captions that it was first trained on."""
        return sorted(set(self._captions.tolist()))

    def sample(self, count: int, rng: np.random.Generator) -> Motions:
        """Draw motions by `sample_plan`.

        Raises:
            InputError: the model is untrained.
        """
        captions, lengths = self.sample_plan(count, rng)
        return self.sample_captions(captions, lengths, rng)

    def sample_plan(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Captions (count,) and lengths (count,), frames, of the training set, shuffled.

        Every training clip serves once before any serves again.

        Raises:
            InputError: the model is untrained.
        """
        self._require_trained()
        passes = -(-count // len(self._captions))
        rows = [rng.permutation(len(self._captions)) for _ in range(passes)]
        chosen = np.concatenate([np.empty(0, np.int64), *rows])[:count]
        return self._captions[chosen], self._lengths[chosen]

    def sample_captions(
        self, captions: Sequence[str] | np.ndarray, lengths: np.ndarray, rng: np.random.Generator
    ) -> Motions:
        """Draw one motion for each caption, of the given number of frames.

        Raises:
            InputError: the model is untrained, or classes condition it and a caption's is unknown.
        """
        scaling = self._require_trained()
        captions = np.asarray(captions, dtype=np.str_)
        label = self._labels(captions).to(self.device)
        mask = self._mask(lengths, self.frames)
        denoiser = Guided(self._denoise, self.config.guidance, self._network.null_label)
        generator = torch_generator(rng)
        total = len(captions) * self.config.sampling_steps
        drawn = []
        for start in range(0, len(captions), SAMPLES_AT_ONCE):
            rows = slice(start, min(start + SAMPLES_AT_ONCE, len(captions)))
            size = rows.stop - rows.start
            noise = torch.randn((size, self.frames, FEATURES), generator=generator)

            def report(step: int, start: int = start, size: int = size) -> None:
                done = start * self.config.sampling_steps + step * size
                self._progress("sample", done, total)

            sampler = self._sampler(captions[rows], lengths[rows])
            x = sampler(denoiser, noise.to(self.device), label[rows], mask[rows], generator, report)
            drawn.append(x.cpu().numpy())
        scaled = np.concatenate(drawn) if drawn else np.empty((0, self.frames, FEATURES))
        features = scaling.invert(scaled)
        return decode(features, self.rest, lengths, self.fps, captions, self._betas)

    def redraw(self, motions: Motions, rng: np.random.Generator) -> Motions:
        """One new motion for each of these, of its caption, length and index."""
        drawn = self.sample_captions(motions.caption, motions.length, rng)
        return replace(drawn, index=motions.index)

    def save(self, path: Path) -> None:
        """Write all of the model to one safetensors file, whole or not at all."""
        scaling = self._require_trained()
        arrays = {"mean": scaling.mean, "std": scaling.std, "rest": self.rest}
        arrays |= {"betas": self._betas, "lengths": self._lengths}
        write_checkpoint(
            Path(path),
            {
                "network": self._network.state_dict(),
                "average": self._average or {},
                "data": {name: torch.from_numpy(array.copy()) for name, array in arrays.items()},
            },
            {
                **self._identity(),
                "captions": self._captions.tolist(),
                "config": asdict(self.config),
            },
        )

    def load(self, path: Path) -> None:
        """Restore what `save` wrote; afterwards this model samples and trains as that one did.

        Raises:
            InputError: the file is missing or damaged, or of a model with other settings.
        """
        groups, facts = read_checkpoint(Path(path))
        for name, mine in self._identity().items():
            if facts.get(name, "") != mine:
                raise InputError(
                    f"{path} has {name} {facts.get(name)!r}, this model {mine!r}; "
                    "make the model with the settings of the file"
                )
        data = {name: tensor.numpy() for name, tensor in groups["data"].items()}
        if not np.array_equal(data["rest"], self.rest):
            raise InputError(f"{path} is of another body: its rest joints differ from this model's")
        self._network.load_state_dict(groups["network"])
        averaged = {name: tensor.to(self.device) for name, tensor in groups["average"].items()}
        self._average = averaged or None
        self._scaling = FeatureScaling(data["mean"], data["std"])
        self._betas, self._lengths = data["betas"], data["lengths"]
        self._captions = np.array(facts["captions"], dtype=np.str_)

    @classmethod
    def from_file(
        cls, path: Path, config: GeneratorConfig | None = None, device: str = "auto"
    ) -> Self:
        """A model made from a file alone, with other settings of training and sampling if given.

        Raises:
            InputError: the file is missing or damaged, or `config` is of another size.
        """
        groups, facts = read_checkpoint(Path(path))
        model = cls(
            config or GeneratorConfig(**facts["config"]),
            facts["classes"],
            facts["frames"],
            facts["fps"],
            groups["data"]["rest"].numpy(),
            np.random.default_rng(0),
            device,
        )
        model.load(path)
        return model

    def _identity(self) -> dict:
        """The settings that a file and a model must share."""
        size = {name: getattr(self.config, name) for name in ("width", "blocks", "heads")}
        text = self.text.name if self.text else ""
        return {
            **size,
            "classes": self.classes,
            "text_encoder": text,
            "frames": self.frames,
            "fps": self.fps,
        }

    def _training(self, first: bool) -> TrainingConfig:
        config = self.config
        return TrainingConfig(
            batch=config.batch,
            learning_rate=config.learning_rate if first else config.finetune_learning_rate,
            anneal=first,
            difference_weight=config.difference_weight,
            view_weight=config.joint_weight,
            label_dropout=config.label_dropout,
            ema_decay=config.ema_decay,
        )

    def _sampler(self, captions: np.ndarray, lengths: np.ndarray) -> Sampler:
        config = self.config
        eta = 1.0 if config.sampler == "ddpm" else config.eta
        plain = DDIMSampler(self._schedule, config.sampling_steps, eta)
        if not config.projections:
            return plain
        projector, scaling = self.projector, self._require_trained()
        if projector is None:
            raise InputError("projections need the generator's projector; set it to a corrector's")

        def project(x: Tensor) -> Tensor:
            features = scaling.invert(x.cpu().numpy())
            motions = decode(features, self.rest, lengths, self.fps, captions, self._betas)
            plausible = scaling.apply(encode(projector(motions), self.rest))
            return torch.from_numpy(plausible).to(x)

        steps = last_steps(config.sampling_steps, config.projections, config.projection_spacing)
        return ProjectedSampler(plain, project, steps)

    def _denoise(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """The network's estimate, with averaged weights where there are any."""
        with torch.autocast(self.device.type, self._autocast, enabled=self._autocast is not None):
            arguments = (x_t, t, label, mask)
            if self._average is None:
                return self._network(*arguments).float()
            return torch.func.functional_call(self._network, self._average, arguments).float()

    def _labels(self, captions: np.ndarray) -> Tensor:
        """Numbers (N,) of what the captions say: of classes, or of vectors that this sets."""
        embedding = self._network.class_embedding
        if self.text is not None and isinstance(embedding, VectorEmbedding):
            texts, rows = np.unique(captions, return_inverse=True)
            vectors = torch.from_numpy(self.text([str(text) for text in texts]))
            embedding.table = vectors.to(self.device)
            return torch.from_numpy(rows.astype(np.int64))
        number = {name: i for i, name in enumerate(self.classes)}
        unknown = sorted({c for c in map(caption_class, captions) if c not in number})
        if unknown:
            near = difflib.get_close_matches(unknown[0], self.classes, n=1, cutoff=0.0)
            raise InputError(
                f"the generator does not know the caption class {unknown[0]!r}; the nearest that "
                f"it knows is {near[0]!r}, of {', '.join(map(repr, self.classes))}; free text "
                "wants a model trained with task.generator.text_encoder"
            )
        return torch.tensor([number[caption_class(c)] for c in captions], dtype=torch.long)

    def _mask(self, lengths: np.ndarray, frames: int) -> Tensor:
        """(N, frames) true on the frames that count."""
        return torch.from_numpy(np.arange(frames) < np.asarray(lengths)[:, None]).to(self.device)

    def _check(self, data: Motions) -> None:
        if len(data) == 0:
            raise InputError("no clips to train the generator on; give at least one")
        if not np.allclose(data.fps, self.fps):
            raise InputError(
                f"clips have {sorted(set(data.fps))} frames a second, the generator {self.fps}; "
                "resample the clips"
            )
        if data.length.max() > self.frames:
            raise InputError(
                f"a clip has {data.length.max()} frames, the generator takes {self.frames}; "
                "cut the clips into windows"
            )

    def _require_trained(self) -> FeatureScaling:
        if self._scaling is None:
            raise InputError("the generator is untrained; fit it, or load a trained one")
        return self._scaling

    def _progress(self, what: str, done: int, total: int) -> None:
        if self.on_progress is not None:
            self.on_progress(what, done, total)
