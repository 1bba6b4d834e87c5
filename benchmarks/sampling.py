"""How many steps does a sampler need? Motions a second, and FID against the number of steps.

    python benchmarks/sampling.py                              trains briefly on the shipped clips
    python benchmarks/sampling.py --model runs/motion/generation_000/model.safetensors --data my_set

One torch thread, processor time. All rows start from the same noise for the same captions, so that
they differ by the sampler alone; FID is of encoder features against real windows and falls with the
number of samples, so read it against the row of DDPM with 1,000 steps.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from motionloop.metrics.distribution import frechet_distance
from motionloop.metrics.encoders import MotionEncoder
from motionloop.motion.body import Body
from motionloop.motion.clip_store import ClipStore
from motionloop.motion.generator import GeneratorConfig, MotionGenerator
from motionloop.motion.motions import Motions, caption_class
from motionloop.motion.windows import WindowPlan
from motionloop.paths import CLIPS

DDIM_STEPS = (2, 5, 10, 20, 50, 100)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="a generator's file; none trains one")
    parser.add_argument("--data", type=Path, default=CLIPS, help="data set for training and FID")
    parser.add_argument("--encoder", type=Path, help="of the FID (default: the shipped one)")
    parser.add_argument("--steps", type=int, default=1000, help="of training")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a motion")
    parser.add_argument("--ddpm", type=int, default=1000, help="steps of DDPM; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    body = Body.load()
    encoder = MotionEncoder.load(args.encoder) if args.encoder else MotionEncoder.shipped()
    clips = ClipStore.open(args.data)
    rng = np.random.default_rng(args.seed)
    if args.model:
        model = MotionGenerator.from_file(args.model, device="cpu")
        seconds = model.frames / model.fps
    else:
        model, seconds = trained(clips, body, args, rng), args.seconds
    plan = WindowPlan.of(clips, seconds, model.fps, 0.5)
    real = plan.draw(clips, np.sort(rng.permutation(len(plan))[:1000]))
    target = features(encoder, body, real)
    captions, lengths = model.sample_plan(args.samples, np.random.default_rng(args.seed))

    used = model.config
    rows = [("ddpm", args.ddpm)] if args.ddpm else []
    rows += [("ddim", steps) for steps in DDIM_STEPS]
    best: float | None = None
    print(f"{args.samples} motions of {seconds:g} s, FID against {len(real)} real windows")
    print("| sampler | steps | motions a second | times real time | FID | against the first |")
    print("|---|---|---|---|---|---|")
    for sampler, steps in rows:
        model.config = replace(used, sampler=sampler, sampling_steps=steps)
        start = time.process_time()
        motions = model.sample_captions(captions, lengths, np.random.default_rng(args.seed))
        took = time.process_time() - start
        fid = frechet_distance(features(encoder, body, motions), target)
        best = fid if best is None else best
        default = " (default)" if (sampler, steps) == (used.sampler, used.sampling_steps) else ""
        speed = args.samples / took
        print(
            f"| {sampler}{default} | {steps} | {speed:.1f} | {speed * seconds:.0f} | {fid:.2f} | "
            f"{100 * (fid / best - 1):+.0f} % |",
            flush=True,
        )


def trained(
    clips: ClipStore, body: Body, args: argparse.Namespace, rng: np.random.Generator
) -> MotionGenerator:
    """A model of 64 windows, trained briefly."""
    plan = WindowPlan.of(clips, args.seconds, 20.0, 0.25)
    windows = plan.draw(clips, np.sort(rng.permutation(len(plan))[:64]))
    model = MotionGenerator(
        GeneratorConfig(),
        sorted({caption_class(str(caption)) for caption in windows.caption}),
        plan.frames,
        20.0,
        body.rest_joints(np.zeros(10)),
        rng,
        "cpu",
    )
    start = time.process_time()
    loss = model.fit(windows, args.steps, rng)["train_loss"]
    print(f"trained {args.steps} steps in {time.process_time() - start:.0f} s, loss {loss:.3f}")
    return model


def features(encoder: MotionEncoder, body: Body, motions: Motions) -> np.ndarray:
    return encoder.features(body.joints(motions), motions.length, motions.fps)


if __name__ == "__main__":
    main()
