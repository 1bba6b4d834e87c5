"""How do two sets of motions compare? The rows that `motionloop evaluate A B` prints.

B is the reference. Every figure of A stands beside the same figure of B itself: one half of B
against the other, or B's own physics. No figure has to reach zero, only the real one.
"""

from dataclasses import dataclass

import numpy as np

from motionloop.metrics.encoders import MotionEncoder
from motionloop.metrics.motion import MotionMetrics
from motionloop.metrics.physical import PhysicalMetrics
from motionloop.metrics.t2m_protocol import MEANING as T2M_MEANING
from motionloop.metrics.text_motion_metrics import Evaluator, TextMotionMetrics
from motionloop.motion.body import Body
from motionloop.motion.motions import Motions
from motionloop.samples import InputError

MEANING = {
    "fid": "distance of encoder features; lower is closer to B",
    "fid_low": "95 % interval of fid, from",
    "fid_high": "95 % interval of fid, to",
    "kinetic_fid": "distance of log kinetic energies; lower",
    "kinetic_fid_low": "95 % interval of kinetic_fid, from",
    "kinetic_fid_high": "95 % interval of kinetic_fid, to",
    "geometric_fid": "distance of angles, distances and heights; lower",
    "precision": "share of samples that lie among B's; higher",
    "recall": "share of B that lies among the samples; higher",
    "density": "how deep samples lie among B's; near 1",
    "coverage": "share of B that has a sample near; higher",
    "diversity": "mean distance of two samples; as B's",
    "within_class_diversity": "mean distance of two samples of one class; as B's",
    "within_caption_diversity": "mean distance of two samples of one caption; as B's",
    "caption_agreement": "share of samples read as the class of their caption; higher",
    "penetrate_mm": "depth below the floor, mm; as B's or lower",
    "float_mm": "height above the floor, mm; as B's",
    "skate_mm": "slip of feet on the floor, mm a frame; as B's or lower",
    "phys_err_mm": "sum of the three, mm",
    "jerk": "third derivative of joints, m/s^3; as B's",
    "root_travel_m": "path of the root, m a clip; as B's",
}


@dataclass(frozen=True)
class Row:
    """One line of a comparison.

    Attributes:
        metric: the scalar's name.
        value: of A against B.
        real: of B: one half against the other for distances, its own for the rest; none where B
            cannot support it.
        meaning: unit, and which way is good.
        low: of the 95 % interval of `value`, where it has one.
        high: of the interval.
        by: the encoder or evaluator that the figure comes from, and its protocol.
    """

    metric: str
    value: float
    real: float | None
    meaning: str
    low: float | None = None
    high: float | None = None
    by: str = ""


def evaluate_text(a: Motions, b: Motions, body: Body, evaluator: Evaluator) -> list[Row]:
    """The T2M figures of the motions `a` against the reference `b`."""
    metrics = TextMotionMetrics(body, evaluator)
    by = f"{evaluator.name}; {metrics.protocol.name}"
    of_a, own = metrics.against(a, b)
    return [
        Row(
            name,
            found.value,
            own[name].value if name in own else None,
            T2M_MEANING[name],
            found.low,
            found.high,
            by,
        )
        for name, found in of_a.items()
    ]


def evaluate(a: Motions, b: Motions, body: Body, encoder: MotionEncoder) -> list[Row]:
    """Every figure of the motions `a` against the reference `b`.

    The halves of B hold half as many samples as B, so B's own distances are slightly too large.

    Raises:
        InputError: `a` is empty, or `b` has fewer than two clips.
    """
    for name, motions, least in (("first", a, 1), ("second", b, 2)):
        if len(motions) < least:
            raise InputError(
                f"the {name} set has {len(motions)} motions; comparing needs {least} or more"
            )
    metrics = MotionMetrics(body, encoder)
    values = metrics(a, b)
    own = _of_itself(metrics, b)
    return [
        Row(name, value, own.get(name), MEANING[name], by=encoder.name)
        for name, value in values.items()
    ]


def _of_itself(metrics: MotionMetrics, motions: Motions) -> dict[str, float]:
    """The figures of one half, drawn at random, against the other; physics of all motions."""
    order = np.random.default_rng(metrics.seed).permutation(len(motions))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    physics = PhysicalMetrics(metrics.body)(motions)
    if len(halves[0]) < 2:
        return physics
    return {**metrics(motions[halves[0]], motions[halves[1]]), **physics}
