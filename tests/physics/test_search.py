"""A search saves bodies that are about to fall, within physics, and goes on where it left off."""

import re
from dataclasses import fields, replace

import mujoco
import numpy as np
import pytest
from figures import figure, standing, walking

from physics.cleanup import clean_up
from physics.corrector import CorrectorConfig, correct_clip, course_of, ladder
from physics.humanoid import Humanoid
from physics.motion import MotionError
from physics.tracking.guide import NUDGES, nudged
from physics.tracking.preview import PreviewConfig
from physics.tracking.rollout import Course, State, chained, cut
from physics.tracking.search import SearchConfig, search
from physics.tracking.support import support_of

FIGURE = figure()
LITTLE = SearchConfig(samples=8, rounds=2)
STROLL = walking(40, speed=0.8)  # stands by itself; flat feet at 1 m/s stumble


@pytest.fixture(scope="module")
def humanoid() -> Humanoid:
    return Humanoid.build(FIGURE)


def course(humanoid, motion) -> Course:
    config = CorrectorConfig()
    cleaned, plan = clean_up(motion, FIGURE, config.cleanup)
    return course_of(humanoid, cleaned, support_of(humanoid, cleaned, plan), config)


@pytest.fixture(scope="module")
def walk(humanoid) -> Course:
    return course(humanoid, STROLL)


def pushed(walk: Course, speed: float = 0.6) -> State:
    """The start of the walk, pushed from the front, m/s."""
    start = walk.start()
    return replace(start, qvel=start.qvel + np.eye(len(start.qvel))[1] * speed)


def same(one, two) -> None:
    for column in fields(one):
        np.testing.assert_array_equal(getattr(one, column.name), getattr(two, column.name))


def test_a_simulation_taken_up_anywhere_goes_on_with_the_same_bits(walk):
    whole = walk.simulate()
    for k in (0, 1, 77, len(walk)):
        same(walk.simulate(whole.state(k), k), replace(whole, **_from(whole, k)))
        same(chained([cut(whole, k), walk.simulate(whole.state(k), k)]), whole)


def _from(rollout, k: int) -> dict:
    lengths = {len(rollout): k, len(rollout) + 1: k}
    arrays = {f.name: getattr(rollout, f.name) for f in fields(rollout)}
    return {
        name: value[lengths[len(value)] :]
        for name, value in arrays.items()
        if isinstance(value, np.ndarray)
    }


def test_a_pushed_walker_falls_alone_and_stands_with_the_search(walk):
    fallen = walk.simulate(pushed(walk))
    assert fallen.fault
    saved = search(walk, fallen, LITTLE)
    assert saved.fault == ""
    assert len(saved) == len(walk)
    assert (saved.assistance == 0).all()


def test_what_the_search_found_replays_in_bare_mujoco(walk):
    rollout = search(walk, walk.simulate(pushed(walk)), LITTLE)
    data = mujoco.MjData(walk.humanoid.model)
    data.qpos[:], data.qvel[:] = rollout.qpos[0], rollout.qvel[0]
    for ctrl in rollout.ctrl:
        data.ctrl[:] = ctrl
        mujoco.mj_step(walk.humanoid.model, data, rollout.substeps)
    np.testing.assert_allclose(data.qpos, rollout.qpos[-1], atol=1e-6)


def test_the_same_search_gives_the_same_bits(walk):
    tiny = replace(LITTLE, samples=3, rounds=1)
    fallen = walk.simulate(pushed(walk))
    same(search(walk, fallen, tiny), search(walk, fallen, tiny))


def test_what_stands_and_stays_near_is_not_searched(walk):
    stood = walk.simulate()
    assert search(walk, stood, SearchConfig()) is stood


def test_a_walker_that_strays_comes_nearer(walk):
    distance, strayed = 0.12, walk.simulate(pushed(walk, -0.5))
    assert (strayed.fault, strayed.error.max() > distance) == ("", True)
    nearer = search(walk, strayed, replace(LITTLE, distance=distance))
    assert nearer.fault == ""
    assert nearer.error.max() <= distance


def counted(some: Course, monkeypatch) -> list[int]:
    """The lengths of all simulations of a course from now on."""
    simulate, steps = some.simulate, []

    def counting(*args, **settings):
        rollout = simulate(*args, **settings)
        steps.append(len(rollout))
        return rollout

    monkeypatch.setattr(some, "simulate", counting)
    return steps


def test_no_moment_is_searched_twice(walk, monkeypatch):
    strayed, steps = walk.simulate(pushed(walk, 0.4)), counted(walk, monkeypatch)
    little = SearchConfig(samples=2, rounds=1, distance=0.02)  # less than any draw keeps to
    assert search(walk, strayed, little).error[-1] > little.distance
    times = len(walk) / walk.steps(little.margin) + 1
    assert sum(steps) < times * (1 + 2 * len(little.leads)) * len(walk)


def test_a_search_that_finds_nothing_gives_the_fall_and_keeps_to_its_effort(humanoid, monkeypatch):
    motion = standing(40)
    far = replace(motion, transl=motion.transl + np.linspace(0, 12, 40)[:, None] * [1, 0, 0])
    hopeless = course(humanoid, far)
    fallen, steps = hopeless.simulate(), counted(hopeless, monkeypatch)
    found = search(hopeless, fallen, replace(LITTLE, effort=3.0))
    same(found, fallen)
    round_of_draws = LITTLE.samples * LITTLE.rounds * hopeless.steps(1.4 + LITTLE.margin)
    assert sum(steps) < 4 * len(hopeless) + round_of_draws
    steps.clear()
    same(search(hopeless, fallen, LITTLE, expired=lambda: True), fallen)
    assert not steps


def test_a_nudge_moves_the_centre_and_the_feet_that_it_names(walk):
    guide = walk._guide
    nudge = np.zeros((len(walk) + 1, NUDGES))
    nudge[50] = [1, 2, 3, 4, 5, 6, 7]
    moved = nudged(guide, walk.humanoid, nudge)
    np.testing.assert_allclose((moved.centre - guide.centre)[50], [1, 2, 3])
    left = np.isin(walk.humanoid.corner_joints, (7, 10))
    shift = (moved.feet - guide.feet)[50]
    np.testing.assert_allclose(shift[left], [[4, 5, 0]] * left.sum())
    np.testing.assert_allclose(shift[~left], [[6, 7, 0]] * (~left).sum())
    others = np.arange(len(guide.centre)) != 50
    assert (moved.feet[others] == guide.feet[others]).all()
    assert (moved.centre[others] == guide.centre[others]).all()


def test_the_search_is_the_rung_between_the_retries_and_the_budgets():
    rungs = list(ladder(CorrectorConfig(retries=2, rescue_budgets=(0.5,))))
    assert [rung.search.samples > 0 for rung in rungs] == [False, False, False, True, False]
    without = CorrectorConfig(retries=0, search=SearchConfig(samples=0))
    assert len(list(ladder(without))) == 1
    assert len(list(ladder(CorrectorConfig(retries=0, preview=PreviewConfig(horizon=1.2))))) == 1


@pytest.mark.parametrize(
    "wrong", [{"samples": -1}, {"rounds": 0}, {"leads": ()}, {"leads": (0.5, 0)}, {"interval": 0}]
)
def test_a_setting_that_makes_no_sense_is_named(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(MotionError, match=f"search.{name} is {re.escape(str(value))}"):
        SearchConfig(**wrong)


def test_a_clip_that_the_search_saves_says_so():
    body = STROLL.body_pose.copy()
    body[12:20, 2, 2] += 0.6  # leans to one side within a frame
    motion, config = replace(STROLL, body_pose=body), CorrectorConfig(retries=0)
    alone = correct_clip(motion, FIGURE, replace(config, search=SearchConfig(samples=0)))
    searched = correct_clip(motion, FIGURE, config)
    assert alone.fell
    assert (searched.success, searched.rung) == (True, 1)
    assert (searched.assistance == 0).all()


def test_the_search_begins_with_the_setting_that_got_furthest(monkeypatch):
    tracked, handed = [], []
    simulate = Course.simulate

    def recorded(course, *args):
        tracked.append(simulate(course, *args))
        return tracked[-1]

    def handing(course, unchanged, *_):
        handed.append(unchanged)
        return unchanged

    monkeypatch.setattr(Course, "simulate", recorded)
    monkeypatch.setattr("physics.corrector.search", handing)
    body = STROLL.body_pose.copy()
    body[12:20, 2, 2] += 0.8
    assert correct_clip(replace(STROLL, body_pose=body), FIGURE, CorrectorConfig()).fell
    lengths = [len(rollout) for rollout in tracked]
    assert lengths[0] < max(lengths)
    assert [len(rollout) for rollout in handed] == [max(lengths)]
