"""Retargeting: what a fitted motion keeps of its source."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips, mirrored
from motionloop.motion.floor import follow_contacts, level
from motionloop.motion.orientations import minimal_turn
from motionloop.motion.retarget import SourceMotion, retarget
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import JOINT_NAMES, PARENTS, REST_TO_WORLD, forward_kinematics

REST = Body.load().rest_joints(np.zeros(10))
MAPPING = {
    name: j
    for j, name in enumerate(JOINT_NAMES)
    if name not in ("spine1", "spine2", "left_hand", "right_hand")
}
LIMBS = [j for j, n in enumerate(JOINT_NAMES) if n.endswith(("hip", "knee", "shoulder", "elbow"))]


@pytest.fixture(scope="module")
def walk() -> SmplMotion:
    clips = {entry["name"]: clip for entry, clip in load_clips(CLIPS)}
    return clips["walk_left_a"][:60]


def _skeleton(**stretch: float) -> np.ndarray:
    """SMPL's rest joints with the bones that end in some joints stretched."""
    rest = REST.copy()
    for j in range(1, 24):
        factor = next((f for n, f in stretch.items() if JOINT_NAMES[j].endswith(n)), 1.0)
        rest[j] = rest[PARENTS[j]] + factor * (REST[j] - REST[PARENTS[j]])
    return rest


def _source(motion: SmplMotion, rest: np.ndarray = REST, unit: float = 1.0) -> SourceMotion:
    joints, rotations_w = forward_kinematics(
        rest, motion.transl, motion.global_orient, motion.body_pose
    )
    return SourceMotion(joints * unit, rotations_w, rest * unit, MAPPING, motion.fps)


def _world(motion: SmplMotion):
    return forward_kinematics(REST, motion.transl, motion.global_orient, motion.body_pose)


def _apart(a: SmplMotion, b: SmplMotion, joints: list[int]) -> np.ndarray:
    """Degrees (T, J) between world orientations."""
    r, s = _world(a)[1][:, joints], _world(b)[1][:, joints]
    turn = Rotation.from_matrix((np.swapaxes(r, -1, -2) @ s).reshape(-1, 3, 3))
    return np.rad2deg(turn.magnitude()).reshape(r.shape[:2])


def test_smpl_fitted_to_itself_is_itself(walk):
    fit = retarget(_source(walk), REST)
    joints, _ = _world(fit.motion)
    limbs_and_trunk = [j for j in MAPPING.values() if not JOINT_NAMES[j].endswith("foot")]
    truth = _world(walk)[0]
    assert np.linalg.norm(joints - truth, axis=-1)[:, limbs_and_trunk].mean() < 0.004
    assert _apart(fit.motion, walk, LIMBS).max() < 5.0
    assert fit.error_m < 0.004


@pytest.mark.parametrize("unit", [1.0, 100.0, 39.37])
def test_the_unit_of_the_source_changes_nothing(walk, unit):
    fit, metres = retarget(_source(walk, unit=unit), REST), retarget(_source(walk), REST)
    np.testing.assert_allclose(_world(fit.motion)[0], _world(metres.motion)[0], atol=1e-9)
    assert fit.error_m == pytest.approx(metres.error_m)


def test_limbs_of_other_lengths_keep_their_directions(walk):
    other = _skeleton(knee=1.15, ankle=0.9, elbow=0.8, wrist=1.2)
    fit = retarget(_source(walk, other), REST)
    assert _apart(fit.motion, walk, LIMBS).mean() < 2.0
    assert fit.error_m < 0.006


def test_longer_legs_make_the_way_shorter(walk):
    other = _skeleton(knee=1.25, ankle=1.25)
    fit = retarget(_source(walk, other), REST)
    assert fit.scale == pytest.approx(0.8, rel=1e-6)
    way, truth = (m.transl[-1, :2] - m.transl[0, :2] for m in (fit.motion, walk))
    np.testing.assert_allclose(way, 0.8 * truth, atol=0.02)


def test_the_error_is_the_distance_to_the_scaled_source(walk):
    source = _source(walk)
    joints = source.joints.copy()
    joints[:, JOINT_NAMES.index("head")] += [0.0, 0.0, 0.05]  # a head that no neck carries
    fit = retarget(replace(source, joints=joints), REST)
    clean = retarget(source, REST)
    assert fit.joint_error_m["head"] > clean.joint_error_m["head"] + 0.005
    assert fit.error_m == pytest.approx(np.mean(list(fit.joint_error_m.values())))


def test_straight_and_bent_knees_never_flip():
    bend = np.concatenate([np.linspace(0, 2.2, 40), np.linspace(2.2, 0, 40)])
    pose = np.zeros((80, 23, 3))
    pose[:, [3, 4], 0] = bend[:, None]
    pose[:, [0, 1], 0] = -0.5 * bend[:, None]
    pose[:, 17, 1], pose[:, 18, 1] = -bend, bend
    upright = np.broadcast_to(Rotation.from_matrix(REST_TO_WORLD).as_rotvec(), (80, 3))
    squat = SmplMotion(np.zeros((80, 3)), upright, pose, np.zeros(10), 30.0)
    fit = retarget(_source(squat), REST).motion
    np.testing.assert_allclose(fit.body_pose[:, [3, 4], 0], pose[:, [3, 4], 0], atol=0.06)
    np.testing.assert_allclose(fit.body_pose[:, 17, 1], -bend, atol=0.06)
    turned = np.abs(np.diff(fit.body_pose, axis=0)).max()
    assert turned < 0.12


def test_twists_about_a_bone_come_from_the_source(walk):
    pose = walk.body_pose.copy()
    forearm = JOINT_NAMES.index("left_elbow") - 1
    twist = Rotation.from_euler("x", np.linspace(-0.8, 0.8, len(walk))[:, None])
    pose[:, forearm] = (Rotation.from_rotvec(pose[:, forearm]) * twist).as_rotvec()
    twisted = replace(walk, body_pose=pose)
    fit = retarget(_source(twisted), REST).motion
    assert _apart(fit, twisted, [forearm + 1]).max() < 4.0


def test_the_mirror_image_is_fitted_as_the_mirror_image(walk):
    fit = mirrored(retarget(_source(walk), REST).motion)
    other = retarget(_source(mirrored(walk)), REST).motion
    np.testing.assert_allclose(_world(fit)[0], _world(other)[0], atol=2e-3)


def test_a_limb_without_length_is_refused(walk):
    flat = _skeleton(knee=0.0)
    with pytest.raises(InputError, match="left_hip to left_knee"):
        retarget(_source(walk, flat), REST)


def test_minimal_turns_are_rotations_even_between_opposites():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50, 3))
    a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    b[:10] = -a[:10]
    turn = minimal_turn(a, b)
    np.testing.assert_allclose(np.einsum("tab,tb->ta", turn, a), b, atol=1e-6)
    np.testing.assert_allclose(
        turn @ np.swapaxes(turn, 1, 2), np.tile(np.eye(3), (50, 1, 1)), atol=1e-6
    )
    np.testing.assert_allclose(np.linalg.det(turn), 1.0)
    magnitude = Rotation.from_matrix(turn[10:]).magnitude()
    angle = np.arccos(np.sum(a[10:] * b[10:], axis=1))
    np.testing.assert_allclose(magnitude, angle, atol=1e-6)


def test_a_floating_clip_comes_down_as_a_whole(walk):
    lowest = np.full(len(walk), 0.07)
    lowest[20:30] = 0.5  # a jump
    down = level(walk, lowest)
    np.testing.assert_allclose(down.transl, walk.transl - [0, 0, 0.07])


def test_contacts_of_the_source_decide_the_height_and_flight_is_kept(walk):
    frames = len(walk)
    height = np.zeros(frames)
    height[25:40] = 0.4 * np.sin(np.linspace(0, np.pi, 15))  # the source jumps
    sunk = np.where(np.arange(frames) < 20, -0.05, -0.02) + height
    moved = follow_contacts(walk, sunk, height)
    rise = moved.transl[:, 2] - walk.transl[:, 2]
    np.testing.assert_allclose(rise[:10], 0.05, atol=2e-3)
    np.testing.assert_allclose(rise[42:], 0.02, atol=4e-3)
    assert np.ptp(rise[27:38]) < 0.02
    np.testing.assert_array_equal(moved.transl[:, :2], walk.transl[:, :2])
