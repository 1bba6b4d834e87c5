"""Data workflows: what a generation trains on, given the real data and all synthetic data so far.

augment               fixed real + latest synthetic [1, 2]
replace               latest synthetic only [2, 3]
accumulate            real + all synthetic [3]
accumulate_subsample  as many as the real ones, drawn from real + all synthetic [3]
fresh                 new real + latest synthetic [2]
ramp                  real + the first (j + 1) / g of every batch j, the Gaussian toy of [4]
real_copy             real + a second copy of real: the control for retraining noise

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
NEEDS_HISTORY = ("accumulate", "accumulate_subsample", "ramp")


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

    def latest(self) -> S:
        """The last batch."""
        return self.samples[len(self.samples) - self.sizes[-1] :]

    def ramp(self) -> S:
        """The first int((j + 1) / g * size_j) samples of batch j, j = 0 .. g - 1.

        The schedule by which the SCSC Gaussian toy imitates fine-tuning: the newest batch
        counts whole, older ones less and less.
        """
        sizes = np.array(self.sizes)
        share = (np.arange(len(sizes)) + 1) / len(sizes)
        kept = (share * sizes).astype(np.int64)
        starts = np.cumsum(sizes) - sizes
        rank = np.arange(sizes.sum()) - np.repeat(starts, sizes)
        return self.samples[rank < np.repeat(kept, sizes)]


def training_set(
    workflow: Workflow, task: Task[S], pool: Pool[S], ratio: float, rng: np.random.Generator
) -> S:
    """The training set of the next generation.

    Args:
        workflow: see the table above.
        task: its `real` data and its source of new real data.
        pool: the corrected synthetic batches so far; the newest one only is needed unless the
            workflow is one of `NEEDS_HISTORY`.
        ratio: the size of the second copy in `real_copy`, as a share of the real data.
        rng: draws the subsample and the new real data.
    """
    real, count = task.real, len(task.real)
    join = type(real).concatenate
    match workflow:
        case "augment":
            return join([real, pool.latest()])
        case "replace":
            return pool.latest()
        case "accumulate":
            return join([real, pool.samples])
        case "accumulate_subsample":
            everything = join([real, pool.samples])
            return everything[rng.permutation(len(everything))[:count]]
        case "fresh":
            return join([task.draw_real(count, rng), pool.latest()])
        case "ramp":
            return join([real, pool.ramp()])
        case "real_copy":
            return join([real, real[np.arange(round(ratio * count)) % count]])
