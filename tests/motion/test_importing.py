"""Importing folders of motion files."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from bvh_writer import bvh_text

from motionloop.motion.body import Body
from motionloop.motion.captions import caption_of
from motionloop.motion.dataset import load_clips, split
from motionloop.motion.formats import read_motion
from motionloop.motion.formats.humanml3d import features, joints_of_motion, uniform
from motionloop.motion.formats.t2m_layouts import HUMANML3D
from motionloop.motion.importing import import_motion
from motionloop.motion.motions import caption_class
from motionloop.motion.windows import windows
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from physics.motion import SmplMotion

SHARED = Path(__file__).parents[3] / "shared/data"


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


@pytest.fixture(scope="module")
def walk() -> SmplMotion:
    return load_clips(CLIPS)[0][1][:20]


@pytest.fixture
def folder(tmp_path, body, walk):
    """A folder with two good clips of one name, one good of another, and broken files."""
    source = tmp_path / "source"
    for inner in ("a", "b"):
        (source / inner).mkdir(parents=True)
        text = bvh_text(walk, body.rest_joints(np.zeros(10)))
        (source / inner / "dataset-1_walk_tired_001.bvh").write_text(text)
    (source / "cut.bvh").write_text(text[: len(text) // 2])
    (source / "notes.txt").write_text("not a motion")
    np.savez(source / "shape.npz", betas=np.zeros(10))
    np.savez(
        source / "amass_poses.npz",
        poses=np.zeros((60, 156)),
        trans=np.zeros((60, 3)),
        mocap_framerate=120.0,
    )
    return source


@pytest.mark.parametrize("workers", [1, 2])
def test_what_can_be_read_is_read_and_the_rest_is_told(tmp_path, folder, body, workers):
    out, told = tmp_path / "out", []
    report = import_motion([folder], out, body, workers, lambda *count: told.append(count))
    assert [e["name"] for e in report.read] == [
        "a_dataset-1_walk_tired_001",
        "amass_poses",
        "b_dataset-1_walk_tired_001",
    ]
    reasons = {path.name: reason for path, reason in report.skipped}
    assert set(reasons) == {"cut.bvh", "shape.npz"}
    assert "cut off" in reasons["cut.bvh"]
    assert "no motion" in reasons["shape.npz"]
    assert told[-1] == (5, 5)
    assert "read 3 clips" in report.summary()
    assert "skipped 2" in report.summary()
    clips = load_clips(out)
    entry, clip = clips[0]
    assert entry == report.read[0]
    assert entry["caption"] == clip.caption == "a person walks, tired"
    assert entry["frames"] == len(clip) == 20
    assert 0 < entry["fit_error_m"] < 0.01
    assert clips[1][1].fps == 30.0
    assert len(clips[1][1]) == 15
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "source"]


def test_an_out_that_holds_something_is_refused_and_left_alone(tmp_path, folder, body):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        import_motion([folder], out, body)
    assert [p.name for p in out.iterdir()] == ["mine.txt"]


def test_nothing_is_left_where_nothing_could_be_read(tmp_path, folder, body):
    with pytest.raises(InputError, match="none of 1 files"):
        import_motion([folder / "cut.bvh"], tmp_path / "out", body)
    with pytest.raises(InputError, match="no such file or folder"):
        import_motion([tmp_path / "missing"], tmp_path / "out", body)
    with pytest.raises(InputError, match="no motion file"):
        import_motion([_empty(tmp_path)], tmp_path / "out", body)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "source"]


def _empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def _interrupted(folder: Path, out: Path, body: Body, after: int) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_motion([folder], out, body, 1, interrupt)
    assert not out.exists()


def _contents(out: Path) -> dict[str, tuple]:
    return {
        entry["name"]: (entry, *(getattr(clip, n).tobytes() for n in ("transl", "body_pose")))
        for entry, clip in load_clips(out)
    }


def test_the_same_call_goes_on_after_an_interruption(tmp_path, folder, body, monkeypatch):
    whole = import_motion([folder], tmp_path / "whole", body)
    out = tmp_path / "out"
    _interrupted(folder, out, body, after=4)
    journal = tmp_path / ".out.partial/journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-7])  # the kill cut the last line off
    read: list[str] = []
    import motionloop.motion.importing as importing

    def counted(path, *rest):
        read.append(path.name)
        return read_motion(path, *rest)

    monkeypatch.setattr(importing, "read_motion", counted)
    report = import_motion([folder], out, body)
    assert report.resumed == 1
    assert len(read) == 4
    assert "1 of them before an interruption" in report.summary()
    assert report.read == whole.read
    assert _contents(out) == _contents(tmp_path / "whole")
    assert sorted(p.name for p in out.iterdir()) == sorted(
        p.name for p in (tmp_path / "whole").iterdir()
    )
    assert not (tmp_path / ".out.partial").exists()


def test_an_import_that_was_killed_is_completed_by_the_same_command(tmp_path, body, walk):
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    text = bvh_text(walk, body.rest_joints(np.zeros(10)))
    for number in range(40):
        (source / f"{number:02d}.bvh").write_text(text)
    command = [sys.executable, "-m", "motionloop", "import", str(source), "--out", str(out)]
    journal = tmp_path / ".out.partial/journal.jsonl"
    with subprocess.Popen([*command, "--workers", "1"], stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        # The file is there before its first line is.
        while not (journal.is_file() and journal.stat().st_size) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
    assert not out.exists()
    report = import_motion([source], out, body)
    assert 1 <= report.resumed < 40
    assert len(load_clips(out)) == 40
    assert not journal.parent.exists()


def test_a_source_that_changed_since_the_interruption_is_read_again(tmp_path, folder, body, walk):
    out = tmp_path / "out"
    _interrupted(folder, out, body, after=5)
    changed = folder / "a/dataset-1_walk_tired_001.bvh"
    changed.write_text(bvh_text(walk[:9], body.rest_joints(np.zeros(10))))
    (folder / "amass_poses.npz").unlink()
    report = import_motion([folder], out, body)
    assert report.resumed == 1
    assert [entry["frames"] for entry in report.read] == [9, 20]
    assert not (out / "amass_poses.npz").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_ends_the_import_and_the_next_one_goes_on(tmp_path, folder, body, workers):
    out = tmp_path / "out"
    _interrupted(folder, out, body, after=1)
    (tmp_path / ".out.partial/b_dataset-1_walk_tired_001.npz").mkdir()  # what cannot be written
    with pytest.raises(OSError, match="directory"):
        import_motion([folder], out, body, workers)
    (tmp_path / ".out.partial/b_dataset-1_walk_tired_001.npz").rmdir()
    report = import_motion([folder], out, body, workers)
    assert report.resumed >= 1
    assert len(report.read) == 3


def test_hidden_files_are_named_and_other_names_are_read(tmp_path, body, walk):
    source = tmp_path / "with space/ünïcode 動作"
    source.mkdir(parents=True)
    text = bvh_text(walk[:5], body.rest_joints(np.zeros(10)))
    for name in ("gehen – 1.bvh", "Walk.bvh", "walk.BVH", "._Walk.bvh"):
        (source / name).write_text(text)
    (source / ".cache").mkdir()
    (source / ".cache/old.bvh").write_text(text)
    (source / "gone.bvh").symlink_to(source / "nowhere.bvh")
    report = import_motion([tmp_path / "with space"], tmp_path / "out", body)
    why = {path.name: reason for path, reason in report.skipped}
    assert set(why) == {"._Walk.bvh", "gone.bvh"}
    assert "hidden" in why["._Walk.bvh"]
    assert "link" in why["gone.bvh"]
    names = [entry["name"] for entry in report.read]
    assert len({name.casefold() for name in names}) == 3
    assert "gehen – 1" in names
    assert len(load_clips(tmp_path / "out")) == 3


@pytest.fixture
def t2m(tmp_path, body, walk):
    """A built HumanML3D folder with every fault that a folder can have."""
    root = tmp_path / "HumanML3D"
    for name in ("new_joints", "new_joint_vecs", "texts"):
        (root / name).mkdir(parents=True)
    joints = joints_of_motion(walk, body.rest_joints(np.zeros(10))).astype(np.float32)
    for name in ("000001", "M000001", "000002", "000003", "000004", "000005"):
        np.save(root / f"new_joints/{name}.npy", joints)
    spoilt = joints.copy()
    spoilt[3] = np.nan
    np.save(root / "new_joints/000005.npy", spoilt)
    whole = "a person walks.#a/DET person/NOUN walk/VERB#0.0#0.0\n"
    part = "he turns left.#he/PRON turn/VERB left/ADV#0.2#0.5\n\n"
    (root / "texts/000001.txt").write_text(whole + part + "she strolls#x#nan#nan\n")
    for name in ("M000001", "000002", "000005", "000009"):
        (root / f"texts/{name}.txt").write_text(whole)
    (root / "texts/000004.txt").write_text("\n")
    (root / "train.txt").write_text("000001\nM000001\n000004\n000005\n000077\n")
    (root / "test.txt").write_text("000003\n")
    np.save(root / "Mean.npy", np.zeros(263))
    return root


def test_a_built_humanml3d_folder_becomes_a_data_set(tmp_path, body, t2m, walk):
    report = import_motion([t2m], tmp_path / "out", body)
    assert [entry["name"] for entry in report.read] == ["000001", "M000001"]
    entry, clip = load_clips(tmp_path / "out")[0]
    assert entry["split"] == "train"
    assert entry["caption"] == clip.caption == "a person walks."
    assert entry["captions"] == [
        {"text": "a person walks.", "start_s": 0.0, "end_s": 0.0},
        {"text": "he turns left.", "start_s": 0.2, "end_s": 0.5},
        {"text": "she strolls", "start_s": 0.0, "end_s": 0.0},
    ]
    assert clip.fps == 20.0
    assert 0 < entry["fit_error_m"] < 0.01
    reasons = {f"{path.parent.name}/{path.name}": reason for path, reason in report.skipped}
    assert set(reasons) == {
        "new_joints/000002.npy", "new_joints/000003.npy", "new_joints/000004.npy",
        "new_joints/000005.npy", "texts/000009.txt", "HumanML3D/train.txt",
    }  # fmt: skip
    for name, says in (
        ("new_joints/000002.npy", "none of the lists"),
        ("new_joints/000003.npy", "no text file"),
        ("new_joints/000004.npy", "no caption"),
        ("new_joints/000005.npy", "NaN.*frame 3"),
        ("texts/000009.txt", "motion that is not there"),
        ("HumanML3D/train.txt", "000077"),
    ):
        assert re.search(says, reasons[name]), name


def test_a_folder_of_features_gives_what_its_joints_give(tmp_path, body, t2m):
    joints = np.load(t2m / "new_joints/000001.npy").astype(float)
    for path in (t2m / "new_joints").iterdir():
        path.unlink()
    (t2m / "new_joints").rmdir()
    np.save(t2m / "new_joint_vecs/000001.npy", features(joints))
    import_motion([t2m], tmp_path / "out", body)
    np.save(tmp_path / "same.npy", uniform(joints, HUMANML3D)[:-1])
    wanted, _ = read_motion(tmp_path / "same.npy", body)
    [(_, clip)] = load_clips(tmp_path / "out")
    np.testing.assert_allclose(clip.body_pose, wanted.body_pose, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("dataset-2_walk-turn-left_exhausted_012.bvh", "a person walks and turns left, exhausted"),
        ("dataset-1_bow_giant_001.bvh", "a person bows, like a giant"),
        ("dataset-1_run_normal_001.bvh", "a person runs"),
        ("dataset-1_fly-high_sad_001.bvh", "a person fly high, sad"),
        ("walkTurn_Left-02.bvh", "walk turn left"),
        ("01_02_poses.npz", "jumping jacks"),
    ],
)
def test_captions_are_made_from_names(name, caption):
    assert caption_of(Path("jumping_jacks") / name) == caption


def test_the_class_of_a_caption_is_its_content_not_its_style():
    names = ("dataset-2_run_youthful_001.bvh", "dataset-1_run_normal_003.bvh")
    assert {caption_class(caption_of(Path(name))) for name in names} == {"a person runs"}


def test_real_clips_are_fitted_within_three_centimetres(tmp_path, body):
    source = SHARED / "bandai-namco/bvh"
    if not source.is_dir():
        pytest.skip("the Bandai-Namco clips are not beside the checkout")
    chosen = sorted(source.glob("*.bvh"))[::15]
    report = import_motion(chosen, tmp_path / "out", body)
    assert len(report.read) == len(chosen)
    assert report.mean_fit_error_m < 0.015
    assert max(entry["fit_error_m"] for entry in report.read) < 0.03
    entries = json.loads((tmp_path / "out/index.json").read_text())
    assert set(split(entries)) == {entry["name"] for entry in entries}
    found, _ = windows(load_clips(tmp_path / "out"), 2.0, 20.0, 0.5)
    assert np.isfinite(found.body_pose).all()
