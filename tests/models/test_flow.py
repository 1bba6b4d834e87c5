"""Laws of the normalizing flow: its density is normalised, its map inverts, temperature scales."""

import numpy as np
import pytest
import torch

from motionloop.models.flow import FlowConfig, FlowNetwork, Likelihood


def network(spline=True, shape=(2,), classes=0):
    torch.manual_seed(0)
    made = FlowNetwork(FlowConfig(shape, classes, layers=2, width=16, spline=spline))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


@pytest.mark.parametrize("spline", [True, False])
def test_the_density_integrates_to_one(spline):
    line = torch.linspace(-8, 8, 400)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        density = network(spline).log_density(grid, None).exp()
    assert float(density.sum() * (line[1] - line[0]) ** 2) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("spline", [True, False])
def test_samples_follow_the_density(spline):
    """E[g] over samples is the integral of p g."""
    made = network(spline)
    noise = torch.randn(50_000, 2, generator=torch.Generator().manual_seed(1))
    x = Likelihood().sample(made, noise, None, torch.Generator())
    line = torch.linspace(-8, 8, 400)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        weight = made.log_density(grid, None).exp() * (line[1] - line[0]) ** 2
    for power in (1, 2):
        assert np.allclose(
            x.pow(power).mean(0), (weight[:, None] * grid.pow(power)).sum(0), atol=0.03
        )


def test_classes_have_densities_of_their_own_and_shapes_are_kept():
    made = network(False, shape=(1, 4, 4), classes=3)
    noise, label = torch.randn(6, 1, 4, 4), torch.arange(6) % 3
    x = Likelihood().sample(made, noise, label, torch.Generator())
    assert x.shape == noise.shape
    with torch.no_grad():
        assert not torch.allclose(made.log_density(x, label), made.log_density(x, (label + 1) % 3))


def test_temperature_scales_the_latent():
    made, noise = network(), torch.randn(10, 2)
    cold = Likelihood(temperature=0.5).sample(made, noise, None, torch.Generator())
    plain = Likelihood().sample(made, 0.5 * noise, None, torch.Generator())
    assert torch.equal(cold, plain)
