"""Laws of the data workflows: what is in the training set, and how often."""

import numpy as np
import pytest

from motionloop.interfaces import Task
from motionloop.loop.mixing import Pool, training_set
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


def mixed(workflow, ratio=0.4):
    pool = Pool(Points.concatenate(BATCHES), (4, 4, 4))
    return training_set(workflow, TASK, pool, ratio, np.random.default_rng(0)).x[:, 0].tolist()


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


def test_ramp_takes_the_papers_share_of_every_batch():
    # g = 3 batches of 4: int(1/3 * 4) = 1, int(2/3 * 4) = 2, int(3/3 * 4) = 4.
    assert mixed("ramp") == [*real, 100, 200, 201, 300, 301, 302, 303]


@pytest.mark.parametrize("sizes", [(4, 0, 4), (0,), (1, 2, 3)])
def test_ramp_keeps_the_newest_batch_whole_and_never_more_than_there_is(sizes):
    pool = Pool(points(0, sum(sizes)), sizes)
    kept = pool.ramp().x[:, 0].tolist()
    tail = sizes[-1]
    assert kept[len(kept) - tail :] == list(range(sum(sizes) - tail, sum(sizes)))
    assert len(kept) == sum(int((j + 1) / len(sizes) * n) for j, n in enumerate(sizes))
