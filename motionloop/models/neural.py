"""NeuralModel: a network and a method become a generative model of the loop.

The network holds the weights, the method says what they learn and how they sample, the packing
turns samples into tensors and back. DDPM, EDM, flow matching, normalizing flows and adversarial
pairs are all this one class.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from motionloop.diffusion.checkpoint import read_checkpoint, write_checkpoint
from motionloop.diffusion.denoiser import Denoiser, Guided
from motionloop.diffusion.descent import DescentConfig, descend
from motionloop.diffusion.device import resolve_device, torch_generator
from motionloop.diffusion.method import Batch, Method
from motionloop.diffusion.training import drop_labels
from motionloop.interfaces import Scalars
from motionloop.samples import InputError, Samples

S = TypeVar("S", bound=Samples)
Weights = dict[str, Tensor]
SAMPLES_AT_ONCE = 256


class Packing(Protocol[S]):
    """How samples and tensors turn into each other."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor of one sample."""
        ...

    def pack(self, samples: S) -> tuple[Tensor, Tensor | None]:
        """Samples as a tensor (N, *shape) of about unit scale, and labels (N,) where there are."""
        ...

    def unpack(self, x: Tensor, label: Tensor | None) -> S:
        """Samples of a tensor (N, *shape) on the CPU, and of the labels that it was drawn for."""
        ...

    def labels(self, count: int) -> Tensor | None:
        """The labels (count,) that a draw of so many samples is for, or None without classes."""
        ...


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained, from the first fit to the last fine-tuning.

    Attributes:
        batch: samples in one optimiser step.
        learning_rate: step size of the first fit, lowered to zero along a half cosine.
        finetune_learning_rate: constant step size of every later fit.
        weight_decay: of AdamW, per unit of learning rate.
        gradient_norm: longer gradients are shortened to this norm.
        ema_decay: decay per step of the running mean of the weights that samples are drawn with;
            0 draws with the last weights.
        keep_moments: later fits go on with AdamW's moments; else each starts with fresh ones.
        label_dropout: share of the samples trained without their class, for guidance; methods
            without guidance drop none.
    """

    batch: int = 128
    learning_rate: float = 1e-3
    finetune_learning_rate: float = 3e-4
    weight_decay: float = 0.0
    gradient_norm: float = 1.0
    ema_decay: float = 0.0
    keep_moments: bool = False
    label_dropout: float = 0.1

    def __post_init__(self):
        if self.batch < 1:
            raise InputError(f"batch is {self.batch}; it must be at least 1")
        for name in ("learning_rate", "finetune_learning_rate", "gradient_norm"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must be positive")
        for name, most in (("ema_decay", 0.9999999), ("label_dropout", 1.0)):
            if not 0 <= getattr(self, name) <= most:
                raise InputError(f"{name} is {getattr(self, name)}; it must lie in [0, {most:g}]")

    def descent(self, first: bool) -> DescentConfig:
        """Of the first fit of a model, or of a later one."""
        return DescentConfig(
            self.batch,
            self.learning_rate if first else self.finetune_learning_rate,
            first,
            self.weight_decay,
            self.gradient_norm,
            self.ema_decay,
        )


class NeuralModel(Generic[S]):
    """A `GenerativeModel[S]`; on the CPU the same seeds give the same bits.

    The first `fit` lowers its learning rate to zero, later ones are fine-tuning at a constant one.

    Attributes:
        network: the weights; a module called as the method calls it. Where it has a `null_label`,
            labels are dropped in training and guidance can be given. Where it has a
            `noise_shape`, noise of that shape makes a sample, else noise of the sample's own.
        identity: what a file and a model must share.
        on_progress: called as on_progress(what, done, total) with "train" or "sample".
    """

    def __init__(
        self,
        make_network: Callable[[], nn.Module],
        method: Method,
        packing: Packing[S],
        training: TrainingConfig,
        identity: dict[str, Any],
        rng: np.random.Generator,
        guidance: float = 1.0,
        device: str = "auto",
    ):
        """Make an untrained model.

        Args:
            make_network: builds it; initial weights come from torch's global generator, which is
                seeded from `rng` for the call and put back.
            method: learns and samples.
            packing: of the samples.
            training: how it is trained.
            identity: what a file and a model must share: the kind of network, its size.
            rng: initial weights come from here.
            guidance: scale of classifier-free guidance; 1 is none.
            device: "auto", "cpu" or "cuda".
        """
        self.method, self.packing, self.training = method, packing, training
        self.guidance = guidance
        self.device = resolve_device(device)
        self.on_progress: Callable[[str, int, int], None] | None = None
        self.identity = identity
        self._autocast = torch.bfloat16 if self.device.type == "cuda" else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**63)))
            self.network = make_network()
        self.network.to(self.device).eval()
        self._average: Weights | None = None
        self._moments: list[dict[Any, Any]] | None = None
        self._trained = False

    def fit(self, data: S, steps: int, rng: np.random.Generator) -> Scalars:
        """Train for `steps` steps; returns `train_loss`, the mean over their last tenth.

        Where several networks play, the losses are `train_loss_0`, `train_loss_1`, ...

        Raises:
            InputError: there is no data, or no step.
        """
        if len(data) == 0 or steps < 1:
            raise InputError(
                f"{len(data)} samples and {steps} steps to train on; give at least one of each"
            )
        players = self.method.players(self.network, self._batches(data))
        config = self.training.descent(first=not self._trained)
        optimisers = None
        if self._moments is not None:
            optimisers = [player.optimiser(config) for player in players]
            for optimiser, state in zip(optimisers, self._moments):
                groups = optimiser.state_dict()["param_groups"]
                optimiser.load_state_dict({"state": state, "param_groups": groups})
        done = descend(
            self.network,
            players,
            len(data),
            steps,
            config,
            torch_generator(rng),
            lambda step, _: self._progress("train", step, steps),
            self._autocast,
            optimisers,
        )
        self._average, self._trained = done.average, True
        if self.training.keep_moments:
            self._moments = [optimiser.state_dict()["state"] for optimiser in done.optimisers]
        if len(done.losses) == 1:
            return {"train_loss": done.losses[0]}
        return {f"train_loss_{i}": loss for i, loss in enumerate(done.losses)}

    def sample(self, count: int, rng: np.random.Generator) -> S:
        """Draw samples; classes are served in turn.

        Raises:
            InputError: the model is untrained.
        """
        return self.sample_with(self.estimate, count, rng)

    def sample_with(self, network: Denoiser, count: int, rng: np.random.Generator) -> S:
        """Draw samples with another network in the place of this model's own.

        Raises:
            InputError: the model is untrained.
        """
        self._require_trained()
        generator, label = torch_generator(rng), self.packing.labels(count)
        null = getattr(self.network, "null_label", None)
        guided = network if null is None else Guided(network, self.guidance, null)
        shape = getattr(self.network, "noise_shape", self.packing.shape)
        total, drawn = count * self.method.steps, []
        for start in range(0, count, SAMPLES_AT_ONCE):
            size = min(SAMPLES_AT_ONCE, count - start)
            noise = torch.randn((size, *shape), generator=generator).to(self.device)
            wanted = None if label is None else label[start : start + size].to(self.device)

            def report(step: int, start: int = start, size: int = size) -> None:
                self._progress("sample", start * self.method.steps + step * size, total)

            drawn.append(self.method.sample(guided, noise, wanted, generator, report).cpu())
        x = torch.cat(drawn) if drawn else torch.empty((0, *self.packing.shape))
        return self.packing.unpack(x, label)

    def estimate(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """The network's output with the weights that samples are drawn with; a `Denoiser`."""
        return self.estimate_with(self.weights(), x_t, t, label, mask)

    def estimate_with(self, weights: Weights, *arguments: Tensor | None) -> Tensor:
        """The network's output with other weights."""
        with torch.autocast(self.device.type, self._autocast, enabled=self._autocast is not None):
            return torch.func.functional_call(self.network, weights, arguments).float()

    def weights(self) -> Weights:
        """The parameters that samples are drawn with: averaged ones where there are any."""
        if self._average is not None:
            return self._average
        return {name: value.detach() for name, value in self.network.named_parameters()}

    def branch(self) -> Self:
        """A copy that trains on from the weights that samples are drawn with."""
        self._require_trained()
        copied = copy.deepcopy(self)
        copied.network.load_state_dict(self.weights(), strict=False)
        return copied

    def save(self, path: Path) -> None:
        """Write all of the model to one safetensors file, whole or not at all."""
        self._require_trained()
        write_checkpoint(Path(path), self.state(), self.identity)

    def load(self, path: Path) -> None:
        """Restore what `save` wrote; afterwards this model samples and trains as that one did.

        Raises:
            InputError: the file is missing or damaged, or of a model with other settings.
        """
        groups, facts = read_checkpoint(Path(path))
        self.restore(groups, facts, Path(path))

    def state(self) -> dict[str, Weights]:
        """All tensors of the model, in named groups."""
        moments = {
            f"{player}.{parameter}.{name}": tensor
            for player, state in enumerate(self._moments or [])
            for parameter, named in state.items()
            for name, tensor in named.items()
        }
        return {
            "network": dict(self.network.state_dict()),
            "average": self._average or {},
            "moments": moments,
        }

    def restore(self, groups: dict[str, Weights], facts: dict[str, Any], path: Path) -> None:
        """Take over what `state` gave, read from `path`.

        Raises:
            InputError: it is of a model with other settings.
        """
        for name, mine in self.identity.items():
            if facts.get(name) != mine:
                raise InputError(
                    f"{path} has {name} {facts.get(name)!r}, this model {mine!r}; "
                    "make the model with the settings of the file"
                )
        self.network.load_state_dict(groups["network"])
        averaged = {name: tensor.to(self.device) for name, tensor in groups["average"].items()}
        self._average, self._trained = averaged or None, True
        moments: list[dict[Any, Any]] = []
        for key, tensor in groups["moments"].items():
            player, parameter, name = key.split(".")
            while len(moments) <= int(player):
                moments.append({})
            moments[int(player)].setdefault(int(parameter), {})[name] = tensor.to(self.device)
        self._moments = moments or None

    def _batches(self, data: S) -> Batch:
        null = getattr(self.network, "null_label", None)
        share = self.training.label_dropout

        def batch(rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
            x, label = self.packing.pack(data[rows.numpy()])
            if label is not None and null is not None and share > 0:
                label = drop_labels(label, share, null, generator)
            return x.to(self.device), None if label is None else label.to(self.device)

        return batch

    def _require_trained(self) -> None:
        if not self._trained:
            raise InputError("the model is untrained; fit it, or load a trained one")

    def _progress(self, what: str, done: int, total: int) -> None:
        if self.on_progress is not None:
            self.on_progress(what, done, total)
