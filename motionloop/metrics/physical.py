"""PhysicalMetrics: how far generated motion is from obeying the floor, whatever the data are.

PhysDiff's penetrate, float, skate and their sum (Yuan et al., ICCV 2023), jerk, and the path of
the root, without which standing still would win. The reference set plays no part: real motion
is not at zero, so judge it the same way and read both rows.
"""

import numpy as np

from motionloop.interfaces import Scalars
from motionloop.motion.body import Body
from motionloop.motion.ground import ground_contacts
from motionloop.motion.motions import Motions
from physics.plausibility import TOLERANCE, jerk, phys_errors, root_travel_m

DEFINITION = (
    f"PhysDiff, {TOLERANCE * 1000:g} mm: lowest vertex, sole vertices, all frames, zeros included"
)


class PhysicalMetrics:
    """Metric[Motions] of physical plausibility, on every frame within a clip's length."""

    def __init__(self, body: Body):
        self.body = body

    def __call__(self, generated: Motions, reference: Motions | None = None) -> Scalars:
        """`penetrate_mm`, `float_mm`, `skate_mm`, `phys_err_mm`, `jerk`, `root_travel_m`.

        The errors, mm, and jerk, m/s^3, are means over frames; root travel, m, over clips.
        Empty for no clips.
        """
        return self.measure(generated, self.body.joints(generated)) if len(generated) else {}

    def measure(self, motions: Motions, joints: np.ndarray) -> Scalars:
        """The same with joints (N, T, 24, 3), m, at hand; at least one clip."""
        rows = [
            {
                **phys_errors(lowest, feet),
                "jerk": jerk(joints[n, :length], float(motions.fps[n])),
                "root_travel_m": root_travel_m(motions.transl[n, :length]),
            }
            for n, (length, (lowest, feet)) in enumerate(
                zip(motions.length, ground_contacts(self.body, motions))
            )
        ]
        frames = motions.length / motions.length.sum()
        clips = np.full(len(rows), 1 / len(rows))
        return {
            name: float(
                (clips if name == "root_travel_m" else frames) @ [row[name] for row in rows]
            )
            for name in rows[0]
        }
