"""Models that are fitted in closed form, for one seed or for many seeds at once.

A subclass says how it learns from arrays and makes new ones. Arrays have the axes (..., samples,
columns): without leading axes this is the model of one run; with a leading axis of seeds it is
as many models, and every operation is one numpy call over all of them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from motionloop.interfaces import Scalars, Task
from motionloop.samples import InputError, Samples, write_whole

S = TypeVar("S", bound=Samples)
Scores = dict[str, np.ndarray]


class ClosedFormModel(ABC, Generic[S]):
    """A generative model without optimiser steps.

    Attributes:
        STATE: names of the arrays that a saved model consists of.
    """

    STATE: ClassVar[tuple[str, ...]]

    @abstractmethod
    def learn(self, data: np.ndarray) -> None:
        """Fit to `data` (..., N, C)."""

    @abstractmethod
    def learn_more(self, data: np.ndarray) -> None:
        """Fit to all that was learned and `data` together, from running statistics."""

    @abstractmethod
    def noise(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """The random numbers (count, K) of `count` samples of one seed."""

    @abstractmethod
    def make(self, noise: np.ndarray) -> np.ndarray:
        """The samples (..., count, C) that random numbers (..., count, K) become."""

    @abstractmethod
    def to_array(self, samples: S) -> np.ndarray:
        """Samples of one seed as an array (N, C)."""

    @abstractmethod
    def to_samples(self, array: np.ndarray) -> S:
        """The inverse of `to_array`."""

    def fit(self, data: S, steps: int, rng: np.random.Generator) -> Scalars:
        """Fit to `data`; exact, so `steps` is not used."""
        self.learn(self.to_array(data))
        return {}

    def sample(self, count: int, rng: np.random.Generator) -> S:
        """`count` independent draws."""
        return self.to_samples(self.make(self.noise(count, rng)))

    def save(self, path: Path) -> None:
        """Write the arrays of `STATE` as safetensors."""
        from safetensors.numpy import save

        content = save({name: np.asarray(getattr(self, name), order="C") for name in self.STATE})
        write_whole(Path(path), lambda file: file.write(content))

    def load(self, path: Path) -> None:
        """Read what `save` wrote.

        Raises:
            InputError: it is not a saved model of this class.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(path)
            for name in self.STATE:
                setattr(self, name, arrays[name])
        except (SafetensorError, KeyError) as error:
            raise InputError(f"{path} is not a saved {type(self).__name__}: {error}") from error


@dataclass(frozen=True)
class SeedsTask:
    """A task of several seeds.

    Attributes:
        tasks: the task of every seed, as `run` would get it.
        model: one untrained model for all seeds.
        measure: figures of the fitted model, each with shape (S,).
    """

    tasks: tuple[Task, ...]
    model: ClosedFormModel
    measure: Callable[[Any], Scores]
