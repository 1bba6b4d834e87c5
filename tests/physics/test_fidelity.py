"""The check against the input: what repairs passes, what distorts is named."""

from dataclasses import replace

import numpy as np
from figures import figure, standing, walking

from physics.cleanup import clean_up
from physics.fidelity import distortion

BODY = figure()


def _plan(motion):
    return clean_up(motion, BODY)[1]


def test_a_clip_does_not_distort_itself():
    motion = walking(80)
    assert distortion(motion, motion, _plan(motion), BODY) == ""


def test_a_root_that_lags_behind_feet_that_hold_is_rejected():
    motion = walking(80)
    slower = replace(motion, transl=motion.transl * [0.8, 0.8, 1.0])
    assert "the root travels 3.00 m instead of 3.75 m" in distortion(
        motion, slower, _plan(motion), BODY
    )


def test_a_root_that_changes_as_far_as_feet_slip_is_accepted():
    motion = walking(80)
    fast = replace(motion, transl=motion.transl * [1.25, 1.25, 1.0])
    assert distortion(fast, motion, _plan(fast), BODY) == ""


def test_a_glide_may_be_stopped():
    motion = standing(80)
    glide = np.arange(80)[:, None] / 20.0 * [0.0, -1.0, 0.0]
    gliding = replace(motion, transl=motion.transl + glide)
    assert distortion(gliding, motion, _plan(gliding), BODY) == ""


def test_motion_that_comes_late_is_rejected_and_a_small_delay_is_not():
    motion = walking(80)
    late = replace(motion, body_pose=np.roll(motion.body_pose, 6, axis=0))
    assert "0.30 s late" in distortion(motion, late, _plan(motion), BODY)
    soon = replace(motion, body_pose=np.roll(motion.body_pose, 1, axis=0))
    assert distortion(motion, soon, _plan(motion), BODY) == ""
