"""Chain: correctors one after the other, each on what the one before left."""

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np

from motionloop.interfaces import Corrector, Scalars
from motionloop.samples import Samples

S = TypeVar("S", bound=Samples)


class Chain(Generic[S]):
    """A `Corrector[S]` of several; an empty one changes nothing."""

    def __init__(self, *correctors: Corrector[S]):
        """Take the correctors in the order in which they work."""
        self.correctors: Sequence[Corrector[S]] = correctors

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """The samples after the last one, and the scalars of all.

        Where two correctors give a scalar of one name, the later one's is called `name_2`, and so
        on; a corrector that is left without samples is not asked.
        """
        scalars: Scalars = {}
        for number, corrector in enumerate(self.correctors, start=1):
            if len(samples) == 0:
                break
            samples, found = corrector.correct(samples, rng)
            scalars |= {
                f"{name}_{number}" if name in scalars else name: value
                for name, value in found.items()
            }
        return samples, scalars
