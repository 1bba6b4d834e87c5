"""Laws of the exact Gaussian denoiser and of guidance."""

import pytest
import torch

from motionloop.diffusion.denoiser import GaussianDenoiser, Guided
from motionloop.diffusion.noise import CosineSchedule, add_noise

MEAN = torch.tensor([1.0, -2.0, 0.5])
COVARIANCE = torch.tensor([[1.0, 0.6, 0.0], [0.6, 2.0, -0.3], [0.0, -0.3, 0.2]])


def test_gaussian_denoiser_is_the_least_squares_estimate():
    """Linear regression of x on x_t, which knows nothing of the formula, finds the same map."""
    generator = torch.Generator().manual_seed(0)
    schedule, count, t = CosineSchedule(), 200_000, 0.4
    root = torch.linalg.cholesky(COVARIANCE)
    x = MEAN + torch.randn((count, 3), generator=generator) @ root.T
    times = torch.full((count,), t)
    x_t = add_noise(schedule, x, times, torch.randn(x.shape, generator=generator))
    ones = torch.ones(count, 1)
    weights = torch.linalg.lstsq(torch.cat([x_t, ones], 1), x).solution
    exact = GaussianDenoiser(schedule, MEAN, COVARIANCE)(x_t, times)
    fitted = torch.cat([x_t, ones], 1) @ weights
    assert (exact - fitted).abs().mean() < 0.01


def test_gaussian_denoiser_knows_the_mean_of_pure_noise_and_trusts_clean_data():
    denoiser = GaussianDenoiser(CosineSchedule(), MEAN, COVARIANCE)
    x_t = torch.tensor([[0.3, 0.1, -0.7], [0.3, 0.1, -0.7]])
    estimate = denoiser(x_t, torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(estimate, torch.stack([MEAN, x_t[1]]), rtol=0, atol=1e-5)


def test_gaussian_denoiser_takes_sequences():
    denoiser = GaussianDenoiser(CosineSchedule(), torch.zeros(6), torch.eye(6))
    x_t = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0))
    t = torch.rand(4, generator=torch.Generator().manual_seed(1))
    alpha, _ = CosineSchedule()(t)
    torch.testing.assert_close(denoiser(x_t, t), alpha[:, None, None] * x_t)


def labelled(x_t, t, label, mask):
    """An estimate that shows which label it was given."""
    return x_t + label[:, None] + t[:, None]


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.5])
def test_guidance_moves_from_the_unconditional_estimate_by_its_scale(scale):
    x_t, t = torch.zeros(2, 3), torch.tensor([0.1, 0.2])
    label, null = torch.tensor([4, 7]), 9
    guided = Guided(labelled, scale, null)(x_t, t, label, None)
    with_label = labelled(x_t, t, label, None)
    without = labelled(x_t, t, torch.tensor([9, 9]), None)
    torch.testing.assert_close(guided, (1 - scale) * without + scale * with_label)


def test_guidance_of_one_is_the_conditional_estimate_bit_by_bit():
    x_t = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    t, label = torch.rand(5, generator=torch.Generator().manual_seed(1)), torch.arange(5)
    assert torch.equal(Guided(labelled, 1.0, 9)(x_t, t, label, None), labelled(x_t, t, label, None))
