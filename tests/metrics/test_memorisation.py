"""Copies of training motions are found, wherever they stand; new motion is not called a copy."""

import numpy as np
import pytest

from motionloop.metrics.memorisation import Memorisation, aligned, nearest
from motionloop.motion.body import Body
from motionloop.motion.motions import Motions
from physics.motion import SmplMotion


def _motions(seed: int, count: int, turn: float = 0.0) -> Motions:
    rng = np.random.default_rng(seed)
    clips = []
    for n in range(count):
        pose = 0.3 * rng.normal(size=(1, 23, 3)) + 0.02 * rng.normal(size=(12, 23, 3)).cumsum(0)
        transl = np.array([0, 0, 0.9]) + 0.02 * rng.normal(size=(12, 3)).cumsum(0)
        orient = np.tile([np.pi / 2, 0, 0], (12, 1))
        clips.append(SmplMotion(transl, orient, pose, np.zeros(10), 20.0, f"c{n}"))
    return Motions.pack(clips)


@pytest.fixture(scope="module")
def body():
    return Body.load()


def test_the_nearest_is_that_of_all_pairs():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 5, 3, 3)), rng.normal(size=(9, 6, 3, 3))
    wanted = [min(np.sqrt(((x - y[:5]) ** 2).sum(-1).mean()) for y in b) for x in a]
    np.testing.assert_allclose(nearest(a, b), wanted)
    np.testing.assert_allclose(nearest(b, b), 0, atol=1e-12)


def test_a_turned_and_shifted_copy_is_the_same_motion(body):
    joints = body.joints(_motions(0, 3))
    angle = 1.1
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    moved = joints @ turn.T + [4.0, 5.0, 0.0]
    np.testing.assert_allclose(aligned(moved), aligned(joints), atol=1e-9)
    assert (
        nearest(aligned(joints + np.array([0, 0, 0.5])), aligned(joints))[0] > 0.4
    )  # heights count


def test_a_copy_machine_scores_one_and_new_motion_about_the_level(body):
    training, held_out, new = _motions(1, 30), _motions(2, 60), _motions(3, 60)
    metric = Memorisation(body, training)
    copied = metric(training, held_out)
    assert copied["memorised"] == 1.0
    assert copied["nearest_train_mm"] == pytest.approx(0, abs=1e-3)
    fresh = metric(new, held_out)
    assert fresh["memorised"] < 0.2
    assert fresh["nearest_train_mm"] == pytest.approx(fresh["nearest_train_reference_mm"], rel=0.2)
    assert metric(training[:0], held_out) == {}
