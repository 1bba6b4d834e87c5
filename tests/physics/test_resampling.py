"""Resampling is linear in position and geodesic in rotation, as scipy's Slerp has it."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from physics.motion import SmplMotion
from physics.skeleton import geodesic


def clip(frames, fps=30.0):
    rng = np.random.default_rng(0)
    smooth = np.cumsum(0.05 * rng.normal(size=(frames, 25, 3)), axis=0)
    return SmplMotion(smooth[:, 0], smooth[:, 1], smooth[:, 2:], np.zeros(10), fps)


@pytest.mark.parametrize("fps", [20.0, 24.0, 30.0, 50.0])
def test_resampling_agrees_with_slerp(fps):
    motion = clip(61)
    out = motion.resample(fps)
    times = np.arange(len(out)) / fps
    source = np.arange(61) / 30.0
    assert times[-1] <= 2.0 + 1e-9 < times[-1] + 1 / fps
    slerp = Slerp(source, Rotation.from_rotvec(motion.body_pose[:, 7].copy()))
    np.testing.assert_allclose(out.body_pose[:, 7], slerp(times).as_rotvec(), atol=1e-9)
    height = np.interp(times, source, motion.transl[:, 2])
    np.testing.assert_allclose(out.transl[:, 2], height, atol=1e-12)


def test_the_way_between_two_rotations_is_the_shorter_one():
    start, end = np.array([[0, 0, 3.0]]), np.array([[0, 0, -3.0]])
    middle = geodesic(start, end, 0.5)
    np.testing.assert_allclose(np.abs(middle), [[0, 0, np.pi]], atol=1e-9)


def test_one_frame_stays_one_frame_at_any_rate():
    assert len(clip(1).resample(60.0)) == 1
    assert clip(1).resample(60.0).fps == 60.0
