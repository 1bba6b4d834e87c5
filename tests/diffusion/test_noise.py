"""Laws of the noise schedules."""

import math

import pytest
import torch

from motionloop.diffusion.noise import CosineSchedule, LinearSchedule, add_noise

SCHEDULES = [CosineSchedule(), LinearSchedule()]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_data_of_unit_variance_keep_it_at_all_times(schedule):
    alpha, sigma = schedule(torch.linspace(0, 1, 101, dtype=torch.float64))
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(alpha))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_signal_falls_from_one_to_almost_nothing(schedule):
    alpha, _ = schedule(torch.linspace(0, 1, 101, dtype=torch.float64))
    assert alpha[0] == 1
    assert alpha[-1] < 0.01
    assert (alpha.diff() < 0).all()


def test_cosine_schedule_is_that_of_nichol_and_dhariwal():
    def f(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    alpha, _ = CosineSchedule()(torch.tensor([0.3, 0.8], dtype=torch.float64))
    assert alpha.square().tolist() == pytest.approx([f(0.3) / f(0), f(0.8) / f(0)])


def test_linear_schedule_is_the_limit_of_ddpms_betas():
    steps = 4000
    betas = torch.linspace(0.1, 20, steps, dtype=torch.float64) / steps
    signal = torch.cumprod((1 - betas).sqrt(), 0)
    alpha, _ = LinearSchedule()(torch.tensor([0.25, 0.5], dtype=torch.float64))
    torch.testing.assert_close(alpha, signal[[999, 1999]], rtol=2e-3, atol=0)


def test_noisy_samples_have_the_mean_and_spread_of_their_own_time():
    generator = torch.Generator().manual_seed(0)
    x = torch.tensor([2.0, -1.0])[:, None, None].expand(2, 100, 200)
    t = torch.tensor([0.2, 0.7])
    x_t = add_noise(CosineSchedule(), x, t, torch.randn(x.shape, generator=generator))
    alpha, sigma = CosineSchedule()(t)
    torch.testing.assert_close(x_t.mean((1, 2)), alpha * x[:, 0, 0], rtol=0, atol=0.02)
    torch.testing.assert_close(x_t.std((1, 2)), sigma, rtol=0.02, atol=0)
