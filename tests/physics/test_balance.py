"""Laws of the re-plan of the centre of mass."""

# pyright: reportAttributeAccessIssue=false
import mujoco
import numpy as np
import pytest
from figures import figure, walking

from physics.balance import BalanceConfig, plan_path, rebalance
from physics.cleanup import clean_up
from physics.contacts import carried
from physics.humanoid import Humanoid
from physics.momentum import Momentum, momentum_of
from physics.skeleton import forward_kinematics
from physics.tracking.support import support_of

FPS = 30.0
GRAVITY = 9.81
HEIGHT = 0.9
SQUARE = 0.1 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
CONFIG = BalanceConfig()


def _level(path: np.ndarray) -> Momentum:
    """A path (T, 2) of a body that keeps its height and does not turn."""
    centre = np.column_stack([path, np.full(len(path), HEIGHT)])
    acceleration = np.gradient(np.gradient(centre, 1 / FPS, axis=0), 1 / FPS, axis=0)
    return Momentum(centre, acceleration, np.zeros_like(centre))


def _zero_moment_point(path: np.ndarray) -> np.ndarray:
    """Of the inverted pendulum, at the inner frames."""
    acceleration = np.diff(path, n=2, axis=0) * FPS**2
    return path[1:-1] - HEIGHT / GRAVITY * acceleration


def _planned(path: np.ndarray, hulls, flight=None, **changes) -> np.ndarray:
    flight = np.zeros(len(path), bool) if flight is None else flight
    return plan_path(_level(path), hulls, flight, FPS, BalanceConfig(**changes))


def test_a_path_that_the_floor_supports_is_left_alone():
    path = np.full((40, 2), 0.03)
    np.testing.assert_allclose(_planned(path, [SQUARE] * 40), path, atol=1e-5)


def test_the_zero_moment_point_of_a_violent_sway_is_brought_into_the_hull():
    time = np.arange(60) / FPS
    path = 0.12 * np.column_stack([np.sin(2 * np.pi * 1.5 * time), np.cos(2 * np.pi * time)])
    assert np.abs(_zero_moment_point(path)).max() > 0.4
    planned = _planned(path, [SQUARE] * 60, slack=1e6)
    assert np.abs(_zero_moment_point(planned)).max() <= 0.1 - CONFIG.margin + 1e-4


def test_more_slack_gives_a_path_nearer_to_the_motion():
    time = np.arange(60) / FPS
    path = 0.12 * np.column_stack([np.sin(2 * np.pi * 1.5 * time), 0 * time])
    away = [
        np.abs(_planned(path, [SQUARE] * 60, slack=slack) - path).mean() for slack in (1e-2, 1e4)
    ]
    assert away[0] < 0.5 * away[1]


def test_in_flight_the_path_is_straight_and_even():
    time = np.arange(40) / FPS
    path = np.column_stack([1.0 * time + 0.05 * np.sin(8 * time), 0 * time])
    flight = np.zeros(40, bool)
    flight[15:25] = True
    planned = _planned(path, [SQUARE[:0]] * 40, flight)
    np.testing.assert_allclose(np.diff(planned, n=2, axis=0)[14:24], 0, atol=1e-8)


def test_the_centre_stays_where_hands_and_knees_carry_it():
    path = np.column_stack([np.linspace(0, 2, 40), np.zeros(40)])
    planned = _planned(path, [None] * 40)
    np.testing.assert_allclose(planned, path, atol=1e-3)


@pytest.mark.parametrize("hull", [SQUARE[:1], SQUARE[:2], np.repeat(SQUARE[:1], 5, axis=0)])
def test_contacts_too_few_for_a_hull_still_hold_the_body(hull):
    path = np.full((30, 2), -0.4)
    planned = _planned(path, [hull] * 30, slack=1e6)
    assert np.linalg.norm(_zero_moment_point(planned) - hull.mean(axis=0), axis=1).max() < 0.13


@pytest.fixture(scope="module")
def humanoid():
    return Humanoid.build(figure())


def test_momentum_agrees_with_the_masses_of_the_segments(humanoid):
    motion = walking(60, FPS)
    momentum = momentum_of(humanoid, motion, 0.04)
    data = mujoco.MjData(humanoid.model)
    mass = humanoid.model.body_mass
    for t in (0, 17):
        data.qpos[:] = humanoid.to_qpos(motion)[t]
        mujoco.mj_kinematics(humanoid.model, data)
        np.testing.assert_allclose(momentum.centre[t], mass @ data.xipos / mass.sum(), atol=1e-9)


def test_feet_that_stand_stay_while_the_body_moves_over_them(humanoid):
    motion, plan = clean_up(walking(60, FPS), humanoid.skeleton)
    support = support_of(humanoid, motion, plan)
    moved = rebalance(humanoid, motion, support, plan.flight, CONFIG)
    assert np.abs(moved.transl - motion.transl).max() > 0.002
    places = []
    for m in (motion, moved):
        joints, rotations = forward_kinematics(
            humanoid.skeleton.rest, m.transl, m.global_orient, m.body_pose
        )
        places.append(carried(joints, rotations, support.joints, support.points))
    away = np.linalg.norm(places[0] - places[1], axis=-1)[support.planned]
    assert np.median(away) < 0.002
    assert np.quantile(away, 0.95) < 0.01


def test_no_rounds_and_clips_of_two_frames_change_nothing(humanoid):
    motion, plan = clean_up(walking(60, FPS), humanoid.skeleton)
    support = support_of(humanoid, motion, plan)
    assert rebalance(humanoid, motion, support, plan.flight, BalanceConfig(rounds=0)) is motion
    assert rebalance(humanoid, motion[:2], support, plan.flight[:2], CONFIG) is not None
