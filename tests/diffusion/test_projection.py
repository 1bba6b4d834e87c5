"""Projection inside sampling: where it happens, and what it does to the distribution."""

import pytest
import torch

from motionloop.diffusion.denoiser import GaussianDenoiser
from motionloop.diffusion.noise import CosineSchedule
from motionloop.diffusion.projection import ProjectedSampler, last_steps
from motionloop.diffusion.sampler import DDIMSampler
from motionloop.samples import InputError


def _sample(sampler, count=4000, seed=0):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((count, 2), generator=generator)
    denoiser = GaussianDenoiser(CosineSchedule(), torch.zeros(2), torch.eye(2))
    return sampler(denoiser, noise, None, None, generator)


def test_the_last_steps_end_with_the_last_and_keep_their_distance():
    assert last_steps(20, 4) == {16, 17, 18, 19}
    assert last_steps(20, 3, 5) == {9, 14, 19}


@pytest.mark.parametrize("wanted", [(20, 0, 1), (20, 21, 1), (20, 4, 7), (20, 2, 0)])
def test_projections_that_do_not_fit_are_refused(wanted):
    with pytest.raises(InputError, match="do not fit"):
        last_steps(*wanted)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_projection_that_changes_nothing_changes_no_sample(eta):
    plain = DDIMSampler(CosineSchedule(), 10, eta)
    wrapped = ProjectedSampler(plain, lambda x: x, last_steps(10, 10))
    assert torch.equal(_sample(plain), _sample(wrapped))


def test_samples_obey_what_the_last_step_projects_to():
    plain = DDIMSampler(CosineSchedule(), 10)
    half = ProjectedSampler(plain, lambda x: x.clamp(min=0), last_steps(10, 3))
    assert _sample(half).min() >= 0 > _sample(plain).min()


def test_only_the_chosen_steps_are_projected():
    seen = []

    def note(x):
        seen.append(float(x.std()))
        return x

    plain = DDIMSampler(CosineSchedule(), 10)
    _sample(ProjectedSampler(plain, note, frozenset({0, 9})))
    # The estimate of the first step is the mean of all data, that of the last one the sample.
    assert len(seen) == 2
    assert seen[0] < 0.2
    assert abs(seen[1] - 1) < 0.2


def test_later_steps_go_on_from_the_projected_estimate():
    shift = torch.tensor([3.0, 0.0])
    plain = DDIMSampler(CosineSchedule(), 50)
    moved = ProjectedSampler(plain, lambda x: x + shift, last_steps(50, 50))
    # All estimates moved by d: the sampler's fixed path ends at the samples moved by more than d,
    # because every later estimate of the unmoved model still sees a part of the move.
    gap = (_sample(moved) - _sample(plain)).mean(0)
    assert gap[0] > 3.0
    assert abs(gap[1]) < 1e-4
