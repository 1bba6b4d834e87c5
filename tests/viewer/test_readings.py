from dataclasses import replace

import numpy as np
import pytest

from motionloop.motion.correction import mpjpe_mm
from motionloop.samples import InputError
from motionloop.viewer.web.readings import FREE, PENETRATING, SLIDING, TOUCHING, read
from motionloop.viewer.web.scene import Scene, ShownClip
from physics.motion import SmplMotion
from physics.plausibility import skate_mm


@pytest.fixture
def standing(shipped_body) -> SmplMotion:
    """A body that stands still with its soles on the floor."""
    clip = SmplMotion(
        transl=np.zeros((12, 3)),
        global_orient=np.tile([np.pi / 2, 0, 0], (12, 1)),
        body_pose=np.zeros((12, 23, 3)),
        betas=np.zeros(10),
        fps=20.0,
    )
    return moved(clip, np.array([0, 0, -shipped_body.lowest(clip)[0]]))


def moved(clip, way):
    return replace(clip, transl=clip.transl + way)


def test_feet_on_the_floor_touch_and_lifted_ones_do_not(shipped_body, standing):
    assert (read(ShownClip(standing), shipped_body).feet == TOUCHING).all()
    up = read(ShownClip(moved(standing, [0, 0, 0.05])), shipped_body)
    assert (up.feet == FREE).all()
    np.testing.assert_allclose(up.height, 0.05, atol=0.005)


def test_feet_below_the_floor_penetrate(shipped_body, standing):
    down = read(ShownClip(moved(standing, [0, 0, -0.03])), shipped_body)
    assert (down.feet == PENETRATING).all()
    np.testing.assert_allclose(down.lowest, -0.03, atol=1e-4)


def test_feet_that_move_on_the_floor_slide(shipped_body, standing):
    way = np.arange(12)[:, None] * [0.02, 0.0, 0.0]  # 0.4 m/s
    slow = read(ShownClip(moved(standing, 0.1 * way)), shipped_body)
    fast = read(ShownClip(moved(standing, way)), shipped_body)
    assert (slow.feet == TOUCHING).all()
    assert (fast.feet[1:] == SLIDING).all()
    np.testing.assert_allclose(fast.skate[1:], 0.02, atol=1e-6)


def test_skate_is_the_metric_frame_by_frame(shipped_body, walk):
    clip = moved(walk, np.arange(len(walk))[:, None] * [0.01, 0, 0])
    skate = read(ShownClip(clip), shipped_body).skate
    assert skate[1:].mean() * 1000 == pytest.approx(skate_mm(shipped_body.feet(clip)), rel=1e-3)


def test_the_joint_error_is_the_corrections_mpjpe(shipped_body, walk):
    other = moved(walk, [0.03, 0.04, 0])
    error = read(ShownClip(other, against=walk), shipped_body).error
    assert error is not None
    assert error.mean() * 1000 == pytest.approx(mpjpe_mm(walk, other, shipped_body))


def test_a_scene_without_clips_is_refused():
    with pytest.raises(InputError, match="no clips"):
        Scene("empty", ())
