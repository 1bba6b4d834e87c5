"""Data workflows: what a generation trains on, given the real data and all synthetic data so far.

augment               fixed real + newest synthetic [1, 2]
replace               newest synthetic only [2, 3]
accumulate            real + all synthetic [3]
accumulate_subsample  as many as the real ones, drawn from real + all synthetic [3]
fresh                 new real + newest synthetic [2]
ramp                  real + the first (j + 1) / g of every batch j, the Gaussian toy of [4]
real_copy             real + a second copy of real: the control for retraining noise

In augment, replace and fresh "newest" is the last `memory` generations, 1 unless set: with all of
them augment is MAD's augmentation with every generation, which is accumulate.

[1] Bertrand et al., ICLR 2024  [2] Alemohammad et al., ICLR 2024  [3] Kazdan et al., 2025
[4] Gillman et al., ICML 2024
"""

from dataclasses import dataclass, replace
from typing import Generic, Literal, Self, TypeVar

import numpy as np

from motionloop.interfaces import Task
from motionloop.samples import Samples

S = TypeVar("S", bound=Samples)
Workflow = Literal[
    "augment", "replace", "accumulate", "accumulate_subsample", "fresh", "ramp", "real_copy"
]
Remembered = Literal["whole", "sampled"]
_NEED_ALL = ("accumulate", "accumulate_subsample", "ramp")


@dataclass(frozen=True)
class Pool(Generic[S]):
    """Synthetic samples, batch after batch.

    Attributes:
        samples: all batches in order.
        sizes: the number of samples of each batch.
    """

    samples: S
    sizes: tuple[int, ...]

    def add(self, batch: S) -> Self:
        """The pool with one more batch."""
        joined = type(batch).concatenate([self.samples, batch])
        return replace(self, samples=joined, sizes=(*self.sizes, len(batch)))

    def newest(self, batches: int) -> Self:
        """The last `batches` batches; 0: all."""
        sizes = self.sizes[-batches:] if batches else self.sizes
        return replace(self, samples=self.samples[len(self.samples) - sum(sizes) :], sizes=sizes)


@dataclass(frozen=True)
class Mixing:
    """How a training set is put together.

    Attributes:
        workflow: see the table above.
        ratio: the size of the second copy in `real_copy`, as a share of the real data.
        memory: newest generations of synthetic data in augment, replace and fresh; 0: all.
        remembered: `whole` trains on every remembered batch; `sampled` on as many samples as
            the newest batch has, drawn from all remembered ones.
    """

    workflow: Workflow
    ratio: float = 1.0
    memory: int = 1
    remembered: Remembered = "whole"

    @property
    def batches(self) -> int:
        """How many of the newest batches it takes to go on; 0: all of them."""
        return 0 if self.workflow in _NEED_ALL else self.memory

    @property
    def draws_rows(self) -> bool:
        """Whether `rows` depends on its generator."""
        return self.workflow == "accumulate_subsample" or self.remembered == "sampled"

    @property
    def draws(self) -> bool:
        """Whether a training set depends on its generator."""
        return self.workflow == "fresh" or self.draws_rows

    def rows(self, real: int, sizes: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Which rows of [real; pool] to train on.

        Args:
            real: the number of real samples.
            sizes: of the batches of the pool, the newest ones only unless it takes all.
            rng: draws the subsample.
        """
        everything = np.arange(real + sum(sizes))
        match self.workflow:
            case "augment" | "fresh":
                return np.concatenate([everything[:real], self._newest(real, sizes, rng)])
            case "replace":
                return self._newest(real, sizes, rng)
            case "accumulate":
                return everything
            case "accumulate_subsample":
                return rng.choice(len(everything), real, replace=False, shuffle=False)
            case "ramp":
                return np.concatenate([everything[:real], real + ramp(sizes)])
            case "real_copy":
                copies = np.arange(round(self.ratio * real)) % real
                return np.concatenate([everything[:real], copies])

    def _newest(self, real: int, sizes: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        kept = sum(sizes[-self.memory :] if self.memory else sizes)
        rows = real + np.arange(sum(sizes) - kept, sum(sizes))
        if self.remembered == "sampled" and sizes:
            return rng.choice(rows, sizes[-1], replace=False, shuffle=False)
        return rows


def ramp(sizes: tuple[int, ...]) -> np.ndarray:
    """Rows of the first int((j + 1) / g * size_j) samples of batch j, j = 0 .. g - 1.

    The schedule by which the SCSC Gaussian toy imitates fine-tuning: the newest batch
    counts whole, older ones less and less.
    """
    counts = np.array(sizes, np.int64)
    share = (np.arange(len(counts)) + 1) / len(counts)
    kept = (share * counts).astype(np.int64)
    starts = np.cumsum(counts) - counts
    rank = np.arange(counts.sum()) - np.repeat(starts, counts)
    return np.flatnonzero(rank < np.repeat(kept, counts))


def training_set(mixing: Mixing, task: Task[S], pool: Pool[S], rng: np.random.Generator) -> S:
    """The training set of the next generation.

    Args:
        mixing: how it is put together.
        task: its `real` data and its source of new real data.
        pool: the corrected synthetic batches, at least the `mixing.batches` newest ones.
        rng: draws the new real data, then the subsample.
    """
    real = task.real
    if mixing.workflow == "fresh":
        real = task.draw_real(len(real), rng)
    rows = mixing.rows(len(real), pool.sizes, rng)
    return type(real).concatenate([real, pool.samples])[rows]
