"""The command line as a user meets it: fast help, exit codes, messages, nothing half-written."""

import json
import os
import subprocess
import sys

import pytest


def motionloop(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "motionloop", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment}, timeout=240,
    )  # fmt: skip


SMALL = ("--sweep.over", "{task.corrector.gamma: [0, 5]}", "--seeds", "2", "--generations", "8",
         "--wandb.mode", "disabled")  # fmt: skip


def heavy_imports(arguments, cwd):
    """What a command prints, and which heavy packages it imports."""
    script = (
        "import sys\n"
        "from motionloop.cli import _main\n"
        f"try: _main({list(arguments)!r})\n"
        "except SystemExit: pass\n"
        "print('HEAVY', *sorted({'torch', 'mujoco', 'wandb', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True)
    text, _, heavy = done.stdout.partition("HEAVY")
    return text, set(heavy.split())


def test_help_teaches_by_example_and_imports_nothing_heavy(tmp_path):
    text, heavy = heavy_imports(["--help"], tmp_path)
    assert "motionloop run motion" in text
    assert heavy == set()


def test_the_gaussian_task_imports_neither_torch_nor_mujoco(tmp_path):
    one = ("--sweep.over", "{}", "--seeds", "1", "--generations", "3")
    text, heavy = heavy_imports(["run", "gaussian", *one, "--wandb.mode", "disabled"], tmp_path)
    assert "curves" in text
    assert not heavy & {"torch", "mujoco"}


def test_a_sweep_prints_a_table_draws_a_picture_and_writes_json(tmp_path):
    done = motionloop("run", "gaussian", *SMALL, "--json", "out.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "gamma=5" in done.stdout
    assert (tmp_path / "runs" / "gaussian" / "curves.png").stat().st_size > 1000
    rows = json.loads((tmp_path / "out.json").read_text())
    assert len(rows) == 2 * 9
    assert {row["task.corrector.gamma"] for row in rows} == {0, 5}
    assert all(row["seeds"] == 2 and row["w2"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "gaussian", "--loop.syntetic_ratio", "1"), "did you mean 'synthetic_ratio'"),
        (("run", "gaussian", "--generations", "many"), "many"),
        (("run", "no_such_config"), "no_such_config"),
        (("run", "missing.yaml"), "missing.yaml"),
        (("rum", "gaussian"), "did you mean 'run'"),
        (("correct", "missing.npz", "--out", "out"), "missing.npz"),
        (("correct", "missing.npz", "--out", "out", "--gama", "1"), "did you mean '--gamma'"),
        (("render", "missing.bvh", "--out", "x.mp4"), "missing.bvh"),
        (("sample", "nowhere"), "nowhere"),
        (("evaluate", "nowhere", "nowhere"), "nowhere"),
        (("import", "nowhere", "--out", "out"), "nowhere"),
    ],
)
def test_a_mistake_is_one_message_exit_code_2_and_nothing_written(tmp_path, arguments, message):
    done = motionloop(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_holds_another_run_is_refused(tmp_path):
    first = ("run", "gaussian", *SMALL, "--out", "here")
    assert motionloop(*first, cwd=tmp_path).returncode == 0
    done = motionloop(*first, "--synthetic_ratio", "0.9", cwd=tmp_path)
    assert done.returncode == 2
    assert "synthetic_ratio (0.5 there, 0.9 here)" in done.stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine")
    done = motionloop("run", "gaussian", *SMALL, "--out", "full", cwd=tmp_path)
    assert done.returncode == 2
    assert "holds no run" in done.stderr
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["precious.txt"]
