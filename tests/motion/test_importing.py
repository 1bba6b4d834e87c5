"""Importing folders of motion files."""

import json
from pathlib import Path

import numpy as np
import pytest
from bvh_writer import bvh_text

from motionloop.motion.body import Body
from motionloop.motion.captions import caption_of
from motionloop.motion.dataset import load_clips, split
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


def test_an_interrupted_import_leaves_no_data_set(tmp_path, folder, body):
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_motion([folder], tmp_path / "out", body, 1, interrupt)
    assert [p.name for p in tmp_path.iterdir()] == ["source"]


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
