"""Laws of negative guidance by the model's own samples."""

import numpy as np
import pytest
import torch
from torch import nn

from motionloop.diffusion.flow_matching import FlowMatching
from motionloop.models.gaussian import Points
from motionloop.models.neural import NeuralModel, TrainingConfig
from motionloop.models.self_guidance import SelfGuidanceConfig, SelfGuided, self_guided
from motionloop.samples import InputError


class Linear(nn.Module):
    """Its output is linear in its weights, so that both methods are the same."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x_t, t, label, mask):
        return self.linear(torch.cat([x_t, t[:, None]], dim=1))


class Plain:
    shape = (2,)

    def pack(self, samples):
        return torch.from_numpy(samples.x).float(), None

    def unpack(self, x, label):
        return Points(x.double().numpy())

    def labels(self, count):
        return None


DATA = Points(np.random.default_rng(0).normal(size=(200, 2)) + 1)


def inner(ema=0.0):
    return NeuralModel(
        Linear, FlowMatching(5), Plain(), TrainingConfig(batch=32, ema_decay=ema), {},
        np.random.default_rng(0), device="cpu",
    )  # fmt: skip


def fitted(variant, weight=1.0, ema=0.0):
    config = SelfGuidanceConfig(variant, weight, ratio=0.5, steps=20)
    model = SelfGuided(inner(ema), config)
    model.fit(DATA, 30, np.random.default_rng(1))
    return model


def draw(model):
    return model.sample(20, np.random.default_rng(2)).x


@pytest.mark.parametrize("variant", ["sims", "neon"])
def test_without_weight_the_model_is_as_it_was(variant):
    plain = inner()
    plain.fit(DATA, 30, np.random.default_rng(1))
    assert np.allclose(draw(fitted(variant, 0.0)), draw(plain), atol=1e-6)
    assert not np.allclose(draw(fitted(variant, 1.0)), draw(plain), atol=1e-3)


def test_for_a_linear_network_both_variants_agree():
    assert np.allclose(draw(fitted("sims")), draw(fitted("neon")), atol=1e-4)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_neon_goes_on_the_straight_line_from_the_worse_weights(ema):
    """At weight -1 it is the model that was trained on its own samples."""
    model = fitted("neon", 1.0, ema)
    object.__setattr__(model.config, "weight", -1.0)
    worse = inner()
    worse.fit(DATA, 1, np.random.default_rng(0))
    worse.network.load_state_dict(model._worse)
    assert np.allclose(draw(model), draw(worse), atol=1e-4)


@pytest.mark.parametrize("variant", ["sims", "neon"])
def test_a_saved_model_draws_the_same(tmp_path, variant):
    model = fitted(variant, ema=0.9)
    model.save(tmp_path / "m")
    other = SelfGuided(inner(0.9), model.config)
    other.load(tmp_path / "m")
    assert np.array_equal(draw(model), draw(other))
    plain = inner()
    plain.fit(DATA, 1, np.random.default_rng(0))
    plain.save(tmp_path / "plain")
    with pytest.raises(InputError, match="without self-guidance"):
        other.load(tmp_path / "plain")


def test_the_loop_goes_on_from_the_model_itself():
    """Guidance changes samples, never what the next fit starts from."""
    weights = []
    for model in (inner(), fitted("neon", 5.0)):
        plain = isinstance(model, NeuralModel)
        if plain:
            model.fit(DATA, 30, np.random.default_rng(1))
        weights.append((model if plain else model.model).weights())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_none_leaves_the_model_bare_and_mistakes_are_named():
    model = inner()
    assert self_guided(model, SelfGuidanceConfig()) is model
    with pytest.raises(InputError, match=r"weight is -1"):
        SelfGuidanceConfig("neon", -1)
