"""How a limb reaches for points: Gauss-Newton inverse kinematics, all frames at once.

The unknowns are small turns of each joint about its own axes; the residuals are the distances of
points that the limb carries from their targets, weighted per frame and point; the turns are
charged a cost, so that a frame without targets stays as it was.
"""

from dataclasses import dataclass

import numpy as np

from physics.skeleton import rotation_matrices


@dataclass(frozen=True)
class Limb:
    """A chain of joints.

    Attributes:
        chain: the joints from the body outwards.
        costs: (K, 3) cost of turning each joint about its rest axes, relative to 1 m of distance.
    """

    chain: tuple[int, ...]
    costs: np.ndarray


_FREE, _HINGE, _STIFF = (1.0, 1.0, 1.0), (1.0, 8.0, 8.0), (6.0, 6.0, 6.0)
LEGS = (
    Limb((1, 4, 7, 10), np.array([_FREE, _HINGE, _FREE, _STIFF])),
    Limb((2, 5, 8, 11), np.array([_FREE, _HINGE, _FREE, _STIFF])),
)
_ELBOW = (8.0, 1.0, 1.0)
ARMS = (
    Limb((16, 18, 20, 22), np.array([_FREE, _ELBOW, _FREE, _STIFF])),
    Limb((17, 19, 21, 23), np.array([_FREE, _ELBOW, _FREE, _STIFF])),
)


def reach(
    rest: np.ndarray,
    joints_w: np.ndarray,
    rotations_w: np.ndarray,
    limb: Limb,
    carriers: np.ndarray,
    offsets: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    damping: float = 1e-3,
    iterations: int = 3,
) -> tuple[np.ndarray, np.ndarray]:
    """Turn a limb's joints so that its points come near their targets.

    Args:
        rest: (24, 3) rest joints, m.
        joints_w: (T, 24, 3) and rotations_w (T, 24, 3, 3) of the pose to start from.
        rotations_w: see above.
        limb: the chain that may turn.
        carriers: (M,) joint of the chain that carries each point.
        offsets: (M, 3) the points in the carriers' rest axes, m.
        targets: (T, M, 3) where they should be, m.
        weights: (T, M, 3) >= 0, of each world axis.
        damping: charge on the turns; larger reaches less and bends less.
        iterations: Gauss-Newton steps.

    Returns:
        positions (T, K, 3) and world rotations (T, K, 3, 3) of the chain's joints.
    """
    chain = list(limb.chain)
    place = {joint: k for k, joint in enumerate(chain)}
    links = np.array([place[int(c)] for c in carriers])
    moves = links[:, None] >= np.arange(len(chain))[None]  # (M, K) does joint k move point m?
    bones = rest[chain[1:]] - rest[chain[:-1]]
    position = joints_w[:, chain].copy()
    rotation = rotations_w[:, chain].copy()
    count = len(position)
    cost = damping * limb.costs.reshape(-1)
    turned = np.zeros((count, 3 * len(chain)))
    for _ in range(iterations):
        points = position[:, links] + np.einsum("tmab,mb->tma", rotation[:, links], offsets)
        arm = points[:, :, None] - position[:, None]  # (T, M, K, 3)
        # Turning joint k about its axis e moves the point by (R e) x arm.
        axes = rotation[:, None].swapaxes(-1, -2)  # (T, 1, K, axis, 3)
        columns = np.cross(axes, arm[:, :, :, None, :]) * moves[None, :, :, None, None]
        jacobian = columns.reshape(count, len(links), -1, 3).swapaxes(-1, -2)  # (T, M, 3, 3K)
        weighted = jacobian * weights[..., None]
        flat, flat_weighted = (a.reshape(count, -1, a.shape[-1]) for a in (jacobian, weighted))
        normal = flat_weighted.swapaxes(-1, -2) @ flat
        normal[:, np.arange(len(cost)), np.arange(len(cost))] += cost
        miss = (targets - points).reshape(count, -1)
        pull = np.einsum("tri,tr->ti", flat_weighted, miss) - cost * turned
        step = np.linalg.solve(normal, pull[..., None])[..., 0]
        turned += step
        small = rotation_matrices(step.reshape(count, len(chain), 3))
        local = rotation[:, :-1].swapaxes(-1, -2) @ rotation[:, 1:]
        rotation[:, 0] = rotation[:, 0] @ small[:, 0]
        for k in range(1, len(chain)):
            rotation[:, k] = rotation[:, k - 1] @ local[:, k - 1] @ small[:, k]
            position[:, k] = position[:, k - 1] + rotation[:, k - 1] @ bones[k - 1]
    return position, rotation
