"""How much do the metrics cost? Ratios, measured in processor time on one thread.

    python benchmarks/bench_metrics.py

Motions are random walks of poses, 2 s at 20 fps: metrics cost the same for any motion. Last come
the distribution metrics of 2,000 samples, in seconds: FID of 512 features, and all of a generation
with a text-motion evaluator's 64.
"""

import time
from collections.abc import Callable

import numpy as np
import scipy.linalg
import torch

from motionloop.metrics.distribution import (
    bootstrap,
    diversity,
    frechet_distance,
    frechet_distance_of_moments,
    moments,
    precision_recall,
)
from motionloop.metrics.encoder_network import EncoderConfig
from motionloop.metrics.encoders import MotionEncoder
from motionloop.metrics.memorisation import nearest
from motionloop.metrics.motion import MotionMetrics
from motionloop.metrics.neighbours import manifold_scores
from motionloop.metrics.t2m_protocol import scores
from motionloop.motion.body import Body
from motionloop.motion.ground import ground_contacts
from motionloop.motion.motions import Motions
from physics.motion import SmplMotion

GENERATED, REFERENCE, FRAMES, FPS = 256, 500, 40, 20.0
MANY = 2000


def seconds(call: Callable[[], object], repeats: int = 3) -> float:
    """The least processor time of a few calls, the first one left out."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def random_motions(rng: np.random.Generator, count: int) -> Motions:
    def clip(n: int) -> SmplMotion:
        pose = 0.3 * rng.normal(size=(1, 23, 3)) + 0.02 * rng.normal(size=(FRAMES, 23, 3)).cumsum(0)
        transl = np.array([0, 0, 0.95]) + 0.02 * rng.normal(size=(FRAMES, 3)).cumsum(0)
        orient = np.tile([np.pi / 2, 0, 0], (FRAMES, 1))
        return SmplMotion(transl, orient, pose, np.zeros(10), FPS, "ab"[n % 2])

    return Motions.pack([clip(n) for n in range(count)])


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    body = Body.load()
    generated, reference = random_motions(rng, GENERATED), random_motions(rng, REFERENCE)
    config = EncoderConfig(steps=1)
    encoder = MotionEncoder.fit(reference, body.joints(reference), rng, config)
    metrics = MotionMetrics(body, encoder)
    metrics(generated, reference)
    judged = seconds(lambda: metrics(generated, reference))
    duration = GENERATED * FRAMES / FPS
    print(f"all figures of {GENERATED} windows of 2 s: {duration / judged:.0f} x real time")

    clips = generated[:16]
    posed = seconds(lambda: [(body.lowest(c), body.feet(c)) for c in clips.unpack()], 1)
    contacts = seconds(lambda: list(ground_contacts(body, clips)))
    print(f"contact with the ground against posing the skin: {posed / contacts:.0f} x faster")

    x, y = rng.normal(size=(GENERATED, 32)), rng.normal(size=(REFERENCE, 32))
    real = moments(y)

    def fid(a: np.ndarray, _: np.ndarray) -> float:
        return float(frechet_distance_of_moments(*moments(a), *real))

    interval = seconds(lambda: bootstrap(fid, x, y, rng, 200), 1)
    print(f"bootstrap of 200 replicates: {interval / judged:.0%} of all figures")
    neighbours = seconds(lambda: precision_recall(x, y))
    print(f"precision and recall: {neighbours / judged:.0%} of all figures")
    distributions(rng)


def distributions(rng: np.random.Generator) -> None:
    """Seconds of processor time of distances between 2,000 samples and 2,000 real ones."""
    x, y = rng.normal(size=(MANY, 512)), rng.normal(size=(MANY, 512))
    print(f"FID of {MANY} x 512 features: {seconds(lambda: frechet_distance(x, y)):.3f} s")
    root = seconds(lambda: scipy.linalg.sqrtm(np.cov(x.T) @ np.cov(y.T)), 1)
    print(f"general matrix root of the product alone, for comparison: {root:.3f} s")
    wide = {"T2M figures": seconds(lambda: t2m(x[:, :64], y[:, :64], rng), 1)}
    a, b = x[:, :32], y[:, :32]
    real = moments(b)

    def fid(generated: np.ndarray, _: np.ndarray) -> float:
        return float(frechet_distance_of_moments(*moments(generated), *real))

    wide["three bootstraps of FID"] = 3 * seconds(lambda: bootstrap(fid, a, b, rng, 200), 1)
    wide["precision, recall, density, coverage"] = seconds(lambda: manifold_scores(a, b), 1)
    wide["diversities"] = seconds(lambda: diversity(a, rng), 1)
    joints = rng.normal(size=(MANY, FRAMES, 24, 3))
    wide["nearest training motion"] = seconds(lambda: nearest(joints, joints), 1)
    for name, took in wide.items():
        print(f"{name} of {MANY} samples: {took:.2f} s")
    print(f"all distribution metrics of {MANY} samples: {sum(wide.values()):.1f} s")


def t2m(motion: np.ndarray, real: np.ndarray, rng: np.random.Generator) -> None:
    captions = np.array([f"caption {n % 100}" for n in range(len(motion))])
    scores(motion, motion + rng.normal(size=motion.shape), captions, real)


if __name__ == "__main__":
    main()
