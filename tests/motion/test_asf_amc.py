"""CMU's ASF and AMC: a skeleton with turned axes moves as the motion it was written from."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.motion.formats import read_motion
from motionloop.motion.formats.asf_amc import read_asf, source_motion
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import JOINT_NAMES, REST_TO_WORLD, forward_kinematics

REST = Body.load().rest_joints(np.zeros(10))
# Bones of CMU's skeleton: name, parent, SMPL joints at its beginning and end.
BONES = (
    ("lhipjoint", "root", "pelvis", "left_hip"), ("lfemur", "lhipjoint", "left_hip", "left_knee"),
    ("ltibia", "lfemur", "left_knee", "left_ankle"), ("lfoot", "ltibia", "left_ankle", "left_foot"),
    ("ltoes", "lfoot", "left_foot", ""),
    ("lowerback", "root", "pelvis", "spine1"), ("upperback", "lowerback", "spine1", "spine2"),
    ("midback", "upperback", "spine2", "spine3"), ("thorax", "midback", "spine3", "spine3"),
    ("lowerneck", "thorax", "neck", "neck"), ("upperneck", "lowerneck", "neck", "head"),
    ("head", "upperneck", "head", ""),
    ("lclavicle", "thorax", "left_collar", "left_shoulder"),
    ("lhumerus", "lclavicle", "left_shoulder", "left_elbow"),
    ("lradius", "lhumerus", "left_elbow", "left_wrist"), ("lwrist", "lradius", "left_wrist", ""),
)  # fmt: skip


def _bones() -> list[tuple[str, str, str, str]]:
    """`BONES` and the right-hand side's."""

    def other(bone: str) -> str:
        return "r" + bone[1:] if bone in sided else bone

    sided = {bone[0] for bone in BONES if "left" in bone[2] + bone[3]}
    right = [
        (other(name), other(parent), start.replace("left", "right"), end.replace("left", "right"))
        for name, parent, start, end in BONES
        if name in sided
    ]
    return [*BONES, *right]


def _write(folder: Path, motion: SmplMotion, seed: int = 0) -> Path:
    """The motion as ASF and AMC in CMU's unit, with random axes of every bone.

    A bone has one direction, so a joint that two bones leave gets a bone of length zero first.
    """
    rng = np.random.default_rng(seed)
    unit = 0.0254 / 0.45
    _, rotations_w = forward_kinematics(REST, motion.transl, motion.global_orient, motion.body_pose)
    turned = REST_TO_WORLD.T @ rotations_w
    head = [":version 1.10", "# a comment", ":name VICON", ":units", "  mass 1.0",
            "  length 0.45", "  angle deg", ":documentation", "   none", ":root",
            "   order TX TY TZ RX RY RZ", "   axis XYZ", "   position 0 0 0",
            "   orientation 0 0 0", ":bonedata"]  # fmt: skip
    rows: list[list[str]] = [[] for _ in range(len(motion))]
    place = (motion.transl + REST[0]) @ REST_TO_WORLD / unit
    angles = Rotation.from_matrix(turned[:, 0]).as_euler("xyz", degrees=True)
    for t, row in enumerate(rows):
        row.append("root " + " ".join(f"{v:.9f}" for v in (*place[t], *angles[t])))
    moved = {"root": "pelvis"}
    ends = {"root": "pelvis"}
    tree: dict[str, list[str]] = {}
    for name, parent, start, end in _bones():
        j = JOINT_NAMES.index(start)
        begin = REST[JOINT_NAMES.index(ends[parent])] if ends[parent] else REST[j]
        if np.linalg.norm(begin - REST[j]) > 1e-9:  # a bone to where this one begins
            link = f"{name}_link"
            step = REST[j] - begin
            head += _bone(link, step / unit, np.zeros(3), False)
            tree.setdefault(parent, []).append(link)
            moved[link], ends[link], parent = moved[parent], start, link
        step = REST[JOINT_NAMES.index(end)] - REST[j] if end else np.array([0.0, 0.05, 0.0])
        axes = rng.uniform(-90, 90, 3)
        head += _bone(name, step / unit, axes, True)
        tree.setdefault(parent, []).append(name)
        above = turned[:, JOINT_NAMES.index(moved[parent])]
        own = Rotation.from_euler("xyz", axes, degrees=True).as_matrix()
        local = own.T @ (np.swapaxes(above, 1, 2) @ turned[:, j]) @ own
        moved[name], ends[name] = start, end or start
        values = Rotation.from_matrix(local).as_euler("xyz", degrees=True)
        for t, row in enumerate(rows):
            row.append(f"{name} " + " ".join(f"{v:.9f}" for v in values[t]))
    head += [":hierarchy", "  begin"]
    head += [f"    {parent} {' '.join(children)}" for parent, children in tree.items()] + ["  end"]
    (folder / "07.asf").write_text("\n".join(head) + "\n")
    lines = ["#!OML:ASF x", ":FULLY-SPECIFIED", ":DEGREES"]
    for t, row in enumerate(rows, start=1):
        lines += [str(t), *row]
    (folder / "07_01.amc").write_text("\n".join(lines) + "\n")
    return folder / "07_01.amc"


def _bone(name: str, step: np.ndarray, axes: np.ndarray, moves: bool) -> list[str]:
    length = float(np.linalg.norm(step))
    direction = step / length if length > 1e-12 else np.array([0.0, 1.0, 0.0])
    lines = ["  begin", "     id 1", f"     name {name}"]
    lines.append("     direction " + " ".join(f"{v:.12f}" for v in direction))
    lines.append(f"     length {length:.12f}")
    lines.append("     axis " + " ".join(f"{v:.12f}" for v in axes) + " XYZ")
    if moves:
        lines += ["    dof rx ry rz", "    limits (-160.0 20.0)", "           (-70.0 70.0)"]
        lines += ["           (-60.0 70.0)"]
    return [*lines, "  end"]


@pytest.fixture(scope="module")
def kick() -> SmplMotion:
    return {entry["name"]: clip for entry, clip in load_clips(CLIPS)}["kick"][:25]


def test_joints_of_the_file_are_where_the_motion_has_them(tmp_path, kick):
    source = source_motion(_write(tmp_path, kick))
    joints, _ = forward_kinematics(REST, kick.transl, kick.global_orient, kick.body_pose)
    assert source.fps == 120.0
    unit = 0.0254 / 0.45
    for name, k in source.mapping.items():
        j = JOINT_NAMES.index(name)
        np.testing.assert_allclose(unit * source.joints[:, k], joints[:, j], atol=1e-6)


def test_the_fitted_motion_is_the_motion(tmp_path, kick):
    read, error = read_motion(_write(tmp_path, kick), Body.load())
    assert error < 0.006
    joints, wanted = (
        forward_kinematics(REST, m.transl, m.global_orient, m.body_pose)[0] for m in (read, kick)
    )
    limbs = [
        j for j, n in enumerate(JOINT_NAMES) if n.endswith(("knee", "ankle", "elbow", "wrist"))
    ]
    apart = (joints - wanted)[:, limbs] - (joints - wanted)[:, :1].mean(axis=0)
    assert np.linalg.norm(apart, axis=-1).mean() < 0.01


def _spoilt(amc: Path, how: str) -> None:
    text, asf = amc.read_text(), amc.with_name("07.asf")
    if how == "cut in a line":
        amc.write_text(text[: text.rindex("lwrist") + 12])
    if how == "cut between lines":
        amc.write_text(text[: text.rindex("rhumerus")])
    if how == "nan":
        place = text.rindex("lfoot ") + 6
        amc.write_text(text[:place] + "nan" + text[text.index(" ", place) :])
    if how == "another skeleton":
        amc.write_text(text.replace("lfemur", "tail"))
    if how == "empty":
        amc.write_text("#!OML\n:DEGREES\n")
    if how == "no skeleton":
        asf.unlink()
    if how == "cut skeleton":
        asf.write_text(asf.read_text()[:900])
    if how == "skeleton of words":
        asf.write_text(asf.read_text().replace("length 0.", "length x", 3))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("cut in a line", "line .*cut off"),
        ("cut between lines", "frame 24 lacks .*rhumerus"),
        ("nan", "NaN.*lfoot"),
        ("another skeleton", "tail"),
        ("empty", "0 frames"),
        ("no skeleton", "07.asf.*found none"),
        ("cut skeleton", "hierarchy"),
        ("skeleton of words", "bone.*x"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, kick, how, says):
    amc = _write(tmp_path, kick)
    _spoilt(amc, how)
    with pytest.raises(InputError, match=says) as caught:
        read_motion(amc, Body.load())
    assert "07" in str(caught.value)


def test_the_skeletons_bones_come_parents_first(tmp_path, kick):
    _write(tmp_path, kick)
    skeleton = read_asf(tmp_path / "07.asf")
    assert skeleton.names[0] == "root"
    assert all(parent < j for j, parent in enumerate(skeleton.parents))
