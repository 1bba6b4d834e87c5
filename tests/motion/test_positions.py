"""Retargeting from joint positions alone, and the angles that no retargeting may leave."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.formats import read_motion
from motionloop.motion.formats.bvh import joints_in_world, read_bvh
from motionloop.motion.formats.joint_names import match_joints
from motionloop.motion.formats.world import TO_Z_UP, in_world
from motionloop.motion.orientations import unit
from motionloop.motion.retarget import SourceMotion, retarget
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import (
    JOINT_NAMES,
    PARENTS,
    REST_TO_WORLD,
    forward_kinematics,
    rotation_matrices,
)

BANDAI = Path(__file__).parents[3] / "shared/data/bandai-namco/bvh"
REST = Body.load().rest_joints(np.zeros(10))
ALL = {name: j for j, name in enumerate(JOINT_NAMES[:22])}
LIMBS_ONLY = {n: j for n, j in ALL.items() if "spine" not in n and "collar" not in n}
STAND = Rotation.from_matrix(REST_TO_WORLD).as_rotvec()


@pytest.fixture(scope="module")
def clips() -> dict[str, SmplMotion]:
    return {entry["name"]: clip for entry, clip in load_clips(CLIPS)}


def _joints(motion: SmplMotion) -> np.ndarray:
    pose = (motion.transl, motion.global_orient, motion.body_pose)
    return forward_kinematics(REST, *pose)[0]


def _source(motion: SmplMotion, mapping: dict[str, int], scale: float = 1.0) -> SourceMotion:
    return SourceMotion(scale * _joints(motion), None, None, mapping, motion.fps)


def _bends(motion: SmplMotion, joint: str) -> tuple[np.ndarray, np.ndarray]:
    """Degrees (T,) that a knee or elbow bends the natural way, and sideways."""
    side, kind = joint.split("_")
    j = JOINT_NAMES.index(joint)
    child = JOINT_NAMES.index(f"{side}_{'ankle' if kind == 'knee' else 'wrist'}")
    bone = unit(REST[child] - REST[j])
    natural = np.array([0.0, 0.0, -1.0 if kind == "knee" else 1.0])
    natural = unit(natural - bone * (natural @ bone))
    seen = rotation_matrices(motion.body_pose[:, j - 1]) @ bone
    aside = np.cross(bone, natural)
    return (
        np.rad2deg(np.arctan2(seen @ natural, seen @ bone)),
        np.rad2deg(np.arcsin(np.clip(seen @ aside, -1, 1))),
    )


def _within_range(motion: SmplMotion, name: str) -> None:
    """Knees and elbows bend as a body's do: hardly backwards, not through the limb."""
    for joint in ("left_knee", "right_knee", "left_elbow", "right_elbow"):
        bend, aside = _bends(motion, joint)
        assert bend.min() > -10, (name, joint)
        assert bend.max() < 160, (name, joint)
        assert np.abs(aside).max() < 45, (name, joint)


def _steps(motion: SmplMotion, joints: list[str]) -> np.ndarray:
    """Largest turn between frames of each joint, rad."""
    rows = [JOINT_NAMES.index(joint) - 1 for joint in joints]
    turned = rotation_matrices(motion.body_pose[:, rows])
    between = np.swapaxes(turned[:-1], -1, -2) @ turned[1:]
    return Rotation.from_matrix(between.reshape(-1, 3, 3)).magnitude()


@pytest.mark.parametrize("mapping", [ALL, LIMBS_ONLY], ids=["all", "limbs"])
def test_positions_alone_give_the_motion_back(clips, mapping):
    for name in ("walk_left_a", "kick", "cartwheel", "getup_faceup"):
        clip = clips[name]
        mapping = {**mapping, "pelvis": 0, "spine3": JOINT_NAMES.index("spine3")}
        fit = retarget(_source(clip, mapping), REST)
        assert fit.error_m < 0.01, name
        compared = [j for n, j in mapping.items() if "spine" not in n]
        apart = np.linalg.norm(_joints(fit.motion) - _joints(clip), axis=-1)[:, compared]
        assert apart.mean() < 0.012, name
        _within_range(fit.motion, name)


def test_the_unit_of_positions_changes_nothing(clips):
    source = _source(clips["walk"][:30], ALL)
    metres, inches = (
        retarget(source, REST),
        retarget(replace(source, joints=39.4 * source.joints), REST),
    )
    np.testing.assert_allclose(_joints(inches.motion), _joints(metres.motion), atol=1e-9)


def test_bends_of_knees_and_elbows_come_back_through_straight():
    bend = np.concatenate([np.linspace(0, 2.2, 40), np.linspace(2.2, 0, 40)])
    pose = np.zeros((80, 23, 3))
    pose[:, [3, 4], 0] = bend[:, None]
    pose[:, [0, 1], 0] = -0.5 * bend[:, None]
    pose[:, 17, 1], pose[:, 18, 1] = -bend, bend
    squat = SmplMotion(np.zeros((80, 3)), np.tile(STAND, (80, 1)), pose, np.zeros(10), 30.0)
    fit = retarget(_source(squat, ALL), REST).motion
    np.testing.assert_allclose(fit.body_pose[:, [3, 4], 0], pose[:, [3, 4], 0], atol=0.1)
    np.testing.assert_allclose(fit.body_pose[:, 17, 1], -bend, atol=0.1)
    assert _steps(fit, ["left_knee", "right_knee", "left_elbow", "right_elbow"]).max() < 0.15


def test_an_arm_that_straightens_keeps_its_twist_until_it_bends_again():
    """The plane of the elbow is unknown while the arm is straight; it must not jump."""
    turn = Rotation.from_euler("x", 70, degrees=True)  # a bend that is not the untwisted one
    bend = 0.8 * np.abs(np.cos(np.linspace(0, np.pi, 90)))
    pose = np.zeros((90, 23, 3))
    shoulder, elbow = (JOINT_NAMES.index(n) - 1 for n in ("left_shoulder", "left_elbow"))
    pose[:, shoulder] = turn.as_rotvec()
    pose[:, elbow, 1] = -bend
    motion = SmplMotion(np.zeros((90, 3)), np.tile(STAND, (90, 1)), pose, np.zeros(10), 30.0)
    fit = retarget(_source(motion, ALL), REST).motion
    assert _steps(fit, ["left_shoulder", "left_elbow"]).max() < 0.2
    far = np.abs(np.arange(90) - 45) > 8
    np.testing.assert_allclose(fit.body_pose[far, elbow, 1], -bend[far], atol=0.1)


def test_an_arm_overhead_and_across_does_not_spin():
    reach = np.linspace(-1.4, 1.5, 120)
    pose = np.zeros((120, 23, 3))
    shoulder, elbow = (JOINT_NAMES.index(n) - 1 for n in ("left_shoulder", "left_elbow"))
    swing = Rotation.from_euler("zy", np.stack([reach, -1.2 + 0 * reach], axis=1))
    pose[:, shoulder] = swing.as_rotvec()
    pose[:, elbow, 1] = -0.3
    motion = SmplMotion(np.zeros((120, 3)), np.tile(STAND, (120, 1)), pose, np.zeros(10), 30.0)
    fit = retarget(_source(motion, ALL), REST).motion
    assert _steps(fit, ["left_shoulder", "left_elbow"]).max() < 0.15


def test_a_trunk_without_extent_is_refused(clips):
    joints = _joints(clips["walk"][:5])
    joints[3] = 0.0
    with pytest.raises(InputError, match="frame 3"):
        retarget(SourceMotion(joints, None, None, ALL, 30.0), REST)


def test_a_source_without_a_limb_is_refused(clips):
    mapping = {name: j for name, j in ALL.items() if name != "left_elbow"}
    with pytest.raises(InputError, match="left_elbow"):
        retarget(_source(clips["walk"][:5], mapping), REST)


def test_a_neck_that_sits_elsewhere_does_not_shrug_the_shoulders(clips):
    """Where a skeleton puts the base of its neck is its own convention."""
    clip = replace(clips["walk"][:40], body_pose=0.5 * clips["walk"].body_pose[:40])
    pose = clip.body_pose.copy()
    pose[:, [JOINT_NAMES.index(f"{s}_collar") - 1 for s in ("left", "right")]] = 0.0
    clip = replace(clip, body_pose=pose)
    rest = REST.copy()
    neck = JOINT_NAMES.index("neck")
    rest[[neck, JOINT_NAMES.index("head")]] -= [0.0, 0.09, 0.0]
    joints, rotations = forward_kinematics(rest, clip.transl, clip.global_orient, clip.body_pose)
    mapping = {n: j for n, j in ALL.items() if n not in ("spine1", "spine2")}
    fit = retarget(SourceMotion(joints, rotations, rest, mapping, 30.0), REST)
    collars = fit.motion.body_pose[
        :, [JOINT_NAMES.index(f"{s}_collar") - 1 for s in ("left", "right")]
    ]
    assert np.abs(collars).max() < 0.1
    assert fit.joint_error_m["left_shoulder"] < 0.01


def test_a_bvh_of_positions_only_is_fitted(tmp_path, clips):
    walk = clips["walk_right_a"][:40]
    joints = 100 * _joints(walk) @ REST_TO_WORLD
    lines, columns = ["HIERARCHY"], []

    def add(j: int) -> None:
        lines.append(f"{'JOINT' if j else 'ROOT'} {JOINT_NAMES[j]}\n{{\nOFFSET 0 0 0")
        lines.append("CHANNELS 3 Xposition Yposition Zposition")
        columns.append(joints[:, j] - (joints[:, PARENTS[j]] if j else 0))
        for child in (c for c in range(22) if PARENTS[c] == j):
            add(child)
        lines.append("}")

    add(0)
    lines += ["MOTION", "Frames: 40", "Frame Time: 0.0333333"]
    lines += [" ".join(f"{v:.6f}" for v in row) for row in np.concatenate(columns, axis=1)]
    (tmp_path / "a.bvh").write_text("\n".join(lines))
    read, error = read_motion(tmp_path / "a.bvh", Body.load())
    assert error < 0.01
    apart = _joints(read) - _joints(walk)
    assert np.linalg.norm(apart - apart[:, :1].mean(axis=0), axis=-1)[:, :22].mean() < 0.02


def test_knees_and_elbows_of_real_clips_stay_within_a_bodys_range():
    if not BANDAI.is_dir():
        pytest.skip("the Bandai-Namco clips are not beside the checkout")
    for path in sorted(BANDAI.glob("*.bvh"))[3::17]:
        bvh = read_bvh(path)
        joints, rotations = joints_in_world(bvh)
        mapping = match_joints(bvh.names, bvh.parents, joints @ TO_Z_UP["y"].T)
        source = in_world(joints, rotations, bvh.rest(), mapping, "y", bvh.fps)
        for way in (source, replace(source, rotations_w=None, rest=None)):
            fit = retarget(way, REST)
            assert fit.error_m < 0.02, path.name
            _within_range(fit.motion, path.name)
            limbs = ["left_knee", "right_knee", "left_hip", "right_hip"]
            assert _steps(fit.motion, limbs).max() < 0.7, path.name
