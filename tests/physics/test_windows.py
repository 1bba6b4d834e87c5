"""Long clips are tracked window by window: what is carried over, and what a fall costs."""

from dataclasses import replace

import numpy as np
from figures import figure, walking

from physics.corrector import CorrectorConfig, correct_clip
from physics.tracking.rollout import Rollout
from physics.tracking.search import SearchConfig
from physics.tracking.windows import OVER, track_windows

FIGURE = figure()


def _counting(falls: set[tuple[int, int]], calls: list):
    """An attempt that counts steps up from the state it is given, and falls where it is told."""

    def attempt(rung, first, last, state):
        start = 1000.0 * first if state is None else float(state.qpos[0])
        calls.append((rung, first, last, start))
        fallen = (rung, first) in falls
        count = 1 if fallen else last - first
        rows = (start + np.arange(count + 1.0))[:, None]
        held, norms = np.zeros((count, 1)), np.zeros(count)
        fault = "fell" if fallen else ""
        return Rollout(
            1.0, 1, rows, rows, rows, held, held, norms, norms, norms, np.zeros(count + 1), fault
        )

    return attempt


def test_each_window_starts_from_the_simulated_state_at_the_end_of_the_last():
    calls = []
    windows = track_windows(100, 30, 5, 1, _counting(set(), calls))
    assert [(w.first, w.last) for w in windows] == [(0, 30), (30, 60), (60, 100)]
    assert calls == [(0, 0, 35, 0.0), (0, 30, 65, 30.0), (0, 60, 100, 60.0)]
    assert [len(w.rollout) for w in windows] == [30, 30, 40]


def test_a_clip_of_a_window_and_a_half_is_one_window():
    calls = []
    track_windows(45, 30, 5, 1, _counting(set(), calls))
    assert calls == [(0, 0, 45, 0.0)]


def test_a_window_that_falls_is_tried_again_and_costs_only_itself():
    calls = []
    windows = track_windows(100, 30, 0, 2, _counting({(0, 30), (0, 60), (1, 60)}, calls))
    assert [w.rung for w in windows] == [0, 1, None]
    assert windows[2].rollout.fault == "fell"
    windows = track_windows(130, 30, 0, 2, _counting({(0, 30), (1, 30)}, calls := []))
    assert [w.rung for w in windows] == [0, None, 0, 0]
    assert (0, 60, 90, 60000.0) in calls  # from the reference's own state, not from a fallen one


def _straying(errors: list[float], calls: list, slips=(0.0, 0.0, 0.0)):
    """An attempt that stands, `errors[rung]` m from its reference, sliding at `slips[rung]` m/s."""
    count = _counting(set(), calls)

    def attempt(rung, first, last, state):
        rollout = count(rung, first, last, state)
        slip = np.full(len(rollout), slips[rung])
        return replace(rollout, error=np.full(len(rollout) + 1, errors[rung]), slip=slip)

    return attempt


def test_of_settings_that_all_stray_the_one_that_strays_and_slides_least_is_taken():
    def near(rung, rollout):
        return rollout.error.max() <= 0.1

    assert track_windows(9, 9, 0, 3, _straying([0.4, 0.2, 0.3], []), near)[0].rung == 1
    track_windows(9, 9, 0, 3, _straying([0.4, 0.1, 0.0], calls := []), near)
    assert [call[0] for call in calls] == [0, 1]
    sliding = _straying([0.4, 0.2, 0.3], [], slips=(0.0, 0.3, 0.0))
    assert track_windows(9, 9, 0, 3, sliding, near)[0].rung == 2


def test_a_larger_budget_is_for_what_falls_and_not_for_what_strays():
    budgets = {"retries": 0, "rescue_budgets": (0.5,), "stray_distance": 1e-6}
    result = correct_clip(walking(20), FIGURE, CorrectorConfig(**budgets))
    assert (result.rung, result.budget) == (0, 0.0)


def test_when_time_is_over_the_rest_counts_as_fallen():
    windows = track_windows(100, 30, 0, 3, _counting(set(), []), expired=lambda: True)
    assert [w.rung for w in windows] == [0, None, None]
    assert windows[1].rollout.fault == OVER


def test_a_walk_in_windows_is_nearly_the_walk_in_one():
    motion = walking(60)
    whole = correct_clip(motion, FIGURE, CorrectorConfig(retries=0))
    pieces = correct_clip(motion, FIGURE, CorrectorConfig(retries=0, window=0.9, overlap=0.2))
    assert whole.success
    assert pieces.success
    assert len(pieces.motion) == 60
    assert np.abs(whole.motion.transl - pieces.motion.transl).max() < 0.05
    assert (pieces.contact_force[1:] > 0).mean() > 0.9


def test_a_fall_in_one_window_leaves_the_others_simulated_and_is_told_with_its_time():
    motion = walking(80)
    body = motion.body_pose.copy()
    body[42:50, 2] = [1.4, 0, 0]  # bends over within a frame while both legs swing up
    body[42:50, :2] = [-1.9, 0, 0]
    setting = CorrectorConfig(window=1.0, overlap=0.1, retries=0, search=SearchConfig(samples=0))
    result = correct_clip(replace(motion, body_pose=body), FIGURE, setting)
    assert result.fell
    assert "at 2." in result.reason
    assert "not simulated: 2.0 to 3.0 s" in result.reason
    assert (result.contact_force[42:58] == 0).all()
    assert result.contact_force[:38].min() > 0
    assert np.isfinite(result.motion.transl).all()
    speed = np.linalg.norm(np.diff(result.motion.transl, axis=0), axis=1) * motion.fps
    assert speed.max() < 5.0  # no jump where simulation ends or begins
