"""The clean-up's laws, on motions made by formula and on shipped clips."""

from dataclasses import replace

import numpy as np
import pytest
from figures import ANKLE, figure, jumping, lying, moved, posed, standing, walking
from scipy.spatial.transform import Rotation

from physics.cleanup import CleanupConfig, clean_up
from physics.contacts import CORNERS, candidates, carried
from physics.motion import MotionError, SmplMotion
from physics.plausibility import jerk, phys_errors, root_travel_m
from physics.skeleton import forward_kinematics

BODY = figure()


def _posed(motion):
    return forward_kinematics(BODY.rest, motion.transl, motion.global_orient, motion.body_pose)


def _errors(motion):
    """PhysDiff's errors over all skin points and the corners of the feet."""
    joints, rotations = _posed(motion)
    lowest = BODY.surface(joints, rotations)[..., 2].min(axis=1)
    carriers, offsets = candidates(BODY)
    feet = carried(joints, rotations, carriers, offsets)[:, : 2 * CORNERS]
    return phys_errors(lowest, feet)


def _mpjpe(motion, other):
    return np.linalg.norm(_posed(motion)[0] - _posed(other)[0], axis=-1).mean()


def _shaken(motion, root=0.015, turn=0.0436, seed=0):
    rng = np.random.default_rng(seed)

    def turned(axis_angle):
        noise = Rotation.from_rotvec(turn * rng.normal(size=(axis_angle.size // 3, 3)))
        clean = Rotation.from_rotvec(np.array(axis_angle).reshape(-1, 3))
        return (clean * noise).as_rotvec().reshape(axis_angle.shape)

    return replace(
        motion,
        transl=motion.transl + root * rng.normal(size=motion.transl.shape),
        global_orient=turned(motion.global_orient),
        body_pose=turned(motion.body_pose),
    )


@pytest.mark.parametrize("motion", [standing(), lying()], ids=["standing", "lying"])
def test_a_clean_clip_is_unchanged(motion):
    cleaned, _ = clean_up(motion, BODY)
    assert _mpjpe(cleaned, motion) < 0.0005
    np.testing.assert_array_equal(cleaned.global_orient, motion.global_orient)


@pytest.mark.parametrize("motion", [standing(), walking(), lying()], ids=["stand", "walk", "lie"])
@pytest.mark.parametrize("offset", [0.04, -0.03])
def test_a_floating_clip_comes_down_and_a_sunk_one_comes_up(motion, offset):
    cleaned, _ = clean_up(moved(motion, by=(0, 0, offset)), BODY)
    assert _mpjpe(cleaned, motion) < 0.004
    errors = _errors(cleaned)
    assert errors["penetrate_mm"] == 0.0
    assert errors["phys_err_mm"] < 1.0


def test_a_jump_still_jumps():
    motion = jumping(fps=30.0)
    for offset in (0.0, 0.04, -0.03):
        cleaned, plan = clean_up(moved(motion, by=(0, 0, offset)), BODY)
        assert cleaned.transl[:, 2].max() == pytest.approx(motion.transl[:, 2].max(), abs=0.01)
        assert plan.flight.any()


def test_a_clip_that_hovers_for_a_while_comes_down():
    motion = standing(60)
    lift = 0.08 * np.exp(-((np.arange(60) / 20.0 - 1.5) ** 2) / 0.1)
    cleaned, _ = clean_up(replace(motion, transl=motion.transl + lift[:, None] * [0, 0, 1]), BODY)
    assert _errors(cleaned)["float_mm"] < 0.1 * 1000 * lift.mean()


@pytest.mark.parametrize("fps", [20.0, 60.0])
def test_clean_walking_travels_as_far_and_stays_as_smooth(fps):
    motion = walking(frames=int(4 * fps), fps=fps)
    cleaned, _ = clean_up(motion, BODY)
    travel = root_travel_m(motion.transl)
    assert root_travel_m(cleaned.transl) == pytest.approx(travel, rel=0.05)
    assert jerk(_posed(cleaned)[0], fps) < 1.1 * jerk(_posed(motion)[0], fps)
    assert _mpjpe(cleaned, motion) < 0.005


@pytest.mark.parametrize("factor", [1.2, 0.85])
def test_the_feet_of_a_root_at_a_wrong_speed_stop_sliding(factor):
    motion = walking(frames=100)
    wrong = replace(motion, transl=motion.transl * [factor, factor, 1.0])
    cleaned, _ = clean_up(wrong, BODY)
    assert _errors(cleaned)["skate_mm"] < 0.1 * _errors(wrong)["skate_mm"]
    travel = root_travel_m(motion.transl)
    assert root_travel_m(cleaned.transl) == pytest.approx(travel, rel=0.06)


def test_pins_hold_what_the_root_leaves():
    motion = walking(frames=100)
    fast = replace(motion, transl=motion.transl * [1.2, 1.2, 1.0])
    loose, _ = clean_up(fast, BODY, CleanupConfig(pins=False))
    held, _ = clean_up(fast, BODY)
    assert _errors(held)["skate_mm"] < _errors(loose)["skate_mm"] < _errors(fast)["skate_mm"]


def test_a_glide_that_would_have_to_freeze_keeps_its_travel():
    motion = standing(80)
    glide = np.arange(80)[:, None] / 20.0 * [0.0, -1.0, 0.0]
    gliding = replace(motion, transl=motion.transl + glide)
    cleaned, _ = clean_up(gliding, BODY, CleanupConfig(pins=False))
    assert root_travel_m(cleaned.transl) > 0.6 * root_travel_m(gliding.transl)


@pytest.mark.parametrize("offset", [0.05, -0.05])
def test_a_shift_up_or_down_changes_nothing(offset):
    motion = jumping(fps=30.0)
    one, other = (clean_up(m, BODY)[0] for m in (motion, moved(motion, by=(0, 0, offset))))
    assert np.abs(_posed(one)[0] - _posed(other)[0]).max() < 0.001


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("motion", [walking(frames=100), standing(80)], ids=["walk", "stand"])
def test_jitter_is_smoothed_without_losing_the_place(motion, seed):
    shaken = _shaken(motion, seed=seed)
    cleaned, _ = clean_up(shaken, BODY)
    assert _mpjpe(cleaned, motion) < 0.85 * _mpjpe(shaken, motion)
    relative = [_posed(one)[0] - _posed(one)[0][:, :1] for one in (motion, shaken, cleaned)]
    before, after = (np.linalg.norm(some - relative[0], axis=-1).mean() for some in relative[1:])
    assert after < 0.6 * before
    fps = motion.fps
    assert jerk(_posed(cleaned)[0], fps) < 0.2 * jerk(_posed(shaken)[0], fps)
    assert _errors(cleaned)["phys_err_mm"] < 0.3 * _errors(shaken)["phys_err_mm"]


def test_smooth_motion_is_not_smoothed():
    motion = jumping()
    cleaned, _ = clean_up(motion, BODY)
    np.testing.assert_allclose(cleaned.body_pose, motion.body_pose, atol=1e-6)


def test_hands_below_the_floor_are_lifted_by_the_arms():
    # Squatting, folded forward, with the arms stretched out over the head.
    pelvis, ankles = np.tile([0.0, 0.0, 0.45], (40, 1)), np.tile([0.0, ANKLE], (40, 2, 1))
    squat = posed(pelvis, ankles, 20.0)
    bent = squat.body_pose.copy()
    bent[:, 2, 0] = 2.22  # spine1
    bent[:, 15, 2], bent[:, 16, 2] = 1.4, -1.4
    folded = replace(squat, body_pose=bent)
    hands = np.isin(BODY.surface_joints, (20, 21, 22, 23))
    skin = BODY.surface(*_posed(folded))[..., 2]
    assert -0.05 < skin[:, hands].min() < -0.02
    assert skin[:, ~hands].min() > -0.001
    cleaned, _ = clean_up(folded, BODY)
    assert BODY.surface(*_posed(cleaned))[..., 2].min() > -0.003
    # The body stays where it was: it is the arms that give way.
    np.testing.assert_allclose(cleaned.transl, folded.transl, atol=0.005)


def test_the_result_does_not_depend_on_where_and_which_way():
    motion = replace(walking(), transl=walking().transl * [1.2, 1.2, 1.0])
    there = {"yaw": 2.0, "by": (5.0, -3.0, 0.0)}
    one = moved(clean_up(motion, BODY)[0], **there)
    other = clean_up(moved(motion, **there), BODY)[0]
    np.testing.assert_allclose(one.transl, other.transl, atol=1e-5)
    np.testing.assert_allclose(_posed(one)[0], _posed(other)[0], atol=1e-5)


def test_a_second_pass_changes_little():
    motion = replace(walking(), transl=walking().transl * [1.2, 1.2, 1.0])
    once, _ = clean_up(motion, BODY)
    twice, _ = clean_up(once, BODY)
    assert _mpjpe(once, twice) < 0.01


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("fps", [15.0, 120.0])
def test_short_clips_come_to_the_floor_at_any_rate(frames, fps):
    motion = walking(frames=40, fps=fps)[10 : 10 + frames]
    motion = moved(motion if frames < 5 else _shaken(motion), by=(0, 0, 0.3))
    cleaned, plan = clean_up(motion, BODY)
    assert len(cleaned) == frames
    assert plan.points.shape[:2] == plan.in_contact.shape == plan.confidence.shape
    assert np.isfinite(plan.confidence).all()
    if frames < 5:
        joints, rotations = _posed(cleaned)
        lowest = BODY.surface(joints, rotations)[..., 2].min(axis=1)
        np.testing.assert_allclose(lowest, 0.0, atol=0.03)


def test_the_plan_speaks_of_the_cleaned_motion_and_runs_are_equal():
    motion = walking()
    cleaned, plan = clean_up(motion, BODY)
    joints, rotations = _posed(cleaned)
    points = carried(joints, rotations, plan.joints, plan.offsets)
    np.testing.assert_allclose(plan.points, points, atol=1e-9)
    np.testing.assert_array_equal(cleaned.transl, clean_up(motion, BODY)[0].transl)


def test_settings_out_of_range_are_named():
    with pytest.raises(MotionError, match="pull_time is 0"):
        CleanupConfig(pull_time=0)
    with pytest.raises(MotionError, match="iterations is 0"):
        CleanupConfig(iterations=0)


@pytest.mark.parametrize(("name", "kept"), [("walk", 0.2), ("walk_left_a", 0.2)])
def test_shipped_walks_lose_their_errors(name, kept):
    from motionloop.motion.body import Body
    from motionloop.paths import CLIPS

    motion, body = SmplMotion.load(CLIPS / f"{name}.npz")[:75], Body.load()
    for offset in (0.04, -0.03):
        wrong = replace(motion, transl=motion.transl + np.array([0, 0, offset]))
        cleaned, _ = clean_up(wrong, body.skeleton(motion.betas))
        before, after = (phys_errors(body.lowest(m), body.feet(m)) for m in (wrong, cleaned))
        assert after["phys_err_mm"] < kept * before["phys_err_mm"]


def test_knees_do_not_stretch_for_heels_that_hover():
    motion = standing(60)
    pose = motion.body_pose.copy()
    pose[:, [6, 7], 0] += 0.05  # ankles
    tilted = replace(motion, body_pose=pose)
    points = clean_up(tilted, BODY)[1].points[:, : 2 * CORNERS]
    np.testing.assert_allclose(points[..., 2], 0.0, atol=0.001)
    knees = [(j := _posed(m)[0])[:, 4:6] - j[:, :1] for m in (tilted, clean_up(tilted, BODY)[0])]
    assert np.linalg.norm(knees[1] - knees[0], axis=-1).max() < 0.015


@pytest.mark.parametrize("name", ["walk", "kick"])
def test_the_root_of_a_real_clip_goes_as_far_as_it_went(name):
    from motionloop.motion.body import Body
    from motionloop.paths import CLIPS

    motion = SmplMotion.load(CLIPS / f"{name}.npz")
    cleaned, _ = clean_up(motion, Body.load().skeleton(motion.betas))
    assert root_travel_m(cleaned.transl) == pytest.approx(root_travel_m(motion.transl), rel=0.01)
