"""Laws of what W&B shows of a run's files, read back from the real client's own files."""

import json

import numpy as np
import pytest
import wandb_log

from motionloop.reporters import WandbConfig, WandbReporter
from motionloop.reporters.wandb_media import _LINEAGE


@pytest.fixture
def reporter(tmp_path):
    return WandbReporter(WandbConfig(mode="offline"), tmp_path / "run", {"a": {"b": 1}}, "arm")


def closed(reporter):
    folder = reporter.folder
    assert folder is not None
    reporter.close()
    wandb_log.wait_for_the_end(folder)
    return folder


def test_the_summary_has_the_last_value_and_the_one_nearest_to_real_data(reporter):
    for g, (fid, recall) in enumerate([(4.0, 0.2), (1.0, 0.9), (2.0, 0.4)]):
        reporter.report({"fid": fid, "real/fid": 0.5, "recall": recall, "real/recall": 0.5}, g)
    summary = wandb_log.summary(closed(reporter))
    assert (summary["fid"], summary["recall"]) == (2.0, 0.4)
    assert (summary["best/fid"], summary["best/fid_generation"]) == (1.0, 1)
    assert (summary["best/recall"], summary["best/recall_generation"]) == (0.4, 2)


def test_the_best_of_a_run_that_goes_on_counts_what_was_before(tmp_path):
    known = [{"generation": 0, "fid": 0.6, "real/fid": 0.5}]
    config = WandbConfig(mode="offline")
    reporter = WandbReporter(config, tmp_path / "run", {}, "arm", history=known)
    reporter.report({"fid": 3.0, "real/fid": 0.5}, 1)
    assert wandb_log.summary(closed(reporter))["best/fid"] == 0.6


def test_a_csv_file_is_a_table_and_a_histogram_of_every_set(reporter, tmp_path):
    rng = np.random.default_rng(0)
    before, after = rng.uniform(40, 60, 50), rng.uniform(0, 5, 50)
    lines = [f"before,{k},walk,{x!r}" for k, x in enumerate(before.tolist())]
    lines += [f"after,{k},walk,{x!r}" for k, x in enumerate(after.tolist())]
    (tmp_path / "samples.csv").write_text("\n".join(["set,index,caption,err_mm", *lines]))
    reporter.attach(tmp_path / "samples.csv", 0)
    reporter.report({"fid": 1.0}, 0)
    folder = closed(reporter)
    (row,) = wandb_log.history(folder)
    assert set(row) == {
        "generation", "fid", "samples/table", "samples/err_mm_before", "samples/err_mm_after"
    }  # fmt: skip
    for name, values in (("before", before), ("after", after)):
        shown = row[f"samples/err_mm_{name}"]
        counts, edges = shown["values"], shown["bins"]
        np.testing.assert_array_equal(counts, np.histogram(values, edges)[0])
        assert sum(counts) == 50
    table = json.loads((folder / "files" / row["samples/table"]["path"]).read_text())
    assert table["columns"] == ["set", "index", "caption", "err_mm"]
    assert len(table["data"]) == 100
    assert table["data"][0] == ["before", 0.0, "walk", before[0]]


def test_weights_and_samples_are_artifacts_that_say_what_they_came_from(reporter, tmp_path):
    folder = tmp_path / "run" / "generation_003"
    folder.mkdir(parents=True)
    reporter.report({"fid": 1.0}, 3)
    for name in ("model.safetensors", "synthetic.npz", "corrected.npz", "evaluation.npz"):
        (folder / name).write_bytes(b"x" * 10)
        reporter.attach(folder / name, 3)
    wandb_folder = closed(reporter)
    found = {
        artifact.name.rsplit("-", 1)[0]: artifact for artifact in wandb_log.artifacts(wandb_folder)
    }
    assert set(found) == set(_LINEAGE)
    origin = {name: json.loads(a.metadata)["made_from"] for name, a in found.items()}
    assert origin == {
        "model": ["model:generation-2", "corrected:generation-3"],
        "synthetic": ["model:generation-2"],
        "corrected": ["synthetic:generation-3"],
        "evaluation": ["model:generation-3"],
    }
    assert {a.type for a in found.values()} == {"model", "samples"}
    assert all("generation-3" in a.aliases for a in found.values())
    (entry,) = found["model"].manifest.contents
    assert entry.size == 10
    assert len(wandb_log.history(wandb_folder)) == 1  # artifacts add no rows


def test_the_first_model_came_from_nothing_synthetic(reporter, tmp_path):
    path = tmp_path / "run" / "model.safetensors"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    reporter.report({"fid": 1.0}, 0)
    reporter.attach(path, 0)
    (artifact,) = wandb_log.artifacts(closed(reporter))
    assert json.loads(artifact.metadata) == {"generation": 0, "made_from": []}
