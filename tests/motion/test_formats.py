"""Motion files: what is read, and how damaged ones are refused."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from bvh_writer import MOCAP, bones_along_x, bvh_text, natural_axes
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.formats import load_motion, read_motion
from motionloop.motion.formats.bvh import joints_in_world, read_bvh
from motionloop.motion.formats.deepmimic import read_deepmimic, unrolled
from motionloop.motion.formats.joint_names import match_joints
from motionloop.motion.formats.world import unit_of, up_axis
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import (
    JOINT_NAMES,
    REST_TO_WORLD,
    forward_kinematics,
    rotation_matrices,
)

SHARED = Path(__file__).parents[3] / "shared/data"
REST = Body.load().rest_joints(np.zeros(10))
# SMPL's own limbs have no straight counterpart in the trunk; limbs and head are compared.
COMPARED = [JOINT_NAMES.index(n) for n in JOINT_NAMES if "spine" not in n and "hand" not in n]


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


@pytest.fixture(scope="module")
def walk() -> SmplMotion:
    clips = {entry["name"]: clip for entry, clip in load_clips(CLIPS)}
    return clips["walk_left_a"][:70]


def _joints(motion: SmplMotion) -> np.ndarray:
    return forward_kinematics(REST, motion.transl, motion.global_orient, motion.body_pose)[0]


def _turned_apart(a: SmplMotion, b: SmplMotion) -> np.ndarray:
    """Angle (T, 24) in degrees between the joints' world orientations."""
    _, r = forward_kinematics(REST, a.transl, a.global_orient, a.body_pose)
    _, s = forward_kinematics(REST, b.transl, b.global_orient, b.body_pose)
    between = Rotation.from_matrix((np.swapaxes(r, -1, -2) @ s).reshape(-1, 3, 3))
    return np.rad2deg(between.magnitude()).reshape(r.shape[:2])


def _load(tmp_path: Path, text: str, body: Body) -> tuple[SmplMotion, float]:
    (tmp_path / "clip.bvh").write_text(text)
    return read_motion(tmp_path / "clip.bvh", body)


XSENS = {
    n: n.title().replace("_", "").replace("Foot", "Toe").replace("Pelvis", "Hips")
    for n in JOINT_NAMES
}
BANDAI = {**{n: n.title() for n in JOINT_NAMES}, "pelvis": "Hips", "spine3": "Chest"} | {
    f"{side}_{joint}": f"{name}_{side[0].upper()}"
    for side in ("left", "right")
    for joint, name in {
        "hip": "UpperLeg",
        "knee": "LowerLeg",
        "ankle": "Foot",
        "foot": "Toes",
        "collar": "Shoulder",
        "shoulder": "UpperArm",
        "elbow": "LowerArm",
        "wrist": "Hand",
        "hand": "Fingers",
    }.items()
}
BLENDER = {**MOCAP} | {
    f"{side}_{joint}": f"{name}.{side[0].upper()}"
    for side in ("left", "right")
    for joint, name in {
        "hip": "thigh",
        "knee": "shin",
        "ankle": "foot",
        "foot": "toe",
        "collar": "shoulder",
        "shoulder": "upper_arm",
        "elbow": "forearm",
        "wrist": "hand",
        "hand": "f_index",
    }.items()
}
MIXAMO = {n: f"mixamorig:{m}" for n, m in MOCAP.items()}
UNNAMED = {n: f"bone{j}" for j, n in enumerate(JOINT_NAMES)}


@pytest.mark.parametrize(
    ("names", "order", "unit_m", "up", "every_position"),
    [
        (MOCAP, "ZXY", 0.01, "y", False),
        (MIXAMO, "XYZ", 1.0, "z", False),
        (XSENS, "YXZ", 0.0254, "y", False),
        (BANDAI, "ZXY", 0.01, "y", True),
        (BLENDER, "ZYX", 0.001, "z", True),
        (dict(zip(JOINT_NAMES, JOINT_NAMES)), "XZY", 1.0, "y", False),
        (UNNAMED, "ZXY", 0.01, "y", False),
    ],
    ids=["mocap", "mixamo", "xsens", "bandai", "blender", "smpl", "unnamed"],
)
def test_a_motion_survives_being_written_as_bvh(
    tmp_path, body, walk, names, order, unit_m, up, every_position
):
    text = bvh_text(walk, REST, names, order, unit_m, up, every_position=every_position)
    read, error = _load(tmp_path, text, body)
    assert len(read) == len(walk)
    assert read.fps == pytest.approx(30.0)
    assert error < 0.004
    shift = _joints(read) - _joints(walk)
    assert np.ptp(shift[:, 0, 2]) < 1e-3  # levelled as a whole, never frame by frame
    apart = _joints(read)[:, COMPARED] - _joints(walk)[:, COMPARED] - shift[:, :1].mean(axis=0)
    assert np.linalg.norm(apart, axis=-1).mean() < 0.006
    assert _turned_apart(read, walk)[:, COMPARED].mean() < 3.0


@pytest.mark.parametrize("seed", [0, 1])
def test_arbitrary_axes_of_the_joints_give_the_same_motion(tmp_path, body, walk, seed):
    text = bvh_text(walk, REST, axes=bones_along_x(REST, seed))
    read, error = _load(tmp_path, text, body)
    assert error < 0.02
    apart = _turned_apart(read, walk)
    for name in ("pelvis", "hip", "knee", "shoulder", "elbow"):
        for j in (j for j, joint in enumerate(JOINT_NAMES) if joint.endswith(name)):
            assert apart[:, j].mean() < 15.0, JOINT_NAMES[j]
    knees = read.body_pose[:, [3, 4], 0]
    assert knees.min() > -0.2  # forwards, not flipped
    assert knees.max() > 0.8


def test_forward_kinematics_of_bvh_agrees_with_smpl(tmp_path, walk):
    (tmp_path / "a.bvh").write_text(
        bvh_text(walk, REST, order="YZX", unit_m=1.0, up="z", axes=bones_along_x(REST))
    )
    bvh = read_bvh(tmp_path / "a.bvh")
    joints, _ = joints_in_world(bvh)
    ours = [bvh.names.index(MOCAP[name]) for name in JOINT_NAMES]
    np.testing.assert_allclose(joints[:, ours], _joints(walk), atol=1e-5)


def test_braces_and_line_ends_may_stand_anywhere(tmp_path, walk):
    text = bvh_text(walk[:3], REST)
    (tmp_path / "a.bvh").write_text(text)
    head, motion = text.split("MOTION")
    packed = re.sub(r"\s*([{}])\s*", r" \1 ", head) + "\nMOTION" + motion
    (tmp_path / "b.bvh").write_bytes(packed.replace("\n", "\r\n").encode())
    plain, other = (read_bvh(tmp_path / name) for name in ("a.bvh", "b.bvh"))
    assert other.names == plain.names
    np.testing.assert_array_equal(other.offsets, plain.offsets)
    np.testing.assert_array_equal(other.frames, plain.frames)


def test_up_axis_and_unit_are_told_from_the_body(tmp_path, walk):
    for up, unit_m, unit in (("y", 0.01, "cm"), ("z", 1.0, "m"), ("y", 0.0254, "inch")):
        (tmp_path / "a.bvh").write_text(bvh_text(walk, REST, up=up, unit_m=unit_m))
        bvh = read_bvh(tmp_path / "a.bvh")
        mapping = match_joints(bvh.names, bvh.parents)
        assert up_axis(joints_in_world(bvh)[0], bvh.rest(), mapping) == up
        assert unit_of(bvh.rest(), mapping) == unit


def test_a_lying_body_does_not_tip_the_world(tmp_path, body):
    clips = {entry["name"]: clip for entry, clip in load_clips(CLIPS)}
    lying = clips["getup_faceup"][:30]
    standing_in_z = np.broadcast_to(REST_TO_WORLD.T, (24, 3, 3))
    for up, axes in (("y", natural_axes()), ("z", standing_in_z)):
        read, _ = _load(tmp_path, bvh_text(lying, REST, up=up, axes=axes), body)
        assert _joints(read)[:, 0, 2].max() < 0.4
        assert _turned_apart(read, lying)[:, 0].mean() < 5.0


def _broken(text: str, how: str) -> str:
    head, motion = text.split("MOTION\n")
    frames, time, *rows = motion.splitlines()
    if how == "cut in the motion":
        return text[: int(len(text) * 0.7)]
    if how == "cut in the hierarchy":
        return text[: len(head) // 2]
    if how == "no motion":
        return head
    if how == "more frames":
        return text.replace(frames, f"Frames: {len(rows) - 3}")
    if how == "no frames":
        return head + "MOTION\nFrames: 0\n" + time + "\n"
    if how == "no time":
        return text.replace(time, "Frame Time: 0")
    if how == "nan":
        rows[2] = " ".join(["nan", *rows[2].split()[1:]])
    if how == "word":
        rows[2] = " ".join(["one", *rows[2].split()[1:]])
    return head + "MOTION\n" + "\n".join([frames, time, *rows]) + "\n"


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("cut in the motion", "cut off"),
        ("cut in the hierarchy", "cut off|MOTION"),
        ("no motion", "MOTION"),
        ("more frames", "holds"),
        ("no frames", "0 frames"),
        ("no time", "Frame Time"),
        ("nan", "NaN.*frame 2"),
        ("word", "not a number"),
    ],
)
def test_a_broken_bvh_is_refused_by_name(tmp_path, body, walk, how, says):
    with pytest.raises(InputError, match=says) as caught:
        _load(tmp_path, _broken(bvh_text(walk[:6], REST), how), body)
    assert "clip.bvh" in str(caught.value)


def test_a_skeleton_without_legs_is_refused_with_what_is_missing(tmp_path, body, walk):
    text = "HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 1 Xrotation\nJOINT Tail\n{\n"
    text += "OFFSET 0 1 0\nCHANNELS 1 Xrotation\n}\n}\nMOTION\nFrames: 1\nFrame Time: 0.1\n0 0\n"
    with pytest.raises(InputError, match=r"left_hip.*Tail"):
        _load(tmp_path, text, body)


def test_fingers_and_twist_bones_are_not_taken_for_limbs():
    chain = ["Hips", "LeftUpLeg", "LeftUpLegTwist", "LeftLeg", "LeftFoot", "LeftToe_end"]
    names = chain + [n.replace("Left", "Right") for n in chain[1:]]
    parents = [-1, 0, 1, 1, 3, 4, 0, 6, 6, 8, 9]
    for side in ("Left", "Right"):
        start = len(names)
        names += [f"{side}{n}" for n in ("Shoulder", "Arm", "ForeArm", "Hand", "HandThumb1")]
        parents += [0, start, start + 1, start + 2, start + 3]
    match = match_joints(names, parents)
    assert names[match["left_knee"]] == "LeftLeg"
    assert names[match["right_shoulder"]] == "RightArm"
    assert names[match["right_collar"]] == "RightShoulder"


def _amass(**changed) -> dict:
    rng = np.random.default_rng(3)
    frames = 5
    values = {
        "poses": 0.1 * rng.normal(size=(frames, 156)),
        "trans": rng.normal(size=(frames, 3)),
        "betas": np.arange(16.0) / 100,
        "gender": np.array("male"),
        "mocap_framerate": np.array(60.0),
    }
    values.update(changed)
    return {name: value for name, value in values.items() if value is not None}


def test_amass_layouts_and_spellings_give_the_same_motion(tmp_path, body):
    h = _amass()
    x = {
        "root_orient": h["poses"][:, :3],
        "pose_body": h["poses"][:, 3:66],
        "trans": h["trans"],
        "betas": h["betas"],
        "mocap_frame_rate": h["mocap_framerate"],
    }
    short = {**h, "poses": h["poses"][:, :72]}
    motions = []
    for values in (h, x, short):
        np.savez(tmp_path / "a.npz", **values)
        motions.append(load_motion(tmp_path / "a.npz", body))
    for motion in motions:
        assert motion.fps == 60.0
        np.testing.assert_array_equal(motion.betas, h["betas"][:10])
        np.testing.assert_allclose(motion.global_orient, h["poses"][:, :3])
        np.testing.assert_allclose(motion.body_pose[:, :21].reshape(5, -1), h["poses"][:, 3:66])
        np.testing.assert_array_equal(motion.body_pose[:, 21:], 0)
        rise = motion.transl - h["trans"]
        np.testing.assert_allclose(rise - rise[0], 0, atol=1e-12)
        np.testing.assert_allclose(rise[:, :2], 0, atol=1e-12)
        assert abs(np.percentile(body.lowest(motion), 10)) < 0.02


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"poses": None}, "no motion"),
        ({"poses": np.full((5, 156), np.nan)}, "NaN"),
        ({"poses": np.zeros((0, 156)), "trans": np.zeros((0, 3))}, "0 frames"),
        ({"mocap_framerate": np.array(0.0)}, "fps is 0"),
        ({"mocap_framerate": None}, "frame rate"),
        ({"trans": np.zeros((4, 3))}, "number of frames"),
        ({"trans": None}, "no trans"),
        ({"poses": np.array([{}], dtype=object)}, "readable"),
    ],
)
def test_a_broken_amass_file_is_refused_by_name(tmp_path, body, changed, says):
    np.savez(tmp_path / "a.npz", **_amass(**changed))
    with pytest.raises(InputError, match=says) as caught:
        load_motion(tmp_path / "a.npz", body)
    assert "a.npz" in str(caught.value)


def test_our_own_file_is_given_as_it_is(tmp_path, body, walk):
    walk.save(tmp_path / "a.npz")
    read = load_motion(tmp_path / "a.npz", body)
    np.testing.assert_array_equal(read.transl, walk.transl)
    assert read.caption == walk.caption


@pytest.mark.parametrize("name", ["a.fbx", "a.npz"])
def test_an_unknown_or_damaged_file_is_refused_by_name(tmp_path, body, name):
    (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(InputError, match=name):
        load_motion(tmp_path / name, body)
    with pytest.raises(InputError, match="no such file"):
        load_motion(tmp_path / "missing.bvh", body)


def test_a_real_amass_clip_stands_on_the_floor(body):
    path = SHARED / "amass/CMU_75_09_poses.npz"
    if not path.is_file():
        pytest.skip("the AMASS clip is not beside the checkout")
    motion = load_motion(path, body)
    assert len(motion) == 372
    assert motion.fps == 60.0
    lowest = body.lowest(motion[::4])
    assert abs(np.percentile(lowest, 10)) < 0.01
    assert 0.7 < _joints(motion)[:, 0, 2].mean() < 1.1


def test_a_real_bvh_of_bones_along_x_is_fitted(body):
    path = SHARED / "bandai-namco/bvh/dataset-1_walk_normal_001.bvh"
    if not path.is_file():
        pytest.skip("the Bandai-Namco clips are not beside the checkout")
    motion, error = read_motion(path, body)
    assert error < 0.015
    knees = motion.body_pose[:, [3, 4], 0]
    assert knees.min() > -0.15
    assert (knees.max(axis=0) > 0.7).all()
    joints, rotations_w = forward_kinematics(
        REST, motion.transl, motion.global_orient, motion.body_pose
    )
    ahead = rotations_w[:-1, 0, :2, 2]  # a walk goes where the pelvis looks
    assert (np.diff(joints[:, 0, :2], axis=0) * ahead).sum(axis=1).mean() > 0.02
    lowest = body.lowest(motion)
    assert np.abs(lowest).mean() < 0.01
    elbows = rotation_matrices(motion.body_pose[:, [17, 18]])
    forearm = elbows @ np.array([1.0, 0.0, 0.0])
    assert forearm[:, 0, 2].mean() > 0.05
    assert forearm[:, 1, 2].mean() < -0.05


def _deepmimic(path: Path, cycle: int = 31, turn: float = 0.6, way: float = 0.9) -> Path:
    """A character that goes `way` m ahead on an arc of `turn` rad in a cycle of one second."""
    frames = []
    for phase in np.linspace(0, 1, cycle):
        yaw = turn * phase
        radius = way / turn
        root = [radius * np.sin(yaw), 0.9, -radius * (1 - np.cos(yaw))]
        identity = [1.0, 0, 0, 0]
        turned = [np.cos(yaw / 2), 0, np.sin(yaw / 2), 0]
        frame = [1 / (cycle - 1), *root, *turned, *identity * 3, -0.3, *identity * 2, 0.4]
        frames.append([*frame, *identity, -0.3, *identity * 2, 0.4])
    path.write_text(json.dumps({"Loop": "wrap", "Frames": frames}))
    return path


def test_a_loop_goes_on_in_place_and_heading(tmp_path):
    clip = read_deepmimic(_deepmimic(tmp_path / "a.txt"))
    root, turns = unrolled(clip, 3.0, 30.0)
    assert len(root) == 91
    radius = 0.9 / 0.6
    np.testing.assert_allclose(
        np.linalg.norm(root[:, [0, 2]] - [0, -radius], axis=1), radius, atol=1e-3
    )
    np.testing.assert_allclose(
        root[-1, [0, 2]], [radius * np.sin(1.8), radius * (np.cos(1.8) - 1)], atol=1e-6
    )
    np.testing.assert_allclose(turns[-1, 0], Rotation.from_euler("y", 1.8).as_matrix(), atol=1e-6)
    steps = np.linalg.norm(np.diff(root, axis=0), axis=1)
    assert steps.max() < 1.02 * steps.min()


def test_a_quadruped_is_refused(tmp_path):
    (tmp_path / "dog.txt").write_text(json.dumps({"Frames": [[0.1] * 20]}))
    with pytest.raises(InputError, match=r"dog.txt.*\(1, 20\)"):
        read_deepmimic(tmp_path / "dog.txt")
