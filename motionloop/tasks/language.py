"""The language task of Kazdan et al.: a causal transformer that learns from its own texts.

By default the texts are short stories of a grammar that knows the probability of each
(`stories.py`), so that `excess`, the cross-entropy above the language's own entropy, is exact.
Otherwise files of texts or sets of `datasets` (`texts.py`). Cross-entropy is that of held-out real
texts, nats a token.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from motionloop.diffusion.device import resolve_device
from motionloop.interfaces import Display, Scalars, Task
from motionloop.models.language import LanguageConfig, LanguageModel
from motionloop.models.tokens import (
    FolderVocabulary,
    Tokens,
    TrainedVocabulary,
    Vocabulary,
    check_model_folder,
    texts_of,
    tokens_of,
)
from motionloop.samples import InputError, write_whole
from motionloop.strength import Identity
from motionloop.tasks.stories import draw_story, log_probability
from motionloop.tasks.texts import read_texts

HEADLINE = ("cross_entropy", "excess", "distinct_2")
CURVES = ("cross_entropy", "excess", "distinct_1", "distinct_2", "distinct_3", "length")

_BASE: dict[tuple["LanguageTaskConfig", int], LanguageModel] = {}
"""The newest base model that was taught: the runs of a seed that a process makes share it."""


@dataclass(frozen=True)
class LanguageTaskConfig:
    """Settings of the language task.

    Attributes:
        text: file or folder of real texts: .txt, .jsonl, .parquet, .arrow, or what `save_to_disk`
            of `datasets` wrote; none: stories of the built-in grammar.
        text_column: that holds the text, where a file has columns.
        text_split: that is read, where a set has several.
        count: real texts that are trained on.
        held_out: real texts that the cross-entropy is measured on.
        longest: tokens of a text, the end mark included; longer ones are cut.
        vocabulary: tokens that are learned from the text, for a model without a folder.
        base_steps: optimiser steps in which the small model's base weights learn the grammar's
            stories with all words equally likely, as a pretrained model knows a language but not
            the texts at hand; 0: random base weights.
        model: how the model looks, learns and tells.
    """

    text: Path | None = None
    text_column: str = "text"
    text_split: str = "train"
    count: int = 1000
    held_out: int = 500
    longest: int = 64
    vocabulary: int = 400
    base_steps: int = 0
    model: LanguageConfig = field(default_factory=LanguageConfig)

    def __post_init__(self):
        for name, least in (("count", 1), ("held_out", 1), ("longest", 2), ("vocabulary", 257),
                            ("base_steps", 0)):  # fmt: skip
            if getattr(self, name) < least:
                raise InputError(f"task.{name} is {getattr(self, name)}; it is at least {least}")
        if self.base_steps and (self.text is not None or self.model.folder is not None):
            raise InputError(
                f"task.base_steps is {self.base_steps}, which trains a small model on stories; set "
                "it to 0 with task.text or model.folder"
            )


def build(config: LanguageTaskConfig, seed: int, display: Display | None = None) -> Task[Tokens]:
    """The language task; `seed` draws the real texts.

    Raises:
        InputError: a text or model that cannot be read, too few texts, a missing package.
    """
    texts = None
    if config.text is not None:
        texts = read_texts(config.text, config.text_column, config.text_split)
    rng = np.random.default_rng([seed, 1])
    real, held_out = _split(texts, config, rng)
    vocabulary = _vocabulary(config, real)
    device = resolve_device(config.model.device)

    def tokens(some: Sequence[str]) -> Tokens:
        return tokens_of(some, vocabulary, config.longest)

    def draw_real(count: int, rng: np.random.Generator) -> Tokens:
        if texts is None:
            return tokens([draw_story(rng) for _ in range(count)])
        return tokens([real[i] for i in rng.integers(len(real), size=count)])

    reference = tokens(held_out)
    entropy = float("nan")
    if texts is None:
        entropy = -sum(map(log_probability, held_out)) / float(reference.length.sum())

    def judge(model: LanguageModel) -> Scalars:
        found = model.cross_entropy(reference)
        return {"cross_entropy": found, **({"excess": found - entropy} if texts is None else {})}

    base = int(rng.integers(2**63))

    def base_model() -> LanguageModel:
        rng = np.random.default_rng(base)
        return LanguageModel(
            config.model, vocabulary.size, vocabulary.end, config.longest, device, rng
        )

    def taught_base_model() -> LanguageModel:
        model, rng = base_model(), np.random.default_rng([base, 1])
        count = config.base_steps * config.model.batch // max(1, config.model.epochs)
        stories = tokens([draw_story(rng, even=True) for _ in range(count)])
        model.fit(stories, config.base_steps, rng)
        return model

    def make_model(rng: np.random.Generator) -> LanguageModel:
        # The base weights are the same ones whenever a generation restarts from them.
        if not config.base_steps:
            return base_model()
        if (config, seed) not in _BASE:
            _BASE.clear()
            _BASE[config, seed] = taught_base_model()
        return copy.deepcopy(_BASE[config, seed])

    def preview(samples: Tokens, path: Path) -> Path:
        shown = "\n\n".join(texts_of(samples[:20], vocabulary)) + "\n"
        write_whole(path.with_suffix(".txt"), lambda file: file.write(shown.encode()))
        return path.with_suffix(".txt")

    return Task(
        real=tokens(real),
        reference=reference,
        make_model=make_model,
        corrector=Identity(),
        metrics=(distinct,),
        draw_real=draw_real,
        model_metrics=(judge,),
        definitions={"cross_entropy": f"nats a token, vocabulary of {vocabulary.size}"},
        preview=preview,
    )


def distinct(generated: Tokens, reference: Tokens) -> Scalars:
    """Share of different ones among the runs of 1, 2 and 3 tokens, and the mean length."""
    scalars: Scalars = {}
    for n in (1, 2, 3):
        runs = [
            tuple(ids[i : i + n])
            for ids, count in zip(generated.ids.tolist(), generated.length.tolist())
            for i in range(count - n + 1)
        ]
        if runs:
            scalars[f"distinct_{n}"] = len(set(runs)) / len(runs)
    return {**scalars, "length": float(generated.length.mean())}


def _split(
    texts: list[str] | None, config: LanguageTaskConfig, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Texts to train on and held-out ones."""
    wanted = config.count + config.held_out
    if texts is None:
        drawn = [draw_story(rng) for _ in range(wanted)]
        return drawn[: config.count], drawn[config.count :]
    if len(texts) < wanted:
        raise InputError(
            f"task.text: {config.text} holds {len(texts)} texts, and count + held_out is {wanted}; "
            "lower task.count or task.held_out"
        )
    order = rng.permutation(len(texts))[:wanted]
    chosen = [texts[i] for i in order]
    return chosen[: config.count], chosen[config.count :]


def _vocabulary(config: LanguageTaskConfig, real: list[str]) -> Vocabulary:
    if config.model.folder is None:
        return TrainedVocabulary(real, config.vocabulary)
    check_model_folder(config.model.folder)
    return FolderVocabulary(config.model.folder)
