"""The samples of one generation, raw beside corrected, as a viewer chooses between them."""

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np

from motionloop.motion.correction import Corrections
from motionloop.motion.motions import Motions
from motionloop.viewer.render import COLOURS
from motionloop.viewer.web.scene import ShownClip
from physics.motion import SmplMotion

Part = Literal["raw and corrected", "raw", "corrected"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True)
class Sample:
    """One sample and what became of it.

    Attributes:
        number: in its draw, the same in all arms that drew it; for a file, its place.
        name: what a list calls it.
        raw: as the model made it, or as the file holds it.
        corrected: its correction; None where it was dropped or there was no corrector.
        fell: whether tracking failed.
        reason: why and when it fell; "" if it did not or nobody recorded it.
        assistance: (T,) norm of the external wrench, body weights; None if not recorded.
        force: (T, 3) the wrench's force in world axes, body weights; None if not recorded.
    """

    number: int
    name: str
    raw: SmplMotion
    corrected: SmplMotion | None = None
    fell: bool = False
    reason: str = ""
    assistance: np.ndarray | None = None
    force: np.ndarray | None = None

    def clips(
        self, part: Part = "raw and corrected", prefix: str = "", group: int = 0
    ) -> list[ShownClip]:
        """What to show of it; the raw motion where the corrected one is missing."""
        shown = []
        paired = self.corrected is not None or self.fell
        fall = (self.reason or "fell, dropped") if self.fell else ""
        if part != "corrected" or self.corrected is None:
            title = "raw" if paired else self.name
            colour = COLOURS[0] if paired else None
            note = fall if self.corrected is None or part == "raw" else ""
            shown.append(ShownClip(self.raw, prefix + title, note=note, colour=colour, group=group))
        if part != "raw" and self.corrected is not None:
            shown.append(
                ShownClip(
                    self.corrected,
                    prefix + "corrected",
                    against=self.raw,
                    assistance=self.assistance,
                    force=self.force,
                    note=fall,
                    colour=COLOURS[1],
                    group=group,
                )
            )
        return shown


@dataclass(frozen=True)
class Batch:
    """Samples that belong together.

    Attributes:
        samples: in the order of their draw.
    """

    samples: tuple[Sample, ...]

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def captions(self) -> list[str]:
        """The different captions, sorted."""
        return sorted({sample.raw.caption for sample in self.samples})

    @classmethod
    def of_clips(cls, clips: dict[str, SmplMotion]) -> Self:
        """Clips by name, without corrections."""
        return cls(tuple(Sample(n, name, clip) for n, (name, clip) in enumerate(clips.items())))

    @classmethod
    def of_motions(
        cls, raw: Motions, corrected: Motions | None = None, noted: Corrections | None = None
    ) -> Self:
        """A generation's samples, paired with their corrections by `index`.

        Without a record of the corrections, a sample that has none counts as fallen.
        """
        fixed = (
            {} if corrected is None else dict(zip(map(int, corrected.index), corrected.unpack()))
        )
        row_of = {} if noted is None else {int(i): row for row, i in enumerate(noted.index)}
        samples = []
        for number, clip in zip(map(int, raw.index), raw.unpack()):
            row, after = row_of.get(number), fixed.get(number)
            if noted is not None and row is not None:
                known: dict[str, Any] = {
                    "fell": bool(noted.fell[row]),
                    "reason": str(noted.reason[row]),
                    "assistance": noted.assistance[row, : len(clip)],
                    "force": noted.force[row, : len(clip)],
                }
            else:
                known = {"fell": corrected is not None and after is None}
            samples.append(Sample(number, f"sample {number}", clip, after, **known))
        return cls(tuple(samples))
