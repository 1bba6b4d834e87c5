"""The interfaces that every task of the loop is made of.

A `GenerativeModel` samples, a `Corrector` repairs the samples, the loop retrains, a `Metric`
judges, a `Reporter` writes down. A `Task` names the parts. N is the number of samples; random
numbers come from the `numpy.random.Generator` that is passed in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from motionloop.samples import Samples

S = TypeVar("S", bound=Samples)
Judged = TypeVar("Judged", bound=Samples, contravariant=True)
Scalars = dict[str, float]


class GenerativeModel(Protocol[S]):
    """A model that learns from samples and makes new ones. Sampling bias is its own setting."""

    def fit(self, data: S, steps: int, rng: np.random.Generator) -> Scalars:
        """Train for `steps` optimiser steps from the present weights; returns training scalars.

        A model with a closed-form fit ignores `steps`.
        """
        ...

    def sample(self, count: int, rng: np.random.Generator) -> S:
        """Draw `count` samples."""
        ...

    def save(self, path: Path) -> None:
        """Write all that `load` needs to one file."""
        ...

    def load(self, path: Path) -> None:
        """Restore what `save` wrote into this model, which was made with the same settings."""
        ...


class Corrector(Protocol[S]):
    """Maps synthetic samples to corrected ones."""

    def correct(self, samples: S, rng: np.random.Generator) -> tuple[S, Scalars]:
        """The corrected samples, in order, and what it took.

        May drop samples that it cannot save, and then says how many; never adds. Labels and
        captions pass through.
        """
        ...


class Metric(Protocol[Judged]):
    """Judges generated samples against held-out real ones."""

    def __call__(self, generated: Judged, reference: Judged) -> Scalars:
        """Named figures, in the unit that the name ends with."""
        ...


@dataclass(frozen=True)
class Task(Generic[S]):
    """All that the loop needs to know of a problem.

    Attributes:
        real: training data from the world.
        reference: held-out real data that metrics compare with.
        make_model: builds an untrained model; its initial weights come from the generator.
        corrector: repairs synthetic samples, its strength included.
        metrics: what is measured of every generation.
        draw_real: `draw_real(count, rng)` gives real samples other than `real` where the task
            has them: new data for the workflow `fresh`, and the row of the real data.
        model_metrics: what is read off the fitted model itself, where it has a closed form
            (a Gaussian's moments, a likelihood) rather than off its samples.
        definitions: what stands behind the figures (the encoder's name, the variant of a metric),
            for the record of a run.
        preview: writes a picture or video of a few samples to the path it is given, which
            carries no suffix, and returns the file's path.
        film: writes a video of samples of the same few prompts each time, like `preview`.
        figures: figures of every sample by name, (N,) each: numbers such as its errors, or words
            such as its caption.
        corrections: gives, and forgets, what the corrector found out about each sample of its
            last batch, for the record of a run; None where there was nothing to find out.
    """

    real: S
    reference: S
    make_model: Callable[[np.random.Generator], GenerativeModel[S]]
    corrector: Corrector[S]
    metrics: tuple[Metric[S], ...]
    draw_real: Callable[[int, np.random.Generator], S]
    model_metrics: tuple[Callable[[Any], Scalars], ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    preview: Callable[[S, Path], Path] | None = None
    film: Callable[[S, Path], Path] | None = None
    figures: Callable[[S], Mapping[str, np.ndarray]] | None = None
    corrections: Callable[[], Samples | None] | None = None


class Display(Protocol):
    """Shows a person what the loop is doing."""

    def stage(self, generation: int, what: str) -> None:
        """A generation begins to do something: training, sampling, correcting, evaluating."""
        ...

    def progress(self, what: str, done: int, total: int) -> None:
        """How far the present stage has come."""
        ...

    def generation_done(self, generation: int, scalars: Scalars) -> None:
        """A generation is complete."""
        ...

    def note(self, text: str) -> None:
        """Something that a person may want to know."""
        ...


class Reporter(Protocol):
    """Writes down what happens: W&B, JSONL, nothing, or several of them."""

    def report(self, scalars: Scalars, generation: int) -> None:
        """Record the scalars of one generation."""
        ...

    def attach(self, path: Path, generation: int) -> None:
        """Record a file (a picture, a video) that belongs to one generation."""
        ...

    def close(self) -> None:
        """Flush and finish."""
        ...
