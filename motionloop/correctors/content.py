"""Content: drops the samples that do not show what they are labelled as.

Physics repairs contact, not content: a walk that was sampled as a kick stays a walk. The judge is a
classifier of real training samples; it must not be the one that the loop is judged by.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.samples import Samples

S = TypeVar("S", bound=Samples)


class Content(Generic[S]):
    """A `Corrector[S]` that only selects."""

    def __init__(self, classify: Callable[[S], np.ndarray], labels: Callable[[S], np.ndarray]):
        """Take the judge.

        Args:
            classify: (N,) classes that the samples show.
            labels: (N,) classes that they were sampled for.
        """
        self.classify, self.labels = classify, labels

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """The samples that show their label, in order, with `accepted` (share) and `rejected`."""
        if len(samples) == 0:
            return samples, {"rejected": 0.0}
        right = np.asarray(self.classify(samples) == self.labels(samples))
        return samples[right], {
            "accepted": float(right.mean()),
            "rejected": float((~right).sum()),
        }
