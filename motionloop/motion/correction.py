"""The physics corrector as a corrector of the loop, and what it did to plausibility.

`physics.corrector` tracks clips one by one and reports falls as results. Here a batch of samples
goes in and comes out; what happens to a clip that fell is the loop's policy, and is counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.motion.body import Body
from motionloop.motion.ground import ground_contacts
from motionloop.motion.motions import Motions
from motionloop.samples import Samples
from physics.corrector import TrackingCorrector, TrackingResult
from physics.motion import SmplMotion
from physics.plausibility import phys_errors
from physics.skeleton import forward_kinematics

FallPolicy = Literal["drop", "kinematic", "keep_raw", "assist"]
ASSIST = (0.1, 0.25)  # body weights, the budgets of the policy `assist`


def plausibility(clips: list[SmplMotion], body: Body) -> list[dict[str, float]]:
    """PhysDiff's errors of every clip on the body's mesh, mm."""
    return [phys_errors(*contact) for contact in ground_contacts(body, Motions.pack(clips))]


def mpjpe_mm(clip: SmplMotion, other: SmplMotion, body: Body) -> float:
    """Mean distance of the joints of two clips of one length in the world, mm."""
    rest = body.rest_joints(clip.betas)
    pair = [
        forward_kinematics(rest, one.transl, one.global_orient, one.body_pose)[0]
        for one in (clip, other)
    ]
    return float(np.linalg.norm(pair[0] - pair[1], axis=-1).mean() * 1000)


def projector(tracking: TrackingCorrector) -> Callable[[Motions], Motions]:
    """Maps motions to as many plausible ones: tracked, or where that falls their clean-up."""

    def project(motions: Motions) -> Motions:
        results = tracking.correct(motions.unpack())
        return Motions.pack(
            [result.motion for result in results], motions.index, frames=motions.transl.shape[1]
        )

    return project


@dataclass(frozen=True)
class Corrections(Samples):
    """What tracking found out about each of N samples, those that fell and were dropped too.

    Frames after a sample's own length, and after a fall, are 0.

    Attributes:
        index: (N,) the sample's number in its draw, as in `Motions`.
        fell: (N,) bool.
        reason: (N,) str, why and when it fell; "" if it did not.
        position_error: (N, T) mean distance of the joints to the clean-up, m.
        assistance: (N, T) norm of the external wrench on the root, body weights.
        force: (N, T, 3) the wrench's force in world axes, body weights.
    """

    index: np.ndarray
    fell: np.ndarray
    reason: np.ndarray
    position_error: np.ndarray
    assistance: np.ndarray
    force: np.ndarray

    @classmethod
    def of(cls, index: np.ndarray, results: list[TrackingResult], frames: int) -> Self:
        """The corrections of the samples of an index, with `frames` columns."""

        def padded(rows: list[np.ndarray], *tail: int) -> np.ndarray:
            out = np.zeros((len(rows), frames, *tail), np.float32)
            for row, values in enumerate(rows):
                out[row, : len(values)] = values
            return out

        return cls(
            index=np.asarray(index, np.int64),
            fell=np.array([r.fell for r in results], bool),
            reason=np.array([r.reason for r in results], dtype=np.str_),
            position_error=padded([r.position_error for r in results]),
            assistance=padded([r.assistance / r.weight for r in results]),
            force=padded([r.assistance_force / r.weight for r in results], 3),
        )


@dataclass(frozen=True)
class MotionCorrector:
    """A `Corrector[Motions]` that tracks every sample in simulation.

    Attributes:
        tracking: the corrector of clips.
        body: whose mesh the plausibility before and after is measured on.
        on_fall: what becomes of a sample that fell: drop it, take its kinematic projection, or
            keep it raw. Counted as `fell` either way. `assist` drops what fell even with the
            tracking's rescue budgets.
        progress: called with (done, total) as clips are finished.
        record: called with what tracking found out about every sample of a batch.
    """

    tracking: TrackingCorrector
    body: Body
    on_fall: FallPolicy = "drop"
    progress: Callable[[int, int], None] | None = None
    record: Callable[[Corrections], None] | None = None

    def correct(self, samples: Motions, rng: np.random.Generator) -> tuple[Motions, Scalars]:
        """The corrected samples with their `index`, and figures of what it took.

        Scalars: `fell`, `dropped`, `rescued` (counts; rescued stood with a rescue budget only),
        `success` (share), `assistance_mean_bw`,
        `assistance_max_bw` (body weights) and `force_skate_mm` (slip of what presses on the floor,
        mm a frame), all three over the clips that stood, and over the samples that go
        on `mpjpe_mm` to the input and the PhysDiff errors `*_before` and `*_after`.
        """
        clips = samples.unpack()
        done = 0

        def advance(finished: int) -> None:
            nonlocal done
            done = finished
            if self.progress is not None:
                self.progress(done, len(clips))

        results = self.tracking.correct(clips, progress=advance)
        if self.record is not None:
            self.record(Corrections.of(samples.index, results, samples.transl.shape[1]))
        kept = [row for row, result in enumerate(results) if self._keeps(result)]
        pairs = [(clips[row], self._chosen(clips[row], results[row])) for row in kept]
        index = samples.index[np.array(kept, dtype=np.int64)]
        after = [corrected for _, corrected in pairs]
        scalars = {"dropped": float(len(clips) - len(kept)), **_outcome(results)}
        budget = self.tracking.config.assistance_budget
        rescued = [result for result in results if result.success and result.budget > budget]
        scalars["rescued"] = float(len(rescued))
        scalars |= self._change(pairs)
        return Motions.pack(after, index, frames=samples.transl.shape[1]), scalars

    def _keeps(self, result: TrackingResult) -> bool:
        return not (result.fell and self.on_fall in ("drop", "assist"))

    def _chosen(self, clip: SmplMotion, result: TrackingResult) -> SmplMotion:
        if not result.fell:
            return result.motion
        return result.kinematic if self.on_fall == "kinematic" else clip

    def _change(self, pairs: list[tuple[SmplMotion, SmplMotion]]) -> Scalars:
        """Plausibility before and after, and the distance between them."""
        if not pairs:
            return {}
        before = plausibility([clip for clip, _ in pairs], self.body)
        after = plausibility([clip for _, clip in pairs], self.body)
        change = {"mpjpe_mm": float(np.mean([mpjpe_mm(a, b, self.body) for a, b in pairs]))}
        for name in before[0]:
            change[f"{name}_before"] = float(np.mean([row[name] for row in before]))
            change[f"{name}_after"] = float(np.mean([row[name] for row in after]))
        return change


def _outcome(results: list[TrackingResult]) -> Scalars:
    """How many fell, and the assistance of those that stood."""
    stood = [result for result in results if not result.fell]
    outcome = {
        "fell": float(len(results) - len(stood)),
        "success": len(stood) / len(results) if results else float("nan"),
    }
    if stood:
        outcome["assistance_mean_bw"] = float(np.mean([r.assistance_mean_bw for r in stood]))
        outcome["force_skate_mm"] = float(np.mean([r.force_skate_mm for r in stood]))
        outcome["assistance_max_bw"] = float(max(r.assistance_max_bw for r in stood))
    return outcome
