"""Runs a controller in the simulation and records what happened."""

# MuJoCo's bindings have no type stubs.
# pyright: reportAttributeAccessIssue=false
from dataclasses import dataclass

import mujoco
import numpy as np

from physics.dynamics import Reference
from physics.humanoid import Humanoid
from physics.tracking.guide import guide_of
from physics.tracking.preview import PreviewConfig
from physics.tracking.slip import contact_slip
from physics.tracking.whole_body import WholeBodyController

FALL_DISTANCE = 0.5  # m: mean joint error of a fall, as in UHC and PHC


@dataclass(frozen=True)
class Rollout:
    """What a simulation did in K control steps; after a fall K is smaller than planned.

    Attributes:
        step: time between two control times, s.
        substeps: simulation steps in a control step.
        qpos: (K + 1, 99).
        qvel: (K + 1, 75).
        ctrl: (K, 69) torques that were held during each control step, N m.
        assistance: (K, 6) root wrench that was held: force in world axes, torque in root axes.
        assistance_norm: (K,) N; the torque counts with the height of the pelvis as lever.
        contact_force: (K,) norm of the floor's total force, N.
        slip: (K,) how fast what presses on the floor slides over it, m/s (`tracking.slip`).
        error: (K + 1,) mean over joints of the distance to the reference, m.
        fault: "" or what went wrong.
    """

    step: float
    substeps: int
    qpos: np.ndarray
    qvel: np.ndarray
    ctrl: np.ndarray
    assistance: np.ndarray
    assistance_norm: np.ndarray
    contact_force: np.ndarray
    slip: np.ndarray
    error: np.ndarray
    fault: str

    def __len__(self) -> int:
        return len(self.ctrl)


def roll_out(
    humanoid: Humanoid,
    controller: WholeBodyController,
    reference: Reference,
    stance: np.ndarray,
    fall_distance: float = FALL_DISTANCE,
    start: tuple[np.ndarray, np.ndarray] | None = None,
    preview: PreviewConfig | None = None,
) -> Rollout:
    """Track a reference, from its own first state if no other is given.

    Args:
        humanoid: the body.
        controller: its controller.
        reference: K + 1 control times.
        stance: (K + 1, C) which of the controller's points the plan has on the floor.
        fall_distance: mean joint error that ends the run, m.
        start: positions (99,) and velocities (75,) to start from.
        preview: of the steps, if it has a horizon.
    """
    model, count = humanoid.model, len(reference)
    substeps = round(reference.step / model.opt.timestep)
    data = mujoco.MjData(model)
    targets, guide = guide_of(humanoid, controller, reference, stance, preview)
    qpos, qvel = np.empty((count + 1, model.nq)), np.empty((count + 1, model.nv))
    ctrl, wrench = np.empty((count, model.nu)), np.empty((count, 6))
    force, slip, error = np.empty(count), np.empty(count), np.empty(count + 1)
    data.qpos[:], data.qvel[:] = start or (reference.qpos[0], reference.qvel[0])
    fault, done = "", count
    for k in range(count + 1):
        mujoco.mj_step1(model, data)
        qpos[k], qvel[k] = data.qpos, data.qvel
        now = reference.begin + k * reference.step
        offset = data.xpos[humanoid.body] - targets[k]
        error[k] = np.sqrt(np.einsum("ja,ja->j", offset, offset)).mean()
        # A NaN fails this comparison as well.
        if not error[k] <= fall_distance:
            fault = f"fell: mean joint error {error[k]:.2f} m at {now:.2f} s"
        elif any(data.warning.number):
            fault = f"simulator warning at {now:.2f} s"
        if fault or k == count:
            done = k
            break
        controller.control(data, guide, k)
        ctrl[k], wrench[k] = data.ctrl, data.qfrc_applied[:6]
        mujoco.mj_step2(model, data)
        force[k] = np.sqrt(data.qfrc_constraint[:3] @ data.qfrc_constraint[:3])
        slip[k] = contact_slip(data)
        if substeps > 1:
            mujoco.mj_step(model, data, substeps - 1)
    norm = np.sqrt(
        (wrench[:done, :3] ** 2).sum(1) + (wrench[:done, 3:] ** 2).sum(1) / controller.lever**2
    )
    return Rollout(
        step=reference.step,
        substeps=substeps,
        qpos=qpos[: done + 1],
        qvel=qvel[: done + 1],
        ctrl=ctrl[:done],
        assistance=wrench[:done],
        assistance_norm=norm,
        contact_force=force[:done],
        slip=slip[:done],
        error=error[: done + 1],
        fault=fault,
    )
