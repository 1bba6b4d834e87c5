"""`motionloop sample` draws from a run of any task."""

import json

import numpy as np
import pytest

from motionloop.cli import main

SMALL = ["--width", "8", "--count", "40", "--generations", "0", "--initial_steps", "2",
         "--evaluation_count", "20", "--wandb.mode", "disabled", "--quiet"]  # fmt: skip


def motionloop(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def test_points_of_a_mixture_are_drawn_again_from_its_file(tmp_path, capsys):
    assert motionloop("run", "mixture", *SMALL, "--out", tmp_path / "run") == 0
    for name in ("a", "b"):
        code = motionloop("sample", tmp_path / "run", "--n", 30, "--out", tmp_path / name,
                          "--json", tmp_path / "list.json")  # fmt: skip
        assert code == 0
    with np.load(tmp_path / "a/samples.npz") as first, np.load(tmp_path / "b/samples.npz") as again:
        assert first["x"].shape == (30, 2)
        assert np.array_equal(first["x"], again["x"])
    assert (tmp_path / "a/preview.png").is_file()
    assert json.loads((tmp_path / "list.json").read_text())["count"] == 30

    assert motionloop("sample", tmp_path / "run", "--out", tmp_path / "a") == 2
    assert "exists" in capsys.readouterr().err
    assert motionloop("sample", tmp_path / "run", "--text", "a walk", "--out", tmp_path / "c") == 2
    assert "--text is for motions" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
