"""`motionloop data`: licence first, every broken clip named, parts written into the index."""

import json

import numpy as np
import pytest

from motionloop.cli import _main
from motionloop.motion.dataset import read_index, write_dataset, write_index
from physics.motion import SmplMotion


def _standing(frames: int = 40, speed: float = 0.0, height: float = 0.95) -> SmplMotion:
    transl = np.zeros((frames, 3))
    transl[:, 2] = height
    transl[:, 0] = np.arange(frames) / 20 * speed
    upright = np.tile([np.pi / 2, 0, 0], (frames, 1))
    return SmplMotion(transl, upright, np.zeros((frames, 23, 3)), np.zeros(10), 20.0, "a, b")


@pytest.fixture
def folder(tmp_path):
    clips = {f"c {n}é": _standing(speed=0.1 * n) for n in range(8)}
    clips |= {"rocket": _standing(speed=50.0), "cut": _standing(), "gone": _standing()}
    write_dataset(tmp_path / "set", clips, "test")
    path = tmp_path / "set" / "cut.npz"
    path.write_bytes(path.read_bytes()[:400])
    (tmp_path / "set" / "gone.npz").unlink()
    return tmp_path / "set"


def test_describe_counts_names_what_is_broken_and_draws(folder, tmp_path, capsys):
    assert _main(["data", "describe", str(folder), "--json", str(tmp_path / "d.json")]) == 0
    said = capsys.readouterr().out
    assert "broken cut" in said
    assert "broken gone" in said
    assert "strange rocket: top_speed 50" in said
    found = json.loads((tmp_path / "d.json").read_text())
    assert found["clips"] == 11
    assert found["measured"] == 9
    assert found["classes"] == {"a": 11}
    assert found["hours"] == pytest.approx(11 * 2 / 3600)
    assert found["figures"]["speed"][1] == pytest.approx(0.4, abs=1e-3)
    assert (folder / "description.png").read_bytes()[:4] == b"\x89PNG"


def test_split_writes_whole_parts_and_can_deal_again(folder, capsys):
    assert _main(["data", "split", str(folder), "--fractions", "0.5", "0.5", "0"]) == 0
    first = {entry["name"]: entry["split"] for entry in read_index(folder)}
    assert set(first.values()) == {"train", "reference"}
    assert _main(["data", "split", str(folder), "--fractions", "0", "0", "1"]) == 0
    assert {entry["split"] for entry in read_index(folder)} == {"encoder"}


def test_a_part_of_a_data_set_can_be_the_reference(tmp_path, capsys):
    clips = {f"c{n}": _standing(speed=0.1 * n) for n in range(6)}
    write_dataset(tmp_path / "set", clips, "test")
    entries = read_index(tmp_path / "set")
    parts = ["train"] * 2 + ["reference"] * 4
    write_index(tmp_path / "set", [e | {"split": p} for e, p in zip(entries, parts, strict=True)])
    both = [str(tmp_path / "set")] * 2
    assert _main(["evaluate", *both, "--part", "reference"]) == 0
    assert "6 motions; B" in (said := capsys.readouterr().out)
    assert "4 motions" in said
    assert _main(["evaluate", *both, "--part", "encoder"]) == 2
    assert "no clips of part encoder" in capsys.readouterr().err
    assert _main(["evaluate", both[0], str(tmp_path / "set/c0.npz"), "--part", "train"]) == 2
    assert "--part is for a data set" in capsys.readouterr().err


def test_nothing_is_fetched_before_the_licence_is_agreed_to(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _main(["data", "download", "lafan1"]) == 2
    said = capsys.readouterr()
    assert "CC BY-NC-ND 4.0" in said.out
    assert "--yes" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data", "download", "lafan"], "there are bandai"),
        (["data", "split", "nowhere"], "no such folder"),
        (["data", "describe", "nowhere"], "no such folder"),
        (["data", "split", "x", "--fractoins", "1"], "--fractions"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(arguments, said, capsys):
    assert _main(arguments) == 2
    assert said in capsys.readouterr().err


def test_list_tells_licence_size_and_address(capsys):
    assert _main(["data", "list"]) == 0
    said = capsys.readouterr().out
    for word in ("bandai", "100style", "lafan1", "cmu", "CC BY 4.0", "144 MB", "zenodo"):
        assert word in said
