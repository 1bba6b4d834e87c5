"""The closed-form models and their figures agree with scikit-learn and numpy."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KernelDensity

from motionloop import experiment
from motionloop.metrics.distribution import gaussian_w2
from motionloop.models.gaussian import GaussianModel, Points
from motionloop.models.kde import KernelDensityModel
from motionloop.models.regression import Labelled, RegressionModel
from motionloop.samples import InputError
from motionloop.tasks import gaussian, kde, regression
from motionloop.tasks.gaussian import GaussianConfig
from motionloop.tasks.kde import KdeConfig
from motionloop.tasks.regression import RegressionConfig


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("bandwidth", [0.1, 1.5, "scott", "silverman"])
def test_log_density_agrees_with_scikit_learn(rng, bandwidth):
    points, x = rng.normal(size=(40, 3)), 3 * rng.normal(size=(25, 3))
    model = KernelDensityModel(3, bandwidth)
    model.fit(Points(points), 0, rng)
    theirs = KernelDensity(bandwidth=bandwidth).fit(points).score_samples(x)
    assert np.allclose(model.log_density(x), theirs, rtol=1e-9)


@pytest.mark.parametrize("bandwidth", [0.3, "scott"])
def test_log_density_that_is_kept_up_to_date_equals_a_new_one(rng, bandwidth):
    x, parts = rng.normal(size=(9, 2)), [rng.normal(size=(n, 2)) for n in (5, 7, 3)]
    model = KernelDensityModel(2, bandwidth)
    model.learn(parts[0])
    for part in parts[1:]:
        model.log_density(x)
        model.learn_more(part)
    theirs = KernelDensity(bandwidth=bandwidth).fit(np.concatenate(parts)).score_samples(x)
    assert np.allclose(model.log_density(x), theirs)
    model.learn(parts[0])
    theirs = KernelDensity(bandwidth=bandwidth).fit(parts[0]).score_samples(x)
    assert np.allclose(model.log_density(x), theirs)


def test_density_samples_have_the_points_variance_plus_the_kernels_scaled_by_the_bias(rng):
    points = rng.normal(size=(30, 2)) * [1, 3]
    for bias in (1.0, 0.25):
        model = KernelDensityModel(2, 0.8, bias)
        model.fit(Points(points), 0, rng)
        drawn = model.sample(100_000, rng).x
        assert np.allclose(drawn.var(0), points.var(0) + bias * 0.64, rtol=0.03)
        assert np.allclose(drawn.mean(0), points.mean(0), atol=0.05)


@pytest.mark.parametrize(("rows", "dimension"), [(50, 3), (12, 5), (4, 9)])
def test_least_squares_agrees_with_numpy_also_where_many_weights_fit(rng, rows, dimension):
    x, y = rng.normal(size=(rows, dimension)), rng.normal(size=rows)
    model = RegressionModel(x)
    model.fit(Labelled(x, y), 0, rng)
    assert np.allclose(model.weights, np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-6)
    if rows > dimension:
        theirs = LinearRegression(fit_intercept=False).fit(x, y)
        assert np.allclose(model.weights, theirs.coef_)
    labels = model.sample(3 * rows, rng)
    assert np.array_equal(labels.x, np.concatenate([x, x, x]))


def test_figures_are_what_their_names_say(rng):
    x = rng.normal(size=(30, 3))
    model = GaussianModel(3)
    model.fit(Points(x), 0, rng)
    figures = gaussian.figures(model)
    assert figures["determinant_ratio"] == pytest.approx(np.linalg.det(np.cov(x.T, bias=True)))
    assert figures["trace_ratio"] == pytest.approx(x.var(0).mean())
    w2 = gaussian_w2(model.mean, model.covariance, np.zeros(3), np.eye(3))
    assert figures["w2"] == pytest.approx(w2, rel=1e-9)
    design, weights = rng.normal(size=(20, 4)), rng.normal(size=4)
    linear = RegressionModel(design)
    linear.weights = rng.normal(size=4)
    found = regression.figures(linear, weights, design)
    assert found["mse"] == pytest.approx(np.mean((design @ linear.weights - design @ weights) ** 2))
    density = KernelDensityModel(4, 0.5)
    density.learn(design)
    theirs = KernelDensity(bandwidth=0.5).fit(design)
    held_out = rng.normal(size=(9, 4))
    assert kde.figures(density, held_out)["nll"] == pytest.approx(-theirs.score(held_out) / 9)


def test_unbiased_covariance_and_merged_batches_agree_with_numpy(rng):
    x = rng.normal(size=(25, 4))
    model = GaussianModel(4, unbiased=True)
    model.learn(x[:6])
    model.learn_more(x[6:20])
    model.learn_more(x[20:])
    assert np.allclose(model.covariance, np.cov(x.T))
    assert np.allclose(model.mean, x.mean(0))


@pytest.mark.parametrize("count", [1, 3, 40])
def test_singular_covariances_are_sampled_within_their_span_scaled_by_the_bias(rng, count):
    x = rng.normal(size=(count, 5))
    model = GaussianModel(5, bias=0.49)
    model.fit(Points(x), 0, rng)
    drawn = model.sample(200_000, rng).x
    assert np.allclose(np.cov(drawn.T), 0.49 * np.cov(x.T, bias=True).reshape(5, 5), atol=0.03)


@pytest.mark.parametrize("data", ["moons", "circles", "blobs", "swiss_roll"])
def test_toy_sets_differ_by_seed_and_repeat_with_it(data):
    one, again, other = (kde.build(KdeConfig(data=data), seed) for seed in (1, 1, 2))
    assert np.array_equal(one.real.x, again.real.x)
    assert not np.array_equal(one.real.x, other.real.x)
    assert one.real.x.shape[1] == (3 if data == "swiss_roll" else 2)
    assert len(one.reference) == 500


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        (GaussianConfig, {"bias": -1}, "bias is -1"),
        (GaussianConfig, {"count": 1, "covariance": "unbiased"}, "at least 2"),
        (GaussianConfig, {"dimension": 0}, "dimension is 0"),
        (KdeConfig, {"bandwidth": 0.0}, "bandwidth is 0.0"),
        (KdeConfig, {"held_out": 0}, "held_out is 0"),
        (KdeConfig, {"data": "suns"}, "moons"),
        (RegressionConfig, {"noise": -0.1}, "noise is -0.1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(config, settings, message):
    with pytest.raises(InputError, match=message):
        config(**settings)


def test_an_experiment_knows_its_closed_form_only_where_there_is_one():
    built = experiment.load("kazdan_gaussian", ["--workflow", "replace", "--count", "10"])
    assert built.theory()["trace_ratio"][1][:2] == pytest.approx([0.9, 0.81])
    assert experiment.load("gaussian").theory() == {}
    assert experiment.load("motion").theory() == {}
    linear = experiment.load("kazdan_regression", ["--workflow", "accumulate"])
    assert linear.theory()["mse"][1][0] == pytest.approx(10 / 89)
    assert linear.with_setting("loop.memory", 2).theory() == {}
