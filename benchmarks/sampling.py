"""How many steps does a sampler need? Motions a second, and FID against the number of steps.

    python benchmarks/sampling.py                              trains briefly on the shipped clips
    python benchmarks/sampling.py --model runs/motion/generation_000/model.safetensors \
        --data my_set --encoder my_set/encoder_2s_20fps.safetensors

One torch thread, processor time. All rows draw the same captions, and DDIM's start from the same
noise, so that they differ by the sampler alone. FID is of encoder features against held-out real
windows and falls with the number of samples: read it against the first row, DDPM with 1,000 steps.
The kinetic FID sees what FID does not: jitter, slide, over-smoothing. The last line applies the
rule by which `sampling_steps` is chosen: the fewest steps whose FID, and that of all rows with
more, stays within 5 % of the first row.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from motionloop.launch import save_json
from motionloop.metrics.distribution import frechet_distance
from motionloop.metrics.encoders import MotionEncoder
from motionloop.metrics.kinetic import ReferenceSpace, kinetic_features
from motionloop.motion.body import Body
from motionloop.motion.clip_store import ClipStore
from motionloop.motion.dataset import split
from motionloop.motion.generator import GeneratorConfig, MotionGenerator
from motionloop.motion.motions import Motions, caption_class
from motionloop.motion.windows import WindowPlan
from motionloop.paths import CLIPS

DDPM_STEPS = (1000, 50, 20)
DDIM_STEPS = (2, 4, 6, 8, 10, 15, 20, 30, 50, 100)
TOLERANCE = 0.05  # of the FID of the first row


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
    parser.add_argument("--ddpm", type=int, nargs="*", default=DDPM_STEPS, help="steps of DDPM")
    parser.add_argument("--ddim", type=int, nargs="+", default=DDIM_STEPS, help="steps of DDIM")
    parser.add_argument("--guidance", type=float, help="of the captions (default: the model's)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the table here")
    args = parser.parse_args()
    torch.set_num_threads(1)
    clips = ClipStore.open(args.data)
    model = (
        MotionGenerator.from_file(args.model, device="cpu") if args.model else trained(clips, args)
    )
    if args.guidance is not None:
        model.config = replace(model.config, guidance=args.guidance)
    encoder = MotionEncoder.load(args.encoder) if args.encoder else MotionEncoder.shipped()
    judge = Judge(Body.load(), encoder, held_out(clips, model))
    captions, lengths = model.sample_plan(args.samples, np.random.default_rng(args.seed))

    used = model.config
    rows = [("ddpm", steps) for steps in sorted(args.ddpm, reverse=True)]
    rows += [("ddim", steps) for steps in sorted(args.ddim)]
    seconds = model.frames / model.fps
    print(f"{args.samples} motions of {seconds:g} s against {judge.windows} real windows")
    print("| sampler | steps | s | motions a second | FID | against the first | kinetic FID |")
    print("|---|---|---|---|---|---|---|")
    table = []
    for sampler, steps in rows:
        model.config = replace(used, sampler=sampler, sampling_steps=steps)
        start = time.process_time()
        motions = model.sample_captions(captions, lengths, np.random.default_rng(args.seed))
        took = time.process_time() - start
        fid, kinetic = judge(motions)
        table.append(
            {"sampler": sampler, "steps": steps, "s": took, "fid": fid, "kinetic": kinetic}
        )
        own = " (the model's)" if (sampler, steps) == (used.sampler, used.sampling_steps) else ""
        print(
            f"| {sampler}{own} | {steps} | {took:.1f} | {args.samples / took:.1f} | {fid:.2f} "
            f"| {100 * (fid / table[0]['fid'] - 1):+.0f} % | {kinetic:.1f} |",
            flush=True,
        )
    steps = fewest(table, used.sampler)
    found = "no number of steps holds" if steps is None else f"{steps} steps hold"
    print(f"{used.sampler}: {found} the FID of the first row")
    save_json(args.json, table)


class Judge:
    """FID and kinetic FID of motions against real windows.

    Attributes:
        windows: how many real ones.
    """

    def __init__(self, body: Body, encoder: MotionEncoder, real: Motions):
        self.body, self.encoder, self.windows = body, encoder, len(real)
        self._real, kinetic = self._features(real)
        self._space = ReferenceSpace.fit(kinetic)
        self._kinetic = self._space.project(kinetic)

    def __call__(self, motions: Motions) -> tuple[float, float]:
        """Both, of N motions."""
        features, kinetic = self._features(motions)
        return (
            frechet_distance(features, self._real),
            frechet_distance(self._space.project(kinetic), self._kinetic),
        )

    def _features(self, motions: Motions) -> tuple[np.ndarray, np.ndarray]:
        joints = self.body.joints(motions)
        return (
            self.encoder.features(joints, motions.length, motions.fps),
            kinetic_features(joints, motions.length, motions.fps),
        )


def held_out(clips: ClipStore, model: MotionGenerator) -> Motions:
    """At most 1,000 windows, as long as the model's motions, of clips that it did not train on."""
    parts = split(clips.entries)
    numbers = [n for n, e in enumerate(clips.entries) if parts[e["name"]] == "reference"]
    reference = clips.subset(numbers).stretches()
    plan = WindowPlan.of(reference, model.frames / model.fps, model.fps, 0.25)
    rows = np.random.default_rng(0).permutation(len(plan))[:1000]
    return plan.draw(reference, np.sort(rows))


def trained(clips: ClipStore, args: argparse.Namespace) -> MotionGenerator:
    """A model of 64 windows, trained briefly."""
    rng = np.random.default_rng(args.seed)
    plan = WindowPlan.of(clips, args.seconds, 20.0, 0.25)
    windows = plan.draw(clips, np.sort(rng.permutation(len(plan))[:64]))
    model = MotionGenerator(
        GeneratorConfig(),
        sorted({caption_class(str(caption)) for caption in windows.caption}),
        plan.frames,
        20.0,
        Body.load().rest_joints(np.zeros(10)),
        rng,
        "cpu",
    )
    start = time.process_time()
    loss = model.fit(windows, args.steps, rng)["train_loss"]
    print(f"trained {args.steps} steps in {time.process_time() - start:.0f} s, loss {loss:.3f}")
    return model


def fewest(table: Sequence[dict], sampler: str) -> int | None:
    """The fewest steps from which on every FID stays within the tolerance of the first row's."""
    most = (1 + TOLERANCE) * table[0]["fid"]
    own = [row for row in table[1:] if row["sampler"] == sampler]
    chosen = None
    for row in sorted(own, key=lambda row: -row["steps"]):
        if row["fid"] > most:
            break
        chosen = row["steps"]
    return chosen


if __name__ == "__main__":
    main()
