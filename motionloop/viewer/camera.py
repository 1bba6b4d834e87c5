"""Where the camera stands: one view on all clips that keeps every body in the picture."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

_SMOOTHING = 0.5  # s, standard deviation of the smoothing of the camera's path
_TOGETHER = 1.0  # m, clips that stay this close share one path, so that drift between them shows
_AROUND = 0.24  # m of skin beyond the joints
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


@dataclass(frozen=True)
class Framing:
    """What one view on several clips has to hold.

    Attributes:
        path: (clips, T, 2) where on the floor the camera looks, m.
        azimuth: of the camera, rad.
        half_width: m to either side of the path, along the picture.
        low: of the lowest thing shown, m.
        high: of the highest, m.
    """

    path: np.ndarray
    azimuth: float
    half_width: float
    low: float
    high: float

    @property
    def aspect(self) -> float:
        """Width over height that what is shown fills."""
        return 2 * self.half_width / (self.high - self.low)

    def cameras(self, aspect: float) -> list[list[Camera]]:
        """Cameras [clip][frame] with one direction, height and distance for pictures of a shape."""
        elevation, fov = np.radians(10), np.radians(30)
        half = max((self.high - self.low) / 2, self.half_width / aspect)
        distance = half / np.tan(fov / 2) + 0.35
        middle = (self.low + self.high) / 2
        return [
            [
                Camera(np.array([x, y, middle]), self.azimuth, elevation, distance, fov)
                for x, y in clip
            ]
            for clip in self.path
        ]


def follow(joints: np.ndarray, fps: float | None) -> Framing:
    """The view that follows clips.

    Args:
        joints: (clips, T, 24, 3) m.
        fps: Hz, to smooth the path; None for frames that are shown one beside the other.
    """
    boxes = (joints[..., :2].min(axis=2) + joints[..., :2].max(axis=2)) / 2  # (clips, T, 2)
    if np.linalg.norm(boxes - boxes.mean(axis=0), axis=-1).max() < _TOGETHER:
        boxes = np.broadcast_to(boxes.mean(axis=0), boxes.shape)
    path = boxes if fps is None else np.stack([_smooth(clip, _SMOOTHING * fps) for clip in boxes])
    azimuth = facing(joints[0, 0]) + _TURN
    right = np.array([-np.sin(azimuth), np.cos(azimuth)])
    sideways = np.abs((joints[..., :2] - path[:, :, None]) @ right).max()
    heights = joints[..., 2]
    return Framing(
        path=path,
        azimuth=azimuth,
        half_width=float(sideways) + _AROUND,
        low=min(float(heights.min()), 0.0) - 0.12,
        high=max(float(heights.max()), 1.2) + _AROUND,
    )


def _smooth(path: np.ndarray, frames: float) -> np.ndarray:
    """A path (T, 2) without its jitter; a steady walk stays in step up to both ends."""
    pad = min(int(4 * frames), len(path) - 1)
    before = 2 * path[0] - path[1 : pad + 1][::-1]
    after = 2 * path[-1] - path[len(path) - pad - 1 : -1][::-1]
    longer = np.concatenate([before, path, after])
    return np.asarray(gaussian_filter1d(longer, frames, axis=0, mode="nearest"))[pad:][: len(path)]


def facing(joints: np.ndarray) -> float:
    """The direction about z into which a body (24, 3) looks, rad: up x (from right to left)."""
    left = (joints[1] - joints[2]) + (joints[16] - joints[17])
    return float(np.arctan2(-left[0], left[1]))
