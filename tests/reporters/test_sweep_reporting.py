"""Laws of what a sweep leaves for readers: means over seeds, a W&B run an arm, bounded waits."""

import json
import socket
import time

import numpy as np
import pytest
import wandb_log

from motionloop import experiment as experiments
from motionloop.sweep import SweepResult, arms_of
from motionloop.sweep_reporting import report_sweep


@pytest.fixture
def no_account(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def swept(*settings):
    """Two arms, three seeds, two generations; w2 is arm + seed + generation."""
    experiment = experiments.load("gaussian", ["--seeds", "3", *settings])
    arms = arms_of(experiment)[:2]
    histories = {
        arm.label: [
            [{"generation": g, "w2": float(10 * k + seed + g)} for g in range(2)]
            for seed in range(3)
        ]
        for k, arm in enumerate(arms)
    }
    return experiment, SweepResult(arms, histories)


def test_metrics_jsonl_has_a_line_for_every_arm_and_generation(tmp_path, no_account):
    experiment, result = swept("--wandb.mode", "disabled")
    assert report_sweep(experiment, tmp_path, result) == "W&B: off"
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(r["arm"], r["generation"], r["w2"]) for r in rows] == [
        ("gamma=0", 0, 1.0), ("gamma=0", 1, 2.0), ("gamma=0.01", 0, 11.0), ("gamma=0.01", 1, 12.0)
    ]  # fmt: skip
    error = np.std([0, 1, 2], ddof=1) / np.sqrt(3)
    assert rows[0]["w2_low"] == pytest.approx(1.0 - error)
    assert rows[0]["w2_high"] == pytest.approx(1.0 + error)
    assert rows[0]["task.corrector.gamma"] == 0
    assert not list(tmp_path.glob("*/wandb"))


def test_every_arm_is_a_wandb_run_of_one_group(tmp_path, no_account):
    experiment, result = swept("--wandb.mode", "offline", "--wandb.project", "toys")
    for again in (1, 2):  # the same command once more does not add up
        assert str(tmp_path) in report_sweep(experiment, tmp_path, result)
        folders = sorted(tmp_path.glob("*/wandb/offline-run-*"))
        unsent = [f for f in folders if not list(f.glob("*.wandb.synced"))]
        assert len(folders) == 2 * again
        assert len(unsent) == 2
        time.sleep(1.1)  # the client names its folders by the second
    for folder, label, first in zip(unsent, ("gamma=0", "gamma=0.01"), (1.0, 11.0)):
        wandb_log.wait_for_the_end(folder)
        run = wandb_log.run_record(folder)
        assert (run.project, run.run_group, run.display_name) == ("toys", "gaussian", label)
        rows = wandb_log.history(folder)
        assert [(row["generation"], row["w2"]) for row in rows] == [(0, first), (1, first + 1)]
        assert set(rows[0]) == {"generation", "w2", "w2_low", "w2_high"}
        config = wandb_log.config(folder)
        assert config["loop"]["workflow"] == "ramp"
        assert config["arm"] == {"task.corrector.gamma": 0 if label == "gamma=0" else 0.01}


def test_a_server_that_never_answers_is_waited_for_once(tmp_path, monkeypatch, no_account):
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 2 + "01234567")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        network = ("--wandb.base_url", url, "--wandb.timeout", "2", "--wandb.mode", "online")
        experiment, result = swept(*network)
        began = time.monotonic()
        assert "offline" in report_sweep(experiment, tmp_path, result)
    assert time.monotonic() - began < 15
    assert len(list(tmp_path.glob("*/wandb/offline-run-*"))) == 2
