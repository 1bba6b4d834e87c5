"""Laws of the features: nothing but start place and heading is lost, rotations stay rotations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionloop.motion.features import (
    CONTACTS,
    FEATURES,
    HEIGHT,
    ROTATIONS,
    VELOCITY,
    YAW_RATE,
    FeatureScaling,
    decode,
    encode,
    foot_contacts,
    from_6d,
    heading,
    to_6d,
    turns,
)
from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import PARENTS, REST_TO_WORLD, forward_kinematics

FPS = 20.0
UPRIGHT = Rotation.from_matrix(REST_TO_WORLD)


@pytest.fixture
def rest():
    """A standing T of 24 joints: feet 0.1 m and 0.04 m above the sole, pelvis off the origin."""
    offsets = np.array([
        [0.01, -0.2, 0.03], [0.07, -0.09, 0], [-0.07, -0.09, 0], [0, 0.11, 0], [0, -0.38, 0],
        [0, -0.38, 0], [0, 0.13, 0], [0, -0.4, -0.03], [0, -0.4, -0.03], [0, 0.05, 0],
        [0, -0.06, 0.12], [0, -0.06, 0.12], [0, 0.2, 0], [0.08, 0.1, 0], [-0.08, 0.1, 0],
        [0, 0.1, 0], [0.1, 0, 0], [-0.1, 0, 0], [0.26, 0, 0], [-0.26, 0, 0], [0.25, 0, 0],
        [-0.25, 0, 0], [0.08, 0, 0], [-0.08, 0, 0],
    ])  # fmt: skip
    joints = offsets.copy()
    for j in range(1, 24):
        joints[j] += joints[PARENTS[j]]
    return joints


def wandering_clip(seed, frames, caption="walk"):
    """A body that turns, leans and waves along a smooth random path."""
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(rng.normal(0, 0.05, (frames, 80)), axis=0)
    yaw = Rotation.from_rotvec(np.outer(3 + 8 * smooth[:, 0], [0, 0, 1]))
    lean = Rotation.from_rotvec(smooth[:, 1:4])
    return SmplMotion(
        transl=np.array([0.3, -2.0, 1.1]) + smooth[:, 4:7],
        global_orient=(yaw * lean * UPRIGHT).as_rotvec(),
        body_pose=smooth[:, 7:76].reshape(frames, 23, 3),
        betas=np.zeros(10),
        fps=FPS,
        caption=caption,
    )


def clips(lengths=(30, 12, 1, 2)):
    return Motions.pack([wandering_clip(i, length) for i, length in enumerate(lengths)])


def round_trip(motions, rest):
    return decode(encode(motions, rest), rest, motions.length, FPS, motions.caption)


def test_features_round_trip_but_for_start_place_and_heading(rest):
    """World joints agree after moving each whole clip rigidly, by forward kinematics alone."""
    motions = clips()
    for before, after in zip(motions.unpack(), round_trip(motions, rest).unpack()):
        old, old_rotations = forward_kinematics(
            rest, before.transl, before.global_orient, before.body_pose
        )
        new, new_rotations = forward_kinematics(
            rest, after.transl, after.global_orient, after.body_pose
        )
        yaw = heading(old_rotations[0, 0])
        back = Rotation.from_rotvec([0, 0, -yaw]).as_matrix()
        moved = (old - old[0, 0] * [1, 1, 0]) @ back.T
        np.testing.assert_allclose(new, moved, rtol=0, atol=1e-5)
        np.testing.assert_allclose(new_rotations, back @ old_rotations, rtol=0, atol=1e-5)


def test_a_decoded_clip_starts_over_the_origin_facing_minus_y(rest):
    decoded = round_trip(clips(), rest)
    start = rest[0] + decoded.transl[:, 0]
    np.testing.assert_allclose(start[:, :2], 0, atol=1e-6)
    orient = Rotation.from_rotvec(decoded.global_orient[:, 0]).as_matrix()
    np.testing.assert_allclose(heading(orient), 0, atol=1e-6)


def test_normalised_clips_come_back_exactly(rest):
    once = round_trip(clips(), rest)
    twice = round_trip(once, rest)
    for name in ("transl", "global_orient", "body_pose"):
        np.testing.assert_allclose(getattr(twice, name), getattr(once, name), rtol=0, atol=1e-5)


def test_place_and_heading_of_the_world_do_not_show_in_features(rest):
    motions = clips()
    turn = Rotation.from_rotvec([0, 0, 2.2])
    orient = motions.global_orient.reshape(-1, 3)
    moved = replace(
        motions,
        transl=turn.apply((rest[0] + motions.transl).reshape(-1, 3)).reshape(motions.transl.shape)
        + np.array([3.0, -7.0, 0.0])
        - rest[0],
        global_orient=(turn * Rotation.from_rotvec(orient))
        .as_rotvec()
        .reshape(*motions.transl.shape),
    )
    valid = np.arange(30) < motions.length[:, None]
    np.testing.assert_allclose(
        encode(moved, rest)[valid], encode(motions, rest)[valid], rtol=0, atol=2e-5
    )


def test_columns_hold_what_they_say(rest):
    """A body that walks straight ahead at 1.5 m/s while it turns left at 0.5 rad/s."""
    frames, speed, rate = 10, 1.5, 0.5
    yaw = 2.0 + rate * np.arange(frames) / FPS
    ahead = np.stack([np.sin(yaw), -np.cos(yaw), 0 * yaw], axis=1)  # -y turned by yaw
    position = np.zeros((frames, 3))
    position[1:] = np.cumsum(speed / FPS * ahead[:-1], axis=0)
    position[:, 2] = 0.9
    pose = np.zeros((frames, 23, 3))
    pose[:, 4 - 1, 0] = 0.4  # the left knee, which carries ankle and foot
    clip = SmplMotion(
        transl=position - rest[0],
        global_orient=(Rotation.from_rotvec(np.outer(yaw, [0, 0, 1])) * UPRIGHT).as_rotvec(),
        body_pose=pose,
        betas=np.zeros(10),
        fps=FPS,
    )
    features = encode(Motions.pack([clip]), rest)[0]
    assert features.shape == (frames, FEATURES)
    np.testing.assert_allclose(features[:, HEIGHT], 0.9, atol=1e-6)
    np.testing.assert_allclose(features[:, VELOCITY], [[0, -speed]] * frames, atol=1e-5)
    np.testing.assert_allclose(features[:, YAW_RATE], rate, atol=1e-5)
    six = features[:, ROTATIONS].reshape(frames, 24, 6)
    bent = (Rotation.from_matrix(REST_TO_WORLD) * Rotation.from_rotvec([0.4, 0, 0])).as_matrix()
    for joint in range(24):
        wanted = bent if joint in (4, 7, 10) else REST_TO_WORLD
        np.testing.assert_allclose(six[:, joint], [to_6d(wanted)] * frames, atol=1e-6)


def test_heading_is_the_best_turn_about_the_vertical():
    """A search over all turns finds no better one; lying bodies have a heading as well."""
    orientation = Rotation.random(20, rng=np.random.default_rng(0)).as_matrix()
    lying = (Rotation.from_rotvec([0, 0, 1]) * Rotation.from_rotvec([np.pi / 2, 0, 0])).as_matrix()
    orientation = np.concatenate([orientation, [lying @ REST_TO_WORLD]])
    candidates = np.linspace(-np.pi, np.pi, 4001)
    closeness = np.einsum(
        "kab,nab->nk", turns(candidates) @ REST_TO_WORLD, orientation
    )  # trace of the product
    found = candidates[closeness.argmax(1)]
    difference = (heading(orientation) - found + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(difference).max() < 2e-3
    assert heading(orientation[-1]) == pytest.approx(1.0)


def test_any_six_numbers_give_a_rotation():
    rng = np.random.default_rng(0)
    six = np.concatenate([
        rng.normal(size=(50, 6)),
        np.zeros((1, 6)),
        [[1, 2, 3, 2, 4, 6]],
        [[0, 0, 0, 1, 0, 0]],
    ])  # fmt: skip
    rotations = from_6d(six)
    np.testing.assert_allclose(
        rotations @ rotations.swapaxes(1, 2), np.eye(3) + 0 * rotations, atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-9)
    np.testing.assert_allclose(from_6d(to_6d(rotations)), rotations, atol=1e-12)


def test_generated_noise_decodes_to_padded_motions(rest):
    features = np.random.default_rng(0).normal(size=(3, 8, FEATURES))
    length = np.array([8, 3, 1])
    motions = decode(features, rest, length, FPS, np.array(["a", "b", "c"]), betas=np.ones(10))
    assert all(np.isfinite(clip.body_pose).all() for clip in motions.unpack())
    for name in ("transl", "global_orient", "body_pose"):
        column = getattr(motions, name)
        assert column.dtype == np.float32
        assert (column[1, 3:] == column[1, 2]).all()
        assert (column[2, 1:] == column[2, 0]).all()
    assert motions.caption.tolist() == ["a", "b", "c"]
    assert (motions.betas == 1).all()
    assert motions.index.tolist() == [0, 1, 2]


def test_a_still_body_stands_and_a_flying_or_sliding_one_does_not(rest):
    soles = rest[:, 1].min() - 0.02
    still = SmplMotion(
        transl=np.tile([0, 0, -rest[0, 2] + rest[0, 1] - soles], (5, 1)),
        global_orient=np.tile(UPRIGHT.as_rotvec(), (5, 1)),
        body_pose=np.zeros((5, 23, 3)),
        betas=np.zeros(10),
        fps=FPS,
    )
    flying = replace(still, transl=still.transl + np.array([0, 0, 0.2]))
    sliding = replace(still, transl=still.transl + np.outer(np.arange(5), [0.05, 0, 0]))
    contacts = foot_contacts(Motions.pack([still, flying, sliding]), rest)
    assert (contacts[0] == 1).all()
    assert (contacts[1:] == 0).all()
    features = encode(Motions.pack([still, flying, sliding]), rest)
    np.testing.assert_array_equal(features[..., CONTACTS], contacts)


def test_scaling_leaves_each_group_with_unit_variance_and_padding_out(rest):
    motions = clips((40, 25))
    features = encode(motions, rest)
    scaling = FeatureScaling.fit(features, motions.length)
    features[1, 25:] = 1e6
    assert np.array_equal(FeatureScaling.fit(features, motions.length).std, scaling.std)
    valid = np.concatenate([features[0], features[1, :25]])
    scaled = scaling.apply(valid)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-9)
    elbow = slice(ROTATIONS.start + 6 * 18, ROTATIONS.start + 6 * 19)
    assert (scaled[:, elbow] ** 2).mean() == pytest.approx(1)
    assert len(set(scaling.std[elbow])) == 1
    np.testing.assert_allclose(scaling.invert(scaled), valid, rtol=0, atol=1e-9)


def test_a_joint_that_never_moves_is_not_blown_up(rest):
    motions = clips((10,))
    features = encode(replace(motions, body_pose=0 * motions.body_pose), rest)
    scaling = FeatureScaling.fit(features, motions.length)
    assert (scaling.std[ROTATIONS.start + 6 : ROTATIONS.stop] == 0.05).all()


def test_scaling_of_no_clips_is_refused():
    with pytest.raises(InputError, match="no clips"):
        FeatureScaling.fit(np.empty((0, 5, FEATURES)), np.empty(0, int))
