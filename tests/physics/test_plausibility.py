"""PhysDiff's metrics on cases computed by hand."""

import numpy as np
import pytest

from physics.plausibility import (
    float_mm,
    jerk,
    penetrate_mm,
    phys_errors,
    root_travel_m,
    skate_mm,
)


def test_depths_beyond_the_tolerance_count_whole_and_others_not_at_all():
    lowest = np.array([-0.020, -0.004, 0.0, 0.030])
    assert penetrate_mm(lowest) == pytest.approx(20.0 / 4)
    assert float_mm(lowest) == pytest.approx(30.0 / 4)


def test_a_body_exactly_on_the_floor_has_no_errors():
    feet = np.zeros((5, 2, 3))
    errors = phys_errors(np.zeros(5), feet)
    assert errors == dict.fromkeys(("penetrate_mm", "float_mm", "skate_mm", "phys_err_mm"), 0.0)


def test_only_feet_that_touch_in_both_frames_skate():
    feet = np.zeros((3, 2, 3))
    feet[:, 0, 0] = [0.0, 0.010, 0.020]  # slides by 10 mm a frame, on the floor
    feet[:, 1, 1] = [0.0, 0.030, 0.060]  # moves by 30 mm a frame, touches in frames 0 and 1
    feet[2, 1, 2] = 0.10
    # Pair 0: both touch, mean of 10 and 30; pair 1: the first alone.
    assert skate_mm(feet) == pytest.approx((20.0 + 10.0) / 2)


def test_skate_measures_horizontal_displacement_only():
    feet = np.zeros((2, 1, 3))
    feet[1, 0] = [0.003, 0.004, -0.050]
    assert skate_mm(feet) == pytest.approx(5.0)


def test_frames_without_contact_count_as_zero_skate():
    feet = np.zeros((5, 1, 3))
    feet[:2, 0, 0] = [0.0, 0.008]
    feet[2:, 0, 2] = 0.5
    assert skate_mm(feet) == pytest.approx(8.0 / 4)


def test_phys_err_is_the_sum():
    lowest, feet = np.array([-0.010, 0.020]), np.zeros((2, 1, 3))
    feet[1, 0, 0] = 0.004
    errors = phys_errors(lowest, feet)
    assert errors["phys_err_mm"] == pytest.approx(5.0 + 10.0 + 4.0)


def test_a_single_frame_has_no_skate_jerk_or_travel():
    assert skate_mm(np.zeros((1, 2, 3))) == 0.0
    assert jerk(np.zeros((1, 24, 3)), 20.0) == 0.0
    assert root_travel_m(np.zeros((1, 3))) == 0.0


def test_jerk_of_a_cubic_is_its_third_derivative():
    time = np.arange(30) / 25.0
    joints = np.zeros((30, 2, 3))
    joints[:, 0, 1] = 2.0 * time**3  # third derivative 12
    assert jerk(joints, 25.0) == pytest.approx(12.0 / 2)


def test_root_travel_is_the_length_of_the_horizontal_path():
    transl = np.array([[0.0, 0.0, 1.0], [3.0, 4.0, 0.0], [3.0, 0.0, 5.0]])
    assert root_travel_m(transl) == pytest.approx(9.0)
