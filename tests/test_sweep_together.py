"""Laws of sweeps that run all seeds at once: same figures, one file an arm, resumable."""

import pytest

from motionloop import experiment
from motionloop.samples import InputError
from motionloop.sweep import sweep

ARGUMENTS = [
    "--sweep.over", "{loop.workflow: [replace, accumulate]}", "--seeds", "3", "--count", "8",
    "--generations", "4", "--workers", "1",
]  # fmt: skip


def run(path, *more):
    built = experiment.load("kazdan_regression", [*ARGUMENTS, *more])
    return sweep(built, path, lambda *_: None).summary()


def test_seeds_together_have_the_figures_of_seeds_apart_and_are_not_run_twice(tmp_path):
    together = run(tmp_path / "together")
    apart = run(tmp_path / "apart", "--together", "false")
    for one, other in zip(together, apart, strict=True):
        for name in ("mse", "weight_error", "mse_se"):
            assert one[name] == pytest.approx(other[name], rel=1e-9)
    scores = tmp_path / "together" / "workflow=replace" / "scores.npz"
    before = scores.stat().st_mtime_ns
    assert run(tmp_path / "together") == together
    assert scores.stat().st_mtime_ns == before
    longer = run(tmp_path / "together", "--generations", "5")
    assert len(longer) == 2 * 6
    scores.write_bytes(b"damaged")
    with pytest.raises(InputError, match="damaged, delete it"):
        run(tmp_path / "together", "--generations", "5")


def test_a_task_without_a_closed_form_says_so(tmp_path):
    built = experiment.load(
        "motion", ["--together", "true", "--seeds", "2", "--sweep.workers", "1"]
    )
    with pytest.raises(InputError, match="closed form"):
        sweep(built, tmp_path / "out", lambda *_: None)
