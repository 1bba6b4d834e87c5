"""Correction strength gamma: how much of the synthetic data a corrector reaches.

The correction operator of Gillman et al. (ICML 2024) turns a model's distribution p into

    pi_gamma p = (p + gamma * p_corrected) / (1 + gamma),

so a sample is replaced by its correction with probability w = gamma / (1 + gamma).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np

from motionloop.interfaces import Corrector, Scalars
from motionloop.samples import InputError, Samples

S = TypeVar("S", bound=Samples)
StrengthMode = Literal["mixture", "blend"]


def check_gamma(gamma: float) -> None:
    """Raise `InputError` unless gamma is a correction strength."""
    if not gamma >= 0:
        raise InputError(f"gamma is {gamma}; correction strength is in [0, inf]")


@dataclass(frozen=True)
class Strength(Generic[S]):
    """A corrector at strength gamma.

    Attributes:
        corrector: the full-strength corrector.
        gamma: in [0, inf]; the corrected part weighs gamma / (1 + gamma).
        mode: `mixture` is the paper's operator, each sample corrected with that probability;
            `blend` moves every sample that far along the way to its correction, for samples
            that have a method `blend` (motions).

    Raises:
        InputError: gamma is negative or not a number, or the mode is unknown.
    """

    corrector: Corrector[S]
    gamma: float = math.inf
    mode: StrengthMode = "mixture"

    def __post_init__(self):
        check_gamma(self.gamma)
        if self.mode not in ("mixture", "blend"):
            raise InputError(f"strength mode {self.mode!r} is unknown; choose mixture or blend")

    @property
    def weight(self) -> float:
        """Gamma / (1 + gamma), in [0, 1]."""
        return 1.0 if math.isinf(self.gamma) else self.gamma / (1 + self.gamma)

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """Correct `samples` at this strength; see `Corrector.correct`."""
        if self.weight == 0:
            return samples, {"reached": 0.0}
        if self.mode == "blend":
            return self._blend(samples, rng)
        chosen = rng.random(len(samples)) < self.weight
        if not chosen.any():
            return samples, {"reached": 0.0}
        corrected, scalars = self.corrector.correct(samples[chosen], rng)
        mixed = type(samples).concatenate([samples[~chosen], corrected])
        # Shuffled, so that any part of the batch is the same mixture.
        order = rng.permutation(len(mixed))
        return mixed[order], {**scalars, "reached": float(chosen.mean())}

    def _blend(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        blend = getattr(samples, "blend", None)
        if blend is None:
            raise InputError(
                f"{type(samples).__name__} cannot be blended with its correction; use mode mixture"
            )
        corrected, scalars = self.corrector.correct(samples, rng)
        return blend(corrected, self.weight), {**scalars, "reached": 1.0}


class TargetDraw(Generic[S]):
    """The idealised corrector: every sample becomes a draw from the target distribution."""

    def __init__(self, draw_real: Callable[[int, np.random.Generator], S]):
        """A corrector that asks `draw_real(count, rng)` for its samples."""
        self.draw_real = draw_real

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """As many draws from the target as there are samples."""
        return self.draw_real(len(samples), rng), {}


class Identity:
    """The corrector that changes nothing."""

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """The samples as they are."""
        return samples, {}
