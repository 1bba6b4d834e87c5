"""The command `reproduce` as a user meets it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from motionloop.cli import _main
from motionloop.commands import reproduce_command
from motionloop.reproduce import results
from motionloop.reproduce.papers import stability_bound


def test_without_a_name_it_lists_experiments_and_claims(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _main(["reproduce"]) == 0
    text = capsys.readouterr().out
    for words in ("kazdan_gaussian", "scsc_gaussian", "mad_gaussian", "W2 falls with every step"):
        assert words in text
    assert not list(tmp_path.iterdir())


def test_a_finished_experiment_is_not_run_again(capsys, tmp_path, monkeypatch):
    out = str(tmp_path / "out")
    command = ["reproduce", "stability_bound", "--out", out, "--json", str(tmp_path / "v.json")]
    assert _main(command) == 0
    verdicts = json.loads((tmp_path / "v.json").read_text())
    assert {one["verdict"] for one in verdicts} == {"holds", "does not hold"}
    assert (tmp_path / "out" / "reproduction.md").is_file()
    monkeypatch.setattr(stability_bound, "distances", None)
    assert _main(command) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scsc_mnist10k"], "scsc_mnist10k needs data/mnist-10k.npz"),
        (["stability_bond"], "did you mean 'stability_bound'"),
        (["stability_bound", "--out", "file"], "file is a file"),
        (["stability_bound", "--sise", "small"], "did you mean '--size'"),
    ],
)
def test_mistakes_are_named_and_nothing_is_written(
    capsys, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert _main(["reproduce", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_map_of_moments_is_that_of_very_many_points():
    rng = np.random.default_rng(0)
    mean, covariance = np.array([0.5, -0.3]), np.array([[1.6, 0.4], [0.4, 0.7]])
    ratio, gamma, count = 1.5, 0.5, 400_000
    made = rng.multivariate_normal(mean, covariance, round(ratio * count))
    corrected = rng.random(len(made)) < gamma / (1 + gamma)
    made[corrected] = rng.normal(size=(corrected.sum(), 2))
    x = np.concatenate([rng.normal(size=(count, 2)), made])
    new_mean, new_covariance = stability_bound.population_step(mean, covariance, ratio, gamma)
    assert np.allclose(x.mean(0), new_mean, atol=0.006)
    assert np.allclose(np.cov(x.T), new_covariance, atol=0.01)


def test_a_result_whose_config_has_changed_since_says_so(capsys, tmp_path, monkeypatch):
    one = replace(stability_bound.EXPERIMENT, configs={"small": "digits"})
    monkeypatch.setattr(reproduce_command, "chosen", lambda names: [one])
    command = ["reproduce", one.name, "--out", str(tmp_path / "out")]
    (tmp_path / "digits.yaml").write_text("task: {name: image}")
    monkeypatch.setattr(results, "CONFIGS", tmp_path)
    for _ in range(2):
        assert _main(command) == 0
        assert "changed" not in capsys.readouterr().out
    (tmp_path / "digits.yaml").write_text("task: {name: image, count: 3}")
    assert _main(command) == 0
    assert "config digits has changed since this result; --again" in capsys.readouterr().out
