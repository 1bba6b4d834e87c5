"""Laws of the adversaries: who moves, what their losses are, and what biases their samples."""

import numpy as np
import pytest
import torch

from motionloop.diffusion.descent import DescentConfig, descend
from motionloop.models.build import ModelConfig
from motionloop.models.stylegan import Logistic, ModulatedConvolution, StyleNetwork
from motionloop.models.wgan import GanConfig, Wasserstein, WganNetwork
from motionloop.samples import InputError

SIZE = GanConfig(channels=1, size=8, classes=3, width=8, latent=6)
GAMES = {"wgan": (WganNetwork, Wasserstein()), "stylegan2": (StyleNetwork, Logistic(every=1))}


def network(name, size=SIZE):
    torch.manual_seed(0)
    return GAMES[name][0](size).eval()


def batch(rows, generator):
    x = torch.randn((len(rows), 1, 8, 8), generator=torch.Generator().manual_seed(1))
    return x, torch.arange(len(rows)) % 3


def images(made, method=None, count=6, label=None, seed=0):
    noise = torch.randn((count, *made.noise_shape), generator=torch.Generator().manual_seed(seed))
    label = torch.arange(count) % 3 if label is None else label
    method = method or GAMES["wgan" if isinstance(made, WganNetwork) else "stylegan2"][1]
    return method.sample(made, noise, label, torch.Generator())


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize(("size", "channels"), [(8, 1), (28, 1), (32, 3), (128, 3)])
def test_images_have_their_size_and_the_critic_scores_each(name, size, channels):
    made = network(name, GanConfig(channels, size, 3, width=4, latent=6))
    x = images(made)
    assert x.shape == (6, channels, size, size)
    assert made.critic(x, torch.arange(6) % 3).shape == (6,)


@pytest.mark.parametrize("name", GAMES)
def test_every_player_moves_its_own_weights_and_all_of_them(name):
    made, method = network(name), GAMES[name][1]
    players = method.players(made, batch)
    owned = [set(map(id, player.network.parameters())) for player in players]
    assert not owned[0] & owned[1]
    assert owned[0] | owned[1] == set(map(id, made.parameters()))
    before = {n: p.detach().clone() for n, p in made.named_parameters()}
    descend(
        made, players, 40, 2, DescentConfig(8, 0.01, weight_decay=0.0),
        torch.Generator().manual_seed(0),
    )  # fmt: skip
    still = [n for n, p in made.named_parameters() if torch.equal(before[n], p)]
    assert still == []


@pytest.mark.parametrize("name", GAMES)
def test_a_trained_critic_tells_real_from_generated(name):
    """The critic alone, against a fixed generator."""
    made, method = network(name), GAMES[name][1]
    critic = method.players(made, batch)[0]
    config = DescentConfig(16, 0.01, anneal=False, weight_decay=0.0)
    descend(made, [critic], 64, 30, config, torch.Generator().manual_seed(0))
    label = torch.arange(16) % 3
    with torch.no_grad():
        real = made.critic(batch(torch.arange(16), None)[0], label)
        fake = made.critic(images(made, count=16), label)
    assert real.mean() > fake.mean() + 1


def test_the_penalty_is_zero_for_a_critic_of_slope_one():
    class Slope(torch.nn.Module):
        def __init__(self, slope):
            super().__init__()
            self.slope = torch.nn.Parameter(torch.tensor(slope))

        def forward(self, x, label):
            return self.slope * x.flatten(1).sum(1) / 8  # gradient of norm `slope` in 64 numbers

    def loss(slope, penalty):
        made = network("wgan")
        made.critic = Slope(slope)
        player = Wasserstein(penalty=penalty).players(made, batch)[0]
        return player.loss(torch.arange(12), torch.Generator().manual_seed(0)).item()

    assert loss(1.0, 10.0) == pytest.approx(loss(1.0, 0.0), abs=1e-5)
    assert loss(3.0, 10.0) == pytest.approx(loss(3.0, 0.0) + 10 * (3 - 1) ** 2, rel=1e-4)


def test_a_modulated_convolution_is_the_convolution_with_its_own_weights_for_every_image():
    torch.manual_seed(0)
    layer = ModulatedConvolution(3, 5, 4)
    x, w = torch.randn(2, 3, 6, 6), torch.randn(2, 4)
    y = layer(x, w)
    for i in range(2):
        weight = layer.weight * layer.style(w[i : i + 1])[0][None, :, None, None]
        weight = weight / weight.flatten(1).norm(dim=1)[:, None, None, None]
        alone = torch.nn.functional.conv2d(x[i : i + 1], weight, padding=1)
        torch.testing.assert_close(y[i : i + 1], alone, rtol=1e-3, atol=1e-5)


def test_full_truncation_leaves_one_style_a_class_and_none_leaves_all():
    made = network("stylegan2")
    label = torch.zeros(5, dtype=torch.long)
    spread = [
        images(made, Logistic(truncation=psi), 5, label).std(0).mean() for psi in (1.0, 0.5, 1e-6)
    ]
    assert spread[0] > spread[1] > spread[2]
    assert spread[2] == pytest.approx(0, abs=1e-4)  # layer noise has no strength yet
    plain = made.synthesis(
        made.style(torch.ones(5, 6), label), torch.zeros(5, made.noise_shape[0] - 6)
    )
    noise = torch.cat([torch.ones(5, 6), torch.zeros(5, made.noise_shape[0] - 6)], dim=1)
    torch.testing.assert_close(Logistic().sample(made, noise, label, torch.Generator()), plain)


def test_temperature_scales_the_latent_of_wgan():
    made = network("wgan")
    cold = images(made, Wasserstein(temperature=1e-6), count=5, label=torch.zeros(5).long())
    assert cold.std(0).mean() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("name", GAMES)
def test_classes_make_different_images(name):
    made = network(name)
    noise = torch.randn(1, *made.noise_shape).expand(3, -1)
    x = GAMES[name][1].sample(made, noise, torch.arange(3), torch.Generator())
    assert (x[0] - x[1]).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "wgan", "guidance": 2.0}, "wgan has no guidance; bias it by model.temperature"),
        ({"method": "stylegan2", "temperature": 0.5}, "bias it by model.truncation"),
        ({"method": "ddpm", "truncation": 0.7}, "guidance or model.temperature"),
    ],
)
def test_a_bias_that_a_method_does_not_have_is_named(settings, message):
    with pytest.raises(InputError, match=message):
        ModelConfig(**settings)


def test_the_defaults_of_a_method_are_its_own():
    assert ModelConfig(method="wgan").training().learning_rate == 2e-4
    assert np.isinf(ModelConfig(method="stylegan2").training().gradient_norm)
    assert ModelConfig().training().learning_rate == 1e-3
