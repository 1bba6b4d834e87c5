"""Laws of the body: it is an adult, smplx and our kinematics agree, and files cannot run code."""

import os
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csc_matrix
from scipy.spatial.transform import Rotation

from motionloop.motion.body import SHIPPED, Body
from motionloop.motion.body_file import read_body
from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import JOINT_NAMES, MIRROR, REST_TO_WORLD, forward_kinematics

AT = {name: j for j, name in enumerate(JOINT_NAMES)}
UPRIGHT = Rotation.from_matrix(REST_TO_WORLD).as_rotvec()


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def posed(rng: np.random.Generator, frames: int = 6, bend: float = 0.3, **fields) -> SmplMotion:
    values = {
        "transl": rng.normal(0, 1, (frames, 3)),
        "global_orient": Rotation.random(frames, rng).as_rotvec(),
        "body_pose": rng.normal(0, bend, (frames, 23, 3)),
        "betas": rng.normal(0, 1, 10),
        "fps": 30.0,
    }
    return SmplMotion(**{**values, **fields})


def standing(frames: int = 1) -> SmplMotion:
    zeros = np.zeros
    return SmplMotion(
        zeros((frames, 3)), np.tile(UPRIGHT, (frames, 1)), zeros((frames, 23, 3)), zeros(10), 30.0
    )


def test_joints_agree_with_smplx(body, rng):
    import smplx
    import torch
    from smplx.utils import Struct

    arrays, _ = read_body(SHIPPED)
    model = smplx.SMPL(
        "",
        data_struct=Struct(**vars(arrays)),
        vertex_ids=dict.fromkeys(("nose", "reye", "leye", "rear", "lear"), 0),
        use_hands=False,
        use_feet_keypoints=False,
        batch_size=6,
        dtype=torch.float64,
    )
    motion = posed(rng)
    out = model(
        betas=torch.tensor(motion.betas)[None].expand(6, -1),
        body_pose=torch.tensor(motion.body_pose.reshape(6, 69)),
        global_orient=torch.tensor(motion.global_orient),
        transl=torch.tensor(motion.transl),
    )
    ours = forward_kinematics(
        body.rest_joints(motion.betas), motion.transl, motion.global_orient, motion.body_pose
    )[0]
    np.testing.assert_allclose(out.joints[:, :24].detach().numpy(), ours, atol=1e-5)
    np.testing.assert_allclose(out.vertices.detach().numpy(), body.vertices(motion), atol=1e-5)


def test_a_batch_has_the_joints_of_its_clips(body, rng):
    clips = [posed(rng, frames=4), posed(rng, frames=7)]
    joints = body.joints(Motions.pack(clips))
    assert joints.shape == (2, 7, 24, 3)
    for clip, found in zip(clips, joints):
        skeleton = body.skeleton(clip.betas)
        alone = forward_kinematics(skeleton.rest, clip.transl, clip.global_orient, clip.body_pose)[
            0
        ]
        np.testing.assert_allclose(found[: len(clip)], alone, atol=1e-5)


def test_a_t_pose_is_straight_symmetric_and_looks_along_z(body):
    skin, rest = body.rest_vertices(np.zeros(10)), body.rest_joints(np.zeros(10))
    np.testing.assert_allclose(rest, rest[list(MIRROR)] * (-1, 1, 1), atol=1e-5)
    arm = rest[[AT[f"left_{part}"] for part in ("shoulder", "elbow", "wrist", "hand")]]
    assert np.all(np.diff(arm[:, 0]) > 0.05)
    np.testing.assert_allclose(arm[:, 1:], arm[:1, 1:].repeat(4, axis=0), atol=0.012)
    assert rest[AT["left_foot"], 2] > rest[AT["left_ankle"], 2] + 0.08
    nearest = np.abs(skin[:, None] - skin[None, ::97] * (-1, 1, 1)).sum(axis=-1).min(axis=0)
    assert nearest.max() < 1e-4


def test_segments_have_the_lengths_of_an_adult(body):
    # Fractions of body height: Drillis & Contini in Winter (2009), de Leva (1996), joint centres.
    rest, skin = body.rest_joints(np.zeros(10)), body.rest_vertices(np.zeros(10))
    height, floor = np.ptp(skin[:, 1]), skin[:, 1].min()
    assert 1.62 < height < 1.80

    def length(a: str, b: str) -> float:
        return float(np.linalg.norm(rest[AT[a]] - rest[AT[b]])) / height

    def level(name: str) -> float:
        return float(rest[AT[name], 1] - floor) / height

    expected = {
        "thigh": (length("left_hip", "left_knee"), 0.245, 0.02),
        "shank": (length("left_knee", "left_ankle"), 0.247, 0.02),
        "ankle": (level("left_ankle"), 0.039, 0.012),
        "hip": (level("left_hip"), 0.530, 0.02),
        "shoulder": (level("left_shoulder"), 0.818, 0.02),
        "upper arm": (length("left_shoulder", "left_elbow"), 0.162, 0.015),
        "forearm": (length("left_elbow", "left_wrist"), 0.150, 0.012),
        "hips": (length("left_hip", "right_hip"), 0.104, 0.015),
        "shoulders": (length("left_shoulder", "right_shoulder"), 0.205, 0.03),
        "span": (float(np.ptp(skin[:, 0])) / height, 1.03, 0.05),
        "foot": (float(np.ptp(skin[skin[:, 1] < floor + 0.05, 2])) / height, 0.152, 0.02),
    }
    wrong = {k: v for k, v in expected.items() if abs(v[0] - v[1]) > v[2]}
    assert not wrong


def part_volumes(skin: np.ndarray, faces: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Volumes (24,) of the parts into which the joints divide the body; cuts are closed by fans."""
    part = np.median(owner[faces], axis=1).astype(int)
    edges = {(a, b): p for f, p in zip(faces.tolist(), part) for a, b in zip(f, f[1:] + f[:1])}
    cuts: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for (a, b), p in edges.items():
        if edges[b, a] != p:
            cuts.setdefault((p, edges[b, a]), []).append((b, a))
    volume = np.zeros(24)
    for p in range(24):
        origin = skin[faces[part == p]].mean(axis=(0, 1))
        triangles = [skin[faces[part == p]] - origin]
        for (mine, other), rim in cuts.items():
            if mine == p:
                middle = skin[np.unique(cuts[min(mine, other), max(mine, other)])].mean(axis=0)
                ends = skin[np.array(rim)]
                apex = np.broadcast_to(middle, (len(rim), 1, 3))
                triangles.append(np.concatenate([ends, apex], axis=1) - origin)
        t = np.concatenate(triangles)
        volume[p] = np.einsum("fi,fi->", t[:, 0], np.cross(t[:, 1], t[:, 2])) / 6
    return volume


def test_mass_is_spread_as_an_adults_is(body):
    # Segment masses as fractions of the body's: Winter (2009), de Leva (1996); uniform density.
    skin, owner = body.rest_vertices(np.zeros(10)), body.skin_weights.argmax(axis=1)
    a, b, c = (skin[body.faces[:, k]] for k in range(3))
    total = np.einsum("fi,fi->", a, np.cross(b, c)) / 6
    assert 985 * total / np.ptp(skin[:, 1]) ** 2 == pytest.approx(23.5, abs=2.5)  # kg/m^2
    volume = part_volumes(skin, body.faces, owner) / total
    assert volume.sum() == pytest.approx(1.0, abs=0.04)  # gaps where three parts meet

    def fraction(*joints: str) -> float:
        return float(sum(volume[AT[j]] for j in joints))

    expected = {
        "thigh": (fraction("left_hip"), 0.10, 0.15),
        "shank": (fraction("left_knee"), 0.038, 0.055),
        "foot": (fraction("left_ankle", "left_foot"), 0.010, 0.018),
        "upper arm": (fraction("left_shoulder"), 0.020, 0.033),
        "forearm": (fraction("left_elbow"), 0.011, 0.019),
        "hand": (fraction("left_wrist", "left_hand"), 0.004, 0.009),
        "head and neck": (fraction("head", "neck"), 0.060, 0.090),
    }
    wrong = {name: v for name, v in expected.items() if not v[1] < v[0] < v[2]}
    assert not wrong


def test_shapes_change_what_they_should(body):
    def height(coefficient: float, k: int = 0) -> float:
        betas = np.zeros(10)
        betas[k] = coefficient
        return float(np.ptp(body.rest_vertices(betas)[:, 1]))

    assert height(1) - height(0) == pytest.approx(0.085, abs=0.03)  # one deviation of adults
    effect = np.linalg.norm(body._shapes, axis=1).mean(axis=0)
    total = (body._shapes**2).sum(axis=(0, 1))
    assert np.all(np.diff(total) < 0)
    assert effect[0] > 3 * effect[4]


def test_the_surface_points_find_the_lowest_vertex(body, rng):
    motion = posed(rng, frames=60, bend=0.25)
    skeleton = body.skeleton(motion.betas)
    assert 250 <= len(skeleton.surface_joints) <= 520
    joints, rotations_w = forward_kinematics(
        skeleton.rest, motion.transl, motion.global_orient, motion.body_pose
    )
    found = skeleton.surface(joints, rotations_w)[..., 2].min(axis=1)
    error = np.abs(found - body.lowest(motion))
    assert error.mean() < 0.002
    assert np.quantile(error, 0.9) < 0.005


def test_the_feet_of_a_standing_body_are_its_lowest_points(body):
    motion = standing()
    soles = body.feet(motion)
    assert 20 <= soles.shape[1] <= 40
    assert soles[..., 2].max() - body.lowest(motion)[0] < 0.013
    left, right = np.split(soles[0], 2)
    np.testing.assert_allclose(left, right * (-1, 1, 1), atol=1e-5)
    assert np.ptp(left[:, 1]) > 0.2  # from heel to toes, along the world's y


def test_pieces_of_a_long_clip_join(body, rng):
    motion = posed(rng, frames=70)
    whole = body.vertices(motion)
    assert whole.shape == (70, len(body.rest_vertices(motion.betas)), 3)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole[65:], body.vertices(motion[65:]), atol=1e-5)
    np.testing.assert_allclose(body.lowest(motion), whole[..., 2].min(axis=1), atol=1e-6)


class Ch:
    def __init__(self, **state):
        vars(self).update(state)


class Select(Ch):
    pass


@pytest.mark.parametrize("protocol", [1, 2])
def test_a_licensed_pickle_loads_without_chumpy(body, tmp_path, rng, monkeypatch, protocol):
    for member, module in ((Ch, "chumpy.ch"), (Select, "chumpy.reordering")):
        monkeypatch.setattr(member, "__module__", module)
        monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
        setattr(sys.modules[module], member.__name__, member)
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    values = {k: np.asarray(v, np.float64) for k, v in vars(read_body(SHIPPED)[0]).items()}
    shapes = values["shapedirs"]
    values["kintree_table"] = values["kintree_table"].astype(np.int64).astype(np.uint32)  # -1 wraps
    values["f"] = values["f"].astype(np.uint32)
    values["J_regressor"] = csc_matrix(values["J_regressor"])
    values["v_template"] = Ch(x=values["v_template"], _dirty_vars=set(), _itr=None)
    padded = np.concatenate([shapes, np.ones_like(shapes)], axis=2)
    index = np.arange(padded.size).reshape(padded.shape)[:, :, :10]
    values["shapedirs"] = Select(a=Ch(x=padded), idxs=index.ravel(), preferred_shape=shapes.shape)
    values["bs_style"] = "lbs"
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps(values, protocol=protocol))
    for module in ("chumpy", "chumpy.ch", "chumpy.reordering"):
        monkeypatch.delitem(sys.modules, module)
    loaded, motion = Body.load(path), posed(rng, frames=2)
    assert loaded.name == "SMPL_NEUTRAL"
    assert loaded.sha256 != body.sha256
    np.testing.assert_allclose(loaded.vertices(motion), body.vertices(motion), atol=1e-5)


class Harmful:
    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_a_malicious_pickle_does_not_run(tmp_path):
    mark, path = tmp_path / "it_ran", tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps({"v_template": Harmful(mark)}))
    with pytest.raises(InputError, match="mkdir"):
        Body.load(path)
    assert not mark.exists()
    pickle.loads(path.read_bytes())  # the trap itself works
    assert mark.exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps([1]), pickle.dumps({"f": 1})])
def test_a_damaged_pickle_is_named(tmp_path, content):
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(content)
    with pytest.raises(InputError, match="SMPL_NEUTRAL"):
        Body.load(path)


def test_what_is_no_body_is_named(tmp_path):
    with pytest.raises(InputError, match="absent"):
        Body.load(tmp_path / "absent.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(InputError, match="v_template"):
        Body.load(tmp_path / "other.npz")
    values = vars(read_body(SHIPPED)[0]) | {"weights": np.zeros((10, 52))}
    np.savez(tmp_path / "smplh.npz", **values)
    with pytest.raises(InputError, match=r"weights.*\(10, 52\)"):
        Body.load(tmp_path / "smplh.npz")


def test_the_module_imports_without_torch():
    import subprocess

    code = "import sys, motionloop.motion.body; assert not {'torch', 'smplx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
