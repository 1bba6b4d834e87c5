"""Laws of model-predictive stepping: rest stays rest, a push is answered by a step."""

import numpy as np
from figures import figure, walking

from physics.corrector import CorrectorConfig, correct_clip
from physics.tracking.preview import Preview, PreviewConfig

STEP = 1 / 200
HEIGHT = 0.9
RATE = np.sqrt(9.81 / HEIGHT)
BOX = 0.1 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
ASIDE = np.array([0.0, 0.1, 0.0])
FEET = np.concatenate([BOX + ASIDE, BOX - ASIDE])


def _standing(lifts: bool, seconds: float = 2.0, **changes) -> Preview:
    """Two feet 20 cm apart; the right one (side 1) is in the air from .1 to .4 s if it lifts."""
    count = round(seconds / STEP)
    centre = np.tile([0.0, 0.0, HEIGHT], (count, 1))
    stance = np.ones((count, 8), bool)
    if lifts:
        stance[round(0.1 / STEP) : round(0.4 / STEP), 4:] = False
    return Preview(
        PreviewConfig(horizon=1.2, **changes),
        STEP,
        centre,
        np.zeros_like(centre),
        np.zeros_like(centre),
        np.tile(FEET, (count, 1, 1)),
        stance,
        np.repeat([0, 1], 4),
        np.zeros(count, bool),
    )


def _plan(preview, k, velocity):
    preview.plan(k, np.zeros(2), np.asarray(velocity, float), FEET[:, :2])


def test_a_body_at_rest_is_asked_for_nothing():
    preview = _standing(lifts=False)
    _plan(preview, 0, [0, 0])
    place, velocity, acceleration = preview.at(4)
    np.testing.assert_allclose([*place, *velocity, *acceleration], 0, atol=1e-3)
    np.testing.assert_allclose(preview.landing(60), 0, atol=2e-3)


def test_a_push_within_reach_of_the_feet_is_braked_by_them():
    preview = _standing(lifts=False)
    _plan(preview, 0, [0.1, 0])
    acceleration = preview.at(0)[2]
    assert acceleration[0] < 0
    # The zero-moment point stays in the feet: |p| = |z a / g| <= half a foot.
    assert HEIGHT * abs(acceleration[0]) / 9.81 <= 0.1 + 1e-3


def test_a_push_beyond_it_is_answered_by_a_step_in_its_direction():
    preview = _standing(lifts=True, offsets=0.1)
    k = preview.stride * round(0.2 / STEP / preview.stride)
    _plan(preview, k, [0.7, 0])  # capture point 21 cm ahead, 10 cm of foot
    landing = preview.landing(round(0.4 / STEP) - 1)
    assert 0.1 < landing[4, 0] < 0.4
    assert abs(landing[4, 1]) < 0.05
    np.testing.assert_allclose(landing[:4], 0, atol=1e-9)  # the other foot stands


def test_a_step_is_no_longer_than_allowed():
    preview = _standing(lifts=True, offsets=0.01, farthest=0.15)
    k = preview.stride * round(0.2 / STEP / preview.stride)
    _plan(preview, k, [2.0, 0])
    assert np.abs(preview.landing(round(0.4 / STEP) - 1)).max() <= 0.15 + 1e-4


def test_a_walk_stands_with_the_preview_in_place_of_feedback():
    setting = CorrectorConfig(retries=0, preview=PreviewConfig(horizon=1.2))
    result = correct_clip(walking(40), figure(), setting)
    assert result.success, result.reason
    assert result.assistance.max() == 0
