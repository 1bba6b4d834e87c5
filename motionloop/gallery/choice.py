"""From what a person has chosen to the scene that shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from motionloop.gallery.batch import Batch, Part, Sample
from motionloop.gallery.catalogue import Clips, Kind, Source
from motionloop.gallery.ranking import Order, Ranker, Ranking
from motionloop.motion.body import Body
from motionloop.samples import InputError
from motionloop.viewer.web.scene import Scene, ShownClip

ALL = "all captions"
_KEPT = 16  # generations whose samples stay in memory


@dataclass(frozen=True)
class Choice:
    """What a person looks at.

    Attributes:
        columns: name of the source and generation, from left to right; at least one.
        kind: which samples of a generation.
        part: raw, corrected or both.
        caption: only samples with this caption, or `ALL`.
        order: of the samples, by the first column.
        place: in that order, from 0; beyond the end takes the last one.
    """

    columns: tuple[tuple[str, int], ...]
    kind: Kind = "synthetic"
    part: Part = "raw and corrected"
    caption: str = ALL
    order: Order = "number"
    place: int = 0


@dataclass(frozen=True)
class Chosen:
    """What a choice comes to.

    Attributes:
        scene: the clips of all columns.
        count: samples to choose from.
        captions: captions to choose from.
        about: one line on each column.
    """

    scene: Scene
    count: int
    captions: tuple[str, ...]
    about: tuple[str, ...]


class Gallery:
    """Reads, orders and picks; nothing is read before it is chosen."""

    def __init__(self, sources: Sequence[Source], body: Body):
        """A gallery of sources with different names."""
        self.sources = {source.name: source for source in sources}
        self.body = body
        self._ranker = Ranker(body)
        self.batch = lru_cache(_KEPT)(self._batch)
        self._ranking = lru_cache(_KEPT)(self._rank)

    def choose(self, choice: Choice) -> Chosen:
        """The scene of a choice.

        Raises:
            InputError: a column cannot be read, or an order needs what its source has not.
        """
        name, generation = choice.columns[0]
        batch = self.batch(name, generation, choice.kind)
        ranking = self._ranking(name, generation, choice.kind, choice.order)
        rows = [row for row in ranking.rows if _fits(batch.samples[row], choice.caption)]
        if not rows:
            raise InputError(f"{name}, generation {generation} has no sample to show")
        row = rows[min(choice.place, len(rows) - 1)]
        sample = batch.samples[row]
        clips, about = self._column(choice, 0, sample, ranking, row)
        lines = [about]
        for n, (other, at) in enumerate(choice.columns[1:], start=1):
            found = _same(self.batch(other, at, choice.kind), sample)
            more, about = self._column(choice, n, found)
            clips, lines = clips + more, [*lines, about]
        title = " | ".join(self._heading(c) for c in choice.columns)
        scene = Scene(f"{title}, {sample.name}: {sample.raw.caption}", tuple(clips))
        return Chosen(scene, len(rows), tuple(batch.captions), tuple(lines))

    def _batch(self, name: str, generation: int, kind: Kind) -> Batch:
        return self.sources[name].batch(generation, kind)

    def _rank(self, name: str, generation: int, kind: Kind, order: Order) -> Ranking:
        return self._ranker.rank(self.batch(name, generation, kind), order, self.sources[name])

    def _heading(self, column: tuple[str, int]) -> str:
        name, generation = column
        if isinstance(self.sources[name], Clips):
            return name
        return f"{name} generation {generation}"

    def _column(
        self,
        choice: Choice,
        number: int,
        sample: Sample,
        ranking: Ranking | None = None,
        row: int = 0,
    ) -> tuple[list[ShownClip], str]:
        """The clips of one column and a line about it."""
        column = choice.columns[number]
        prefix = f"{self._heading(column)}: " if len(choice.columns) > 1 else ""
        about = f"{self._heading(column)}, {sample.name}: {sample.raw.caption}"
        if sample.fell:
            about += f" ({sample.reason or 'fell and was dropped'})"
        if ranking is not None and np.isfinite(ranking.values[row]):
            unit = f" {ranking.unit}" if ranking.unit else ""
            about += f"; {choice.order} {ranking.values[row]:.3g}{unit}"
        return sample.clips(choice.part, prefix, number), about


def _fits(sample: Sample, caption: str) -> bool:
    return caption in (ALL, sample.raw.caption)


def _same(batch: Batch, like: Sample) -> Sample:
    """The sample of the same draw; of another draw, the nearest one of the same caption."""
    if not len(batch):
        raise InputError("a column has no samples to show")

    def distance(sample: Sample) -> tuple[bool, int]:
        return sample.raw.caption != like.raw.caption, abs(sample.number - like.number)

    return min(batch.samples, key=distance)
