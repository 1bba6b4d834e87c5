"""The official T2M evaluator, for a user who has its weights: figures that compare with papers.

Guo et al., Generating Diverse and Natural 3D Human Motions from Text (CVPR 2022). Motions become
HumanML3D's 263 features, standardised with the evaluator's own mean and deviation, and pass a
convolution that takes 4 frames to 1 and a two-way GRU; captions pass a two-way GRU over GloVe
vectors and word classes. Wanted in the folder, at any depth, under the names they are published by:

    finest.tar                                  weights of text_mot_match
    mean.npy, std.npy                           of the features, or t2m_mean.npy and t2m_std.npy
    our_vab_data.npy, our_vab_words.pkl, our_vab_idx.pkl     GloVe
    texts/*.txt                                 HumanML3D's captions with their word classes

Nothing in these files can run code: tensors are read as weights only, pickles without any class.
"""

import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from motionloop.metrics.fingerprint import fingerprint
from motionloop.metrics.joints import resample
from motionloop.metrics.t2m_words import CLASSES, tagged, word_class
from motionloop.motion.formats import humanml3d
from motionloop.samples import InputError
from physics.skeleton import REST_TO_WORLD

MOST_FRAMES = 196
FRAMES_A_STEP = 4
_AT_ONCE = 64
_FEATURES = 263
_WORD = 300  # numbers of a GloVe vector


class _MovementEncoder(nn.Module):
    """Features (B, T, 259) to movements (B, T / 4, 512)."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv1d(_FEATURES - 4, 512, 4, 2, 1),
            nn.Dropout(0.2),
            nn.LeakyReLU(0.2),
            nn.Conv1d(512, 512, 4, 2, 1),
            nn.Dropout(0.2),
            nn.LeakyReLU(0.2),
        )
        self.out_net = nn.Linear(512, 512)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.out_net(self.main(features.transpose(1, 2)).transpose(1, 2))


class _Recurrent(nn.Module):
    """A sequence's last states in both directions, and a perceptron: (B, L, W) to (B, 512)."""

    def __init__(self, width: int, hidden: int, tags: int = 0):
        super().__init__()
        if tags:
            self.pos_emb = nn.Linear(tags, width)
        self.input_emb = nn.Linear(width, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.output_net = nn.Sequential(
            nn.Linear(2 * hidden, hidden),
            nn.LayerNorm(hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, 512),
        )
        self.hidden = nn.Parameter(torch.zeros(2, 1, hidden))

    def forward(self, x: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
        packed = pack_padded_sequence(
            self.input_emb(x), length, batch_first=True, enforce_sorted=False
        )
        _, last = self.gru(packed, self.hidden.repeat(1, len(x), 1))
        return self.output_net(torch.cat([last[0], last[1]], dim=-1))


class OfficialT2MEvaluator:
    """Features (N, 512) of motions and captions; made by `load`.

    Attributes:
        name: `t2m-official-` and the first 8 digits of a SHA-256 over the weights.
    """

    def __init__(
        self,
        weights: dict[str, dict[str, torch.Tensor]],
        mean: np.ndarray,
        std: np.ndarray,
        glove: dict[str, np.ndarray],
        texts: dict[str, list[str]],
    ):
        """Build it from what the files hold.

        Args:
            weights: of movement_encoder, motion_encoder and text_encoder.
            mean: (263,) of the features.
            std: (263,).
            glove: (300,) vector of each word; `unk` among them.
            texts: words with their classes of each known caption, "walk/VERB".
        """
        self._mean, self._std, self._glove, self._texts = mean, std, glove, texts
        self._movement = _MovementEncoder()
        self._motion = _Recurrent(512, 1024)
        self._text = _Recurrent(_WORD, 512, tags=len(CLASSES))
        self._movement.load_state_dict(weights["movement_encoder"])
        self._motion.load_state_dict(weights["motion_encoder"])
        self._text.load_state_dict(weights["text_encoder"])
        modules = (self._movement, self._motion, self._text)
        for module in modules:
            module.eval().requires_grad_(False)
        scaling = np.concatenate([mean, std]).astype(np.float32).tobytes()
        self.name = f"t2m-official-{fingerprint(scaling, *modules)}"

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the published files.

        Raises:
            InputError: one is missing or is not what its name says.
        """
        folder = Path(folder)
        try:
            weights = torch.load(_find(folder, "finest.tar"), map_location="cpu", weights_only=True)
            data = np.load(_find(folder, "our_vab_data.npy"), allow_pickle=False)
            words = _plain_pickle(_find(folder, "our_vab_words.pkl"))
            places = _plain_pickle(_find(folder, "our_vab_idx.pkl"))
            glove = {str(word): np.asarray(data[places[word]], np.float32) for word in words}
            mean = np.load(_find(folder, "mean.npy", "t2m_mean.npy"), allow_pickle=False)
            std = np.load(_find(folder, "std.npy", "t2m_std.npy"), allow_pickle=False)
            if mean.shape != (_FEATURES,) or std.shape != (_FEATURES,) or "unk" not in glove:
                raise ValueError("mean and std are not of 263 features, or GloVe lacks 'unk'")
            return cls(weights, mean, std, glove, _texts(folder))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, pickle.PickleError) as e:
            if isinstance(e, InputError):
                raise
            line = " ".join(str(e).split())[:200]
            raise InputError(f"{folder} is not the official T2M evaluator: {line}") from e

    def describe(self) -> dict[str, str]:
        """What stands behind the figures, for the record of a run."""
        return {"evaluator": self.name, "evaluator_text": "GloVe and word classes, as T2M"}

    def motions(
        self, joints: np.ndarray, length: np.ndarray, fps: np.ndarray | float
    ) -> np.ndarray:
        """Features (N, 512) of joints (N, T, 24, 3), m, z up; the first 9.8 s count.

        Raises:
            InputError: a motion has fewer than 5 frames at 20 Hz.
        """
        joints, length = resample(np.asarray(joints), length, fps, humanml3d.HUMANML3D.fps)
        found = [np.empty((0, 512))]
        for start in range(0, len(joints), _AT_ONCE):
            part = range(start, min(start + _AT_ONCE, len(joints)))
            found.append(self._part([joints[n, : length[n], :22] @ REST_TO_WORLD for n in part]))
        return np.concatenate(found)

    def _part(self, clips: list[np.ndarray]) -> np.ndarray:
        rows = [humanml3d.features(joints)[:MOST_FRAMES] for joints in clips]
        steps = np.array([len(row) // FRAMES_A_STEP for row in rows])
        if steps.min() < 1:
            raise InputError(
                f"a motion has {min(map(len, rows)) + 1} frames at 20 Hz; T2M's evaluator needs 5"
            )
        x = np.zeros((len(rows), MOST_FRAMES, _FEATURES), np.float32)  # padded with the mean
        for n, row in enumerate(rows):
            kept = steps[n] * FRAMES_A_STEP
            x[n, :kept] = (row[:kept] - self._mean) / self._std
        movements = self._movement(torch.from_numpy(x[..., :-4]))  # contacts are not read
        return self._motion(movements, torch.from_numpy(steps)).numpy().astype(np.float64)

    def captions(self, captions: Sequence[str] | np.ndarray) -> np.ndarray:
        """Features (N, 512) of captions.

        Captions that `texts` does not hold are tagged from T2M's lists of words alone, and a
        warning says how many: their other words have no class.
        """
        unknown = {str(c) for c in captions if str(c) not in self._texts}
        if unknown:
            warnings.warn(
                f"{len(unknown)} captions, such as {sorted(unknown)[0]!r}, are not among the "
                "texts of HumanML3D; the classes of their words are guessed, and figures deviate",
                stacklevel=2,
            )
        found = [np.empty((0, 512))]
        for start in range(0, len(captions), _AT_ONCE):
            part = [str(caption) for caption in captions[start : start + _AT_ONCE]]
            read = [self._sentence(self._texts.get(c) or tagged(c)) for c in part]
            length = torch.tensor([len(vectors) for vectors, _ in read])
            longest = int(length.max())
            x = torch.zeros(len(read), longest, _WORD)
            for n, (vectors, tags) in enumerate(read):
                x[n, : len(vectors)] = torch.from_numpy(vectors) + self._text.pos_emb(
                    torch.from_numpy(tags)
                )
            found.append(self._text(x, length).numpy().astype(np.float64))
        return np.concatenate(found)

    def _sentence(self, tokens: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (L, 300) and classes (L, 15) of at most 20 words between start and end."""
        vectors, tags = [], []
        for token in ("sos/OTHER", *tokens[:20], "eos/OTHER"):
            word, _, tag = token.rpartition("/")
            known = word in self._glove
            vectors.append(self._glove[word if known else "unk"])
            one = np.zeros(len(CLASSES), np.float32)
            one[CLASSES.index(word_class(word, tag) if known else "OTHER")] = 1
            tags.append(one)
        return np.array(vectors), np.array(tags)


def _find(folder: Path, *names: str) -> Path:
    for name in names:
        found = sorted(folder.rglob(name))
        if found:
            return found[0]
    raise InputError(f"{folder} has no {' or '.join(names)}, which T2M's evaluator needs")


class _Plain(pickle.Unpickler):
    """Lists, dictionaries, strings and numbers only."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it holds {module}.{name}, and might run code")


def _plain_pickle(path: Path) -> Any:
    with open(path, "rb") as file:
        return _Plain(file).load()


def _texts(folder: Path) -> dict[str, list[str]]:
    """Words with their classes of every caption in the folder's texts."""
    found: dict[str, list[str]] = {}
    for path in folder.rglob("texts/*.txt"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            caption, *rest = line.strip().split("#")
            if rest:
                found[caption.strip()] = rest[0].split()
    return found
