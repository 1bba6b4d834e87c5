"""Which samples to look at first: the ones that count most in a figure, computed when asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from motionloop.gallery.batch import Batch
from motionloop.gallery.catalogue import Run, Source, task_settings
from motionloop.motion.body import Body
from motionloop.motion.correction import plausibility
from motionloop.samples import InputError
from motionloop.viewer.web.readings import joint_error

Order = Literal["number", "FID contribution", "phys_err", "joint error", "assistance", "fell"]
ORDERS: tuple[Order, ...] = get_args(Order)
# The settings of a run on which its reference and its encoder depend.
_PATHS = {"data", "body_model", "encoder"}
_JUDGING = {"windows", "seconds", "fps", "stride", *_PATHS}
_UNITS = {"phys_err": "mm", "joint error": "mm", "assistance": "body weights"}


@dataclass(frozen=True)
class Ranking:
    """An order of a batch's samples.

    Attributes:
        rows: the samples, what counts most first.
        values: by row of the batch, (N,); NaN where a sample has no value.
        unit: of the values.
    """

    rows: list[int]
    values: np.ndarray
    unit: str


class Ranker:
    """Orders batches; what an order needs of a run (its reference, its encoder) is kept."""

    def __init__(self, body: Body):
        self._body = body
        self._metrics: dict[str, tuple[Any, Any]] = {}

    def rank(self, batch: Batch, order: Order, source: Source) -> Ranking:
        """The order of a batch of a source.

        FID is that of the raw samples, against the held-out clips of the run's own config.

        Raises:
            InputError: the order needs something that the source has not.
        """
        if order == "number":
            return Ranking(list(range(len(batch))), np.full(len(batch), np.nan), "")
        values = np.asarray(self._values(batch, order, source), float)
        keys = np.where(np.isnan(values), -np.inf, values)
        rows = [int(row) for row in np.argsort(-keys, kind="stable")]
        return Ranking(rows, values, _UNITS.get(order, ""))

    def _values(self, batch: Batch, order: Order, source: Source):
        if order == "FID contribution":
            return self._fid_contributions(batch, source)
        if order == "phys_err":
            clips = [sample.raw for sample in batch.samples]
            return [errors["phys_err_mm"] for errors in plausibility(clips, self._body)]
        if order == "joint error":
            return [
                np.nan
                if s.corrected is None
                else joint_error(s.corrected, s.raw, self._body).mean() * 1000
                for s in batch.samples
            ]
        if order == "assistance":
            if all(sample.assistance is None for sample in batch.samples):
                raise InputError(f"{source.name}: this generation has no record of assistance")
            return [np.nan if s.assistance is None else s.assistance.mean() for s in batch.samples]
        return [float(sample.fell) for sample in batch.samples]

    def _fid_contributions(self, batch: Batch, source: Source) -> np.ndarray:
        from motionloop.metrics.influence import frechet_contributions
        from motionloop.metrics.joints import resample
        from motionloop.motion.motions import Motions

        reference, encoder = self._judges(source)

        def features(motions: Motions) -> np.ndarray:
            rate = encoder.config.fps
            joints = self._body.joints(motions)
            return encoder.read(*resample(joints, motions.length, motions.fps, rate), rate)[0]

        raw = Motions.pack([sample.raw for sample in batch.samples])
        return frechet_contributions(features(raw), features(reference))

    def _judges(self, source: Source) -> tuple[Any, Any]:
        """The held-out motions and the encoder that a run's figures are made with."""
        if not isinstance(source, Run):
            raise InputError(f"{source.name} is no run, so that FID has no reference")
        if source.name not in self._metrics:
            from motionloop.loop.controller import SilentDisplay
            from motionloop.metrics.motion import MotionMetrics
            from motionloop.tasks.motion import MotionConfig, build

            settings = task_settings(source.path)
            chosen = {key: settings[key] for key in _JUDGING if settings.get(key) is not None}
            for key in _PATHS & chosen.keys():
                chosen[key] = Path(chosen[key])
            task = build(MotionConfig(**chosen), 0, SilentDisplay())
            encoder = next(m.encoder for m in task.metrics if isinstance(m, MotionMetrics))
            self._metrics[source.name] = (task.reference, encoder)
        return self._metrics[source.name]
