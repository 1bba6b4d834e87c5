"""The main job in small, from the command line: whole, killed and resumed, and what it leaves."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from motionloop.motion.correction import Corrections
from motionloop.motion.motions import Motions

SMALL = (
    "run", "motion_smoke", "--initial_steps", "6", "--steps", "3", "--evaluation_count", "12",
    "--windows", "12", "--wandb.mode", "disabled",
)  # fmt: skip


def command(*arguments):
    return [sys.executable, "-W", "ignore", "-m", "motionloop", *map(str, arguments)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    arguments = (*SMALL, "--out", "run", "--json", "rows.json")
    done = subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr
    assert "curves.png" in done.stdout
    return folder


def rows_of(folder: Path):
    return json.loads((folder / "rows.json").read_text())


def test_every_generation_is_measured_and_stands_beside_real_data(whole):
    rows = rows_of(whole)
    assert [row["generation"] for row in rows] == [0, 1, 2]
    for name in ("fid", "kinetic_fid", "phys_err_mm", "diversity", "jerk"):
        assert all(math.isfinite(row[name]) and math.isfinite(row[f"real/{name}"]) for row in rows)
    assert all(row["corrector/synthetic"] == 6 for row in rows[1:])
    assert all(row["corrector/corrected"] + row["corrector/dropped"] == 6 for row in rows[1:]), (
        "every sample is corrected or counted as dropped"
    )


def test_the_run_folder_holds_what_another_person_needs(whole):
    run = whole / "run"
    for name in ("config.yaml", "provenance.json", "metrics.jsonl", "curves.png", "real.json"):
        assert (run / name).stat().st_size > 0, name
    raw = Motions.load(run / "generation_001" / "synthetic.npz")
    corrected = Motions.load(run / "generation_001" / "corrected.npz")
    assert set(corrected.index) <= set(raw.index)
    assert np.isfinite(corrected.body_pose).all()
    assert set(corrected.caption) <= set(raw.caption)
    noted = Corrections.load(run / "generation_001" / "corrections.npz")
    assert list(noted.index) == list(raw.index), "dropped samples are noted too"
    assert set(noted.index[~noted.fell]) <= set(corrected.index)
    assert all(bool(reason) == fell for reason, fell in zip(noted.reason, noted.fell))
    assert noted.assistance.shape == raw.transl.shape[:2]
    force = np.linalg.norm(noted.force, axis=-1)
    assert (force <= noted.assistance + 1e-5).all(), "the force is a part of the wrench"
    assert noted.assistance.max() <= 0.25 + 1e-5, "the budget of the default"
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["generation"] for line in lines] == [0, 1, 2]


@pytest.mark.parametrize("moment", ["generation_000", ".generation_001.partial"])
def test_a_run_that_is_killed_goes_on_and_ends_with_the_same_figures(whole, tmp_path, moment):
    arguments = command(*SMALL, "--out", "run", "--json", "rows.json")
    process = subprocess.Popen(
        arguments, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 200
    while not (tmp_path / "run" / moment).exists():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "rows.json").exists()
    subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True, timeout=250)
    assert rows_of(tmp_path) == rows_of(whole)
    assert not list((tmp_path / "run").glob("*.partial"))


def test_a_complete_run_is_not_built_again(whole):
    arguments = (*SMALL, "--out", "run", "--json", "again.json")
    before = sorted(whole.glob("run/**/*"))
    done = subprocess.run(
        command(*arguments), cwd=whole, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert "is complete" in done.stdout
    assert json.loads((whole / "again.json").read_text()) == rows_of(whole)
    assert sorted(whole.glob("run/**/*")) == before


def test_an_arm_starts_from_another_runs_generation_zero(whole, tmp_path):
    arm = (*SMALL, "--gamma", "0", "--generations", "1", "--start_from", whole / "run")
    done = subprocess.run(
        command(*arm, "--out", "arm", "--json", "rows.json"),
        cwd=tmp_path, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert rows_of(tmp_path)[0] == rows_of(whole)[0]
    other = subprocess.run(
        command(*arm, "--windows", "10", "--out", "other"),
        cwd=tmp_path, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert other.returncode == 2
    assert "another generation 0: task.windows (12 there, 10 here)" in other.stderr
    assert not (tmp_path / "other").exists()
