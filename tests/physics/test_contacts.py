"""Contact estimation against motions whose contacts are known by construction."""

from dataclasses import replace

import numpy as np
import pytest
from figures import SOLE, figure, jumping, lying, moved, standing, walking
from scipy.spatial.transform import Rotation

from physics.contacts import estimate_contacts, foot_corners
from physics.motion import MotionError
from physics.skeleton import Skeleton, forward_kinematics

BODY = figure()


def _agreement(plan, truth):
    """Share of frames and feet (corners 0-5 and 6-11) where contact is as it should be."""
    feet = np.stack([plan.in_contact[:, :6].any(axis=1), plan.in_contact[:, 6:12].any(axis=1)], 1)
    return (feet == truth).mean()


def _walk_truth(motion):
    """Stance of the left and right foot of the walking figure: the sole is on the floor."""
    joints, rotations = forward_kinematics(
        BODY.rest, motion.transl, motion.global_orient, motion.body_pose
    )
    heights = BODY.surface(joints, rotations)[..., 2]
    soles = [np.isin(BODY.surface_joints, pair) for pair in ((7, 10), (8, 11))]
    return np.stack([heights[:, sole].min(axis=1) < 0.002 for sole in soles], axis=1)


def test_foot_corners_are_the_ends_of_the_sole():
    joints, points = foot_corners(BODY)
    assert set(joints[:6]) == {7, 10}
    assert set(joints[6:]) == {8, 11}
    np.testing.assert_allclose(points[:, 1], SOLE)
    for foot in (points[:6], points[6:]):
        np.testing.assert_allclose(foot[:2, 2], -0.06)  # heel
        np.testing.assert_allclose(foot[4:, 2], 0.18)  # tips
        assert np.ptp(foot[:, 0]) == pytest.approx(0.08)


def test_a_skeleton_without_soles_is_refused():
    with pytest.raises(MotionError, match="points of the sole"):
        foot_corners(Skeleton(BODY.rest, BODY.surface_points[:0], BODY.surface_joints[:0]))


def test_points_ride_on_their_joints():
    motion = walking()
    plan = estimate_contacts(motion, BODY)
    joints, rotations = forward_kinematics(
        BODY.rest, motion.transl, motion.global_orient, motion.body_pose
    )
    for c in (0, 5, 11, len(plan.joints) - 1):
        j = plan.joints[c]
        turn = Rotation.from_matrix(rotations[:, j])
        place = joints[:, j] + turn.apply(plan.offsets[c])
        np.testing.assert_allclose(plan.points[:, c], place, atol=1e-12)


@pytest.mark.parametrize("fps", [20.0, 60.0])
@pytest.mark.parametrize("offset", [0.0, 0.05, -0.05])
def test_walking_contacts_are_found_whatever_the_height(fps, offset):
    motion = walking(frames=int(4 * fps), fps=fps)
    plan = estimate_contacts(moved(motion, by=(0, 0, offset)), BODY)
    assert _agreement(plan, _walk_truth(motion)) > 0.9
    np.testing.assert_allclose(plan.level, offset, atol=0.004)


def test_walking_contacts_survive_a_root_that_is_too_fast():
    motion = walking()
    fast = replace(motion, transl=motion.transl * [1.2, 1.2, 1.0])
    assert _agreement(estimate_contacts(fast, BODY), _walk_truth(motion)) > 0.88


def test_walking_contacts_survive_jitter():
    motion = walking(frames=120)
    rng = np.random.default_rng(0)
    noisy = replace(
        motion,
        transl=motion.transl + 0.01 * rng.normal(size=motion.transl.shape),
        body_pose=motion.body_pose + 0.02 * rng.normal(size=motion.body_pose.shape),
    )
    assert _agreement(estimate_contacts(noisy, BODY), _walk_truth(motion)) > 0.75


def test_nothing_touches_in_flight_and_flight_is_told():
    motion = jumping(fps=30.0)
    plan = estimate_contacts(motion, BODY)
    truth = plan.points[..., 2].min(axis=1) > 0.03
    assert truth.sum() >= 8
    assert not plan.in_contact[truth].any()
    assert plan.flight[truth].all()
    assert not plan.flight[plan.points[..., 2].min(axis=1) < 0.001].any()


def test_hovering_is_not_flight():
    motion = standing(60)
    time = np.arange(60) / 20.0
    lift = 0.06 * np.exp(-((time - 1.5) ** 2) / 0.1)
    hovering = replace(motion, transl=motion.transl + lift[:, None] * [0, 0, 1])
    assert not estimate_contacts(hovering, BODY).flight.any()


def test_a_body_on_its_back_touches_with_its_back():
    plan = estimate_contacts(lying(), BODY)
    touching = set(plan.joints[plan.in_contact.all(axis=0)])
    assert 0 in touching
    assert not touching & {20, 21, 22, 23}  # the arms lie higher than the back


def test_contacts_do_not_depend_on_where_and_which_way():
    motion = walking()
    plan = estimate_contacts(motion, BODY)
    other = estimate_contacts(moved(motion, yaw=2.0, by=(5.0, -3.0, 0.0)), BODY)
    np.testing.assert_array_equal(plan.in_contact, other.in_contact)
    np.testing.assert_allclose(plan.confidence, other.confidence, atol=1e-6)


def test_one_frame_stands_on_its_lowest_point():
    plan = estimate_contacts(standing()[:1], BODY)
    assert plan.in_contact[:, :12].all()
    assert not plan.flight.any()
