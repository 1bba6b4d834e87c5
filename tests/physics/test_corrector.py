"""The corrector's laws: what comes out belongs to what went in, falls are told, nothing is left."""

import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from figures import figure, jumping, moved, standing, walking

from physics.corrector import CorrectorConfig, TrackingCorrector, correct_clip
from physics.motion import MotionError, SmplMotion
from physics.skeleton import forward_kinematics
from physics.tracking.search import SearchConfig
from physics.tracking.workers import WorkerError, Workers

FIGURE = figure()
NONE = SearchConfig(samples=0)


def skeleton_of(betas):
    return FIGURE


def soles(motion):
    """World heights (T, P) of the soles' points."""
    pose = (motion.transl, motion.global_orient, motion.body_pose)
    points = FIGURE.surface(*forward_kinematics(FIGURE.rest, *pose))
    return points[:, np.isin(FIGURE.surface_joints, (7, 8, 10, 11)), 2]


@pytest.fixture(scope="module")
def walked():
    return correct_clip(walking(40), FIGURE, CorrectorConfig())


def test_the_corrected_clip_keeps_length_rate_shape_and_caption():
    motion = replace(walking(30), betas=np.full(10, 0.5), caption="a person walks")
    result = correct_clip(motion, FIGURE, CorrectorConfig())
    for clip in (result.motion, result.kinematic):
        assert len(clip) == 30
        assert clip.fps == motion.fps
        assert clip.caption == "a person walks"
        np.testing.assert_array_equal(clip.betas, motion.betas)
    for column in (result.position_error, result.assistance, result.contact_force):
        assert column.shape == (30,)
    assert result.assistance_force.shape == (30, 3)
    force = np.linalg.norm(result.assistance_force, axis=1)
    assert (force <= result.assistance + 1e-6).all()


def test_a_clean_walk_is_tracked_closely(walked):
    assert walked.success
    assert walked.reason == ""
    assert walked.position_error.mean() < 0.08
    assert walked.assistance_max_bw <= 0.25 + 1e-9
    assert walked.contact_force.mean() / walked.weight == pytest.approx(1, abs=0.2)


def test_position_error_is_the_distance_to_the_clean_up(walked):
    joints = [
        forward_kinematics(FIGURE.rest, m.transl, m.global_orient, m.body_pose)[0]
        for m in (walked.motion, walked.kinematic)
    ]
    distance = np.linalg.norm(joints[0] - joints[1], axis=-1).mean(axis=1)
    np.testing.assert_allclose(walked.position_error, distance)
    assert distance[0] < 0.02  # it starts where the re-plan of the centre of mass starts


def test_a_floating_clip_comes_down_and_a_sunken_one_up():
    for offset in (0.05, -0.05):
        result = correct_clip(moved(standing(30), by=(0, 0, offset)), FIGURE, CorrectorConfig())
        assert result.success
        lowest = soles(result.motion).min(axis=1)
        assert np.abs(lowest[5:]).max() < 0.005


def test_pure_physics_records_no_assistance_at_all():
    config = CorrectorConfig(assistance_budget=0.0, retries=0)
    result = correct_clip(standing(40), FIGURE, config)
    assert result.success
    assert (result.assistance == 0).all()


def falling() -> SmplMotion:
    """A walker that bends over by 80 degrees within one frame, while both legs swing up."""
    motion = walking(30)
    body = motion.body_pose.copy()
    body[10:, 2] = [1.4, 0, 0]
    body[10:, :2] = [-1.9, 0, 0]
    return replace(motion, body_pose=body)


def test_a_clip_that_falls_is_a_result_with_a_reason_and_without_nan():
    result = correct_clip(falling(), FIGURE, CorrectorConfig(retries=1, search=NONE))
    assert result.fell
    assert not result.success
    assert "fell" in result.reason
    assert "frame" in result.reason
    assert result.motion is result.kinematic
    assert result.fallen is not None
    assert f"(frame {len(result.fallen)})" in result.reason
    for column in (result.position_error, result.assistance, result.contact_force):
        assert np.isfinite(column).all()


def test_a_clip_that_falls_is_helped_by_a_larger_budget_and_says_so():
    sway = 0.25 * np.sin(2 * np.pi * np.arange(40) / 20)[:, None] * [1.0, 0.0, 0.0]
    motion = replace(standing(40), transl=standing(40).transl + sway)
    config = CorrectorConfig(retries=1, search=NONE)
    rescued = correct_clip(motion, FIGURE, replace(config, rescue_budgets=(2.0,)))
    alone = correct_clip(motion, FIGURE, config)
    assert alone.fell
    assert alone.budget == 0
    assert rescued.success
    assert (rescued.rung, rescued.budget) == (2, 2.0)
    assert 0 < rescued.assistance_max_bw <= 2.0 + 1e-9


def test_flight_stays_flight():
    result = correct_clip(jumping(), FIGURE, CorrectorConfig(assistance_budget=0.5))
    assert result.success
    assert soles(result.motion).min(axis=1).max() > 0.15


def test_kinematic_only_does_not_simulate():
    result = correct_clip(walking(20), FIGURE, CorrectorConfig(kinematic_only=True))
    assert result.success
    assert result.motion is result.kinematic
    assert (result.contact_force == 0).all()


@pytest.mark.parametrize(("frames", "fps"), [(1, 30.0), (2, 15.0), (3, 120.0), (7, 24.0)])
def test_clips_of_any_length_and_rate_pass(frames, fps):
    result = correct_clip(standing(frames, fps), FIGURE, CorrectorConfig())
    assert len(result.motion) == frames
    assert result.success


def test_the_number_of_workers_does_not_change_a_bit():
    motions = [walking(24), standing(20), moved(walking(16), yaw=1.0)]
    seen = []
    outcomes = []
    for workers in (1, 2):
        with TrackingCorrector(skeleton_of, CorrectorConfig(workers=workers)) as corrector:
            outcomes.append(corrector.correct(motions, seen.append))
            outcomes.append(corrector.correct(motions[::-1])[::-1])
    for results in outcomes[1:]:
        for one, two in zip(outcomes[0], results):
            np.testing.assert_array_equal(one.motion.body_pose, two.motion.body_pose)
            np.testing.assert_array_equal(one.motion.transl, two.motion.transl)
            np.testing.assert_array_equal(one.assistance, two.assistance)
    assert seen == [1, 2, 3, 1, 2, 3]


def test_no_clips_give_no_results():
    with TrackingCorrector(skeleton_of) as corrector:
        assert corrector.correct([]) == []


def test_closing_ends_the_workers_and_the_next_call_starts_new_ones():
    workers = Workers(2)
    assert workers.map(math.hypot, [(3, 4), (6, 8)]) == [5, 10]
    processes = list(workers.processes)
    workers.close()
    assert all(process.poll() is not None for process in processes)
    assert workers.map(math.hypot, [(5, 12)]) == [13]
    workers.close()


def test_an_error_in_a_worker_is_raised_here_and_a_dead_worker_is_named():
    workers = Workers(1)
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        workers.map(math.sqrt, [(-1,)])
    with pytest.raises(WorkerError, match="worker"):
        workers.map(os._exit, [(3,)])
    workers.close()


@pytest.mark.skipif(not Path("/proc").exists(), reason="asks /proc for processes")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_program_leaves_no_worker_behind(end, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(
        textwrap.dedent(
            """
            import time
            from physics.tracking.workers import Workers
            workers = Workers(2)
            workers.map(time.sleep, [(0,), (0,)])
            print(*[process.pid for process in workers.processes], flush=True)
            workers.map(time.sleep, [(1.5,), (1.5,)])
            """
        )
    )
    root = str(Path(__file__).parents[2])
    program = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": root},
        text=True,
    )
    assert program.stdout is not None
    pids = [int(pid) for pid in program.stdout.readline().split()]
    assert len(pids) == 2
    time.sleep(0.2)
    program.send_signal(end)
    assert program.wait(timeout=10) != 0
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(_runs(pid) for pid in pids):
        time.sleep(0.05)
    assert not any(_runs(pid) for pid in pids)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_impossible_settings_are_refused_by_name():
    with pytest.raises(MotionError, match="assistance_budget"):
        CorrectorConfig(assistance_budget=-0.1)
    with pytest.raises(MotionError, match="retries"):
        CorrectorConfig(retries=99)
    with pytest.raises(MotionError, match="rescue_budgets"):
        CorrectorConfig(assistance_budget=0.5, rescue_budgets=(0.1,))
    with pytest.raises(MotionError, match="workers"):
        CorrectorConfig(workers=-1)
