"""Laws of NeuralModel: every method learns, and what is saved goes on as if never interrupted."""

import numpy as np
import pytest
import torch

from motionloop.diffusion.ddpm import DDPM
from motionloop.diffusion.edm import EDM
from motionloop.diffusion.flow_matching import FlowMatching
from motionloop.diffusion.noise import CosineSchedule
from motionloop.diffusion.perceptron import Perceptron, PerceptronConfig
from motionloop.diffusion.sampler import DDIMSampler
from motionloop.models.gaussian import Points
from motionloop.models.neural import NeuralModel, TrainingConfig
from motionloop.samples import InputError

METHODS = {
    "ddpm": DDPM(DDIMSampler(CosineSchedule(), 30)),
    "edm": EDM(data_deviation=1.0),
    "otcfm": FlowMatching(),
}


class Plain:
    """Points as they are."""

    shape = (2,)

    def pack(self, samples):
        return torch.from_numpy(samples.x).float(), None

    def unpack(self, x, label):
        return Points(x.double().numpy())

    def labels(self, count):
        return None


def model(method, seed=0, width=32, **training):
    training = {"batch": 64, "learning_rate": 3e-3, **training}
    return NeuralModel(
        lambda: Perceptron(PerceptronConfig(2, width=width, blocks=2)),
        method, Plain(), TrainingConfig(**training), {"width": width},
        np.random.default_rng(seed), device="cpu",
    )  # fmt: skip


def data(count=1000):
    rng = np.random.default_rng(5)
    return Points(rng.normal(size=(count, 2)) @ np.array([[0.9, 0.5], [0, 0.4]]) + [0.5, -0.5])


@pytest.mark.parametrize("name", METHODS)
def test_every_method_learns_the_moments_of_its_data(name):
    real = data()
    made = model(METHODS[name])
    made.fit(real, 500, np.random.default_rng(0))
    x = made.sample(4000, np.random.default_rng(1)).x
    assert np.abs(x.mean(0) - real.x.mean(0)).max() < 0.1
    assert np.abs(np.cov(x.T) - np.cov(real.x.T)).max() < 0.15


@pytest.mark.parametrize("moments", [True, False])
def test_a_saved_model_goes_on_as_if_never_interrupted(tmp_path, moments):
    def resumed(interrupt):
        one = model(METHODS["edm"], keep_moments=moments, ema_decay=0.9)
        one.fit(data(), 5, np.random.default_rng(0))
        if interrupt:
            one.save(tmp_path / "m")
            one = model(METHODS["edm"], seed=9, keep_moments=moments, ema_decay=0.9)
            one.load(tmp_path / "m")
        drawn = one.sample(3, np.random.default_rng(1)).x
        one.fit(data(), 5, np.random.default_rng(2))
        return drawn, one.sample(3, np.random.default_rng(3)).x

    for whole, part in zip(resumed(False), resumed(True)):
        assert np.array_equal(whole, part)


def test_kept_moments_change_the_second_fit():
    drawn = []
    for moments in (True, False):
        one = model(METHODS["edm"], keep_moments=moments)
        for _ in range(2):
            one.fit(data(), 5, np.random.default_rng(0))
        drawn.append(one.sample(3, np.random.default_rng(1)).x)
    assert not np.array_equal(*drawn)


def test_the_same_seeds_give_the_same_bits_and_leave_the_global_generator_alone():
    before = torch.random.get_rng_state()
    drawn = []
    for _ in range(2):
        one = model(METHODS["otcfm"])
        one.fit(data(), 3, np.random.default_rng(0))
        drawn.append(one.sample(300, np.random.default_rng(1)).x)
    assert np.array_equal(*drawn)
    assert torch.equal(before, torch.random.get_rng_state())


def test_progress_ends_at_its_total():
    one, seen = model(METHODS["ddpm"]), []
    one.on_progress = lambda *report: seen.append(report)
    one.fit(data(), 7, np.random.default_rng(0))
    one.sample(300, np.random.default_rng(0))
    assert ("train", 7, 7) in seen
    assert seen[-1] == ("sample", 9000, 9000)


def test_mistakes_are_named(tmp_path):
    one = model(METHODS["edm"])
    with pytest.raises(InputError, match="untrained"):
        one.sample(1, np.random.default_rng(0))
    with pytest.raises(InputError, match="0 samples"):
        one.fit(data(0), 1, np.random.default_rng(0))
    one.fit(data(), 1, np.random.default_rng(0))
    one.save(tmp_path / "m")
    with pytest.raises(InputError, match="width 32, this model 16"):
        model(METHODS["edm"], width=16).load(tmp_path / "m")
    with pytest.raises(InputError, match="ema_decay is 1"):
        TrainingConfig(ema_decay=1.0)
