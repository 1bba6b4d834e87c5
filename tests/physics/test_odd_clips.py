"""Clips that no body can do, and bodies of any shape: a result or a named error, never NaN."""

from dataclasses import replace

import numpy as np
import pytest
from figures import figure, standing, walking
from scipy.spatial.transform import Rotation

from physics.corrector import CorrectorConfig, correct_clip
from physics.humanoid import Humanoid
from physics.motion import MotionError, SmplMotion
from physics.skeleton import Skeleton, forward_kinematics

FIGURE = figure()
ONCE = CorrectorConfig(retries=0)


def _upside_down(motion):
    turned = Rotation.from_euler("x", np.pi) * Rotation.from_rotvec(np.array(motion.global_orient))
    return replace(motion, global_orient=turned.as_rotvec())


def _jumping(motion, axis):
    far = 10.0 * (np.arange(len(motion)) >= len(motion) // 2)
    return replace(motion, transl=motion.transl + far[:, None] * np.eye(3)[axis])


def _wild(motion):
    turns = np.random.default_rng(0).normal(size=motion.body_pose.shape)
    return replace(motion, body_pose=3 * turns)


@pytest.mark.parametrize(
    "clip",
    [
        _upside_down(standing(20)),
        _jumping(standing(20), 0),
        _jumping(standing(20), 2),
        _wild(standing(20)),
        standing(4, fps=1.0),
        standing(40, fps=1000.0),
        replace(standing(10), transl=standing(10).transl * 1e8),
    ],
    ids=["upside-down", "jump-aside", "jump-up", "wild", "1-fps", "1000-fps", "far-away"],
)
def test_an_impossible_clip_is_a_result_without_nan(clip):
    result = correct_clip(clip, FIGURE, ONCE)
    assert result.success or result.reason
    assert len(result.motion) == len(clip)
    for column in (result.position_error, result.assistance, result.contact_force):
        assert np.isfinite(column).all()


def test_a_clip_wholly_under_the_floor_comes_up():
    deep = replace(standing(20), transl=standing(20).transl - [0, 0, 3.0])
    result = correct_clip(deep, FIGURE, ONCE)
    assert result.success
    np.testing.assert_allclose(result.motion.transl, standing(20).transl, atol=0.05)


@pytest.mark.parametrize("fps", [1e-3, 1e6])
def test_an_absurd_frame_rate_is_named(fps):
    with pytest.raises(MotionError, match="1 to 1000 frames a second"):
        correct_clip(replace(standing(5), fps=fps), FIGURE, ONCE)


@pytest.mark.parametrize("fps", [30.0, 60.0, 120.0])
def test_a_walk_is_about_the_same_at_any_frame_rate(fps):
    """Compared with 20 frames a second, at the times that both have."""
    slow = correct_clip(walking(41, 20.0), FIGURE, ONCE)
    fast = correct_clip(walking(int(2 * fps) + 1, fps), FIGURE, ONCE)
    assert slow.success
    assert fast.success

    def joints(motion: SmplMotion) -> np.ndarray:
        at = motion.resample(10.0)
        return forward_kinematics(FIGURE.rest, at.transl, at.global_orient, at.body_pose)[0]

    distance = np.linalg.norm(joints(slow.motion) - joints(fast.motion), axis=-1)
    assert distance.mean() < 0.08  # the walk is 2 m long


@pytest.mark.parametrize("size", [0.6, 1.3])
def test_a_body_of_another_size_has_its_own_mass_strength_and_walk(size):
    body = Skeleton(size * FIGURE.rest, size * FIGURE.surface_points, FIGURE.surface_joints)
    small, usual = Humanoid.build(body), Humanoid.build(FIGURE)
    assert small.mass == pytest.approx(size**2 * usual.mass, rel=1e-6)
    np.testing.assert_allclose(small.torque_limit, size**3 * usual.torque_limit, rtol=1e-6)
    motion = standing(20)
    result = correct_clip(replace(motion, transl=size * motion.transl), body, ONCE)
    assert result.success
    assert result.weight == pytest.approx(small.weight)
