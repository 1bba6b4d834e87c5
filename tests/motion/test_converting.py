"""Converting files and folders, what docs/formats.md promises, and files too large to read."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from motionloop.cli import main
from motionloop.motion.body import Body
from motionloop.motion.converting import (
    Conversion,
    convert_file,
    convert_folder,
    convert_to_humanml3d,
)
from motionloop.motion.dataset import entry_of, load_clips, write_index
from motionloop.motion.formats import ENDINGS, SUFFIXES, read_motion, write_motion
from motionloop.motion.formats import guard as guard_module
from motionloop.motion.formats.guard import opened_npz, read_npy, read_text
from motionloop.motion.formats.humanml3d import features, joints_of, joints_of_motion
from motionloop.motion.importing import import_motion
from motionloop.paths import CLIPS
from motionloop.samples import InputError
from physics.motion import SmplMotion
from physics.skeleton import forward_kinematics, rotation_matrices

DOC = Path(__file__).parents[2] / "docs/formats.md"


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


@pytest.fixture(scope="module")
def dance() -> SmplMotion:
    return {entry["name"]: clip for entry, clip in load_clips(CLIPS)}["dance_b"][:45]


def _joints(motion: SmplMotion, body: Body) -> np.ndarray:
    pose = (motion.transl, motion.global_orient, motion.body_pose)
    return forward_kinematics(body.rest_joints(motion.betas), *pose)[0]


# What comes back of a motion: rotations to a matrix entry, joints to metres, frame rate, how many
# joints carry rotations, whether its height is kept, and its caption.
LAWS = {
    ".npz": (1e-12, 1e-12, None, 24, True, True),
    ".bvh": (1e-6, 1e-6, None, 24, True, False),
    ".amass.npz": (1e-12, 1e-12, None, 22, False, False),
}


@pytest.mark.parametrize("ending", LAWS)
def test_what_a_format_keeps_comes_back(tmp_path, body, dance, ending):
    rotation, place, fps, joints, height, caption = LAWS[ending]
    write_motion(dance, tmp_path / f"a{ending}", body)
    back, _ = read_motion(tmp_path / f"a{ending}", body, caption="from elsewhere")
    assert back.fps == (fps or dance.fps)
    np.testing.assert_allclose(back.betas, dance.betas, atol=1e-6)
    kept = slice(0, joints - 1)
    turned = [rotation_matrices(m.body_pose[:, kept]) for m in (back, dance)]
    np.testing.assert_allclose(turned[0], turned[1], atol=rotation)
    turned = [rotation_matrices(m.global_orient) for m in (back, dance)]
    np.testing.assert_allclose(turned[0], turned[1], atol=rotation)
    shift = _joints(back, body)[:, :joints] - _joints(dance, body)[:, :joints]
    if not height:  # foreign files are set on the floor as a whole
        assert np.ptp(shift[..., 2]) < place
        shift[..., 2] = 0.0
    np.testing.assert_allclose(shift, 0.0, atol=place)
    assert back.caption == (dance.caption if caption else "from elsewhere")


@pytest.mark.parametrize("ending", [".npy", ".joints.npy"])
def test_humanml3d_keeps_bone_directions_at_20_hz(tmp_path, body, dance, ending):
    write_motion(dance, tmp_path / f"a{ending}", body)
    back, error = read_motion(tmp_path / f"a{ending}", body)
    wanted = dance.resample(20.0)[: len(back)]
    assert back.fps == 20.0
    assert len(dance.resample(20.0)) - len(back) == (1 if ending == ".npy" else 0)
    assert error < 0.012
    have, want = (_joints(m, body)[:, :22] for m in (back, wanted))
    have, want = (p - p[:, :1] for p in (have, want))
    if ending == ".npy":  # the features start where the body looks along +z of the file
        line = [p[0, 2, :2] - p[0, 1, :2] + p[0, 17, :2] - p[0, 16, :2] for p in (have, want)]
        yaw = np.subtract(*(np.arctan2(v[1], v[0]) for v in line))
        c, s = np.cos(yaw), np.sin(yaw)
        want = want @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    assert np.linalg.norm(have - want, axis=-1).mean() < 0.02


def test_humanml3ds_joints_and_features_become_each_other_without_a_body(tmp_path, body, dance):
    joints = joints_of_motion(dance, 1.2 * body.rest_joints(np.zeros(10)))  # another body
    np.save(tmp_path / "a.joints.npy", joints)
    convert_file(tmp_path / "a.joints.npy", tmp_path / "b.npy", Conversion(body))
    rows = np.load(tmp_path / "b.npy")
    np.testing.assert_allclose(rows, features(joints), atol=1e-6)
    convert_file(tmp_path / "b.npy", tmp_path / "c.joints.npy", Conversion(body))
    np.testing.assert_allclose(np.load(tmp_path / "c.joints.npy"), joints_of(rows), atol=1e-6)


def test_the_page_names_every_format_that_is_read_or_written():
    text = DOC.read_text()
    for ending in {*ENDINGS, *SUFFIXES, ".asf"}:
        assert f"`{ending}`" in text, ending
    for word in ("ProtoMotions", "PHC", "kimodo", "KIT-ML", "SMPL-X", "AMASS", "Blender"):
        assert word in text, word


def test_the_frame_rate_can_be_changed_on_the_way(tmp_path, body, dance):
    dance.save(tmp_path / "a.npz")
    convert_file(tmp_path / "a.npz", tmp_path / "b.bvh", Conversion(body, fps=24.0))
    back, _ = read_motion(tmp_path / "b.bvh", body)
    assert back.fps == 24.0
    assert back.duration == pytest.approx(dance.duration, abs=1 / 24)


def test_a_folder_keeps_its_levels_and_names_what_it_skips(tmp_path, body, dance):
    source = tmp_path / "source"
    (source / "in ner").mkdir(parents=True)
    dance.save(source / "in ner/ä.npz")
    write_motion(dance, source / "in ner/ä.bvh", body)
    write_motion(dance, source / "b.amass.npz", body)
    (source / "cut.bvh").write_text("HIERARCHY\nROOT a\n{")
    (source / "._ghost.npz").write_bytes(b"x")
    (source / "notes.txt").write_text("x")
    counts: list[tuple[int, int]] = []
    written, skipped = convert_folder(
        source, tmp_path / "out", "glb", Conversion(body), lambda *c: counts.append(c)
    )
    assert {path.relative_to(tmp_path / "out").as_posix() for path in written} == {
        "b.glb",
        "in ner/ä.glb",
        "in ner/ä.npz.glb",
    }
    assert {path.name for path, _ in skipped} == {"cut.bvh", "._ghost.npz"}
    assert counts[-1] == (4, 4)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a.npz", "b.fbx"], "b.fbx.*.glb"),
        (["a.fbx", "b.npz"], "a.fbx.*known are"),
        (["missing.npz", "b.npz"], "no such file"),
        (["a.npz", "b.npz", "--fps", "0"], "--fps is 0"),
        (["a.npz", "b.glb", "--up", "z"], "y up"),
        (["a.npz", "b.glb", "--to", "glb"], "--to is for folders"),
        (["folder", "out"], "--to"),
        (["folder", "out", "--to", "fbx"], "--to .fbx is unknown"),
        (["folder", "out", "--to", "glb"], "no motion file"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(tmp_path, dance, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    dance.save(tmp_path / "a.npz")
    (tmp_path / "a.fbx").write_bytes(b"Kaydara")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit) as caught:
        main(["convert", *arguments])
    assert caught.value.code == 2
    assert re.search(says, capsys.readouterr().err)
    assert sorted(tmp_path.iterdir()) == before


def test_the_command_converts_and_writes_its_report(tmp_path, dance, capsys):
    dance.save(tmp_path / "a.npz")
    paths = [str(tmp_path / name) for name in ("a.npz", "b.bvh", "r.json")]
    with pytest.raises(SystemExit) as caught:
        main(["convert", *paths[:2], "--up", "z", "--json", paths[2]])
    assert caught.value.code == 0
    assert (tmp_path / "b.bvh").is_file()
    assert "b.bvh" in (tmp_path / "r.json").read_text()


def test_files_too_large_for_memory_are_refused_before_they_are_read(tmp_path, monkeypatch):
    with open(tmp_path / "a.bvh", "wb") as file:
        file.truncate(10 * 2**30)  # takes no room on the disk
    with pytest.raises(InputError, match=r"10\.7 GB"):
        read_text(tmp_path / "a.bvh")
    shape = (100_000_000, 22, 3)
    header = np.lib.format.header_data_from_array_1_0(np.empty((0, 22, 3), np.float32))
    with open(tmp_path / "a.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {**header, "shape": shape})
        file.truncate(file.tell() + 4 * int(np.prod(shape)))
    with pytest.raises(InputError, match="GB"):
        read_npy(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("poses.npy", b"\0" * 4_000_000)  # 4 kB packed
    monkeypatch.setattr(guard_module, "LARGEST_BYTES", 1_000_000)
    with opened_npz(tmp_path / "a.npz") as arrays, pytest.raises(InputError, match="poses in"):
        arrays["poses"]


def test_a_data_set_survives_the_way_through_a_humanml3d_folder(tmp_path, body):
    names = ("walk", "kick", "run_mirrored")
    clips = {entry["name"]: (entry, clip) for entry, clip in load_clips(CLIPS)}
    entries = []
    for name in names:
        entry, clip = clips[name]
        clip.save(tmp_path / f"set/{name}.npz")
        entries.append(entry_of(name, clip, "test") | {"split": entry["split"]})
    entries[0]["captions"] = [
        {"text": "a person walks", "start_s": 0.0, "end_s": 0.0},
        {"text": "Three steps, #quickly", "start_s": 0.5, "end_s": 1.5},
    ]
    write_index(tmp_path / "set", entries)
    written, skipped = convert_to_humanml3d(tmp_path / "set", tmp_path / "t2m", Conversion(body))
    assert (len(written), skipped) == (3, [])
    report = import_motion([tmp_path / "t2m"], tmp_path / "back", body)
    assert report.skipped == []
    back = {entry["name"]: entry for entry in report.read}
    for entry in entries:
        assert back[entry["name"]]["split"] == entry["split"]
        assert back[entry["name"]]["fps"] == 20.0
        assert back[entry["name"]]["fit_error_m"] < 0.012
    walk = back["walk"]["captions"]
    assert walk[1] == {"text": "Three steps,  quickly", "start_s": 0.5, "end_s": 1.5}
    rows = np.load(tmp_path / "t2m/new_joint_vecs/walk.npy")
    joints = np.load(tmp_path / "t2m/new_joints/walk.npy")
    assert rows.shape == (len(joints), 263)
    np.testing.assert_allclose(joints_of(rows), joints, atol=1e-4)
    assert "three/OTHER steps/OTHER quickly/OTHER" in (tmp_path / "t2m/texts/walk.txt").read_text()
    assert set((tmp_path / "t2m/all.txt").read_text().split()) == set(names)
