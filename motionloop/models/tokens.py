"""Tokens: texts as rows of integers, and the vocabularies that turn one into the other."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from motionloop.samples import InputError, Samples

EXTRA = "pip install 'motionloop[language]'"


@dataclass(frozen=True)
class Tokens(Samples):
    """Texts of at most L tokens.

    Attributes:
        ids: (N, L), filled up with the end mark.
        length: (N,), tokens that count, the end mark included where the text ended.
    """

    ids: np.ndarray
    length: np.ndarray


class Vocabulary(Protocol):
    """Turns text into token numbers and back."""

    @property
    def size(self) -> int:
        """Number of tokens."""
        ...

    @property
    def end(self) -> int:
        """The mark that stands before and after every text."""
        ...

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token numbers of each text, without marks."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token numbers."""
        ...


def tokens_of(texts: Sequence[str], vocabulary: Vocabulary, longest: int) -> Tokens:
    """Texts as tokens, each cut to `longest` tokens, the end mark included."""
    ids = np.full((len(texts), longest), vocabulary.end, np.int64)
    length = np.zeros(len(texts), np.int64)
    for row, found in enumerate(vocabulary.encode(texts)):
        kept = [*found, vocabulary.end][:longest]
        ids[row, : len(kept)] = kept
        length[row] = len(kept)
    return Tokens(ids, length)


def texts_of(tokens: Tokens, vocabulary: Vocabulary) -> list[str]:
    """The texts of tokens, without marks."""
    rows = (ids[:count] for ids, count in zip(tokens.ids, tokens.length))
    return [vocabulary.decode([int(i) for i in row if i != vocabulary.end]) for row in rows]


class TrainedVocabulary:
    """Byte-pair encoding learned from the training text; no byte is unknown to it.

    Attributes:
        size: number of tokens.
        end: the mark's number.
    """

    def __init__(self, texts: Sequence[str], size: int):
        """Learn at most `size` tokens.

        Raises:
            InputError: the package is missing.
        """
        tokenizers = _package("tokenizers")
        self._model = tokenizers.Tokenizer(tokenizers.models.BPE())
        self._model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel()
        self._model.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=["<end>"],
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        self._model.train_from_iterator(texts, trainer)
        self.size = int(self._model.get_vocab_size())
        self.end = int(self._model.token_to_id("<end>"))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token numbers of each text, without marks."""
        return [one.ids for one in self._model.encode_batch(list(texts))]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token numbers."""
        return self._model.decode(list(ids)).strip()


class FolderVocabulary:
    """The tokenizer of a model folder.

    Attributes:
        size: number of tokens.
        end: the mark's number.
    """

    def __init__(self, folder: Path):
        """Read it, without a network or code of the folder's.

        Raises:
            InputError: the folder holds no tokenizer, or one without an end mark.
        """
        transformers = _package("transformers")
        try:
            self._model: Any = transformers.AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
            line = " ".join(str(error).split())[:160]
            raise InputError(f"{folder} has no tokenizer that can be read: {line}") from error
        if self._model.eos_token_id is None:
            raise InputError(f"the tokenizer of {folder} has no end mark (eos_token)")
        self.size, self.end = len(self._model), int(self._model.eos_token_id)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token numbers of each text, without marks."""
        return self._model(list(texts), add_special_tokens=False)["input_ids"]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token numbers."""
        return str(self._model.decode(list(ids)))


def check_model_folder(folder: Path) -> None:
    """Raise `InputError` unless the folder looks like a model of transformers with a tokenizer."""
    try:
        json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder} is no model folder: it needs a config.json that can be read"
        ) from error
    names = (
        "tokenizer.json",
        "tokenizer.model",
        "vocab.json",
        "vocab.txt",
        "tokenizer_config.json",
    )
    if not any((folder / name).is_file() for name in names):
        raise InputError(f"{folder} has a model but no tokenizer: add its tokenizer.json")


def _package(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f"the language task needs {name}: {EXTRA}") from None
