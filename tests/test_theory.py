"""Laws of the closed forms: they agree with simulation, with each other and with the papers."""

import math

import numpy as np
import pytest

from motionloop import theory


def simulated(generations, initial, real, synthetic, bias, unbiased, seeds=4000):
    """Fresh-data loops of one-dimensional Gaussians, written out plainly."""
    rng = np.random.default_rng(0)

    def fit(x):
        return x.mean(1), x.var(1, ddof=1 if unbiased else 0)

    mean, variance = fit(rng.normal(size=(seeds, initial)))
    rows = [(variance.mean(), (mean**2).mean())]
    for _ in range(generations):
        made = mean[:, None] + np.sqrt(bias * variance)[:, None] * rng.normal(
            size=(seeds, synthetic)
        )
        mean, variance = fit(np.concatenate([rng.normal(size=(seeds, real)), made], axis=1))
        rows.append((variance.mean(), (mean**2).mean()))
    return np.array(rows).T


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize("bias", [1.0, 0.8])
@pytest.mark.parametrize("real", [0, 6])
def test_fresh_data_moments_agree_with_simulation(real, bias, unbiased):
    variance, mean_error = simulated(8, 5, real, 10, bias, unbiased)
    curve = theory.gaussian_fresh(8, 5, real, 10, bias, unbiased)
    assert np.allclose(curve.variance, variance, atol=0.06)
    assert np.allclose(curve.mean_error, mean_error, atol=0.06)


def test_replace_is_the_power_that_the_papers_state():
    ml = theory.gaussian_fresh(20, 12, 0, 12)
    assert np.allclose(ml.variance, (1 - 1 / 12) ** np.arange(1, 22))
    assert np.allclose(ml.variance + ml.mean_error, 1)
    biased = theory.gaussian_fresh(20, 12, 0, 12, bias=0.8, unbiased=True)
    assert np.allclose(biased.variance, 0.8 ** np.arange(21))


@pytest.mark.parametrize("initial", [10, 1000])
def test_fresh_data_ends_at_the_limit_from_any_start(initial):
    curve = theory.gaussian_fresh(400, initial, 100, 900, 0.8, True)
    limit = theory.gaussian_fresh_limit(100, 900, 0.8, True)
    assert (curve.variance[-1], curve.mean_error[-1]) == pytest.approx(limit, rel=1e-9)


@pytest.mark.parametrize(
    ("count", "limit"), [(10, 0.8434), (32, 0.9494), (100, 0.9836), (316, 0.9948), (1000, 0.9984)]
)
def test_accumulate_ends_at_the_papers_limit_and_loses_a_sixth_of_pi_squared(count, limit):
    assert theory.gaussian_accumulate_limit(count) == pytest.approx(limit, abs=5e-5)
    curve = theory.gaussian_accumulate(20_000, count)
    assert curve.variance[-1] == pytest.approx(theory.gaussian_accumulate_limit(count), abs=1e-5)
    if count >= 100:
        lost = 1 - theory.gaussian_accumulate_limit(count)
        assert lost * count == pytest.approx(math.pi**2 / 6, rel=0.01)


def test_regression_errors_are_those_of_the_papers_figure():
    replace = theory.regression_error(99, 100, 10, 1.0, "replace")
    accumulate = theory.regression_error(99, 100, 10, 1.0, "accumulate")
    assert replace[0] == accumulate[0] == pytest.approx(10 / 89)
    assert replace[-1] == pytest.approx(11.2, abs=0.05)
    assert accumulate[-1] < math.pi**2 / 6 * accumulate[0]
    assert np.isinf(theory.regression_error(5, 10, 10, 1.0, "replace")).all()


@pytest.mark.parametrize(
    ("gamma", "bound"), [(0, 0.5), (0.1, 0.5238), (1, 0.6667), (5, 0.8571), (math.inf, 1)]
)
def test_the_bound_is_where_the_promised_rate_is_one(gamma, bound):
    assert theory.stability_bound(gamma) == pytest.approx(bound, abs=5e-5)
    if math.isfinite(gamma):
        assert theory.promised_rate(theory.stability_bound(gamma), gamma) == pytest.approx(1)
    assert theory.exponential_family_rate(0.01, 1) == pytest.approx(
        theory.promised_rate(0.01, 1), rel=0.03
    )
    assert theory.exponential_family_rate(100, 0) < 1 < theory.exponential_family_rate(100, 0, 1.1)
