"""Laws of the pictures: what is nearer hides what is behind, files are whole, and errors speak."""

from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionloop.cli import _main
from motionloop.motion.body import Body
from motionloop.motion.motions import Motions
from motionloop.samples import InputError
from motionloop.viewer.camera import Camera, facing, follow
from motionloop.viewer.render import COLOURS, SUFFIXES, render
from motionloop.viewer.software import SoftwarePainter, rasterise
from physics.motion import SmplMotion
from physics.skeleton import REST_TO_WORLD, forward_kinematics

SIZE = (160, 120)
VIEW = Camera(np.array([0.0, 0.0, 1.0]), 0.4, 0.2, 4.0, 0.6)


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


def walking(body: Body, frames: int, speed: float = 1.0) -> SmplMotion:
    """An upright body that glides along y, its soles on the floor."""
    still = SmplMotion(
        np.zeros((frames, 3)),
        np.tile(Rotation.from_matrix(REST_TO_WORLD).as_rotvec(), (frames, 1)),
        np.zeros((frames, 23, 3)),
        np.zeros(10),
        20.0,
    )
    along = -np.arange(frames) / 20.0 * speed
    transl = np.stack([0 * along, along, 0 * along - body.lowest(still)], axis=1)
    return replace(still, transl=transl)


def test_every_pixel_shows_the_nearest_of_the_triangles_that_cover_it():
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(-5, 45, (60, 2)), rng.uniform(1, 3, 60)])
    faces = rng.permutation(60).reshape(20, 3)
    pixels, shown, weights = rasterise(points, faces, (40, 30), cull=False)
    found = np.full(40 * 30, -1)
    found[pixels] = shown
    for pixel in range(0, 40 * 30, 7):  # one at a time, by the signs of cross products
        centre = np.array([pixel % 40 + 0.5, pixel // 40 + 0.5])
        best, nearest = -1, 0.0
        for f, face in enumerate(faces):
            corner = points[face, :2]
            solved = np.linalg.solve(np.vstack([corner.T, np.ones(3)]), np.append(centre, 1))
            if (solved >= 0).all() and solved @ (1 / points[face, 2]) > nearest:
                best, nearest = f, solved @ (1 / points[face, 2])
        assert found[pixel] == best
    where = np.einsum("pk,pkc->pc", weights, points[faces[shown], :2])
    np.testing.assert_allclose(where[:, 0], pixels % 40 + 0.5, atol=1e-9)


def test_a_point_projects_where_its_ray_came_from():
    points = VIEW.position + 2.5 * (VIEW.axes[2] + 0.1 * VIEW.axes[0] + 0.05 * VIEW.axes[1])
    x, y, depth = VIEW.project(points, SIZE)
    focal = 60 / np.tan(0.3)
    np.testing.assert_allclose([x, y, depth], [80 + 0.1 * focal, 60 - 0.05 * focal, 2.5])
    np.testing.assert_allclose(VIEW.axes @ VIEW.axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(VIEW.project(VIEW.target, SIZE)[:2], [80, 60], atol=1e-9)


def coloured(picture: np.ndarray, colour: tuple[float, float, float]) -> np.ndarray:
    """Where a picture has the hue of a body rather than the grey of the floor."""
    hue = np.array(colour) - np.mean(colour)
    seen = picture / 255 - picture.mean(axis=-1, keepdims=True) / 255
    return seen @ hue / np.linalg.norm(hue) > 0.12


def test_the_body_is_in_the_picture_and_its_part_below_the_floor_is_not(body):
    motion = walking(body, 1)
    skin = body.vertices(motion)[0].astype(float)
    camera = replace(VIEW, target=np.array([0.0, 0.0, 0.9]))
    painter = SoftwarePainter(body.faces, len(skin), SIZE)
    whole = coloured(painter.draw(skin, COLOURS[0], camera), COLOURS[0])
    expected = camera.project(skin, SIZE)
    rows, columns = np.nonzero(whole)
    assert abs(columns.min() - expected[:, 0].min()) < 3
    assert abs(columns.max() - expected[:, 0].max()) < 3
    assert abs(rows.min() - expected[:, 1].min()) < 3
    sunk = coloured(painter.draw(skin - (0, 0, 0.9), COLOURS[0], camera), COLOURS[0])
    floor_row = camera.project(skin.mean(axis=0) * (1, 1, 0), SIZE)[1]
    assert sunk.any()
    assert np.nonzero(sunk)[0].max() < floor_row + 8
    assert not coloured(painter.draw(skin - (0, 0, 5), COLOURS[0], camera), COLOURS[0]).any()


def test_the_shadow_meets_the_feet_only_of_a_body_that_stands(body):
    skin = body.vertices(walking(body, 1))[0].astype(float)
    painter = SoftwarePainter(body.faces, len(skin), (320, 240))
    camera = replace(VIEW, target=np.array([0.0, 0.0, 0.9]))
    empty = painter.draw(skin - (0, 0, 5), COLOURS[1], camera).astype(float)
    soles = skin[body.sole] * (1, 1, 0)
    columns, rows = camera.project(soles, (320, 240))[:, :2].astype(int).T

    def darkening(lift: float) -> float:
        picture = painter.draw(skin + np.array([0, 0, lift]), COLOURS[1], camera).astype(float)
        change = np.where(coloured(picture, COLOURS[1]), 0, (empty - picture).mean(axis=-1))
        return float(change[rows.min() - 4 : rows.max() + 4, columns.min() : columns.max()].sum())

    assert darkening(0.0) > 2 * darkening(0.3) > 0
    assert darkening(-5.0) == 0


def test_the_camera_keeps_all_joints_in_the_picture_and_moves_smoothly(body):
    clips = [walking(body, 60, speed=2.0), walking(body, 60, speed=-1.0)]
    joints = np.array(
        [
            forward_kinematics(body.rest_joints(c.betas), c.transl, c.global_orient, c.body_pose)[0]
            for c in clips
        ]
    )
    cameras = follow(joints, 20.0).cameras(0.7)
    assert len({(c.distance, c.azimuth, c.target[2]) for row in cameras for c in row}) == 1
    for clip, row in zip(joints, cameras):
        for frame, camera in zip(clip, row):
            x, y, _ = camera.project(frame, (70, 100)).T
            assert 0 < x.min() < x.max() < 70
            assert 0 < y.min() < y.max() < 100
            assert max(np.ptp(x) / 70, np.ptp(y) / 100) > 0.6  # and fill it
    path = np.array([camera.target for camera in cameras[0]])
    assert np.abs(np.diff(path, n=2, axis=0)).max() < 0.02


def test_clips_that_stay_together_share_the_camera_so_that_drift_shows(body):
    near, far = walking(body, 10), walking(body, 10, speed=-30.0)
    drifted = replace(near, transl=near.transl + np.array([0.3, 0, 0]))

    def targets(*clips: SmplMotion) -> np.ndarray:
        joints = np.array(
            [
                forward_kinematics(
                    body.rest_joints(c.betas), c.transl, c.global_orient, c.body_pose
                )[0]
                for c in clips
            ]
        )
        return follow(joints, 20.0).path

    together, apart = targets(near, drifted), targets(near, far)
    np.testing.assert_array_equal(together[0], together[1])
    assert np.linalg.norm(apart[0] - apart[1], axis=-1).max() > 5


def test_a_rest_pose_faces_minus_y(body):
    clip = walking(body, 1)
    joints = forward_kinematics(
        body.rest_joints(clip.betas), clip.transl, clip.global_orient, clip.body_pose
    )[0]
    assert facing(joints[0]) == pytest.approx(-np.pi / 2, abs=1e-6)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_a_video_has_the_frames_and_colours_of_its_clips(body, tmp_path, suffix):
    clips = [walking(body, 6), walking(body, 4)]
    calls = []
    path = render(
        clips,
        tmp_path / f"new folder/two{suffix}",
        body,
        titles=["raw", "corrected"],
        size=(200, 121),
        progress=lambda done, total: calls.append((done, total)),
    )
    video = iio.imread(path)
    assert video.shape == (6, 120, 200, 3)
    assert calls == [(k + 1, 6) for k in range(6)]
    left, right = coloured(video[3][:, :100], COLOURS[0]), coloured(video[3][:, 100:], COLOURS[1])
    assert left.sum() > 150
    assert right.sum() > 150
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_clip_of_one_frame_works_in_every_format(body, tmp_path):
    for suffix in SUFFIXES:
        path = render([walking(body, 1)], tmp_path / f"one{suffix}", body, size=SIZE)
        assert path.stat().st_size > 500


def test_a_strip_has_a_row_for_each_clip(body, tmp_path):
    clips = [walking(body, 20), walking(body, 30)]
    plain = iio.imread(render(clips, tmp_path / "a.png", body, size=(320, 240)))
    titled = iio.imread(
        render(clips, tmp_path / "b.png", body, titles=["first", "second"], size=(320, 240))
    )
    assert plain.shape[0] == 240
    assert plain.shape[1] % 8 == 0
    assert 0.5 <= plain.shape[1] / 8 / 120 <= 0.92
    assert titled.shape[0] > plain.shape[0] + 20
    assert coloured(plain[:120], COLOURS[0]).sum() > 1000
    assert coloured(plain[120:], COLOURS[1]).sum() > 1000


def test_a_video_plays_at_the_rate_that_was_asked_for(body, tmp_path):
    clip = walking(body, 21)  # one second at 20 Hz
    path = render([clip], tmp_path / "slow.mp4", body, size=SIZE, fps=5.0)
    meta = iio.immeta(path, plugin="FFMPEG")
    assert meta["fps"] == pytest.approx(5.0)
    assert len(iio.imread(path)) == 6


def test_mistakes_are_named(body, tmp_path):
    clip = walking(body, 1)
    with pytest.raises(InputError, match=r"\.avi.*\.mp4.*\.png"):
        render([clip], tmp_path / "x.avi", body)
    with pytest.raises(InputError, match="at least one"):
        render([], tmp_path / "x.mp4", body)
    with pytest.raises(InputError, match="2 titles for 1 clips"):
        render([clip], tmp_path / "x.mp4", body, titles=["a", "b"])
    with pytest.raises(InputError, match="too small"):
        render([clip], tmp_path / "x.mp4", body, size=(10, 10))


def test_nothing_is_left_of_a_video_that_was_interrupted(body, tmp_path):
    path = tmp_path / "stopped.mp4"
    path.write_bytes(b"an older video")

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render([walking(body, 6)], path, body, size=SIZE, progress=stop)
    assert list(Path(tmp_path).iterdir()) == [path]
    assert path.read_bytes() == b"an older video"


def test_a_mistake_is_said_before_the_encoder_starts(body, tmp_path, capfd):
    with pytest.raises(InputError, match="vulkan"):
        render([walking(body, 2)], tmp_path / "x.mp4", body, renderer="vulkan")  # type: ignore
    assert capfd.readouterr().err == ""
    assert list(tmp_path.iterdir()) == []


def test_the_command_draws_rows_of_a_runs_samples(body, tmp_path, capsys):
    samples = Motions.pack([walking(body, 3), walking(body, 5)])
    samples.save(tmp_path / "evaluation.npz")
    file = str(tmp_path / "evaluation.npz")
    small = ["--width", "128", "--height", "96", "--renderer", "software"]
    assert _main(["render", f"{file}:1", "--out", str(tmp_path / "a.mp4"), *small]) == 0
    assert len(iio.imread(tmp_path / "a.mp4")) == 5
    for wrong in (file, f"{file}:2"):
        assert _main(["render", wrong, "--out", str(tmp_path / "b.mp4"), *small]) == 2
        assert "holds 2 motions" in capsys.readouterr().err
