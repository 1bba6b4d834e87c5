import mujoco
import numpy as np
import pytest

from motionloop.viewer.web.surfaces import LOOKS, surface_of
from physics.humanoid import Humanoid
from physics.skeleton import forward_kinematics


def posed(surface, motion, frame):
    """Vertices of a surface by its definition, one joint at a time."""
    joints, turns = forward_kinematics(
        surface.rest, motion.transl, motion.global_orient, motion.body_pose
    )
    out = np.zeros_like(surface.vertices)
    for k in range(surface.joints.shape[1]):
        j = surface.joints[:, k]
        local = surface.vertices - surface.rest[j]
        moved = np.einsum("vab,vb->va", turns[frame, j], local) + joints[frame, j]
        out += surface.weights[:, k : k + 1] * moved
    return out


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_is_a_closed_surface_with_full_weights(shipped_body, shaped, look):
    surface = surface_of(look, shipped_body, shaped.betas)
    np.testing.assert_allclose(surface.weights.sum(axis=1), 1)
    assert surface.faces.max() < len(surface.vertices)
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    volume = np.einsum("fa,fa->", a, np.cross(b, c)) / 6
    assert volume > 0, "the faces are counter-clockwise from outside"
    assert set(np.unique(surface.foot)) == {0, 1, 2}


def test_the_skin_lies_where_smplx_puts_it(shipped_body, shaped):
    surface = surface_of("skin", shipped_body, shaped.betas)
    expected = shipped_body.vertices(shaped[20:21])[0]
    assert np.abs(posed(surface, shaped, 20) - expected).max() < 0.004  # four joints a vertex


def test_the_humanoid_lies_where_mujoco_simulates_it(shipped_body, shaped):
    humanoid = Humanoid.build(shipped_body.skeleton(shaped.betas))
    data = mujoco.MjData(humanoid.model)
    data.qpos[:] = humanoid.to_qpos(shaped)[20]
    mujoco.mj_kinematics(humanoid.model, data)
    vertices = posed(surface_of("humanoid", shipped_body, shaped.betas), shaped, 20)
    lowest = vertices[:, 2].min()
    centre = np.array([data.geom(i).xpos for i in range(humanoid.model.ngeom)])[1:]
    away = np.linalg.norm(vertices[:, None] - centre[None], axis=-1).min(axis=0)
    radius = humanoid.model.geom_rbound[1:]
    assert (away < radius + 1e-6).all(), "every geom has vertices within its bounding sphere"
    corners = data.xpos[humanoid.body[humanoid.corner_joints]] + np.einsum(
        "cab,cb->ca",
        data.xmat[humanoid.body[humanoid.corner_joints]].reshape(-1, 3, 3),
        humanoid.corners,
    )
    near = np.linalg.norm(vertices[:, None] - corners[None], axis=-1).min(axis=0)
    assert near.max() < 1e-6, "the corners of the foot boxes are vertices"
    assert lowest <= corners[:, 2].min() + 1e-6


def test_bones_end_at_the_joints(shipped_body, walk):
    surface = surface_of("skeleton", shipped_body, walk.betas)
    joints = forward_kinematics(surface.rest, walk.transl, walk.global_orient, walk.body_pose)[0][
        20
    ]
    near = np.linalg.norm(posed(surface, walk, 20)[:, None] - joints[None], axis=-1).min(axis=0)
    assert near.max() < 0.023
