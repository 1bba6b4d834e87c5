"""The image task: class-conditional models of small images, judged by an encoder of their classes.

The 8 x 8 digits that scikit-learn carries, MNIST, CIFAR-10 or a folder of your own; diffusion,
flow matching, a flow or a pair of adversaries; the correctors that the literature compares. The
image experiments of Gillman et al. (2024), Bertrand et al. (2024) and Alemohammad et al. (2024)
are configs of it.
"""

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from motionloop.correctors.nearest import Nearest, class_means
from motionloop.correctors.verifier import Verifier, check_keep
from motionloop.diffusion.device import resolve_device
from motionloop.diffusion.perceptron import Perceptron, PerceptronConfig
from motionloop.diffusion.unet import UNet, UNetConfig
from motionloop.images.images import SMALLEST, Images, ImageSet
from motionloop.images.packing import ImagePacking
from motionloop.images.source import load_images
from motionloop.images.split import Parts, split
from motionloop.interfaces import Corrector, Display, GenerativeModel, Task
from motionloop.metrics.images import ImageEncoder, ImageMetrics
from motionloop.metrics.lenet import LeNet
from motionloop.models.build import ModelConfig
from motionloop.models.flow import FlowConfig, FlowNetwork
from motionloop.models.neural import NeuralModel
from motionloop.models.self_guidance import SelfGuidanceConfig, self_guided
from motionloop.models.stylegan import StyleNetwork
from motionloop.models.wgan import GanConfig, WganNetwork
from motionloop.paths import ENCODERS
from motionloop.samples import InputError
from motionloop.strength import Identity, Strength, check_gamma
from motionloop.viewer.grid import draw_grid

HEADLINE = ("fid", "kid", "precision", "recall", "agreement", "within_class_diversity")
CURVES = ("fid", "kid", "precision", "recall", "density", "coverage", "agreement", "diversity",
          "within_class_diversity", "corrector/moved", "corrector/kept")  # fmt: skip
SHIPPED_ENCODER = ENCODERS / "digits.safetensors"
PIXEL_NOISE = 0.05  # deviation of the noise that a flow's training adds, of a range of 2
ONE_STEP = ("flow", "wgan", "stylegan2")  # methods with a network of their own


@dataclass(frozen=True)
class ImageCorrectorConfig:
    """How synthetic images are corrected.

    Attributes:
        rule: none; means (the nearest of k means of its class, as SCSC); nearest (the nearest real
            image of its class); verifier (keeps the share that the encoder is surest of).
        gamma: correction strength in [0, inf].
        means: k of `means`, for each class.
        keep: share that the verifier keeps of each class.
    """

    rule: Literal["none", "means", "nearest", "verifier"] = "means"
    gamma: float = math.inf
    means: int = 16
    keep: float = 0.5

    def __post_init__(self):
        check_gamma(self.gamma)
        check_keep(self.keep)
        if self.means < 1:
            raise InputError(f"corrector.means is {self.means}; it must be at least 1")


@dataclass(frozen=True)
class ImageConfig:
    """Settings of the image task.

    Attributes:
        data: an npz file, CIFAR-10's archive, a folder of IDX files or of class folders; none
            takes the 8 x 8 digits.
        size: images are cropped to a square and resized to this many pixels; none takes them as
            they are.
        count: real images that the generator trains on, drawn at random; none takes all.
        encoder: lenet (trained on images that no generator trains on) or inception.
        encoder_images: images that LeNet learns from; none takes a quarter of the training
            images, at most 10,000; 0 gives it half of the reference instead.
        inception_weights: file of the weights of inception.
        neighbours: k of precision, recall, density and coverage.
        device: auto, cpu or cuda.
        threads: of arithmetic on the CPU.
        model: the generative model.
        self_guidance: steering away from the model's own samples.
        corrector: how synthetic images are corrected.
    """

    data: Path | None = None
    size: int | None = None
    count: int | None = 500
    encoder: Literal["lenet", "inception"] = "lenet"
    encoder_images: int | None = None
    inception_weights: Path | None = None
    neighbours: int = 5
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = 1
    model: ModelConfig = field(default_factory=lambda: ModelConfig(width=16))
    self_guidance: SelfGuidanceConfig = field(default_factory=SelfGuidanceConfig)
    corrector: ImageCorrectorConfig = field(default_factory=ImageCorrectorConfig)

    def __post_init__(self):
        for name in ("count", "neighbours", "threads"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise InputError(f"task.{name} is {getattr(self, name)}; it must be at least 1")
        if self.encoder == "inception" and self.inception_weights is None:
            raise InputError("task.encoder inception needs task.inception_weights, their file")
        if self.self_guidance.variant == "sims" and self.model.method in ONE_STEP:
            raise InputError(f"sims guides steps, and {self.model.method} has none; take neon")
        if self.model.method not in ONE_STEP and self.model.network == "unet":
            UNetConfig(1, SMALLEST, 1, self.model.width)  # refuses a width that it cannot build


def build(config: ImageConfig, seed: int, display: Display) -> Task[Images]:
    """The image task; `seed` draws the training images."""
    resolve_device(config.device)
    torch.set_num_threads(config.threads)
    display.stage(0, "reading images")
    images = load_images(
        config.data, config.size, lambda done, total: display.progress("", done, total)
    )
    parts = split(images, config.encoder_images, config.encoder == "lenet")
    real, rest = _subset(parts.train, config.count, seed)
    encoder = _encoder(config, images, parts, display)
    packing = ImagePacking(real.size, real.channels, len(images.classes))
    if config.model.method not in ONE_STEP and config.model.network == "perceptron":
        _perceptron(config.model, packing)  # refuses images that it cannot learn, before training

    def draw_real(count: int, rng: np.random.Generator) -> Images:
        # Images that `real` does not hold, where there are enough of them.
        source = rest if len(rest) >= count else parts.train
        return source[rng.permutation(len(source))[:count]]

    def make_network() -> torch.nn.Module:
        model = config.model
        if model.method == "flow":
            shape, classes = packing.shape, packing.classes
            return FlowNetwork(FlowConfig(shape, classes, 4 * model.blocks, 8 * model.width, False))
        size = (real.channels, real.size, packing.classes, model.width)
        if model.method == "wgan":
            return WganNetwork(GanConfig(*size, model.latent))
        if model.method == "stylegan2":
            return StyleNetwork(GanConfig(*size, model.latent))
        if model.network == "perceptron":
            return Perceptron(_perceptron(model, packing))
        return UNet(UNetConfig(*size, model.blocks))

    def make_model(rng: np.random.Generator) -> GenerativeModel[Images]:
        identity = {**config.model.identity(), "shape": list(packing.shape)}
        model = NeuralModel(
            make_network, config.model.make_method(PIXEL_NOISE), packing, config.model.training(),
            {**identity, "classes": packing.classes}, rng, config.model.guidance, config.device,
        )  # fmt: skip
        model.on_progress = lambda _, done, total: display.progress("", done, total)
        return self_guided(model, config.self_guidance)

    metrics = ImageMetrics(encoder, config.neighbours)
    return Task(
        real=real,
        reference=parts.reference,
        make_model=make_model,
        corrector=Strength(_corrector(config.corrector, real, encoder), config.corrector.gamma),
        metrics=(metrics,),
        draw_real=draw_real,
        definitions={**metrics.describe(), **_describe(encoder, images, parts)},
        preview=lambda samples, path: draw_grid(samples.pixels, samples.label, path),
    )


def _perceptron(model: ModelConfig, packing: ImagePacking) -> PerceptronConfig:
    """The perceptron of images: a narrower one loses part of the noise, and samples run away."""
    numbers, wide = math.prod(packing.shape), 8 * model.width
    if wide < numbers:
        raise InputError(
            f"an image has {numbers} numbers, and model.width {model.width} makes a perceptron of "
            f"{wide}; raise model.width to {math.ceil(numbers / 8)}, lower task.size, or take "
            "model.network unet"
        )
    return PerceptronConfig(numbers, packing.classes, wide, 3 * model.blocks)


def _subset(train: Images, count: int | None, seed: int) -> tuple[Images, Images]:
    """The real images, with every class among them, and the others."""
    count = len(train) if count is None else count
    if count > len(train):
        raise InputError(
            f"task.count is {count}, but there are {len(train)} images beside those of the "
            "reference and the encoder; lower task.count or task.encoder_images"
        )
    order = np.random.default_rng([seed, 1]).permutation(len(train))
    real, rest = train[np.sort(order[:count])], train[np.sort(order[count:])]
    missing = np.setdiff1d(train.label, real.label)
    if len(missing):
        raise InputError(
            f"none of the {count} real images drawn is of class {missing[0]}; raise task.count"
        )
    return real, rest


def _encoder(config: ImageConfig, images: ImageSet, parts: Parts, display: Display) -> ImageEncoder:
    """Inception, the shipped LeNet of the digits, the one kept beside the data, or a new one."""
    if config.encoder == "inception":
        from motionloop.metrics.inception import Inception

        assert config.inception_weights is not None
        return Inception(config.inception_weights, config.device)
    if (config.data, config.size, config.encoder_images) == (None, None, None):
        return LeNet.load(SHIPPED_ENCODER)
    kept = _kept_encoder(config, parts)
    if kept is not None and kept.is_file():
        return LeNet.load(kept)
    display.stage(0, "training the encoder of the metrics")
    encoder = LeNet.fit(
        parts.encoder,
        len(images.classes),
        parts.reference,
        progress=lambda done, total: display.progress("", done, total),
    )
    if kept is not None:
        try:
            encoder.save(kept)
        except OSError as error:
            display.note(f"the encoder cannot be kept as {kept} ({error.strerror}); runs train it")
    return encoder


def _kept_encoder(config: ImageConfig, parts: Parts) -> Path | None:
    """Where the LeNet of a data set is kept: beside the data, by a hash of what it learned from."""
    if config.data is None:
        return None
    seen = hashlib.sha256(parts.encoder.pixels.tobytes() + parts.encoder.label.tobytes())
    folder = config.data if config.data.is_dir() else config.data.parent
    return folder / f"lenet_{seen.hexdigest()[:8]}.safetensors"


def _describe(encoder: ImageEncoder, images: ImageSet, parts: Parts) -> dict[str, str]:
    about = {"data": f"{images.name}, {len(parts.train)} images to train on and "
                     f"{len(parts.reference)} held out"}  # fmt: skip
    if isinstance(encoder, LeNet):
        about["encoder_training"] = (
            f"{len(parts.encoder)} real images that no generator trains on, seed "
            f"{encoder.config.seed}; reads {encoder.accuracy:.1%} of the reference right"
        )
    return about


def _corrector(
    config: ImageCorrectorConfig, real: Images, encoder: ImageEncoder
) -> Corrector[Images]:
    match config.rule:
        case "none":
            return Identity()
        case "nearest":
            return Nearest(real, Images.vectors, _labels)
        case "means":
            centres, label = class_means(real.vectors(), real.label, config.means)
            pixels = np.rint(255 * centres).clip(0, 255).astype(np.uint8)
            trusted = Images(pixels.reshape(-1, *real.pixels.shape[1:]), label)
            return Nearest(trusted, Images.vectors, _labels)
        case "verifier":
            if not isinstance(encoder, LeNet):
                raise InputError("corrector.rule verifier reads classes; set task.encoder lenet")
            return Verifier(encoder.certainty, _labels, config.keep)


def _labels(images: Images) -> np.ndarray:
    return images.label
