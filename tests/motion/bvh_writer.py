"""Writes BVH text from SMPL motions, in several conventions, for tests of the reader."""

import numpy as np
from scipy.spatial.transform import Rotation

from physics.skeleton import JOINT_NAMES, PARENTS, forward_kinematics

MOCAP: dict[str, str] = dict(
    zip(
        JOINT_NAMES,
        [
            "Hips",
            "LeftUpLeg",
            "RightUpLeg",
            "Spine",
            "LeftLeg",
            "RightLeg",
            "Spine1",
            "LeftFoot",
            "RightFoot",
            "Spine2",
            "LeftToeBase",
            "RightToeBase",
            "Neck",
            "LeftShoulder",
            "RightShoulder",
            "Head",
            "LeftArm",
            "RightArm",
            "LeftForeArm",
            "RightForeArm",
            "LeftHand",
            "RightHand",
            "LeftHandIndex1",
            "RightHandIndex1",
        ],
    )
)
_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])  # world to file


def natural_axes() -> np.ndarray:
    """Local axes of the joints (24, 3, 3) that are SMPL's own."""
    return np.broadcast_to(np.eye(3), (24, 3, 3)).copy()


def bones_along_x(rest: np.ndarray, seed: int = 0) -> np.ndarray:
    """Local axes with every bone along x and quarter turns about it, as many exports have them."""
    rng = np.random.default_rng(seed)
    axes = natural_axes()
    for j in range(24):
        children = [c for c in range(24) if PARENTS[c] == j]
        if children:
            bone = rest[children[-1]] - rest[j]
            aim = Rotation.align_vectors([bone / np.linalg.norm(bone)], [[1.0, 0.0, 0.0]])[0]
            axes[j] = (aim * Rotation.from_euler("x", rng.integers(4) * np.pi / 2)).as_matrix()
        else:
            axes[j] = axes[PARENTS[j]]
    return axes


def bvh_text(
    motion,
    rest: np.ndarray,
    names: dict[str, str] = MOCAP,
    order: str = "ZXY",
    unit_m: float = 0.01,
    up: str = "y",
    axes: np.ndarray | None = None,
    every_position: bool = False,
    stretch: dict[str, float] | None = None,
) -> str:
    """A motion as BVH.

    Args:
        motion: an SmplMotion.
        rest: (24, 3) rest joints, m.
        names: what SMPL's joints are called.
        order: of the rotation channels.
        unit_m: metres in one unit.
        up: the file's up axis.
        axes: (24, 3, 3) local axes of the joints in SMPL's.
        every_position: position channels on every joint.
        stretch: factor of the bone that ends in a joint.
    """
    axes = natural_axes() if axes is None else axes
    _, rotations_w = forward_kinematics(rest, motion.transl, motion.global_orient, motion.body_pose)
    to_file = _Y_UP if up == "y" else np.eye(3)
    turned = to_file @ rotations_w @ axes
    offsets = np.zeros((24, 3))
    for j in range(1, 24):
        bone = (rest[j] - rest[PARENTS[j]]) * (stretch or {}).get(JOINT_NAMES[j], 1.0)
        offsets[j] = axes[PARENTS[j]].T @ bone / unit_m
    root = (motion.transl + rest[0]) @ to_file.T / unit_m
    lines: list[str] = ["HIERARCHY"]
    written: list[int] = []

    def write(j: int, depth: int) -> None:
        indent = "\t" * depth
        written.append(j)
        lines.append(f"{indent}{'JOINT' if j else 'ROOT'} {names[JOINT_NAMES[j]]}")
        lines.append(indent + "{")
        lines.append(
            f"{indent}\tOFFSET {offsets[j][0]:.9f} {offsets[j][1]:.9f} {offsets[j][2]:.9f}"
        )
        channels = [f"{axis}rotation" for axis in order]
        if j == 0 or every_position:
            channels = ["Xposition", "Yposition", "Zposition", *channels]
        lines.append(f"{indent}\tCHANNELS {len(channels)} {' '.join(channels)}")
        children = [c for c in range(24) if PARENTS[c] == j]
        for child in children:
            write(child, depth + 1)
        if not children:
            lines.append(
                f"{indent}\tEnd Site\n{indent}\t{{\n{indent}\t\tOFFSET 0 0 0\n{indent}\t}}"
            )
        lines.append(indent + "}")

    write(0, 0)
    columns = []
    for j in written:
        local = turned[:, j] if j == 0 else np.swapaxes(turned[:, PARENTS[j]], 1, 2) @ turned[:, j]
        if j == 0 or every_position:
            columns.append(root if j == 0 else np.broadcast_to(offsets[j], root.shape))
        columns.append(Rotation.from_matrix(local).as_euler(order, degrees=True))
    numbers = np.concatenate(columns, axis=1)
    lines += ["MOTION", f"Frames: {len(motion)}", f"Frame Time: {1 / motion.fps:.8f}"]
    lines += [" ".join(f"{number:.7f}" for number in frame) for frame in numbers]
    return "\n".join(lines) + "\n"
