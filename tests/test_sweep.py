"""Laws of sweeps: combinations, a shared beginning, and going on."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from motionloop import experiment as experiments
from motionloop.cli import _main, main
from motionloop.commands.sweep_command import parse_over
from motionloop.report.runs import read_runs
from motionloop.samples import InputError
from motionloop.sweep import arms_of

SMALL = ["--generations", "3", "--together", "false", "--seeds", "2", "--quiet"]
OVER = ["--over", "corrector.gamma=0,inf", "--over", "synthetic_ratio=0.5,1"]


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["sweep", "gaussian", *arguments])
    return int(end.value.code or 0)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep") / "out"
    assert _run(*SMALL, *OVER, "--out", str(folder), "--wandb.mode", "disabled") == 0
    return folder


def test_every_combination_is_an_arm_with_every_seed(swept):
    rows = json.loads((swept / "summary.json").read_text())
    last = [row for row in rows if row["generation"] == 3]
    found = {(row["task.corrector.gamma"], row["loop.synthetic_ratio"]) for row in last}
    assert found == {(0, 0.5), (0, 1), (float("inf"), 0.5), (float("inf"), 1)}
    assert {row["seeds"] for row in last} == {2}


def test_arms_share_one_generation_0_a_seed(swept):
    first = {
        seed: [(run / "generation_000/scalars.json").read_text() for run in _runs(swept, seed)]
        for seed in (0, 1)
    }
    assert all(len(runs) == 5 for runs in first.values())
    assert all(one == runs[0] for runs in first.values() for one in runs)
    assert first[0][0] != first[1][0]


def _runs(folder, seed):
    return sorted(folder.glob(f"*/seed_{seed}"))


def test_two_numbers_give_a_heat_map(swept):
    assert "<svg" in (swept / "heat_w2.svg").read_text()


def test_the_same_command_goes_on_and_ends_with_the_same_table(swept):
    before = (swept / "summary.json").read_text()
    shutil.rmtree(swept / "synthetic_ratio=1,gamma=0" / "seed_1")
    assert _run(*SMALL, *OVER, "--out", str(swept), "--wandb.mode", "disabled") == 0
    assert json.loads((swept / "summary.json").read_text()) == json.loads(before)


RAW = {"task.corrector.gamma": 0}
ALL = {"task.corrector.gamma": 5}


def _arms(folder, **sweep) -> list[str]:
    whole = {"over": {}, "together": False} | sweep
    words = [f"--sweep.{key}={json.dumps(value)}" for key, value in whole.items()]
    return [*words, "--generations", "1", "--quiet", "--out", str(folder)]


def test_a_sweep_may_get_arms_and_seeds_and_keeps_the_runs_that_it_has(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert _run(*_arms(tmp_path / "s", arms={"raw": RAW}, seeds=1)) == 0
    scalars = tmp_path / "s/raw/seed_0/generation_001/scalars.json"
    kept = scalars.stat().st_mtime_ns
    assert _run(*_arms(tmp_path / "s", arms={"raw": RAW, "all": ALL}, seeds=2, workers=1)) == 0
    assert scalars.stat().st_mtime_ns == kept
    assert {run.parent.name for run in _runs(tmp_path / "s", 1)} == {"raw", "all", "generation_0"}


@pytest.mark.parametrize(
    "change",
    [
        {"arms": {"raw": ALL}},
        {"arms": {"raw": RAW | {"loop.synthetic_ratio": 1}}},
        {"arms": {"other": RAW}},
        {"seeds": 1},
        {"over": {"loop.synthetic_ratio": [1]}},
    ],
    ids=[
        "another value",
        "an arm of more settings",
        "an arm less",
        "a seed less",
        "a setting more",
    ],
)
def test_a_sweep_that_would_not_be_what_its_folder_holds_is_refused(
    tmp_path, monkeypatch, capsys, change
):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    first = {"arms": {"raw": RAW}, "seeds": 2, "together": True}
    assert _run(*_arms(tmp_path / "s", **first)) == 0
    assert _run(*_arms(tmp_path / "s", **(first | change))) == 2
    assert "holds another run: sweep." in capsys.readouterr().err


def test_a_setting_that_changes_generation_0_is_not_shared(tmp_path):
    arguments = [*SMALL, "--over", "task.count=20,30", "--out", str(tmp_path / "s")]
    assert _run(*arguments, "--wandb.mode", "disabled") == 0
    assert not (tmp_path / "s" / "generation_0").exists()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("gamma", "SETTING=V1"),
        ("gamma=", "SETTING=V1"),
        ("gama=1,2", "gamma"),
        ("corrector.gama=1", "task.corrector"),
    ],
)
def test_a_mistake_in_over_is_named(word, message):
    with pytest.raises(InputError, match=message):
        parse_over("gaussian", [word])


def test_a_setting_is_swept_once():
    with pytest.raises(InputError, match="twice"):
        parse_over("gaussian", ["gamma=1,2", "corrector.gamma=3"])


def test_a_setting_may_be_named_by_its_last_parts():
    assert experiments.load("gaussian", ["--corrector.gamma", "3"]).task.corrector.gamma == 3
    assert parse_over("gaussian", ["corrector.gamma=0,inf"]) == {
        "task.corrector.gamma": [0, float("inf")]
    }


NAMED = """
task: {name: gaussian}
loop: {generations: 2}
sweep:
  arms:
    uncorrected: {task.corrector.gamma: 0.0}
    real copy: {loop.workflow: real_copy}
  over: {loop.synthetic_ratio: [0.5, 1.0]}
"""


def test_named_arms_come_with_every_combination(tmp_path):
    config = tmp_path / "named.yaml"
    config.write_text(NAMED)
    arms = arms_of(experiments.load(str(config)))
    assert [arm.label for arm in arms] == [
        "uncorrected,synthetic_ratio=0.5",
        "uncorrected,synthetic_ratio=1.0",
        "real copy,synthetic_ratio=0.5",
        "real copy,synthetic_ratio=1.0",
    ]
    assert arms[0].settings == {"task.corrector.gamma": 0.0, "loop.synthetic_ratio": 0.5}
    assert arms[3].settings == {"loop.workflow": "real_copy", "loop.synthetic_ratio": 1.0}


def test_named_arms_are_run_and_shown_in_a_report(tmp_path):
    config = tmp_path / "named.yaml"
    config.write_text(NAMED)
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as end:
        main(["sweep", str(config), "--quiet", "--out", str(out), "--wandb.mode", "disabled"])
    assert not end.value.code
    runs = read_runs([out])
    assert {run.label for run in runs} == {
        arm.label for arm in arms_of(experiments.load(str(config)))
    }
    assert all(len(run.history) == 3 for run in runs)


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ("{../up: {}}", "folder"),
        ("{a: {task.corrector.gama: 0}}", "gamma"),
        ("{a: {task.corrector.gamma: many}}", "gamma"),
    ],
)
def test_a_mistake_in_a_named_arm_is_named(tmp_path, arms, message):
    config = tmp_path / "named.yaml"
    config.write_text(f"task: {{name: gaussian}}\nsweep: {{arms: {arms}}}\n")
    with pytest.raises(InputError, match=message):
        experiments.load(str(config))


def test_an_arm_without_a_scalar_of_the_headline_is_in_the_table(tmp_path, capsys, monkeypatch):
    headline = ("w2", "corrector/success")
    monkeypatch.setattr(experiments.Experiment, "headline", lambda experiment: headline)
    sweep = ["sweep", "gaussian", *SMALL, "--over", "corrector.gamma=0", "--out", str(tmp_path)]
    assert _main(sweep) == 0
    assert re.search(r"gamma=0 .*± .* -", capsys.readouterr().out)


@pytest.mark.skipif(not Path("/proc").exists(), reason="asks /proc for processes")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_is_stopped_ends_soon_and_leaves_no_worker_that_writes(tmp_path, end):
    sweep = [sys.executable, "-m", "motionloop", "sweep", "gaussian", "--together", "false"]
    endless = ["--generations", "100000000", "--checkpoint_every", "1", "--wandb.mode", "disabled"]
    program = subprocess.Popen(
        [*sweep, *endless, "--seeds", "2", "--workers", "2", "--out", str(tmp_path / "out")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        # No recursive glob: the sweep makes and renames folders while it looks.
        _wait(lambda: list(tmp_path.glob("out/gamma*/seed_*/generation_001")))
        workers = _children(program.pid)
        assert len(workers) >= 2
    finally:
        program.send_signal(end)
        try:
            assert program.wait(15) == (130 if end == signal.SIGINT else -end)
        finally:
            program.kill()
    _wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def _wait(until, seconds=60):
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.append(int(stat.parent.name))
    return found
