"""Laws of reading run folders: seeds are one arm, and what is broken is named, not fatal."""

import fcntl
import json
import shutil

import numpy as np
import pytest
from made_runs import config, made_run, made_sweep

from motionloop.report.arms import closest_to_real, differences, group, real
from motionloop.report.runs import read_runs
from motionloop.samples import InputError

ROWS = [{"fid": 4.0 - g, "real/fid": 0.5} for g in range(3)]


def test_runs_that_differ_in_their_seed_only_are_one_arm(tmp_path):
    for seed in range(3):
        made_run(tmp_path / f"walk_seed_{seed}", [{"fid": seed + 1.0}], config(loop__seed=seed))
    made_run(tmp_path / "other", [{"fid": 9.0}], config(loop__synthetic_ratio=0.5))
    arms = {arm.label: arm for arm in group(read_runs([tmp_path]))}
    assert set(arms) == {"walk", "other"}
    value, low, high = arms["walk"].final("fid")
    assert value == pytest.approx(2.0)
    assert (high - low) / 2 == pytest.approx(1.0 / np.sqrt(3))
    assert differences(list(arms.values())) == {
        "loop.synthetic_ratio": [arm.settings["loop.synthetic_ratio"] for arm in arms.values()]
    }


def test_the_same_seed_twice_is_no_second_seed(tmp_path):
    for name in ("a", "b"):
        made_run(tmp_path / name, ROWS)
    assert [arm.label for arm in group(read_runs([tmp_path / "a", tmp_path / "b"]))] == ["a", "b"]


def test_arms_of_one_name_are_told_apart_by_their_folder(tmp_path):
    paths = []
    for ratio, parent in ((0.5, "half"), (1.0, "whole")):
        content = config(loop__synthetic_ratio=ratio)
        paths.append(made_run(tmp_path / parent / "run", ROWS, content))
    assert [arm.label for arm in group(read_runs(paths))] == ["half/run", "whole/run"]


def test_a_sweep_has_its_arms_and_seeds(tmp_path):
    path = made_sweep(
        tmp_path / "sweep", {"task.corrector.gamma": [0, 1]}, 4, lambda s, seed, g: seed + g
    )
    arms = group(read_runs([path]))
    assert [arm.label for arm in arms] == ["gamma=0", "gamma=1"]
    assert [len(arm.seeds) for arm in arms] == [4, 4]
    assert arms[0].final("w2")[0] == pytest.approx(1.5 + 2)
    assert list(differences(arms)) == ["task.corrector.gamma"]


def test_the_nearest_to_the_real_data_is_not_always_the_least(tmp_path):
    for name, last in (("low", 0.1), ("near", 0.6), ("far", 3.0)):
        made_run(tmp_path / name, [{"jerk": last, "real/jerk": 0.5}], config(task__x=name))
    arms = group(read_runs([tmp_path]))
    assert real(arms, "jerk") == 0.5
    best = closest_to_real(arms, "jerk")
    assert best is not None
    assert arms[best].label == "near"
    assert closest_to_real(arms[:1], "jerk") is None


def test_a_run_still_going_is_shown_as_far_as_it_is(tmp_path):
    path = made_run(tmp_path / "going", ROWS[:2])
    (run,) = read_runs([path])
    assert (run.state, run.last) == ("stopped", 1)
    with open(path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (run,) = read_runs([path])
        assert run.state == "running"
        assert group([run])[0].progress == "1 of 2, still going"
    assert read_runs([made_run(tmp_path / "done", ROWS)])[0].state == "complete"


def test_a_broken_generation_is_named_and_the_rest_is_shown(tmp_path):
    path = made_run(tmp_path / "run", ROWS)
    (path / "metrics.jsonl").write_text("no json\n")
    (path / "generation_001" / "scalars.json").write_text("{")
    (run,) = read_runs([path])
    assert [row["generation"] for row in run.history] == [0, 2]
    assert any("generation 1 is broken" in text for text in run.problems)
    assert any("line 1" in text for text in run.problems)


def test_a_torn_last_line_is_no_problem(tmp_path):
    path = made_run(tmp_path / "run", ROWS)
    with open(path / "metrics.jsonl", "ab") as file:
        file.write(json.dumps({"generation": 3}).encode()[:-4])
    (run,) = read_runs([path])
    assert run.problems == ()
    assert run.last == 2


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: None, "no folder"),
        (lambda p: p.mkdir(), "not a run folder"),
        (lambda p: p.write_text("x"), "is a file"),
        (lambda p: (p.mkdir(), (p / "config.yaml").write_text("a: [")), "not readable YAML"),
        (lambda p: (p.mkdir(), (p / "config.yaml").write_text("a: 1")), "not the config of a run"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path, make, says):
    make(tmp_path / "thing")
    with pytest.raises(InputError, match=says):
        read_runs([tmp_path / "thing"])


def test_a_sweep_whose_seeds_ran_at_once_is_read_too(tmp_path):
    path = made_sweep(tmp_path / "sweep", {"task.corrector.gamma": [0, 1]}, 3, lambda *_: 0.0)
    for k in (0, 1):
        scores = 100.0 * k + 10 * np.arange(3)[:, None] + np.arange(3)  # (generations, seeds)
        shutil.rmtree(path / f"gamma={k}")
        (path / f"gamma={k}").mkdir()
        np.savez(path / f"gamma={k}" / "scores.npz", w2=scores)
    arms = group(read_runs([path]))
    assert [len(arm.seeds) for arm in arms] == [3, 3]
    np.testing.assert_allclose(arms[1].line("w2").middle, [101.0, 111.0, 121.0])
    assert all(run.state == "complete" for arm in arms for run in arm.runs)
    (path / "gamma=0" / "scores.npz").write_bytes(b"no zip")
    runs = read_runs([path])
    assert "damaged" in runs[0].problems[0]
    assert runs[3].history
