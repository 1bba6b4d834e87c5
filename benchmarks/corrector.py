"""How well does the corrector repair, and how often does it stand? One table for a fixed set.

    python benchmarks/corrector.py [--data DIR] [--motions FILE.npz] [--budget BW] [--only KIND]
    python benchmarks/corrector.py --kinematic [--data DIR]        the clean-up alone

The clips are the 20 shipped ones and, with `--data`, clips of an imported Bandai-Namco set, each
cut at 8 s, clean and with six corruptions; their seeds are fixed. `--motions` adds a file of
generated motions, such as a run's `generation_000/evaluation.npz`. `--sets others others-fast`
takes the clips of the Bandai-Namco set's first part that no setting was chosen on. Errors are means
over the clips that stood, so that rows of different success do not compare; `n` says how many did.
"""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.motion.correction import mpjpe_mm, plausibility
from motionloop.motion.motions import Motions
from motionloop.paths import CLIPS
from physics.cleanup import clean_up
from physics.corrector import CorrectorConfig, TrackingCorrector, TrackingResult
from physics.humanoid import Humanoid
from physics.motion import SmplMotion
from physics.plausibility import jerk, root_travel_m
from physics.skeleton import forward_kinematics
from physics.tracking.search import SearchConfig
from physics.tracking.workers import available_cores

SECONDS = 8.0
GENERATED = 256  # samples, the first ones of the file
ACROBATIC = (
    "backflip", "cartwheel", "crawl", "dance_a", "dance_b", "getup_facedown", "getup_faceup",
    "jump", "roll", "run", "spin", "spinkick",
)  # fmt: skip
# One clip of every content of the 136 unpacked ones, and every second walk, by style.
BANDAI = (
    "bow_tired_001", "bye_happy_001", "byebye_childish_001", "call_normal_001", "guide_giant_001",
    "punch_normal_001", "respond_normal_001", "slash_normal_001", "walk-back_sad_001",
    "walk-left_musical_001", "walk-right_angry_001", "walk_normal_001", "walk_tired_001",
    "walk_giant_002", "bow_happy_001", "bye_normal_001", "guide_sad_001", "walk-back_normal_001",
    "walk-left_normal_001", "walk-right_giant_001", "walk_active_001", "walk_angry_002",
    "walk_childish_001", "walk_feminine_001", "walk_masculinity_002", "walk_musical_001",
    "walk_not-confident_002", "walk_sad_001", "byebye_musical_001", "walk_happy_002",
    "bye_giant_001",
)  # fmt: skip
BANDAI_FAST = (
    "dash_active_001", "dash_tired_001", "run_normal_001", "run_angry_001", "run_happy_001",
)  # fmt: skip
SETS = ("everyday", "acrobatic", "generated")
OTHERS = ("others", "others-fast")  # clips of the first part that are not named above
CORRUPTIONS = ("clean", "jitter", "skate", "drift", "float", "penetrate", "all")


def corrupted(clip: SmplMotion, kind: str, seed: int) -> SmplMotion:
    """The clip with a corruption of the feasibility study.

    jitter: 1.5 cm of the root and 2.5 degrees of every joint; skate: the root 1.2 times too fast;
    drift: up to some 15 cm, slowly; float and penetrate: 5 cm; all: the first three and 3 cm up.
    """
    rng = np.random.default_rng(seed)
    transl, pose = clip.transl.copy(), [clip.global_orient, clip.body_pose]
    if kind in ("jitter", "all"):
        transl += rng.normal(0, 0.015, transl.shape)
        pose = [_turned(part, rng) for part in pose]
    if kind in ("skate", "all"):
        transl[:, :2] = transl[0, :2] + 1.2 * (transl[:, :2] - transl[0, :2])
    if kind in ("drift", "all"):
        time_ = np.linspace(0, 1, len(transl))[:, None]
        waves = rng.normal(size=(3, 3))
        waves *= np.array([0.15, 0.15, 0.03]) / np.linalg.norm(waves, axis=1, keepdims=True)
        transl += sum(np.sin(np.pi / 2 * (k + 1) * time_) * wave for k, wave in enumerate(waves))
    transl[:, 2] += {"float": 0.05, "penetrate": -0.05, "all": 0.03}.get(kind, 0.0)
    return replace(clip, transl=transl, global_orient=pose[0], body_pose=pose[1])


def _turned(rotations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    flat = np.array(rotations.reshape(-1, 3))
    noise = Rotation.from_rotvec(rng.normal(0, np.radians(2.5), flat.shape))
    return (Rotation.from_rotvec(flat) * noise).as_rotvec().reshape(rotations.shape)


def clip_sets(data: Path | None, motions: Path | None) -> dict[str, list[SmplMotion]]:
    """Named sets of clips, the everyday ones first."""
    shipped = {p.stem: p for p in sorted(CLIPS.glob("*.npz")) if "mirrored" not in p.stem}
    everyday = [path for name, path in shipped.items() if name not in ACROBATIC]
    hard = [shipped[name] for name in ACROBATIC]
    paths = {"everyday": everyday, "acrobatic": hard}
    if data is not None:
        everyday += [data / f"dataset-1_{name}.npz" for name in BANDAI]
        hard += [data / f"dataset-1_{name}.npz" for name in BANDAI_FAST]
        others = sorted(set(data.glob("dataset-1_*.npz")).difference(everyday, hard))
        fast = [path for path in others if path.stem.split("_")[1] in ("dash", "run")]
        paths |= {"others": [path for path in others if path not in fast], "others-fast": fast}
    sets = {name: [_cut(SmplMotion.load(path)) for path in some] for name, some in paths.items()}
    if motions is not None:
        sets["generated"] = Motions.load(motions)[:GENERATED].unpack()
    return sets


def _cut(clip: SmplMotion) -> SmplMotion:
    return clip[: int(SECONDS * clip.fps) + 1]


def _root_relative_mm(clip: SmplMotion, other: SmplMotion, body: Body) -> float:
    rest = body.rest_joints(clip.betas)
    joints = [
        forward_kinematics(rest, one.transl, one.global_orient, one.body_pose)[0]
        for one in (clip, other)
    ]
    a, b = (one - one[:, :1] for one in joints)
    return float(np.linalg.norm(a - b, axis=-1).mean() * 1000)


def _jerk(clip: SmplMotion, body: Body) -> float:
    rest = body.rest_joints(clip.betas)
    joints, _ = forward_kinematics(rest, clip.transl, clip.global_orient, clip.body_pose)
    return jerk(joints, clip.fps)


def row(
    clean: list[SmplMotion], given: list[SmplMotion], results: list[TrackingResult], body: Body
) -> dict[str, float]:
    """The figures of one set, means over the clips that stood."""
    stood = [k for k, result in enumerate(results) if result.success]
    figures = {"n": float(len(stood)), "of": float(len(results))}
    if not stood:
        return figures
    after = [results[k].motion for k in stood]
    pairs = [(clean[k], given[k], one) for k, one in zip(stood, after)]
    before_errors, errors = (
        plausibility(some, body) for some in ([given[k] for k in stood], after)
    )

    def mean(values) -> float:
        return float(np.mean(list(values)))

    return figures | {
        "assist": mean(results[k].assistance_mean_bw for k in stood),
        "g in": mean(mpjpe_mm(one, i, body) for _, i, one in pairs),
        "r in": mean(_root_relative_mm(one, i, body) for _, i, one in pairs),
        "g clean": mean(mpjpe_mm(one, c, body) for c, _, one in pairs),
        "r clean": mean(_root_relative_mm(one, c, body) for c, _, one in pairs),
        "pen": mean(e["penetrate_mm"] for e in errors),
        "float": mean(e["float_mm"] for e in errors),
        "skate": mean(e["skate_mm"] for e in errors),
        "force skate": mean(results[k].force_skate_mm for k in stood),
        "phys before": mean(e["phys_err_mm"] for e in before_errors),
        "phys after": mean(e["phys_err_mm"] for e in errors),
        "jerk": mean(_jerk(one, body) / _jerk(c, body) for c, _, one in pairs),
        "first": mean(results[k].rung == 0 for k in stood),
    }


def kinematic_row(clean: list[SmplMotion], given: list[SmplMotion], body: Body) -> dict[str, float]:
    """The figures of the clean-up alone; `deep` is the deepest vertex, `x real` processor time."""
    skeletons = {clip.betas.tobytes(): body.skeleton(clip.betas) for clip in given}
    start = time.process_time()
    after = [clean_up(clip, skeletons[clip.betas.tobytes()])[0] for clip in given]
    spent = time.process_time() - start
    before_errors, errors = plausibility(given, body), plausibility(after, body)

    def mean(values) -> float:
        return float(np.mean(list(values)))

    travels = [sum(root_travel_m(clip.transl) for clip in some) for some in (after, clean)]
    return {
        "g before": mean(mpjpe_mm(i, c, body) for i, c in zip(given, clean)),
        "g clean": mean(mpjpe_mm(one, c, body) for one, c in zip(after, clean)),
        "r before": mean(_root_relative_mm(i, c, body) for i, c in zip(given, clean)),
        "r clean": mean(_root_relative_mm(one, c, body) for one, c in zip(after, clean)),
        "pen": mean(e["penetrate_mm"] for e in errors),
        "deep": max(-1000 * float(body.lowest(one).min()) for one in after),
        "float": mean(e["float_mm"] for e in errors),
        "skate before": mean(e["skate_mm"] for e in before_errors),
        "skate": mean(e["skate_mm"] for e in errors),
        "jerk to input": mean(_jerk(one, body) / _jerk(i, body) for one, i in zip(after, given)),
        "travel": travels[0] / travels[1],
        "x real": sum(clip.duration for clip in given) / spent,
    }


def raw_speed(body: Body) -> float:
    """Simulated seconds for each second of one core of bare `mj_step`, standing."""
    humanoid = Humanoid.build(body.skeleton(np.zeros(10)))
    data = mujoco.MjData(humanoid.model)
    data.qpos[2] = 1.0
    start = time.process_time()
    mujoco.mj_step(humanoid.model, data, 4500)
    return 4500 * humanoid.options.timestep / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="imported Bandai-Namco clips")
    parser.add_argument("--motions", type=Path, help="generated motions, .npz")
    parser.add_argument("--budget", type=float, default=0.0, help="assistance, body weights")
    parser.add_argument("--retries", type=int, default=4, help="other settings after a fall")
    parser.add_argument("--search", type=int, default=16, help="draws in a round of the search")
    parser.add_argument("--kinematic", action="store_true", help="the clean-up alone")
    parser.add_argument(
        "--sets", nargs="+", choices=(*SETS, *OTHERS), default=SETS, help="some of the sets"
    )
    parser.add_argument("--only", choices=CORRUPTIONS, help="one corruption instead of all")
    arguments = parser.parse_args()
    if arguments.data is None and not set(OTHERS).isdisjoint(arguments.sets):
        parser.error(f"the sets {' and '.join(OTHERS)} are clips of --data, which is missing")
    body = Body.load()
    if arguments.kinematic:
        _print_kinematic(arguments, body)
        return
    config = CorrectorConfig(
        assistance_budget=arguments.budget,
        retries=arguments.retries,
        search=SearchConfig(samples=arguments.search),
    )
    print(f"assistance budget {config.assistance_budget:g} body weights, {config.retries} retries")
    print(f"bare mj_step: {raw_speed(body):.0f} x real time per core")
    with TrackingCorrector(body.skeleton, config) as corrector:
        for name, clean in clip_sets(arguments.data, arguments.motions).items():
            if name not in arguments.sets:
                continue
            kinds = ("clean",) if name == "generated" else CORRUPTIONS
            for kind in kinds if arguments.only is None else (arguments.only,):
                given = [corrupted(clip, kind, seed) for seed, clip in enumerate(clean)]
                start = time.perf_counter()
                results = corrector.correct(given)
                cores = (time.perf_counter() - start) * available_cores()
                figures = row(clean, given, results, body)
                figures["x real"] = sum(clip.duration for clip in clean) / cores
                _print_row(name, kind, figures)


def _print_kinematic(arguments: argparse.Namespace, body: Body) -> None:
    for name, clean in clip_sets(arguments.data, None).items():
        if name not in arguments.sets:
            continue
        for kind in CORRUPTIONS if arguments.only is None else (arguments.only,):
            given = [corrupted(clip, kind, seed) for seed, clip in enumerate(clean)]
            _print_row(name, kind, kinematic_row(clean, given, body))


def _print_row(name: str, kind: str, figures: dict[str, float]) -> None:
    cells = " · ".join(f"{key} {value:.3g}" for key, value in figures.items())
    print(f"{name} {kind}: {cells}", flush=True)


if __name__ == "__main__":
    main()
