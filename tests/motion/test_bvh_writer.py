"""BVH out: what is written is the motion, and comes back as it was."""

from dataclasses import replace

import numpy as np
import pytest
from bvh_writer import bvh_text

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.formats import read_motion
from motionloop.motion.formats.bvh import joints_in_world, read_bvh
from motionloop.motion.formats.bvh_writer import smpl_motion, write_bvh
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import JOINT_NAMES, REST_TO_WORLD, forward_kinematics, rotation_matrices


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


@pytest.fixture(scope="module")
def cartwheel() -> SmplMotion:
    clips = {entry["name"]: clip for entry, clip in load_clips(CLIPS)}
    rng = np.random.default_rng(0)
    return replace(clips["cartwheel"][:40], betas=rng.normal(size=10), fps=29.97)


def _joints(motion: SmplMotion, body: Body) -> np.ndarray:
    pose = (motion.transl, motion.global_orient, motion.body_pose)
    return forward_kinematics(body.rest_joints(motion.betas), *pose)[0]


@pytest.mark.parametrize("up", ["y", "z"])
def test_a_motion_written_as_bvh_comes_back_as_it_was(tmp_path, body, cartwheel, up):
    write_bvh(cartwheel, tmp_path / "a.bvh", body, up)
    back, error = read_motion(tmp_path / "a.bvh", body)
    assert error == 0
    assert back.fps == pytest.approx(29.97, rel=1e-6)
    np.testing.assert_allclose(_joints(back, body), _joints(cartwheel, body), atol=1e-4)
    for name in ("global_orient", "body_pose"):
        turned = (getattr(motion, name) for motion in (back, cartwheel))
        np.testing.assert_allclose(*map(rotation_matrices, turned), atol=1e-4)


def test_the_shape_of_a_body_with_shapes_comes_back(tmp_path, body, cartwheel):
    write_bvh(cartwheel, tmp_path / "a.bvh", body)
    back = smpl_motion(read_bvh(tmp_path / "a.bvh"), body)
    assert back is not None
    np.testing.assert_allclose(back.betas, cartwheel.betas, atol=1e-3)


@pytest.mark.parametrize("up", ["y", "z"])
def test_the_joints_of_the_file_are_the_motions_joints(tmp_path, body, cartwheel, up):
    write_bvh(cartwheel, tmp_path / "a.bvh", body, up)
    bvh = read_bvh(tmp_path / "a.bvh")
    joints, _ = joints_in_world(bvh)
    ours = [bvh.names.index(name) for name in JOINT_NAMES]
    wanted = _joints(cartwheel, body)
    wanted = wanted @ REST_TO_WORLD if up == "y" else wanted
    np.testing.assert_allclose(joints[:, ours], wanted, atol=1e-5)
    above = bvh.rest()[bvh.names.index("head")]
    assert above["xyz".index(up)] > 0.4  # the zero pose stands
    ends = [n for n in bvh.names if n.endswith("_end")]
    assert len(ends) == 5
    for end in ends:
        step = bvh.offsets[bvh.names.index(end)]
        assert 0.05 < np.linalg.norm(step) < 0.2  # Blender needs the length of the last bone


def test_the_writer_agrees_with_an_independent_one(tmp_path, body, cartwheel):
    names = dict(zip(JOINT_NAMES, JOINT_NAMES))
    rest = body.rest_joints(cartwheel.betas)
    (tmp_path / "a.bvh").write_text(bvh_text(cartwheel, rest, names, "ZXY", 1.0))
    write_bvh(cartwheel, tmp_path / "b.bvh", body)
    theirs, ours = (read_bvh(tmp_path / name) for name in ("a.bvh", "b.bvh"))
    assert ours.names[0] == theirs.names[0] == "pelvis"
    np.testing.assert_allclose(joints_in_world(ours)[0][:, 1], joints_in_world(theirs)[0][:, 1])
    np.testing.assert_allclose(ours.frames, theirs.frames, atol=2e-6)


def test_a_skeleton_of_smpl_names_and_other_bones_is_retargeted(tmp_path, body, cartwheel):
    names = dict(zip(JOINT_NAMES, JOINT_NAMES))
    rest = body.rest_joints(np.zeros(10))
    text = bvh_text(cartwheel, rest, names, unit_m=1.0, stretch={"left_knee": 1.2})
    (tmp_path / "a.bvh").write_text(text)
    assert smpl_motion(read_bvh(tmp_path / "a.bvh"), body) is None
    assert read_motion(tmp_path / "a.bvh", body)[1] > 0


def test_another_up_axis_is_refused(tmp_path, body, cartwheel):
    with pytest.raises(InputError, match=r"'x'.*y and z"):
        write_bvh(cartwheel, tmp_path / "a.bvh", body, "x")
    assert list(tmp_path.iterdir()) == []
