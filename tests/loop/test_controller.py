"""Laws of the loop, on Gaussians: its order, its random streams, its resumption."""

import dataclasses

import numpy as np
import pytest

from motionloop.interfaces import Task
from motionloop.loop.controller import LoopConfig, SilentDisplay, run
from motionloop.loop.run_directory import RunDirectory
from motionloop.models.gaussian import GaussianModel, Points
from motionloop.samples import InputError
from motionloop.strength import Identity


class Recorder:
    def __init__(self):
        self.rows = []

    def report(self, scalars, generation):
        self.rows.append((generation, scalars))

    def attach(self, path, generation):
        pass

    def close(self):
        pass


def mean_distance(generated, reference):
    return {"distance": float(np.abs(generated.x.mean(0) - reference.x.mean(0)).sum())}


class HalfDropped:
    """Drops every other sample."""

    def correct(self, samples, rng):
        return samples[::2], {"dropped": float(len(samples) - len(samples[::2]))}


def task(corrector=None):
    real = Points(np.random.default_rng(7).normal(size=(20, 2)))
    return Task(
        real=real,
        reference=Points(np.random.default_rng(8).normal(size=(50, 2))),
        make_model=lambda rng: GaussianModel(2),
        corrector=corrector or Identity(),
        metrics=(mean_distance,),
        draw_real=lambda count, rng: Points(rng.normal(size=(count, 2))),
    )


CONFIG = LoopConfig(generations=5, synthetic_ratio=0.5, evaluation_count=16)
WORKFLOWS = [
    "augment", "replace", "accumulate", "accumulate_subsample", "fresh", "ramp", "real_copy",
]  # fmt: skip


def configured(**changes):
    return dataclasses.replace(CONFIG, **changes)


class Killed(Exception):
    pass


class KillAt(SilentDisplay):
    """Dies when generation `g` begins to do `what`."""

    def __init__(self, g, what):
        self.at = (g, what)

    def stage(self, generation, what):
        if (generation, what) == self.at:
            raise Killed


@pytest.mark.parametrize("workflow", WORKFLOWS)
@pytest.mark.parametrize("regime", ["finetune", "scratch"])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, workflow, regime):
    config = configured(workflow=workflow, regime=regime)
    whole = run(task(), config, tmp_path / "whole", Recorder())
    for at in [(0, "training"), (2, "training"), (3, "evaluating"), (5, "training")]:
        with pytest.raises(Killed):
            run(task(), config, tmp_path / "parts", Recorder(), KillAt(*at))
    assert run(task(), config, tmp_path / "parts", Recorder()) == whole
    assert len(whole) == 6


@pytest.mark.parametrize("remembered", ["whole", "sampled"])
@pytest.mark.parametrize("workflow", ["augment", "replace", "fresh"])
@pytest.mark.parametrize("memory", [0, 2])
def test_a_run_that_remembers_generations_resumes_exactly(tmp_path, workflow, memory, remembered):
    config = configured(
        workflow=workflow, memory=memory, remembered=remembered, checkpoint_every=2,
        initial_count=31, synthetic_count=7,
    )  # fmt: skip
    whole = run(task(), config, tmp_path / "whole", Recorder())
    with pytest.raises(Killed):
        run(task(), config, tmp_path / "parts", Recorder(), KillAt(4, "training"))
    assert run(task(), config, tmp_path / "parts", Recorder()) == whole
    assert whole[0]["train/size"] == 31
    real = 0 if workflow == "replace" else 20
    remembers = 1 if remembered == "sampled" else (memory or 5)
    assert whole[5]["train/size"] == real + 7 * remembers


def test_a_run_with_rare_checkpoints_resumes_exactly(tmp_path):
    config = configured(workflow="ramp", checkpoint_every=2)
    whole = run(task(), config, tmp_path / "whole", Recorder())
    with pytest.raises(Killed):
        run(task(), config, tmp_path / "parts", Recorder(), KillAt(4, "training"))
    assert RunDirectory(tmp_path / "parts").complete() == [0, 2]
    assert run(task(), config, tmp_path / "parts", Recorder()) == whole


def test_every_generation_is_reported_once(tmp_path):
    recorder = Recorder()
    run(task(), CONFIG, tmp_path, recorder)
    assert [g for g, _ in recorder.rows] == [0, 1, 2, 3, 4, 5]
    again = Recorder()
    run(task(), CONFIG, tmp_path, again)
    assert again.rows == []


def test_a_full_disk_leaves_the_generation_before_good(tmp_path, monkeypatch):
    run(task(), configured(generations=2), tmp_path, Recorder())
    before = run(task(), CONFIG, tmp_path / "reference", Recorder())

    def full(self, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(GaussianModel, "save", full)
        with pytest.raises(OSError, match="No space"):
            run(task(), CONFIG, tmp_path, Recorder())
    assert RunDirectory(tmp_path).complete() == [0, 1, 2]
    assert not list(tmp_path.glob(".*partial"))
    assert run(task(), CONFIG, tmp_path, Recorder()) == before


def test_arms_share_generation_zero_when_they_start_from_it(tmp_path):
    base = run(task(), CONFIG, tmp_path / "base", Recorder())
    other = configured(workflow="replace", start_from=tmp_path / "base")
    recorder = Recorder()
    arm = run(task(), other, tmp_path / "arm", recorder)
    assert arm[0] == base[0]
    assert arm[1] != base[1]
    assert [g for g, _ in recorder.rows] == [0, 1, 2, 3, 4, 5]


def test_start_from_a_folder_without_generation_zero_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no generation 0"):
        run(task(), configured(start_from=tmp_path / "empty"), tmp_path / "arm", Recorder())
    assert not RunDirectory(tmp_path / "arm").complete()


def test_dropped_samples_are_counted_and_not_trained_on(tmp_path):
    rows = run(task(HalfDropped()), configured(synthetic_ratio=1.0), tmp_path, Recorder())
    assert rows[1]["corrector/synthetic"] == 20
    assert rows[1]["corrector/corrected"] == 10
    assert rows[1]["corrector/dropped"] == 10
    assert rows[1]["train/size"] == 30


def test_ratio_zero_is_the_real_data_alone(tmp_path):
    rows = run(task(), configured(synthetic_ratio=0.0), tmp_path, Recorder())
    assert {row["train/size"] for row in rows} == {20}
    assert rows[1]["distance"] != rows[2]["distance"], "evaluation draws differ by generation"


def test_synthetic_count_is_ratio_times_real(tmp_path):
    rows = run(task(), configured(synthetic_ratio=0.3), tmp_path, Recorder())
    assert rows[1]["corrector/synthetic"] == 6
    assert len(Points.load(tmp_path / "generation_001" / "synthetic.npz")) == 6


def test_the_real_row_stands_in_every_generation(tmp_path):
    rows = run(task(), CONFIG, tmp_path, Recorder())
    assert len({row["real/distance"] for row in rows}) == 1


@pytest.mark.parametrize(
    "setting", [{"generations": -1}, {"synthetic_ratio": -0.1}, {"checkpoint_every": 0}]
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        configured(**setting)
