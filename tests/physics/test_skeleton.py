"""Forward kinematics against a recursion written independently, and the skeleton's tables."""

import numpy as np
from figures import figure
from scipy.spatial.transform import Rotation

from physics.skeleton import (
    JOINT_COUNT,
    JOINT_NAMES,
    MIRROR,
    PARENTS,
    REST_TO_WORLD,
    axis_angles,
    forward_kinematics,
    rotation_matrices,
)


def _place(rest, transl, rotations, joint):
    """Position and rotation of one joint of one frame, by recursion over scipy rotations."""
    parent = PARENTS[joint]
    if parent < 0:
        return rest[0] + transl, rotations[0]
    position, rotation = _place(rest, transl, rotations, parent)
    return position + rotation.apply(rest[joint] - rest[parent]), rotation * rotations[joint]


def _random_pose(frames: int):
    rng = np.random.default_rng(3)
    return (
        rng.normal(size=(frames, 3)),
        rng.normal(size=(frames, 3)),
        rng.normal(size=(frames, 23, 3)),
    )


def test_forward_kinematics_agree_with_a_recursion():
    rest = figure().rest
    transl, orient, body = _random_pose(3)
    joints, rotations_w = forward_kinematics(rest, transl, orient, body)
    for t in range(3):
        local = [Rotation.from_rotvec(r) for r in np.concatenate([orient[t : t + 1], body[t]])]
        for j in range(JOINT_COUNT):
            position, rotation = _place(rest, transl[t], local, j)
            np.testing.assert_allclose(joints[t, j], position, atol=1e-12)
            np.testing.assert_allclose(rotations_w[t, j], rotation.as_matrix(), atol=1e-12)


def test_the_pelvis_lies_at_its_rest_place_plus_the_translation():
    rest = figure().rest + np.array([0.1, -0.2, 0.3])
    transl, orient, body = _random_pose(2)
    joints, _ = forward_kinematics(rest, transl, orient, body)
    np.testing.assert_allclose(joints[:, 0], rest[0] + transl)


def test_bones_keep_their_length():
    rest = figure().rest
    joints, _ = forward_kinematics(rest, *_random_pose(4))
    for j in range(1, JOINT_COUNT):
        length = np.linalg.norm(rest[j] - rest[PARENTS[j]])
        found = np.linalg.norm(joints[:, j] - joints[:, PARENTS[j]], axis=1)
        np.testing.assert_allclose(found, length)


def test_surface_points_of_the_rest_pose_are_where_they_are_given():
    body = figure()
    zeros = np.zeros((1, 3))
    joints, rotations_w = forward_kinematics(body.rest, zeros, zeros, np.zeros((1, 23, 3)))
    np.testing.assert_allclose(body.surface(joints, rotations_w)[0], body.surface_points)


def test_parents_come_before_their_children_and_mirrors_pair_names():
    assert all(parent < child for child, parent in enumerate(PARENTS))
    assert [MIRROR[MIRROR[j]] for j in range(JOINT_COUNT)] == list(range(JOINT_COUNT))
    swap = {"left": "right", "right": "left"}
    for j, name in enumerate(JOINT_NAMES):
        side, _, part = name.partition("_")
        assert JOINT_NAMES[MIRROR[j]] == (f"{swap[side]}_{part}" if side in swap else name)


def test_rest_to_world_stands_the_body_up_and_looks_along_minus_y():
    np.testing.assert_allclose(REST_TO_WORLD @ [0, 1, 0], [0, 0, 1])
    np.testing.assert_allclose(REST_TO_WORLD @ [0, 0, 1], [0, -1, 0])
    assert np.isclose(np.linalg.det(REST_TO_WORLD), 1.0)


def test_axis_angles_undo_rotation_matrices_also_of_read_only_arrays():
    turns = np.random.default_rng(0).normal(size=(5, 4, 3))
    turns.flags.writeable = False
    np.testing.assert_allclose(axis_angles(rotation_matrices(turns)), turns, atol=1e-10)
