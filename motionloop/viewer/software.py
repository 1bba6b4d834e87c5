"""Draw a body on a floor with numpy alone: a z-buffer that needs no graphics driver.

Every triangle proposes the pixels of its bounding box; those inside it compete by depth. The skin
is drawn at twice the resolution and averaged, shaded by a lamp, the sky and a rim light; the
floor's chequers and the body's shadow on them are drawn in perspective.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_matrix

from motionloop.viewer.camera import Camera

_FINE = 2  # subpixels along each side of a pixel
_LAMP_LEFT, _LAMP_BACK, _LAMP_UP = 0.55, 0.60, 1.0  # seen from the camera
_TILE = 0.5  # m, side of a chequer
_LIGHT, _DARK = np.array([0.93, 0.94, 0.96]), np.array([0.80, 0.82, 0.86])
_SKY_TOP, _SKY_LOW = np.array([0.86, 0.90, 0.96]), np.array([0.97, 0.975, 0.985])


class SoftwarePainter:
    """Draws bodies of one mesh into pictures of one size."""

    def __init__(self, faces: np.ndarray, vertex_count: int, size: tuple[int, int]):
        """Prepare for a mesh.

        Args:
            faces: (F, 3) triangles, counter-clockwise from outside.
            vertex_count: V.
            size: width and height of the pictures, pixels.
        """
        self.faces, self.size = np.asarray(faces, np.int64), size
        ones = np.ones(faces.size)
        rows, columns = self.faces.ravel(), np.repeat(np.arange(len(faces)), 3)
        self._gather = csr_matrix((ones, (rows, columns)), (vertex_count, len(faces)))
        self._still: _Backdrop | None = None

    def draw(self, skin: np.ndarray, colour: tuple[float, float, float], camera: Camera):
        """A picture (height, width, 3) uint8 of one skin (V, 3), m, in a colour in [0, 1]."""
        normals = self._vertex_normals(skin)
        lamp = _lamp(camera)
        picture = self._floor(camera)
        self._add_shadows(picture, skin, lamp, camera)
        shade = _shading(normals, lamp, camera, skin, np.array(colour))
        ink, cover = self._skin(skin, shade, camera)
        picture *= 1 - cover[..., None]
        picture += ink
        return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)

    def close(self) -> None:
        """Nothing: there is no graphics driver to give back."""

    def _vertex_normals(self, skin: np.ndarray) -> np.ndarray:
        a, b, c = (skin[self.faces[:, k]] for k in range(3))
        normals = self._gather @ np.cross(b - a, c - a)
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)

    def _skin(
        self, skin: np.ndarray, shade: np.ndarray, camera: Camera
    ) -> tuple[np.ndarray, np.ndarray]:
        """Colour times coverage (H, W, 3) and coverage (H, W) of what is above the floor."""
        width, height = self.size
        fine = (width * _FINE, height * _FINE)
        pixels, triangles, weights = rasterise(camera.project(skin, fine), self.faces, fine)
        corners = self.faces[triangles]
        above = (skin[corners, 2] * weights).sum(axis=1) > 0
        pixels, corners, weights = pixels[above], corners[above], weights[above]
        value = np.einsum("pk,pkc->pc", weights, shade[corners])
        coarse = (pixels // fine[0] // _FINE) * width + pixels % fine[0] // _FINE
        share = 1.0 / _FINE**2
        layers = [
            np.bincount(coarse, layer, width * height)
            for layer in (*(value * share).T, np.full(len(value), share))
        ]
        ink = np.stack(layers[:3], axis=1).reshape(height, width, 3)
        return ink, layers[3].reshape(height, width)

    def _add_shadows(
        self, picture: np.ndarray, skin: np.ndarray, lamp: np.ndarray, camera: Camera
    ) -> None:
        """Darken the floor where the lamp, and close to the skin the sky, do not reach it."""
        height = np.maximum(skin[:, 2:], 0)
        cast = skin - lamp * (height / lamp[2])
        below = skin * (1, 1, 0)
        top = skin[self.faces, 2].max(axis=1)
        above, low = self.faces[top > 0], self.faces[(top > 0) & (top < 0.10)]
        for points, faces, blur, strength in ((cast, above, 1.6, 0.30), (below, low, 3.0, 0.35)):
            points[:, 2] = 0.0
            mask = np.zeros(self.size[0] * self.size[1], np.float32)
            mask[rasterise(camera.project(points, self.size), faces, self.size, cull=False)[0]] = 1
            mask = gaussian_filter(
                mask.reshape(self.size[::-1]), blur * max(self.size[1] / 480, 0.75)
            )
            picture *= 1 - strength * (mask * self._backdrop(camera).floor)[..., None]

    def _backdrop(self, camera: Camera) -> "_Backdrop":
        """What of the floor and the sky stays the same while the camera only moves along."""
        key = (camera.azimuth, camera.elevation, camera.distance, camera.fov, camera.target[2])
        if self._still is None or self._still.key != key:
            self._still = _backdrop(camera, self.size, key)
        return self._still

    def _floor(self, camera: Camera) -> np.ndarray:
        """Chequers that fade into the sky, (H, W, 3) in [0, 1]."""
        still = self._backdrop(camera)
        phase = still.phase + (np.pi / _TILE * camera.position[:2]).astype(np.float32)
        wave = np.clip(np.sin(phase, out=phase) * still.sharpness, -1, 1)
        return still.plain + (wave[..., 0] * wave[..., 1])[..., None] * still.contrast


@dataclass(frozen=True)
class _Backdrop:
    """Floor and sky per pixel: plain (H, W, 3) + contrast (H, W, 3) * chequer in [-1, 1]."""

    key: tuple
    phase: np.ndarray
    sharpness: np.ndarray
    plain: np.ndarray
    contrast: np.ndarray
    floor: np.ndarray


def _backdrop(camera: Camera, size: tuple[int, int], key: tuple) -> _Backdrop:
    """Rays from a camera above the origin to the floor; chequers lose contrast with distance."""
    width, height = size
    focal = height / 2 / np.tan(camera.fov / 2)
    x = (np.arange(width) + 0.5 - width / 2) / focal
    y = (height / 2 - np.arange(height) - 0.5) / focal
    right, up, forward = camera.axes
    ray = x[None, :, None] * right + y[:, None, None] * up + forward
    drop = -ray[..., 2]
    scale = camera.position[2] / np.maximum(drop, 1e-4)
    across = np.stack([scale, scale], axis=-1) / focal  # m of floor that a pixel covers
    across += (scale * scale / focal / camera.position[2])[..., None] * np.abs(forward[:2])
    edge = np.pi / _TILE * np.maximum(across, 1e-4)
    fog = np.where(drop > 0, np.exp(-((scale / (4 * camera.distance)) ** 2)), 0.0)
    visible = fog * np.clip(1.6 - edge.max(axis=-1), 0, 1)
    top = np.linspace(0, 1, height)[:, None, None]
    sky = _SKY_TOP + (_SKY_LOW - _SKY_TOP) * np.minimum(1, 2 * top)
    plain = sky + ((_LIGHT + _DARK) / 2 - sky) * fog[..., None]
    contrast = (_DARK - _LIGHT) / 2 * visible[..., None]
    phase = np.pi / _TILE * ray[..., :2] * scale[..., None]
    parts = (phase, 1 / edge, plain, contrast, fog > 0.01)
    return _Backdrop(key, *(part.astype(np.float32) for part in parts))


def _lamp(camera: Camera) -> np.ndarray:
    """Unit vector towards the lamp, which stands to the left behind the camera."""
    right, _, forward = camera.axes
    lamp = -_LAMP_LEFT * right - _LAMP_BACK * forward * (1, 1, 0) + np.array([0, 0, _LAMP_UP])
    return lamp / np.linalg.norm(lamp)


def _shading(
    normals: np.ndarray, lamp: np.ndarray, camera: Camera, skin: np.ndarray, colour: np.ndarray
) -> np.ndarray:
    """Colour (V, 3) of every vertex: lamp, sky, a little gloss, and a rim against the sky."""
    view = camera.position - skin
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    half = lamp + view
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    direct = np.clip(normals @ lamp, 0, 1)
    sky = 0.5 + 0.5 * normals[:, 2]
    gloss = np.clip((normals * half).sum(axis=1), 0, 1) ** 24
    rim = (1 - np.clip((normals * view).sum(axis=1), 0, 1)) ** 3
    front = np.clip((normals * view).sum(axis=1), 0, 1)
    diffuse = 0.29 + 0.25 * sky + 0.15 * front + 0.50 * direct
    return colour * diffuse[:, None] + (0.13 * gloss + 0.10 * rim * sky)[:, None]


def rasterise(
    points: np.ndarray, faces: np.ndarray, size: tuple[int, int], cull: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each covered pixel shows.

    Args:
        points: (V, 3) pixels from the left and the top, and depth.
        faces: (F, 3) triangles, counter-clockwise from outside.
        size: width and height of the picture, pixels.
        cull: leave out the triangles that are seen from inside.

    Returns:
        pixels (P,) numbered row by row, each once; the faces (P,) that they show; and the
        weights (P, 3) of their corners.
    """
    width, height = size
    x, y, depth = (points[:, k] for k in range(3))
    a, b, c = faces.T
    area = (x[b] - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (y[b] - y[a])
    left = np.clip(np.ceil(np.minimum(np.minimum(x[a], x[b]), x[c]) - 0.5), 0, width)
    right = np.clip(np.floor(np.maximum(np.maximum(x[a], x[b]), x[c]) - 0.5), -1, width - 1)
    top = np.clip(np.ceil(np.minimum(np.minimum(y[a], y[b]), y[c]) - 0.5), 0, height)
    bottom = np.clip(np.floor(np.maximum(np.maximum(y[a], y[b]), y[c]) - 0.5), -1, height - 1)
    facing = area < 0 if cull else area != 0  # y points down, so outside is clockwise
    near = np.minimum(np.minimum(depth[a], depth[b]), depth[c]) > 0.05
    kept = np.flatnonzero(facing & near & (right >= left) & (bottom >= top))
    columns = (right - left + 1)[kept].astype(np.int64)
    count = columns * (bottom - top + 1)[kept].astype(np.int64)
    face = np.repeat(kept, count)
    step = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    columns = np.repeat(columns, count)
    px, py = left[face] + step % columns, top[face] + step // columns
    ax, ay, bx, by = x[a[face]], y[a[face]], x[b[face]], y[b[face]]
    cx, cy = x[c[face]], y[c[face]]
    dx, dy = px + 0.5, py + 0.5
    u = ((bx - dx) * (cy - dy) - (cx - dx) * (by - dy)) / area[face]
    v = ((cx - dx) * (ay - dy) - (ax - dx) * (cy - dy)) / area[face]
    w = 1 - u - v
    inside = np.flatnonzero((u >= 0) & (v >= 0) & (w >= 0))
    face, weights = face[inside], np.stack([u[inside], v[inside], w[inside]], axis=1)
    pixel = (py[inside] * width + px[inside]).astype(np.int64)
    nearness = (weights / depth[faces[face]]).sum(axis=1)
    best = np.zeros(width * height)
    np.maximum.at(best, pixel, nearness)
    shown = np.flatnonzero(nearness == best[pixel])
    winner = np.full(width * height, -1)
    winner[pixel[shown]] = shown
    pixels = np.flatnonzero(winner >= 0)
    return pixels, face[winner[pixels]], weights[winner[pixels]]
