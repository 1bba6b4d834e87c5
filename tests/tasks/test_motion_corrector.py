"""The door of the motion task's corrector settings."""

import pytest

from motionloop.samples import InputError
from motionloop.tasks.motion import MotionCorrectorConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stages": ()}, "set gamma to 0"),
        ({"mode": "blend", "stages": ("physics", "verifier")}, "blend has no way"),
        ({"mode": "blend", "stages": ("cover",)}, "another draw.* without cover"),
        ({"redraws": -1}, "at least 0"),
        ({"candidates": 0}, "at least 1"),
        ({"keep": 0.0}, "share in"),
        ({"redraws": 2, "stages": ("physics", "verifier")}, "verifier draws anew.* put it first"),
        ({"stages": ("physics", "cover")}, "cover draws anew"),
    ],
)
def test_settings_that_make_no_sense_are_told(settings, message):
    with pytest.raises(InputError, match=message):
        MotionCorrectorConfig(**settings)


def test_what_draws_again_may_come_before_physics():
    assert MotionCorrectorConfig(redraws=2, stages=("verifier", "physics")).redraws == 2
    assert MotionCorrectorConfig(stages=("cover", "physics", "verifier")).candidates == 8
