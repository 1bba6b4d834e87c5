"""npz files of ProtoMotions, PHC and kimodo, written here by their definitions."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.formats import load_motion, read_motion
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import JOINT_NAMES, PARENTS, REST_TO_WORLD, forward_kinematics

# MuJoCo's order of SMPL's bodies as ProtoMotions lists it, in SMPL's names.
MUJOCO = (
    "pelvis", "left_hip", "left_knee", "left_ankle", "left_foot",
    "right_hip", "right_knee", "right_ankle", "right_foot",
    "spine1", "spine2", "spine3", "neck", "head",
    "left_collar", "left_shoulder", "left_elbow", "left_wrist", "left_hand",
    "right_collar", "right_shoulder", "right_elbow", "right_wrist", "right_hand",
)  # fmt: skip
REST = Body.load().rest_joints(np.zeros(10))


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


@pytest.fixture(scope="module")
def kick() -> SmplMotion:
    return {entry["name"]: clip for entry, clip in load_clips(CLIPS)}["kick"][:30]


def _world(motion: SmplMotion):
    pose = (motion.transl, motion.global_orient, motion.body_pose)
    return forward_kinematics(REST, *pose)


def _same_pose(read: SmplMotion, motion: SmplMotion, joints: int = 24, atol: float = 1e-6):
    np.testing.assert_allclose(
        _world(read)[1][:, :joints], _world(motion)[1][:, :joints], atol=atol
    )
    shift = read.transl - motion.transl
    np.testing.assert_allclose(shift, np.tile(shift[0], (len(shift), 1)), atol=1e-6)
    np.testing.assert_allclose(shift[0, :2], 0, atol=1e-6)
    assert abs(shift[0, 2]) < 0.02  # set on the floor as a whole


@pytest.mark.parametrize("upright", [True, False])
def test_protomotions_states_are_the_motion_they_were_made_from(tmp_path, body, kick, upright):
    joints, rotations_w = _world(kick)
    order = [JOINT_NAMES.index(name) for name in MUJOCO]
    axes = (
        Rotation.from_euler("xyz", [-np.pi / 2, -np.pi / 2, 0]) if upright else Rotation.identity()
    )
    turned = Rotation.from_matrix(rotations_w[:, order].reshape(-1, 3, 3)) * axes
    np.savez(
        tmp_path / "a.npz",
        rigid_body_pos=joints[:, order].astype(np.float32),
        rigid_body_rot=turned.as_quat().reshape(30, 24, 4),
        fps=30,
    )
    read = load_motion(tmp_path / "a.npz", body)
    assert read.fps == 30.0
    _same_pose(read, kick)


@pytest.mark.parametrize("width", [72, 156])
def test_phc_poses_are_read_in_smpls_order(tmp_path, body, kick, width):
    poses = np.zeros((30, width))
    poses[:, :3] = kick.global_orient
    poses[:, 3:66] = kick.body_pose[:, :21].reshape(30, -1)
    poses[:, 66:] = 0.3 if width == 156 else 0.0
    np.savez(tmp_path / "a.npz", pose_aa=poses, trans_orig=kick.transl, beta=np.zeros(16), fps=30)
    _same_pose(load_motion(tmp_path / "a.npz", body), kick, 22)


def test_kimodos_smplx_motion_is_read_as_it_is(tmp_path, body, kick):
    joints, rotations_w = _world(kick)
    np.savez(
        tmp_path / "a.npz",
        posed_joints=joints[:, :22] @ REST_TO_WORLD,
        global_rot_mats=REST_TO_WORLD.T @ rotations_w[:, :22],
        foot_contacts=np.zeros((30, 4)),
    )
    read, error = read_motion(tmp_path / "a.npz", body)
    assert (read.fps, error) == (30.0, 0.0)
    _same_pose(read, kick, 22)


def test_kimodos_soma_skeleton_is_retargeted(tmp_path, body, kick):
    from motionloop.motion.formats.kimodo import _SOMA

    joints, rotations_w = _world(kick)
    soma, turns = np.zeros((30, 77, 3)), np.tile(np.eye(3), (30, 77, 1, 1))
    for name, k in _SOMA[77].items():
        j = JOINT_NAMES.index(name)
        soma[:, k] = joints[:, j] @ REST_TO_WORLD
        turns[:, k] = REST_TO_WORLD.T @ rotations_w[:, j]
    np.savez(tmp_path / "a.npz", posed_joints=soma, global_rot_mats=turns)
    read, error = read_motion(tmp_path / "a.npz", body)
    assert 0 < error < 0.01
    limbs = [
        JOINT_NAMES.index(f"{s}_{j}") for s in ("left", "right") for j in ("knee", "elbow", "wrist")
    ]
    apart = _world(read)[0][:, limbs] - _world(kick)[0][:, limbs]
    apart -= (_world(read)[0][:, :1] - _world(kick)[0][:, :1]).mean(axis=0)
    assert np.linalg.norm(apart, axis=-1).mean() < 0.02


def test_somas_names_are_matched():
    from motionloop.motion.formats.joint_names import match_joints

    names = ["Hips", "Spine1", "Spine2", "Chest", "Neck1", "Head"]
    parents = [-1, 0, 1, 2, 3, 4]
    for side in ("Left", "Right"):
        for chain, root in (
            (("Shoulder", "Arm", "ForeArm", "Hand"), 3),
            (("Leg", "Shin", "Foot", "ToeBase"), 0),
        ):
            for k, name in enumerate(chain):
                parents.append(root if k == 0 else len(names) - 1)
                names.append(side + name)
    match = match_joints(names, parents)
    assert names[match["left_hip"]] == "LeftLeg"
    assert names[match["right_knee"]] == "RightShin"
    assert names[match["left_foot"]] == "LeftToeBase"
    assert PARENTS[0] == -1


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"rigid_body_pos": np.zeros((5, 30, 3)), "rigid_body_rot": np.zeros((5, 30, 4))}, "24"),
        ({"rigid_body_pos": np.zeros((5, 24, 3)), "rigid_body_rot": np.zeros((5, 24, 4))}, "quat"),
        ({"pose_aa": np.zeros((5, 70)), "fps": 30}, r"\(T, 72\)"),
        ({"pose_aa": np.zeros((5, 72)), "fps": 30}, "trans_orig"),
        ({"pose_aa": np.zeros((5, 72)), "trans_orig": np.zeros((5, 3))}, "frame rate"),
        (
            {"posed_joints": np.zeros((5, 34, 3)), "global_rot_mats": np.zeros((5, 34, 3, 3))},
            "robot",
        ),
        ({"posed_joints": np.zeros((5, 22, 3)), "global_rot_mats": np.zeros((5, 22, 9))}, "shape"),
        (
            {"posed_joints": np.zeros((0, 22, 3)), "global_rot_mats": np.zeros((0, 22, 3, 3))},
            "0 fr",
        ),
    ],
)
def test_files_of_another_shape_are_refused_by_name(tmp_path, body, arrays, says):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=says) as caught:
        load_motion(tmp_path / "a.npz", body)
    assert "a.npz" in str(caught.value)
