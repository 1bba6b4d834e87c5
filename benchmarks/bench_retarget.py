"""How fast is retargeting, and how near does it come? Frames for each second of one core.

    python benchmarks/bench_retarget.py [--bvh FOLDER] [--clips N]

Without a folder, the shipped clips are fitted to themselves. Ratios are to the forward
kinematics of the same frames, since absolute times mean little.
"""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.formats.bvh import joints_in_world, read_bvh
from motionloop.motion.formats.joint_names import match_joints
from motionloop.motion.formats.world import TO_Z_UP, in_world, up_axis
from motionloop.motion.retarget import SourceMotion, retarget
from motionloop.paths import CLIPS
from physics.skeleton import JOINT_NAMES, forward_kinematics


def source_of(path: Path) -> SourceMotion:
    """A BVH file as a source."""
    bvh = read_bvh(path)
    joints, rotations = joints_in_world(bvh)
    mapping = match_joints(bvh.names, bvh.parents, joints @ TO_Z_UP["y"].T)
    up = up_axis(joints, bvh.rest(), mapping)
    return in_world(joints, rotations, bvh.rest(), mapping, up, bvh.fps)


def shipped(rest: np.ndarray) -> list[SourceMotion]:
    """The shipped clips as sources of SMPL's own skeleton."""
    mapping = {name: j for j, name in enumerate(JOINT_NAMES) if "hand" not in name}
    return [
        SourceMotion(
            *forward_kinematics(rest, clip.transl, clip.global_orient, clip.body_pose),
            rest,
            mapping,
            clip.fps,
        )
        for _, clip in load_clips(CLIPS)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bvh", type=Path, help="folder of BVH files")
    parser.add_argument("--clips", type=int, default=40, help="files to take, spread evenly")
    arguments = parser.parse_args()

    rest = Body.load().rest_joints(np.zeros(10))
    if arguments.bvh:
        paths = sorted(arguments.bvh.glob("*.bvh"))
        paths = paths[:: max(1, len(paths) // arguments.clips)][: arguments.clips]
        sources = [source_of(path) for path in paths]
    else:
        sources = shipped(rest)[: arguments.clips]
    frames = np.array([len(source.joints) for source in sources])
    motions = [retarget(source, rest).motion for source in sources]  # also warms up

    start = time.process_time()
    for motion in motions:
        forward_kinematics(rest, motion.transl, motion.global_orient, motion.body_pose)
    kinematics = frames.sum() / (time.process_time() - start)
    print(f"{len(sources)} clips, {frames.sum()} frames")
    print(f"forward kinematics    {kinematics:8.0f} frames/s of one core")
    for name, changed in (
        ("with rotations", sources),
        ("positions alone", [replace(s, rotations_w=None, rest=None) for s in sources]),
    ):
        start = time.process_time()
        fits = [retarget(source, rest) for source in changed]
        speed = frames.sum() / (time.process_time() - start)
        error = np.average([fit.error_m for fit in fits], weights=frames)
        print(
            f"retarget, {name:15s} {speed:8.0f} frames/s of one core, "
            f"{speed / kinematics:.2f} of forward kinematics, mean joint error "
            f"{100 * error:.2f} cm, worst clip {100 * max(fit.error_m for fit in fits):.2f} cm"
        )


if __name__ == "__main__":
    main()
