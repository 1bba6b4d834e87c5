"""The shipped clips are real, stand on the floor, and are what their captions say."""

import numpy as np
import pytest

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips, mirrored, split
from motionloop.motion.windows import windows
from motionloop.paths import CLIPS
from physics.skeleton import forward_kinematics, rotation_matrices


@pytest.fixture(scope="module")
def clips():
    return {entry["name"]: (entry, clip) for entry, clip in load_clips(CLIPS)}


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


def _headings(clip) -> np.ndarray:
    ahead = rotation_matrices(clip.global_orient)[:, :2, 2]
    return np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))


def test_there_are_twenty_clips_and_their_mirror_images_in_one_megabyte(clips):
    assert len(clips) == 40
    originals = [name for name in clips if not name.endswith("_mirrored")]
    assert {f"{name}_mirrored" for name in originals} | set(originals) == set(clips)
    assert sum(file.stat().st_size for file in CLIPS.iterdir() if file.is_file()) < 1_000_000
    text = (CLIPS / "README.md").read_text()
    assert "pybullet" in text
    assert "zlib" in text


def test_of_every_pair_one_is_for_training(clips):
    parts = split([entry for entry, _ in clips.values()])
    for name in clips:
        if not name.endswith("_mirrored"):
            assert {parts[name], parts[f"{name}_mirrored"]} == {"train", "reference"}
    trained = [name for name, part in parts.items() if part == "train"]
    assert sum(name.endswith("_mirrored") for name in trained) == 10


def test_mirror_images_are_mirror_images(clips):
    for name, (_, clip) in clips.items():
        if not name.endswith("_mirrored"):
            image = mirrored(clips[f"{name}_mirrored"][1])
            np.testing.assert_allclose(image.transl, clip.transl, atol=1e-5)
            np.testing.assert_allclose(image.body_pose, clip.body_pose, atol=1e-5)
            assert image.caption == clip.caption


def test_every_clip_gives_windows_of_two_seconds(clips):
    for part in ("train", "reference"):
        chosen = [pair for pair in clips.values() if pair[0]["split"] == part]
        found, skipped = windows(chosen, 2.0, 20.0, 0.25)
        assert skipped == []
        assert len(found) >= 64
        assert set(found.caption) == {entry["caption"] for entry, _ in chosen}


def test_walks_stand_on_the_floor(clips, body):
    for name in ("walk", "walk_forward", "walk_left_a", "walk_right_b"):
        lowest = body.lowest(clips[name][1][::3])
        assert np.abs(lowest).max() < 0.015, name
        assert np.abs(lowest).mean() < 0.005, name


def test_no_clip_sinks_or_hovers(clips, body):
    for name, (_, clip) in clips.items():
        if name.endswith("_mirrored"):
            continue
        lowest = body.lowest(clip[::4])
        assert np.minimum(lowest + 0.005, 0).mean() > -0.006, name
        assert np.percentile(lowest, 25) < 0.03, name


def test_walkers_go_where_they_look_and_turn_where_they_say(clips):
    for name, (entry, clip) in clips.items():
        if "walks" not in entry["caption"]:
            continue
        ahead = rotation_matrices(clip.global_orient)[:-1, :2, 2]
        forward = (np.diff(clip.transl[:, :2], axis=0) * ahead).sum(axis=1) * clip.fps
        assert 0.5 < forward.mean() < 1.6, name
        turned = np.diff(_headings(clip)[[0, -1]])[0]
        if "turning left" in entry["caption"]:
            assert turned > 1.5, name
        if "turning right" in entry["caption"]:
            assert turned < -1.5, name


def test_heels_do_not_jump_at_the_seams_of_loops(clips, body):
    rest = body.rest_joints(np.zeros(10))
    for name in ("walk", "run", "walk_forward", "walk_left_a", "jump", "spin"):
        clip = clips[name][1]
        joints, _ = forward_kinematics(rest, clip.transl, clip.global_orient, clip.body_pose)
        speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(axis=1)
        once = speed[: int(1.2 * clip.fps)].max()
        assert speed.max() < 1.6 * once, name


def test_a_backflip_goes_once_over_backwards_a_cycle(clips):
    clip = clips["backflip"][1]
    up = rotation_matrices(clip.global_orient)[:, 2, 1]  # height of the trunk's up axis
    assert up.min() < -0.9
    assert up[0] > 0.9
    assert clip.transl[-1, 0] < -1.0  # the character began looking along x
