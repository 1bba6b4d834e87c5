"""Who draws: MuJoCo's renderer where there is OpenGL without a screen, else numpy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

import numpy as np

from motionloop.samples import InputError
from motionloop.viewer.camera import Camera
from motionloop.viewer.software import SoftwarePainter

Renderer = Literal["auto", "mujoco", "software"]
RENDERERS = ("auto", "mujoco", "software")


class Painter(Protocol):
    """Draws bodies of one mesh into pictures of one size."""

    def draw(
        self, skin: np.ndarray, colour: tuple[float, float, float], camera: Camera
    ) -> np.ndarray:
        """A picture (height, width, 3) uint8 of one skin (V, 3), m, in a colour in [0, 1]."""
        ...

    def close(self) -> None:
        """Give back what the painter holds."""
        ...


@contextmanager
def open_painter(
    faces: np.ndarray, vertex_count: int, size: tuple[int, int], renderer: Renderer = "auto"
) -> Iterator[Painter]:
    """A painter for a mesh (F, 3) of V vertices and pictures of width and height.

    Raises:
        InputError: there is no such renderer, or it is "mujoco" and there is no OpenGL.
    """
    if renderer not in RENDERERS:
        raise InputError(f"no renderer {renderer!r}; choose one of {', '.join(RENDERERS)}")
    painter = _painter(faces, vertex_count, size, renderer)
    try:
        yield painter
    finally:
        painter.close()


def _painter(
    faces: np.ndarray, vertex_count: int, size: tuple[int, int], renderer: Renderer
) -> Painter:
    if renderer != "software":
        from motionloop.viewer.mujoco_painter import MujocoPainter

        try:
            return MujocoPainter(faces, vertex_count, size)
        except RuntimeError as failure:
            if renderer == "mujoco":
                raise InputError(
                    f"{failure}; install EGL or OSMesa (Debian: libegl1 or libosmesa6), "
                    "or choose the renderer 'software'"
                ) from failure
    return SoftwarePainter(faces, vertex_count, size)
