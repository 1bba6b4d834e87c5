"""Laws of DDPM, EDM and flow matching, with the exact networks of a Gaussian as oracle."""

import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from motionloop.diffusion.ddpm import DDPM
from motionloop.diffusion.denoiser import GaussianDenoiser
from motionloop.diffusion.edm import EDM, Preconditioned, noise_levels
from motionloop.diffusion.flow_matching import FlowMatching, transport_pairs
from motionloop.diffusion.noise import CosineSchedule, LinearSchedule
from motionloop.diffusion.sampler import DDIMSampler
from motionloop.samples import InputError

MEAN = torch.tensor([1.0, -2.0], dtype=torch.float64)
COVARIANCE = torch.tensor([[1.0, 0.6], [0.6, 0.8]], dtype=torch.float64)


def denoise(x, signal, noise):
    """E[x | signal x + noise eps] of the Gaussian, scales (B, 1)."""

    class Scales:
        def __call__(self, t):
            return signal[:, 0], noise[:, 0]

    return GaussianDenoiser(Scales(), MEAN, COVARIANCE)(x, x[:, 0])


def exact_velocity(schedule):
    def network(x, t, label, mask):
        alpha, sigma = (scale[:, None] for scale in schedule(t))
        clean = denoise(x, alpha, sigma)
        return (alpha * x - clean) / sigma

    return network


def exact_raw(data_deviation):
    def network(x, t, label, mask):
        s = (4 * t).exp()[:, None]
        scale = (s**2 + data_deviation**2).sqrt()
        x_s = x * scale
        skip, out = Preconditioned(network, data_deviation).skip_and_out(s)
        return (denoise(x_s, torch.ones_like(s), s) - skip * x_s) / out

    return network


def exact_flow(x, t, label, mask):
    t = t[:, None]
    noise = 1 - t
    if float(noise.min()) < 1e-9:
        return x
    clean = denoise(x, t, noise)
    return (clean - x) / noise


METHODS = {
    "ddpm_cosine": (
        DDPM(DDIMSampler(CosineSchedule(), 500)), exact_velocity(CosineSchedule())
    ),
    "ddpm_linear": (
        DDPM(DDIMSampler(LinearSchedule(), 500)), exact_velocity(LinearSchedule())
    ),
    "edm": (EDM(steps=40, data_deviation=0.7), exact_raw(0.7)),
    "flow_matching": (FlowMatching(steps=40), exact_flow),
}  # fmt: skip


def image_of_the_axes(method, network):
    """Mean and root of the law that a method's affine map makes of N(0, I)."""
    corners = torch.cat([torch.zeros(1, 2), torch.eye(2)]).double()
    image = method.sample(network, corners, None, torch.Generator())
    return image[0], (image[1:] - image[0]).T


@pytest.mark.parametrize("name", METHODS)
def test_every_method_carries_noise_to_the_gaussian(name):
    mean, root = image_of_the_axes(*METHODS[name])
    torch.testing.assert_close(mean, MEAN, rtol=0, atol=0.03)
    torch.testing.assert_close(root @ root.T, COVARIANCE, rtol=0, atol=0.03)


@pytest.mark.parametrize("name", METHODS)
def test_temperature_scales_the_spread_of_samples(name):
    from dataclasses import replace

    method, network = METHODS[name]
    mean, root = image_of_the_axes(replace(method, temperature=0.5), network)
    torch.testing.assert_close(mean, MEAN, rtol=0, atol=0.03)
    torch.testing.assert_close(root @ root.T, COVARIANCE / 4, rtol=0, atol=0.02)


@pytest.mark.parametrize("name", METHODS)
def test_no_network_has_a_lower_loss_than_the_exact_one(name):
    """The loss of the posterior mean is the least: shifting or scaling it must cost."""
    method, exact = METHODS[name]
    if name == "flow_matching":
        method = FlowMatching(transport=False)  # the posterior of independent pairs
    root = torch.linalg.cholesky(COVARIANCE)
    x = MEAN + torch.randn(20_000, 2, generator=torch.Generator().manual_seed(1)).double() @ root.T

    class Network(torch.nn.Module):
        def __init__(self, scale, shift):
            super().__init__()
            self.scale, self.shift = scale, shift

        def forward(self, *arguments):
            return self.scale * exact(*arguments) + self.shift

    def loss(scale, shift):
        (player,) = method.players(Network(scale, shift), lambda rows, g: (x[rows], None))
        with torch.no_grad():
            rows = torch.arange(len(x))
            return float(player.loss(rows, torch.Generator().manual_seed(2)))

    best = loss(1, 0)
    assert all(loss(*other) > best for other in ((0.95, 0), (1.05, 0), (1, 0.1), (1, -0.1)))


def test_noise_levels_fall_from_the_largest_to_zero():
    levels = noise_levels(18, 0.002, 80.0, 7.0)
    assert levels[0] == pytest.approx(80)
    assert levels[-2:] == pytest.approx([0.002, 0])
    assert all(a > b for a, b in zip(levels, levels[1:]))


def test_pairs_are_the_optimal_assignment():
    generator = torch.Generator().manual_seed(0)
    noise, x = (torch.randn(40, 3, generator=generator) for _ in range(2))
    paired = transport_pairs(noise, x, None)
    cost = cdist(noise, x, "sqeuclidean")
    best = cost[linear_sum_assignment(cost)].sum()
    assert ((paired - x).square().sum()).item() == pytest.approx(best, rel=1e-5)
    assert torch.equal(paired.sort(0).values, noise.sort(0).values)


def test_pairs_never_cross_classes():
    generator = torch.Generator().manual_seed(0)
    noise, x = (torch.randn(30, 2, generator=generator) for _ in range(2))
    label = torch.arange(30) % 3
    paired = transport_pairs(noise, x, label)
    for one in range(3):
        rows = label == one
        assert torch.equal(paired[rows].sort(0).values, noise[rows].sort(0).values)
        torch.testing.assert_close(paired[rows], transport_pairs(noise[rows], x[rows], None))


def test_methods_name_impossible_step_counts():
    with pytest.raises(InputError, match="1 steps"):
        EDM(steps=1)
    with pytest.raises(InputError, match="0 steps"):
        FlowMatching(steps=0)
