"""The trunk of a fitted motion: spine and collars turned until hips, shoulders and head fit.

With w the small world turns of pelvis, spine1 to spine3, neck and both collars, joint positions
p are linear in the orientations, and each damped Gauss-Newton step solves, for all frames,

    min |(p + J w - target) / sigma|^2 + |(w + w_so_far) / sigma_w|^2.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.orientations import SIDES, index
from physics.skeleton import PARENTS

_LANDMARKS = ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "neck", "head")
MOVED = tuple(
    index(name)
    for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "left_collar", "right_collar")
)


@dataclass(frozen=True)
class TrunkConfig:
    """Weights of the trunk's fit.

    Attributes:
        position_sigma_m: tolerance of hips and shoulders, m.
        head_sigma_m: tolerance of neck and head, whose place differs between skeletons, m.
        pelvis_sigma: tolerance of the pelvis's orientation, rad.
        spine_sigma: tolerance of the spine's and the neck's orientations, rad.
        collar_sigma: tolerance of the collars' orientations, rad.
        steps: Gauss-Newton steps.
    """

    position_sigma_m: float = 0.01
    head_sigma_m: float = 0.02
    pelvis_sigma: float = 0.05
    spine_sigma: float = 0.15
    collar_sigma: float = 0.2
    steps: int = 2


def fit_trunk(
    rotations_w: np.ndarray,
    targets: dict[str, np.ndarray],
    rest: np.ndarray,
    config: TrunkConfig,
) -> None:
    """Gauss-Newton steps on the trunk's orientations, in place."""
    names = [n for n in _LANDMARKS if n in targets]
    goal = np.stack([targets[n] for n in names], axis=1)  # (T, L, 3)
    weight = 1 / np.array([
        config.head_sigma_m if n in ("neck", "head") else config.position_sigma_m for n in names
    ])  # fmt: skip
    collar, spine = config.collar_sigma, config.spine_sigma
    sigma = np.repeat([config.pelvis_sigma, spine, spine, spine, spine, collar, collar], 3)
    unknowns = 3 * len(MOVED)
    prior = np.diag(np.concatenate([1 / sigma**2, np.full(3, 1e-6)]))
    frames = len(goal)
    turned = np.zeros((frames, unknowns + 3))
    jacobian = np.zeros((frames, len(names), 3, unknowns + 3))
    jacobian[..., unknowns:] = np.eye(3)
    root = root_place(rotations_w, targets, rest)
    for _ in range(config.steps):
        place = np.empty_like(goal)
        for k, name in enumerate(names):
            place[:, k] = root
            for parent, child in _path(index(name)):
                lever = rotations_w[:, parent] @ (rest[child] - rest[parent])
                place[:, k] += lever
                if parent in MOVED:
                    column = 3 * MOVED.index(parent)
                    jacobian[:, k, :, column : column + 3] = -_cross_matrices(lever)
        j = (jacobian * weight[:, None, None]).reshape(frames, -1, unknowns + 3)
        r = ((goal - place) * weight[:, None]).reshape(frames, -1)
        turned[:, unknowns:] = 0.0
        right = np.einsum("trn,tr->tn", j, r) - turned @ prior
        step = np.linalg.solve(np.swapaxes(j, 1, 2) @ j + prior, right[..., None])[..., 0]
        turned += step
        root = root + step[:, unknowns:]
        for number, joint in enumerate(MOVED):
            turn = Rotation.from_rotvec(step[:, 3 * number : 3 * number + 3]).as_matrix()
            rotations_w[:, joint] = turn @ rotations_w[:, joint]


def root_place(
    rotations_w: np.ndarray, targets: dict[str, np.ndarray], rest: np.ndarray
) -> np.ndarray:
    """Where the pelvis (T, 3) is when the point between the hips is at its target."""
    hips = [index(f"{side}_hip") for side in SIDES]
    lever = rest[hips].mean(axis=0) - rest[0]
    middle = 0.5 * (targets["left_hip"] + targets["right_hip"])
    return middle - rotations_w[:, 0] @ lever


def _path(joint: int) -> list[tuple[int, int]]:
    """(parent, child) pairs from the root to `joint`."""
    pairs = []
    while PARENTS[joint] >= 0:
        pairs.append((PARENTS[joint], joint))
        joint = PARENTS[joint]
    return pairs[::-1]


def _cross_matrices(vectors: np.ndarray) -> np.ndarray:
    """Matrices (T, 3, 3) with m @ x = vector x x."""
    m = np.zeros((len(vectors), 3, 3))
    m[:, 0, 1], m[:, 0, 2], m[:, 1, 2] = -vectors[:, 2], vectors[:, 1], -vectors[:, 0]
    return m - np.swapaxes(m, 1, 2)
