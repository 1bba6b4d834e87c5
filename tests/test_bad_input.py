"""Bad motion files at the command line: named, exit code 2, nothing half-written."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from physics.motion import SmplMotion

GOOD = {
    "transl": np.zeros((9, 3)),
    "global_orient": np.zeros((9, 3)),
    "body_pose": np.zeros((9, 23, 3)),
    "betas": np.zeros(10),
    "fps": 20.0,
    "caption": "a person stands",
}
BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT LeftUpLeg
  {
    OFFSET 10 0 0
"""


class Evil:
    def __reduce__(self):
        return (print, ("code from a stranger's file has run",))


def write(path, name):
    nan = GOOD["body_pose"].copy()
    nan[3, 2, 1] = np.nan
    changed = {
        "nan": {"body_pose": nan},
        "zero_frames": {k: GOOD[k][:0] for k in ("transl", "global_orient", "body_pose")},
        "fps_0": {"fps": 0.0},
        "wrong_shape": {"body_pose": np.zeros((9, 21, 3))},
    }
    if name in changed:
        np.savez(path, **{**GOOD, **changed[name]})
    elif name == "no_poses":
        np.savez(path, transl=np.zeros((9, 3)), fps=20.0)
    elif name == "objects":
        np.savez(path, **{**GOOD, "body_pose": np.array([Evil()], dtype=object)})
    elif name == "cut_off":
        path.write_text(BVH)
    elif name == "pickle":
        path.write_bytes(pickle.dumps(Evil()))


def motionloop(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "motionloop", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("nan.npz", "NaN"),
        ("zero_frames.npz", "0 frames"),
        ("fps_0.npz", "fps is 0"),
        ("wrong_shape.npz", "body_pose"),
        ("no_poses.npz", "no_poses.npz"),
        ("objects.npz", "objects.npz"),
        ("cut_off.bvh", "cut_off.bvh"),
    ],
)
def test_a_broken_motion_is_named_and_nothing_is_written(tmp_path, file, message):
    path = tmp_path / "in" / file
    path.parent.mkdir()
    write(path, path.stem)
    for command in (("correct", path, "--out", "out"), ("render", path, "--out", "out/x.png")):
        done = motionloop(*command, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert "stranger" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "out").exists()


def test_a_pickle_with_code_in_it_is_refused_and_the_code_does_not_run(tmp_path):
    write(tmp_path / "pickle.pkl", "pickle")
    SmplMotion(**GOOD).save(tmp_path / "good.npz")
    done = motionloop("correct", "good.npz", "--out", "out", "--body_model", "pickle.pkl",
                      cwd=tmp_path)  # fmt: skip
    assert done.returncode == 2
    assert "pickle.pkl" in done.stderr
    assert "stranger" not in done.stdout + done.stderr


def test_an_import_keeps_going_and_names_what_it_skips(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    SmplMotion(**GOOD).save(source / "good.npz")
    for file in ("nan.npz", "no_poses.npz", "cut_off.bvh"):
        write(source / file, file.split(".")[0])
    done = motionloop("import", "in", "--out", "set", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "read 1 clips" in done.stdout
    assert "skipped 3" in done.stdout
    for file in ("nan.npz", "no_poses.npz", "cut_off.bvh"):
        assert file in done.stdout
    assert sorted(p.name for p in (tmp_path / "set").iterdir()) == ["good.npz", "index.json"]


def test_clips_shorter_than_a_window_are_refused_with_the_remedy(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for n in range(12):
        SmplMotion(**GOOD).save(source / f"clip_{n}.npz")
    assert motionloop("import", "in", "--out", "set", cwd=tmp_path).returncode == 0
    done = motionloop("run", "motion_smoke", "--data", "set", cwd=tmp_path)
    assert done.returncode == 2
    assert "lower task.seconds" in done.stderr
    assert not (tmp_path / "runs").exists()
