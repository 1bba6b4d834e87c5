"""GLB out: read by independent readers, the file shows the body where the motion has it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.formats.gltf import write_glb
from motionloop.paths import CLIPS
from physics.motion import SmplMotion
from physics.skeleton import JOINT_NAMES, REST_TO_WORLD

pygltflib = pytest.importorskip("pygltflib", reason="pip install pygltflib")
_TYPES = {5126: "<f4", 5125: "<u4", 5123: "<u2"}
_WIDTH = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


@pytest.fixture(scope="module")
def clip() -> SmplMotion:
    clips = {entry["name"]: clip for entry, clip in load_clips(CLIPS)}
    return replace(clips["backflip"][:30], caption="ein Rückwärtssalto")


@pytest.fixture(scope="module")
def path(tmp_path_factory, body, clip):
    path = tmp_path_factory.mktemp("glb") / "a b ü.glb"
    write_glb(clip, path, body)
    return path


def _values(gltf, number: int) -> np.ndarray:
    accessor = gltf.accessors[number]
    view = gltf.bufferViews[accessor.bufferView]
    width = _WIDTH[accessor.type]
    blob = gltf.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    values = np.frombuffer(blob, _TYPES[accessor.componentType])
    assert len(values) == accessor.count * width
    return values.reshape(accessor.count, width).astype(float)


def _skinned(gltf, frame: int) -> np.ndarray:
    """The vertices of a frame, by the specification: nodes, animation, skin."""
    nodes = gltf.nodes
    local = {
        n: (np.array(node.translation or [0, 0, 0]), np.eye(3)) for n, node in enumerate(nodes)
    }
    animation = gltf.animations[0]
    for channel in animation.channels:
        value = _values(gltf, animation.samplers[channel.sampler].output)[frame]
        place, turn = local[channel.target.node]
        if channel.target.path == "translation":
            local[channel.target.node] = (value, turn)
        else:
            local[channel.target.node] = (place, Rotation.from_quat(value).as_matrix())
    world: dict[int, np.ndarray] = {}

    def visit(node: int, above: np.ndarray) -> None:
        matrix = np.eye(4)
        matrix[:3, 3], matrix[:3, :3] = local[node]
        world[node] = above @ matrix
        for child in nodes[node].children or []:
            visit(child, world[node])

    for root in gltf.scenes[gltf.scene].nodes:
        visit(root, np.eye(4))
    skin = gltf.skins[0]
    inverse = _values(gltf, skin.inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)
    carried = np.array([world[joint] @ inverse[k] for k, joint in enumerate(skin.joints)])
    attributes = gltf.meshes[0].primitives[0].attributes
    vertices = _values(gltf, attributes.POSITION)
    total = np.zeros((len(vertices), 4, 4))
    for part in range(2):
        joints = getattr(attributes, f"JOINTS_{part}", None)
        if joints is None:
            continue
        weights = _values(gltf, getattr(attributes, f"WEIGHTS_{part}"))
        chosen = carried[_values(gltf, joints).astype(int)]
        total += (weights[..., None, None] * chosen).sum(axis=1)
    return (total @ np.append(vertices, np.ones((len(vertices), 1)), 1)[..., None])[:, :3, 0]


def test_an_independent_reader_sees_the_body_where_the_motion_has_it(path, body, clip):
    gltf = pygltflib.GLTF2().load(str(path))
    skin = body.vertices(clip) @ REST_TO_WORLD  # y up
    for frame in (0, 13, 29):
        np.testing.assert_allclose(_skinned(gltf, frame), skin[frame], atol=2e-4)


def test_times_names_and_bounds_are_those_of_the_motion(path, clip):
    gltf = pygltflib.GLTF2().load(str(path))
    assert [node.name for node in gltf.nodes[:24]] == list(JOINT_NAMES)
    animation = gltf.animations[0]
    assert animation.name == "ein Rückwärtssalto"
    times = _values(gltf, animation.samplers[0].input)[:, 0]
    np.testing.assert_allclose(times, np.arange(30) / 30.0, atol=1e-6)
    accessor = gltf.accessors[animation.samplers[0].input]
    assert (accessor.min, accessor.max) == ([0.0], [pytest.approx(29 / 30)])
    for sampler in animation.samplers[1:]:
        quaternions = _values(gltf, sampler.output)
        assert (np.sum(quaternions[1:] * quaternions[:-1], axis=1) >= 0).all()
    for view in gltf.bufferViews:
        assert view.byteOffset % 4 == 0
        assert view.byteOffset + view.byteLength <= gltf.buffers[0].byteLength


def test_trimesh_reads_the_same_surface(path, body):
    import trimesh

    scene = trimesh.load_scene(str(path))
    mesh = next(iter(scene.geometry.values()))
    assert isinstance(mesh, trimesh.Trimesh)
    assert len(mesh.faces) == len(body.faces)
    np.testing.assert_allclose(
        mesh.bounds, trimesh.Trimesh(body.rest_vertices(np.zeros(10)), body.faces).bounds, atol=1e-5
    )
    outward = mesh.vertex_normals @ [0, 0, 1.0]
    front = mesh.vertices[:, 2] > np.percentile(mesh.vertices[:, 2], 99)
    assert outward[front].mean() > 0.3
