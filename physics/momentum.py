"""How does the whole body of a motion move? Centre of mass and angular momentum at every frame."""

# MuJoCo's bindings have no type stubs.
# pyright: reportAttributeAccessIssue=false
from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np

from physics.dynamics import smooth_rate
from physics.humanoid import Humanoid
from physics.motion import SmplMotion


@dataclass(frozen=True)
class Momentum:
    """How the whole body moves.

    Attributes:
        centre: (T, 3) centre of mass, m.
        acceleration: (T, 3) its acceleration, smoothed, m/s^2.
        torque: (T, 3) rate of the angular momentum about it for each kg of the body, smoothed,
            m^2/s^2.
    """

    centre: np.ndarray
    acceleration: np.ndarray
    torque: np.ndarray


def momentum_of(humanoid: Humanoid, motion: SmplMotion, smoothing: float) -> Momentum:
    """Centre of mass of a motion, its acceleration and the torque about it."""
    step = 1 / motion.fps
    qpos = humanoid.to_qpos(motion)
    qvel = humanoid.velocities(qpos, step)
    centre, spin = np.empty((len(qpos), 3)), np.empty((len(qpos), 3))
    for t, data in enumerate(walked(humanoid, qpos, qvel)):
        centre[t], spin[t] = data.subtree_com[1], data.subtree_angmom[1] / humanoid.mass
    velocity = np.asarray(np.gradient(centre, step, axis=0))
    return Momentum(
        centre=centre,
        acceleration=smooth_rate(velocity, step, smoothing),
        torque=smooth_rate(spin, step, smoothing),
    )


def walked(humanoid: Humanoid, qpos: np.ndarray, qvel: np.ndarray) -> Iterator[mujoco.MjData]:
    """The simulator's data at states qpos (T, 99) and qvel (T, 75) in turn, with their momenta."""
    model, data = humanoid.model, mujoco.MjData(humanoid.model)
    for position, velocity in zip(qpos, qvel):
        data.qpos[:], data.qvel[:] = position, velocity
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_comVel(model, data)
        mujoco.mj_subtreeVel(model, data)
        yield data
