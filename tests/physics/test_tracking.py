"""The tracker pushes with feasible forces, holds no body up in secret, and can be replayed."""

from dataclasses import replace

import mujoco
import numpy as np
import pytest
from figures import ANKLE, figure, standing, walking
from scipy.optimize import nnls

from physics.cleanup import clean_up
from physics.corrector import CorrectorConfig, course_of
from physics.dynamics import plan_reference, sample_qpos
from physics.humanoid import Humanoid
from physics.skeleton import forward_kinematics
from physics.tracking.cones import pyramid_edges, solve_cone
from physics.tracking.rollout import Rollout
from physics.tracking.support import support_of
from physics.tracking.whole_body import Gains, WholeBodyController

FIGURE = figure()


@pytest.fixture(scope="module")
def humanoid() -> Humanoid:
    return Humanoid.build(FIGURE)


def tracked(humanoid, motion, budget: float, **changes) -> Rollout:
    config = CorrectorConfig(assistance_budget=budget)
    cleaned, plan = clean_up(motion, FIGURE, config.cleanup)
    support = support_of(humanoid, cleaned, plan)
    config = replace(config, gains=replace(config.gains, **changes))
    return course_of(humanoid, cleaned, support, config).simulate()


def test_cone_forces_agree_with_nonnegative_least_squares():
    rng = np.random.default_rng(0)
    for eps in (1e-6, 1e-2):
        columns = []
        for point in rng.normal(size=(9, 3)) * 0.1:
            columns += [np.r_[e, np.cross(point, e)] for e in pyramid_edges(0.8)]
        matrix = np.diag([1 / 70] * 3 + [0.1] * 3) @ np.array(columns).T
        wish = rng.normal(size=6) * [1, 1, 10, 5, 5, 1]
        forces, dual = solve_cone(matrix, wish, eps, rng.normal(size=6))
        stacked = np.vstack([matrix, np.sqrt(eps) * np.eye(len(forces))])
        expected = nnls(stacked, np.r_[wish, np.zeros(len(forces))])[0]
        np.testing.assert_allclose(forces, expected, atol=1e-6 * max(1, expected.max()))
        np.testing.assert_allclose(dual, wish - matrix @ forces, atol=1e-8)


def test_pyramid_edges_lie_on_the_friction_cone():
    edges = pyramid_edges(0.7)
    np.testing.assert_allclose(np.hypot(edges[:, 0], edges[:, 1]) / edges[:, 2], 0.7)


def test_reference_derivatives_are_those_of_its_positions(humanoid):
    # A root that turns at 2 rad/s about the vertical while it falls freely.
    motion = standing(60, 60.0)
    time = np.arange(60) / 60.0
    transl = np.stack([0 * time, 0 * time, 3 - 0.5 * 9.81 * time**2], axis=1)
    motion = replace(motion, transl=transl)
    reference = plan_reference(humanoid, motion, 1 / 225)
    middle = slice(60, -60)
    np.testing.assert_allclose(reference.qacc[middle, 2], -9.81, atol=0.02)
    times = np.arange(len(reference) + 1) / 225
    np.testing.assert_allclose(reference.qvel[middle, 2], -9.81 * times[middle], atol=0.01)


def test_sampling_at_the_frames_gives_the_frames(humanoid):
    qpos = humanoid.to_qpos(walking(20))
    again = sample_qpos(humanoid, qpos, 0.05, np.arange(20) * 0.05)
    np.testing.assert_allclose(again, qpos, atol=1e-9)


def test_in_the_air_the_wished_accelerations_come_true(humanoid):
    """With enough assistance and no contact, inverse dynamics must invert the simulation."""
    motion = standing(30, 30.0)
    lifted = replace(motion, transl=motion.transl + np.array([0, 0, 1.0]))
    config = CorrectorConfig(assistance_budget=100.0)
    plan = clean_up(motion, FIGURE, config.cleanup)[1]
    plan = replace(plan, in_contact=np.zeros_like(plan.in_contact))
    rollout = course_of(humanoid, lifted, support_of(humanoid, lifted, plan), config).simulate()
    assert rollout.fault == ""
    assert rollout.error.max() < 0.003
    # Floating still needs the whole weight, no more.
    middle = rollout.assistance_norm[50:-50].mean()
    assert middle == pytest.approx(humanoid.weight, rel=0.02)


def test_a_standing_body_stands_without_assistance(humanoid):
    rollout = tracked(humanoid, standing(60), 0.0)
    assert rollout.fault == ""
    assert rollout.error.max() < 0.05
    assert (rollout.assistance == 0).all()
    assert rollout.contact_force[100:].mean() == pytest.approx(humanoid.weight, rel=0.1)


def test_a_swinging_foot_is_where_the_reference_has_it(humanoid):
    walk = walking(40, speed=0.7)
    rollout = tracked(humanoid, walk, 0.0)
    times = np.arange(len(walk)) / walk.fps
    simulated = humanoid.from_qpos(sample_qpos(humanoid, rollout.qpos, rollout.step, times), walk)
    wanted, done = (
        forward_kinematics(FIGURE.rest, one.transl, one.global_orient, one.body_pose)[0]
        for one in (walk, simulated)
    )
    swings = wanted[:, [7, 8], 2] > ANKLE + 0.01
    off = (done - done[:, :1]) - (wanted - wanted[:, :1])
    assert np.linalg.norm(off[:, [7, 8]], axis=-1)[swings].mean() < 0.025


def test_assistance_never_exceeds_its_budget(humanoid):
    rollout = tracked(humanoid, walking(40), 0.05)
    assert rollout.assistance_norm.max() <= 0.05 * humanoid.weight * (1 + 1e-9)
    assert rollout.assistance_norm.max() > 0


def test_torques_stay_within_the_motors(humanoid):
    rollout = tracked(humanoid, walking(40), 0.25)
    assert (np.abs(rollout.ctrl) <= humanoid.torque_limit).all()


def test_recorded_torques_replay_the_motion_in_bare_mujoco_without_a_hand_on_the_root(humanoid):
    rollout = tracked(humanoid, walking(40), 0.0)
    assert len(rollout) > 150
    data = mujoco.MjData(humanoid.model)
    data.qpos[:], data.qvel[:] = rollout.qpos[0], rollout.qvel[0]
    for k, ctrl in enumerate(rollout.ctrl):
        np.testing.assert_allclose(data.qpos, rollout.qpos[k], atol=1e-9)
        data.ctrl[:] = ctrl
        for _ in range(rollout.substeps):
            mujoco.mj_step(humanoid.model, data)
            assert (data.qfrc_applied == 0).all()
            assert (data.xfrc_applied == 0).all()
    np.testing.assert_allclose(data.qpos, rollout.qpos[-1], atol=1e-9)


def test_the_controller_plans_the_forces_that_the_floor_gives(humanoid):
    """On flat feet at rest the forces it counts on are those of the simulation."""
    rollout = tracked(humanoid, standing(60), 0.0)
    late = rollout.contact_force[len(rollout) // 2 :]
    assert late.std() < 0.1 * humanoid.weight


def test_a_fall_is_reported_with_its_time(humanoid):
    motion = standing(60)
    far = replace(motion, transl=motion.transl + np.linspace(0, 4, 60)[:, None] * [1, 0, 0])
    rollout = tracked(humanoid, far, 0.0)
    assert "fell" in rollout.fault
    assert np.isfinite(rollout.qpos).all()


def test_lever_of_assistance_torque_is_the_height_of_the_pelvis(humanoid):
    controller = WholeBodyController(
        humanoid, humanoid.corners, humanoid.corner_joints, Gains(), 1.0
    )
    assert controller.lever == pytest.approx(0.96, abs=0.01)
