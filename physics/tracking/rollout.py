"""Runs a controller in the simulation and records what happened.

A simulation can be taken up again at any control time of a rollout, and goes on with the same bits:
its state holds what the solvers of contact start from, too.
"""

# MuJoCo's bindings have no type stubs.
# pyright: reportAttributeAccessIssue=false
from collections.abc import Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from physics.dynamics import Reference
from physics.humanoid import Humanoid
from physics.tracking.guide import guide_of, nudged
from physics.tracking.preview import PreviewConfig
from physics.tracking.slip import contact_slip
from physics.tracking.whole_body import WholeBodyController

FALL_DISTANCE = 0.5  # m: mean joint error of a fall, as in UHC and PHC

# Columns of a rollout: one row more than control steps, and one row a control step.
STATES = ("qpos", "qvel", "warm", "error")
HELD = ("ctrl", "assistance", "assistance_norm", "contact_force", "slip")


@dataclass(frozen=True)
class State:
    """What a simulation goes on from.

    Attributes:
        qpos: (99,).
        qvel: (75,).
        warm: (81,) where the solvers of contact start: the simulator's accelerations (75,), the
            controller's multipliers (6,).
    """

    qpos: np.ndarray
    qvel: np.ndarray
    warm: np.ndarray


@dataclass(frozen=True)
class Rollout:
    """What a simulation did in K control steps; after a fall K is smaller than planned.

    Attributes:
        step: time between two control times, s.
        substeps: simulation steps in a control step.
        qpos: (K + 1, 99).
        qvel: (K + 1, 75).
        warm: (K + 1, 81), of `State`.
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
    warm: np.ndarray
    ctrl: np.ndarray
    assistance: np.ndarray
    assistance_norm: np.ndarray
    contact_force: np.ndarray
    slip: np.ndarray
    error: np.ndarray
    fault: str

    def __len__(self) -> int:
        return len(self.ctrl)

    @property
    def loss(self) -> float:
        """Greatest distance to the reference, and how far loaded feet slide in a second, m."""
        return float(self.error.max() + (self.slip.mean() if len(self) else 0.0))

    def state(self, k: int) -> State:
        """The state at a control time; -1 is the last."""
        return State(self.qpos[k], self.qvel[k], self.warm[k])


def cut(rollout: Rollout, steps: int) -> Rollout:
    """The first control steps of a rollout."""
    if steps >= len(rollout):
        return rollout
    states = {name: getattr(rollout, name)[: steps + 1] for name in STATES}
    held = {name: getattr(rollout, name)[:steps] for name in HELD}
    return replace(rollout, **states, **held)


def chained(pieces: Sequence[Rollout]) -> Rollout:
    """One rollout of several, each from where the one before ends, with the fault of the last."""
    states = {}
    for name in STATES:
        rows = [getattr(piece, name) for piece in pieces]
        states[name] = np.concatenate([*(some[:-1] for some in rows[:-1]), rows[-1]])
    held = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in HELD}
    return replace(pieces[-1], **states, **held)


class Course:
    """A reference and the controller that follows it, to be simulated from any control time on."""

    def __init__(
        self,
        humanoid: Humanoid,
        controller: WholeBodyController,
        reference: Reference,
        stance: np.ndarray,
        fall_distance: float = FALL_DISTANCE,
        preview: PreviewConfig | None = None,
    ):
        """Prepare what the controller follows.

        Args:
            humanoid: the body.
            controller: its controller.
            reference: K + 1 control times.
            stance: (K + 1, C) which of the controller's points the plan has on the floor.
            fall_distance: mean joint error that ends a simulation, m.
            preview: of the steps, if it has a horizon.
        """
        self.humanoid, self.controller, self.reference = humanoid, controller, reference
        self.fall_distance = fall_distance
        self._targets, self._guide = guide_of(humanoid, controller, reference, stance, preview)

    def __len__(self) -> int:
        return len(self.reference)

    def steps(self, seconds: float) -> int:
        """So many seconds in control steps."""
        return round(seconds / self.reference.step)

    def start(self) -> State:
        """The state of the reference at its first control time."""
        first = self.reference.qpos[0], self.reference.qvel[0]
        return State(*first, np.zeros(self.humanoid.model.nv + 6))

    def simulate(
        self,
        start: State | None = None,
        first: int = 0,
        last: int | None = None,
        nudge: np.ndarray | None = None,
    ) -> Rollout:
        """Track the reference from control time `first` to `last`, or to a fall.

        Args:
            start: where from; the reference's own first state if None.
            first: control time.
            last: control time; the reference's last if None.
            nudge: (K + 1, 7) how far centre of mass and feet shall be from the reference's, m
                (`guide.nudged`).
        """
        model, controller, reference = self.humanoid.model, self.controller, self.reference
        count = (len(reference) if last is None else last) - first
        substeps = round(reference.step / model.opt.timestep)
        guide = self._guide if nudge is None else nudged(self._guide, self.humanoid, nudge)
        data = mujoco.MjData(model)
        start = start or self.start()
        data.qpos[:], data.qvel[:] = start.qpos, start.qvel
        data.qacc_warmstart[:], controller.dual = start.warm[:-6], start.warm[-6:]
        qpos, qvel = np.empty((count + 1, model.nq)), np.empty((count + 1, model.nv))
        warm, error = np.empty((count + 1, model.nv + 6)), np.empty(count + 1)
        ctrl, wrench = np.empty((count, model.nu)), np.empty((count, 6))
        force, slip = np.empty(count), np.empty(count)
        fault, done = "", count
        for k in range(count + 1):
            warm[k, :-6], warm[k, -6:] = data.qacc_warmstart, controller.dual
            mujoco.mj_step1(model, data)
            qpos[k], qvel[k] = data.qpos, data.qvel
            now = reference.begin + (first + k) * reference.step
            offset = data.xpos[self.humanoid.body] - self._targets[first + k]
            error[k] = np.sqrt(np.einsum("ja,ja->j", offset, offset)).mean()
            # A NaN fails this comparison as well.
            if not error[k] <= self.fall_distance:
                fault = f"fell: mean joint error {error[k]:.2f} m at {now:.2f} s"
            elif any(data.warning.number):
                fault = f"simulator warning at {now:.2f} s"
            if fault or k == count:
                done = k
                break
            controller.control(data, guide, first + k)
            ctrl[k], wrench[k] = data.ctrl, data.qfrc_applied[:6]
            mujoco.mj_step2(model, data)
            force[k] = np.sqrt(data.qfrc_constraint[:3] @ data.qfrc_constraint[:3])
            slip[k] = contact_slip(data)
            if substeps > 1:
                mujoco.mj_step(model, data, substeps - 1)
        turning = (wrench[:done, 3:] ** 2).sum(1) / controller.lever**2
        return Rollout(
            step=reference.step,
            substeps=substeps,
            qpos=qpos[: done + 1],
            qvel=qvel[: done + 1],
            warm=warm[: done + 1],
            ctrl=ctrl[:done],
            assistance=wrench[:done],
            assistance_norm=np.sqrt((wrench[:done, :3] ** 2).sum(1) + turning),
            contact_force=force[:done],
            slip=slip[:done],
            error=error[: done + 1],
            fault=fault,
        )
