"""Laws of the networks for images and points."""

import pytest
import torch

from motionloop.diffusion.perceptron import Perceptron, PerceptronConfig
from motionloop.diffusion.unet import UNet, UNetConfig, levels
from motionloop.samples import InputError


def unet(size, channels=1, **settings):
    torch.manual_seed(0)
    return UNet(UNetConfig(channels, size, 3, width=8, **settings))


def awake(network):
    """The network with no weight at zero, as after training."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network


@pytest.mark.parametrize(
    ("size", "channels"), [(8, 1), (16, 3), (28, 1), (32, 3), (64, 3), (128, 1)]
)
def test_the_u_net_keeps_the_shape_of_its_input(size, channels):
    x = torch.randn(2, channels, size, size)
    out = unet(size, channels)(x, torch.rand(2), torch.tensor([0, 2]), None)
    assert out.shape == x.shape
    assert not out.any()  # a new network predicts nothing


def test_levels_halve_down_to_four_pixels():
    assert [levels(s) for s in (8, 16, 28, 32, 64, 128, 9)] == [2, 3, 3, 4, 4, 4, 1]


@pytest.mark.parametrize("blocks", [1, 2])
def test_every_input_of_the_u_net_matters(blocks):
    network = awake(unet(8, blocks=blocks))
    x, t, label = torch.randn(2, 1, 8, 8), torch.tensor([0.2, 0.2]), torch.tensor([0, 0])
    with torch.no_grad():
        out = network(x, t, label, None)
        far = x.clone()
        far[:, :, 0, 0] += 1
        assert (network(far, t, label, None) - out)[:, :, -1, -1].abs().min() > 0
        assert not torch.allclose(network(x, t + 0.1, label, None), out)
        assert not torch.allclose(network(x, t, label + 1, None), out)
        null = torch.full((2,), network.null_label)
        assert torch.equal(network(x, t, None, None), network(x, t, null, None))


def test_samples_of_a_batch_do_not_mix():
    network = awake(unet(8))
    x, t, label = torch.randn(3, 1, 8, 8), torch.rand(3), torch.tensor([0, 1, 2])
    with torch.no_grad():
        alone = network(x[1:2], t[1:2], label[1:2], None)
        torch.testing.assert_close(network(x, t, label, None)[1:2], alone)


def test_every_weight_of_the_networks_is_used():
    for network, shape in (
        (awake(unet(8)), (4, 1, 8, 8)),
        (awake(Perceptron(PerceptronConfig(2, 3, width=8))), (4, 2)),
        (awake(Perceptron(PerceptronConfig(12, 3, width=8))), (4, 3, 2, 2)),
    ):
        label = torch.tensor([0, 1, 2, 3])
        network(torch.randn(shape), torch.rand(4), label, None).square().sum().backward()
        unused = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
        assert unused == []


def test_an_odd_width_is_named():
    with pytest.raises(InputError, match="width 10"):
        UNetConfig(1, 8, 2, width=10)
