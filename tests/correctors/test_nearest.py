"""Laws of the corrector that replaces samples by trusted ones."""

from dataclasses import dataclass

import numpy as np
import pytest

from motionloop.correctors.nearest import Nearest, class_means
from motionloop.samples import InputError, Samples


@dataclass(frozen=True)
class Labelled(Samples):
    x: np.ndarray
    label: np.ndarray


def labelled(count, seed, classes=3):
    rng = np.random.default_rng(seed)
    return Labelled(rng.normal(size=(count, 4)), rng.integers(classes, size=count))


def nearest(trusted):
    return Nearest(trusted, lambda s: s.x, lambda s: s.label)


def test_every_sample_becomes_the_nearest_trusted_one_of_its_class():
    trusted, samples = labelled(40, 0), labelled(25, 1)
    corrected, scalars = nearest(trusted).correct(samples, np.random.default_rng(0))
    for x, label, y, kept in zip(samples.x, samples.label, corrected.x, corrected.label):
        assert kept == label
        distances = np.linalg.norm(trusted.x[trusted.label == label] - x, axis=1)
        assert np.linalg.norm(y - x) == pytest.approx(distances.min())
    moved = np.linalg.norm(corrected.x - samples.x, axis=1).mean()
    assert scalars["moved"] == pytest.approx(moved)


def test_trusted_samples_stay_where_they_are():
    trusted = labelled(30, 0)
    corrected, scalars = nearest(trusted).correct(trusted, np.random.default_rng(0))
    assert np.array_equal(corrected.x, trusted.x)
    assert scalars["moved"] == pytest.approx(0, abs=1e-6)


def test_means_are_the_centres_of_their_class_alone():
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    x = np.repeat(centres, 50, axis=0) + 0.1 * rng.normal(size=(200, 2))
    labels = np.repeat([0, 0, 1, 1], 50)
    found, classes = class_means(x, labels, 2)
    assert classes.tolist() == [0, 0, 1, 1]
    for label in (0, 1):
        ordered = found[classes == label]
        ordered = ordered[np.argsort(ordered[:, 0])]
        assert np.allclose(ordered, centres[2 * label : 2 * label + 2], atol=0.1)


def test_a_class_with_few_samples_has_as_many_means():
    found, classes = class_means(np.arange(5.0)[:, None], np.array([0, 0, 0, 0, 1]), 3)
    assert np.bincount(classes).tolist() == [3, 1]
    assert found[classes == 1].item() == 4


def test_a_class_without_a_trusted_sample_is_named():
    trusted = Labelled(np.zeros((2, 4)), np.array([0, 1]))
    with pytest.raises(InputError, match="class 2"):
        nearest(trusted).correct(labelled(30, 1), np.random.default_rng(0))


def test_no_samples_stay_no_samples():
    corrected, _ = nearest(labelled(3, 0)).correct(labelled(0, 1), np.random.default_rng(0))
    assert len(corrected) == 0
