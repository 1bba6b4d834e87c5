"""The Gaussian toy of Gillman et al.: W2 falls with gamma, as the exact operator's row has it."""

import numpy as np
import pytest

from motionloop.loop.controller import LoopConfig, SilentDisplay, run
from motionloop.models.gaussian import GaussianModel, Points
from motionloop.tasks.gaussian import GaussianConfig, build
from motionloop.tasks.idealised import IdealisedCorrectorConfig


class Silent:
    def report(self, scalars, generation):
        pass

    def attach(self, path, generation):
        pass

    def close(self):
        pass


def final_w2(tmp_path, gamma, seeds=range(8), generations=500):
    config = GaussianConfig(corrector=IdealisedCorrectorConfig(gamma))
    values = []
    for seed in seeds:
        loop = LoopConfig(
            generations=generations, synthetic_ratio=0.5, workflow="ramp",
            checkpoint_every=generations, seed=seed,
        )  # fmt: skip
        task = build(config, seed, SilentDisplay())
        values.append(run(task, loop, tmp_path / f"{gamma}_{seed}", Silent())[-1]["w2"])
    return np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))


# Mean and standard deviation over 100 seeds of an independent simulation of the exact operator.
@pytest.mark.parametrize(
    ("gamma", "mean", "sd"), [(0, 0.345, 0.132), (0.3, 0.092, 0.032), (5, 0.026, 0.008)]
)
def test_w2_at_generation_500_agrees_with_an_independent_simulation(tmp_path, gamma, mean, sd):
    ours, error = final_w2(tmp_path, gamma)
    assert abs(ours - mean) < 3 * np.hypot(error, sd / 10)


def test_fit_is_maximum_likelihood():
    x = np.random.default_rng(0).normal(size=(12, 3))
    model = GaussianModel(3)
    model.fit(Points(x), 0, np.random.default_rng(0))
    assert np.allclose(model.covariance, np.cov(x.T, bias=True))
    assert np.allclose(model.mean, x.mean(0))


def test_samples_have_the_fitted_moments():
    model = GaussianModel(2)
    model.mean, model.covariance = np.array([1.0, -2.0]), np.array([[2.0, 0.6], [0.6, 0.5]])
    x = model.sample(200_000, np.random.default_rng(0)).x
    assert np.allclose(x.mean(0), model.mean, atol=0.02)
    assert np.allclose(np.cov(x.T), model.covariance, atol=0.03)


def test_saved_moments_come_back(tmp_path):
    model = GaussianModel(2)
    model.fit(Points(np.random.default_rng(1).normal(size=(9, 2))), 0, np.random.default_rng(0))
    model.save(tmp_path / "m")
    other = GaussianModel(2)
    other.load(tmp_path / "m")
    assert np.array_equal(other.covariance, model.covariance)
