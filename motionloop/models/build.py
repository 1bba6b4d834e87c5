"""ModelConfig: one record that names a neural generative model, and what makes it one.

Methods share names for what they share, so that a config changes `method` and nothing else. A
sampling bias that the method does not have is an error, not silence.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

from motionloop.diffusion.ddpm import DDPM
from motionloop.diffusion.edm import EDM
from motionloop.diffusion.flow_matching import FlowMatching
from motionloop.diffusion.method import Method
from motionloop.diffusion.noise import CosineSchedule, LinearSchedule
from motionloop.diffusion.sampler import DDIMSampler
from motionloop.models.flow import Likelihood
from motionloop.models.neural import TrainingConfig
from motionloop.models.stylegan import Logistic
from motionloop.models.wgan import Wasserstein
from motionloop.samples import InputError

MethodName = Literal["ddpm", "edm", "otcfm", "flow", "wgan", "stylegan2"]
_GUIDED = ("ddpm", "edm", "otcfm")
_GANS = ("wgan", "stylegan2")
_RATES = {"wgan": 2e-4, "stylegan2": 2e-3}
_STEPS = {"ddpm": 50, "edm": 18, "otcfm": 10}


@dataclass(frozen=True)
class ModelConfig:
    """A neural generative model: method, size, training and sampling bias.

    Attributes:
        method: ddpm, edm, otcfm (flow matching with optimal transport), flow (normalizing), and
            for images wgan (WGAN-GP) and stylegan2.
        network: of ddpm, edm and otcfm for images: unet, or perceptron (8 x width wide, 3 x blocks
            deep), which sees all pixels at once and is many times quicker on the smallest images;
            points always take a perceptron.
        width: channels or hidden numbers of the network's first level.
        blocks: residual blocks of a level, or of a perceptron; coupling layers of a flow.
        batch: samples in one optimiser step.
        learning_rate: step size of the first fit, lowered to zero along a half cosine; none takes
            the method's own.
        finetune_learning_rate: constant step size of every later fit; none takes 0.3 of the first.
        ema_decay: decay per step of the running mean of the weights that samples are drawn with;
            0 draws with the last weights.
        keep_moments: later fits go on with the optimiser's moments instead of fresh ones.
        label_dropout: share of the samples trained without their class; guidance needs some.
        schedule: noise of ddpm: cosine or linear.
        sampler: of ddpm: ddim, or ddpm (ancestral, wants more steps).
        eta: randomness of ddim's path, 0 none, 1 as ddpm.
        sampling_steps: of a draw; none takes 50 for ddpm, 18 for edm, 10 for otcfm.
        data_deviation: standard deviation of the scaled data that edm is conditioned for.
        guidance: bias of ddpm, edm and otcfm with classes: scale of classifier-free guidance; 1 is
            none. MAD's lambda is 1 / guidance.
        temperature: bias of every method but stylegan2: scale of the noise of a draw.
        truncation: bias of stylegan2: psi, how far styles stay from their mean; 1 is none.
        latent: numbers that wgan and stylegan2 make an image of.
    """

    method: MethodName = "ddpm"
    network: Literal["unet", "perceptron"] = "unet"
    width: int = 32
    blocks: int = 1
    batch: int = 128
    learning_rate: float | None = None
    finetune_learning_rate: float | None = None
    ema_decay: float = 0.0
    keep_moments: bool = False
    label_dropout: float = 0.1
    schedule: Literal["cosine", "linear"] = "cosine"
    sampler: Literal["ddim", "ddpm"] = "ddim"
    eta: float = 0.0
    sampling_steps: int | None = None
    data_deviation: float = 0.5
    guidance: float = 1.0
    temperature: float = 1.0
    truncation: float = 1.0
    latent: int = 64

    def __post_init__(self):
        for name in ("width", "blocks", "data_deviation", "temperature", "latent"):
            if not getattr(self, name) > 0:
                raise InputError(f"model.{name} is {getattr(self, name)}; it must be positive")
        own = "truncation" if self.method == "stylegan2" else "temperature"
        biases = {own, "guidance"} if self.method in _GUIDED else {own}
        for name in ("guidance", "temperature", "truncation"):
            if getattr(self, name) != 1 and name not in biases:
                raise InputError(
                    f"model.{name} is {getattr(self, name)}, but {self.method} has no {name}; "
                    f"bias it by {' or '.join(f'model.{bias}' for bias in sorted(biases))}"
                )
        if self.guidance != 1 and self.label_dropout == 0:
            raise InputError("model.guidance needs model.label_dropout, such as 0.1")
        self.training()
        self.make_method()

    def training(self) -> TrainingConfig:
        """How the model is trained."""
        own = _RATES.get(self.method, 1e-3)
        rate = own if self.learning_rate is None else self.learning_rate
        later = 0.3 * rate if self.finetune_learning_rate is None else self.finetune_learning_rate
        return TrainingConfig(
            batch=self.batch,
            learning_rate=rate,
            finetune_learning_rate=later,
            gradient_norm=math.inf if self.method in _GANS else 1.0,
            ema_decay=self.ema_decay,
            keep_moments=self.keep_moments,
            label_dropout=self.label_dropout,
        )

    def make_method(self, noise: float = 0.0) -> Method:
        """The method itself; `noise` is what a flow's training adds to the data."""
        if self.method == "flow":
            return Likelihood(self.temperature, noise)
        if self.method == "wgan":
            return Wasserstein(temperature=self.temperature)
        if self.method == "stylegan2":
            return Logistic(truncation=self.truncation)
        steps = _STEPS[self.method] if self.sampling_steps is None else self.sampling_steps
        if self.method == "edm":
            return EDM(steps, self.data_deviation, temperature=self.temperature)
        if self.method == "otcfm":
            return FlowMatching(steps, temperature=self.temperature)
        schedule = CosineSchedule() if self.schedule == "cosine" else LinearSchedule()
        eta = 1.0 if self.sampler == "ddpm" else self.eta
        return DDPM(DDIMSampler(schedule, steps, eta), self.temperature)

    def identity(self) -> dict[str, Any]:
        """What a file and a model must share."""
        size = {"method": self.method, "width": self.width, "blocks": self.blocks}
        if self.network != "unet":
            size["network"] = self.network
        return {**size, "latent": self.latent} if self.method in _GANS else size
