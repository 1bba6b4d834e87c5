"""A causal transformer as a generative model: it learns texts and tells new ones.

Any causal model of a folder that transformers reads, or a small one of GPT-2's shape that starts
from random weights. The loop's regime `scratch` restarts every generation from these base weights,
as Kazdan et al. (2025) do; `finetune` goes on.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motionloop.diffusion.checkpoint import read_checkpoint, write_checkpoint
from motionloop.diffusion.device import torch_generator
from motionloop.interfaces import Scalars
from motionloop.models.tokens import Tokens
from motionloop.samples import InputError

_AT_ONCE = 256  # texts


@dataclass(frozen=True)
class LanguageConfig:
    """How the model looks, learns and tells.

    Attributes:
        folder: of a causal model that transformers reads, with its tokenizer; none: a small one.
        width: of the small model.
        blocks: of the small model.
        heads: of the small model.
        batch: texts in one optimiser step.
        epochs: passes over the training texts in every fit, however many steps they take; 0: as
            many steps as the loop says.
        learning_rate: AdamW's, lowered to zero along a half cosine in every fit.
        temperature: of sampling; below 1 prefers what is likely.
        device: cpu, cuda, or auto.
    """

    folder: Path | None = None
    width: int = 48
    blocks: int = 2
    heads: int = 4
    batch: int = 32
    epochs: int = 0
    learning_rate: float = 5e-3
    temperature: float = 1.0
    device: str = "auto"

    def __post_init__(self):
        for name in ("width", "blocks", "heads", "batch"):
            if getattr(self, name) < 1:
                raise InputError(f"model.{name} is {getattr(self, name)}; it must be at least 1")
        if self.width % self.heads:
            raise InputError(f"model.width {self.width} is no multiple of heads {self.heads}")
        if self.epochs < 0:
            raise InputError(f"model.epochs is {self.epochs}; it must be at least 0")
        for name in ("learning_rate", "temperature"):
            if not getattr(self, name) > 0:
                raise InputError(f"model.{name} is {getattr(self, name)}; it must be above 0")


class LanguageModel:
    """GenerativeModel[Tokens]."""

    def __init__(
        self,
        config: LanguageConfig,
        size: int,
        end: int,
        longest: int,
        device: torch.device,
        rng: np.random.Generator,
    ):
        """The base model.

        Args:
            config: see there.
            size: tokens of the vocabulary.
            end: the mark before and after every text.
            longest: tokens of the longest text.
            device: where it computes.
            rng: draws the weights of the small model.

        Raises:
            InputError: the folder holds no causal model that can be read.
        """
        self.config, self.end, self.longest, self.device = config, end, longest, device
        self.network: Any = _network(config, size, end, longest, rng).to(device)

    def fit(self, data: Tokens, steps: int, rng: np.random.Generator) -> Scalars:
        """Minimise the mean negative log-likelihood of a token, for `steps` steps or in epochs."""
        config, network = self.config, self.network.train()
        if config.epochs:
            steps = math.ceil(config.epochs * len(data) / config.batch)
        optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1))
        order = np.empty(0, np.int64)
        loss = torch.zeros(())
        with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
            torch.manual_seed(int(rng.integers(2**63)))
            for _ in range(steps):
                if len(order) < config.batch:
                    order = np.concatenate([order, rng.permutation(len(data))])
                rows, order = order[: config.batch], order[config.batch :]
                loss = self._loss(data[rows]).mean()
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
                schedule.step()
        return {"loss": float(loss.detach())}

    def _loss(self, data: Tokens) -> torch.Tensor:
        """Negative log-likelihoods (K,) of all tokens that count, nats."""
        cut = int(data.length.max())
        ids = torch.from_numpy(np.asarray(data.ids[:, :cut], np.int64)).to(self.device)
        first = torch.full_like(ids[:, :1], self.end)
        logits = self.network(input_ids=torch.cat([first, ids[:, :-1]], 1)).logits
        length = torch.from_numpy(np.asarray(data.length)).to(self.device)
        counts = torch.arange(cut, device=self.device) < length[:, None]
        return torch.nn.functional.cross_entropy(
            logits[counts].float(), ids[counts], reduction="none"
        )

    @torch.no_grad()
    def cross_entropy(self, data: Tokens) -> float:
        """Mean negative log-likelihood of a token of `data`, nats."""
        self.network.eval()
        total = 0.0
        for start in range(0, len(data), _AT_ONCE):
            total += float(self._loss(data[start : start + _AT_ONCE]).sum())
        return total / float(data.length.sum())

    def sample(self, count: int, rng: np.random.Generator) -> Tokens:
        """`count` texts, told token by token until the end mark."""
        self.network.eval()
        generator = torch_generator(rng)
        parts = [
            self._tell(min(_AT_ONCE, count - start), generator)
            for start in range(0, count, _AT_ONCE)
        ]
        if not parts:
            return Tokens(np.empty((0, self.longest), np.int64), np.empty(0, np.int64))
        return Tokens.concatenate(parts)

    @torch.no_grad()
    def _tell(self, count: int, generator: torch.Generator) -> Tokens:
        ids = np.full((count, self.longest), self.end, np.int64)
        length = np.full(count, self.longest, np.int64)
        going = np.ones(count, bool)
        last = torch.full((count, 1), self.end, device=self.device)
        past = None
        for place in range(self.longest):
            out = self.network(input_ids=last, past_key_values=past, use_cache=True)
            past = out.past_key_values
            chances = torch.softmax(out.logits[:, -1].float() / self.config.temperature, -1).cpu()
            drawn = torch.multinomial(chances, 1, generator=generator)
            ids[going, place] = drawn[:, 0].numpy()[going]
            length[going & (ids[:, place] == self.end)] = place + 1
            going &= ids[:, place] != self.end
            if not going.any():
                break
            last = drawn.to(self.device)
        return Tokens(ids, length)

    def save(self, path: Path) -> None:
        """Write the weights; those that the network shares are written once."""
        write_checkpoint(Path(path), {"weights": dict(self.network.named_parameters())}, {})

    def load(self, path: Path) -> None:
        """Read what `save` wrote."""
        groups, _ = read_checkpoint(Path(path))
        try:
            with torch.no_grad():
                for name, weight in self.network.named_parameters():
                    weight.copy_(groups["weights"][name])
        except (KeyError, RuntimeError) as error:
            raise InputError(f"{path} holds the weights of another model: {error}") from error


def _network(
    config: LanguageConfig, size: int, end: int, longest: int, rng: np.random.Generator
) -> torch.nn.Module:
    import transformers

    if config.folder is None:
        shape = transformers.GPT2Config(
            vocab_size=size, n_positions=longest, n_embd=config.width, n_layer=config.blocks,
            n_head=config.heads, bos_token_id=end, eos_token_id=end,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        )  # fmt: skip
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**63)))
            return transformers.GPT2LMHeadModel(shape)
    try:
        return transformers.AutoModelForCausalLM.from_pretrained(
            str(config.folder), local_files_only=True, trust_remote_code=False,
            torch_dtype=torch.float32,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        line = " ".join(str(error).split())[:160]
        raise InputError(
            f"{config.folder} holds no causal model that can be read: {line}"
        ) from error
