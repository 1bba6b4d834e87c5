"""HumanML3D's features: they are what the data set publishes, and lead back to the joints."""

from pathlib import Path

import numpy as np
import pytest

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.formats.humanml3d import (
    features,
    joints_of,
    joints_of_motion,
    uniform,
)
from motionloop.motion.formats.t2m_layouts import HUMANML3D, KIT_ML
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import PARENTS

GOLDEN = Path(__file__).parents[3] / "shared/data/humanml3d"
REST = Body.load().rest_joints(np.zeros(10))


@pytest.fixture(scope="module")
def walk() -> SmplMotion:
    return {entry["name"]: clip for entry, clip in load_clips(CLIPS)}["walk_left_a"]


@pytest.fixture(scope="module")
def golden() -> tuple[np.ndarray, np.ndarray]:
    if not GOLDEN.is_dir():
        pytest.skip("HumanML3D's published pair is not beside the checkout")
    joints, rows = (np.load(GOLDEN / f"012314_{what}.npy") for what in ("joints", "vecs"))
    return joints.astype(float), rows.astype(float)


def _turned(joints: np.ndarray, yaw: float) -> np.ndarray:
    c, s = np.cos(yaw), np.sin(yaw)
    return joints @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


def test_features_of_the_published_joints_are_the_published_features(golden):
    joints, rows = golden
    ours = features(joints)
    assert ours.shape == (169, 263)
    np.testing.assert_allclose(ours, rows[:-1], atol=1e-3)
    np.testing.assert_array_equal(ours[:, -4:], rows[:-1, -4:])


def test_the_published_joints_lack_one_frame_with_which_all_features_agree_far_closer(golden):
    joints, rows = golden
    angle = 2 * rows[:-1, 0].sum()
    step = _turned(rows[-1, 193:259].reshape(22, 3), -angle)
    whole = np.concatenate([joints, joints[-1:] + step])
    np.testing.assert_allclose(features(whole, cut=False), rows, atol=2e-5)


def test_joints_that_were_made_of_features_give_nearly_the_same_features_again(walk):
    joints = joints_of_motion(walk, REST)
    rows = features(joints)
    again = features(joints_of(rows))
    as_if_ended = features(joints_of(rows), cut=False)
    error, worse = (np.abs(got - rows[:-1]).max() for got in (again, as_if_ended))
    assert error < 5e-3
    assert error < worse / 2


def test_joints_recovered_from_the_published_features_are_the_published_joints(golden):
    joints, rows = golden
    np.testing.assert_allclose(joints_of(rows), joints, atol=1e-5)


def test_the_way_there_and_back_gives_the_uniform_skeleton(walk):
    joints = joints_of_motion(walk, REST)
    there = features(joints)
    assert there.shape == (len(joints) - 1, 263)
    np.testing.assert_allclose(joints_of(there), uniform(joints, HUMANML3D)[:-1], atol=1e-9)
    assert HUMANML3D.lengths is not None
    lengths = [
        np.linalg.norm(joints_of(there)[:, j] - joints_of(there)[:, PARENTS[j]], axis=1)
        for j in range(1, 22)
    ]
    np.testing.assert_allclose(lengths, np.tile(HUMANML3D.lengths[1:, None], len(there)))


def test_place_heading_and_size_of_the_source_change_nothing(walk):
    joints = joints_of_motion(walk, REST)
    moved = 1.3 * _turned(joints, 2.0) + [3.0, 0.4, -1.0]
    np.testing.assert_allclose(features(moved), features(joints), atol=1e-9)


def test_turning_past_half_a_turn_does_not_break_the_path(walk):
    joints = joints_of_motion(walk, REST)
    spun = np.stack([_turned(frame, 0.1 * t) for t, frame in enumerate(joints)])
    assert 0.1 * len(joints) > 2 * np.pi
    back = joints_of(features(spun))
    np.testing.assert_allclose(back, uniform(spun, HUMANML3D)[:-1], atol=1e-9)


def test_a_turn_to_the_left_has_a_negative_yaw_velocity_of_half_the_angle(walk):
    still = np.repeat(joints_of_motion(walk, REST)[:1], 200, axis=0)
    rate = 0.02  # rad a frame, to the left: from +z to +x
    turning = np.stack([_turned(frame, rate * t) for t, frame in enumerate(still)])
    np.testing.assert_allclose(features(turning)[80:120, 0], -rate / 2, rtol=0.02)


def test_kit_ml_has_its_own_width_and_goes_back_too():
    rng = np.random.default_rng(0)
    skeleton = np.zeros((21, 3))
    for chain in KIT_ML.chains:
        for parent, joint in zip(chain, chain[1:]):
            skeleton[joint] = skeleton[parent] + 200 * KIT_ML.directions[joint]
    joints = skeleton + np.cumsum(rng.normal(scale=3.0, size=(40, 1, 3)), axis=0)
    rows = features(joints, KIT_ML)
    assert rows.shape == (39, 251)
    back = joints_of(rows)
    np.testing.assert_allclose(back, uniform(joints, KIT_ML)[:-1], atol=1e-6)


@pytest.mark.parametrize(
    ("joints", "says"),
    [
        (np.zeros((5, 21, 3)), r"\(T, 22, 3\)"),
        (np.ones((1, 22, 3)), r"\(1, 22, 3\)"),
        (np.full((5, 22, 3), np.nan), "NaN"),
        (np.zeros((5, 22, 3)), "no length"),
    ],
)
def test_joints_that_are_none_are_refused(joints, says):
    with pytest.raises(InputError, match=says):
        features(joints)


@pytest.mark.parametrize("rows", [np.zeros((5, 262)), np.zeros((0, 263)), np.zeros((5, 35))])
def test_features_of_another_width_are_refused(rows):
    with pytest.raises(InputError, match=r"shape|joints"):
        joints_of(rows)
