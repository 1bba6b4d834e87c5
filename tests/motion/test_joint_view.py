"""Laws of what the loss sees of joints: it is what forward kinematics and clocks say."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from motionloop.motion.features import FEATURES, FeatureScaling, decode, encode, heading, turns
from motionloop.motion.joint_view import POSITION_UNIT, VELOCITY_UNIT, JointView
from motionloop.motion.motions import Motions
from physics.motion import SmplMotion
from physics.skeleton import PARENTS, REST_TO_WORLD, forward_kinematics

FPS, FRAMES = 20.0, 15
CPU = torch.device("cpu")


def random_body_and_clip():
    rng = np.random.default_rng(0)
    rest = rng.normal(0, 0.2, (24, 3))
    for j in range(1, 24):
        rest[j] += rest[PARENTS[j]]
    smooth = np.cumsum(rng.normal(0, 0.1, (FRAMES, 75)), axis=0)
    yaw = Rotation.from_rotvec(np.outer(10 * smooth[:, 0], [0, 0, 1]))
    tilt = Rotation.from_rotvec(smooth[:, :3])
    clip = SmplMotion(
        transl=smooth[:, 3:6],
        global_orient=(yaw * tilt * Rotation.from_matrix(REST_TO_WORLD)).as_rotvec(),
        body_pose=smooth[:, 6:].reshape(FRAMES, 23, 3),
        betas=np.zeros(10),
        fps=FPS,
    )
    return rest, Motions.pack([clip])


def test_view_agrees_with_forward_kinematics():
    rest, motions = random_body_and_clip()
    scaling = FeatureScaling(np.linspace(-1, 1, FEATURES), np.linspace(0.5, 2, FEATURES))
    features = encode(motions, rest)
    clip = decode(features, rest, motions.length, FPS, motions.caption).unpack()[0]
    joints, rotations = forward_kinematics(rest, clip.transl, clip.global_orient, clip.body_pose)
    back = turns(-heading(rotations[:, 0]))
    relative = joints - joints[:, :1] * [1, 1, 0]
    position = np.einsum("tab,tjb->tja", back, relative)
    velocity = np.einsum("tab,tjb->tja", back[:-1], np.diff(joints, axis=0)) * FPS

    x = torch.tensor(scaling.apply(features), dtype=torch.float32)
    seen = JointView(scaling, rest, FPS, CPU)(x)[0].numpy().reshape(FRAMES, 2, 3, 24)
    seen = seen.swapaxes(2, 3)
    np.testing.assert_allclose(seen[:, 0] * POSITION_UNIT, position, rtol=0, atol=2e-5)
    np.testing.assert_allclose(seen[1:, 1] * VELOCITY_UNIT, velocity, rtol=0, atol=1e-3)
    assert (seen[0, 1] == 0).all()


def test_no_frame_sees_a_later_one():
    rest, _ = random_body_and_clip()
    scaling = FeatureScaling(np.zeros(FEATURES), np.ones(FEATURES))
    view = JointView(scaling, rest, FPS, CPU)
    x = torch.randn(1, 6, FEATURES, generator=torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[:, 3:] += 1
    same = (view(x) == view(changed)).all(-1)[0]
    assert same.tolist() == [True, True, True, False, False, False]
