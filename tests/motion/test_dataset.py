"""The data set folder: reading, splitting, cutting into windows, mirroring."""

import json

import numpy as np
import pytest

from motionloop.motion.body import Body
from motionloop.motion.dataset import (
    load_clips,
    mirrored,
    read_index,
    split,
)
from motionloop.motion.windows import windows
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import MIRROR, forward_kinematics


def _clip(frames: int, fps: float = 30.0, seed: int = 0, caption: str = "a person walks"):
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(0.05 * rng.normal(size=(frames, 25, 3)), axis=0)
    return SmplMotion(smooth[:, 0], smooth[:, 1], smooth[:, 2:], np.zeros(10), fps, caption)


@pytest.fixture
def folder(tmp_path):
    entries = []
    for number, frames in enumerate((40, 90)):
        _clip(frames, seed=number).save(tmp_path / f"clip{number}.npz")
        entries.append(
            {"name": f"clip{number}", "file": f"clip{number}.npz", "caption": f"class {number}"}
        )
    (tmp_path / "index.json").write_text(json.dumps(entries))
    return tmp_path


def test_clips_come_with_their_entries_and_the_captions_of_the_index(folder):
    clips = load_clips(folder)
    assert [entry["name"] for entry, _ in clips] == ["clip0", "clip1"]
    assert [len(clip) for _, clip in clips] == [40, 90]
    assert [clip.caption for _, clip in clips] == ["class 0", "class 1"]


def test_a_folder_without_index_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match="motionloop import"):
        read_index(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        read_index(tmp_path / "missing")


@pytest.mark.parametrize("text", ["{", "{}", '[{"name": 3}]', "[1]"])
def test_a_damaged_index_is_refused(tmp_path, text):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(InputError, match=r"index\.json"):
        read_index(tmp_path)


def test_a_name_that_is_listed_twice_is_refused(tmp_path):
    (tmp_path / "index.json").write_text(json.dumps([{"name": "a", "file": "a.npz"}] * 2))
    with pytest.raises(InputError, match="'a' more than once"):
        read_index(tmp_path)


def test_missing_and_damaged_clips_are_named(folder):
    (folder / "clip1.npz").write_bytes((folder / "clip1.npz").read_bytes()[:300])
    with pytest.raises(InputError, match="clip1"):
        load_clips(folder)
    (folder / "clip0.npz").unlink()
    with pytest.raises(InputError, match=r"clip0\.npz is missing"):
        load_clips(folder)


def test_a_file_outside_of_the_folder_is_refused(folder):
    (folder / "index.json").write_text(json.dumps([{"name": "a", "file": "../a.npz"}]))
    with pytest.raises(InputError, match="outside"):
        load_clips(folder)


def test_split_is_by_clip_stable_and_near_its_fractions():
    entries = [{"name": f"clip {n}"} for n in range(2000)]
    parts = split(entries)
    counts = {part: list(parts.values()).count(part) / 2000 for part in set(parts.values())}
    assert counts == pytest.approx({"train": 0.6, "reference": 0.2, "encoder": 0.2}, abs=0.04)
    fewer = split(entries[::7])
    assert all(parts[name] == part for name, part in fewer.items())
    assert split(entries, seed=1) != parts


def test_mirror_images_are_dealt_together_and_the_index_goes_before():
    entries = [{"name": f"{n}{end}"} for n in range(50) for end in ("", "_mirrored")]
    parts = split(entries)
    assert all(parts[f"{n}"] == parts[f"{n}_mirrored"] for n in range(50))
    assert split([{"name": "a", "split": "encoder"}], (1, 0, 0)) == {"a": "encoder"}
    with pytest.raises(InputError, match="'test'"):
        split([{"name": "a", "split": "test"}])
    with pytest.raises(InputError, match="add up to 1"):
        split(entries, (0.5, 0.2, 0.2))


def test_windows_are_cut_at_every_stride_and_short_clips_are_told():
    long, exact, half, short = (_clip(n, seed=n) for n in (91, 60, 31, 29))
    entries = [{"name": n} for n in ("long", "exact", "half", "short")]
    found, skipped = windows(list(zip(entries, (long, exact, half, short))), 2.0, 30.0, 0.5)
    assert found.transl.shape == (5, 60, 3)  # long at 0, 15, 30; exact; half
    np.testing.assert_array_equal(found.length, [60, 60, 60, 60, 31])
    np.testing.assert_allclose(found.transl[1], long.transl[15:75], atol=1e-6)
    np.testing.assert_allclose(found.transl[4, 31:], np.tile(half.transl[-1], (29, 1)), atol=1e-6)
    assert skipped == ["short"]


def test_windows_of_short_clips_alone_have_the_full_length():
    found, skipped = windows([_clip(40)], 2.0, 30.0, 1.0)
    assert found.body_pose.shape == (1, 60, 23, 3)
    assert (found.length == 40).all()
    np.testing.assert_array_equal(
        found.body_pose[0, 40:], np.tile(found.body_pose[0, 39], (20, 1, 1))
    )
    none, skipped = windows([_clip(5)], 2.0, 30.0, 1.0)
    assert len(none) == 0
    assert len(skipped) == 1


def test_windows_refuse_what_is_not_positive():
    with pytest.raises(InputError, match="positive"):
        windows([_clip(40)], 2.0, 30.0, 0.0)


def test_the_mirror_image_has_mirrored_joints():
    rest = Body.load().rest_joints(np.zeros(10))
    rest = 0.5 * (rest + rest[list(MIRROR)] * [-1, 1, 1])  # a symmetric body
    clip = _clip(20, caption="a person turns left, not right")
    image = mirrored(clip)

    def joints(m):
        return forward_kinematics(rest, m.transl, m.global_orient, m.body_pose)[0]

    np.testing.assert_allclose(joints(image), joints(clip)[:, list(MIRROR)] * [-1, 1, 1], atol=1e-9)
    assert image.caption == "a person turns right, not left"
    back = mirrored(image)
    np.testing.assert_allclose(back.body_pose, clip.body_pose)
