"""Where to step next, and how to lean: model-predictive control of the centre of mass.

A body that is pushed off its path steps somewhere else. Many times a second the next moments are
planned anew from where the simulated body really is. With the centre of mass c, its height z and
the angular momentum L of the reference, the zero-moment point

    p = c - z c'' / (g + z'') + (-L'_y, L'_x) / (m (g + z''))                                (1)

has to lie in the hull of the contacts. Feet that stand are where they are; those that have yet to
land may land elsewhere than in the reference, by offsets o. All is linear in c'' and o, so that

    min  sum |c - c_ref - o|^2 + tau^4 |c'' - c''_ref|^2 + offsets |o|^2 + slack + end          (2)

is a quadratic programme; `end` is the distance of the last capture point from the reference's.
Herdt et al., Online walking motion generation with automatic footstep placement (2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from physics.balance import LEAST_LIFT, sides_of
from physics.dynamics import GRAVITY
from physics.quadratic import minimise

TOUCHING = 0.012  # m: a planned point of the reference that is higher has not landed yet
LEAST_HEIGHT = 0.3  # m: lower bodies fall as fast as one of this height


@dataclass(frozen=True)
class PreviewConfig:
    """Settings of the preview.

    Attributes:
        horizon: how far ahead it looks, s; 0 does without, 1.2 is a step or two.
        interval: time between two plans, and of one piece of a plan, s.
        margin: how far inside the hull the zero-moment point stays, m.
        period: tau of (2), s.
        place: cost of a centre of mass away from its reference.
        offsets: cost of a foot away from its place.
        slack: cost of a zero-moment point outside.
        end: cost of the last capture point's distance.
        farthest: greatest offset of a step, m.
    """

    horizon: float = 0.0
    interval: float = 0.04
    margin: float = 0.01
    period: float = 0.1
    place: float = 1.0
    offsets: float = 6.0
    slack: float = 300.0
    end: float = 20.0
    farthest: float = 0.4


class Preview:
    """Plans for one rollout; the feet are two, and their points F."""

    def __init__(
        self,
        config: PreviewConfig,
        step: float,
        centre: np.ndarray,
        acceleration: np.ndarray,
        torque: np.ndarray,
        feet: np.ndarray,
        stance: np.ndarray,
        sides: np.ndarray,
        others: np.ndarray,
    ):
        """Prepare a reference of K + 1 control times, `step` s apart.

        Args:
            config: settings.
            step: s.
            centre: (K + 1, 3) centre of mass, m.
            acceleration: (K + 1, 3) of it, m/s^2.
            torque: (K + 1, 3) rate of the angular momentum for each kg, m^2/s^2.
            feet: (K + 1, F, 3) points of the feet, m.
            stance: (K + 1, F) bool, which of them the plan has on the floor.
            sides: (F,) 0 or 1, the foot of each point.
            others: (K + 1,) bool, when other parts of the body carry it.
        """
        self.config, self.step = config, step
        self.stride = max(1, round(config.interval / step))
        self.dt = self.stride * step
        pick = slice(None, None, self.stride)
        self._centre, self._wish = centre[pick, :2], acceleration[pick, :2]
        lift = GRAVITY + np.maximum(acceleration[pick, 2], (LEAST_LIFT - 1) * GRAVITY)
        self._lever = centre[pick, 2] / lift
        self._turn = torque[pick][:, (1, 0)] * (-1.0, 1.0) / lift[:, None]
        self._rate = np.sqrt(GRAVITY / np.maximum(centre[pick, 2], LEAST_HEIGHT))
        self._others = others[pick]
        self._sides, self._feet, self._stance = sides, feet, stance
        grid = stance[pick] & (feet[pick, :, 2] < TOUCHING)
        self._planes = [
            sides_of(points[on, :2]) if on.any() else np.empty((0, 3))
            for points, on in zip(feet[pick], grid)
        ]
        self._on = np.stack([grid[:, sides == s].any(axis=1) for s in (0, 1)], axis=1)  # (G, 2)
        begins = self._on & ~np.concatenate([np.zeros((1, 2), bool), self._on[:-1]])
        self._phase = np.where(self._on, np.cumsum(begins, axis=0), 0)  # (G, 2); 0 is swing
        still = len(self._centre) < 2
        self._speed = 0 * self._centre if still else np.gradient(self._centre, self.dt, axis=0)
        self._left = np.zeros((2, 2))  # offset with which each foot last stood
        self._next = np.zeros((2, 2))  # offset with which it shall stand next
        n = max(1, round(config.horizon / self.dt))
        index = np.arange(n + 1)[:, None] - np.arange(n)[None]
        self._place = np.where(index > 0, (index - 0.5) * self.dt**2, 0.0)  # (n + 1, n)
        self._pace = np.where(index > 0, self.dt, 0.0)

    def plan(self, k: int, centre: np.ndarray, velocity: np.ndarray, points: np.ndarray) -> None:
        """Plan from control step k, a multiple of `stride`.

        Args:
            k: control step.
            centre: (2,) where the centre of mass is, m.
            velocity: (2,) its velocity, m/s.
            points: (C, 2) where the points that may carry force are, the feet's first, m.
        """
        g = k // self.stride
        self._start, self._from, self._velocity = k, centre.copy(), velocity.copy()
        for side in np.flatnonzero(self._on[g]):
            standing = np.flatnonzero(self._stance[k] & (self._sides == side))
            if len(standing):
                offsets = points[standing] - self._feet[k, standing, :2]
                self._left[side] = offsets.mean(axis=0)
        n = min(len(self._place) - 1, len(self._centre) - g)
        span = slice(g, g + n)
        shift = self._shifts(span)
        hessian, linear = self._wishes(span, shift)
        rows, limits, equal = self._limits(span, shift)
        size = n + shift.share.shape[1]
        x = minimise(
            block_diag(hessian, hessian, self.config.slack * np.eye(n)),
            np.concatenate([linear[:, 0], linear[:, 1], np.zeros(n)]),
            rows,
            limits,
            equal,
        )
        if x is None:
            self._acceleration = self._wish[g].copy()
            return
        self._acceleration = np.array([x[0], x[size]])
        offsets = np.stack([x[n:size], x[size + n : 2 * size]], axis=1)
        for side, first in shift.first.items():
            self._next[side] = offsets[first]

    def _shifts(self, span: slice) -> _Shift:
        """How the offsets of feet move the contacts: those that stand, and those that will."""
        on, phase = self._on[span], self._phase[span]
        parts = np.maximum(on.sum(axis=1), 1)
        columns, fixed, first = [], np.zeros((len(on), 2)), {}
        for side in (0, 1):
            for number in np.unique(phase[:, side][on[:, side]]):
                part = (phase[:, side] == number) / parts
                if on[0, side] and number == phase[0, side]:
                    fixed += part[:, None] * self._left[side]
                else:
                    first.setdefault(side, len(columns))
                    columns.append(part)
        share = np.stack(columns, axis=1) if columns else np.zeros((len(on), 0))
        for i in range(1, len(on)):  # in flight that of the last contact holds
            if not on[i].any():
                fixed[i], share[i] = fixed[i - 1], share[i - 1]
        return _Shift(fixed, share, first)

    def _wishes(self, span: slice, shift: _Shift) -> tuple[np.ndarray, np.ndarray]:
        """Hessian (m, m) and linear part (m, 2) of (2) for one axis' unknowns, a and o."""
        config, n = self.config, len(shift.fixed)
        j = shift.share.shape[1]
        place, pace, drift = self._motion(n)
        final = min(span.start + n, len(self._centre) - 1)
        rate = self._rate[final]
        roots = [config.place**0.5, config.period**2, config.end**0.5, config.offsets**0.5]
        matrices = [
            np.hstack([place[:n], -shift.share]),
            np.hstack([np.eye(n), np.zeros((n, j))]),
            np.hstack([place[n] + pace[n] / rate, -shift.share[-1]])[None],
            np.hstack([np.zeros((j, n)), np.eye(j)]),
        ]
        last = self._centre[final] + self._speed[final] / rate + shift.fixed[-1]
        goals = [
            self._centre[span] + shift.fixed - drift[:n],
            self._wish[span],
            (last - drift[n] - self._velocity / rate)[None],
            np.zeros((j, 2)),
        ]
        stack = np.vstack([root * matrix for root, matrix in zip(roots, matrices)])
        wanted = np.vstack([root * goal for root, goal in zip(roots, goals)])
        return stack.T @ stack + 1e-9 * np.eye(n + j), -(stack.T @ wanted)

    def _limits(self, span: slice, shift: _Shift) -> tuple[np.ndarray, np.ndarray, int]:
        """Rows and right sides for (a_x, o_x, a_y, o_y, slack), the first `equal` equalities."""
        n, j = shift.share.shape
        size = n + j
        place, _, drift = self._motion(n)
        moments = [i for i in range(n) if not self._others[span][i]]
        hulls = [self._planes[span.start + i] for i in moments]
        row = np.repeat(moments, [len(hull) for hull in hulls]).astype(int)
        planes = np.concatenate([np.empty((0, 3)), *hulls])
        point = np.hstack([place[:n] - np.diag(self._lever[span]), -shift.share])[row]
        base = (drift[:n] + self._turn[span] - shift.fixed)[row]
        slack = -np.eye(n)[row]
        inside = np.hstack([planes[:, :1] * point, planes[:, 1:2] * point, slack])
        depth = -planes[:, 2] - self.config.margin - (planes[:, :2] * base).sum(axis=1)
        air = np.flatnonzero(~self._on[span].any(axis=1) & ~self._others[span])
        unknown = np.eye(2 * size + n)
        free = unknown[np.concatenate([air, size + air])]
        steps = unknown[np.concatenate([n + np.arange(j), size + n + np.arange(j)])]
        farthest = np.full(4 * j, self.config.farthest)
        return (
            np.vstack([free, inside, steps, -steps]),
            np.concatenate([np.zeros(len(free)), depth, farthest]),
            len(free),
        )

    def _motion(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places (n + 1,) as a matrix of accelerations, velocities too, and places without any."""
        time = np.arange(n + 1) * self.dt
        drift = self._from + time[:, None] * self._velocity
        return self._place[: n + 1, :n], self._pace[: n + 1, :n], drift

    def at(self, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Place, velocity and acceleration (2,) that the centre of mass shall have at step k."""
        time = (k - self._start) * self.step
        velocity = self._velocity + time * self._acceleration
        place = self._from + time * self._velocity + time**2 / 2 * self._acceleration
        return place, velocity, self._acceleration

    def landing(self, k: int) -> np.ndarray:
        """How far (F, 2) from the reference each foot's points are to be, m: feet in the air."""
        g = min(k // self.stride, len(self._on) - 1)
        out = self._left.copy()
        for side in (0, 1):
            after = np.flatnonzero(self._on[g:, side])
            if self._on[g, side] or not len(after):
                continue
            before = np.flatnonzero(self._on[:g, side])
            begin, end = (before[-1] if len(before) else 0), g + after[0]
            part = np.clip((k / self.stride - begin) / max(end - begin, 1), 0.0, 1.0)
            out[side] += part * (self._next[side] - self._left[side])
        return out[self._sides]


@dataclass(frozen=True)
class _Shift:
    """How far the contacts of n moments are from those of the reference: fixed + share @ o.

    Attributes:
        fixed: (n, 2) by the feet that stand, m.
        share: (n, j) of each offset o of a landing to come, (j, 2).
        first: for each side the number of its next landing's offset.
    """

    fixed: np.ndarray
    share: np.ndarray
    first: dict[int, int]
