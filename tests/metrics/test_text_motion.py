"""The text-motion evaluator: learns captions, is invariant, is named by a hash, and refuses."""

import numpy as np
import pytest
import torch

from motionloop.metrics.t2m_protocol import Protocol, r_precision
from motionloop.metrics.text_motion import TextMotionEvaluator
from motionloop.metrics.text_motion_metrics import TextMotionMetrics
from motionloop.metrics.text_motion_network import EvaluatorConfig, facts_of
from motionloop.metrics.text_motion_training import contrast
from motionloop.motion.body import Body
from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from physics.motion import SmplMotion

CONFIG = EvaluatorConfig(frames=20, steps=60, batch=32, width=24, features=12, mirror=0.0)
KINDS = {"a person waves": (16, 2.0), "a person kicks": (1, 1.0), "a person bends": (3, 0.7)}


def _clip(kind: str, seed: int, frames: int = 30) -> SmplMotion:
    """A standing body that swings the joint of its kind."""
    rng = np.random.default_rng(seed)
    joint, rate = KINDS[kind]
    pose = 0.02 * rng.normal(size=(1, 23, 3)) * np.ones((frames, 1, 1))
    phase = 2 * np.pi * (rate * np.arange(frames) / 20 + rng.uniform())
    pose[:, joint - 1, 0] += 0.7 * np.sin(phase)
    transl = np.tile([*rng.normal(size=2), 0.95], (frames, 1))
    upright = np.tile([np.pi / 2, 0, 0], (frames, 1))
    return SmplMotion(transl, upright, pose, np.zeros(10), 20.0, kind)


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


def _set(first: int, count: int) -> Motions:
    kinds = list(KINDS)
    return Motions.pack([_clip(kinds[n % 3], first + n) for n in range(count)])


@pytest.fixture(scope="module")
def evaluator(body) -> TextMotionEvaluator:
    torch.set_num_threads(1)
    motions = _set(0, 48)
    return TextMotionEvaluator.fit(motions, body.joints(motions), np.random.default_rng(0), CONFIG)


def test_new_motions_lie_nearest_to_their_own_captions(evaluator, body):
    motions = _set(1000, 30)
    found = evaluator.motions(body.joints(motions), motions.length, motions.fps)
    texts = evaluator.captions(list(KINDS))
    nearest = np.linalg.norm(found[:, None] - texts, axis=-1).argmin(1)
    assert [list(KINDS)[n] for n in nearest] == motions.caption.tolist()


def test_every_caption_of_a_clip_is_learned(body):
    motions = _set(0, 48)
    other = {text: text.replace("a person", "somebody slowly") for text in KINDS}
    both = [[str(text), other[str(text)]] for text in motions.caption]
    rng = np.random.default_rng(0)
    joints = body.joints(motions)
    evaluator = TextMotionEvaluator.fit(motions, joints, rng, CONFIG, captions=both)
    assert evaluator.training["captions"] == 6
    new = _set(1000, 30)
    found = evaluator.motions(body.joints(new), new.length, new.fps)
    for texts in (list(KINDS), list(other.values())):
        distance = np.linalg.norm(found[:, None] - evaluator.captions(texts), axis=-1)
        right = np.array([list(KINDS)[n] for n in distance.argmin(1)]) == new.caption
        assert right.mean() > 0.8


def test_features_do_not_hang_on_place_heading_or_padding(evaluator, body):
    motions = _set(5, 4)
    joints = body.joints(motions)
    plain = evaluator.motions(joints, motions.length, motions.fps)
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    moved = joints @ turn.T + [3.0, -2.0, 0.0]
    np.testing.assert_allclose(
        evaluator.motions(moved, motions.length, motions.fps), plain, atol=1e-3
    )
    padded = np.concatenate([joints, np.full_like(joints, 7.0)], axis=1)
    np.testing.assert_allclose(
        evaluator.motions(padded, motions.length, motions.fps), plain, atol=1e-4
    )


def test_features_are_centred_and_of_total_variance_d(evaluator, body):
    motions = _set(0, 48)
    found = evaluator.motions(body.joints(motions), motions.length, motions.fps)
    assert found.var(0).sum() == pytest.approx(CONFIG.features, rel=0.5)


def test_the_same_seed_gives_the_same_evaluator_and_another_seed_another(body, evaluator):
    motions = _set(0, 48)
    joints = body.joints(motions)
    brief = EvaluatorConfig(frames=20, steps=3, batch=8, width=8, features=4)
    names = [
        TextMotionEvaluator.fit(motions, joints, np.random.default_rng(seed), brief).name
        for seed in (0, 0, 1)
    ]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("text-motion-")


def test_an_evaluator_survives_its_file_and_refuses_others(evaluator, body, tmp_path):
    evaluator.save(tmp_path / "e.safetensors")
    again = TextMotionEvaluator.load(tmp_path / "e.safetensors")
    assert again.name == evaluator.name
    motions = _set(5, 4)
    joints = body.joints(motions)
    np.testing.assert_array_equal(
        again.motions(joints, motions.length, motions.fps),
        evaluator.motions(joints, motions.length, motions.fps),
    )
    np.testing.assert_array_equal(again.captions(["a b"]), evaluator.captions(["a b"]))
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "e.safetensors").read_bytes()[:200])
    with pytest.raises(InputError, match="not a text-motion evaluator"):
        TextMotionEvaluator.load(tmp_path / "cut.safetensors")
    with pytest.raises(InputError, match="no such text-motion evaluator"):
        TextMotionEvaluator.load(tmp_path / "missing")


def test_one_caption_teaches_nothing_and_is_refused(body):
    motions = Motions.pack([_clip("a person waves", n) for n in range(3)])
    with pytest.raises(InputError, match="captions"):
        TextMotionEvaluator.fit(motions, body.joints(motions), np.random.default_rng(0), CONFIG)


def test_the_contrast_is_least_when_the_right_pairs_score_highest():
    caption = torch.tensor([0, 1, 1, 2])
    right = 20.0 * (caption[:, None] == caption[None]).float()
    assert contrast(right, caption) == pytest.approx(np.log(2) / 2, abs=1e-3)  # two of one caption
    assert contrast(right, caption) < contrast(torch.zeros(4, 4), caption)
    assert contrast(torch.zeros(4, 4), caption) < contrast(-right, caption)


def test_facts_tell_slipping_feet_from_standing_ones():
    view = torch.zeros(2, 10, 2, 24, 3)
    view[1, :, 1, :, 0] = 0.5  # all joints move along the floor
    facts = facts_of(view.flatten(2), torch.tensor([10, 10]))
    assert (facts[1, -4:] - facts[0, -4:] > 5).all()
    high = view.clone()
    high[..., 0, :, 2] = 1.0
    lifted = facts_of(high.flatten(2), torch.tensor([10, 10]))
    assert (lifted[1, -4:] < facts[1, -4:] - 5).all()


def test_a_generation_gets_every_figure_with_its_interval(evaluator, body):
    metrics = TextMotionMetrics(body, evaluator, Protocol(resamples=10, fewest=10))
    generated, reference = _set(2000, 66), _set(3000, 66)
    found = metrics(generated, reference)
    # A third of the candidates have the same caption: 3 of about 11 is the best there is.
    assert found["r_precision_3"] > 2 * 3 / 32
    assert found["t2m_fid_low"] <= found["t2m_fid"] <= found["t2m_fid_high"]
    assert found["multimodality"] < found["t2m_diversity"]
    assert evaluator.name in metrics.describe()["evaluator"]
    assert metrics(generated[:0], reference) == {}
    of_a, own = metrics.against(generated, reference)
    assert of_a["t2m_fid"].value == found["t2m_fid"]
    assert set(own) == set(of_a)


def test_r_precision_of_learned_motion_falls_when_captions_are_shuffled(evaluator, body):
    motions = _set(1000, 64)
    features = evaluator.motions(body.joints(motions), motions.length, motions.fps)
    rng = np.random.default_rng(0)
    own = r_precision(features, evaluator.captions(motions.caption), rng, Protocol())
    shuffled = evaluator.captions(np.roll(motions.caption, 1))
    assert own[2].value > 2 * r_precision(features, shuffled, rng, Protocol())[2].value
