"""Which vertices stand for the skin where the whole mesh is too much: contact and sole points.

A surface point is carried rigidly by one joint. Per joint, the vertices of its part that reach
farthest in a spread of directions are kept: the lowest vertex of a posed body is an extreme one.
"""

import numpy as np

from physics.skeleton import MIRROR

_FEET = ((7, 10), (8, 11))  # ankle and foot joint, left and right
_TIPS = (7, 8, 10, 11, 20, 21, 22, 23)  # ankles, feet, wrists, hands
_SOLE_DEPTH = 0.012  # m above the lowest vertex that still counts as sole


def contact_vertices(
    rest: np.ndarray, weights: np.ndarray, tolerance: float = 0.006
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (P,) that can touch the ground and the joint (P,) that carries each.

    Args:
        rest: (V, 3) the skin in the rest pose, y up, m.
        weights: (V, 24) skin weights.
        tolerance: how much farther a part's vertices may reach than the chosen ones, in any
            direction, m; half of it on feet and hands.
    """
    owner = weights.argmax(axis=1)
    chosen = {int(v) for side in sole_vertices(rest, weights, 20) for v in side}
    directions = sphere_directions(600)
    directions = directions[directions[:, 0] >= 0]
    mirrored = directions * (-1, 1, 1)
    for joint in range(weights.shape[1]):
        part = np.flatnonzero(owner == joint)
        if len(part) == 0:
            continue
        looks = [directions, mirrored][joint > MIRROR[joint]]
        if MIRROR[joint] == joint:
            looks = np.concatenate([directions, mirrored])
        close = tolerance / 2 if joint in _TIPS else tolerance
        chosen |= {int(v) for v in part[extreme_points(rest[part], looks, close)]}
    vertices = np.array(sorted(chosen))
    return vertices, owner[vertices]


def extreme_points(points: np.ndarray, directions: np.ndarray, tolerance: float) -> np.ndarray:
    """Indices of points that reach as far as all do, within a tolerance, in every direction."""
    reach = points @ directions.T  # (P, D)
    farthest = reach.max(axis=0)
    chosen = [int(reach[:, 0].argmax())]
    covered = reach[chosen[0]].copy()
    while (farthest - covered).max() > tolerance:
        chosen.append(int(reach[:, (farthest - covered).argmax()].argmax()))
        covered = np.maximum(covered, reach[chosen[-1]])
    return np.array(chosen)


def sole_vertices(
    rest: np.ndarray, weights: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Up to `count` vertices of the left and of the right sole, spread from heel to toes."""
    owner = weights.argmax(axis=1)

    def side(joints: tuple[int, int], outwards: float) -> np.ndarray:
        foot = np.flatnonzero(np.isin(owner, joints))
        sole = foot[rest[foot, 1] < rest[foot, 1].min() + _SOLE_DEPTH]
        return sole[farthest_points(rest[sole][:, [0, 2]] * (outwards, 1), count)]

    return side(_FEET[0], 1.0), side(_FEET[1], -1.0)


def farthest_points(points: np.ndarray, count: int) -> np.ndarray:
    """Indices of up to `count` points, each as far as possible from those before it."""
    chosen = [int((points @ np.array([0.1, 1.0])).argmax())]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < min(count, len(points)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen)


def sphere_directions(count: int) -> np.ndarray:
    """Unit vectors (count, 3), evenly spread (Fibonacci lattice)."""
    k = np.arange(count) + 0.5
    y = 1 - 2 * k / count
    turn = np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - y * y)
    return np.stack([ring * np.cos(turn), y, ring * np.sin(turn)], axis=1)
