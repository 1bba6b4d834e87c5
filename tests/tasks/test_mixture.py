"""Laws of the mixture task: densities are true, every method runs the loop, biases are checked."""

import numpy as np
import pytest
import torch

from motionloop import experiment
from motionloop.loop.controller import SilentDisplay, run
from motionloop.metrics.points import PointMetrics
from motionloop.models.gaussian import Points
from motionloop.reporters import SilentReporter
from motionloop.samples import InputError
from motionloop.tasks.planar import Modes, Rosenbrock, planar_law

GRIDS = {"eight_gaussians": 7.0, "twentyfive_gaussians": 5.0, "two_moons": 3.0}


@pytest.mark.parametrize("name", GRIDS)
def test_the_density_of_a_law_is_that_of_its_draws(name):
    """On a fine grid it sums to one, and over any part to the share of draws there."""
    law = planar_law(name)
    x = law.draw(100_000, np.random.default_rng(0))
    line = np.linspace(-GRIDS[name], GRIDS[name], 200)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    weight = np.exp(law.log_density(grid)) * (line[1] - line[0]) ** 2
    assert weight.sum() == pytest.approx(1, abs=0.01)
    for direction in ([1.0, 0.3], [-0.2, 1.0]):
        bound = np.quantile(x @ direction, 0.3)
        assert weight[grid @ direction < bound].sum() == pytest.approx(0.3, abs=0.03)


def test_the_rosenbrock_density_is_the_product_of_its_factors():
    from scipy.stats import norm

    x = Rosenbrock().draw(100, np.random.default_rng(0))
    factors = norm.logpdf(x[:, 0], 1, np.sqrt(10)) + norm.logpdf(
        x[:, 1], x[:, 0] ** 2, np.sqrt(0.1)
    )
    assert np.allclose(Rosenbrock().log_density(x), factors)


def test_modes_and_their_shares_are_counted():
    law = planar_law("eight_gaussians")
    assert isinstance(law, Modes)
    metrics = PointMetrics(law.log_density, law.centres, law.deviation, 5)
    reference = Points(law.draw(500, np.random.default_rng(0)))
    two = Points(np.concatenate([np.repeat(law.centres[:2], 20, axis=0), np.zeros((10, 2))]))
    scalars = metrics(two, reference)
    assert scalars["modes"] == 2
    assert scalars["on_mode"] == 0.8
    whole = metrics(Points(law.draw(500, np.random.default_rng(1))), reference)
    assert whole["modes"] == 8
    assert whole["on_mode"] == pytest.approx(0.989, abs=0.02)
    assert whole["w2"] < scalars["w2"]
    assert whole["recall"] > 0.9 > scalars["recall"]


SMALL = ["--width", "16", "--blocks", "2", "--count", "60", "--generations", "1",
         "--initial_steps", "5", "--loop.steps", "2", "--evaluation_count", "30"]  # fmt: skip


def outcome(path, *arguments):
    settings = experiment.load("mixture", [*SMALL, *arguments])
    task = settings.build(SilentDisplay())
    return run(task, settings.loop, path, SilentReporter()), path


@pytest.mark.parametrize(
    ("method", "variant"),
    [("ddpm", "sims"), ("edm", "sims"), ("otcfm", "sims"), ("edm", "neon"), ("flow", "neon")],
)
def test_every_method_runs_the_loop_and_goes_on(tmp_path, method, variant):
    settings = ["--method", method, "--variant", variant, "--task.self_guidance.steps", "2"]
    rows, path = outcome(tmp_path / "a", *settings)
    assert {"w2", "cross_entropy", "on_mode"} <= set(rows[-1])
    assert ("nll" in rows[-1]) == (method == "flow")
    assert (path / "generation_001" / "preview.png").stat().st_size > 1000
    longer = [*settings, "--generations", "2"]
    resumed, _ = outcome(tmp_path / "a", *longer)
    whole, _ = outcome(tmp_path / "b", *longer)
    assert resumed[-1] == pytest.approx(whole[-1], nan_ok=True)


@pytest.mark.parametrize("rule", ["target", "means", "nearest", "verifier"])
def test_every_corrector_runs_the_loop(tmp_path, rule):
    rows, _ = outcome(tmp_path, "--rule", rule, "--means", "8")
    kept = rows[-1]["corrector/corrected"]
    assert kept == (30 if rule == "verifier" else 60)


def test_the_likelihood_of_a_flow_is_in_units_of_the_plane(tmp_path):
    """A flow without weights is the standard normal of scaled points: its nll is known."""
    settings = experiment.load("mixture", [*SMALL, "--method", "flow", "--count", "1000"])
    task = settings.build(SilentDisplay())
    model = task.make_model(np.random.default_rng(0))
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.zero_()
    nll = task.model_metrics[0](model)["nll"]
    real, reference = task.real.x, task.reference.x
    scale = np.sqrt(real.var(0).mean())
    z = (reference - real.mean(0)) / scale
    normal = (z**2).sum(1).mean() / 2 + np.log(2 * np.pi) + 2 * np.log(scale)
    assert nll == pytest.approx(normal, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--guidance", "2"], "points have none"),
        (["--method", "flow", "--guidance", "2"], "flow has no guidance"),
        (["--method", "flow", "--variant", "sims"], "take neon"),
        (["--method", "gan"], "method"),
        (["--law", "spiral"], "law"),
        (["--count", "0"], "task.count is 0"),
        (["--temperature", "0"], "temperature is 0"),
        (["--rule", "verifier", "--keep", "2"], "keep is 2"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        experiment.load("mixture", arguments)
