"""Laws of the view that metrics have of joints."""

import numpy as np
import pytest
from made_motions import make_clip, make_motions

from motionloop.metrics.joints import at_times, heading, heading_view, resample
from motionloop.motion.motions import Motions


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def turned(joints, angle, shift):
    c, s = np.cos(angle), np.sin(angle)
    return joints @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T + np.append(shift, 0.0)


def test_a_walker_heads_where_it_goes(rng, body):
    motions = Motions.pack([make_clip(rng, "walk", "quick") for _ in range(5)])
    joints = body.joints(motions)
    went = joints[:, -1, 0] - joints[:, 0, 0]
    error = heading(joints).mean(1) - np.arctan2(went[:, 1], went[:, 0])
    assert np.abs((error + np.pi) % (2 * np.pi) - np.pi).max() < 0.1


def test_the_view_does_not_change_when_the_world_turns_or_shifts(rng, body):
    motions = make_motions(rng, 6)
    joints = body.joints(motions)
    moved = turned(joints, 2.1, [3.0, -7.0])
    np.testing.assert_allclose(
        heading_view(moved, motions.length, 20.0),
        heading_view(joints, motions.length, 20.0),
        atol=2e-5,
    )
    lifted = heading_view(joints + np.array([0, 0, 0.1]), motions.length, 20.0)
    assert np.abs(lifted - heading_view(joints, motions.length, 20.0)).max() > 0.05


def test_velocities_of_the_view_are_those_of_the_joints(rng, body):
    motions = Motions.pack([make_clip(rng, "walk", "quick")])
    joints = body.joints(motions)
    velocity = heading_view(joints, motions.length, 20.0)[0, :, 72:].reshape(-1, 24, 3)
    speed = np.linalg.norm(np.diff(joints[0], axis=0), axis=-1) * 20
    np.testing.assert_allclose(np.linalg.norm(velocity[1:], axis=-1), speed, atol=1e-4)
    assert velocity[:, 0, 0].mean() > 5 * np.abs(velocity[:, 0, 1]).mean()  # it walks ahead


def test_resampling_agrees_with_that_of_a_clip(rng, body):
    """Joints are interpolated in space, clips in angle: they differ by the sagitta of an arc."""
    clips = [make_clip(rng, "walk", "slow", 61), make_clip(rng, "bow", "slow", 40)]
    motions = Motions.pack(clips)
    joints, length = resample(body.joints(motions), motions.length, motions.fps, 30.0)
    for n, clip in enumerate(clips):
        expected = body.joints(Motions.pack([clip.resample(30.0)]))[0]
        assert length[n] == len(expected)
        np.testing.assert_allclose(joints[n, : length[n]], expected, atol=2e-3)
        assert (joints[n, length[n] :] == joints[n, length[n] - 1]).all()


def test_clips_of_two_rates_meet_at_one(rng, body):
    clip = make_clip(rng, "walk", "slow", 41)
    motions = Motions.pack([clip, clip.resample(40.0)])
    joints, length = resample(body.joints(motions), motions.length, motions.fps, 20.0)
    assert length.tolist() == [41, 41]
    np.testing.assert_allclose(joints[0], joints[1], atol=1e-5)


def test_times_beyond_the_last_frame_that_counts_hold_it(rng):
    joints = rng.normal(size=(2, 5, 24, 3))
    got = at_times(joints, np.array([3, 5]), np.array([[1.5, 2.5, 9.0]] * 2))
    np.testing.assert_allclose(got[0, 0], (joints[0, 1] + joints[0, 2]) / 2)
    assert (got[0, 1:] == joints[0, 2]).all()
    np.testing.assert_allclose(got[1, 1], (joints[1, 2] + joints[1, 3]) / 2)
    assert (got[1, 2] == joints[1, 4]).all()
