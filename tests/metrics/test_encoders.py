"""Laws of the encoder: what its features must not see, and what it must."""

import dataclasses

import numpy as np
import pytest
import torch
from made_motions import make_motions

from motionloop.metrics.distribution import frechet_distance
from motionloop.metrics.encoder_training import Labels
from motionloop.metrics.encoders import EncoderConfig, MotionEncoder
from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips, split
from motionloop.motion.motions import Motions, caption_class
from motionloop.paths import CLIPS, ENCODERS
from motionloop.samples import InputError


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_it_names_the_classes_of_motions_it_has_not_seen(rng, body, encoder):
    motions = make_motions(rng, 90)
    predicted = encoder.predict_class(body.joints(motions), motions.length, motions.fps)
    assert encoder.agreement(predicted, motions.caption) > 0.9
    assert encoder.training["class_accuracy"] > 0.9
    assert encoder.classes == ["bow", "walk", "wave"]
    assert encoder.styles == ["quick", "slow"]


def test_features_have_the_total_variance_of_their_number(rng, body, encoder):
    motions = make_motions(rng, 300)
    features = encoder.features(body.joints(motions), motions.length, motions.fps)
    assert features.shape == (300, 32)
    assert features.var(0).sum() == pytest.approx(32, rel=0.25)


def test_place_heading_and_padding_change_no_feature(rng, body, encoder):
    motions = make_motions(rng, 20)
    joints, length = body.joints(motions), rng.integers(15, 41, 20)
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    changed = joints @ turn.T + [5.0, -2.0, 0.0]
    for n, frames in enumerate(length):
        changed[n, frames:] = rng.normal(size=changed[n, frames:].shape)
    features = encoder.features(joints, length, 20.0)
    np.testing.assert_allclose(encoder.features(changed, length, 20.0), features, atol=1e-3)
    alone = encoder.features(joints[3:4, : length[3]], length[3:4], 20.0)
    np.testing.assert_allclose(alone[0], features[3], atol=1e-4)


def test_a_motion_that_goes_on_keeps_its_features(rng, body, encoder):
    """Pooled features do not drift with length: 2 s and 4 s of walking are close."""
    longer = make_motions(rng, 40, ("walk", "wave"), frames=80)
    joints = body.joints(longer)
    whole = encoder.features(joints, longer.length, 20.0)
    half = encoder.features(joints, np.full(40, 40), 20.0)
    between = np.linalg.norm(whole[0] - whole[1])
    assert np.linalg.norm(whole - half, axis=1).mean() < 0.4 * between


def test_another_frame_rate_gives_the_same_features(rng, body, encoder):
    motions = make_motions(rng, 12)
    faster = Motions.pack([clip.resample(60.0) for clip in motions.unpack()])
    mixed = encoder.features(body.joints(faster), faster.length, faster.fps)
    plain = encoder.features(body.joints(motions), motions.length, motions.fps)
    assert np.abs(mixed - plain).max() < 0.05 * plain.std()


def test_fid_grows_with_noise_with_slide_and_with_dropped_classes(rng, body, encoder):
    reference, motions = make_motions(rng, 300), make_motions(rng, 150)
    joints, length = body.joints(motions), motions.length
    real = encoder.features(body.joints(reference), reference.length, 20.0)

    def fid(changed, rows=None):
        rows = np.arange(150) if rows is None else np.flatnonzero(rows)
        return frechet_distance(encoder.features(changed[rows], length[rows], 20.0), real)

    noise = rng.normal(size=joints.shape)
    ahead = np.arange(40)[:, None, None] * np.array([1.0, 0, 0])
    classes = np.array([caption_class(caption) for caption in motions.caption])
    for distances in (
        [fid(joints + scale * noise) for scale in (0, 0.02, 0.05, 0.1)],
        [fid(joints + scale * ahead) for scale in (0, 0.02, 0.05, 0.1)],
        [fid(joints, np.isin(classes, kept)) for kept in (classes, ["walk", "bow"], ["walk"])],
    ):
        assert (np.diff(distances) > 0).all()


def test_a_saved_encoder_is_the_same_under_the_same_name(tmp_path, rng, body, encoder):
    motions = make_motions(rng, 6)
    joints = body.joints(motions)
    encoder.save(tmp_path / "encoder.safetensors")
    loaded = MotionEncoder.load(tmp_path / "encoder.safetensors")
    assert loaded.name == encoder.name
    assert (loaded.config, loaded.training) == (encoder.config, encoder.training)
    for features in ("features", "predict_class"):
        expected = getattr(encoder, features)(joints, motions.length, 20.0)
        assert (getattr(loaded, features)(joints, motions.length, 20.0) == expected).all()
    with torch.no_grad():
        loaded.network.classes.bias[0] += 1
    assert loaded.name != encoder.name


def test_the_same_seed_trains_the_same_encoder_and_leaves_torch_alone(body):
    motions = make_motions(np.random.default_rng(0), 12)
    config = EncoderConfig(steps=3, width=8, batch=8)
    names = []
    for noise in (1, 2):
        torch.rand(noise)
        before = torch.get_rng_state()
        encoder = MotionEncoder.fit(motions, body.joints(motions), np.random.default_rng(9), config)
        names.append(encoder.name)
        assert (torch.get_rng_state() == before).all()
    assert names[0] == names[1]


def test_one_class_is_said_to_teach_nothing(rng, body):
    motions = make_motions(rng, 8, ("walk",))
    plain = dataclasses.replace(motions, caption=np.array(["walk"] * 8))
    config = EncoderConfig(steps=2, width=8, batch=4)
    with pytest.warns(UserWarning, match="'walk'"):
        encoder = MotionEncoder.fit(plain, body.joints(plain), rng, config)
    predicted = encoder.predict_class(body.joints(plain), plain.length, 20.0)
    assert np.isnan(encoder.agreement(predicted, plain.caption))


def test_agreement_leaves_out_captions_of_unknown_classes(encoder):
    predicted = np.array(["walk", "walk", "bow", "wave"])
    captions = np.array(["walk, quick", "bow", "bow, slow", "somersault"])
    assert encoder.agreement(predicted, captions) == pytest.approx(2 / 3)
    assert np.isnan(encoder.agreement(predicted[:1], np.array(["somersault"])))


def test_what_is_no_encoder_is_refused_by_name(tmp_path, encoder):
    with pytest.raises(InputError, match="no such motion encoder"):
        MotionEncoder.load(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("not an encoder")
    with pytest.raises(InputError, match=r"text\.safetensors is not a motion encoder"):
        MotionEncoder.load(tmp_path / "text.safetensors")
    encoder.save(tmp_path / "cut.safetensors")
    whole = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut\.safetensors"):
        MotionEncoder.load(tmp_path / "cut.safetensors")
    empty = make_motions(np.random.default_rng(0), 1)[:0]
    with pytest.raises(InputError, match="got none"):
        MotionEncoder.fit(empty, np.zeros((0, 40, 24, 3)), np.random.default_rng(0))


def test_clips_shorter_than_a_window_train_too(rng, body):
    motions = Motions.concatenate([make_motions(rng, 6, frames=5), make_motions(rng, 6, frames=5)])
    config = EncoderConfig(steps=3, width=8, batch=8)
    encoder = MotionEncoder.fit(motions, body.joints(motions), rng, config)
    assert np.isfinite(encoder.features(body.joints(motions), motions.length, 20.0)).all()
    one = encoder.features(body.joints(motions)[:, :1], np.ones(12, int), 20.0)
    assert np.isfinite(one).all()


def test_the_shipped_encoder_knows_the_shipped_clips_and_is_the_one_described():
    shipped = MotionEncoder.shipped()
    assert f"`{shipped.name}`" in (ENCODERS / "README.md").read_text()
    loaded = load_clips(CLIPS)
    part = split([entry for entry, _ in loaded])
    motions = Motions.pack([clip for entry, clip in loaded if part[entry["name"]] == "reference"])
    assert {caption_class(str(caption)) for caption in motions.caption} == set(shipped.classes)
    joints = Body.load().joints(motions)
    predicted = shipped.predict_class(joints, np.minimum(motions.length, 60), motions.fps)
    assert shipped.agreement(predicted, motions.caption) > 0.9


def test_left_and_right_change_places_in_the_labels_of_a_mirror_image():
    labels = Labels.of(
        np.array(["wave left, turning right", "wave right", "walk left, slow", "sit, turning left"])
    )
    assert labels.classes == ["sit", "walk left", "wave left", "wave right"]
    assert labels.class_index.tolist() == [2, 3, 1, 0]
    assert labels.class_mirrored.tolist() == [3, 2, -1, 0]  # nobody walks right
    assert labels.styles == ["slow", "turning left", "turning right"]
    assert labels.style_index.tolist() == [2, -1, 0, 1]
    assert labels.style_mirrored.tolist() == [1, -1, 0, 2]
