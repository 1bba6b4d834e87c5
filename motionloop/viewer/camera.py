"""Where the camera stands: one view on all clips that keeps every body in the picture."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

_SMOOTHING = 0.5  # s, standard deviation of the smoothing of the camera's path
_TOGETHER = 1.0  # m, clips that stay this close share one path, so that drift between them shows
_AROUND = 0.30  # m of skin beyond the joints
_TURN = np.radians(35)  # seen from the side of the first facing direction


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at a point; the picture's middle is the target.

    Attributes:
        target: (3,) m.
        azimuth: direction from the target to the camera about z, 0 is +x, rad.
        elevation: angle above the horizon, rad.
        distance: from camera to target, m.
        fov: vertical field of view, rad.
    """

    target: np.ndarray
    azimuth: float
    elevation: float
    distance: float
    fov: float

    @property
    def axes(self) -> np.ndarray:
        """(3, 3) rows: right, up and forward, unit vectors in the world."""
        ca, sa = np.cos(self.azimuth), np.sin(self.azimuth)
        ce, se = np.cos(self.elevation), np.sin(self.elevation)
        return np.array([[-sa, ca, 0], [-ca * se, -sa * se, ce], [-ca * ce, -sa * ce, -se]])

    @property
    def position(self) -> np.ndarray:
        """(3,) m."""
        return self.target - self.distance * self.axes[2]

    def project(self, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Pixels from the left and from the top, and depth in m, of points (..., 3)."""
        seen = (points - self.position) @ self.axes.T
        depth = np.maximum(seen[..., 2], 1e-3)
        focal = size[1] / 2 / np.tan(self.fov / 2)
        x = size[0] / 2 + focal * seen[..., 0] / depth
        y = size[1] / 2 - focal * seen[..., 1] / depth
        return np.stack([x, y, depth], axis=-1)


def follow(joints: list[np.ndarray], fps: float, aspect: float) -> list[list[Camera]]:
    """Cameras [clip][frame] that follow the clips, with one direction, height and distance.

    Args:
        joints: for every clip (T, 24, 3), all with the same number of frames, m.
        fps: Hz.
        aspect: width over height of the picture of one clip.
    """
    roots = np.stack([clip[:, 0, :2] for clip in joints])  # (clips, T, 2)
    if np.linalg.norm(roots - roots.mean(axis=0), axis=-1).max() < _TOGETHER:
        roots = np.broadcast_to(roots.mean(axis=0), roots.shape)
    path = np.asarray(gaussian_filter1d(roots, _SMOOTHING * fps, axis=1, mode="nearest"))
    azimuth, elevation, fov = facing(joints[0][0]) + _TURN, np.radians(10), np.radians(30)
    plain = Camera(np.zeros(3), azimuth, elevation, 1.0, fov)
    offsets = np.stack(joints)[..., :2] - path[:, :, None]  # (clips, T, 24, 2)
    sideways = float(np.abs(offsets @ plain.axes[0, :2]).max())
    heights = np.stack(joints)[..., 2]
    low, high = min(float(heights.min()), 0.0) - 0.12, max(float(heights.max()), 1.4) + _AROUND
    half = max((high - low) / 2, (sideways + _AROUND) / aspect)
    distance = half / np.tan(fov / 2) + 0.4
    return [
        [
            Camera(np.array([x, y, (low + high) / 2]), azimuth, elevation, distance, fov)
            for x, y in centre
        ]
        for centre in path
    ]


def facing(joints: np.ndarray) -> float:
    """The direction about z into which a body (24, 3) looks, rad: up x (from right to left)."""
    left = (joints[1] - joints[2]) + (joints[16] - joints[17])
    return float(np.arctan2(-left[0], left[1]))
