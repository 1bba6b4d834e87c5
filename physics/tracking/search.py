"""What would have saved a body that falls? Go back, ask for something else, keep what stands.

Shortly before a body is lost, because it falls or strays far from where it should be, changes of
what the tracker follows are drawn at random: where the centre of mass shall be, and where the feet
shall land, at a few moments, linear in between. Each draw is simulated until some time later. The
best ones say where to draw next (cross-entropy method, Rubinstein 1999), and the simulation goes on
from the best one that stands, to its end or until the body is lost again. That is model-predictive
control by sampling (compare Howell et al., Predictive sampling, 2022), but only where something
went wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from physics.motion import MotionError
from physics.tracking.guide import NUDGES
from physics.tracking.rollout import Course, Rollout, chained, cut

FADE = 0.3  # s in which a change is over, after the last moment that was drawn
ELITE = 4  # how many of the draws say where to draw next
KEPT = 0.2  # share of a round's centre and width that the next keeps
NARROWEST = 0.3  # share of the first round's width that every round keeps


@dataclass(frozen=True)
class SearchConfig:
    """Settings of the search.

    Attributes:
        samples: draws in a round; 0 does without a search.
        distance: mean joint error from which a body that stands is lost, m.
        rounds: at most; one whose best draw stays near is the last.
        leads: how long before the loss the changes begin, tried in turn, s.
        margin: how long after it a draw has to stand, s.
        interval: time between two moments for which changes are drawn, s.
        centre: standard deviation of where the centre of mass shall be, horizontally, m.
        height: the same, vertically, m.
        feet: standard deviation of where a foot shall land, m.
        effort: how much is simulated at most, in lengths of the clip.
    """

    samples: int = 16
    distance: float = 0.25
    rounds: int = 3
    leads: tuple[float, ...] = (0.7, 1.4)
    margin: float = 0.8
    interval: float = 0.2
    centre: float = 0.05
    height: float = 0.03
    feet: float = 0.1
    effort: float = 60.0

    def __post_init__(self):
        for name, least in (("samples", 0), ("rounds", 1)):
            if getattr(self, name) < least:
                raise MotionError(f"search.{name} is {getattr(self, name)}; give {least} or more")
        if not self.leads or any(not lead > 0 for lead in self.leads):
            raise MotionError(f"search.leads is {self.leads}; give seconds before a loss")
        for name in ("distance", "margin", "interval", "centre", "height", "feet", "effort"):
            if not getattr(self, name) > 0:
                raise MotionError(f"search.{name} is {getattr(self, name)}; it must be positive")

    @property
    def widths(self) -> np.ndarray:
        """Standard deviations (7,) of a nudge."""
        return np.array([self.centre, self.centre, self.height, *[self.feet] * 4])


def search(
    course: Course,
    unchanged: Rollout,
    config: SearchConfig,
    expired: Callable[[], bool] = lambda: False,
) -> Rollout:
    """Look for changes with which a body stands that falls, or stays near that strays.

    Args:
        course: what to track.
        unchanged: what becomes of it without any change.
        config: settings.
        expired: whether the time for this clip is over.

    Returns:
        A rollout that stands, or the one without any change.
    """
    random = np.random.default_rng(0)
    nudge = np.zeros((len(course) + 1, NUDGES))
    done, seen = unchanged, 0
    left = config.effort * len(course)
    while (lost := _lost(done, seen, config.distance)) is not None:
        end = min(len(course), lost + course.steps(config.margin))
        draws: list[_Draw] = []
        for lead in config.leads:
            if left < 0 or expired():
                break
            begin = max(0, lost - course.steps(lead))
            draws.append(_best(course, config, done, (begin, end), nudge, random))
            left -= draws[-1].spent
            if draws[-1].farthest <= config.distance:
                break
        stand = [draw for draw in draws if not draw.rollout.fault]
        if stand:
            draw = min(stand, key=lambda draw: draw.farthest)
            rest = course.simulate(draw.rollout.state(-1), end, nudge=draw.nudge)
            before = cut(done, end - len(draw.rollout))
            nudge, done, seen = draw.nudge, chained([before, draw.rollout, rest]), end + 1
        elif draws and lost < len(done):
            seen = len(done)  # the next chance is where it falls
        else:
            break
    return unchanged if done.fault else done


def _lost(rollout: Rollout, seen: int, distance: float) -> int | None:
    """The first control time from `seen` on at which a body has strayed, or fallen."""
    strayed = np.flatnonzero(rollout.error[seen:] > distance)
    if len(strayed):
        return seen + int(strayed[0])
    return len(rollout) if rollout.fault else None


@dataclass(frozen=True)
class _Draw:
    """A simulated draw.

    Attributes:
        nudge: (K + 1, 7) what was asked for.
        rollout: what became of it.
        cost: the lower the better.
        spent: control steps that were simulated to find it.
    """

    nudge: np.ndarray
    rollout: Rollout
    cost: float
    spent: int = 0

    @property
    def farthest(self) -> float:
        """Greatest distance to the reference, m; infinite after a fall."""
        return np.inf if self.rollout.fault else float(self.rollout.error.max())


def _best(
    course: Course,
    config: SearchConfig,
    done: Rollout,
    span: tuple[int, int],
    nudge: np.ndarray,
    random: np.random.Generator,
) -> _Draw:
    """The best draw of changes in a span of control times, on top of those that are there."""
    begin, end = span
    start = done.state(begin)
    interval = course.steps(config.interval)
    moments = np.arange(begin, end + interval, interval)
    shape = len(moments) - 1, NUDGES  # at the first of them nothing has changed yet
    centre, width = np.zeros(shape), np.tile(config.widths, (shape[0], 1))
    best, spent = _Draw(nudge, done, np.inf), 0
    for _ in range(config.rounds):
        drawn = centre + width * random.normal(size=(config.samples, *shape))
        drawn[0] = centre
        costs = []
        for changes in drawn:
            asked = nudge + _spread(changes, moments, course.steps(FADE), len(nudge))
            rollout = course.simulate(start, begin, end, asked)
            spent += len(rollout)
            costs.append(_cost(rollout, end - begin, course.fall_distance))
            best = min(best, _Draw(asked, rollout, costs[-1]), key=lambda draw: draw.cost)
        elite = drawn[np.argsort(costs)[:ELITE]]
        centre = KEPT * centre + (1 - KEPT) * elite.mean(axis=0)
        width = KEPT * width + (1 - KEPT) * elite.std(axis=0)
        width = np.maximum(width, NARROWEST * config.widths)
        if best.farthest <= config.distance:
            break
    return replace(best, spent=spent)


def _spread(changes: np.ndarray, moments: np.ndarray, fade: int, count: int) -> np.ndarray:
    """Changes (n, 7) at moments[1:] for all control times (count, 7), linear in between."""
    times = [*moments, moments[-1] + fade]
    nothing = np.zeros((1, NUDGES))
    rows = np.concatenate([nothing, changes, nothing])
    return np.stack([np.interp(np.arange(count), times, row) for row in rows.T], axis=1)


def _cost(rollout: Rollout, steps: int, fall: float) -> float:
    """Mean and last distance to the reference, m; a fall costs more than any draw that stands."""
    stood = len(rollout) if rollout.fault else steps + 1
    error = np.append(rollout.error[:stood], np.full(steps + 1 - stood, fall))
    return error.mean() + error[-1] + (2 - stood / (steps + 1)) * bool(rollout.fault)
