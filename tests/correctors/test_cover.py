"""Laws of choosing draws that cover the real samples."""

from dataclasses import dataclass

import numpy as np
import pytest

from motionloop.correctors.cover import Cover
from motionloop.samples import InputError, Samples


@dataclass(frozen=True)
class Labelled(Samples):
    """Numbers with a label."""

    x: np.ndarray
    label: np.ndarray


REAL = Labelled(np.array([[-3.0], [3.0], [10.0]]), np.array([0, 0, 1]))


def cover(candidates, keep=1.0):
    """Of a model that draws around the mean of its label, with half of the deviation."""
    corrector = Cover(REAL, lambda s: s.x, lambda s: s.label, candidates, keep)

    def again(samples, rng):
        centre = np.where(samples.label == 0, 0.0, 10.0)[:, None]
        return Labelled(centre + 1.5 * rng.normal(size=samples.x.shape), samples.label)

    corrector.again = again
    return corrector


def drawn(count=400):
    rng = np.random.default_rng(0)
    label = np.zeros(count, dtype=int)
    return Labelled(1.5 * rng.normal(size=(count, 1)), label)


def test_what_was_blended_is_spread_over_the_real_samples_again():
    samples = drawn()
    chosen, scalars = cover(8).correct(samples, np.random.default_rng(1))
    assert samples.x.std() == pytest.approx(1.5, rel=0.1)
    assert 2.0 < chosen.x.std() < 3.0  # on the way to the real samples' 3
    assert abs((chosen.x > 0).mean() - 0.5) < 0.03
    assert scalars["distance"] < 0.6 * scalars["distance_before"]


def test_the_nearest_share_of_the_chosen_is_kept_in_order():
    samples = drawn(40)
    every, _ = cover(4).correct(samples, np.random.default_rng(1))
    kept, scalars = cover(4, keep=0.25).correct(samples, np.random.default_rng(1))
    distance = np.abs(np.abs(every.x[:, 0]) - 3)  # nearest of -3 and 3, as the draws were chosen
    assert scalars["kept"] == 0.25
    assert len(kept) == 10
    rows = [int(np.flatnonzero(every.x[:, 0] == x)[0]) for x in kept.x[:, 0]]
    assert rows == sorted(rows)
    assert distance[rows].mean() < 0.5 * distance.mean()


def test_one_candidate_or_no_sampler_changes_nothing():
    samples = drawn(10)
    assert np.array_equal(cover(1).correct(samples, np.random.default_rng(1))[0].x, samples.x)
    idle = Cover(REAL, lambda s: s.x, lambda s: s.label, 8)
    assert idle.correct(samples, np.random.default_rng(1))[0] is samples


def test_labels_stay_in_their_place_and_an_unknown_one_is_named():
    samples = Labelled(np.zeros((3, 1)), np.array([1, 0, 1]))
    chosen, _ = cover(5).correct(samples, np.random.default_rng(1))
    assert chosen.label.tolist() == [1, 0, 1]
    with pytest.raises(InputError, match="7"):
        cover(5).correct(Labelled(np.zeros((1, 1)), np.array([7])), np.random.default_rng(1))
