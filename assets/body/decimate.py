"""Fewer triangles with the same look: half-edge collapses in the order of quadric error.

    Q_v = sum over faces at v of area * p p^T,  p = (n, -n.x)
    cost(u -> v) = x_v^T (Q_u + Q_v) x_v

Garland and Heckbert, Surface Simplification Using Quadric Error Metrics (1997), restricted to
collapses onto existing vertices, so that weights and shapes carry over by indexing. The left half
is simplified, its seam on the plane x = 0 along itself only, and then mirrored.
"""

import heapq

import numpy as np


def decimate_half(
    points: np.ndarray,
    triangles: np.ndarray,
    seam: np.ndarray,
    cost_scale: np.ndarray,
    target: int,
    regular: float = 2e-4,
) -> np.ndarray:
    """Collapse edges until `target` vertices are left.

    Args:
        points: (V, 3) m.
        triangles: (F, 3) of one half, an open surface whose border is the seam.
        seam: (V,) bool, vertices on the plane x = 0; they stay or slide along the seam.
        cost_scale: (V,) how precious a vertex is.
        target: number of vertices wanted, those on the seam included.
        regular: weight of squared edge length, which makes dense regions go first, m^2.

    Returns:
        (F', 3) triangles on the same vertex numbers.
    """
    faces = {i: tuple(int(v) for v in t) for i, t in enumerate(triangles)}
    around: dict[int, set[int]] = {int(v): set() for v in np.unique(triangles)}
    for i, face in faces.items():
        for v in face:
            around[v].add(i)
    quadric = _quadrics(points, triangles)

    def neighbours(v: int) -> set[int]:
        return {w for i in around[v] for w in faces[i]} - {v}

    def cost(u: int, v: int) -> float:
        x = np.append(points[v], 1.0)
        length = points[u] - points[v]
        error = x @ (quadric[u] + quadric[v]) @ x + regular * (length @ length) ** 2
        return float(error * cost_scale[u])

    def allowed(u: int, v: int) -> bool:
        if seam[u] and not seam[v]:
            return False
        shared = around[u] & around[v]
        if seam[u] and len(shared) != 1:
            return False
        third = {w for i in shared for w in faces[i]} - {u, v}
        if neighbours(u) & neighbours(v) != third:
            return False
        if seam[v]:  # a new edge between two seam vertices must lie on the seam
            bridges = [w for w in neighbours(u) - neighbours(v) - {v} if seam[w]]
            if any(not seam[u] or len(around[u] & around[w]) != 1 for w in bridges):
                return False
        for i in around[u] - shared:
            a, b, c = faces[i]
            before = np.cross(points[b] - points[a], points[c] - points[a])
            a, b, c = (v if w == u else w for w in faces[i])
            after = np.cross(points[b] - points[a], points[c] - points[a])
            sizes = np.linalg.norm(before) * np.linalg.norm(after)
            if before @ after < 0.35 * sizes or _is_sliver(points[[a, b, c]], after):
                return False
        return True

    version = dict.fromkeys(around, 0)
    heap: list[tuple[float, int, int, int, int]] = []

    def push(u: int) -> None:
        for v in neighbours(u):
            heapq.heappush(heap, (cost(u, v), u, v, version[u], version[v]))
            heapq.heappush(heap, (cost(v, u), v, u, version[v], version[u]))

    for u in around:
        push(u)
    while len(around) > target and heap:
        _, u, v, version_u, version_v = heapq.heappop(heap)
        if u not in around or v not in around or (version[u], version[v]) != (version_u, version_v):
            continue
        if not allowed(u, v):
            continue
        for i in list(around[u]):
            if v in faces[i]:
                for w in faces.pop(i):
                    around[w].discard(i)
            else:
                faces[i] = tuple(v if w == u else w for w in faces[i])
                around[v].add(i)
        del around[u]
        quadric[v] += quadric[u]
        touched = neighbours(v) | {v}
        for w in touched:
            version[w] += 1
        for w in touched:
            push(w)
    return np.array(list(faces.values()))


def _quadrics(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1, keepdims=True) / 2
    normal = normal / np.maximum(2 * area, 1e-12)
    plane = np.concatenate([normal, -(normal * a).sum(axis=1, keepdims=True)], axis=1)
    outer = area[:, :, None] * plane[:, :, None] * plane[:, None, :]
    quadric = np.zeros((len(points), 4, 4))
    for k in range(3):
        np.add.at(quadric, triangles[:, k], outer)
    return quadric


def _is_sliver(corners: np.ndarray, cross: np.ndarray) -> bool:
    """Whether a triangle is much thinner than long."""
    longest = max(float(((corners[i] - corners[i - 1]) ** 2).sum()) for i in range(3))
    return float(np.linalg.norm(cross)) < 0.12 * longest


def mirrored(triangles: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """The triangles of one half and of its mirror image, (2F, 3)."""
    return np.concatenate([triangles, mirror[triangles][:, ::-1]])
