"""The physics corrector as a corrector of the loop, and what it did to plausibility.

`physics.corrector` tracks clips one by one and reports falls as results. Here a batch of samples
goes in and comes out; what happens to a clip that fell is the loop's policy, and is counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.motion.body import Body
from motionloop.motion.ground import ground_contacts
from motionloop.motion.motions import Motions
from physics.corrector import TrackingCorrector, TrackingResult
from physics.motion import SmplMotion
from physics.plausibility import phys_errors
from physics.skeleton import forward_kinematics

FallPolicy = Literal["drop", "kinematic", "keep_raw"]


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


@dataclass(frozen=True)
class MotionCorrector:
    """A `Corrector[Motions]` that tracks every sample in simulation.

    Attributes:
        tracking: the corrector of clips.
        body: whose mesh the plausibility before and after is measured on.
        on_fall: what becomes of a sample that fell: drop it, take its kinematic projection, or
            keep it raw. Counted as `fell` either way.
        progress: called with (done, total) as clips are finished.
    """

    tracking: TrackingCorrector
    body: Body
    on_fall: FallPolicy = "drop"
    progress: Callable[[int, int], None] | None = None

    def correct(self, samples: Motions, rng: np.random.Generator) -> tuple[Motions, Scalars]:
        """The corrected samples with their `index`, and figures of what it took.

        Scalars: `fell`, `dropped` (counts), `success` (share), `assistance_mean_bw`,
        `assistance_max_bw` (body weights, over the clips that stood), and over the samples that go
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
        kept = [row for row, result in enumerate(results) if self._keeps(result)]
        pairs = [(clips[row], self._chosen(clips[row], results[row])) for row in kept]
        index = samples.index[np.array(kept, dtype=np.int64)]
        after = [corrected for _, corrected in pairs]
        scalars = {"dropped": float(len(clips) - len(kept)), **_outcome(results)}
        scalars |= self._change(pairs)
        return Motions.pack(after, index, frames=samples.transl.shape[1]), scalars

    def _keeps(self, result: TrackingResult) -> bool:
        return not (result.fell and self.on_fall == "drop")

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
        outcome["assistance_max_bw"] = float(max(r.assistance_max_bw for r in stood))
    return outcome
