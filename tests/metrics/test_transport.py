"""Laws of the Wasserstein distance between samples."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from motionloop.metrics.transport import sample_w2, sliced_w2
from motionloop.samples import InputError


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_w2_is_that_of_the_best_assignment():
    x, y = normal(60, 3), normal(60, 3, seed=1) + np.array([1, 0, -1])
    cost = cdist(x, y, "sqeuclidean")
    assert sample_w2(x, y) == pytest.approx(np.sqrt(cost[linear_sum_assignment(cost)].mean()))


def test_sets_of_different_size_are_weighed_by_their_points():
    x = normal(20, 2)
    assert sample_w2(np.repeat(x, 3, axis=0), x) == pytest.approx(0, abs=1e-6)
    assert sample_w2(np.zeros((3, 1)), np.array([[0.0], [2.0]])) == pytest.approx(np.sqrt(2))


@pytest.mark.parametrize("count", [50, 20])
def test_the_sliced_distance_of_one_dimension_is_exact(count):
    x, y = normal(100, 1), normal(count, 1, seed=1) * 2 + 1
    assert sliced_w2(x, y, np.random.default_rng(0), 3) == pytest.approx(sample_w2(x, y), rel=1e-6)


def test_the_sliced_distance_of_a_shift_is_its_mean_projection():
    """A shift by d in D dimensions has sliced W2 of |d| / sqrt(D)."""
    x = normal(500, 4)
    shift = np.array([3.0, 0, 0, 0])
    sliced = sliced_w2(x, x + shift, np.random.default_rng(0), 4000)
    assert sliced == pytest.approx(3 / 2, rel=0.05)
    assert sample_w2(x, x + shift) == pytest.approx(3)


def test_w1_never_exceeds_w2():
    x, y = normal(80, 1), normal(80, 1, seed=2) ** 3
    assert wasserstein_distance(x[:, 0], y[:, 0]) <= sample_w2(x, y) + 1e-9


def test_empty_sets_are_named():
    with pytest.raises(InputError, match="0 and 3 samples"):
        sample_w2(np.empty((0, 2)), np.zeros((3, 2)))
