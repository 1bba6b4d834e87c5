"""Does the text-motion evaluator see what it should? Real motion, spoilt on purpose, more and more.

    python benchmarks/bench_evaluator.py --data bandai [--evaluator FILE] [--picture FILE]

Trains an evaluator on the `encoder` part of a data set, or takes the one given, and judges windows
of the `reference` part, which it never saw. Figures of spoilt motion stand against the same clips
cut half a second later. Prints a table for docs/evaluator.md and draws its picture.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from motionloop.metrics.evaluator_training import fit_on_dataset
from motionloop.metrics.t2m_protocol import Protocol, fid, scores
from motionloop.metrics.text_motion import TextMotionEvaluator
from motionloop.metrics.text_motion_network import EvaluatorConfig
from motionloop.motion.body import Body
from motionloop.motion.clip_store import ClipStore
from motionloop.motion.dataset import split
from motionloop.motion.motions import Motions, caption_class
from motionloop.motion.windows import WindowPlan
from physics.motion import SmplMotion

SECONDS, FPS = 2.0, 20.0
Spoiler = Callable[[SmplMotion, float, np.random.Generator], SmplMotion]


def noisy(clip: SmplMotion, amount: float, rng: np.random.Generator) -> SmplMotion:
    """White noise of `amount` rad on every joint."""
    return SmplMotion(
        clip.transl,
        clip.global_orient,
        clip.body_pose + amount * rng.normal(size=clip.body_pose.shape),
        clip.betas,
        clip.fps,
        clip.caption,
    )


def warped(clip: SmplMotion, amount: float, rng: np.random.Generator) -> SmplMotion:
    """Played faster and slower by turns: the logarithm of the speed varies by `amount`.

    The speed is white noise smoothed over a quarter of a second; the duration stays.
    """
    kernel = np.hanning(round(0.5 * clip.fps) + 2)[1:-1]
    smooth = np.convolve(rng.normal(size=len(clip) + len(kernel) - 1), kernel, "valid")
    speed = np.exp(amount * smooth / np.linalg.norm(kernel))
    places = np.concatenate([[0.0], np.cumsum(speed)[:-1]])
    return clip.at(places * (len(clip) - 1) / places[-1], clip.fps)


def sliding(clip: SmplMotion, amount: float, rng: np.random.Generator) -> SmplMotion:
    """The whole body slides at `amount` m/s in one direction."""
    angle = rng.uniform(0, 2 * np.pi)
    way = np.array([np.cos(angle), np.sin(angle), 0.0]) * amount / clip.fps
    transl = clip.transl + np.arange(len(clip))[:, None] * way
    return SmplMotion(
        transl, clip.global_orient, clip.body_pose, clip.betas, clip.fps, clip.caption
    )


SPOILERS: dict[str, tuple[Spoiler, str, tuple[float, ...]]] = {
    "noise": (noisy, "rad on every joint", (0.0, 0.01, 0.02, 0.05, 0.1)),
    "time-warp": (warped, "deviation of log speed", (0.0, 0.25, 0.5, 0.75, 1.0)),
    "foot slide": (sliding, "m/s", (0.0, 0.1, 0.2, 0.4, 0.8)),
}
DROPPED = (0.0, 0.2, 0.4, 0.6, 0.8)


def features(evaluator: TextMotionEvaluator, body: Body, motions: Motions) -> np.ndarray:
    return evaluator.motions(body.joints(motions), motions.length, motions.fps)


def keep_classes(motions: Motions, dropped: float, seed: int) -> np.ndarray:
    """Rows of the motions whose class is not among the dropped share of classes."""
    kinds = np.array([caption_class(str(caption)) for caption in motions.caption])
    names = np.random.default_rng(seed).permutation(np.unique(kinds))
    return np.flatnonzero(np.isin(kinds, names[round(dropped * len(names)) :]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a data set folder")
    parser.add_argument("--evaluator", type=Path, help="of motionloop; none trains one")
    parser.add_argument("--text_encoder", default=EvaluatorConfig.text_encoder)
    parser.add_argument("--keep", type=Path, help="save the trained evaluator here")
    parser.add_argument("--picture", type=Path, default=Path("docs/images/evaluator.png"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    body, clips = Body.load(), ClipStore.open(args.data)
    if args.evaluator:
        evaluator = TextMotionEvaluator.load(args.evaluator)
    else:
        start = time.process_time()
        config = EvaluatorConfig(text_encoder=args.text_encoder)
        evaluator = fit_on_dataset(args.data, body, config)
        if args.keep:
            evaluator.save(args.keep)
        print(f"trained in {time.process_time() - start:.0f} s of one core: {evaluator.training}")
    parts = split(clips.entries)
    held_out = clips.subset(
        [n for n, e in enumerate(clips.entries) if parts[e["name"]] == "reference"]
    )
    plan = WindowPlan.of(held_out, SECONDS, FPS, 0.5)
    # Every second window of a clip is judged, against the windows half a second after them.
    first = np.flatnonzero((plan.start[:-1] // round(0.5 * FPS)) % 2 == 0)
    first = first[plan.clip[first] == plan.clip[first + 1]]
    motions, real = plan.draw(held_out, first), plan.draw(held_out, first + 1)
    real_features = features(evaluator, body, real)
    protocol = Protocol()
    print(f"{evaluator.name}; {protocol.name}; {len(motions)} windows against {len(real)}")
    own = features(evaluator, body, motions)
    captions = evaluator.captions(motions.caption)
    for name, value in scores(own, captions, motions.caption, real_features, protocol).items():
        print(f"| `{name}` | {value.value:.3f} | {value.low:.3f} to {value.high:.3f} |")

    rng = np.random.default_rng(0)
    curves: dict[str, tuple[str, list[float], list]] = {}
    for kind, (spoil, unit, amounts) in SPOILERS.items():
        found = []
        for amount in amounts:
            spoilt = Motions.pack(
                [
                    spoil(clip, amount, np.random.default_rng([1, n]))
                    for n, clip in enumerate(motions.unpack())
                ]
            )
            found.append(fid(features(evaluator, body, spoilt), real_features, rng, protocol))
        curves[kind] = (unit, list(amounts), found)
    found = [
        fid(own[keep_classes(motions, dropped, 0)], real_features, rng, protocol)
        for dropped in DROPPED
    ]
    curves["mode dropping"] = ("part of the classes", list(DROPPED), found)
    for kind, (unit, amounts, found) in curves.items():
        row = " | ".join(
            f"{a:g}: {e.value:.2f} ({e.low:.2f}-{e.high:.2f})" for a, e in zip(amounts, found)
        )
        values = [e.value for e in found]
        print(f"{kind}, {unit}: {row}; {'grows' if values == sorted(values) else 'NOT MONOTONE'}")
    draw(curves, args.picture, f"{evaluator.name}, {len(motions)} windows of {SECONDS:g} s")


def draw(curves: dict, path: Path, title: str) -> None:
    """FID against the amount of each defect."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(curves), figsize=(11, 2.7), layout="constrained")
    for panel, (kind, (unit, amounts, found)) in zip(axes, curves.items()):
        values = np.array([[e.value, e.low, e.high] for e in found])
        panel.fill_between(amounts, values[:, 1], values[:, 2], color="#0072B2", alpha=0.2)
        panel.plot(amounts, values[:, 0], "o-", color="#0072B2")
        panel.set_title(kind, loc="left", fontsize=9, fontweight="bold")
        panel.set_xlabel(unit, fontsize=8)
        panel.set_ylim(bottom=0)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("FID to real motion", fontsize=8)
    figure.suptitle(f"FID of spoilt real motion: {title}", fontsize=9, x=0.01, ha="left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
