"""Laws of the features that need no training."""

import numpy as np
import pytest
from made_motions import make_motions

from motionloop.metrics.distribution import frechet_distance
from motionloop.metrics.kinetic import (
    STILL_ACCELERATION,
    STILL_SPEED,
    ReferenceSpace,
    geometric_features,
    kinetic_features,
    kinetic_fid,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_thrown_body_has_the_energies_of_its_parabola():
    time = np.arange(30) / 20
    path = np.stack([3 * time, 4 * time, 2 * time - 4.905 * time**2], axis=-1)
    joints = np.tile(path[None, :, None], (1, 1, 24, 1))
    features = kinetic_features(joints, np.array([30]), 20.0)[0]
    np.testing.assert_allclose(features[:24], np.log(25 + STILL_SPEED**2))
    middle = (time[1:] + time[:-1]) / 2
    np.testing.assert_allclose(
        features[24:48], np.log(np.mean((2 - 9.81 * middle) ** 2) + STILL_SPEED**2)
    )
    np.testing.assert_allclose(features[48:], np.log(9.81**2 + STILL_ACCELERATION**2))


def test_a_still_body_has_the_least_energy_and_finite_features():
    for frames in (1, 2, 40):
        features = kinetic_features(np.ones((1, frames, 24, 3)), np.array([frames]), 20.0)
        np.testing.assert_allclose(features[0, :48], np.log(STILL_SPEED**2))
        assert np.isfinite(
            geometric_features(np.ones((1, frames, 24, 3)), np.array([frames]))
        ).all()


def test_place_heading_and_padding_change_no_feature(rng, body):
    motions = make_motions(rng, 8)
    joints, length = body.joints(motions), np.full(8, 25)
    angle = 0.7
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    changed = joints @ turn.T + [5.0, -2.0, 0.0]
    changed[:, 25:] = rng.normal(size=changed[:, 25:].shape)
    for features in (
        lambda j: kinetic_features(j, length, 20.0),
        lambda j: geometric_features(j, length),
    ):
        np.testing.assert_allclose(features(changed), features(joints), atol=1e-6)
        np.testing.assert_allclose(features(joints[:, :25]), features(joints), atol=1e-12)


def test_knees_and_heights_are_those_of_the_body(rng, body):
    joints = body.joints(make_motions(rng, 3))
    features = geometric_features(joints, np.full(3, 40))
    knee = [
        np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        for a, b in zip(joints[0, :, 1] - joints[0, :, 4], joints[0, :, 7] - joints[0, :, 4])
    ]
    assert features[0, 0] == pytest.approx(np.mean(knee))
    assert features[0, 26] == pytest.approx(np.std(knee))
    assert features[1, 18] == pytest.approx(joints[1, :, 0, 2].mean())


def test_equal_sets_have_no_distance_and_every_defect_a_growing_one(rng, body):
    reference, motions = make_motions(rng, 150), make_motions(rng, 120)
    joints, length = body.joints(motions), motions.length
    real = kinetic_features(body.joints(reference), reference.length, 20.0)
    assert kinetic_fid(real, real[::-1]) == pytest.approx(0, abs=1e-9)

    def distance(changed):
        return kinetic_fid(kinetic_features(changed, length, 20.0), real)

    def sliding(speed):
        return joints + speed * np.arange(40)[:, None, None] / 20 * [1.0, 0, 0]

    noise = rng.normal(size=joints.shape)
    for distances in (
        [distance(joints + scale * noise) for scale in (0, 0.002, 0.005, 0.02)],
        [distance(sliding(speed)) for speed in (0, 0.1, 0.3, 1.0)],
        [
            distance(joints.mean(1, keepdims=True) * (1 - k) + joints * k)
            for k in (1, 0.7, 0.4, 0.1)
        ],
    ):
        assert (np.diff(distances) > 0).all()


def test_the_space_of_the_reference_whitens_nothing_and_keeps_the_leading_axes(rng):
    reference = rng.normal(size=(400, 5)) * [1, 10, 100, 1, 1] + 3
    reference[:, 3] = reference[:, 0] + 0.01 * reference[:, 3]
    space = ReferenceSpace.fit(reference, 4)
    projected = space.project(reference)
    variances = projected.var(0)
    assert projected.shape == (400, 4)
    np.testing.assert_allclose(projected.mean(0), 0, atol=1e-9)
    assert variances.sum() == pytest.approx(5, rel=1e-3)  # the fifth axis is a copy
    assert (np.diff(variances) <= 1e-9).all()
    shifted = reference + np.array([0, 0, 50, 0, 0])
    expected = (50 / reference[:, 2].std()) ** 2
    assert kinetic_fid(shifted, reference, 4) == pytest.approx(expected, rel=1e-3)


def test_few_clips_still_have_a_distance(rng):
    few, more = rng.normal(size=(3, 72)), rng.normal(size=(5, 72))
    assert np.isfinite(kinetic_fid(few, more))
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-9)
