"""What a viewer shows at one time: clips on one floor, each with what is known of it."""

from dataclasses import dataclass

import numpy as np

from motionloop.samples import InputError
from motionloop.viewer.camera import facing
from physics.motion import SmplMotion
from physics.skeleton import rotation_matrices

_TURN = np.radians(35)  # the camera stands to the side of where the body looks


@dataclass(frozen=True)
class ShownClip:
    """One clip of a scene.

    Attributes:
        motion: what moves.
        title: what it is, such as "raw" or "corrected".
        against: the motion that this one is a correction of, for the joint error; or None.
        assistance: (T,) norm of the external wrench on the root, body weights; or None.
        force: (T, 3) the wrench's force in world axes, body weights; or None.
        note: a remark, such as why the clip fell; "" without one.
        colour: red, green and blue in [0, 1]; None takes the next one of the palette.
        group: clips of one group lie over each other when a viewer overlays bodies.
    """

    motion: SmplMotion
    title: str = ""
    against: SmplMotion | None = None
    assistance: np.ndarray | None = None
    force: np.ndarray | None = None
    note: str = ""
    colour: tuple[float, float, float] | None = None
    group: int = 0


@dataclass(frozen=True)
class Scene:
    """Clips that play together; a shorter one holds its last frame.

    Attributes:
        title: what a list of scenes calls it.
        clips: at least one.

    Raises:
        InputError: there are no clips.
    """

    title: str
    clips: tuple[ShownClip, ...]

    def __post_init__(self):
        if not self.clips:
            raise InputError(f"the scene {self.title!r} has no clips; give at least one")

    @property
    def azimuth(self) -> float:
        """From where the camera looks first, about z, rad: half in front of the first body."""
        motion = self.clips[0].motion
        turn = rotation_matrices(motion.global_orient[:1])[0]
        # In the rest pose left is +x; `facing` reads it off the hips and the shoulders.
        joints = np.zeros((24, 3))
        joints[[1, 16]] = turn[:, 0]
        return facing(joints) + float(_TURN)
