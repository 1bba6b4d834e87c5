"""Laws of the papers on images: verdicts follow the histories, whichever way they go."""

import itertools
import zlib
from pathlib import Path

import numpy as np
import pytest

from motionloop.loop.controller import SilentDisplay
from motionloop.reproduce import class_means, results, retraining
from motionloop.reproduce.loops import Loops, figures_of, run_loops
from motionloop.reproduce.papers import (
    bertrand_digits,
    bertrand_mixture,
    mad_images,
    scsc_images,
    scsc_mnist10k,
)
from motionloop.reproduce.record import Claim, Measured, PaperExperiment
from motionloop.reproduce.results import Result
from motionloop.reproduce.verdict import Positive, Verdict
from motionloop.sweep import Arm, SweepResult

GENERATIONS, SEEDS = 6, 4


def made(over, scalars):
    """Loops whose arm with the given settings has `scalars(generation, **settings)`."""
    arms, histories = [], {}
    for values in itertools.product(*over.values()):
        settings = dict(zip(over, values))
        arm = Arm(str(settings), {f"x.{name}": value for name, value in settings.items()})
        arms.append(arm)
        histories[arm.label] = [
            [
                {"generation": g, **{k: v + noise(arm.label, seed, g, k) for k, v in row.items()}}
                for g in range(GENERATIONS + 1)
                for row in [scalars(g, **settings)]
            ]
            for seed in range(SEEDS)
        ]
    return Loops(SweepResult(arms, histories), GENERATIONS, SEEDS)


def noise(*key):
    return 1e-3 * np.random.default_rng(zlib.crc32(str(key).encode())).normal()


def verdicts(module):
    experiment = module.EXPERIMENT
    measured = experiment.run("small", SilentDisplay(), Path())
    return [v for v, _ in Result(experiment, "small", measured, 0.0).judgements()]


def scsc(better):
    def scalars(g, synthetic_ratio, rule):
        harm = synthetic_ratio * g * (0.1 if (rule == "means") == better else 1.0)
        return {"fid": 1 + harm, "recall": 0.9}

    return made({"synthetic_ratio": [0.2, 0.5, 1, 1.5], "rule": ["none", "means"]}, scalars)


@pytest.mark.parametrize("experiment", [scsc_images, scsc_mnist10k])
def test_scsc_holds_where_correction_helps_and_fails_where_it_hurts(monkeypatch, experiment):
    for better, verdict in ((True, Verdict.HOLDS), (False, Verdict.FAILS)):
        monkeypatch.setattr(class_means, "run_loops", lambda *_, better=better: scsc(better))
        assert verdicts(experiment) == [verdict] * 2


def mad(as_the_paper_says):
    workflows = ["replace", "augment", "accumulate", "fresh"]
    falls = [0.1, 0.03, 0.05, 0.0] if as_the_paper_says else [-0.01, -0.05, -0.05, 0.1]

    def scalars(g, workflow, guidance):
        fall = dict(zip(workflows, falls))[workflow] * g
        biased = guidance > 1
        return {
            "fid": 1 + 5 * fall,
            "precision": 0.9 - (0.0 if biased and as_the_paper_says else fall),
            "recall": 0.9 - fall * (1.3 if biased else 1.0),
        }

    return made({"workflow": workflows, "guidance": [1, 1.15]}, scalars)


def test_mad_holds_where_the_loops_do_as_the_paper_says_and_fails_where_not(monkeypatch):
    monkeypatch.setattr(mad_images, "run_loops", lambda *_: mad(True))
    assert verdicts(mad_images) == [Verdict.HOLDS] * 5
    monkeypatch.setattr(mad_images, "run_loops", lambda *_: mad(False))
    assert verdicts(mad_images).count(Verdict.HOLDS) <= 1


@pytest.mark.parametrize(
    ("module", "scalar"), [(bertrand_digits, "fid"), (bertrand_mixture, "cross_entropy")]
)
@pytest.mark.parametrize(
    ("beside_real", "settles", "stays"),
    [
        (lambda g: 0.0, Verdict.HOLDS, Verdict.HOLDS),
        (lambda g: 2.0 * (g > 0), Verdict.HOLDS, Verdict.FAILS),
        (lambda g: 2.0 * g, Verdict.FAILS, Verdict.FAILS),
    ],
)
def test_bertrand_compares_three_shares_of_real_data(
    monkeypatch, module, scalar, beside_real, settles, stays
):
    def scalars(g, workflow, method):
        harm = {"real_copy": 0.0, "augment": beside_real(g), "replace": 1.0 * g}[workflow]
        return {scalar: 1 + harm}

    histories = made(
        {"workflow": ["real_copy", "augment", "replace"],
         "method": ["flow", "otcfm", "ddpm", "edm"]}, scalars,
    )  # fmt: skip
    monkeypatch.setattr(retraining, "run_loops", lambda *_: histories)
    assert verdicts(module) == [Verdict.HOLDS, settles, stays]


def test_loops_are_read_by_their_settings():
    histories = made({"workflow": ["a", "b"]}, lambda g, workflow: {"fid": g + (workflow == "b")})
    assert histories.scores("fid", workflow="b").shape == (GENERATIONS + 1, SEEDS)
    assert np.allclose(histories.late("fid", workflow="b"), 6, atol=0.02)
    assert np.allclose(histories.change("fid", workflow="a"), 6, atol=0.02)
    assert np.allclose(histories.slope("fid", workflow="a"), 1, atol=0.02)
    with pytest.raises(KeyError, match="no arm"):
        histories.scores("fid", workflow="c")


def test_every_paper_asks_its_config_for_arms_that_it_has(monkeypatch):
    """The arms that an experiment reads are those of its shipped config."""
    from motionloop.experiment import load
    from motionloop.sweep import arms_of

    wanted = {
        "scsc_digits": scsc(True),
        "mad_digits": mad(True),
    }
    for name, histories in wanted.items():
        there = [
            {k.rsplit(".", 1)[1]: v for k, v in arm.settings.items()} for arm in arms_of(load(name))
        ]
        mine = [
            {k.rsplit(".", 1)[1]: v for k, v in arm.settings.items()}
            for arm in histories.result.arms
        ]
        assert there == mine


TINY = [
    "--seeds", "2", "--count", "40", "--width", "8", "--blocks", "1", "--generations", "1",
    "--initial_steps", "2", "--loop.steps", "1", "--evaluation_count", "20", "--workers", "1",
    "--sampling_steps", "2",
]  # fmt: skip


class Stopped(SilentDisplay):
    """Counts runs, and stops after some."""

    def __init__(self, after=99):
        self.after, self.done = after, 0

    def progress(self, what, done, total):
        self.done += 1
        if self.done == self.after:
            raise KeyboardInterrupt


def test_a_stopped_experiment_goes_on_where_it_was_and_finds_the_same(monkeypatch, tmp_path):
    def toy():
        def run(size, display, folder):
            found = run_loops("mixture", display, folder, TINY)
            return Measured(figures_of({"w2": found.scores("w2")[-1]}), (), "tiny.")

        claims = (Claim("It is positive.", "own", (Positive("w2"),)),)
        return PaperExperiment("toy", "A. Author 2024", "Is it so?", claims, run)

    whole = results.run(toy(), "small", tmp_path / "whole", Stopped())
    with pytest.raises(KeyboardInterrupt):
        results.run(toy(), "small", tmp_path / "cut", Stopped(1))
    kept = tmp_path / "cut" / "reproduction" / "toy_small.runs"
    first = {path: path.stat().st_mtime_ns for path in kept.rglob("model.safetensors")}
    assert len(first) in (2, 4)  # the run that was under way may have ended as well
    monkeypatch.setattr(results, "forget", lambda *_: None)  # to look at it afterwards
    again = results.run(toy(), "small", tmp_path / "cut", Stopped())
    assert {path: path.stat().st_mtime_ns for path in first} == first
    assert again.measured.figures == whole.measured.figures
    assert again.seconds > 0
    monkeypatch.undo()
    results.forget(toy(), "small", tmp_path / "cut")
    for out in ("whole", "cut"):
        left = [path.name for path in (tmp_path / out / "reproduction").iterdir()]
        assert left == ["toy_small.json"]
