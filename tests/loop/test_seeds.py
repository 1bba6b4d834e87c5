"""Laws of running all seeds at once: the figures are those of the loop, seed by seed."""

import dataclasses

import numpy as np
import pytest

from motionloop.loop import seeds as seeds_module
from motionloop.loop.controller import LoopConfig, run
from motionloop.loop.seeds import run_seeds
from motionloop.reporters import SilentReporter
from motionloop.tasks import gaussian, kde, regression
from motionloop.tasks.gaussian import GaussianConfig
from motionloop.tasks.idealised import IdealisedCorrectorConfig
from motionloop.tasks.kde import KdeConfig
from motionloop.tasks.regression import RegressionConfig

SEEDS = (3, 8, 11)
LOOP = LoopConfig(generations=6, checkpoint_every=6)
WORKFLOWS = [
    {"workflow": "augment"},
    {"workflow": "augment", "synthetic_ratio": 0.0},
    {"workflow": "augment", "memory": 2, "remembered": "sampled"},
    {"workflow": "replace"},
    {"workflow": "replace", "memory": 3},
    {"workflow": "accumulate"},
    {"workflow": "accumulate", "initial_count": 31},
    {"workflow": "accumulate_subsample"},
    {"workflow": "fresh", "initial_count": 7, "synthetic_count": 31},
    {"workflow": "fresh", "memory": 0},
    {"workflow": "ramp", "synthetic_ratio": 0.5},
    {"workflow": "real_copy", "synthetic_ratio": 0.5},
]
TASKS = [
    (gaussian, GaussianConfig(dimension=3, count=12)),
    (
        gaussian,
        GaussianConfig(
            dimension=5, count=4, covariance="unbiased", bias=0.8,
            corrector=IdealisedCorrectorConfig(0),
        ),
    ),
    (kde, KdeConfig(count=14, held_out=20)),
    (kde, KdeConfig("swiss_roll", 14, "scott", 0.9, 20, IdealisedCorrectorConfig(0.5))),
    (regression, RegressionConfig(dimension=3, count=20, held_out=10)),
    (
        regression,
        RegressionConfig(dimension=6, count=5, held_out=9, corrector=IdealisedCorrectorConfig(2)),
    ),
]  # fmt: skip


def at_once(module, config, loop, seeds=SEEDS):
    return run_seeds(lambda some: module.build_seeds(config, some), loop, seeds)


@pytest.mark.parametrize("settings", WORKFLOWS, ids=lambda s: "-".join(map(str, s.values())))
@pytest.mark.parametrize(("module", "config"), TASKS)
def test_all_seeds_at_once_have_the_numbers_of_the_loop(tmp_path, module, config, settings):
    loop = dataclasses.replace(LOOP, **settings)
    together = at_once(module, config, loop)
    for i, seed in enumerate(SEEDS):
        one = dataclasses.replace(loop, seed=seed)
        task = module.build(config, seed)
        rows = run(task, one, tmp_path / str(seed), SilentReporter())
        for name, values in together.items():
            assert values.shape == (7, 3)
            alone = [row[name] for row in rows]
            # Singular covariances have a determinant of rounding errors.
            assert np.allclose(values[:, i], alone, rtol=1e-7, atol=1e-12), name


def test_groups_of_seeds_and_measured_generations_change_no_figure(monkeypatch):
    loop = dataclasses.replace(LOOP, workflow="accumulate_subsample")
    config = GaussianConfig(dimension=2, count=10)
    whole = at_once(gaussian, config, loop)
    monkeypatch.setattr(seeds_module, "_MEMORY", 1)
    build = lambda some: gaussian.build_seeds(config, some)  # noqa: E731
    some = run_seeds(build, loop, SEEDS, measured=[0, 4])
    for name, values in some.items():
        assert np.allclose(values, whole[name][[0, 4]], rtol=1e-12)
