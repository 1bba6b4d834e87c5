"""Draw a body on a floor with MuJoCo's renderer, where EGL or OSMesa gives it an OpenGL context.

The skin's vertices are written into MuJoCo's scene as they are, so that the picture is of the same
surface as the metrics see. Body and camera are moved together to the middle of the scene by whole
floor tiles: the shadow map is sharp there, and the chequers stay where they are in the world.
"""

# MuJoCo's bindings have no type stubs.
# pyright: reportAttributeAccessIssue=false
import importlib
import os
from typing import Any

import mujoco
import numpy as np

from motionloop.viewer.camera import Camera

BACKENDS = ("egl", "osmesa")
_PERIOD = 1.0  # m, after which the floor repeats
_SPECULAR, _SHININESS = 0.25, 0.35
_NEAR, _FAR = 0.1, 60.0  # m


class MujocoPainter:
    """Draws bodies of one mesh into pictures of one size; has `SoftwarePainter`'s methods.

    Raises:
        RuntimeError: neither EGL nor OSMesa gives an OpenGL context here.
    """

    def __init__(self, faces: np.ndarray, vertex_count: int, size: tuple[int, int]):
        """Prepare for a mesh.

        Args:
            faces: (F, 3) triangles, counter-clockwise from outside.
            vertex_count: V.
            size: width and height of the pictures, pixels.
        """
        self.faces, self.size = np.asarray(faces, np.int64), size
        self._model = _model(self.faces, vertex_count, size)
        self._gl, self.backend = _gl_context(size)
        self._scene = _scene(self._model)
        drawn = self._scene.geoms[: self._scene.ngeom]
        self._skin = next(g for g in drawn if g.type == mujoco.mjtGeom.mjGEOM_SKIN)
        self._lamp = next(light for light in self._scene.lights if not light.headlight)
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._rectangle = mujoco.MjrRect(0, 0, *size)
        self._pixels = np.empty((size[1], size[0], 3), np.uint8)

    def draw(self, skin: np.ndarray, colour: tuple[float, float, float], camera: Camera):
        """A picture (height, width, 3) uint8 of one skin (V, 3), m, in a colour in [0, 1]."""
        middle = np.round(camera.target / _PERIOD) * _PERIOD * (1, 1, 0)
        vertices = np.asarray(skin, float) - middle
        self._scene.skinvert[:] = vertices.ravel()
        self._scene.skinnormal[:] = _vertex_normals(vertices, self.faces).ravel()
        self._skin.rgba[:] = (*colour, 1.0)
        self._aim(camera, camera.position - middle)
        self._gl.make_current()
        mujoco.mjr_render(self._rectangle, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._rectangle, self._context)
        return self._pixels[::-1].copy()

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._context.free()
        self._gl.free()

    def _aim(self, camera: Camera, position: np.ndarray) -> None:
        right, up, forward = camera.axes
        top = _NEAR * np.tan(camera.fov / 2)
        for eye in self._scene.camera:
            eye.pos[:], eye.forward[:], eye.up[:] = position, forward, up
            eye.frustum_center, eye.frustum_width = 0.0, top * self.size[0] / self.size[1]
            eye.frustum_bottom, eye.frustum_top = -top, top
            eye.frustum_near, eye.frustum_far = _NEAR, _FAR
        lamp = -0.55 * right - 0.60 * forward * (1, 1, 0) + np.array([0, 0, 1.0])
        lamp /= np.linalg.norm(lamp)
        self._lamp.dir[:], self._lamp.pos[:] = -lamp, 4 * lamp


def _gl_context(size: tuple[int, int]) -> tuple[Any, str]:
    """The first OpenGL context that this machine gives, made current, and its kind."""
    failures = []
    for name in BACKENDS:
        before = os.environ.get("PYOPENGL_PLATFORM")
        try:
            context = importlib.import_module(f"mujoco.{name}").GLContext(*size)
            context.make_current()
            return context, name
        except Exception as failure:  # drivers fail in many ways, none of which may end a video
            failures.append(f"{name}: {failure}")
            if before is None:
                os.environ.pop("PYOPENGL_PLATFORM", None)
    raise RuntimeError("no OpenGL context (" + "; ".join(failures) + ")")


def _model(faces: np.ndarray, vertex_count: int, size: tuple[int, int]) -> mujoco.MjModel:
    """A floor and one skin, which hangs on one bone only because MuJoCo asks for one."""
    spec = mujoco.MjSpec()
    spec.visual.global_.offwidth, spec.visual.global_.offheight = size
    spec.visual.quality.shadowsize = min(max(2 * max(size), 1024), 2048)
    spec.visual.quality.offsamples = 4
    spec.visual.map.shadowclip, spec.visual.map.haze = 1.0, 0.8
    spec.visual.headlight.ambient[:] = 0.58
    spec.visual.headlight.diffuse[:] = 0.18
    spec.visual.headlight.specular[:] = 0.0
    spec.visual.rgba.haze[:] = (0.97, 0.975, 0.985, 1)
    spec.stat.extent, spec.stat.center[:] = 3.0, (0, 0, 1)
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, width=128, height=768,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=(0.86, 0.90, 0.96), rgb2=(0.97, 0.975, 0.985),
    )  # fmt: skip
    spec.add_texture(
        name="chequers", type=mujoco.mjtTexture.mjTEXTURE_2D, width=512, height=512,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=(0.93, 0.94, 0.96), rgb2=(0.80, 0.82, 0.86),
    )  # fmt: skip
    floor = spec.add_material(name="floor", texrepeat=(2, 2), texuniform=True)
    floor.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "chequers"
    spec.add_material(name="skin", specular=_SPECULAR, shininess=_SHININESS)
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_PLANE, size=(30, 30, _PERIOD), material="floor"
    )
    spec.worldbody.add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, pos=(0, 0, 4), dir=(0, 0, -1),
        diffuse=(0.40, 0.40, 0.40), specular=(0.3, 0.3, 0.3), castshadow=True,
    )  # fmt: skip
    bone = spec.worldbody.add_body(name="bone")
    bone.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=(0.01, 0, 0), rgba=(0, 0, 0, 0))
    spec.add_skin(
        name="skin", material="skin", vert=np.zeros(3 * vertex_count).tolist(),
        face=faces.ravel().tolist(), bodyname=["bone"], bindpos=[0, 0, 0], bindquat=[1, 0, 0, 0],
        vertid=[list(range(vertex_count))], vertweight=[[1.0] * vertex_count],
    )  # fmt: skip
    return spec.compile()


def _scene(model: mujoco.MjModel) -> mujoco.MjvScene:
    """The scene of the floor and the skin; what moves in it is written by `draw`."""
    scene, data = mujoco.MjvScene(model, maxgeom=10), mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    every = mujoco.mjtCatBit.mjCAT_ALL
    view = mujoco.MjvCamera()
    mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, view, every, scene)
    scene.flags[mujoco.mjtRndFlag.mjRND_HAZE] = 1
    scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
    return scene


def _vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3) that point outwards, weighted by the triangles' areas."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    normals = np.stack(
        [np.bincount(faces.ravel(), np.repeat(across[:, k], 3), len(vertices)) for k in range(3)],
        axis=1,
    )
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
