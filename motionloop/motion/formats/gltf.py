"""glTF binary files (GLB) of SMPL motions: the skinned body and its animation.

Khronos, glTF 2.0 specification: y up, metres, quaternions x y z w, linear samplers. Vertex v of
the rest pose is carried by the joints with its weights, v' = sum_j w_j M_j B_j v, with M_j the
joint's place in the world and B_j the inverse of its place in the rest pose. The eight largest
weights of a vertex are kept, four in each set of attributes.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.samples import write_whole
from physics.motion import SmplMotion
from physics.skeleton import JOINT_COUNT, JOINT_NAMES, PARENTS, REST_TO_WORLD, rotation_matrices

_FLOAT, _UINT, _USHORT = 5126, 5125, 5123
_VERTICES, _INDICES = 34962, 34963  # what a buffer view is for
_KINDS = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (16,): "MAT4"}
_TYPES = {"f": _FLOAT, "I": _UINT, "H": _USHORT}
_SKIN = [0.72, 0.45, 0.40, 1.0]


class _Buffer:
    """The binary part: arrays one after another, each with its view and accessor."""

    def __init__(self):
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: np.ndarray, code: str, target: int | None = None, bounds=False) -> int:
        """Append an array (N, ...) with little-endian numbers; its accessor's number."""
        values = np.ascontiguousarray(values, dtype="<" + {"f": "f4", "I": "u4", "H": "u2"}[code])
        self.data += b"\0" * (-len(self.data) % 4)
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": values.nbytes}
        if target is not None:
            view["target"] = target
        self.data += values.tobytes()
        self.views.append(view)
        accessor = {
            "bufferView": len(self.views) - 1,
            "componentType": _TYPES[code],
            "count": len(values),
            "type": _KINDS[values.shape[1:]],
        }
        if bounds:
            accessor["min"] = np.atleast_1d(values.min(axis=0)).tolist()
            accessor["max"] = np.atleast_1d(values.max(axis=0)).tolist()
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def write_glb(motion: SmplMotion, path: Path, body: Body) -> None:
    """Write a motion as GLB, whole or not at all.

    Args:
        motion: T frames; frame t stands at t / fps seconds.
        path: the file.
        body: whose skin and rest joints are written, in the motion's shape.
    """
    rest = body.rest_joints(motion.betas)
    buffer = _Buffer()
    content = {
        "asset": {"version": "2.0", "generator": "motionloop"},
        "scene": 0,
        "scenes": [{"nodes": [0, JOINT_COUNT]}],
        "nodes": [*_joints(rest), {"name": "body", "mesh": 0, "skin": 0}],
        "meshes": [_mesh(body, motion, buffer)],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": _SKIN, "metallicFactor": 0.0}}],
        "skins": [_skin(rest, buffer)],
        "animations": [_animation(motion, rest, buffer)],
    }
    buffer.data += b"\0" * (-len(buffer.data) % 4)
    content |= {
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }
    text = json.dumps(content, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(buffer.data)
    chunks = (
        struct.pack("<4sII", b"glTF", 2, total)
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + struct.pack("<I4s", len(buffer.data), b"BIN\0")
        + bytes(buffer.data)
    )
    write_whole(path, lambda file: file.write(chunks))


def _joints(rest: np.ndarray) -> list[dict[str, Any]]:
    """A node for every joint, in SMPL's order, in the rest pose."""
    nodes = []
    for j, name in enumerate(JOINT_NAMES):
        offset = rest[j] - (rest[PARENTS[j]] if j else 0.0)
        node: dict[str, Any] = {"name": name, "translation": offset.tolist()}
        children = [c for c in range(JOINT_COUNT) if PARENTS[c] == j]
        if children:
            node["children"] = children
        nodes.append(node)
    return nodes


def _mesh(body: Body, motion: SmplMotion, buffer: _Buffer) -> dict[str, Any]:
    vertices = body.rest_vertices(motion.betas)
    corners = vertices[body.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, body.faces[:, corner], across)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(length > 0, normals / np.maximum(length, 1e-20), [0.0, 1.0, 0.0])
    weights = body.skin_weights
    joints = np.argsort(-weights, axis=1)[:, :8]
    kept = np.take_along_axis(weights, joints, axis=1).astype(np.float32)
    kept /= kept.sum(axis=1, keepdims=True)
    joints = np.where(kept > 0, joints, 0)
    attributes = {
        "POSITION": buffer.add(vertices, "f", _VERTICES, bounds=True),
        "NORMAL": buffer.add(normals, "f", _VERTICES),
    }
    for number in range(2 if kept[:, 4:].any() else 1):
        part = slice(4 * number, 4 * number + 4)
        attributes[f"JOINTS_{number}"] = buffer.add(joints[:, part], "H", _VERTICES)
        attributes[f"WEIGHTS_{number}"] = buffer.add(kept[:, part], "f", _VERTICES)
    indices = buffer.add(body.faces.reshape(-1), "I", _INDICES)
    return {
        "name": "body",
        "primitives": [{"attributes": attributes, "indices": indices, "material": 0}],
    }


def _skin(rest: np.ndarray, buffer: _Buffer) -> dict[str, Any]:
    inverse = np.tile(np.eye(4), (JOINT_COUNT, 1, 1))
    inverse[:, 3, :3] = -rest  # columns first, as glTF stores matrices
    return {
        "inverseBindMatrices": buffer.add(inverse.reshape(-1, 16), "f"),
        "joints": list(range(JOINT_COUNT)),
        "skeleton": 0,
    }


def _animation(motion: SmplMotion, rest: np.ndarray, buffer: _Buffer) -> dict[str, Any]:
    """The pelvis's place and the rotation of every joint that moves, at every frame."""
    poses = np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1)
    local = rotation_matrices(poses)
    local[:, 0] = REST_TO_WORLD.T @ local[:, 0]
    place = (rest[0] + motion.transl) @ REST_TO_WORLD
    times = buffer.add(np.arange(len(motion)) / motion.fps, "f", bounds=True)
    samplers: list[dict[str, Any]] = [{"input": times, "output": buffer.add(place, "f")}]
    channels: list[dict[str, Any]] = [{"sampler": 0, "target": {"node": 0, "path": "translation"}}]
    for joint in range(JOINT_COUNT):
        quaternions = Rotation.from_matrix(local[:, joint]).as_quat()
        backwards = np.sum(quaternions[1:] * quaternions[:-1], axis=1) < 0
        quaternions[1:][np.cumsum(backwards) % 2 == 1] *= -1  # the short way between frames
        samplers.append({"input": times, "output": buffer.add(quaternions, "f")})
        target = {"node": joint, "path": "rotation"}
        channels.append({"sampler": len(samplers) - 1, "target": target})
    for sampler in samplers:
        sampler["interpolation"] = "LINEAR"
    return {"name": motion.caption or "motion", "samplers": samplers, "channels": channels}
