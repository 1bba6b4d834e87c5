"""MotionTransformer: the denoiser for sequences, smooth by construction.

A convolution turns pairs of frames into tokens, blocks mix the tokens by attention (far) and by
a depth-wise convolution (near), and an overlapping transposed convolution turns tokens back into
frames, so that neighbouring frames share what they are made of. Plain transformers whose patches
do not overlap jitter at their borders.

Time and class modulate each block (Peebles & Xie, Scalable Diffusion Models with Transformers,
2023); the gates start at zero, so that a new block passes its input through.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 2  # frames in a token
KERNEL = 6  # frames that a token sees, and that it writes to
PADDING = (KERNEL - STRIDE) // 2
NEIGHBOURS = 5  # tokens that the depth-wise convolution sees


@dataclass(frozen=True)
class TransformerConfig:
    """The size of a MotionTransformer.

    Attributes:
        features: D, numbers in a frame.
        classes: classes that condition it; class number `classes` is the null class.
        text_width: numbers in the vectors that condition it in place of classes; 0 for classes.
        width: numbers in a token.
        blocks: transformer blocks.
        heads: attention heads; divides `width`.
        expansion: hidden numbers of a block's perceptron, per number of the token.
    """

    features: int
    classes: int
    width: int = 128
    blocks: int = 4
    heads: int = 4
    expansion: int = 4
    text_width: int = 0


class VectorEmbedding(nn.Module):
    """What a table of vectors, such as those of captions, says to the network.

    A label is a row of the table, -1 means none. The table is set before the network is used, and
    is no part of its weights, so that other captions may follow those of the training.

    Attributes:
        table: (K, W).
    """

    table: Tensor

    def __init__(self, vector_width: int, width: int):
        super().__init__()
        self.none = nn.Parameter(torch.zeros(width))
        self.layer = nn.Linear(vector_width, width)
        # Vectors are of length sqrt(W): they start with unit variance, as class embeddings do.
        nn.init.normal_(self.layer.weight, std=vector_width**-0.5)
        self.register_buffer("table", torch.zeros(0, vector_width), persistent=False)

    def forward(self, label: Tensor) -> Tensor:
        """Embeddings (B, width) of labels (B,)."""
        if len(self.table) == 0:
            return self.none.expand(len(label), -1)
        said = self.layer(self.table[label.clamp(min=0)])
        return torch.where((label < 0)[:, None], self.none, said)


def sinusoids(positions: Tensor, width: int, longest: float) -> Tensor:
    """Sines and cosines (..., width) of positions (...), wavelengths 2 pi to 2 pi * longest.

    Vaswani et al., Attention Is All You Need (2017), section 3.5.
    """
    rates = torch.exp(
        -math.log(longest) * torch.arange(width // 2, device=positions.device) / (width // 2)
    )
    angles = positions[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Block(nn.Module):
    """Attention, depth-wise convolution and perceptron, each a gated residual step."""

    def __init__(self, width: int, heads: int, expansion: int):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.neighbours = nn.Conv1d(width, width, NEIGHBOURS, padding=NEIGHBOURS // 2, groups=width)
        self.convolution_out = nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, expansion * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(expansion * width, width),
        )
        self.modulation = nn.Linear(width, 9 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, tokens: Tensor, condition: Tensor, keep: Tensor, seen: Tensor) -> Tensor:
        """Tokens (B, L, W) to tokens.

        Args:
            tokens: (B, L, W).
            condition: (B, W) of time and class.
            keep: (B, L, 1) one on tokens that count, zero elsewhere.
            seen: (B, 1, 1, L) true on tokens that attention may look at.
        """
        shift_scale_gate = self.modulation(condition)[:, None].chunk(9, dim=-1)
        for i, mix in enumerate((self._attend, self._convolve, self._perceive)):
            shift, scale, gate = shift_scale_gate[3 * i : 3 * i + 3]
            normal = functional.layer_norm(tokens, tokens.shape[-1:])
            tokens = tokens + gate * mix(torch.addcmul(shift, normal, 1 + scale), keep, seen)
        return tokens

    def _attend(self, tokens: Tensor, keep: Tensor, seen: Tensor) -> Tensor:
        batch, length, width = tokens.shape
        parts = self.query_key_value(tokens).view(batch, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, seen)
        return self.attention_out(mixed.transpose(1, 2).reshape(batch, length, width))

    def _convolve(self, tokens: Tensor, keep: Tensor, seen: Tensor) -> Tensor:
        mixed = self.neighbours((tokens * keep).transpose(1, 2)).transpose(1, 2)
        return self.convolution_out(functional.silu(mixed))

    def _perceive(self, tokens: Tensor, keep: Tensor, seen: Tensor) -> Tensor:
        return self.perceptron(tokens)


class MotionTransformer(nn.Module):
    """Estimates clean sequences from noisy ones; a `Denoiser` for any length."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        width = config.width
        self.config = config
        self.null_label = -1 if config.text_width else config.classes
        self.stem = nn.Linear(KERNEL * config.features, width)
        self.class_embedding = (
            VectorEmbedding(config.text_width, width)
            if config.text_width
            else nn.Embedding(config.classes + 1, width)
        )
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(
            Block(width, config.heads, config.expansion) for _ in range(config.blocks)
        )
        self.final_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, KERNEL * config.features)

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None, mask: Tensor | None) -> Tensor:
        """The estimate of x; on frames that count, neither content nor amount of padding matters.

        Args:
            x_t: (B, T, D) noisy sequences.
            t: (B,) times in [0, 1].
            label: (B,) numbers of classes or of vectors, or None for the null label.
            mask: (B, T) true on the frames that count, from the first on; None where all do.
        """
        batch, frames, _ = x_t.shape
        if label is None:
            label = torch.full((batch,), self.null_label, device=x_t.device)
        if mask is None:
            mask = torch.ones(batch, frames, dtype=torch.bool, device=x_t.device)
        even = frames + frames % STRIDE
        x_t = torch.where(mask[..., None], x_t, 0.0)
        x_t = functional.pad(x_t, (0, 0, PADDING, PADDING + even - frames))
        counts = functional.pad(mask, (0, even - frames)).view(batch, -1, STRIDE).any(-1)  # (B, L)
        keep = counts[..., None].to(x_t.dtype)
        seen = counts[:, None, None]

        tokens = self.stem(x_t.unfold(1, KERNEL, STRIDE).flatten(2))  # (B, L, W)
        width = tokens.shape[-1]
        tokens = tokens + sinusoids(torch.arange(even // STRIDE, device=x_t.device), width, 1e3)
        condition = self.time(sinusoids(1000 * t, width, 1e4)) + self.class_embedding(label)
        condition = functional.silu(condition)
        for block in self.blocks:
            tokens = block(tokens, condition, keep, seen)
        return self._frames(self.head(self.final_norm(tokens)) * keep)[:, :frames]

    def _frames(self, pieces: Tensor) -> Tensor:
        """Overlap and add pieces (B, L, KERNEL * D), one each STRIDE frames: (B, 2 L, D)."""
        batch, length, _ = pieces.shape
        pieces = pieces.view(batch, length, KERNEL // STRIDE, STRIDE, -1)
        total = pieces.new_zeros(batch, length + KERNEL // STRIDE - 1, STRIDE, pieces.shape[-1])
        for i in range(KERNEL // STRIDE):
            total[:, i : i + length] += pieces[:, :, i]
        return total.flatten(1, 2)[:, PADDING : PADDING + STRIDE * length]
