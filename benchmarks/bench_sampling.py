"""How long the motion generator trains and samples, and how its motion compares with real motion.

Run: python benchmarks/bench_sampling.py [--steps 1000] [--samples 256]. One torch thread; times
are of the process, so that a busy machine changes them little. Jerk and slip are given as ratios
to the windows that it trains on.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.features import decode, encode
from motionloop.motion.generator import GeneratorConfig, MotionGenerator
from motionloop.motion.motions import Motions, caption_class
from motionloop.motion.windows import windows as windows_of
from motionloop.paths import CLIPS
from physics.skeleton import JOINT_NAMES, forward_kinematics

FEET = [JOINT_NAMES.index("left_foot"), JOINT_NAMES.index("right_foot")]


def world_joints(motions: Motions, rest: np.ndarray) -> np.ndarray:
    joints, _ = forward_kinematics(
        rest,
        motions.transl.reshape(-1, 3),
        motions.global_orient.reshape(-1, 3),
        motions.body_pose.reshape(-1, 23, 3),
    )
    return joints.reshape(*motions.transl.shape[:2], -1, 3)


def jerk(joints: np.ndarray, fps: float) -> float:
    """Mean jerk of the joints, m/s^3."""
    return float(np.linalg.norm(np.diff(joints, 3, axis=1), axis=-1).mean() * fps**3)


def slip(joints: np.ndarray) -> float:
    """Mean step of the slower foot, mm/frame."""
    steps = np.linalg.norm(np.diff(joints[:, :, FEET, :2], axis=1), axis=-1)
    return float(1000 * steps.min(-1).mean())


def shipped_windows(count: int, seed: int) -> tuple[Motions, np.ndarray]:
    """Two-second windows of the shipped clips at 20 Hz, drawn at random, and the body's rest."""
    pool, _ = windows_of(load_clips(CLIPS), seconds=2.0, fps=20.0, stride_s=0.25)
    pool = pool[pool.length == pool.length.max()]
    rows = np.random.default_rng(seed).permutation(len(pool))[:count]
    return pool[rows], Body.load().rest_joints(np.zeros(10))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="a Motions file instead of the shipped clips")
    parser.add_argument("--out", type=Path, help="write the samples here")
    args = parser.parse_args()
    torch.set_num_threads(1)
    windows, rest = shipped_windows(args.windows, args.seed)
    if args.data is not None:
        windows = Motions.load(args.data)[: args.windows]
    fps = float(windows.fps[0])
    encoded = encode(windows, rest)
    real = decode(encoded, rest, windows.length, fps, windows.caption)
    again = decode(encode(real, rest), rest, real.length, fps, real.caption)
    real_joints = world_joints(real, rest)
    error = np.abs(world_joints(again, rest) - real_joints).max()
    print(f"features round trip: {error:.1e} m over {len(real)} windows")

    classes = {caption_class(caption) for caption in windows.caption}
    rng = np.random.default_rng(args.seed)
    model = MotionGenerator(
        GeneratorConfig(), sorted(classes), windows.transl.shape[1], fps, rest, rng, "cpu"
    )
    start = time.process_time()
    loss = model.fit(windows, args.steps, rng)["train_loss"]
    trained = time.process_time()
    samples = model.sample(args.samples, rng)
    drawn = time.process_time()
    joints = world_joints(samples, rest)
    print(f"train {args.steps} steps: {trained - start:.1f} s, loss {loss:.3f}")
    print(f"sample {args.samples} windows: {drawn - trained:.1f} s")
    for name, own, ideal in (
        ("jerk, m/s^3", jerk(joints, fps), jerk(real_joints, fps)),
        ("slip, mm/frame", slip(joints), slip(real_joints)),
    ):
        print(f"{name}: {own:.1f}, real {ideal:.1f}, ratio {own / ideal:.2f}")
    if args.out is not None:
        samples.save(args.out)


if __name__ == "__main__":
    main()
