"""What does a controller follow? All that is known of a reference before the simulation starts."""

from dataclasses import replace

import numpy as np

from physics.contacts import FEET
from physics.dynamics import Reference, smooth_rate
from physics.humanoid import Humanoid
from physics.momentum import walked
from physics.tracking.preview import Preview, PreviewConfig
from physics.tracking.whole_body import Guide, WholeBodyController

NUDGES = 7  # centre of mass (x, y, z), left foot (x, y), right foot (x, y)


def guide_of(
    humanoid: Humanoid,
    controller: WholeBodyController,
    reference: Reference,
    stance: np.ndarray,
    preview: PreviewConfig | None,
) -> tuple[np.ndarray, Guide]:
    """Joint positions (K + 1, 24, 3) of a reference, and all that the controller follows."""
    count = len(reference.qpos)
    joints, points = (np.empty((count, n, 3)) for n in (len(humanoid.body), controller.point_count))
    centre, spin = np.empty((count, 3)), np.empty((count, 3))
    for k, data in enumerate(walked(humanoid, reference.qpos, reference.qvel)):
        centre[k], spin[k] = data.subtree_com[1], data.subtree_angmom[1] / humanoid.mass
        joints[k] = data.xpos[humanoid.body]
        points[k] = controller.point_positions(data)
    speed, drift = np.zeros_like(points), np.zeros_like(centre)
    if count > 1:
        speed[:] = np.gradient(points, reference.step, axis=0)
        drift[:] = np.gradient(centre, reference.step, axis=0)
    gains, feet = controller.gains, slice(len(humanoid.corners))
    low = (points[..., 2] < gains.low) & (np.linalg.norm(speed, axis=-1) < gains.slow)
    right = np.isin(humanoid.corner_joints, FEET[1])
    acceleration = reference.acceleration_of(drift)
    planned = None
    if preview is not None and preview.horizon > 0:
        planned = Preview(
            preview, reference.step, centre, acceleration, reference.acceleration_of(spin),
            points[:, feet], stance[:, feet], right.astype(int),
            np.asarray(stance[:, len(humanoid.corners) :].any(axis=1)),
        )  # fmt: skip
    return joints, Guide(
        reference=reference,
        stance=stance,
        low=low,
        feet=points[:, feet],
        feet_speed=speed[:, feet],
        feet_acceleration=smooth_rate(speed[:, feet], reference.step, gains.swing_sigma),
        landing=_landing(stance[:, feet], right, gains.landing_time / reference.step),
        centre=centre,
        centre_speed=drift,
        centre_acceleration=acceleration,
        rise=smooth_rate(drift[:, 2], reference.step, gains.height_sigma),
        preview=planned,
    )


def nudged(guide: Guide, humanoid: Humanoid, nudge: np.ndarray) -> Guide:
    """The same guide with the centre of mass and the feet elsewhere.

    Args:
        guide: of K + 1 control times.
        humanoid: the body.
        nudge: (K + 1, 7) shifts of the centre of mass (x, y, z), the left foot (x, y) and the
            right foot (x, y), m; a foot that stands stays where it is.
    """
    right = np.isin(humanoid.corner_joints, FEET[1])
    feet = guide.feet.copy()
    feet[:, ~right, :2] += nudge[:, None, 3:5]
    feet[:, right, :2] += nudge[:, None, 5:7]
    return replace(guide, centre=guide.centre + nudge[:, :3], feet=feet)


def _landing(stance: np.ndarray, right: np.ndarray, steps: float) -> np.ndarray:
    """How near (K + 1, F) each foot is to landing: 1 within `steps`, 0 from twice as many."""
    near = np.zeros(stance.shape)
    if steps <= 0:
        return near
    for side in (right, ~right):
        on = np.asarray(stance[:, side].any(axis=1))
        times = np.flatnonzero(on)
        following = np.searchsorted(times, np.arange(len(on)))
        ahead = np.full(len(on), np.inf)
        lands = following < len(times)
        ahead[lands] = times[following[lands]] - np.flatnonzero(lands)
        near[:, side] = np.clip(2.0 - ahead / steps, 0.0, 1.0)[:, None]
    return near
