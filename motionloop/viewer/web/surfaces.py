"""The three looks of a body, as meshes that its 24 joints carry: skin, skeleton, humanoid.

Whatever draws needs to know one thing only: vertices in the rest pose, and how far each joint
carries each vertex. The skin is blended; bones and the simulated humanoid's geoms are rigid.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import trimesh
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from physics.humanoid import Humanoid
from physics.skeleton import PARENTS

Look = Literal["skin", "skeleton", "humanoid"]
LOOKS: tuple[Look, ...] = get_args(Look)
FEET = ((7, 10), (8, 11))  # ankle and foot joint, left and right
_INFLUENCES = 4  # joints that carry one vertex at most; what graphics hardware blends
_BALL, _BONE = 0.022, 0.16  # m, radius of a joint; thickness of a bone over its length


@dataclass(frozen=True)
class Surface:
    """A mesh that joints carry: vertex = sum_k weight_k (R_k (v_rest - rest_k) + p_k).

    Attributes:
        rest: (24, 3) rest joints, m, y up.
        vertices: (V, 3) in the rest pose, m.
        faces: (F, 3) counter-clockwise from outside.
        joints: (V, 4) which joints carry each vertex.
        weights: (V, 4) how far; rows sum to 1.
        flat: whether faces, not vertices, have the normals.
    """

    rest: np.ndarray
    vertices: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    weights: np.ndarray
    flat: bool

    @property
    def foot(self) -> np.ndarray:
        """(V,) 1 on the left foot, 2 on the right one, else 0."""
        share = [(np.isin(self.joints, feet) * self.weights).sum(axis=1) for feet in FEET]
        return np.where(share[0] > 0.5, 1, np.where(share[1] > 0.5, 2, 0)).astype(np.uint8)


def surface_of(look: Look, body: Body, betas: np.ndarray) -> Surface:
    """The surface of a body of shape `betas` (10,) in one look."""
    if look == "skin":
        return _skin(body, betas)
    if look == "skeleton":
        return _skeleton(body.rest_joints(betas))
    return _humanoid(Humanoid.build(body.skeleton(betas)))


def _skin(body: Body, betas: np.ndarray) -> Surface:
    strongest = np.argsort(-body.skin_weights, axis=1, kind="stable")[:, :_INFLUENCES]
    weights = np.take_along_axis(body.skin_weights, strongest, axis=1)
    return Surface(
        rest=body.rest_joints(betas),
        vertices=body.rest_vertices(betas),
        faces=body.faces,
        joints=strongest,
        weights=weights / weights.sum(axis=1, keepdims=True),
        flat=False,
    )


def _rigid(rest: np.ndarray, parts: list[tuple[int, np.ndarray, np.ndarray]]) -> Surface:
    """Meshes (joint, vertices in the rest pose, faces), each carried by one joint."""
    counts = [len(vertices) for _, vertices, _ in parts]
    starts = np.cumsum([0, *counts[:-1]])
    owner = np.repeat([joint for joint, _, _ in parts], counts)
    weights = np.zeros((len(owner), _INFLUENCES))
    weights[:, 0] = 1
    return Surface(
        rest=rest,
        vertices=np.concatenate([vertices for _, vertices, _ in parts]),
        faces=np.concatenate([faces + start for start, (_, _, faces) in zip(starts, parts)]),
        joints=np.repeat(owner[:, None], _INFLUENCES, axis=1),
        weights=weights,
        flat=True,
    )


def _skeleton(rest: np.ndarray) -> Surface:
    """A ball at every joint and a slender double pyramid along every bone."""
    ball = trimesh.creation.icosphere(subdivisions=1, radius=_BALL)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, 1.0]])
    faces = [[0, b, a] for a, b in ((1, 2), (2, 3), (3, 4), (4, 1))]
    faces += [[5, a, b] for a, b in ((1, 2), (2, 3), (3, 4), (4, 1))]
    parts = []
    for joint, parent in enumerate(PARENTS):
        parts.append((joint, rest[joint] + ball.vertices, np.asarray(ball.faces)))
        length = np.linalg.norm(rest[joint] - rest[parent])
        if parent < 0 or length == 0:
            continue
        turn = Rotation.align_vectors([rest[joint] - rest[parent]], [[0, 0, length]])[0]
        thick = min(_BONE * length, _BALL)
        bone = corners * [thick, thick, length] + [0, 0, 0]
        bone[1:5, 2] = 0.2 * length
        parts.append((parent, rest[parent] + turn.apply(bone), np.array(faces)))
    return _rigid(rest, parts)


def _humanoid(humanoid: Humanoid) -> Surface:
    """The geoms with which the simulated body touches the floor."""
    model, rest = humanoid.model, humanoid.skeleton.rest
    joint_of = {int(body): joint for joint, body in enumerate(humanoid.body)}
    parts = []
    for geom in range(model.ngeom):
        joint = joint_of.get(int(model.geom_bodyid[geom]))
        if joint is None:  # the floor
            continue
        vertices, faces = _geom(model, geom)
        turn = Rotation.from_quat(model.geom_quat[geom], scalar_first=True)
        parts.append((joint, rest[joint] + turn.apply(vertices) + model.geom_pos[geom], faces))
    return _rigid(rest, parts)


def _geom(model, geom: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a box, capsule or mesh geom in its own axes."""
    kind, size, mesh = model.geom_type[geom], model.geom_size[geom], model.geom_dataid[geom]
    if mesh >= 0:
        vertices = slice(model.mesh_vertadr[mesh], None), slice(model.mesh_faceadr[mesh], None)
        return (
            model.mesh_vert[vertices[0]][: model.mesh_vertnum[mesh]].astype(float),
            model.mesh_face[vertices[1]][: model.mesh_facenum[mesh]].astype(int),
        )
    if kind == 6:  # mjGEOM_BOX
        made = trimesh.creation.box(2 * size)
    else:
        made = trimesh.creation.capsule(height=2 * size[1], radius=size[0], count=[10, 10])
        made.vertices -= made.bounds.mean(axis=0)
    return np.asarray(made.vertices), np.asarray(made.faces)
