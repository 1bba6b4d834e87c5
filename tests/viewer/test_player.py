import re
from dataclasses import replace

import numpy as np
import pytest

from motionloop.viewer.web.player import player_data, player_element, player_html
from motionloop.viewer.web.scene import Scene, ShownClip
from physics.skeleton import forward_kinematics

PLAYER = "document.querySelector('.motionloop-player').motionloop"


def lifted(clip):
    return replace(clip, transl=clip.transl + np.array([0, 0, 0.04]))


def pair(walk, title="a walk"):
    push = np.tile([0.0, 0.1, 0.2], (len(walk), 1))
    corrected = ShownClip(
        lifted(walk), "corrected", against=walk, assistance=np.full(len(walk), 0.22), force=push
    )
    return Scene(title, (ShownClip(walk, "raw"), corrected))


@pytest.fixture
def playing(opened, tmp_path, shipped_body, walk, shaped):
    """A page from disk with two scenes."""
    scenes = [pair(walk), Scene("another body", (ShownClip(shaped, "one body"),))]
    path = tmp_path / "page.html"
    path.write_text(player_html(scenes, shipped_body, "two scenes"), encoding="utf-8")
    return opened(path)


def test_a_page_asks_nothing_of_the_network(shipped_body, walk):
    text = player_html([pair(walk)], shipped_body)
    assert not re.search(r"(src|href)\s*=|https?://|fetch\(|import\s*\(", text)
    assert len(text) < 1_000_000


def test_it_plays_pauses_and_steps(playing):
    playing.wait_for_function(f"{PLAYER}.time > 0.2")
    playing.keyboard.press("Space")
    stopped = playing.evaluate(f"{PLAYER}.time")
    playing.wait_for_timeout(150)
    assert playing.evaluate(f"{PLAYER}.time") == stopped
    playing.keyboard.press("Home")
    for key, frame in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 59)):
        playing.keyboard.press(key)
        playing.wait_for_function(
            f"document.querySelector('.ml-clock').textContent.includes('frame {frame} / 59')"
        )


def test_a_paused_player_stays_paused_with_another_scene(playing):
    playing.wait_for_function(f"{PLAYER}.time > 0.1")
    playing.keyboard.press("n")
    assert playing.evaluate(f"{PLAYER}.playing")
    playing.keyboard.press("Space")
    playing.keyboard.press("p")
    playing.wait_for_function(f"{PLAYER}.scene.title === 'a walk'")
    assert not playing.evaluate(f"{PLAYER}.playing")


def test_without_loop_it_ends_at_the_last_frame(playing):
    playing.uncheck(".ml-loop")
    playing.select_option(".ml-speed", "4")
    playing.wait_for_function(f"!{PLAYER}.playing && {PLAYER}.time == {PLAYER}.duration")


def test_the_page_poses_joints_as_python_does(playing, shipped_body, walk, shaped):
    for scene, clip, motion in (
        (0, 0, walk),
        (0, 1, lifted(walk)),
        (1, 0, shaped),
    ):
        rest = shipped_body.rest_joints(motion.betas)
        joints, turns = forward_kinematics(
            rest, motion.transl, motion.global_orient, motion.body_pose
        )
        playing.select_option(".ml-scene", str(scene)) if scene else None
        found = playing.evaluate(f"Array.from({PLAYER}.clips[{clip}].poseAt(17 / 20))")
        found = np.reshape(found, (24, 3, 4))
        np.testing.assert_allclose(found[:, :, :3], turns[17], atol=3e-4)
        moved = joints[17] - np.einsum("jab,jb->ja", turns[17], rest)
        np.testing.assert_allclose(found[:, :, 3], moved, atol=5e-4)


def test_the_graphics_card_skins_as_smplx_does(playing, shipped_body, shaped):
    playing.select_option(".ml-scene", "1")
    vertices = playing.evaluate(f"""() => {{
        const p = {PLAYER}, {{ gl }} = p.stage;
        p.play(false); p.seek(1); p.show();
        const mesh = p.clips[0].meshes.skin, out = new Float32Array(mesh.surface.size);
        gl.bindVertexArray(mesh.vao);
        const bound = gl.VERTEX_ATTRIB_ARRAY_BUFFER_BINDING;
        gl.bindBuffer(gl.ARRAY_BUFFER, gl.getVertexAttrib(0, bound));
        gl.getBufferSubData(gl.ARRAY_BUFFER, 0, out);
        return Array.from(out);
    }}""")
    expected = shipped_body.vertices(shaped[20:21])[0]
    assert np.abs(np.reshape(vertices, (-1, 3)) - expected).max() < 0.006


def test_both_bodies_are_drawn_and_move(playing):
    playing.evaluate(f"{PLAYER}.play(false)")
    before = stage_of(playing, 0.2)
    after = stage_of(playing, 1.2)
    half = before.shape[1] // 2
    red, blue = before[..., 0] - before[..., 2], before[..., 2] - before[..., 0]
    assert (red > 40).sum() > 500
    assert (blue > 40).sum() > 500
    changed = np.abs(before - after).max(axis=-1) > 30
    assert changed[:, :half].sum() > 300
    assert changed[:, half:].sum() > 300


def stage_of(page, time):
    """The stage's picture (H, W, 3) at a time."""
    import io

    from PIL import Image

    drawn = page.evaluate(f"{PLAYER}.frames")
    page.evaluate(f"{PLAYER}.seek({time})")
    page.wait_for_function(f"{PLAYER}.frames > {drawn}")
    picture = Image.open(io.BytesIO(page.locator(".ml-stage").screenshot()))
    return np.asarray(picture.convert("RGB")).astype(int)


@pytest.mark.parametrize("look", ["skeleton", "humanoid"])
def test_other_looks_and_an_overlay_are_drawn(playing, look):
    playing.evaluate(f"{PLAYER}.play(false)")
    skin = stage_of(playing, 0.5)
    playing.select_option(".ml-look", look)
    playing.select_option(".ml-layout", "overlaid")
    playing.select_option(".ml-curve", "joint error")
    other = stage_of(playing, 0.5)
    assert (np.abs(skin - other).max(axis=-1) > 30).sum() > 1000
    assert playing.is_visible(".ml-plot")


def test_clips_of_one_frame_and_of_ten_minutes_are_shown(
    opened, page, tmp_path, shipped_body, walk
):
    still = Scene("one frame", (ShownClip(walk[:1], "still"),))
    many = np.arange(18_000) % len(walk)
    long = replace(
        walk, fps=30.0, transl=walk.transl[many], global_orient=walk.global_orient[many],
        body_pose=walk.body_pose[many],
    )  # fmt: skip
    path = tmp_path / "page.html"
    scenes = [still, Scene("ten minutes", (ShownClip(long, "long"),))]
    path.write_text(player_html(scenes, shipped_body), encoding="utf-8")
    opened(path)
    assert "0.00 / 0.00 s" in page.inner_text(".ml-clock")
    page.select_option(".ml-scene", "1")
    page.keyboard.press("End")
    page.wait_for_function(
        "document.querySelector('.ml-clock').textContent.includes('599.97 / 599.97 s')"
    )


def test_several_players_share_one_block_of_data(opened, page, tmp_path, shipped_body, walk):
    scenes = [pair(walk, "first"), pair(walk[:30], "second")]
    players = player_element([0]) + player_element([1])
    path = tmp_path / "page.html"
    path.write_text(f"<body>{players}{player_data(scenes, shipped_body)}</body>", encoding="utf-8")
    opened(path)
    titles = page.evaluate(
        "[...document.querySelectorAll('.motionloop-player')].map(p => p.motionloop.scene.title)"
    )
    assert titles == ["first", "second"]


def test_titles_cannot_put_code_on_the_page(opened, page, tmp_path, shipped_body, walk):
    nasty = "</script><script>document.title='broken in'</script>"
    scene = Scene(nasty, (ShownClip(walk, nasty, note=nasty),))
    path = tmp_path / "page.html"
    path.write_text(player_html([scene], shipped_body, nasty), encoding="utf-8")
    opened(path)
    assert page.title() == nasty
