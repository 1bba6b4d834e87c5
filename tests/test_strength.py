"""Laws of correction strength: the mixture has the paper's weight, the blend is geodesic."""

import math

import numpy as np
import pytest

from motionloop.models.gaussian import Points
from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from motionloop.strength import Strength


class Shift:
    """Moves every point by one, so that corrected points can be told from raw ones."""

    def correct(self, samples, rng):
        return Points(samples.x + 1), {"seen": float(len(samples))}


def corrected_share(gamma, count=20_000):
    points = Points(np.zeros((count, 1)))
    out, _ = Strength(Shift(), gamma).correct(points, np.random.default_rng(0))
    assert len(out) == count
    return out.x.mean()


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 5.0])
def test_a_mixture_corrects_the_share_gamma_over_one_plus_gamma(gamma):
    weight = gamma / (1 + gamma)
    spread = math.sqrt(weight * (1 - weight) / 20_000)
    assert abs(corrected_share(gamma) - weight) < 4 * spread


def test_the_first_half_of_a_mixture_is_the_same_mixture():
    # Schedules such as `ramp` take the first part of a batch.
    points = Points(np.zeros((20_000, 1)))
    out, _ = Strength(Shift(), 1.0).correct(points, np.random.default_rng(0))
    assert abs(out.x[:10_000].mean() - 0.5) < 0.02


def test_no_strength_changes_nothing_and_infinite_strength_corrects_all():
    assert corrected_share(0) == 0
    assert corrected_share(math.inf) == 1


@pytest.mark.parametrize("gamma", [-1, math.nan])
def test_a_strength_outside_its_range_is_refused(gamma):
    with pytest.raises(InputError, match="gamma"):
        Strength(Shift(), gamma)


def test_points_cannot_be_blended():
    with pytest.raises(InputError, match="mixture"):
        Strength(Shift(), 1.0, "blend").correct(Points(np.zeros((3, 1))), np.random.default_rng(0))


def motions(count, angle):
    turn = np.zeros((count, 2, 3))
    turn[..., 2] = angle
    return Motions(
        transl=np.full((count, 2, 3), angle),
        global_orient=turn,
        body_pose=np.zeros((count, 2, 23, 3)),
        betas=np.zeros((count, 10)),
        length=np.full(count, 2),
        fps=np.full(count, 20.0),
        caption=np.array(["a"] * count),
        index=np.arange(count),
    )


class TurnAndDrop:
    """Turns every motion by 1 rad and loses the first one."""

    def correct(self, samples, rng):
        return motions(len(samples), 1.0)[1:], {}


def test_a_blend_goes_the_share_of_the_way_and_keeps_pairs_when_some_are_dropped():
    out, _ = Strength(TurnAndDrop(), 3.0, "blend").correct(
        motions(4, 0.0), np.random.default_rng(0)
    )
    assert list(out.index) == [1, 2, 3]
    assert np.allclose(out.global_orient[..., 2], 0.75)
    assert np.allclose(out.transl, 0.75)
