"""How the evaluator learns: each window must be nearest to its own caption, and each caption to it.

The symmetric contrastive loss of Radford et al. (CLIP, 2021) over a batch, where windows of one
caption count as equally right (Khosla et al., Supervised Contrastive Learning, 2020):

    loss = CE(softmax_j score(i, j), p_ij) + CE(softmax_i score(i, j), p_ij) + w |facts - f|^2,

with p_ij uniform over the pairs whose captions are the same. Facts are brought to unit variance.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.nn.functional import mse_loss

from motionloop.metrics.encoder_training import other_side
from motionloop.metrics.text_motion_network import EvaluatorConfig, EvaluatorNetwork, facts_of
from motionloop.metrics.window_draws import WindowDraws
from motionloop.motion.text import TextEncoder


class Captions:
    """The distinct captions of N clips and of their mirror images, and their vectors.

    Attributes:
        texts: distinct captions, sorted.
        count: (N,) captions of a clip.
        first: (N,) the first of them, into the next two.
        own: (C,) of all captions of all clips, into `texts`.
        mirrored: (C,) the caption with left and right in each other's place.
        vectors: (K, W) of the text encoder.
    """

    def __init__(self, captions: Sequence[Sequence[str]], encoder: TextEncoder):
        """Read the captions of N clips, one or more each."""
        self.count = np.array([len(texts) for texts in captions], np.int64)
        self.first = np.cumsum(self.count) - self.count
        own = [text for texts in captions for text in texts]
        other = [other_side(caption) for caption in own]
        self.texts = sorted({*own, *other})
        place = {text: row for row, text in enumerate(self.texts)}
        self.own = np.array([place[text] for text in own], np.int64)
        self.mirrored = np.array([place[text] for text in other], np.int64)
        self.vectors = torch.from_numpy(encoder(self.texts))

    def draw(self, rows: np.ndarray, mirrored: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One caption, into `texts`, of each of the clips `rows` or of its mirror image."""
        which = self.first[rows]
        if (self.count > 1).any():
            which = which + rng.integers(self.count[rows])
        return np.where(mirrored, self.mirrored[which], self.own[which])


def train(
    network: EvaluatorNetwork,
    joints: np.ndarray,
    length: np.ndarray,
    captions: Captions,
    config: EvaluatorConfig,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> float:
    """Train `network` and leave it in evaluation mode; returns the loss of the last tenth.

    Args:
        network: is changed.
        joints: (N, T, 24, 3) m, at `config.fps`.
        length: (N,) frames that count.
        captions: of the N clips.
        config: how to train.
        rng: draws windows; weights are fresh already.
        progress: called as `progress(done, total)`.
    """
    every = np.ones(len(length), bool)
    label = captions.own[captions.first]
    draws = WindowDraws(joints, length, label, every, np.flatnonzero(every), config, rng)
    fact_mean, fact_scale = _standardise(network, draws)
    optimiser = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    network.train()
    losses = []
    for step in range(config.steps):
        view, count, rows, mirrored = draws.draw(config.batch)
        caption = torch.from_numpy(captions.draw(rows, mirrored, rng))
        motion = network.motion(view, count)
        scores = network.scores(motion, network.caption(captions.vectors[caption]))
        facts = (facts_of(view, count) - fact_mean) / fact_scale
        loss = contrast(scores, caption)
        loss = loss + config.fact_weight * mse_loss(network.motion.facts(motion), facts)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if progress:
            progress(step + 1, config.steps)
    network.eval()
    view, count, *_ = draws.draw(1024)
    with torch.no_grad():
        features = network.motion(view, count)
    network.centre.copy_(features.mean(0))
    network.size.copy_((features.var(0).sum() / features.shape[1]).sqrt())
    return float(np.mean(losses[-max(len(losses) // 10, 1) :]))


def contrast(scores: torch.Tensor, caption: torch.Tensor) -> torch.Tensor:
    """The symmetric contrastive loss of scores (B, B) for caption numbers (B,)."""
    same = (caption[:, None] == caption[None]).to(scores.dtype)
    wanted = same / same.sum(1, keepdim=True)
    rows = -(wanted * scores.log_softmax(1)).sum(1).mean()
    columns = -(wanted * scores.log_softmax(0)).sum(0).mean()
    return (rows + columns) / 2


def _standardise(
    network: EvaluatorNetwork, draws: WindowDraws
) -> tuple[torch.Tensor, torch.Tensor]:
    """Set mean and scale of the input, one scale for a joint's axes; those of the facts."""
    view, count, *_ = draws.draw(512)
    seen = view[torch.arange(view.shape[1]) < count[:, None]]
    network.motion.mean.copy_(seen.mean(0))
    scale = seen.var(0).reshape(-1, 3).mean(1).sqrt().clamp_min(0.05)
    network.motion.scale.copy_(scale.repeat_interleave(3))
    facts = facts_of(view, count)
    return facts.mean(0), facts.std(0).clamp_min(0.05)
