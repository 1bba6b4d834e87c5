"""The humanoid weighs, stands and bends like a human, and speaks SMPL without loss."""

import mujoco
import numpy as np
import pytest
from figures import figure, standing
from scipy.spatial.transform import Rotation

from physics.humanoid import FOOT_JOINTS, Humanoid, HumanoidOptions
from physics.motion import MotionError, SmplMotion
from physics.segments import stature
from physics.skeleton import JOINT_NAMES, MIRROR, Skeleton, forward_kinematics

FIGURE = figure()


@pytest.fixture(scope="module")
def humanoid() -> Humanoid:
    return Humanoid.build(FIGURE)


def wild_motion(frames: int = 12) -> SmplMotion:
    rng = np.random.default_rng(0)
    return SmplMotion(
        transl=rng.normal(size=(frames, 3)),
        global_orient=rng.normal(size=(frames, 3)),
        body_pose=rng.normal(size=(frames, 23, 3)) * 0.6,
        betas=rng.normal(size=10),
        fps=30.0,
        caption="a person is wild",
    )


def scaled(factor: float) -> Skeleton:
    return Skeleton(FIGURE.rest * factor, FIGURE.surface_points * factor, FIGURE.surface_joints)


def test_qpos_round_trip(humanoid):
    motion = wild_motion()
    back = humanoid.from_qpos(humanoid.to_qpos(motion), like=motion)
    np.testing.assert_allclose(back.transl, motion.transl, atol=1e-9)
    for name in ("global_orient", "body_pose"):
        one = Rotation.from_rotvec(getattr(motion, name).reshape(-1, 3).copy())
        two = Rotation.from_rotvec(getattr(back, name).reshape(-1, 3).copy())
        assert (one.inv() * two).magnitude().max() < 1e-9
    assert back.caption == motion.caption
    assert back.fps == motion.fps
    np.testing.assert_array_equal(back.betas, motion.betas)


def test_mujoco_kinematics_agree_with_ours_joint_by_joint(humanoid):
    motion = wild_motion()
    joints, rotations = forward_kinematics(
        FIGURE.rest, motion.transl, motion.global_orient, motion.body_pose
    )
    data = mujoco.MjData(humanoid.model)
    for t, row in enumerate(humanoid.to_qpos(motion)):
        data.qpos[:] = row
        mujoco.mj_kinematics(humanoid.model, data)
        np.testing.assert_allclose(data.xpos[humanoid.body], joints[t], atol=1e-9)
        turned = data.xmat[humanoid.body].reshape(24, 3, 3)
        np.testing.assert_allclose(turned, rotations[t], atol=1e-9)


def test_velocities_lead_from_one_frame_to_the_next(humanoid):
    qpos = humanoid.to_qpos(standing())
    velocity = np.zeros(humanoid.model.nv)
    mujoco.mj_differentiatePos(humanoid.model, velocity, 0.1, qpos[4], qpos[6])
    np.testing.assert_allclose(humanoid.velocities(qpos, 0.05)[5], velocity, atol=1e-12)


def test_mass_is_that_of_a_human_and_shared_like_a_humans(humanoid):
    model = humanoid.model
    assert humanoid.mass == pytest.approx(22.9 * stature(FIGURE) ** 2, rel=1e-9)
    share = dict(zip(JOINT_NAMES, model.body_mass[humanoid.body] / humanoid.mass))
    assert sum(share.values()) == pytest.approx(1)
    # de Leva (1996): trunk 43 %, thigh 14.5 %, shank 4.6 %, foot 1.3 %, head and neck 6.8 %.
    trunk = sum(share[j] for j in ("pelvis", "spine1", "spine2", "spine3"))
    trunk += share["left_collar"] + share["right_collar"]
    assert trunk == pytest.approx(0.430, abs=0.005)
    assert share["left_hip"] == pytest.approx(0.1447, abs=0.002)
    assert share["left_knee"] == pytest.approx(0.0457, abs=0.002)
    assert share["left_ankle"] + share["left_foot"] == pytest.approx(0.0133, abs=0.001)
    assert share["neck"] + share["head"] == pytest.approx(0.068, abs=0.002)


def test_centre_of_mass_of_a_standing_body_lies_at_55_percent_of_its_height(humanoid):
    data = mujoco.MjData(humanoid.model)
    data.qpos[:] = humanoid.to_qpos(standing(1))[0]
    mujoco.mj_forward(humanoid.model, data)
    assert data.subtree_com[1, 2] / stature(FIGURE) == pytest.approx(0.555, abs=0.03)


def test_left_and_right_are_mirror_images(humanoid):
    model, other = humanoid.model, np.array(MIRROR)
    np.testing.assert_allclose(
        model.body_mass[humanoid.body], model.body_mass[humanoid.body[other]], rtol=1e-12
    )
    com = model.body_ipos[humanoid.body]
    np.testing.assert_allclose(com, com[other] * [-1, 1, 1], atol=1e-12)


def test_every_inertia_is_that_of_a_possible_body(humanoid):
    a, b, c = humanoid.model.body_inertia[humanoid.body].T
    assert (a > 0).all()
    assert (a <= b + c + 1e-12).all()
    assert (b <= a + c + 1e-12).all()
    assert (c <= a + b + 1e-12).all()


def test_soles_lie_where_the_skin_has_them(humanoid):
    for joint in FOOT_JOINTS:
        corners = humanoid.corners[humanoid.corner_joints == joint]
        skin = FIGURE.surface_points[FIGURE.surface_joints == joint] - FIGURE.rest[joint]
        np.testing.assert_allclose(corners[:, 1], skin[:, 1].min(), atol=1e-9)
        sole = skin[skin[:, 1] < skin[:, 1].min() + 0.02]
        assert np.ptp(corners[:, 0]) == pytest.approx(np.ptp(sole[:, 0]))


def test_a_body_laid_on_the_floor_touches_it_with_its_sole_and_nothing_collides_with_itself(
    humanoid,
):
    data = mujoco.MjData(humanoid.model)
    data.qpos[:] = humanoid.to_qpos(standing(1))[0]
    data.qpos[2] -= 0.001
    mujoco.mj_forward(humanoid.model, data)
    touched = {int(humanoid.model.geom_bodyid[c.geom2]) for c in data.contact}
    assert touched == set(humanoid.body[list(FOOT_JOINTS)].tolist())


def test_joints_bend_as_far_as_a_human_and_motors_are_as_strong_as_one(humanoid):
    model = humanoid.model
    assert model.joint("left_knee").range[1] == pytest.approx(np.radians(165))
    assert model.joint("left_ankle").range[1] == pytest.approx(np.radians(80))
    tall = Humanoid.build(scaled(1.2))
    assert tall.torque_limit.max() > humanoid.torque_limit.max()
    knee = model.actuator("left_knee_x").ctrlrange[1]
    assert 150 < knee < 350


def test_motors_act_on_joints_in_their_order_and_never_on_the_root(humanoid):
    data = mujoco.MjData(humanoid.model)
    data.qpos[:] = humanoid.to_qpos(wild_motion(1))[0]
    data.ctrl[:] = np.random.default_rng(1).uniform(-1, 1, humanoid.model.nu)
    mujoco.mj_forward(humanoid.model, data)
    np.testing.assert_allclose(data.qfrc_actuator[6:], data.ctrl, atol=1e-12)
    assert (data.qfrc_actuator[:6] == 0).all()


def test_a_taller_skeleton_gives_a_heavier_body_of_the_same_proportions(humanoid):
    tall = Humanoid.build(scaled(1.1))
    assert tall.mass / humanoid.mass == pytest.approx(1.1**2)
    assert tall.weight == pytest.approx(tall.mass * 9.81)


def test_the_solver_is_dense(humanoid):
    assert humanoid.model.opt.jacobian == mujoco.mjtJacobian.mjJAC_DENSE


def test_a_skeleton_without_soles_is_refused_by_name():
    bare = Skeleton(FIGURE.rest, FIGURE.surface_points[:1], FIGURE.surface_joints[:1])
    with pytest.raises(MotionError, match="left_ankle"):
        Humanoid.build(bare, HumanoidOptions())


def test_what_lies_on_a_slope_below_the_friction_angle_hardly_creeps():
    """MuJoCo's default cones, as soft sideways as downwards, creep by 9 mm in this second."""
    model = Humanoid.build(FIGURE, HumanoidOptions(damping=2000.0)).model
    data = mujoco.MjData(model)
    data.qpos[:7] = [0, 0, 0.3, 1, 0, 0, 0]  # lies on its back, stiff
    mujoco.mj_step(model, data, 450)
    model.opt.gravity[0] = 0.4 * 9.81
    mujoco.mj_step(model, data, 450)
    before = data.subtree_com[1].copy()
    mujoco.mj_step(model, data, 450)
    assert np.linalg.norm(data.subtree_com[1, :2] - before[:2]) < 0.005
