"""Settings that the tasks with a known target share: the idealised corrector, the sampling bias."""

import math
from dataclasses import dataclass

from motionloop.samples import InputError
from motionloop.strength import check_gamma


@dataclass(frozen=True)
class IdealisedCorrectorConfig:
    """How synthetic samples are corrected: by draws from the target itself.

    Attributes:
        gamma: correction strength in [0, inf].
    """

    gamma: float = 0.0

    def __post_init__(self):
        check_gamma(self.gamma)


def check_bias(bias: float) -> None:
    """Raise `InputError` unless `bias` scales a variance."""
    if not 0 <= bias < math.inf:
        raise InputError(f"task.bias is {bias}; it scales a variance and is at least 0")


def check_counts(**counts: int) -> None:
    """Raise `InputError` unless all of the task's settings are at least 1."""
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"task.{name} is {count}; it must be at least 1")
