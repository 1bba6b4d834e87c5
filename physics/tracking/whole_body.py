"""Torques that follow a reference while the floor alone holds the body up, as far as it can.

Wished are the accelerations a* = a_ref + kp (q_ref - q) + kd (v_ref - v), and that corners in
stance stay where they are. Of the equations of motion

    M a + h = S'tau + sum_c J_c' f_c + w                                                     (1)

only the six rows of the root bind, since the motors act on every other row. With quadratic
costs Q on a - a* (and on the acceleration of stance corners) the accelerations are eliminated:
A = first six rows of M, r = A a_0 + h the wrench that the wish needs, G = A inv(Q) A',

    min over f in the friction pyramids of 1/2 |B f - r|^2 in the metric inv(G).             (2)

The horizontal force in r is another one than the wish needs: the one that brings the capture
point xi = c + c'/omega of the centre of mass c back to the reference's,

    c'' = c''_ref + omega^2 [(c - c_ref) - (1 + k) (xi - xi_ref)],   omega^2 = g / z,         (3)

which moves the zero-moment point by (1 + k) times the capture point's error, and does not ask for
more than feet can do. Whatever the floor cannot give (r - B f) may come from assistance w, up to
its budget; the rest becomes a change of acceleration, a = a_0 + inv(Q) A' inv(G) (B f + w - r_0)
with the wrench r_0 that the wish needs. Torques follow from (1). Compare Herzog et al., Momentum
control with hierarchical inverse dynamics (2016), and for (3) Englsberger et al., Bipedal walking
control based on the divergent component of motion (2015).
"""

# MuJoCo's bindings have no type stubs.
# pyright: reportAttributeAccessIssue=false
from dataclasses import dataclass
from typing import NamedTuple

import mujoco
import numpy as np

from physics.dynamics import GRAVITY, Reference
from physics.humanoid import Humanoid
from physics.tracking.cones import pyramid_edges, solve_cone
from physics.tracking.preview import LEAST_HEIGHT, Preview

FALLING_RATE = 3.3  # 1/s: sqrt(g / height of the centre of mass), of the inverted pendulum


@dataclass(frozen=True)
class Gains:
    """How stiffly the reference is followed.

    Attributes:
        joint_frequency: natural frequency of the joints' error, rad/s.
        joint_damping: damping ratio of the joints' error.
        root_frequency: the same for the root's position, rad/s.
        root_damping: damping ratio of the root's position.
        turn_frequency: the same for the root's rotation, rad/s.
        turn_damping: damping ratio of the root's rotation.
        root_weight: cost of a change of the root's linear acceleration against that of a joint's.
        turn_weight: the same for the root's angular acceleration.
        stance_weight: cost of an acceleration of a corner in stance, against that of a joint's.
        stance_damping: rate at which a corner in stance loses its velocity, 1/s.
        friction: friction coefficient that is counted on.
        reach: height below which a planned point is held and counted on to carry force, m; a force
            that is counted on too early is not there, and its torques slam the foot down.
        touch: the same for a point that is not planned, m.
        low: height in the reference below which an unplanned point may carry force, m.
        slow: speed in the reference below which it may, m/s.
        near: height at which a force counts twice as expensive as at the floor, m.
        landing_frequency: stiffness that draws planned points down to the floor, rad/s.
        swing_weight: cost of a vertical acceleration error of a foot point out of stance.
        swing_level_weight: the same for a horizontal one.
        capture: how far swinging feet follow the error of the root's capture point; 1 is all.
        swing_height: height in the reference from which that cost fades; it is 0 at twice it, m.
        swing_frequency: natural frequency of the error of such a point, rad/s.
        swing_damping: damping ratio of that error.
        swing_sigma: Gaussian smoothing of such a point's acceleration, s.
        balance: k of (3): how much faster the capture point's error shrinks than it would grow.
        balance_reach: how far the zero-moment point is moved at most, m.
        height_frequency: natural frequency of the error of the centre of mass's height, rad/s;
            0 leaves the height to the root's.
        height_damping: damping ratio of that error.
        height_sigma: Gaussian smoothing of the vertical acceleration that is asked for, s: take-off
            ends at once, unlike anything else that a body does.
        landing_time: time before landing from which a foot is guided in the world whatever its
            height, s; fades in over as long.
    """

    joint_frequency: float = 25.0
    joint_damping: float = 0.7
    root_frequency: float = 12.0
    root_damping: float = 1.0
    turn_frequency: float = 15.0
    turn_damping: float = 1.0
    root_weight: float = 100.0
    turn_weight: float = 30.0
    stance_weight: float = 10.0
    stance_damping: float = 20.0
    friction: float = 0.8
    reach: float = 0.01
    touch: float = 0.01
    low: float = 0.015
    slow: float = 0.6
    near: float = 0.003
    landing_frequency: float = 20.0
    swing_weight: float = 3.0
    swing_level_weight: float = 3.0
    capture: float = 0.7
    swing_height: float = 0.06
    swing_frequency: float = 25.0
    swing_damping: float = 1.0
    swing_sigma: float = 0.02
    balance: float = 2.0
    balance_reach: float = 0.5
    height_frequency: float = 20.0
    height_damping: float = 1.0
    height_sigma: float = 0.015
    landing_time: float = 0.15


@dataclass(frozen=True)
class Guide:
    """What a controller follows; C points may carry force, the first F are those of the feet.

    Attributes:
        reference: K + 1 control times.
        stance: (K + 1, C) which points the plan has on the floor.
        low: (K + 1, C) which points of the reference are so low and slow that touching is
            no accident.
        feet: (K + 1, F, 3) positions of the feet's points in the reference, m.
        feet_speed: (K + 1, F, 3) their velocities, m/s.
        feet_acceleration: (K + 1, F, 3) their accelerations, smoothed, m/s^2.
        centre: (K + 1, 3) centre of mass in the reference, m.
        centre_speed: (K + 1, 3) its velocity, m/s.
        centre_acceleration: (K + 1, 3) its acceleration, smoothed, m/s^2.
        rise: (K + 1,) its vertical acceleration, smoothed less, m/s^2.
        landing: (K + 1, F) how near each foot is to landing, 0 to 1.
        preview: plans steps and the centre of mass anew in the simulation, or None.
    """

    reference: Reference
    stance: np.ndarray
    low: np.ndarray
    feet: np.ndarray
    feet_speed: np.ndarray
    feet_acceleration: np.ndarray
    centre: np.ndarray
    centre_speed: np.ndarray
    centre_acceleration: np.ndarray
    rise: np.ndarray
    landing: np.ndarray
    preview: Preview | None = None


class _Swing(NamedTuple):
    """What feet in the air shall do at one control time; `landing` as in `Guide`."""

    place: np.ndarray
    speed: np.ndarray
    acceleration: np.ndarray
    landing: np.ndarray


class WholeBodyController:
    """Computes `ctrl` and the root's assistance for one humanoid; made once for each rollout.

    Motions of bodies and wrenches on them are MuJoCo's spatial vectors about the body's centre of
    mass (rotation first): `cdof` (nv, 6) maps joint velocities to them, and a point at r from that
    centre moves with S = [-[r]x, I] times the spatial velocity of its body.

    Attributes:
        dual: (6,) multipliers of the last control step, where the solver of the next one starts.
    """

    def __init__(
        self,
        humanoid: Humanoid,
        points: np.ndarray,
        joints: np.ndarray,
        gains: Gains,
        budget: float,
    ):
        """A controller.

        Args:
            humanoid: the body.
            points: (C, 3) points that may carry force, from their joint in its rest frame, m.
            joints: (C,) SMPL joint of each point.
            gains: how stiffly to follow.
            budget: greatest assistance, N; a torque counts with the height of the pelvis as lever.
        """
        self.humanoid, self.gains, self.budget = humanoid, gains, budget
        model = humanoid.model
        self._offsets, self._carrier = points, humanoid.body[joints]
        # Which degrees of freedom move which body.
        self._moves = np.zeros((model.nbody, model.nv))
        for body in range(1, model.nbody):
            start = model.body_dofadr[body]
            self._moves[body] = self._moves[model.body_parentid[body]]
            self._moves[body, start : start + model.body_dofnum[body]] = 1.0
        self._edges = pyramid_edges(gains.friction)
        root, turn, joint = slice(0, 3), slice(3, 6), slice(6, model.nv)
        self._stiffness, self._damping, self._weight = np.ones((3, model.nv))
        for rows, frequency, ratio, cost in (
            (root, gains.root_frequency, gains.root_damping, gains.root_weight),
            (turn, gains.turn_frequency, gains.turn_damping, gains.turn_weight),
            (joint, gains.joint_frequency, gains.joint_damping, 1.0),
        ):
            self._stiffness[rows] = frequency**2
            self._damping[rows] = 2 * ratio * frequency
            self._weight[rows] = cost
        # MuJoCo's Euler step treats joint damping implicitly: it adds h * damping to the inertia.
        self._implicit = np.diag(model.opt.timestep * model.dof_damping)
        sole = humanoid.skeleton.surface_points[:, 1].min()
        self.lever = float(humanoid.skeleton.rest[0, 1] - sole)
        self.assistance = np.zeros(6)
        self._inertia = np.empty((model.nv, model.nv))
        self._error = np.empty(model.nv)
        self.dual = np.zeros(6)
        self._used: dict[bytes, np.ndarray] = {}

    def control(self, data: mujoco.MjData, guide: Guide, k: int) -> None:
        """Set `data.ctrl` and `data.qfrc_applied` for control step k.

        `data` is as `mj_step1` leaves it.
        """
        model, gains = self.humanoid.model, self.gains
        qpos, qvel, qacc = guide.reference.qpos[k], guide.reference.qvel[k], guide.reference.qacc[k]
        stance, low = guide.stance[k], guide.low[k]
        # A body that falls forwards has to step further: the capture point's error moves the feet.
        feet = guide.feet[k].copy()
        if guide.preview is None:
            stray = (data.qvel[:2] - qvel[:2]) / FALLING_RATE + data.qpos[:2] - qpos[:2]
            feet[:, :2] += gains.capture * stray
        else:
            feet[:, :2] += self._preview(data, guide.preview, k)
        swing = _Swing(feet, guide.feet_speed[k], guide.feet_acceleration[k], guide.landing[k])
        mujoco.mj_fullM(model, data, self._inertia)
        inertia = self._inertia + self._implicit
        bias = data.qfrc_bias - data.qfrc_passive
        mujoco.mj_differentiatePos(model, self._error, 1.0, data.qpos, qpos)
        wish = qacc + self._stiffness * self._error + self._damping * (qvel - data.qvel)

        points = self.point_positions(data)
        height = points[:, 2]
        transport = _transport(points - data.subtree_com[1])  # S, (C, 3, 6)
        held = stance & (height < gains.reach)
        root_rows = inertia[:6]
        wish, response = self._place(data, held, points, swing, transport, wish, root_rows)
        metric = np.linalg.inv(root_rows @ response)
        need = root_rows @ wish + bias[:6]
        near = np.flatnonzero(held | (low & (height < gains.touch)))
        given, contact = np.zeros(6), 0.0
        target = need
        if len(near):
            target = need + self._balance(data, guide, k, need)
            given, contact = self._push(data, near, height[near], transport[near], target, metric)
        if self.budget > 0:
            lack = target - given
            size = np.sqrt(lack[:3] @ lack[:3] + (lack[3:] @ lack[3:]) / self.lever**2)
            self.assistance[:] = lack * min(1.0, self.budget / max(size, 1e-12))
            data.qfrc_applied[:6] = self.assistance
        acceleration = wish - response @ (metric @ (need - given - self.assistance))
        torque = inertia @ acceleration + bias - contact
        limit = self.humanoid.torque_limit
        data.ctrl[:] = np.minimum(np.maximum(torque[6:], -limit), limit)

    @property
    def point_count(self) -> int:
        """Number of points that may carry force."""
        return len(self._offsets)

    def point_positions(self, data: mujoco.MjData) -> np.ndarray:
        """World positions (C, 3) of the points that may carry force."""
        frames = data.xmat[self._carrier].reshape(-1, 3, 3)
        return data.xpos[self._carrier] + (frames @ self._offsets[:, :, None])[..., 0]

    def _place(self, data, held, points, swing, transport, wish, root_rows):
        """The wish a_0 and inv(Q) A' when held points are to stay and feet to keep their height."""
        gains = self.gains
        weight = np.zeros((len(held), 3))
        fade = np.minimum(np.maximum(2.0 - swing.place[:, 2] / gains.swing_height, 0.0), 1.0)
        fade = np.maximum(fade, swing.landing)
        weight[: len(fade), 2] = gains.swing_weight * fade
        weight[: len(fade), :2] = gains.swing_level_weight * fade[:, None]
        weight[held] = gains.stance_weight
        rows = weight.any(axis=1)
        if not rows.any():
            return wish, root_rows.T / self._weight[:, None]
        transport, carrier = transport[rows], self._carrier[rows]
        velocity = data.cvel[carrier]  # (n, 6)
        speed = (transport @ velocity[:, :, None])[..., 0]
        moves = self._moves[carrier]
        # Acceleration of the point at zero joint acceleration: spatial part and omega x v.
        drift = (transport @ ((moves * data.qvel) @ data.cdof_dot)[:, :, None])[..., 0]
        drift += _cross(velocity[:, :3], speed)
        target = -gains.stance_damping * speed
        target[:, 2] -= gains.landing_frequency**2 * points[rows, 2]
        up = np.flatnonzero(~held[rows])
        free = np.flatnonzero(rows)[up]
        omega = gains.swing_frequency
        target[up] = (
            swing.acceleration[free]
            + omega**2 * (swing.place[free] - points[free])
            + 2 * omega * gains.swing_damping * (swing.speed[free] - speed[up])
        )
        used = self._columns(carrier)
        jacobian = transport @ (data.cdof[used].T * moves[:, None, used])  # (n, 3, u)
        active = weight[rows].ravel() > 0
        root = np.sqrt(weight[rows].ravel()[active])
        jacobian = jacobian.reshape(-1, len(used))[active] * root[:, None]
        quad = jacobian.T @ jacobian
        quad.ravel()[:: len(used) + 1] += self._weight[used]
        right = np.empty((len(used), 7))
        right[:, :6] = root_rows[:, used].T
        lag = (target - drift).ravel()[active] * root - jacobian @ wish[used]
        right[:, 6] = lag @ jacobian
        solved = np.linalg.solve(quad, right)
        wish, response = wish.copy(), root_rows.T / self._weight[:, None]
        response[used] = solved[:, :6]
        wish[used] += solved[:, 6]
        return wish, response

    def _balance(self, data, guide, k, need):
        """What (3) and the height ask for beyond the wrench `need` (6,): a force at the centre."""
        mujoco.mj_subtreeVel(self.humanoid.model, data)
        centre = data.subtree_com[1]
        rate = np.sqrt(GRAVITY / max(guide.centre[k, 2], LEAST_HEIGHT))
        place, speed = guide.centre[k, :2], guide.centre_speed[k, :2]
        acceleration = guide.centre_acceleration[k, :2]
        if guide.preview is not None:
            place, speed, acceleration = guide.preview.at(k)
        error = centre[:2] - place
        capture = error + (data.subtree_linvel[1, :2] - speed) / rate
        move = (1.0 + self.gains.balance) * capture
        move *= min(1.0, self.gains.balance_reach / max(np.sqrt(move @ move), 1e-12))
        wanted = acceleration + rate**2 * (error - move)
        x, y = self.humanoid.mass * wanted - need[:2]
        arm = centre - data.qpos[:3]
        z = self._rise(data, guide, k) - need[2] if self.gains.height_frequency > 0 else 0.0
        torque = _cross(arm[None], np.array([[x, y, z]]))[0]
        return np.concatenate([[x, y, z], data.xmat[1].reshape(3, 3).T @ torque])

    def _rise(self, data, guide, k):
        """The vertical force that keeps the centre of mass at its height, N."""
        omega, ratio = self.gains.height_frequency, self.gains.height_damping
        lack = guide.centre[k, 2] - data.subtree_com[1, 2]
        slow = guide.centre_speed[k, 2] - data.subtree_linvel[1, 2]
        up = guide.rise[k] + omega**2 * lack + 2 * ratio * omega * slow
        return self.humanoid.mass * (up + GRAVITY)

    def _preview(self, data, preview, k):
        """How far from the reference feet in the air shall land, (F, 2)."""
        if k % preview.stride == 0:
            mujoco.mj_subtreeVel(self.humanoid.model, data)
            centre, velocity = data.subtree_com[1, :2], data.subtree_linvel[1, :2]
            preview.plan(k, centre, velocity, self.point_positions(data)[:, :2])
        return preview.landing(k)

    def _columns(self, carrier: np.ndarray) -> np.ndarray:
        """The degrees of freedom that move any of the bodies."""
        key = carrier.tobytes()
        if key not in self._used:
            self._used[key] = np.flatnonzero(self._moves[carrier].any(axis=0))
        return self._used[key]

    def _push(self, data, near, height, transport, need, metric):
        """Root wrench (6,) and generalised force (nv,) of the best contact forces."""
        gains = self.gains
        wrenches = self._edges @ transport  # (n, 4, 6)
        # A force at a point that is still in the air will not be there: let it cost more.
        wrenches /= (1.0 + np.maximum(height, 0.0) / gains.near)[:, None, None]
        columns = data.cdof[:6] @ wrenches.reshape(-1, 6).T  # (6, 4n)
        half = np.linalg.cholesky(metric).T
        coefficients, self.dual = solve_cone(half @ columns, half @ need, 1e-6, self.dual)
        totals = (coefficients.reshape(-1, 1, 4) @ wrenches)[:, 0]  # (n, 6)
        contact = (self._moves[self._carrier[near]].T * (data.cdof @ totals.T)).sum(axis=1)
        return columns @ coefficients, contact


def _transport(arms: np.ndarray) -> np.ndarray:
    """S = [-[r]x, I] (n, 3, 6) of arms r (n, 3)."""
    out = np.zeros((len(arms), 3, 6))
    x, y, z = arms.T
    out[:, 0, 1], out[:, 0, 2] = z, -y
    out[:, 1, 0], out[:, 1, 2] = -z, x
    out[:, 2, 0], out[:, 2, 1] = y, -x
    out[:, 0, 3] = out[:, 1, 4] = out[:, 2, 5] = 1.0
    return out


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products of rows; np.cross costs ten times as much on small arrays."""
    return a[:, (1, 2, 0)] * b[:, (2, 0, 1)] - a[:, (2, 0, 1)] * b[:, (1, 2, 0)]
