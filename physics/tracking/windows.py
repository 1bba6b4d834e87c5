"""How is a clip of minutes tracked? Window by window, each from where the last one ended.

A window is simulated to its end and a little further, so that it does not hand over a body that is
about to fall; the next starts from the simulated state at its end. A window that falls is tried
with the next setting from the same state, so that a fall costs its own window and not the clip;
so is one that stands and strays far, and the one that strayed and slid least is taken.
One that no setting saves is left to the reference, and the window after it starts from there.
A clip of up to a window and a half is one window.
"""

# MuJoCo's bindings have no type stubs.
# pyright: reportAttributeAccessIssue=false
from collections.abc import Callable
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from physics.dynamics import Reference
from physics.humanoid import Humanoid
from physics.tracking.rollout import Rollout, State, chained, cut

OVER = "stopped: the time for one clip is over"
FADE = 0.3  # s in which the place of a simulated body fades into that of the reference

Attempt = Callable[[int, int, int, State | None], Rollout]


@dataclass(frozen=True)
class Window:
    """What became of the control steps from `first` to `last`.

    Attributes:
        first: control step at which it starts.
        last: control step at which it ends.
        rollout: of these steps; of the first setting up to the fall where none stood.
        rung: number of the setting that stood; None if none did.
    """

    first: int
    last: int
    rollout: Rollout
    rung: int | None


def track_windows(
    count: int,
    length: int,
    overlap: int,
    rungs: int,
    attempt: Attempt,
    good_enough: Callable[[int, Rollout], bool] = lambda rung, rollout: True,
    expired: Callable[[], bool] = lambda: False,
) -> list[Window]:
    """Track a clip of `count` control steps.

    Args:
        count: control steps of the clip.
        length: of a window, control steps.
        overlap: how far a window is simulated past its end, control steps.
        rungs: number of settings.
        attempt: simulates with setting r the control steps from a to b, from a state or, without
            one, from the reference's: `attempt(r, a, b, state)`.
        good_enough: whether to try no further setting than this, which stood.
        expired: whether the time for this clip is over; what is left then counts as fallen.
    """
    windows: list[Window] = []
    first, state = 0, None
    while not windows or first < count:
        last = count if count - first <= 1.5 * length else first + length
        fallen, stood = None, None
        if windows and expired():
            fallen = replace(cut(windows[-1].rollout, 0), fault=OVER)
        for rung in range(rungs):
            if (fallen is not None or stood is not None) and expired():
                break
            whole = attempt(rung, first, min(last + overlap, count), state)
            rollout = cut(whole, last - first)
            if whole.fault:
                fallen = whole if fallen is None else fallen
            elif stood is None or rollout.loss < stood.rollout.loss:
                stood = Window(first, last, rollout, rung)
            if stood is not None and good_enough(rung, stood.rollout):
                break
        if stood is not None:
            windows.append(stood)
            state = stood.rollout.state(-1)
        else:
            assert fallen is not None
            windows.append(Window(first, last, cut(fallen, last - first), None))
            state = None
        first = last
    return windows


def joined(windows: list[Window], humanoid: Humanoid, reference: Reference) -> Rollout:
    """One rollout of all windows; those that fell are the reference, without any force."""
    pieces: list[Rollout] = []
    for window in windows:
        piece = window.rollout
        if window.rung is None:
            before = pieces[-1].qpos[-1] if pieces else None
            piece = _unsimulated(window, humanoid, reference, before)
        pieces.append(piece)
    return replace(chained(pieces), fault="")


def _unsimulated(
    window: Window, humanoid: Humanoid, reference: Reference, before: np.ndarray | None
) -> Rollout:
    """The reference's own states in a window, drawn to the state `before` at its start."""
    steps = slice(window.first, window.last + 1)
    qpos, qvel = reference.qpos[steps].copy(), reference.qvel[steps]
    if before is not None:
        offset = np.empty(humanoid.model.nv)
        mujoco.mj_differentiatePos(humanoid.model, offset, 1.0, qpos[0], before)
        for k, row in enumerate(qpos):
            part = np.exp(-((k * reference.step / FADE) ** 2))
            mujoco.mj_integratePos(humanoid.model, row, offset, part)
    count = window.last - window.first
    return replace(
        window.rollout,
        qpos=qpos,
        qvel=qvel,
        warm=np.zeros((count + 1, humanoid.model.nv + 6)),
        ctrl=np.zeros((count, humanoid.model.nu)),
        assistance=np.zeros((count, 6)),
        assistance_norm=np.zeros(count),
        contact_force=np.zeros(count),
        slip=np.zeros(count),
        error=np.zeros(count + 1),
    )
