"""Captions as conditions: the whole text counts, new text is taken, and files name the encoder."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_generator import FPS, LEARNER, TINY, waving_clip

from motionloop.cli import _main
from motionloop.diffusion.checkpoint import read_checkpoint
from motionloop.diffusion.transformer import VectorEmbedding
from motionloop.motion.generator import MotionGenerator
from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from physics.skeleton import PARENTS

WORDS = replace(TINY, text_encoder="words")


@pytest.fixture
def rest():
    joints = np.zeros((24, 3))
    directions = np.random.default_rng(5).normal(size=(24, 3))
    for j in range(1, 24):
        joints[j] = joints[PARENTS[j]] + 0.2 * directions[j] / np.linalg.norm(directions[j])
    return joints


def _make(rest, config=WORDS, frames=12) -> MotionGenerator:
    return MotionGenerator(config, ["go"], frames, FPS, rest, np.random.default_rng(0), "cpu")


def _styles(frames=12) -> Motions:
    """One class, two styles: fast and slow."""
    clips = [waving_clip(0.3 * n, frames, "go, fast", pace=2.0) for n in range(4)]
    return Motions.pack(clips + [waving_clip(0.3 * n, frames, "go, slow", 0.2) for n in range(4)])


def _paces(motions: Motions) -> np.ndarray:
    return np.linalg.norm(motions.transl[:, -1, :2] - motions.transl[:, 0, :2], axis=-1)


def test_what_stands_behind_the_comma_counts_for_text_and_not_for_classes(rest):
    asked = ["go, fast"] * 6 + ["go, slow"] * 6
    apart = {}
    for which in ("words", ""):
        # Without the weight on differences it learns sooner what is constant in time.
        config = replace(LEARNER, text_encoder=which, difference_weight=0.0)
        model = _make(rest, config)
        model.fit(_styles(), 150, np.random.default_rng(1))
        paces = _paces(model.sample_captions(asked, np.full(12, 12), np.random.default_rng(2)))
        apart[which] = paces[:6].mean() - paces[6:].mean()
    assert apart["words"] > 0.5  # metres; in truth 1.0
    assert abs(apart[""]) < 0.5


def test_text_that_was_never_trained_on_is_taken(rest):
    model = _make(rest)
    model.fit(_styles(), 2, np.random.default_rng(1))
    motions = model.sample_captions(["jump over a wall"], np.array([9]), np.random.default_rng(0))
    assert motions.caption.tolist() == ["jump over a wall"]
    assert np.isfinite(motions.body_pose).all()
    assert model.captions == ["go, fast", "go, slow"]


def test_a_vector_says_the_same_whatever_else_is_in_the_table():
    torch.manual_seed(0)
    embedding = VectorEmbedding(5, 8)
    vectors = torch.randn(4, 5)
    embedding.table = vectors
    all_four = embedding(torch.tensor([0, 1, 2, -1]))
    embedding.table = vectors[2:3]
    np.testing.assert_allclose(
        embedding(torch.tensor([0])).detach()[0], all_four.detach()[2], atol=1e-6
    )
    np.testing.assert_array_equal(all_four.detach()[3], embedding.none.detach())


def test_a_file_names_its_text_encoder_and_wants_it_back(rest, tmp_path):
    model = _make(rest)
    model.fit(_styles(), 2, np.random.default_rng(1))
    model.save(tmp_path / "m.safetensors")
    assert read_checkpoint(tmp_path / "m.safetensors")[1]["text_encoder"] == "words-256"
    again = MotionGenerator.from_file(tmp_path / "m.safetensors", device="cpu")
    texts, lengths = ["go, fast", "run"], np.array([12, 8])
    one, other = (
        m.sample_captions(texts, lengths, np.random.default_rng(3)) for m in (model, again)
    )
    np.testing.assert_array_equal(one.body_pose, other.body_pose)
    with pytest.raises(InputError, match="text_encoder"):
        _make(rest, TINY).load(tmp_path / "m.safetensors")


def test_guidance_moves_samples_away_from_the_unconditional(rest):
    model = _make(rest, replace(LEARNER, text_encoder="words"))
    model.fit(_styles(), 60, np.random.default_rng(1))
    asked, lengths = ["go, fast"], np.array([12])

    def sample(scale):
        model.config = replace(model.config, guidance=scale)
        return model.sample_captions(asked, lengths, np.random.default_rng(4)).body_pose

    none, plain, strong = sample(0.0), sample(1.0), sample(3.0)
    assert not np.allclose(none, plain, atol=1e-4)
    assert np.abs(strong - none).mean() > np.abs(plain - none).mean()


def test_a_class_model_names_the_nearest_class_and_the_remedy(rest):
    classes = ["a person bows", "a person walks"]
    model = MotionGenerator(TINY, classes, 12, FPS, rest, np.random.default_rng(0), "cpu")
    clips = Motions.pack([waving_clip(0.0, 12, text) for text in classes])
    model.fit(clips, 2, np.random.default_rng(1))
    with pytest.raises(InputError, match=r"nearest that it knows is 'a person walks'.*text_enc"):
        model.sample_captions(["a person walking"], np.array([12]), np.random.default_rng(0))


def test_an_unknown_text_encoder_is_refused_before_training(capsys, tmp_path):
    assert _main(["run", "motion", "--text_encoder", "klip", "--out", str(tmp_path / "r")]) == 2
    assert "words, minilm, or a folder" in capsys.readouterr().err
