"""Laws of the data workflows: what is in the training set, and how often."""

import numpy as np
import pytest

from motionloop.interfaces import Task
from motionloop.loop.mixing import Mixing, Pool, ramp, training_set
from motionloop.models.gaussian import GaussianModel, Points
from motionloop.strength import Identity


def points(start, count):
    return Points(np.arange(start, start + count, dtype=float)[:, None])


REAL = points(0, 10)
TASK = Task(
    real=REAL,
    reference=REAL,
    make_model=lambda rng: GaussianModel(1),
    corrector=Identity(),
    metrics=(),
    draw_real=lambda count, rng: points(1000, count),
)
BATCHES = [points(100, 4), points(200, 4), points(300, 4)]


def mixed(workflow, ratio=0.4, **settings):
    pool = Pool(Points.concatenate(BATCHES), (4, 4, 4))
    mixing = Mixing(workflow, ratio, **settings)
    return training_set(mixing, TASK, pool, np.random.default_rng(0)).x[:, 0].tolist()


real, latest = REAL.x[:, 0].tolist(), BATCHES[2].x[:, 0].tolist()
everything = real + [x for batch in BATCHES for x in batch.x[:, 0].tolist()]


def test_augment_is_the_same_real_data_and_the_latest_batch():
    assert mixed("augment") == real + latest


def test_replace_is_the_latest_batch_alone():
    assert mixed("replace") == latest


def test_accumulate_keeps_everything():
    assert mixed("accumulate") == everything


def test_accumulate_subsample_draws_without_replacement_as_many_as_real():
    drawn = mixed("accumulate_subsample")
    assert len(drawn) == len(set(drawn)) == 10
    assert set(drawn) <= set(everything)
    assert drawn != real


def test_fresh_takes_new_real_data():
    assert mixed("fresh") == [float(x) for x in range(1000, 1010)] + latest


def test_real_copy_doubles_real_data_by_the_ratio():
    assert mixed("real_copy", 0.4) == real + real[:4]
    assert mixed("real_copy", 1.5) == real + real + real[:5]


def test_memory_is_how_many_generations_count_and_zero_is_all():
    assert mixed("augment", memory=2) == real + everything[14:]
    assert mixed("replace", memory=2) == everything[14:]
    assert mixed("augment", memory=0) == mixed("accumulate")
    assert mixed("fresh", memory=0)[10:] == everything[10:]
    assert mixed("augment", memory=9) == mixed("augment", memory=0)


def test_a_sampled_memory_is_as_large_as_one_generation():
    drawn = [x for seed in range(40) for x in sampled(seed)]
    assert set(drawn) == set(everything[14:]), "every sample of the two newest, none of the oldest"


def sampled(seed):
    pool = Pool(Points.concatenate(BATCHES), (4, 4, 4))
    mixing = Mixing("fresh", memory=2, remembered="sampled")
    x = training_set(mixing, TASK, pool, np.random.default_rng(seed)).x[:, 0].tolist()
    assert x[:10] == [float(x) for x in range(1000, 1010)]
    assert len(x) == len(set(x)) == 14
    return x[10:]


def test_a_pool_forgets_all_but_its_newest_batches():
    pool = Pool(Points.concatenate(BATCHES), (4, 4, 4))
    assert pool.newest(2).sizes == (4, 4)
    assert np.array_equal(pool.newest(1).samples.x, BATCHES[2].x)
    assert pool.newest(0).sizes == (4, 4, 4)
    assert len(Pool(points(0, 3), (3, 0)).newest(1).samples) == 0


def test_ramp_takes_the_papers_share_of_every_batch():
    # g = 3 batches of 4: int(1/3 * 4) = 1, int(2/3 * 4) = 2, int(3/3 * 4) = 4.
    assert mixed("ramp") == [*real, 100, 200, 201, 300, 301, 302, 303]


@pytest.mark.parametrize("sizes", [(4, 0, 4), (0,), (1, 2, 3)])
def test_ramp_keeps_the_newest_batch_whole_and_never_more_than_there_is(sizes):
    kept = ramp(sizes).tolist()
    tail = sizes[-1]
    assert kept[len(kept) - tail :] == list(range(sum(sizes) - tail, sum(sizes)))
    assert len(kept) == sum(int((j + 1) / len(sizes) * n) for j, n in enumerate(sizes))
