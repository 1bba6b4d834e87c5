"""Does correction leave real motion alone? Distances of real windows to others, before and after.

    python benchmarks/corrected_real.py --data DIR [--windows 80]
    python benchmarks/corrected_real.py --data DIR --part train --out OUT
    motionloop evaluate OUT/physics.npz DIR --part reference --encoder E --evaluator T

DIR is an imported data set. Windows of two seconds of every other clip are corrected, the others
are the reference. A corrector that repairs and does not distort keeps the kinetic and geometric
Frechet distances (`metrics.kinetic`) within the interval of the uncorrected windows, and the travel
of the root. `--part` takes the windows from one part of the set, and `--out` writes them, so that
their FID and the agreement with their captions can be judged too.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from motionloop.metrics.kinetic import geometric_features, kinetic_features, kinetic_fid
from motionloop.motion.body import Body
from motionloop.motion.dataset import PARTS, load_clips, split
from motionloop.motion.motions import Motions
from physics.corrector import CorrectorConfig, TrackingCorrector
from physics.motion import SmplMotion
from physics.plausibility import root_travel_m

FPS, SECONDS = 20.0, 2.0
REDRAWS = 200  # bootstrap draws of the corrected set


def features(clips: list[SmplMotion], body: Body) -> list[np.ndarray]:
    """Kinetic and geometric features, (N, D) each."""
    motions = Motions.pack(clips)
    joints = body.joints(motions)
    return [
        kinetic_features(joints, motions.length, motions.fps),
        geometric_features(joints, motions.length),
    ]


def interval(some: np.ndarray, reference: np.ndarray, rng: np.random.Generator) -> list[float]:
    """Distance, and the 2.5 and 97.5 % points of its bootstrap over the rows of `some`."""
    draws = [
        kinetic_fid(some[rng.integers(0, len(some), len(some))], reference) for _ in range(REDRAWS)
    ]
    return [kinetic_fid(some, reference), *np.quantile(draws, [0.025, 0.975])]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="an imported data set")
    parser.add_argument("--part", choices=PARTS, help="only its clips (default: all)")
    parser.add_argument("--out", type=Path, help="folder for the windows, as files of motions")
    parser.add_argument("--windows", type=int, default=80, help="windows to correct")
    arguments = parser.parse_args()
    body, rng = Body.load(), np.random.default_rng(0)
    halves: tuple[list[SmplMotion], list[SmplMotion]] = ([], [])
    clips = load_clips(arguments.data)
    parts = split([entry for entry, _ in clips])
    chosen = [clip for entry, clip in clips if arguments.part in (None, parts[entry["name"]])]
    for number, clip in enumerate(chosen):
        clip, frames = clip.resample(FPS), round(SECONDS * FPS)
        starts = range(0, len(clip) - frames, frames)
        halves[number % 2].extend(clip[start : start + frames] for start in starts)
    given, others = ([half[i] for i in rng.permutation(len(half))] for half in halves)
    given, others = given[: arguments.windows], others[: 3 * arguments.windows]
    reference = features(others, body)

    sets = {"real": given}
    for name, config in (
        ("clean-up", CorrectorConfig(kinematic_only=True)),
        ("physics", CorrectorConfig()),
    ):
        with TrackingCorrector(body.skeleton, config) as corrector:
            results = corrector.correct(given)
        sets[name] = [result.motion for result in results]
        stood = sum(result.success for result in results)
    if arguments.out is not None:
        for name, some in sets.items():
            Motions.pack(some).save(arguments.out / f"{name}.npz")
    print(f"{len(given)} windows against {len(others)} of other clips; {stood} stood in simulation")
    travel = np.array([root_travel_m(clip.transl) for clip in given])
    for name, clips in sets.items():
        cells = [
            "{} {:.2f} ({:.2f} to {:.2f})".format(kind, *interval(found, known, rng))
            for kind, found, known in zip(
                ("kinetic", "geometric"), features(clips, body), reference
            )
        ]
        far = np.array([root_travel_m(clip.transl) for clip in clips])
        print(f"{name:9s} {'  '.join(cells)}  travel {far.sum() / travel.sum():.3f}")


if __name__ == "__main__":
    main()
