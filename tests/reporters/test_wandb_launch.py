"""Laws of the W&B run of a launched loop: named by its folder, grouped by its experiment."""

import pytest
import wandb_log

from motionloop import experiment as experiments
from motionloop.launch import launch
from motionloop.loop.controller import SilentDisplay


@pytest.mark.parametrize(("given", "group"), [((), "gaussian"), (("--wandb.group", "x"), "x")])
def test_a_run_is_named_by_its_folder_and_grouped_by_its_experiment(tmp_path, given, group):
    one = ["--over", "{}", "--seeds", "1", "--together", "false", "--generations", "3"]
    tags = ["--wandb.tags", "[a, b]", "--wandb.project", "toys", "--wandb.mode", "offline"]
    experiment = experiments.load("gaussian", [*one, *tags, *given])
    launch(experiment, tmp_path / "first_try", SilentDisplay())
    (folder,) = (tmp_path / "first_try/wandb").glob("offline-run-*")
    wandb_log.wait_for_the_end(folder)
    run = wandb_log.run_record(folder)
    assert (run.project, run.run_group, run.display_name) == ("toys", group, "first_try")
    assert list(run.tags) == ["a", "b"]
    assert wandb_log.config(folder)["loop"]["generations"] == 3
    generations = [row["generation"] for row in wandb_log.history(folder) if "w2" in row]
    assert generations == [0, 1, 2, 3]
    assert "best/w2" not in wandb_log.summary(folder)  # no real data, no nearest to it
