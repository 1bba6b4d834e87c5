"""Laws of who draws: MuJoCo and numpy show the same body at the same place, with GL or without."""

import numpy as np
import pytest

from motionloop.motion.body import Body
from motionloop.samples import InputError
from motionloop.viewer import mujoco_painter
from motionloop.viewer.camera import Camera
from motionloop.viewer.painter import open_painter
from motionloop.viewer.software import SoftwarePainter

SIZE = (200, 240)
RED = (0.9, 0.2, 0.2)


@pytest.fixture(scope="module")
def body():
    return Body.load()


@pytest.fixture(scope="module")
def skin(body):
    turned = body.rest_vertices(np.zeros(10))[:, [0, 2, 1]] * (1, -1, 1)  # y up to z up
    return turned - (0, 0, turned[:, 2].min())


@pytest.fixture(scope="module")
def painter(body, skin):
    try:
        with open_painter(body.faces, len(skin), SIZE, "mujoco") as painter:
            yield painter
    except InputError as failure:
        pytest.skip(f"this machine gives no OpenGL: {failure}")


def camera(x, y, azimuth):
    return Camera(np.array([x, y, 0.9]), azimuth, np.radians(12), 4.0, np.radians(30))


def red(picture):
    r, g, b = picture.astype(int).transpose(2, 0, 1)
    return (r > 1.3 * g) & (r > 1.3 * b)


@pytest.mark.parametrize(("x", "y", "azimuth"), [(0.0, 0.0, 0.4), (7.3, -41.6, -2.0)])
def test_mujoco_and_numpy_draw_the_same_silhouette(painter, body, skin, x, y, azimuth):
    numpy = SoftwarePainter(body.faces, len(skin), SIZE)
    moved = skin + np.array([x, y, 0])
    view = camera(x + 0.3, y - 0.2, azimuth)
    ours, theirs = (red(p.draw(moved, RED, view)) for p in (numpy, painter))
    assert theirs.sum() > 1500
    assert (ours & theirs).sum() / (ours | theirs).sum() > 0.93


def test_the_floor_stays_in_the_world_while_the_camera_moves(painter, skin):
    away = skin - (0, 0, 50)  # no body, no shadow: the floor alone

    def row(x, tiles):
        picture = painter.draw(away, RED, camera(x + tiles * 0.5, 0.0, 0.0)).astype(int)
        return picture[-40, :, 1]

    here, next_tile, two_tiles = row(0.2, 0), row(0.2, 1), row(0.2, 2)
    np.testing.assert_allclose(two_tiles, here, atol=2)  # chequers repeat after two
    assert np.abs(next_tile - here).max() > 15


def test_without_opengl_numpy_draws_and_mujoco_is_refused(monkeypatch, body, skin):
    monkeypatch.setattr(mujoco_painter, "BACKENDS", ("no_such_backend",))
    with open_painter(body.faces, len(skin), SIZE) as painter:
        assert isinstance(painter, SoftwarePainter)
        assert red(painter.draw(skin, RED, camera(0, 0, 0))).sum() > 1500
    with (
        pytest.raises(InputError, match=r"no_such_backend.*software"),
        open_painter(body.faces, len(skin), SIZE, "mujoco"),
    ):
        pass
    with (
        pytest.raises(InputError, match="auto, mujoco, software"),
        open_painter(body.faces, len(skin), SIZE, "vulkan"),  # type: ignore[arg-type]
    ):
        pass
