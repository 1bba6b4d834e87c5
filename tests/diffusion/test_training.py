"""Laws of the loss, of batches and averages, and of the trainer."""

import pytest
import torch
from torch import nn

from motionloop.diffusion.denoiser import GaussianDenoiser
from motionloop.diffusion.descent import WeightAverage, cosine_factor, shuffled_batches
from motionloop.diffusion.noise import CosineSchedule
from motionloop.diffusion.training import (
    Trainer,
    TrainingConfig,
    drop_labels,
    masked_loss,
    spread_times,
)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_loss_of_padded_clips_is_the_loss_of_their_frames():
    """The mean over all frames that count, computed clip by clip without any mask."""
    x, estimate, lengths, weight = normal(3, 9, 4), normal(3, 9, 4, seed=1), [9, 1, 5], 7.0
    mask = torch.arange(9) < torch.tensor(lengths)[:, None]
    errors = [(estimate - x)[i, :length] for i, length in enumerate(lengths)]
    plain = torch.cat(errors).square().mean()
    steps = torch.cat([error.diff(dim=0) for error in errors]).square().mean()
    torch.testing.assert_close(masked_loss(estimate, x, mask, weight), plain + weight * steps)


def test_loss_without_mask_is_that_of_a_full_one():
    x, estimate = normal(3, 9, 4), normal(3, 9, 4, seed=1)
    full = torch.ones(3, 9, dtype=torch.bool)
    torch.testing.assert_close(
        masked_loss(estimate, x, None, 10.0), masked_loss(estimate, x, full, 10.0)
    )


def test_padding_cannot_change_the_loss_or_its_gradient():
    x, mask = normal(2, 6, 3), torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    estimate = normal(2, 6, 3, seed=1)
    dirty = torch.where(mask[..., None], estimate, torch.nan)
    results = []
    for version in (estimate, dirty):
        version = version.clone().requires_grad_()
        loss = masked_loss(version, x, mask, 10.0)
        loss.backward()
        results.append((loss.detach(), version.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
    assert (results[0][1][1, 4:] == 0).all()


def test_an_offset_costs_nothing_in_differences_and_jitter_costs_much():
    x = torch.zeros(1, 8, 1)
    offset, jitter = torch.ones_like(x), torch.ones_like(x)
    jitter[:, ::2] = -1
    assert masked_loss(offset, x, None, 10.0) == 1
    assert masked_loss(jitter, x, None, 10.0) == 1 + 10 * 4


def test_times_are_spread_evenly_and_uniform():
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([spread_times(8, generator) for _ in range(2000)])
    assert (draws.sort(dim=1).values.diff(dim=1) - 1 / 8).abs().max() < 1e-6
    assert ((draws >= 0) & (draws < 1)).all()
    assert draws[:, 0].mean() == pytest.approx(0.5, abs=0.03)
    assert draws[:, 0].var() == pytest.approx(1 / 12, abs=0.005)


def test_each_pass_sees_every_row_once():
    batches = shuffled_batches(5, 3, 10, torch.Generator().manual_seed(0))
    rows = torch.cat(list(batches))
    assert len(rows) == 30
    for i in range(6):
        assert sorted(rows[5 * i : 5 * i + 5].tolist()) == [0, 1, 2, 3, 4]


def test_batches_may_be_larger_than_the_data():
    (rows,) = shuffled_batches(2, 7, 1, torch.Generator().manual_seed(0))
    counts = torch.bincount(rows)
    assert counts.sum() == 7
    assert counts.max() - counts.min() == 1


def test_labels_are_dropped_at_their_rate_and_else_kept():
    label = torch.arange(10_000) % 7
    dropped = drop_labels(label, 0.1, 99, torch.Generator().manual_seed(0))
    assert (dropped == 99).float().mean() == pytest.approx(0.1, abs=0.01)
    kept = dropped != 99
    assert torch.equal(dropped[kept], label[kept])


def test_the_learning_rate_falls_from_one_to_zero():
    factors = [cosine_factor(step, 100) for step in range(101)]
    assert factors[0] == 1
    assert factors[50] == pytest.approx(0.5)
    assert factors[100] == pytest.approx(0)
    assert all(a > b for a, b in zip(factors, factors[1:]))


def test_average_is_the_closed_form_of_its_updates():
    decay, values = 0.9, [1.0, 4.0, -2.0, 8.0]
    module = nn.Linear(1, 1)
    average = WeightAverage(module, decay)
    for value in values:
        with torch.no_grad():
            module.weight.fill_(value)
        average.update()
    weights = [decay ** (len(values) - 1 - i) for i in range(len(values))]
    wanted = sum(w * v for w, v in zip(weights, values)) / sum(weights)
    assert average.average()["weight"].item() == pytest.approx(wanted)


class Affine(nn.Module):
    """The form of the best denoiser of a Gaussian at one time: a linear map and an offset."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x_t, t, label, mask):
        return self.linear(x_t)


class FixedTime:
    """A schedule that stays at one noise level."""

    def __call__(self, t):
        return CosineSchedule()(torch.full_like(t, 0.5))


def test_training_finds_the_exact_gaussian_denoiser():
    covariance = torch.tensor([[1.0, 0.7], [0.7, 1.0]])
    mean = torch.tensor([0.5, -1.0])
    x = mean + normal(4000, 2) @ torch.linalg.cholesky(covariance).T
    torch.manual_seed(0)
    network = Affine()
    config = TrainingConfig(batch=256, learning_rate=0.02, difference_weight=0, ema_decay=0.99)
    trainer = Trainer(network, FixedTime(), config)
    trainer.train(x, None, None, 800, torch.Generator().manual_seed(0))
    points = normal(50, 2, seed=3)
    exact = GaussianDenoiser(FixedTime(), mean, covariance)(points, torch.zeros(50))
    assert (network(points, None, None, None) - exact).abs().max() < 0.12


def test_a_constant_rate_differs_from_an_annealed_one_and_progress_ends_at_the_last_step():
    done, weights = [], []
    for anneal in (True, False):
        torch.manual_seed(0)
        network = Affine()
        config = TrainingConfig(batch=8, learning_rate=0.1, anneal=anneal, difference_weight=0)
        Trainer(network, CosineSchedule(), config).train(
            normal(20, 2),
            None,
            None,
            10,
            torch.Generator().manual_seed(0),
            progress=lambda step, loss: done.append(step),
        )
        weights.append(network.linear.weight.detach().clone())
    assert done == [*range(1, 11)] * 2
    assert not torch.equal(*weights)


def test_errors_in_the_view_count_by_its_weight():
    """The loss of a constant estimate, by hand; the view doubles the first feature."""
    x = torch.tensor([3.0, -2.0]).expand(8, 5, 2)

    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.value = nn.Parameter(torch.zeros(2))

        def forward(self, x_t, t, label, mask):
            return self.value.expand_as(x_t)

    losses = []
    for weight in (0.0, 4.0):
        network = Constant()
        config = TrainingConfig(batch=8, learning_rate=0.0, view_weight=weight)
        trainer = Trainer(network, CosineSchedule(), config, view=lambda v: 2 * v[..., :1])
        losses.append(trainer.train(x, None, None, 1, torch.Generator().manual_seed(0))[0])
    assert losses == pytest.approx([(9 + 4) / 2, (9 + 4) / 2 + 4 * 2**2 * 9])


def test_training_without_average_returns_none():
    torch.manual_seed(0)
    trainer = Trainer(Affine(), CosineSchedule(), TrainingConfig(difference_weight=0))
    _, average = trainer.train(normal(4, 2), None, None, 2, torch.Generator().manual_seed(0))
    assert average is None
