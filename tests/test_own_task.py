"""The page docs/own_task.md works as it stands: its code is run, and shows what it says."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from motionloop.cli import _main
from motionloop.reporters import read_history

PAGE = Path(__file__).parents[1] / "docs/own_task.md"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the page's two files, as the current one."""
    text = PAGE.read_text()
    for language, name in (("python", "words.py"), ("yaml", "words.yaml")):
        (block,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
        (tmp_path / name).write_text(block)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "words", raising=False)
    yield tmp_path
    sys.modules.pop("words", None)


def test_the_code_is_a_hundred_lines_at_most(here):
    lines = [line for line in (here / "words.py").read_text().splitlines() if line.strip()]
    assert len(lines) <= 100


def test_the_page_runs_and_correction_keeps_the_vocabulary(here, capsys):
    assert _main(["run", "words.yaml", "--wandb.mode", "disabled", "--workers", "1"]) == 0
    lines = (here / "runs/words/metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    last = {row["arm"]: row for row in rows if row["generation"] == 30}
    sizes = [last[f"gamma={gamma}"]["vocabulary"] for gamma in (0, 0.1, 1)]
    assert sizes[0] < 0.5 * sizes[1] < sizes[2]
    first = next(r for r in rows if r["arm"] == "gamma=0" and r["generation"] == 0)
    assert last["gamma=0"]["vocabulary"] < 0.5 * first["vocabulary"]
    assert last["gamma=0"]["divergence_bits"] > last["gamma=1"]["divergence_bits"]
    assert _main(["report", "runs/words", "--out", "report", "--no-samples"]) == 0
    assert (here / "report/report.html").stat().st_size > 10_000


def test_one_run_of_the_task_goes_on_where_it_stopped(here):
    single = ["run", "words.yaml", "--wandb.mode", "disabled", "--seeds", "1", "--over", "{}"]
    single += ["--checkpoint_every", "2"]
    assert _main([*single, "--generations", "3", "--out", "parts"]) == 0
    assert _main([*single, "--generations", "6", "--out", "parts"]) == 0
    assert _main([*single, "--generations", "6", "--out", "whole"]) == 0
    parts, whole = (read_history(Path(name) / "metrics.jsonl") for name in ("parts", "whole"))
    np.testing.assert_allclose(
        [row["entropy_bits"] for row in parts], [row["entropy_bits"] for row in whole]
    )


def test_a_task_that_is_not_there_is_named(here, capsys):
    (here / "words.yaml").write_text("task: {name: 'no_such_module:Config'}\n")
    assert _main(["run", "words.yaml"]) == 2
    assert "no_such_module" in capsys.readouterr().err
    (here / "words.yaml").write_text("task: {name: wrods}\n")
    assert _main(["run", "words.yaml"]) == 2
    assert "MODULE:CONFIG" in capsys.readouterr().err
