"""SmplMotion: one clip of SMPL parameters, checked where it is made.

Field names and meaning are smplx's: the pelvis lies at `rest_pelvis + transl`. The world is
z up with the floor at z = 0, as in AMASS.
"""

import os
import uuid
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np

from physics.skeleton import geodesic


class MotionError(ValueError):
    """A motion is malformed; the message names the field, the value and the remedy."""


_SHAPES = {
    "transl": (None, 3),
    "global_orient": (None, 3),
    "body_pose": (None, 23, 3),
    "betas": (10,),
}


@dataclass(frozen=True)
class SmplMotion:
    """One clip of T frames.

    Attributes:
        transl: (T, 3) translation, m.
        global_orient: (T, 3) root rotation, axis-angle, rad.
        body_pose: (T, 23, 3) joint rotations relative to the parent, axis-angle, rad.
        betas: (10,) shape coefficients.
        fps: frames a second, Hz.
        caption: what the motion shows.

    Raises:
        MotionError: a wrong shape, no frames, NaN or infinity, or fps that is not positive.
    """

    transl: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    fps: float
    caption: str = ""

    def __post_init__(self):
        for name, shape in _SHAPES.items():
            value = np.array(getattr(self, name), dtype=np.float64)
            if value.ndim != len(shape) or any(
                s not in (None, n) for s, n in zip(shape, value.shape)
            ):
                wanted = str(shape).replace("None", "T")
                raise MotionError(f"{name} has shape {value.shape}, expected {wanted}")
            if not np.isfinite(value).all():
                bad = int((~np.isfinite(value)).sum())
                raise MotionError(
                    f"{name} has {bad} values that are NaN or infinite; repair the clip"
                )
            value.flags.writeable = False
            object.__setattr__(self, name, value)
        frames = {
            name: len(getattr(self, name)) for name in ("transl", "global_orient", "body_pose")
        }
        if len(set(frames.values())) > 1:
            raise MotionError(f"fields differ in their number of frames: {frames}")
        if frames["transl"] == 0:
            raise MotionError("the clip has 0 frames")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise MotionError(f"fps is {self.fps}; it must be a positive number of frames a second")
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "caption", str(self.caption))

    def __len__(self) -> int:
        return len(self.transl)

    def __getitem__(self, frames: slice) -> Self:
        """The clip cut to a slice of frames."""
        return replace(
            self,
            transl=self.transl[frames],
            global_orient=self.global_orient[frames],
            body_pose=self.body_pose[frames],
        )

    @property
    def duration(self) -> float:
        """Time from the first frame to the last, s."""
        return (len(self) - 1) / self.fps

    def resample(self, fps: float) -> Self:
        """The same motion at another frame rate: linear in position, geodesic in rotation."""
        if fps == self.fps or len(self) == 1:
            return replace(self, fps=fps)
        count = int(np.floor(self.duration * fps + 1e-6)) + 1
        return self.at(np.arange(count) * (self.fps / fps), fps)

    def at(self, frames: np.ndarray, fps: float) -> Self:
        """The motion at fractional frame numbers (S,), which become the frames of a clip at `fps`.

        Linear in position, geodesic in rotation; numbers beyond an end give the end. The clip
        needs two frames.
        """
        place = np.clip(frames, 0.0, len(self) - 1.0)
        before = np.minimum(place.astype(int), len(self) - 2)
        part = (place - before)[:, None]
        poses = np.concatenate([self.global_orient[:, None], self.body_pose], axis=1)
        poses = geodesic(poses[before], poses[before + 1], part[..., None])
        return replace(
            self,
            transl=(1 - part) * self.transl[before] + part * self.transl[before + 1],
            global_orient=poses[:, 0],
            body_pose=poses[:, 1:],
            fps=fps,
        )

    def save(self, path: str | os.PathLike) -> None:
        """Write an npz file of plain arrays, whole or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
        try:
            with open(partial, "wb") as file:
                np.savez_compressed(file, **{f.name: getattr(self, f.name) for f in fields(self)})
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Read what `save` wrote, without running code from the file.

        Raises:
            MotionError: the file is missing, is not such an npz, or holds a malformed motion.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                missing = [
                    f.name for f in fields(cls) if f.name not in archive and f.name != "caption"
                ]
                if missing:
                    raise MotionError(
                        f"{path} has no {', '.join(missing)}; it holds {sorted(archive)}"
                    )
                values = {f.name: archive[f.name] for f in fields(cls) if f.name in archive}
        except FileNotFoundError:
            raise MotionError(f"no such file: {path}") from None
        except MotionError:
            raise
        except Exception as error:
            raise MotionError(f"{path} is not a readable npz file: {error}") from error
        try:
            values["fps"] = float(values["fps"])
            values["caption"] = str(values.get("caption", ""))
            return cls(**values)
        except (MotionError, TypeError, ValueError) as error:
            raise MotionError(f"{path}: {error}") from error
