"""Windows: pieces of one length cut from clips, planned first and read only where they are drawn.

The plan needs no frame, only the clips' lengths and rates, so that windows of 40 hours are drawn
without reading 40 hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from motionloop.motion.clip_store import ClipStore
from motionloop.motion.dataset import Entry, captions_of
from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from physics.motion import SmplMotion


@dataclass(frozen=True)
class WindowPlan:
    """Where W windows lie in the clips of a store.

    A clip shorter than a window but at least half as long gives one padded window that keeps
    its true length; a clip that is shorter still gives none.

    Attributes:
        clip: (W,) number of the clip.
        start: (W,) first frame, at `fps`.
        length: (W,) frames that count.
        caption: (W,) number of the caption, among all that the clip has.
        frames: of a window.
        fps: of the windows, Hz.
        skipped: names of the clips that gave none.
    """

    clip: np.ndarray
    start: np.ndarray
    length: np.ndarray
    caption: np.ndarray
    frames: int
    fps: float
    skipped: list[str]

    @classmethod
    def of(cls, clips: ClipStore, seconds: float, fps: float, stride_s: float) -> "WindowPlan":
        """Windows of `seconds` s at `fps` Hz, one every `stride_s` s of each clip.

        Raises:
            InputError: seconds, fps or stride are not positive, or a window has fewer than 2
                frames.
        """
        frames, stride = round(seconds * fps), max(1, round(stride_s * fps))
        if not (seconds > 0 and fps > 0 and stride_s > 0) or frames < 2:
            raise InputError(
                f"windows of {seconds} s at {fps} Hz every {stride_s} s have {frames} frames; "
                "all three must be positive and a window needs 2 frames"
            )
        # As many frames as SmplMotion.resample gives.
        there = np.floor((clips.length - 1) / clips.fps * fps + 1e-6).astype(np.int64) + 1
        there = np.where(clips.fps == fps, clips.length, there)
        whole = np.maximum((there - frames) // stride + 1, 0)
        padded = (there < frames) & (2 * there >= frames) & (there >= 2)
        count = np.where(there >= frames, whole, padded)
        clip = np.repeat(np.arange(len(clips)), count)
        start = (np.arange(len(clip)) - np.repeat(np.cumsum(count) - count, count)) * stride
        skipped = [
            clips.entries[n].get("name") or f"clip {n} ({clips.entries[n].get('caption', '')!r})"
            for n in np.flatnonzero(count == 0)
        ]
        length = np.minimum(there[clip], frames)
        return cls(clip, start, length, np.zeros_like(clip), frames, fps, skipped)

    def __len__(self) -> int:
        return len(self.clip)

    def with_every_caption(self, clips: ClipStore) -> "WindowPlan":
        """Every window once for each caption of its clip.

        Whoever draws from this plan draws a window's caption at random with the window.
        """
        captions = np.array([len(captions_of(entry)) for entry in clips.entries], np.int64)
        rows = np.repeat(np.arange(len(self)), captions[self.clip])
        first = np.cumsum(captions[self.clip]) - captions[self.clip]
        return self._at(rows, np.arange(len(rows)) - first[rows])

    def with_random_captions(self, clips: ClipStore, rng: np.random.Generator) -> "WindowPlan":
        """Every window once, with one of its clip's captions."""
        captions = np.array([len(captions_of(entry)) for entry in clips.entries], np.int64)
        return self._at(np.arange(len(self)), rng.integers(captions[self.clip]))

    def _at(self, rows: np.ndarray, caption: np.ndarray) -> "WindowPlan":
        columns = {name: getattr(self, name)[rows] for name in ("clip", "start", "length")}
        return replace(self, **columns, caption=caption)

    def draw(self, clips: ClipStore, rows: np.ndarray | None = None) -> Motions:
        """The windows `rows` (all by default), in that order; reads only their frames."""
        rows = np.arange(len(self)) if rows is None else np.asarray(rows, np.int64)
        count, frames = len(rows), self.frames
        said = [
            captions_of(clips.entries[n])[c][0] for n, c in zip(self.clip[rows], self.caption[rows])
        ]
        columns = {
            "transl": np.zeros((count, frames, 3), np.float32),
            "global_orient": np.zeros((count, frames, 3), np.float32),
            "body_pose": np.zeros((count, frames, 23, 3), np.float32),
        }
        clip_of = self.clip[rows]
        for number in np.unique(clip_of):
            places = np.flatnonzero(clip_of == number)
            start, length = self.start[rows[places]], self.length[rows[places]]
            first = int(start.min())
            span = _span(clips, int(number), first, int((start + length).max()), self.fps)
            for place, begin, size in zip(places, start - first, length):
                for name, column in columns.items():
                    piece = getattr(span, name)[begin : begin + size]
                    column[place, :size] = piece
                    column[place, size:] = piece[-1]
        return Motions(
            **columns,
            betas=clips.betas[clip_of].astype(np.float32),
            length=self.length[rows],
            fps=np.full(count, self.fps, np.float64),
            caption=np.array(said, np.str_),
            index=np.arange(count),
        )


def _span(clips: ClipStore, number: int, first: int, last: int, fps: float) -> SmplMotion:
    """Frames `first` to `last`, not included, of a clip brought to `fps`."""
    if clips.fps[number] == fps:
        return clips.clip(number, first, last)
    places = np.arange(first, last) * (clips.fps[number] / fps)
    begin = min(int(places[0]), int(clips.length[number]) - 2)
    return clips.clip(number, begin, int(places[-1]) + 2).at(places - begin, fps)


def windows(
    clips: Iterable[SmplMotion | tuple[Entry, SmplMotion]] | ClipStore,
    seconds: float,
    fps: float,
    stride_s: float,
) -> tuple[Motions, list[str]]:
    """All windows of some clips, and the names of the clips that gave none; see `WindowPlan`.

    Of several captions of a clip each of its windows has one, drawn at random, always the same.

    Args:
        clips: clips, or pairs of entry and clip, or a store.
        seconds: length of a window, s.
        fps: frame rate of the windows, Hz.
        stride_s: time between the starts of windows of one clip, s.
    """
    if not isinstance(clips, ClipStore):
        clips = ClipStore.of(clip if isinstance(clip, tuple) else ({}, clip) for clip in clips)
    plan = WindowPlan.of(clips, seconds, fps, stride_s)
    plan = plan.with_random_captions(clips, np.random.default_rng(0))
    return plan.draw(clips), plan.skipped
