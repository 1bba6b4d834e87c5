"""What a clip does to the floor, and how far it is from its raw motion, frame by frame.

A foot touches where a point of its sole is at most 5 mm above the floor, as in PhysDiff's metrics
(physics.plausibility); it penetrates where one is more than 5 mm below; it slides where the points
that touch in two adjacent frames move on by more than 0.1 m/s on average.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from motionloop.motion.body import Body
from motionloop.motion.ground import ground_contacts
from motionloop.motion.motions import Motions
from motionloop.viewer.web.scene import ShownClip
from physics.motion import SmplMotion
from physics.plausibility import TOLERANCE
from physics.skeleton import forward_kinematics

FREE, TOUCHING, SLIDING, PENETRATING = range(4)  # what a foot does
SLIDES = 0.1  # m/s


@dataclass(frozen=True)
class Curve:
    """A quantity over time.

    Attributes:
        name: what it is.
        unit: of the values.
        values: (T,).
    """

    name: str
    unit: str
    values: np.ndarray


@dataclass(frozen=True)
class Readings:
    """Figures of one clip.

    Attributes:
        feet: (T, 2) what the left and the right foot do: FREE, TOUCHING, SLIDING, PENETRATING.
        height: (T, 2) of the lowest point of each sole, m.
        lowest: (T,) height of the lowest point of the whole skin, m.
        skate: (T,) how far touching soles moved since the frame before, m; 0 in the first.
        error: (T,) mean distance of the joints to the motion that it is a correction of, m; or
            None without one.
        assistance: (T,) body weights; or None where nobody recorded it.
    """

    feet: np.ndarray
    height: np.ndarray
    lowest: np.ndarray
    skate: np.ndarray
    error: np.ndarray | None
    assistance: np.ndarray | None

    def curves(self) -> Iterator[Curve]:
        """What there is to plot."""
        yield Curve("left foot height", "mm", self.height[:, 0] * 1000)
        yield Curve("right foot height", "mm", self.height[:, 1] * 1000)
        yield Curve("skate", "mm per frame", self.skate * 1000)
        if self.error is not None:
            yield Curve("joint error", "mm", self.error * 1000)
        if self.assistance is not None:
            yield Curve("assistance", "body weights", self.assistance)


def read(clip: ShownClip, body: Body) -> Readings:
    """The readings of a clip on a body's soles."""
    lowest, soles = next(ground_contacts(body, Motions.pack([clip.motion])))
    sides = np.split(soles, 2, axis=1)
    feet = np.stack([_state(side, clip.motion.fps) for side in sides], axis=1)
    return Readings(
        feet=feet,
        height=np.stack([side[..., 2].min(axis=1) for side in sides], axis=1),
        lowest=lowest,
        skate=_slip(soles),
        error=None if clip.against is None else joint_error(clip.motion, clip.against, body),
        assistance=clip.assistance,
    )


def joint_error(motion: SmplMotion, other: SmplMotion, body: Body) -> np.ndarray:
    """Mean distance (T,) of the joints of two clips at the same frames, m.

    Of clips that differ in length, the shorter one holds its last frame.
    """
    rest = body.rest_joints(motion.betas)
    a, b = (
        forward_kinematics(rest, one.transl, one.global_orient, one.body_pose)[0]
        for one in (motion, other)
    )
    b = b[np.minimum(np.arange(len(a)), len(b) - 1)]
    return np.linalg.norm(a - b, axis=-1).mean(axis=1)


def _slip(points: np.ndarray) -> np.ndarray:
    """Mean horizontal way (T,) since the frame before of points (T, F, 3) that touch in both, m."""
    slip = np.zeros(len(points))
    touching = points[..., 2] <= TOLERANCE
    both = touching[1:] & touching[:-1]
    way = np.linalg.norm(np.diff(points[..., :2], axis=0), axis=-1)
    slip[1:] = (way * both).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    return slip


def _state(sole: np.ndarray, fps: float) -> np.ndarray:
    """What a foot (T,) with sole points (T, F, 3) does."""
    lowest = sole[..., 2].min(axis=1)
    state = np.where(lowest <= TOLERANCE, TOUCHING, FREE)
    state[_slip(sole) * fps > SLIDES] = SLIDING
    state[lowest < -TOLERANCE] = PENETRATING
    return state.astype(np.uint8)
