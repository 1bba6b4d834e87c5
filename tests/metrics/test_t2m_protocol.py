"""The T2M figures against loops written from the papers' words, and their limits."""

import numpy as np
import pytest

from motionloop.metrics import distribution
from motionloop.metrics.t2m_protocol import (
    Protocol,
    diversity,
    fid,
    mm_distance,
    multimodality,
    r_precision,
    scores,
)

SMALL = Protocol(repeats=6, resamples=50)


def _pair(noise: float, count: int = 320, width: int = 8, seed: int = 0):
    rng = np.random.default_rng(seed)
    caption = rng.normal(size=(count, width))
    return caption + noise * rng.normal(size=caption.shape), caption


def _r_precision_by_loops(motion, caption, size, rng):
    """The share of captions whose own motion is among the 1, 2, 3 nearest; batch by batch."""
    order = rng.permutation(len(motion))
    hits, asked = np.zeros(3), 0
    for start in range(0, len(order) - size + 1, size):
        rows = order[start : start + size]
        for place, row in enumerate(rows):
            distances = [np.linalg.norm(caption[row] - motion[other]) for other in rows]
            rank = sorted(range(size), key=distances.__getitem__).index(place)
            hits += [rank < 1, rank < 2, rank < 3]
            asked += 1
    return hits / asked


def test_r_precision_is_what_the_paper_counts():
    motion, caption = _pair(0.9, 100)
    found = r_precision(motion, caption, np.random.default_rng(3), Protocol(repeats=1))
    wanted = _r_precision_by_loops(motion, caption, 32, np.random.default_rng(3))
    np.testing.assert_allclose([value.value for value in found], wanted)
    assert 0.05 < found[0].value < 0.95


def test_perfect_captions_reach_one_and_shuffled_ones_chance():
    motion, caption = _pair(1e-6)
    assert r_precision(motion, caption, np.random.default_rng(0), SMALL)[0].value == 1.0
    _, other = _pair(0, seed=9)
    by_chance = r_precision(motion, other, np.random.default_rng(0), SMALL)
    np.testing.assert_allclose([v.value for v in by_chance], [1 / 32, 2 / 32, 3 / 32], atol=0.03)


def test_intervals_are_of_the_mean_over_draws():
    motion, caption = _pair(0.9, 330)
    one = r_precision(motion, caption, np.random.default_rng(0), Protocol(repeats=50))[2]
    many = r_precision(motion, caption, np.random.default_rng(1), Protocol(repeats=400))[2]
    assert one.low < many.value < one.high
    ratio = (one.high - one.low) / (many.high - many.low)
    assert ratio == pytest.approx(8**0.5, rel=0.35)


def test_mm_distance_and_diversities_are_those_of_the_features():
    motion, caption = _pair(0.5)
    rng = np.random.default_rng(0)
    wanted = np.linalg.norm(motion - caption, axis=1).mean()
    found = mm_distance(motion, caption, rng, SMALL)
    assert found is not None
    assert found.value == pytest.approx(wanted)
    spread = diversity(motion, rng, Protocol(repeats=200))
    assert spread is not None
    assert spread.value == pytest.approx(distribution.diversity(motion), rel=0.02)


def test_multimodality_is_within_captions_and_needs_enough_of_one():
    rng = np.random.default_rng(0)
    texts = np.repeat(["walks", "runs"], 100)
    motion = np.where(texts == "walks", 0.0, 100.0)[:, None] + rng.normal(size=(200, 4))
    found = multimodality(motion, texts, rng, Protocol(repeats=100))
    assert found is not None
    assert found.value == pytest.approx(distribution.within_class_diversity(motion, texts), rel=0.1)
    assert multimodality(motion[90:110], texts[90:110], rng, SMALL) is None


def test_fid_lies_in_its_interval_and_grows_with_a_shift():
    motion, real = _pair(0.0)[0], _pair(0.0, seed=1)[0]
    near = fid(motion, real, np.random.default_rng(0), SMALL)
    far = fid(motion + 1.0, real, np.random.default_rng(0), SMALL)
    assert near.low <= near.value <= near.high
    assert far.value == pytest.approx(near.value + motion.shape[1], rel=0.3)
    assert far.low > near.high


def test_the_distance_at_infinity_has_no_bias_of_the_sample_size():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(16, 16))
    plain, without = [], []
    for _ in range(12):
        x, y = rng.normal(size=(150, 16)) @ mixing, rng.normal(size=(150, 16)) @ mixing
        x[:, 0] += 4.0
        plain.append(distribution.frechet_distance(x, y) - 16.0)
        found = distribution.frechet_distance_at_infinity(x, y, rng)
        assert found is not None
        without.append(found[0] - 16.0)
    assert np.mean(plain) > 5 * abs(np.mean(without))


def test_the_distance_at_infinity_is_left_out_where_it_is_no_straight_line():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 64))
    assert distribution.frechet_distance_at_infinity(x, x, rng) is None


def test_scores_leave_out_what_few_motions_cannot_support_and_warn():
    motion, caption = _pair(0.1, 20)
    with pytest.warns(UserWarning, match="mostly bias"):
        found = scores(motion, caption, np.full(20, "walks"), motion)
    assert not any(name.startswith("r_precision") for name in found)
    assert {"t2m_fid", "t2m_diversity", "multimodality"} <= set(found)
    with pytest.warns(UserWarning, match="mostly bias"):
        assert scores(motion[:1], caption[:1], np.array(["walks"]), motion) == {}


def test_the_same_features_always_give_the_same_figures():
    motion, caption = _pair(0.7)
    texts = np.array([f"t{n % 9}" for n in range(len(motion))])
    assert scores(motion, caption, texts, motion) == scores(motion, caption, texts, motion)
