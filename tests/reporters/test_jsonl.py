"""Laws of the metrics file: whole lines, one a generation, whatever kills the process."""

import errno
import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from motionloop.reporters import JsonlReporter, read_history
from motionloop.samples import InputError


def test_history_round_trips_with_nan_for_what_is_not_finite(tmp_path):
    reporter = JsonlReporter(tmp_path / "run" / "metrics.jsonl")
    reporter.report({"fid": 4.25, "real/fid": np.float32(0.5)}, 0)  # type: ignore
    reporter.report({"fid": math.nan, "fid_low": -math.inf, "corrector/fell": 3}, 1)
    reporter.close()
    first, second = read_history(tmp_path / "run" / "metrics.jsonl")
    assert first == {"generation": 0, "fid": 4.25, "real/fid": 0.5}
    assert second["generation"] == 1
    assert second["corrector/fell"] == 3.0
    assert math.isnan(second["fid"])
    assert math.isnan(second["fid_low"])


def test_every_line_is_strict_json_with_null_for_nan(tmp_path):
    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    path = tmp_path / "metrics.jsonl"
    JsonlReporter(path).report({"a": math.nan, "b": math.inf}, 0)
    (line,) = path.read_text().splitlines()
    assert json.loads(line, parse_constant=refuse) == {"generation": 0, "a": None, "b": None}


def test_reporting_a_generation_again_replaces_its_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    reporter = JsonlReporter(path)
    for generation in range(3):
        reporter.report({"fid": float(generation)}, generation)
    resumed = JsonlReporter(path)
    resumed.report({"fid": 20.0}, 2)
    resumed.report({"fid": 10.0}, 1)
    resumed.report({"fid": 3.0}, 3)
    assert [(r["generation"], r["fid"]) for r in read_history(path)] == [
        (0, 0.0),
        (1, 10.0),
        (2, 20.0),
        (3, 3.0),
    ]
    assert len(path.read_text().splitlines()) == 4


def test_a_file_torn_at_any_byte_opens_and_goes_on(tmp_path):
    whole = tmp_path / "whole.jsonl"
    writer = JsonlReporter(whole)
    writer.report({"fid": 1.5}, 0)
    first = whole.stat().st_size
    writer.report({"fid": 2.5}, 1)
    content = whole.read_bytes()
    torn = tmp_path / "torn.jsonl"
    for end in range(len(content) + 1):
        torn.write_bytes(content[:end])
        complete = (end >= first) + (end == len(content))
        assert [r["generation"] for r in read_history(torn)] == list(range(complete))
        JsonlReporter(torn).report({"fid": 2.5}, 1)
        assert torn.read_bytes() == (content if complete else content[first:])


def test_opening_a_whole_file_leaves_its_bytes(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"fid":1.0,   "generation": 0}\n{"generation": 4, "fid": null}\n')
    before = path.read_bytes()
    JsonlReporter(path)
    assert path.read_bytes() == before


def test_a_kill_at_any_moment_leaves_a_readable_file(tmp_path):
    path = tmp_path / "metrics.jsonl"
    program = (
        "import sys, itertools\n"
        "from motionloop.reporters.jsonl import JsonlReporter\n"
        "reporter = JsonlReporter(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "wide = {f'name{i}': float(i) for i in range(300)}\n"
        "for g in itertools.count():\n"
        "    reporter.report(wide, g)\n"
        "    if g % 3 == 2: reporter.report(wide, g - 1)\n"
    )
    seen = 0
    for attempt in range(4):
        path.unlink(missing_ok=True)
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.05 + 0.037 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        history = read_history(path)
        assert [r["generation"] for r in history] == list(range(len(history)))
        assert all(len(r) == 301 for r in history)
        JsonlReporter(path).report({"after": 1.0}, len(history))
        assert read_history(path)[-1] == {"generation": len(history), "after": 1.0}
        seen += len(history)
    assert seen > 0


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "metrics.jsonl"
    reporter = JsonlReporter(path)
    reporter.report({"fid": 1.0}, 0)
    before = path.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for generation in (1, 0):
            with pytest.raises(OSError, match="no space"):
                reporter.report({"fid": 9.0}, generation)
            assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["metrics.jsonl"]
    reporter.report({"fid": 2.0}, 1)
    assert [r["fid"] for r in read_history(path)] == [1.0, 2.0]


def test_lines_stand_in_the_order_of_generations(tmp_path):
    path = tmp_path / "metrics.jsonl"
    reporter = JsonlReporter(path)
    for generation in (0, 3, 1):
        reporter.report({}, generation)
    assert [json.loads(line)["generation"] for line in path.read_text().splitlines()] == [0, 1, 3]


@pytest.mark.parametrize("damage", [b"{oops}\n", b"[1]\n", b'{"fid": 1.0}\n', b"\xff\n"])
def test_a_damaged_line_is_named(tmp_path, damage):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"generation": 0}\n' + damage + b'{"generation": 1}\n')
    for open_it in (JsonlReporter, read_history):
        with pytest.raises(InputError, match=r"line 2 of .*metrics\.jsonl"):
            open_it(path)


def test_a_missing_file_and_unfit_scalars_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no metrics at .*nowhere"):
        read_history(tmp_path / "nowhere")
    reporter = JsonlReporter(tmp_path / "metrics.jsonl")
    with pytest.raises(InputError, match="generation"):
        reporter.report({"generation": 1.0}, 0)
    with pytest.raises(InputError, match="'caption' is 'walk'"):
        reporter.report({"caption": "walk"}, 0)  # type: ignore
    assert read_history(tmp_path / "metrics.jsonl") == []


def test_reporters_import_neither_wandb_nor_torch():
    program = (
        "import sys, motionloop.reporters\n"
        "heavy = {'wandb', 'torch', 'mujoco', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
