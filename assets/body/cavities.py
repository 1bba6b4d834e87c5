"""Close the mouth, the eye sockets and the nostrils, so that only the outer skin remains."""

import numpy as np
from decimate import mirrored


def close_cavities(
    points: np.ndarray, triangles: np.ndarray, mirror: np.ndarray, region: np.ndarray
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Replace every patch of faces that nobody can see by a fan around one of its vertices.

    Args:
        points: (V, 3) a symmetric body that looks along +z, m.
        triangles: (F, 3) of the left half (x >= 0), without duplicates on the right.
        mirror: (V,) the vertex on the other side.
        region: (V,) bool, where to look for cavities (the face).

    Returns:
        The left half's triangles with the patches replaced, and apex vertex -> the vertices of
        the border whose mean is the new place of the apex.
    """
    hidden = np.zeros(len(points), bool)
    look_at = np.unique(triangles[region[triangles].all(axis=1)])
    hidden[look_at] = ~_visible(points, look_at, mirrored(triangles, mirror))
    hidden |= hidden[mirror]
    gone = hidden[triangles].any(axis=1) & region[triangles].all(axis=1)
    for _ in range(20):
        gone |= region[triangles].all(axis=1) & np.isin(
            triangles, _pinched(triangles[gone], mirror)
        ).any(axis=1)
    islands = sorted(_patches(triangles[~gone]), key=len)
    kept, apexes = islands.pop(), {}
    gone = ~np.isin(_names(triangles), _names(kept))
    for patch in _patches(triangles[gone]):
        seam = np.unique(patch)
        seam = seam[mirror[seam] == seam]
        border = _border(patch, mirror)
        inner = np.setdiff1d(np.unique(patch), border)
        on_seam = np.intersect1d(inner, seam)
        if len(inner) < 6 or (len(seam) and not len(on_seam)):
            kept = np.concatenate([kept, patch])
            continue
        apex = int(on_seam[0] if len(on_seam) else inner[0])
        fan = np.concatenate([border, np.full((len(border), 1), apex)], axis=1)
        kept = np.concatenate([kept, fan])
        apexes[apex] = np.unique(border)
    return kept, apexes


def _names(triangles: np.ndarray) -> np.ndarray:
    """One number for every triangle."""
    return (triangles.astype(np.int64) * np.array([1, 2**20, 2**40])).sum(axis=1)


def _pinched(patch: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Vertices at which a patch's rim touches itself."""
    rim = _border(patch, mirror)
    starts, count = np.unique(rim[:, 0], return_counts=True)
    return starts[count > 1]


def _border(patch: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """The directed edges (E, 2) on a patch's rim, without those on the symmetry plane."""
    edges = np.concatenate([patch[:, [k, (k + 1) % 3]] for k in range(3)])
    present = {tuple(e) for e in edges.tolist()}
    return np.array(
        [
            (a, b)
            for a, b in edges.tolist()
            if (b, a) not in present and not (mirror[a] == a and mirror[b] == b)
        ]
    )


def _patches(triangles: np.ndarray) -> list[np.ndarray]:
    """Triangles grouped by shared vertices."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = int(triangles.max()) + 1
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(edges)), edges.T), (size, size))
    label = connected_components(graph, directed=False)[1][triangles[:, 0]]
    return [triangles[label == k] for k in np.unique(label)]


def _visible(points: np.ndarray, which: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Whether a ray to the front or the side leaves each vertex unobstructed."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    directions = [
        (x, y, z)
        for x in (-0.8, -0.4, 0.0, 0.4, 0.8)
        for y in (-0.7, -0.35, 0.0, 0.35, 0.7)
        for z in (1.0,)
    ] + [(1.0, 0.0, 0.0), (1.0, 0.5, 0.0), (1.0, -0.5, 0.0), (0.0, 1.0, 0.2), (0.3, -1.0, 0.2)]
    seen = np.zeros(len(which), bool)
    for direction in np.array(directions):
        d = direction / np.linalg.norm(direction)
        p = np.cross(d, c - a)
        det = ((b - a) * p).sum(axis=1)
        det = np.where(np.abs(det) < 1e-12, np.inf, det)
        for row in np.flatnonzero(~seen):
            s = points[which[row]] - a
            u = (s * p).sum(axis=1) / det
            q = np.cross(s, b - a)
            v = q @ d / det
            t = (q * (c - a)).sum(axis=1) / det
            seen[row] = not ((u > 0) & (v > 0) & (u + v < 1) & (t > 1e-5)).any()
    return seen
