"""Laws of the distances between feature sets, against closed forms and other implementations."""

import numpy as np
import ot
import pytest
import scipy.linalg
from sklearn.neighbors import NearestNeighbors

from motionloop.metrics import distribution as d
from motionloop.metrics.neighbours import manifold_scores
from motionloop.samples import InputError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def gaussian(rng, count, dim):
    factor = rng.normal(size=(dim, dim)) / np.sqrt(dim)
    return rng.normal(size=(count, dim)) @ factor + rng.normal(size=dim)


def covariance(rng, dim, rank=None):
    factor = rng.normal(size=(dim, rank or dim))
    return factor @ factor.T


@pytest.mark.parametrize("dim", [1, 2, 3, 32])
def test_the_frechet_distance_agrees_with_the_matrix_square_root_of_scipy(rng, dim):
    x, y = gaussian(rng, 200, dim), gaussian(rng, 150, dim)
    s, t = np.atleast_2d(np.cov(x.T)), np.atleast_2d(np.cov(y.T))
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(
        s + t - 2 * np.real(scipy.linalg.sqrtm(s @ t))
    )
    assert d.frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("dim", [2, 5])
def test_gaussian_w2_agrees_with_optimal_transport_and_with_the_form_against_the_normal(rng, dim):
    mean, cov = rng.normal(size=dim), covariance(rng, dim)
    other, cov_other = rng.normal(size=dim), covariance(rng, dim)
    assert d.gaussian_w2(mean, cov, other, cov_other) == pytest.approx(
        ot.gaussian.bures_wasserstein_distance(mean, other, cov, cov_other), rel=1e-6
    )
    root = np.real(scipy.linalg.sqrtm(cov))
    normal = np.sqrt(mean @ mean + np.trace(cov + np.eye(dim) - 2 * root))
    assert d.gaussian_w2(mean, cov, np.zeros(dim), np.eye(dim)) == pytest.approx(normal, rel=1e-9)


def test_gaussian_w2_agrees_with_transport_between_samples(rng):
    x = rng.normal(size=(1500, 2)) @ np.array([[2.0, 0.3], [0.0, 0.5]]) + [3.0, -1.0]
    y = rng.normal(size=(1500, 2))
    weights = np.full(len(x), 1 / len(x))
    exact = np.sqrt(ot.emd2(weights, weights, ot.dist(x, y), numItermax=1_000_000))
    fitted = d.gaussian_w2(*d.moments(x), *d.moments(y))
    assert fitted == pytest.approx(exact, rel=0.02)


def test_many_gaussians_at_once_equal_one_at_a_time(rng):
    for dim in (2, 4):
        means = rng.normal(size=(3, 2, dim))
        covs = np.stack([[covariance(rng, dim) for _ in range(2)] for _ in range(3)])
        got = d.gaussian_w2(means, covs, np.zeros(dim), np.eye(dim))
        assert got.shape == (3, 2)
        assert got[2, 1] == d.gaussian_w2(means[2, 1], covs[2, 1], np.zeros(dim), np.eye(dim))


@pytest.mark.parametrize("dim", [2, 8])
def test_singular_covariances_have_the_distance_that_projections_give(rng, dim):
    """Two degenerate Gaussians on the same line: W2 is that of their one-dimensional laws."""
    line = rng.normal(size=dim)
    line /= np.linalg.norm(line)
    cov = np.outer(line, line)
    assert d.gaussian_w2(line * 0, 4 * cov, line * 3, 9 * cov) == pytest.approx(
        np.sqrt(10), abs=1e-7
    )
    assert d.gaussian_w2(line * 0, 0 * cov, line * 0, 9 * cov) == pytest.approx(3, abs=1e-7)
    assert d.gaussian_w2(line, cov, line, cov) == pytest.approx(0, abs=1e-6)


def test_equal_sets_score_perfectly_in_any_order(rng):
    x = gaussian(rng, 80, 6)
    shuffled = x[rng.permutation(len(x))]
    assert d.frechet_distance(x, shuffled) == pytest.approx(0, abs=1e-9)
    assert d.precision_recall(x, shuffled) == (1, 1)
    assert d.density_coverage(x, shuffled)[1] == 1
    assert d.diversity(x) == pytest.approx(d.diversity(shuffled))


def test_order_of_samples_changes_nothing(rng):
    x, y, labels = gaussian(rng, 90, 4), gaussian(rng, 70, 4), rng.integers(3, size=90)
    order = rng.permutation(90)
    for function in (d.frechet_distance, d.kernel_distance, d.precision_recall, d.density_coverage):
        assert function(x, y) == pytest.approx(function(x[order], y))
        assert function(y, x) == pytest.approx(function(y, x[order]))
    assert d.within_class_diversity(x, labels) == pytest.approx(
        d.within_class_diversity(x[order], labels[order])
    )


def test_the_kernel_distance_agrees_with_its_definition_and_is_unbiased(rng):
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(5, 3)) + 0.5

    def k(a, b):
        return (np.dot(a, b) / 3 + 1) ** 3

    expected = (
        np.mean([k(x[i], x[j]) for i in range(6) for j in range(6) if i != j])
        + np.mean([k(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
        - 2 * np.mean([k(a, b) for a in x for b in y])
    )
    assert d.kernel_distance(x, y) == pytest.approx(expected)
    draws = [
        d.kernel_distance(rng.normal(size=(20, 3)), rng.normal(size=(20, 3))) for _ in range(400)
    ]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / np.sqrt(len(draws))


def test_neighbour_scores_agree_with_scikit_learn_neighbours(rng):
    x, y, k = gaussian(rng, 120, 5), gaussian(rng, 100, 5), 5

    def radii(points):
        return NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points)[0][:, -1]

    inside_y = np.array([[np.linalg.norm(a - b) <= r for b, r in zip(y, radii(y))] for a in x])
    inside_x = np.array([[np.linalg.norm(a - b) <= r for b, r in zip(x, radii(x))] for a in y])
    scores = manifold_scores(x, y, k)
    assert scores.precision == inside_y.any(1).mean()
    assert scores.recall == inside_x.any(1).mean()
    assert scores.density == pytest.approx(inside_y.sum() / (k * len(x)))
    assert scores.coverage == inside_y.any(0).mean()


def two_modes(rng, count):
    return rng.normal(size=(count, 4)) + 8 * rng.integers(2, size=count)[:, None]


def test_recall_falls_when_a_mode_is_dropped_and_precision_does_not(rng):
    reference, full, dropped = two_modes(rng, 300), two_modes(rng, 300), rng.normal(size=(300, 4))
    before, after = manifold_scores(full, reference), manifold_scores(dropped, reference)
    assert after.recall < 0.7 * before.recall
    assert after.coverage < 0.7 * before.coverage
    assert after.precision > before.precision - 0.05


def test_precision_falls_with_noise_and_recall_does_not(rng):
    reference, full = two_modes(rng, 300), two_modes(rng, 300)
    before, after = (
        manifold_scores(full, reference),
        manifold_scores(full + 2 * rng.normal(size=full.shape), reference),
    )
    assert after.precision < 0.6 * before.precision
    assert after.density < 0.6 * before.density
    assert after.recall > before.recall - 0.05


def test_diversity_of_a_normal_is_known_and_random_pairs_estimate_all_pairs(rng):
    x = rng.normal(size=(600, 1))
    assert d.diversity(x) == pytest.approx(2 / np.sqrt(np.pi), rel=0.1)
    assert d.diversity(x, rng, pairs=20_000) == pytest.approx(d.diversity(x), rel=0.02)
    with pytest.raises(InputError, match="rng"):
        d.diversity(x, pairs=10)


def test_within_class_diversity_sees_what_diversity_does_not():
    x = np.array([[0.0], [2.0], [100.0], [104.0], [7.0]])
    labels = np.array(["a", "a", "b", "b", "alone"])
    assert d.within_class_diversity(x, labels) == pytest.approx(3)
    assert np.isnan(d.within_class_diversity(x, np.arange(5)))


def test_the_bootstrap_interval_covers_what_redrawing_the_set_gives(rng):
    """Near the floor the plain percentile interval covers in less than half of the draws."""
    reference = rng.normal(size=(400, 6))
    figures, intervals = [], []
    for _ in range(60):
        x = rng.normal(size=(60, 6))
        figures.append(d.frechet_distance(x, reference))
        intervals.append(d.bootstrap(d.frechet_distance, x, reference, rng, resamples=100))
    expected = np.mean(figures)
    covered = np.mean([low <= expected <= high for low, high in intervals])
    assert covered >= 0.85
    assert np.mean([high - low for low, high in intervals]) < 8 * np.std(figures)
    assert all(low < figure < high for figure, (low, high) in zip(figures, intervals))


def test_the_bootstrap_repeats_with_its_seed(rng):
    x, y = gaussian(rng, 50, 3), gaussian(rng, 60, 3)
    once, again = (
        d.bootstrap(d.frechet_distance, x, y, np.random.default_rng(7), 20) for _ in range(2)
    )
    assert once == again


def test_bad_features_are_refused_by_name(rng):
    x = gaussian(rng, 10, 3)
    broken = x.copy()
    broken[2, 1] = np.nan
    with pytest.raises(InputError, match="1 of 10 feature rows"):
        d.frechet_distance(broken, x)
    with pytest.raises(InputError, match="2 samples"):
        d.frechet_distance(x[:1], x)
    with pytest.raises(InputError, match="at least 11 generated"):
        d.precision_recall(x, np.tile(x, (3, 1)), k=10)
    with pytest.raises(InputError, match="shape"):
        d.frechet_distance(x[0], x)


def test_importing_the_distances_imports_no_heavy_library():
    import subprocess
    import sys

    code = (
        "import sys, motionloop.metrics.distribution;"
        "print([m for m in ('torch', 'scipy', 'mujoco', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
