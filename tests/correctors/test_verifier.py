"""Laws of the corrector that only selects."""

import numpy as np
import pytest

from motionloop.correctors.verifier import Verifier
from motionloop.models.gaussian import Points
from motionloop.samples import InputError


def verifier(keep, classes=2):
    return Verifier(lambda s: s.x[:, 0], lambda s: s.x[:, 1].astype(int) % classes, keep)


def points(count=40, seed=0):
    rng = np.random.default_rng(seed)
    return Points(np.stack([rng.normal(size=count), np.arange(count)], axis=1))


@pytest.mark.parametrize("keep", [0.1, 0.5, 1.0])
def test_the_best_share_of_every_class_stays_in_order(keep):
    samples = points()
    kept, scalars = verifier(keep).correct(samples, np.random.default_rng(0))
    assert np.array_equal(kept.x[:, 1], np.sort(kept.x[:, 1]))
    for label in (0, 1):
        mine = samples.x[samples.x[:, 1] % 2 == label, 0]
        stayed = kept.x[kept.x[:, 1] % 2 == label, 0]
        assert sorted(stayed) == sorted(mine)[len(mine) - len(stayed) :]
        assert len(stayed) == round(keep * len(mine))
    assert scalars["kept"] == pytest.approx(keep)
    assert scalars["kept_score"] >= scalars["score"]


def test_no_class_dies_out():
    kept, _ = verifier(0.01).correct(points(), np.random.default_rng(0))
    assert sorted(kept.x[:, 1] % 2) == [0, 1]


@pytest.mark.parametrize("keep", [0, 1.5, float("nan")])
def test_an_impossible_share_is_named(keep):
    with pytest.raises(InputError, match="keep is"):
        verifier(keep)
