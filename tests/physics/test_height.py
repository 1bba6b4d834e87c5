"""Laws of the re-plan of heights: free fall in flight, bearable loads, no stretched leg."""

import numpy as np
import pytest

from motionloop.motion.body import Body
from motionloop.paths import CLIPS
from physics.balance import BalanceConfig
from physics.corrector import CorrectorConfig, correct_clip
from physics.height import plan_height
from physics.momentum import Momentum
from physics.motion import MotionError, SmplMotion

FPS = 30.0
GRAVITY = 9.81
LOADS = (0.3, 2.5)


def _planned(height, flight, room=1.0, slack=1e6, loads=LOADS):
    centre = np.column_stack([np.zeros((len(height), 2)), height])
    acceleration = np.gradient(np.gradient(centre, 1 / FPS, axis=0), 1 / FPS, axis=0)
    momentum = Momentum(centre, acceleration, np.zeros_like(centre))
    rooms = np.broadcast_to(room, height.shape)
    return plan_height(momentum, ~flight, rooms, FPS, loads, 0.1, slack)


def _load(height):
    """What the floor carries at the inner frames, body weights."""
    return np.diff(height, n=2) * FPS**2 / GRAVITY + 1


def test_a_height_that_the_floor_gives_is_left_alone():
    height = 0.9 + 0.02 * np.sin(2 * np.pi * 1.5 * np.arange(60) / FPS)
    planned = _planned(height, np.zeros(60, bool))
    np.testing.assert_allclose(planned.centre[:, 2], height, atol=2e-3)


def test_in_flight_the_body_falls_as_fast_as_gravity_and_in_stance_it_is_carried():
    time = np.arange(60) / FPS
    flight = (time > 0.8) & (time < 1.2)
    hover = 0.9 + 0.1 * np.exp(-(((time - 1.0) / 0.2) ** 2))  # slower than a fall
    assert np.abs(_load(hover)[flight[1:-1]]).max() > 0.5
    planned = _planned(hover, flight).centre[:, 2]
    load = _load(planned)
    np.testing.assert_allclose(load[flight[1:-1]], 0, atol=0.01)
    assert load[~flight[1:-1]].min() > LOADS[0] - 0.01
    assert load[~flight[1:-1]].max() < LOADS[1] + 0.01
    # A flight from a to b under gravity is the parabola through its ends.
    rows = np.flatnonzero(flight)
    rows = np.arange(rows[0] - 1, rows[-1] + 2)
    t = time[rows] - time[rows[0]]
    line = planned[rows[0]] + (planned[rows[-1]] - planned[rows[0]]) * t / t[-1]
    np.testing.assert_allclose(planned[rows], line + GRAVITY / 2 * t * (t[-1] - t), atol=1e-3)


def test_the_acceleration_that_comes_back_is_that_of_the_planned_height():
    time = np.arange(60) / FPS
    planned = _planned(0.9 + 0.2 * np.sin(4 * np.pi * time), np.zeros(60, bool))
    expected = np.diff(planned.centre[:, 2], n=2) * FPS**2
    np.testing.assert_allclose(planned.acceleration[1:-1, 2], expected, atol=1e-8)


def test_a_leg_without_room_is_not_stretched():
    time = np.arange(60) / FPS
    height = 0.9 + 0.05 * np.sin(8 * np.pi * time)
    free = _planned(height, np.zeros(60, bool)).centre[:, 2]
    held = _planned(height, np.zeros(60, bool), room=0.0).centre[:, 2]
    assert (free - height).max() > 0.01
    assert (held - height).max() < 1e-6


def test_a_real_jump_leaves_the_floor_and_follows_its_flight():
    clip = SmplMotion.load(CLIPS / "jump.npz")[:36]  # to shortly before the landing
    skeleton = Body.load().skeleton(clip.betas)
    result = correct_clip(clip, skeleton, CorrectorConfig(retries=0))
    assert result.success, result.reason
    assert result.assistance.max() == 0
    assert (result.contact_force[28:] == 0).all()
    assert result.position_error.max() < 0.12
    rise = result.motion.transl[28:, 2] - result.kinematic.transl[28:, 2]
    assert np.abs(rise).max() < 0.04


@pytest.mark.parametrize("loads", [(-0.1, 2.0), (2.0, 1.0)])
def test_loads_that_contradict_each_other_are_refused(loads):
    with pytest.raises(MotionError, match="least_load"):
        BalanceConfig(least_load=loads[0], most_load=loads[1])
