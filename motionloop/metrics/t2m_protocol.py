"""The T2M protocol: what the figures of text-to-motion papers mean, in one place.

Guo et al., Generating Diverse and Natural 3D Human Motions from Text (CVPR 2022), section 5, on
features of motions and captions of any evaluator:

    R-precision  among 32 motions the caption's own is one of the k nearest, k = 1, 2, 3
    MM-distance  from a motion to its own caption
    FID          Frechet distance of motion features, generated against real
    diversity    mean distance of 300 random pairs of motions
    multimodality  mean distance of 10 random pairs of motions of one caption

R-precision, MM-distance, diversity and multimodality are the mean of 20 draws of batches and
pairs, with 1.96 standard errors of that mean as T2M states it. T2M also generates anew for every
draw; here the motions stay, so that these intervals are of the draws alone, and FID, which has no
draw, gets the bootstrap's interval of the sample. Only the caption's own motion is right: where
captions repeat among the 32, even real motion cannot reach 1, so read the row of the real data.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from motionloop.metrics import distribution
from motionloop.metrics.checks import checked

MEANING = {
    "r_precision_1": "captions whose own motion is the nearest of 32; as real",
    "r_precision_2": "among the two nearest; as real",
    "r_precision_3": "among the three nearest; as real",
    "mm_distance": "from a motion to its caption; as real",
    "t2m_fid": "Frechet distance to real motion; low",
    "t2m_fid_infinity": "the same without the bias of few samples; low",
    "t2m_diversity": "mean distance of two motions; as real",
    "multimodality": "mean distance of two motions of one caption; as real",
}


@dataclass(frozen=True)
class Protocol:
    """The numbers of the protocol.

    Attributes:
        candidates: motions that a caption chooses among.
        top: the k of R-precision.
        repeats: draws.
        diversity_pairs: random pairs of motions, fewer where there are fewer.
        multimodality_pairs: random pairs of motions of a caption; captions with fewer than twice
            as many motions are left out.
        resamples: bootstrap replicates of the FID.
        fewest: motions under which a warning says that figures are mostly bias.
    """

    candidates: int = 32
    top: int = 3
    repeats: int = 20
    diversity_pairs: int = 300
    multimodality_pairs: int = 10
    resamples: int = 200
    fewest: int = 320

    @property
    def name(self) -> str:
        """What every result is labelled with."""
        return (
            f"T2M, {self.candidates} candidates, {self.repeats} draws, {self.diversity_pairs} pairs"
        )


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval.

    Attributes:
        value: the figure.
        low: of the interval.
        high: of the interval.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of_draws(cls, draws: np.ndarray) -> "Estimate":
        """Mean of draws (R,) with 1.96 standard errors."""
        mean, error = float(draws.mean()), 1.96 * float(draws.std()) / len(draws) ** 0.5
        return cls(mean, mean - error, mean + error)


def r_precision(
    motion: np.ndarray, caption: np.ndarray, rng: np.random.Generator, protocol: Protocol
) -> list[Estimate]:
    """R-precision for k = 1 .. top; empty where there are fewer motions than candidates.

    Args:
        motion: (N, D) features of motions.
        caption: (N, D) features of their captions.
        rng: deals the batches.
        protocol: the numbers.
    """
    size = protocol.candidates
    draws = []
    for batches in _batches(len(motion), size, rng, protocol.repeats):
        near = _distances(caption[batches], motion[batches])  # (batches, captions, motions)
        own = np.diagonal(near, axis1=1, axis2=2)[..., None]
        ahead = (near < own).sum(-1)  # motions that are nearer than the caption's own
        draws.append([(ahead < k).mean() for k in range(1, protocol.top + 1)])
    return [Estimate.of_draws(column) for column in np.array(draws).T] if draws else []


def mm_distance(
    motion: np.ndarray, caption: np.ndarray, rng: np.random.Generator, protocol: Protocol
) -> Estimate | None:
    """Mean distance of motions to their captions over batches; none under one batch."""
    distance = np.linalg.norm(motion - caption, axis=1)
    batches = _batches(len(motion), protocol.candidates, rng, protocol.repeats)
    means = [distance[rows].mean() for rows in batches]
    return Estimate.of_draws(np.array(means)) if means else None


def diversity(motion: np.ndarray, rng: np.random.Generator, protocol: Protocol) -> Estimate | None:
    """Mean distance of random pairs; none under two motions."""
    pairs = min(protocol.diversity_pairs, len(motion))
    if len(motion) < 2:
        return None
    return Estimate.of_draws(
        np.array([_mean_pair(motion, pairs, rng) for _ in range(protocol.repeats)])
    )


def multimodality(
    motion: np.ndarray, captions: np.ndarray, rng: np.random.Generator, protocol: Protocol
) -> Estimate | None:
    """Mean distance of random pairs of one caption's motions; none where no caption has enough.

    Args:
        motion: (N, D) features.
        captions: (N,) str.
        rng: draws the pairs.
        protocol: the numbers.
    """
    pairs = protocol.multimodality_pairs
    groups = [np.flatnonzero(captions == text) for text in np.unique(captions)]
    groups = [motion[rows] for rows in groups if len(rows) >= 2 * pairs]
    if not groups:
        return None
    return Estimate.of_draws(
        np.array(
            [
                np.mean([_mean_pair(group, pairs, rng) for group in groups])
                for _ in range(protocol.repeats)
            ]
        )
    )


def fid(
    motion: np.ndarray, real: np.ndarray, rng: np.random.Generator, protocol: Protocol
) -> Estimate:
    """Frechet distance of motion features (N, D) to real ones (M, D); interval by bootstrap.

    Raises:
        InputError: fewer than two on a side, or NaN.
    """
    moments = distribution.moments(real)

    def distance(generated: np.ndarray, _: np.ndarray) -> float:
        found = distribution.moments(generated)
        return float(distribution.frechet_distance_of_moments(*found, *moments))

    low, high = distribution.bootstrap(distance, motion, motion, rng, protocol.resamples)
    return Estimate(distance(motion, motion), max(low, 0.0), high)


def scores(
    motion: np.ndarray,
    caption: np.ndarray,
    captions: np.ndarray,
    real: np.ndarray,
    protocol: Protocol | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Every figure of the protocol that so many motions support.

    Args:
        motion: (N, D) features of the motions that are judged.
        caption: (N, D) features of their captions.
        captions: (N,) the captions.
        real: (M, D) features of real motions.
        protocol: the numbers; T2M's by default.
        seed: of all draws; the same features always give the same figures.
    """
    protocol = protocol or Protocol()
    motion, caption, real = checked(motion), checked(caption), checked(real)
    if min(len(motion), len(real)) < protocol.fewest:
        warnings.warn(
            f"{len(motion)} motions against {len(real)} real ones: under {protocol.fewest} the "
            "FID is mostly bias and R-precision rests on few batches; compare only with figures "
            "of as many",
            stacklevel=2,
        )

    def rng() -> np.random.Generator:
        return np.random.default_rng(seed)

    found: dict[str, Estimate | None] = {
        f"r_precision_{k}": value
        for k, value in enumerate(r_precision(motion, caption, rng(), protocol), start=1)
    }
    found["mm_distance"] = mm_distance(motion, caption, rng(), protocol)
    if min(len(motion), len(real)) >= 2:
        found |= fids(motion, real, protocol, seed)
    found["t2m_diversity"] = diversity(motion, rng(), protocol)
    found["multimodality"] = multimodality(motion, captions, rng(), protocol)
    return {name: value for name, value in found.items() if value is not None}


def fids(
    motion: np.ndarray, real: np.ndarray, protocol: Protocol | None = None, seed: int = 0
) -> dict[str, Estimate]:
    """`t2m_fid`, and `t2m_fid_infinity` where there are motions enough for it."""
    protocol = protocol or Protocol()
    found = {"t2m_fid": fid(motion, real, np.random.default_rng(seed), protocol)}
    unbiased = distribution.frechet_distance_at_infinity(motion, real, np.random.default_rng(seed))
    if unbiased is not None:
        found["t2m_fid_infinity"] = Estimate(*unbiased)
    return found


def _batches(count: int, size: int, rng: np.random.Generator, repeats: int) -> list[np.ndarray]:
    """Rows (batches, size) of each draw, the rest left out; empty where there is no whole batch."""
    whole = count // size
    if whole == 0:
        return []
    return [rng.permutation(count)[: whole * size].reshape(whole, size) for _ in range(repeats)]


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances (..., N, M) of rows (..., N, D) and (..., M, D)."""
    squares = (a**2).sum(-1)[..., :, None] + (b**2).sum(-1)[..., None, :]
    return np.sqrt(np.maximum(squares - 2 * a @ np.swapaxes(b, -1, -2), 0.0))


def _mean_pair(motion: np.ndarray, pairs: int, rng: np.random.Generator) -> float:
    first, second = (rng.choice(len(motion), pairs, replace=False) for _ in range(2))
    return float(np.linalg.norm(motion[first] - motion[second], axis=1).mean())
