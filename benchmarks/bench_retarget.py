"""How fast is retargeting, how near does it come, and does any knee or elbow flip?

    python benchmarks/bench_retarget.py [--bvh FOLDER] [--clips N]

Frames for each second of one core; ratios are to the forward kinematics of the same frames, since
absolute times mean little. Knees and elbows bend one way: a flip shows as a large negative angle.
A twist that jumps shows as a large step from one frame to the next; beside it stands the largest
step of any rotation of the source's own elbows, which the fit should not pass. Without a folder,
the shipped clips are fitted to themselves.
"""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.formats.bvh import joints_in_world, read_bvh
from motionloop.motion.formats.joint_names import match_joints
from motionloop.motion.formats.world import TO_Z_UP, in_world, up_axis
from motionloop.motion.retarget import SourceMotion, retarget
from motionloop.paths import CLIPS
from physics.motion import SmplMotion
from physics.skeleton import JOINT_NAMES, PARENTS, forward_kinematics, rotation_matrices

# The axis that a joint bends about, in the rest pose, which looks along +z.
HINGES = {
    "left_knee": (1.0, 0.0, 0.0),
    "right_knee": (1.0, 0.0, 0.0),
    "left_elbow": (0.0, -1.0, 0.0),
    "right_elbow": (0.0, 1.0, 0.0),
}


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


def hinge(motion: SmplMotion, rest: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A joint's bend (T,) about its hinge and its twist (T,) about its bone, rad."""
    joint = JOINT_NAMES.index(name)
    bone = rest[PARENTS.index(joint)] - rest[joint]
    bone = bone / np.linalg.norm(bone)
    axis = np.array(HINGES[name]) - (HINGES[name] @ bone) * bone
    turns = rotation_matrices(motion.body_pose[:, joint - 1])
    bent = turns @ bone
    bend = np.arctan2(np.cross(bone, bent) @ axis / np.linalg.norm(axis), bent @ bone)
    quaternion = Rotation.from_matrix(turns).as_quat()
    return bend, 2 * np.arctan2(quaternion[:, :3] @ bone, quaternion[:, 3])


def largest_step(angle: np.ndarray) -> float:
    """The largest change of an angle (T,) from one frame to the next, rad."""
    return float(np.abs((np.diff(angle) + np.pi) % (2 * np.pi) - np.pi).max(initial=0.0))


def largest_turn(source: SourceMotion, name: str) -> float:
    """The largest change of a source's joint, seen from the joint above, in a frame; rad."""
    above = name.replace("elbow", "shoulder").replace("knee", "hip")
    if source.rotations_w is None or not {name, above} <= set(source.mapping):
        return float("nan")
    below, over = (source.rotations_w[:, source.mapping[n]] for n in (name, above))
    local = np.swapaxes(over, 1, 2) @ below
    steps = Rotation.from_matrix(np.swapaxes(local[:-1], 1, 2) @ local[1:])
    return float(steps.magnitude().max(initial=0.0))


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
    for name in HINGES:
        pairs = [hinge(motion, rest, name) for motion in motions]
        bends = np.degrees(np.concatenate([bend for bend, _ in pairs]))
        step = np.degrees(max(largest_step(twist) for _, twist in pairs))
        own = np.degrees(np.nanmax([largest_turn(source, name) for source in sources]))
        print(
            f"{name:12s} bends {bends.min():4.0f} to {bends.max():3.0f} degrees; largest step of "
            f"its twist {step:3.0f}, of the source's rotation {own:3.0f}"
        )


if __name__ == "__main__":
    main()
