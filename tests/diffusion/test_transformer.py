"""Laws of the transformer: padding is invisible, labels and times are not, any length serves."""

import pytest
import torch

from motionloop.diffusion.transformer import MotionTransformer, TransformerConfig


@pytest.fixture
def network():
    """A network whose gates are open, as after training; a new one passes its tokens through."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = MotionTransformer(TransformerConfig(5, classes=3, width=16, blocks=2, heads=2))
        for block in network.blocks:
            torch.nn.init.normal_(block.modulation.weight, std=0.3)
            torch.nn.init.normal_(block.modulation.bias, std=0.3)
    return network.double().eval().requires_grad_(False)


def inputs(batch, frames, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x_t = torch.randn((batch, frames, 5), generator=generator, dtype=torch.float64)
    t = torch.rand(batch, generator=generator, dtype=torch.float64)
    return x_t, t, torch.arange(batch) % 3


@pytest.mark.parametrize("frames", [1, 2, 7, 10])
def test_output_has_the_shape_of_the_input(network, frames):
    x_t, t, label = inputs(2, frames)
    assert network(x_t, t, label, None).shape == x_t.shape


@pytest.mark.parametrize("length", [1, 2, 5, 8])
def test_neither_content_nor_amount_of_padding_changes_frames_that_count(network, length):
    x_t, t, label = inputs(2, 13)
    mask = torch.arange(13).expand(2, 13) < length
    alone = network(x_t[:, :length], t, label, None)
    padded = network(x_t, t, label, mask)[:, :length]
    dirty = network(torch.where(mask[..., None], x_t, torch.nan), t, label, mask)[:, :length]
    torch.testing.assert_close(padded, alone)
    assert torch.equal(dirty, padded)


def test_samples_of_a_batch_do_not_see_each_other(network):
    x_t, t, label = inputs(3, 9)
    mask = torch.arange(9) < torch.tensor([9, 4, 6])[:, None]
    together = network(x_t, t, label, mask)
    for i in range(3):
        alone = network(x_t[i : i + 1], t[i : i + 1], label[i : i + 1], mask[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone)


def test_every_frame_reaches_every_other(network):
    x_t, t, label = inputs(1, 20)
    with torch.enable_grad():
        jacobian = torch.autograd.functional.jacobian(lambda x: network(x, t, label, None), x_t)
    influence = jacobian[0, :, :, 0].abs().amax((1, 3))  # (frame out, frame in)
    assert (influence > 0).all()


def test_time_and_label_matter_and_no_label_is_the_null_class(network):
    x_t, t, label = inputs(2, 6)
    estimate = network(x_t, t, label, None)
    assert not torch.allclose(estimate, network(x_t, t / 2, label, None))
    assert not torch.allclose(estimate, network(x_t, t, (label + 1) % 3, None))
    null = torch.full_like(label, network.null_label)
    assert torch.equal(network(x_t, t, None, None), network(x_t, t, null, None))


def test_overlapping_pieces_add_up_as_a_transposed_convolution(network):
    pieces = torch.randn(2, 4, 30, generator=torch.Generator().manual_seed(0)).double()
    weight = torch.eye(30).double().view(30, 6, 5).transpose(1, 2)
    wanted = torch.nn.functional.conv_transpose1d(
        pieces.transpose(1, 2), weight, stride=2, padding=2
    )
    torch.testing.assert_close(network._frames(pieces), wanted.transpose(1, 2))


def test_stem_is_a_strided_convolution(network):
    x_t, t, label = inputs(1, 12)
    seen = []
    handle = network.stem.register_forward_hook(lambda _, given, tokens: seen.append(tokens))
    network(x_t, t, label, None)
    weight = network.stem.weight.view(16, 5, 6)
    wanted = torch.nn.functional.conv1d(
        x_t.transpose(1, 2), weight, network.stem.bias, stride=2, padding=2
    )
    handle.remove()
    torch.testing.assert_close(seen[0], wanted.transpose(1, 2))
