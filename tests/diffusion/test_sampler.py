"""Laws of the samplers, with the exact Gaussian denoiser as oracle."""

import pytest
import torch

from motionloop.diffusion.denoiser import GaussianDenoiser
from motionloop.diffusion.noise import CosineSchedule, LinearSchedule
from motionloop.diffusion.sampler import DDIMSampler
from motionloop.samples import InputError

MEAN = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
COVARIANCE = torch.tensor(
    [[1.0, 0.6, 0.0], [0.6, 2.0, -0.3], [0.0, -0.3, 0.2]], dtype=torch.float64
)


def draw(sampler, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    denoiser = GaussianDenoiser(sampler.schedule, MEAN, COVARIANCE)
    noise = torch.randn((count, 3), generator=generator, dtype=torch.float64)
    return sampler(denoiser, noise, None, None, generator)


@pytest.mark.parametrize("schedule", [CosineSchedule(), LinearSchedule()])
def test_ddim_carries_noise_to_the_gaussian_exactly(schedule):
    """Its map is affine here, so four inputs give mean and covariance without Monte Carlo."""
    sampler = DDIMSampler(schedule, steps=500)
    denoiser = GaussianDenoiser(schedule, MEAN, COVARIANCE)
    corners = torch.cat([torch.zeros(1, 3), torch.eye(3)]).double()
    image = sampler(denoiser, corners, None, None, None)
    root = (image[1:] - image[0]).T
    torch.testing.assert_close(image[0], MEAN, rtol=0, atol=0.03)
    torch.testing.assert_close(root @ root.T, COVARIANCE, rtol=0, atol=0.03)


@pytest.mark.parametrize(
    "sampler",
    [
        DDIMSampler(CosineSchedule(), 300, eta=0.5),
        DDIMSampler(CosineSchedule(), 300, eta=1.0),
        DDIMSampler(LinearSchedule(), 300, eta=1.0),
    ],
)
def test_random_samplers_recover_a_gaussian(sampler):
    x = draw(sampler, 20_000)
    torch.testing.assert_close(x.mean(0), MEAN, rtol=0, atol=0.05)
    torch.testing.assert_close(torch.cov(x.T), COVARIANCE, rtol=0, atol=0.08)


def ancestral(schedule, steps, noise, generator):
    """DDPM's posterior q(x_s | x_t, x), Ho et al. 2020, equations 6 and 7, step by step."""
    denoiser = GaussianDenoiser(schedule, MEAN, COVARIANCE)
    alphas, sigmas = schedule(torch.linspace(1, 0, steps + 1, dtype=torch.float64))
    x_t = noise
    for i in range(steps):
        x = denoiser(x_t, torch.full((len(x_t),), 1 - i / steps, dtype=torch.float64), None, None)
        if i + 1 == steps:
            return x
        ratio = alphas[i] / alphas[i + 1]  # signal that survives the step from s to t
        added = sigmas[i] ** 2 - (ratio * sigmas[i + 1]) ** 2  # noise that it adds
        mean = ratio * (sigmas[i + 1] / sigmas[i]) ** 2 * x_t
        mean += alphas[i + 1] * added / sigmas[i] ** 2 * x
        z = torch.randn(x_t.shape, generator=generator, dtype=torch.float64)
        x_t = mean + sigmas[i + 1] * added**0.5 / sigmas[i] * z
    return x_t


@pytest.mark.parametrize("schedule", [CosineSchedule(), LinearSchedule()])
def test_ddim_with_eta_one_is_ddpm(schedule):
    ddim = draw(DDIMSampler(schedule, 7, eta=1.0), 50)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((50, 3), generator=generator, dtype=torch.float64)
    torch.testing.assert_close(ddim, ancestral(schedule, 7, noise, generator))


def test_ddim_without_eta_ignores_the_generator():
    sampler, noise = DDIMSampler(CosineSchedule(), 50), torch.ones(2, 3, dtype=torch.float64)
    denoiser = GaussianDenoiser(sampler.schedule, MEAN, COVARIANCE)
    first, second = (
        sampler(denoiser, noise, None, None, torch.Generator().manual_seed(seed)) for seed in (1, 2)
    )
    assert torch.equal(first, second)


def test_ancestral_sampling_depends_on_the_generator():
    sampler = DDIMSampler(CosineSchedule(), 5, eta=1.0)
    assert torch.equal(draw(sampler, 4), draw(sampler, 4))
    assert not torch.equal(draw(sampler, 4), draw(sampler, 4, seed=1))


def test_a_sampler_of_one_step_returns_the_estimate_of_pure_noise():
    torch.testing.assert_close(draw(DDIMSampler(CosineSchedule(), 1), 3), MEAN.expand(3, 3))


def test_label_and_mask_reach_the_denoiser_and_steps_are_counted():
    seen, steps = [], []

    def denoiser(x_t, t, label, mask):
        seen.append((label, mask))
        return x_t

    label, mask = torch.tensor([3]), torch.ones(1, 2, dtype=torch.bool)
    DDIMSampler(CosineSchedule(), 4)(
        denoiser, torch.zeros(1, 2, 1), label, mask, None, on_step=steps.append
    )
    assert steps == [1, 2, 3, 4]
    assert all(one is label and other is mask for one, other in seen)


@pytest.mark.parametrize(
    "make",
    [
        lambda: DDIMSampler(CosineSchedule(), 0),
        lambda: DDIMSampler(CosineSchedule(), 5, eta=1.5),
    ],
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(InputError):
        make()
