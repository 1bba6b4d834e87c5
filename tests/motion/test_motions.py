"""Laws of the batch of motions: packing, files, and blending towards a correction."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionloop.motion.motions import Motions, caption_class
from physics.motion import SmplMotion


def clip(frames, seed=0, caption="walk, happy", spread=0.5):
    rng = np.random.default_rng(seed)
    return SmplMotion(
        transl=rng.normal(size=(frames, 3)),
        global_orient=rng.normal(0, spread, (frames, 3)),
        body_pose=rng.normal(0, spread, (frames, 23, 3)),
        betas=rng.normal(size=10),
        fps=20.0,
        caption=caption,
    )


def rotations(motions):
    poses = np.concatenate([motions.global_orient[:, :, None], motions.body_pose], axis=2)
    return Rotation.from_rotvec(poses.reshape(-1, 3))


def test_unpack_gives_back_what_was_packed():
    clips = [clip(5, 1, "walk"), clip(9, 2, "sit, tired"), clip(1, 3)]
    for before, after in zip(clips, Motions.pack(clips).unpack()):
        assert len(after) == len(before)
        assert (after.caption, after.fps) == (before.caption, before.fps)
        for name in ("transl", "global_orient", "body_pose", "betas"):
            np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-6)


def test_padding_repeats_the_last_frame():
    motions = Motions.pack([clip(3), clip(6)])
    assert (motions.body_pose[0, 3:] == motions.body_pose[0, 2]).all()
    assert motions.length.tolist() == [3, 6]


def test_motions_survive_a_file(tmp_path):
    motions = Motions.pack([clip(3, 1), clip(6, 2, "ä caption")], index=np.array([4, 2]))
    motions.save(tmp_path / "motions.npz")
    restored = Motions.load(tmp_path / "motions.npz")
    for name, column in motions.columns().items():
        assert np.array_equal(getattr(restored, name), column)


def test_no_clips_make_an_empty_batch():
    assert len(Motions.pack([])) == 0


def test_blend_starts_at_the_raw_motion_and_ends_at_the_corrected_one():
    raw, corrected = Motions.pack([clip(4, 1)]), Motions.pack([clip(4, 2)])
    for weight, end in ((0.0, raw), (1.0, corrected)):
        blended = raw.blend(corrected, weight)
        np.testing.assert_allclose(blended.transl, end.transl, atol=1e-6)
        assert (rotations(blended).inv() * rotations(end)).magnitude().max() < 1e-5


def test_blend_goes_along_the_shortest_arc():
    raw, corrected = Motions.pack([clip(4, 1)]), Motions.pack([clip(4, 2)])
    blended, weight = raw.blend(corrected, 0.3), 0.3
    whole = (rotations(raw).inv() * rotations(corrected)).magnitude()
    done = (rotations(raw).inv() * rotations(blended)).magnitude()
    left = (rotations(blended).inv() * rotations(corrected)).magnitude()
    np.testing.assert_allclose(done, weight * whole, atol=1e-5)
    np.testing.assert_allclose(left, (1 - weight) * whole, atol=1e-5)
    np.testing.assert_allclose(
        blended.transl, raw.transl + weight * (corrected.transl - raw.transl), atol=1e-6
    )


def test_blend_pairs_by_index_and_leaves_dropped_samples_out():
    raw = Motions.pack([clip(4, seed, str(seed)) for seed in range(3)])
    corrected = raw[np.array([2, 0])]
    blended = raw.blend(corrected, 0.5)
    assert blended.caption.tolist() == ["2", "0"]
    np.testing.assert_allclose(blended.transl, corrected.transl, atol=1e-6)
    assert len(raw.blend(raw[:0], 0.5)) == 0


@pytest.mark.parametrize(
    ("caption", "name"),
    [("a person walks, tired", "a person walks"), ("jump", "jump"), (" run , a, b", "run")],
)
def test_class_of_a_caption_stands_before_the_first_comma(caption, name):
    assert caption_class(caption) == name
