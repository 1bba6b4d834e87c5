"""Laws of correctors that are composed, and of the one that judges content."""

import numpy as np

from motionloop.correctors.chain import Chain
from motionloop.correctors.content import Content
from motionloop.models.gaussian import Points

RNG = np.random.default_rng(0)


class Add:
    """Adds a number, and says so."""

    def __init__(self, number):
        self.number = number

    def correct(self, samples, rng):
        return Points(samples.x + self.number), {"added": self.number, "seen": float(len(samples))}


class DropAll:
    """Leaves nothing."""

    def correct(self, samples, rng):
        return samples[:0], {"dropped": float(len(samples))}


def test_correctors_work_one_after_the_other_and_all_scalars_are_kept():
    out, scalars = Chain(Add(1.0), Add(2.0)).correct(Points(np.zeros((3, 2))), RNG)
    np.testing.assert_array_equal(out.x, np.full((3, 2), 3.0))
    assert scalars == {"added": 1.0, "seen": 3.0, "added_2": 2.0, "seen_2": 3.0}


def test_an_empty_chain_changes_nothing():
    points = Points(np.ones((2, 2)))
    out, scalars = Chain().correct(points, RNG)
    assert out is points
    assert scalars == {}


def test_a_corrector_without_samples_is_not_asked():
    out, scalars = Chain(DropAll(), Add(1.0)).correct(Points(np.zeros((3, 2))), RNG)
    assert len(out) == 0
    assert scalars == {"dropped": 3.0}


def test_content_keeps_what_shows_its_label_in_order():
    points = Points(np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]))
    content = Content(lambda s: s.x[:, 0], lambda s: s.x[:, 1])
    out, scalars = content.correct(points, RNG)
    np.testing.assert_array_equal(out.x, [[1.0, 1.0], [0.0, 0.0]])
    assert scalars == {"accepted": 0.5, "rejected": 2.0}


def test_content_draws_again_what_it_rejects_and_keeps_its_place():
    points = Points(np.array([[1.0, 1.0], [5.0, 0.0], [0.0, 0.0], [5.0, 2.0]]))
    content = Content(lambda s: s.x[:, 0], lambda s: s.x[:, 1], rounds=2)

    def one_better(rejected, rng):
        """Right for the label 0, and never for another."""
        return Points(np.stack([0 * rejected.x[:, 1], rejected.x[:, 1]], axis=1))

    content.again = one_better
    out, scalars = content.correct(points, RNG)
    np.testing.assert_array_equal(out.x, [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    assert scalars == {"accepted": 3 / 7, "rejected": 1.0, "redrawn": 3.0}


def test_content_of_nothing_is_nothing():
    out, scalars = Content(lambda s: s.x, lambda s: s.x).correct(Points(np.zeros((0, 2))), RNG)
    assert len(out) == 0
    assert scalars == {"rejected": 0.0}
