"""Laws of descent with several players: turns, losses, and going on with old moments."""

import pytest
import torch
from torch import nn

from motionloop.diffusion.descent import DescentConfig, Player, descend

CONSTANT = DescentConfig(batch=4, learning_rate=0.1, anneal=False, weight_decay=0.0)


def pair():
    torch.manual_seed(0)
    return nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])


def players(networks, calls, turns=(3, 1)):
    def loss(number):
        def of(rows, generator):
            calls.append((number, rows.tolist()))
            return networks[number](torch.ones(1, 1)).square().sum() + number

        return of

    return [Player(networks[n], loss(n), turns[n]) for n in range(2)]


def test_players_take_their_turns_on_new_batches():
    networks, calls = pair(), []
    done = descend(
        networks, players(networks, calls), 8, 2, CONSTANT, torch.Generator().manual_seed(0)
    )
    assert [number for number, _ in calls] == [0, 0, 0, 1] * 2
    rows = [row for _, batch in calls for row in batch]
    for start in range(0, 32, 8):  # two batches are one pass over the eight rows
        assert sorted(rows[start : start + 8]) == list(range(8))
    assert done.losses[1] > 1 > done.losses[0]


def test_two_descents_with_the_same_optimisers_are_one():
    weights = []
    for parts in ([6], [3, 3]):
        networks = pair()
        both = players(networks, [], turns=(1, 1))
        optimisers, generator = None, torch.Generator().manual_seed(0)
        for steps in parts:
            done = descend(networks, both, 8, steps, CONSTANT, generator, optimisers=optimisers)
            optimisers = done.optimisers
        weights.append([p.detach().clone() for p in networks.parameters()])
    for whole, halves in zip(*weights):
        assert torch.equal(whole, halves)


def test_an_annealed_descent_does_not_lower_the_rate_of_the_next_one():
    networks = pair()
    both = players(networks, [], turns=(1, 1))
    annealed = DescentConfig(batch=4, learning_rate=0.1)
    first = descend(networks, both, 8, 5, annealed, torch.Generator().manual_seed(0))
    assert first.optimisers[0].param_groups[0]["lr"] < 0.05
    descend(
        networks, both, 8, 1, CONSTANT, torch.Generator().manual_seed(0),
        optimisers=first.optimisers,
    )  # fmt: skip
    assert first.optimisers[0].param_groups[0]["lr"] == pytest.approx(0.1)
