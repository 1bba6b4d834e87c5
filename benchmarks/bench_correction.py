"""How fast is correction, stage by stage? Seconds of motion for each second of one core.

    python benchmarks/bench_correction.py [--clips N] [--budget BW]

Prints ratios on this machine's own raw `mj_step` as well, since absolute times mean little.
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import mujoco
import numpy as np

from motionloop.motion.body import Body
from motionloop.paths import CLIPS
from physics.balance import rebalance
from physics.cleanup import clean_up
from physics.corrector import CorrectorConfig, TrackingCorrector, correct_clip, course_of
from physics.dynamics import plan_reference
from physics.humanoid import Humanoid
from physics.motion import SmplMotion
from physics.tracking.rollout import Rollout
from physics.tracking.support import support_of

SECONDS = 2.0


def timed(function, *arguments):
    """What a function returns, and the processor time that it took, s."""
    start = time.process_time()
    value = function(*arguments)
    return value, time.process_time() - start


def raw_simulation(humanoid: Humanoid, rollout: Rollout) -> None:
    """The same motion in the bare simulator, with the recorded torques."""
    data = mujoco.MjData(humanoid.model)
    data.qpos[:], data.qvel[:] = rollout.qpos[0], rollout.qvel[0]
    for ctrl, wrench in zip(rollout.ctrl, rollout.assistance):
        data.ctrl[:], data.qfrc_applied[:6] = ctrl, wrench
        mujoco.mj_step(humanoid.model, data, rollout.substeps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=20, help="shipped clips to take")
    parser.add_argument("--budget", type=float, default=0.25, help="assistance, body weights")
    arguments = parser.parse_args()

    body = Body.load()
    config = CorrectorConfig(assistance_budget=arguments.budget)
    paths = [path for path in sorted(CLIPS.glob("*.npz")) if "mirrored" not in path.stem]
    clips = [SmplMotion.load(path) for path in paths[: arguments.clips]]
    clips = [clip[: int(SECONDS * clip.fps) + 1] for clip in clips]
    skeleton = body.skeleton(np.zeros(10))
    humanoid, build = timed(Humanoid.build, skeleton)

    stages = ("raw mj_step", "clean-up", "re-plan", "reference", "tracking", "all")
    spent = dict.fromkeys(stages, 0.0)
    simulated = dict.fromkeys(spent, 0.0)
    for clip in clips:
        (cleaned, plan), seconds = timed(clean_up, clip, skeleton)
        spent["clean-up"] += seconds
        simulated["clean-up"] += clip.duration
        support = support_of(humanoid, cleaned, plan)
        planned, seconds = timed(rebalance, humanoid, cleaned, support, plan.flight, config.balance)
        spent["re-plan"] += seconds
        simulated["re-plan"] += clip.duration
        _, seconds = timed(plan_reference, humanoid, planned, config.control_step)
        spent["reference"] += seconds
        simulated["reference"] += clip.duration
        course = course_of(humanoid, planned, support, config)
        rollout, seconds = timed(course.simulate)
        spent["tracking"] += seconds
        simulated["tracking"] += len(rollout) * rollout.step
        _, seconds = timed(raw_simulation, humanoid, rollout)
        spent["raw mj_step"] += seconds
        simulated["raw mj_step"] += len(rollout) * rollout.step
        _, seconds = timed(correct_clip, clip, skeleton, config)
        spent["all"] += seconds
        simulated["all"] += clip.duration

    print(f"{len(clips)} windows of {SECONDS:.0f} s, budget {arguments.budget} body weights")
    print(f"build a humanoid: {build * 1000:.0f} ms")
    raw = simulated["raw mj_step"] / spent["raw mj_step"]
    for stage, seconds in spent.items():
        speed = simulated[stage] / seconds
        print(f"{stage:12s} {speed:6.1f} x real time per core, {speed / raw:5.2f} of raw mj_step")

    with TrackingCorrector(body.skeleton, config) as corrector:
        corrector.correct(clips[:2])  # starts the workers
        start = time.perf_counter()
        results = corrector.correct(clips)
        seconds = time.perf_counter() - start
    total = sum(clip.duration for clip in clips)
    print(f"all workers  {total / seconds:6.1f} x real time by the clock, their start not counted")
    print(f"{sum(r.success for r in results)} of {len(results)} windows stood")


if __name__ == "__main__":
    main()
