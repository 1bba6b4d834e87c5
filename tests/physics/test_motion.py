"""SmplMotion: what it refuses, and what resampling and files keep."""

from dataclasses import replace

import numpy as np
import pytest
from figures import standing, walking
from scipy.spatial.transform import Rotation

from physics.motion import MotionError, SmplMotion


def test_a_wrong_shape_is_named_with_the_expected_one():
    with pytest.raises(
        MotionError, match=r"body_pose has shape \(40, 21, 3\), expected \(T, 23, 3\)"
    ):
        replace(standing(), body_pose=np.zeros((40, 21, 3)))


def test_values_that_are_not_finite_are_counted():
    transl = np.zeros((40, 3))
    transl[3, 1] = np.nan
    with pytest.raises(MotionError, match="transl has 1 values"):
        replace(standing(), transl=transl)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan")])
def test_a_frame_rate_must_be_positive(fps):
    with pytest.raises(MotionError, match="fps"):
        replace(standing(), fps=fps)


def test_no_frames_and_uneven_frames_are_refused():
    with pytest.raises(MotionError, match="0 frames"):
        standing()[:0]
    with pytest.raises(MotionError, match="differ"):
        replace(standing(), transl=np.zeros((3, 3)))


def test_a_motion_is_frozen_to_its_arrays_and_does_not_share_them():
    transl = np.zeros((40, 3))
    motion = replace(standing(), transl=transl)
    transl[:] = 1.0
    assert not motion.transl.any()
    with pytest.raises(ValueError, match="read-only"):
        motion.transl[0] = 1.0


def test_resampling_keeps_the_time_of_every_event():
    motion = walking(frames=61, fps=30.0)
    slow = motion.resample(15.0)
    assert len(slow) == 31
    np.testing.assert_allclose(slow.transl, motion.transl[::2], atol=1e-12)
    np.testing.assert_allclose(slow.body_pose, motion.body_pose[::2], atol=1e-9)


def test_resampling_turns_along_the_shortest_arc():
    start, end = Rotation.from_rotvec([0, 0, 3.0]), Rotation.from_rotvec([0, 0, -3.0])
    orient = np.stack([start.as_rotvec(), end.as_rotvec()])
    motion = replace(standing(2, 1.0), global_orient=orient)
    middle = Rotation.from_rotvec(np.array(motion.resample(2.0).global_orient[1]))
    assert (middle * start.inv()).magnitude() == pytest.approx(np.pi - 3.0)


def test_a_file_holds_the_same_motion(tmp_path):
    motion = replace(walking(), caption="a person walks")
    motion.save(tmp_path / "deep" / "walk.npz")
    loaded = SmplMotion.load(tmp_path / "deep" / "walk.npz")
    assert loaded.caption == "a person walks"
    assert loaded.fps == motion.fps
    for name in ("transl", "global_orient", "body_pose", "betas"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(motion, name))
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["walk.npz"]


def test_files_that_are_missing_or_no_motion_are_named(tmp_path):
    with pytest.raises(MotionError, match="no such file"):
        SmplMotion.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(MotionError, match="not a readable npz"):
        SmplMotion.load(tmp_path / "text.npz")
    np.savez(tmp_path / "part.npz", transl=np.zeros((2, 3)))
    with pytest.raises(MotionError, match="has no global_orient"):
        SmplMotion.load(tmp_path / "part.npz")
