"""BVH files of SMPL motions, and the exact way back.

The file has SMPL's 24 joints by name, its rest offsets in metres, and six channels on the root,
three on the others: Zrotation Xrotation Yrotation, degrees. With y up, as Blender's importer
expects by default, the zero pose is SMPL's own: a T that looks along +z. With z up the same
skeleton is turned about x, and every local rotation R becomes C R C^T, C = `REST_TO_WORLD`.
The root's channels are the pelvis's place in the world; its OFFSET is zero.
"""

import io
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.motion.formats.bvh import Bvh
from motionloop.samples import InputError, write_whole
from physics.motion import SmplMotion
from physics.skeleton import JOINT_COUNT, JOINT_NAMES, PARENTS, REST_TO_WORLD, rotation_matrices

_ORDER = "ZXY"
_TIPS = {"foot": 0.06, "head": 0.15, "hand": 0.08}  # m, lengths of the last bones
# A file is ours when its rest offsets are the body's to this; BVH keeps nine digits.
_SAME_M = 1e-5


def write_bvh(motion: SmplMotion, path: Path, body: Body, up: str = "y") -> None:
    """Write a motion as BVH, whole or not at all.

    Args:
        motion: T frames.
        path: the file.
        body: whose rest joints the skeleton has, in the motion's shape.
        up: the file's up axis, "y" or "z".
    """
    rest = body.rest_joints(motion.betas)
    to_file = _to_file(up)
    axes = np.eye(3) if up == "y" else REST_TO_WORLD
    poses = np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1)
    local = rotation_matrices(poses)
    local[:, 0] = to_file @ local[:, 0]
    local[:, 1:] = axes @ local[:, 1:]
    local = local @ axes.T
    lines: list[str] = ["HIERARCHY"]
    order: list[int] = []

    def add(joint: int, depth: int) -> None:
        tabs = "\t" * depth
        order.append(joint)
        offset = axes @ (rest[joint] - rest[PARENTS[joint]]) if joint else np.zeros(3)
        channels = " ".join(f"{axis}rotation" for axis in _ORDER)
        channels = f"CHANNELS 3 {channels}" if joint else (
            f"CHANNELS 6 Xposition Yposition Zposition {channels}"
        )  # fmt: skip
        lines.extend([
            f"{tabs}{'JOINT' if joint else 'ROOT'} {JOINT_NAMES[joint]}",
            f"{tabs}{{",
            f"{tabs}\tOFFSET {_row(offset)}",
            f"{tabs}\t{channels}",
        ])  # fmt: skip
        children = [c for c in range(JOINT_COUNT) if PARENTS[c] == joint]
        for child in children:
            add(child, depth + 1)
        if not children:
            bone = rest[joint] - rest[PARENTS[joint]]
            tip = _TIPS[JOINT_NAMES[joint].split("_")[-1]] * bone / np.linalg.norm(bone)
            lines.extend([
                f"{tabs}\tEnd Site",
                f"{tabs}\t{{",
                f"{tabs}\t\tOFFSET {_row(axes @ tip)}",
                f"{tabs}\t}}",
            ])  # fmt: skip
        lines.append(f"{tabs}}}")

    add(0, 0)
    angles = Rotation.from_matrix(local[:, order].reshape(-1, 3, 3)).as_euler(_ORDER, degrees=True)
    place = (rest[0] + motion.transl) @ to_file.T
    numbers = np.concatenate([place, angles.reshape(len(motion), -1)], axis=1)
    lines += ["MOTION", f"Frames: {len(motion)}", f"Frame Time: {1 / motion.fps:.9g}"]
    text = io.BytesIO()
    np.savetxt(text, numbers, fmt="%.7f")
    content = ("\n".join(lines) + "\n").encode() + text.getvalue()
    write_whole(path, lambda file: file.write(content))


def smpl_motion(bvh: Bvh, body: Body, caption: str = "") -> SmplMotion | None:
    """The motion of a file that has SMPL's joints and rest pose, exactly; else None.

    The shape is told from the offsets; where no shape of `body` has them, the file is none of
    its skeletons and is left to retargeting.
    """
    names = [name.lower() for name in bvh.names]
    if not set(JOINT_NAMES) <= set(names):
        return None
    at = [names.index(name) for name in JOINT_NAMES]
    inner = {j: n for n, j in enumerate(at)}
    if any(inner.get(bvh.parents[at[j]], -1) != PARENTS[j] for j in range(1, JOINT_COUNT)):
        return None
    if any("position" in c for j in at[1:] for c in bvh.channels[j]):
        return None
    offsets = bvh.offsets[at]
    for up in ("y", "z"):
        axes = np.eye(3) if up == "y" else REST_TO_WORLD
        betas = _shape(offsets[1:] @ axes, body)
        if betas is not None:
            return _decoded(bvh, at, up, axes, betas, body, caption)
    return None


def _decoded(bvh: Bvh, at: list[int], up: str, axes, betas, body: Body, caption) -> SmplMotion:
    starts = np.cumsum([0, *(len(c) for c in bvh.channels)])
    local = np.empty((len(bvh), JOINT_COUNT, 3, 3))
    place = np.zeros((len(bvh), 3))
    for j, source in enumerate(at):
        channels = bvh.channels[source]
        columns = bvh.frames[:, starts[source] : starts[source] + len(channels)]
        turns = [k for k, c in enumerate(channels) if c.endswith("rotation")]
        if turns:
            order = "".join(channels[k][0] for k in turns)
            turned = Rotation.from_euler(order, columns[:, turns], degrees=True)
            local[:, j] = turned.as_matrix()
        else:
            local[:, j] = np.eye(3)
        for k, channel in enumerate(channels):
            if channel.endswith("position"):
                place[:, "XYZ".index(channel[0])] = columns[:, k]
    local = local @ axes
    local[:, 0] = _to_file(up).T @ local[:, 0]
    local[:, 1:] = axes.T @ local[:, 1:]
    poses = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_rotvec().reshape(len(bvh), -1, 3)
    return SmplMotion(
        transl=place @ _to_file(up) - body.rest_joints(betas)[0],
        global_orient=poses[:, 0],
        body_pose=poses[:, 1:],
        betas=betas,
        fps=bvh.fps,
        caption=caption,
    )


def _shape(offsets: np.ndarray, body: Body) -> np.ndarray | None:
    """The shape (10,) whose rest offsets (23, 3) these are, m; None where there is none."""

    def of(betas: np.ndarray) -> np.ndarray:
        rest = body.rest_joints(betas)
        return (rest[1:] - rest[list(PARENTS[1:])]).ravel()

    mean = of(np.zeros(10))
    if np.abs(offsets.ravel() - mean).max() < _SAME_M:
        return np.zeros(10)
    change = np.stack([of(row) - mean for row in np.eye(10)], axis=1)
    betas = np.linalg.lstsq(change, offsets.ravel() - mean, rcond=None)[0]
    return betas if np.abs(mean + change @ betas - offsets.ravel()).max() < _SAME_M else None


def _to_file(up: str) -> np.ndarray:
    """The rotation from the z-up world to the file's."""
    if up not in ("y", "z"):
        raise InputError(f"the up axis is {up!r}; known are y and z")
    return REST_TO_WORLD.T if up == "y" else np.eye(3)


def _row(values: np.ndarray) -> str:
    return " ".join(f"{value:.9f}" for value in values)
