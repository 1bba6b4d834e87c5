"""Train a text-motion evaluator on one part of a data set, and judge real motion of another."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from motionloop.metrics.t2m_protocol import Estimate, fids, scores
from motionloop.metrics.text_motion import TextMotionEvaluator
from motionloop.metrics.text_motion_network import EvaluatorConfig
from motionloop.motion.body import Body
from motionloop.motion.clip_store import ClipStore
from motionloop.motion.dataset import PARTS, captions_of, split
from motionloop.motion.motions import Motions
from motionloop.samples import InputError

# An evaluator learns from so many clips at most, and from the first seconds of each.
MOST_CLIPS = 4000
MOST_SECONDS = 20.0


def fit_on_dataset(
    directory: Path,
    body: Body,
    config: EvaluatorConfig | None = None,
    parts: Sequence[str] = ("encoder",),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> TextMotionEvaluator:
    """An evaluator of the clips of some parts of a data set.

    By default it learns from clips that no generator trains on: were they the generator's, copies
    of them would look better than any other motion.

    Args:
        directory: the data set.
        body: gives joints.
        config: how to train.
        parts: of the split.
        seed: sets weights and windows.
        progress: called as `progress(done, total)`.

    Raises:
        InputError: an unknown part, or no clips or too few captions in them.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise InputError(f"there is no part {unknown[0]!r}; parts are {', '.join(PARTS)}")
    config = config or EvaluatorConfig()
    rng = np.random.default_rng(seed)
    motions, captions = _clips(directory, parts, config.fps, rng)
    joints = body.joints(motions)
    evaluator = TextMotionEvaluator.fit(motions, joints, rng, config, progress, captions)
    evaluator.training |= {"data": directory.resolve().name, "parts": list(parts), "seed": seed}
    return evaluator


def real_scores(
    evaluator: TextMotionEvaluator, directory: Path, body: Body, seed: int = 0
) -> dict[str, Estimate]:
    """The T2M figures of the real clips of the part `reference`, which no one learned from.

    Of several captions of a clip one counts, drawn at random. FID is that of one half of the
    clips against the other, at random.

    Raises:
        InputError: there is no such clip.
    """
    rng = np.random.default_rng(seed)
    motions, captions = _clips(directory, ("reference",), evaluator.config.fps, rng)
    features = evaluator.motions(body.joints(motions), motions.length, motions.fps)
    draw = np.random.default_rng([seed, 1])
    said = np.array([texts[draw.integers(len(texts))] for texts in captions])
    found = scores(features, evaluator.captions(said), said, features, seed=seed)
    half = rng.permutation(len(features))
    for name in ("t2m_fid", "t2m_fid_infinity"):
        found.pop(name, None)
    first, second = half[: len(half) // 2], half[len(half) // 2 :]
    if len(first) >= 2:
        found |= fids(features[first], features[second], seed=seed)
    return found


def _clips(
    directory: Path, parts: Sequence[str], fps: float, rng: np.random.Generator
) -> tuple[Motions, list[list[str]]]:
    """Clips of some parts of a data set at `fps`, and all captions of each.

    At most `MOST_CLIPS` of `MOST_SECONDS`; a stretch with captions of its own is a clip.
    """
    clips = ClipStore.open(directory)
    dealt = split(clips.entries)
    rows = [n for n, entry in enumerate(clips.entries) if dealt[entry["name"]] in parts]
    if not rows:
        raise InputError(
            f"{directory} has no clips of part {' or '.join(parts)}; deal its clips again with: "
            f"motionloop data split {directory}"
        )
    clips = clips.subset(rows).stretches()
    chosen = np.sort(rng.permutation(len(clips))[:MOST_CLIPS]).tolist()
    read = [clips.clip(n, 0, round(MOST_SECONDS * float(clips.fps[n]))) for n in chosen]
    captions = [[text for text, *_ in captions_of(clips.entries[n])] for n in chosen]
    return Motions.pack([clip.resample(fps) for clip in read]), captions
