"""Motions: the samples of the motion task, N clips padded to one number of frames.

This is the one place where clips are packed into a batch and unpacked from it.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from motionloop.samples import Samples
from physics.motion import SmplMotion
from physics.skeleton import geodesic


@dataclass(frozen=True)
class Motions(Samples):
    """A batch of N clips; frames from `length` on repeat the last frame.

    Attributes:
        transl: (N, T, 3) m.
        global_orient: (N, T, 3) axis-angle, rad.
        body_pose: (N, T, 23, 3) axis-angle, rad.
        betas: (N, 10).
        length: (N,) frames that count.
        fps: (N,) Hz.
        caption: (N,) str.
        index: (N,) the sample's number in its draw; correctors keep it, so that raw and
            corrected samples can be paired.
    """

    transl: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    length: np.ndarray
    fps: np.ndarray
    caption: np.ndarray
    index: np.ndarray

    @classmethod
    def pack(
        cls, clips: list[SmplMotion], index: np.ndarray | None = None, frames: int = 0
    ) -> Self:
        """Clips as a batch, padded by repeating the last frame to `frames` at least; float32."""
        frames = max([frames, *map(len, clips)])

        def padded(name: str, tail: tuple[int, ...]) -> np.ndarray:
            out = np.zeros((len(clips), frames, *tail), np.float32)
            for row, clip in enumerate(clips):
                value = getattr(clip, name)
                out[row, : len(clip)] = value
                out[row, len(clip) :] = value[-1]
            return out

        return cls(
            transl=padded("transl", (3,)),
            global_orient=padded("global_orient", (3,)),
            body_pose=padded("body_pose", (23, 3)),
            betas=np.array([clip.betas for clip in clips], np.float32).reshape(-1, 10),
            length=np.array([len(clip) for clip in clips], np.int64),
            fps=np.array([clip.fps for clip in clips], np.float64),
            caption=np.array([clip.caption for clip in clips], dtype=np.str_),
            index=np.arange(len(clips)) if index is None else np.asarray(index, np.int64),
        )

    def unpack(self) -> list[SmplMotion]:
        """The clips, each with its own number of frames."""
        return [
            SmplMotion(
                transl=self.transl[n, :length],
                global_orient=self.global_orient[n, :length],
                body_pose=self.body_pose[n, :length],
                betas=self.betas[n],
                fps=float(self.fps[n]),
                caption=str(self.caption[n]),
            )
            for n, length in enumerate(self.length)
        ]

    def blend(self, corrected: Self, weight: float) -> Self:
        """Geodesic interpolation from these samples to their corrections, paired by `index`.

        Samples that `corrected` dropped are left out. weight 0 gives these samples, 1 the
        corrected ones; position is interpolated linearly, rotations along the shortest arc.
        """
        row_of = {int(i): row for row, i in enumerate(self.index)}
        raw = self[np.array([row_of[int(i)] for i in corrected.index], dtype=np.int64)]

        if len(raw) == 0:
            return corrected
        return replace(
            corrected,
            transl=(1 - weight) * raw.transl + weight * corrected.transl,
            global_orient=geodesic(raw.global_orient, corrected.global_orient, weight),
            body_pose=geodesic(raw.body_pose, corrected.body_pose, weight),
        )


def caption_class(caption: str) -> str:
    """The class of a caption: what stands before the first comma ("a person walks, exhausted")."""
    return caption.split(",", 1)[0].strip()
