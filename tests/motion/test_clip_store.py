"""Large data sets: packed once, mapped, stale packs noticed, windows read where they are drawn."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from motionloop.motion import clip_store
from motionloop.motion.clip_store import ClipStore
from motionloop.motion.dataset import captions_of, load_clips, write_dataset
from motionloop.motion.windows import WindowPlan
from motionloop.samples import InputError
from physics.motion import SmplMotion


def _clip(frames: int, seed: int, fps: float = 30.0) -> SmplMotion:
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(0.05 * rng.normal(size=(frames, 25, 3)), axis=0)
    betas = rng.normal(size=10)
    return SmplMotion(smooth[:, 0], smooth[:, 1], smooth[:, 2:], betas, fps, f"clip {seed}")


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A folder that counts as large."""
    monkeypatch.setattr(clip_store, "PACK_FROM", 100)
    clips = {f"c{n}": _clip(50 + 13 * n, n, (30.0, 20.0, 60.0)[n % 3]) for n in range(5)}
    write_dataset(tmp_path / "set", clips, "test")
    return tmp_path / "set"


def _packs(folder):
    return sorted(path.name for path in folder.glob(".packed_*"))


def test_a_large_set_is_mapped_and_holds_what_the_clips_hold(large):
    store = ClipStore.open(large)
    assert isinstance(store.frames, np.memmap)
    assert len(_packs(large)) == 1
    for (entry, found), (wanted_entry, wanted) in zip(store, load_clips(large), strict=True):
        assert entry == wanted_entry
        assert (found.fps, found.caption) == (wanted.fps, wanted.caption)
        for name in ("transl", "global_orient", "body_pose", "betas"):
            np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), atol=1e-5)


def test_a_small_set_is_read_without_leaving_a_file(large, monkeypatch):
    monkeypatch.setattr(clip_store, "PACK_FROM", 10_000)
    store = ClipStore.open(large)
    assert not isinstance(store.frames, np.memmap)
    assert _packs(large) == []


def test_a_changed_clip_makes_the_pack_anew_and_the_stale_one_goes(large):
    ClipStore.open(large)
    before = _packs(large)
    _clip(70, 99).save(large / "c2.npz")
    store = ClipStore.open(large)
    np.testing.assert_allclose(store.clip(2).transl, _clip(70, 99).transl, atol=1e-5)
    assert len(_packs(large)) == 1
    assert _packs(large) != before


def test_another_caption_or_part_needs_no_new_pack(large):
    ClipStore.open(large)
    before = _packs(large)
    entries = json.loads((large / "index.json").read_text())
    entries[0] |= {"caption": "a person waves", "split": "encoder"}
    (large / "index.json").write_text(json.dumps(entries))
    store = ClipStore.open(large)
    assert _packs(large) == before
    assert store.clip(0).caption == "a person waves"


def test_an_interrupted_packing_leaves_nothing_and_the_next_succeeds(large):
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ClipStore.open(large, interrupt)
    assert [name for name in os.listdir(large) if "packed" in name] == []
    assert len(ClipStore.open(large)) == 5


def test_missing_damaged_and_cut_off_files_are_named(large):
    ClipStore.open(large)
    frames = next(large.glob(".packed_*")) / "frames.f32"
    frames.write_bytes(frames.read_bytes()[:1000])
    with pytest.raises(InputError, match="damaged"):
        ClipStore.open(large)
    (large / "c3.npz").unlink()
    with pytest.raises(InputError, match=r"c3\.npz is missing"):
        ClipStore.open(large)


def test_a_subset_has_the_clips_that_it_names(large):
    store = ClipStore.open(large)
    part = store.subset([3, 1])
    assert [entry["name"] for entry in part.entries] == ["c3", "c1"]
    np.testing.assert_array_equal(part.clip(0).transl, store.clip(3).transl)
    np.testing.assert_array_equal(part.clip(1, 5, 9).transl, store.clip(1).transl[5:9])


@pytest.mark.parametrize("fps", [20.0, 30.0, 24.0])
def test_drawn_windows_are_those_of_the_whole_resampled_clip(large, fps):
    store = ClipStore.open(large)
    plan = WindowPlan.of(store, 1.0, fps, 0.3)
    rows = np.random.default_rng(0).permutation(len(plan))[:7]
    drawn = plan.draw(store, rows)
    for row, piece in zip(rows, drawn.unpack(), strict=True):
        whole = store.clip(int(plan.clip[row])).resample(fps)
        begin = plan.start[row]
        wanted = whole[begin : begin + plan.frames]
        assert piece.caption == wanted.caption
        np.testing.assert_allclose(piece.transl, wanted.transl, atol=1e-5)
        np.testing.assert_allclose(piece.body_pose, wanted.body_pose, atol=1e-5)


def test_a_plan_has_as_many_frames_as_resampling_gives(large):
    store = ClipStore.open(large)
    plan = WindowPlan.of(store, 60.0, 25.0, 1.0)  # longer than all clips: all too short
    assert len(plan) == 0
    assert len(plan.skipped) == 5
    plan = WindowPlan.of(store, 3.0, 25.0, 1.0)
    for clip, length in zip(plan.clip.tolist(), plan.length):
        assert length == min(len(store.clip(clip).resample(25.0)), 75)


def test_only_the_frames_of_the_drawn_windows_are_read(large):
    store = ClipStore.open(large)
    plan = WindowPlan.of(store, 1.0, 30.0, 0.5)
    row = int(np.flatnonzero(plan.clip == 3)[1])
    poisoned = np.full_like(store.frames, np.nan)
    begin = store.start[3] + plan.start[row]
    poisoned[begin : begin + 31] = store.frames[begin : begin + 31]
    object.__setattr__(store, "frames", poisoned)
    assert np.isfinite(plan.draw(store, np.array([row])).transl).all()


def _told(name: str, caption: str, *parts: tuple[str, float, float]) -> dict:
    captions = [{"text": text, "start_s": start, "end_s": end} for text, start, end in parts]
    return {"name": name, "caption": caption, "captions": captions}


@pytest.fixture
def told() -> ClipStore:
    """Clips of 4 s: of two captions, of one and two parts, of one part alone, of a plain one."""
    clips = [_clip(121, n) for n in range(4)]
    entries = [
        _told("two", "walks", ("walks", 0, 0), ("strolls", 0, 0)),
        _told("parts", "runs", ("runs", 0, 0), ("stops", 2.0, 3.5), ("halts", 2.0, 3.5)),
        _told("part", "bows", ("bows", 1.0, 9.0)),
        {"name": "plain", "caption": "waves"},
    ]
    told = zip(entries, clips, strict=True)
    return ClipStore.of((entry, replace(clip, caption=entry["caption"])) for entry, clip in told)


def test_captions_of_a_part_make_the_part_a_clip_of_its_own(told):
    found = told.stretches()
    assert [(entry["caption"], len(clip)) for entry, clip in found] == [
        ("walks", 121),
        ("runs", 121),
        ("stops", 45),
        ("bows", 91),  # to the clip's end, which the caption passes
        ("waves", 121),
    ]
    np.testing.assert_array_equal(found.clip(2).transl, told.clip(1, 60, 105).transl)
    assert [text for text, *_ in captions_of(found.entries[2])] == ["stops", "halts"]
    again = found.stretches()
    assert [clip.caption for _, clip in again] == [clip.caption for _, clip in found]


def test_every_window_is_drawn_with_every_caption_of_its_clip_and_no_other(told):
    clips = told.stretches()
    plan = WindowPlan.of(clips, 1.0, 30.0, 0.5)
    every = plan.with_every_caption(clips)
    twice = np.isin(plan.clip, [0, 2])
    assert len(every) == len(plan) + twice.sum()
    drawn = every.draw(clips)
    assert {(int(c), str(text)) for c, text in zip(every.clip, drawn.caption)} == {
        (0, "walks"), (0, "strolls"), (1, "runs"), (2, "stops"), (2, "halts"), (3, "bows"),
        (4, "waves"),
    }  # fmt: skip


def test_of_several_captions_the_reference_has_one_a_window_the_same_every_time(told):
    clips = told.stretches()
    plan = WindowPlan.of(clips, 1.0, 30.0, 0.1)
    one, again = (plan.with_random_captions(clips, np.random.default_rng(0)) for _ in range(2))
    assert len(one) == len(plan)
    np.testing.assert_array_equal(one.caption, again.caption)
    assert set(one.draw(clips).caption[one.clip == 0]) == {"walks", "strolls"}


def test_damaged_captions_are_named():
    with pytest.raises(InputError, match="'c' has damaged captions"):
        captions_of({"name": "c", "captions": ["walks"]})
