"""The language task of Kazdan et al.: a causal transformer that learns from its own texts.

By default the texts are short stories of a grammar that knows the probability of each
(`stories.py`), so that `excess`, the cross-entropy above the language's own entropy, is exact.
Otherwise a text file (texts end at an empty line, or every line is one), a folder of such files,
or JSON lines with a field `text`. Cross-entropy is that of held-out real texts, nats a token.
"""

import json
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

HEADLINE = ("cross_entropy", "excess", "distinct_2")
CURVES = ("cross_entropy", "excess", "distinct_1", "distinct_2", "distinct_3", "length")


@dataclass(frozen=True)
class LanguageTaskConfig:
    """Settings of the language task.

    Attributes:
        text: file or folder of real texts; none: stories of the built-in grammar.
        count: real texts that are trained on.
        held_out: real texts that the cross-entropy is measured on.
        longest: tokens of a text, the end mark included; longer ones are cut.
        vocabulary: tokens that are learned from the text, for a model without a folder.
        model: how the model looks, learns and tells.
    """

    text: Path | None = None
    count: int = 1000
    held_out: int = 500
    longest: int = 64
    vocabulary: int = 400
    model: LanguageConfig = field(default_factory=LanguageConfig)

    def __post_init__(self):
        for name, least in (("count", 1), ("held_out", 1), ("longest", 2), ("vocabulary", 257)):
            if getattr(self, name) < least:
                raise InputError(f"task.{name} is {getattr(self, name)}; it is at least {least}")


def build(config: LanguageTaskConfig, seed: int, display: Display | None = None) -> Task[Tokens]:
    """The language task; `seed` draws the real texts.

    Raises:
        InputError: a text or model that cannot be read, too few texts, a missing package.
    """
    texts = None if config.text is None else read_texts(config.text)
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

    def make_model(rng: np.random.Generator) -> LanguageModel:
        # The base weights are the same ones whenever a generation restarts from them.
        weights = np.random.default_rng(base)
        return LanguageModel(
            config.model, vocabulary.size, vocabulary.end, config.longest, device, weights
        )

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


def read_texts(path: Path) -> list[str]:
    """The texts of a file or of all .txt and .jsonl files of a folder, in the files' order.

    Raises:
        InputError: there is no such file, it is no text, or there is nothing in it.
    """
    files = [path]
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix in (".txt", ".jsonl"))
    texts = [text for file in files for text in _texts_of_file(file)]
    if not texts:
        raise InputError(f"task.text: {path} holds no text")
    return texts


def _texts_of_file(path: Path) -> list[str]:
    try:
        content = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            return [str(json.loads(line)["text"]) for line in content.splitlines() if line.strip()]
    except FileNotFoundError:
        raise InputError(f"task.text: no such file: {path}") from None
    except (UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        wanted = "JSON lines with a field text" if path.suffix == ".jsonl" else "UTF-8 text"
        raise InputError(f"task.text: {path} is not {wanted}: {error}") from error
    blocks = content.split("\n\n") if "\n\n" in content.strip() else content.splitlines()
    return [block.strip() for block in blocks if block.strip()]


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
