"""Laws of what is shown of samples: figures of each, a video at times, and never a dead run."""

import csv

import numpy as np
import pytest

from motionloop.interfaces import Task
from motionloop.loop.run_directory import MODEL_FILE, RunDirectory
from motionloop.models.gaussian import GaussianModel, Points
from motionloop.reporters import WandbConfig
from motionloop.showcase import Showcase


class Wandb:
    """Remembers what it was shown."""

    def __init__(self, **settings):
        self.config = WandbConfig(**settings)
        self.mode, self.seen = "offline", []

    def attach(self, path, generation):
        assert path.is_file()
        self.seen.append((generation, path.name))


def task(film=None):
    def made(samples, path):
        path.with_suffix(".gif").write_bytes(b"x")
        return path.with_suffix(".gif")

    return Task(
        real=Points(np.zeros((2, 2))),
        reference=Points(np.zeros((0, 2))),
        make_model=lambda rng: GaussianModel(2),
        corrector=None,  # type: ignore[arg-type]
        metrics=(),
        draw_real=lambda count, rng: Points(np.zeros((count, 2))),
        film=film or made,
        figures=lambda samples: {"name": np.array(["p"] * len(samples)), "x": samples.x[:, 0]},
    )


def checkpoint(path, g):
    folder = RunDirectory(path).generation(g)
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(b"x")
    for name, value in (("synthetic", 1.0), ("corrected", 2.0), ("evaluation", 3.0)):
        Points(np.full((2, 2), value)).save(folder / f"{name}.npz")


def shown(path, wandb, task, generations):
    showcase = Showcase(path, task, wandb)
    for g in generations:
        checkpoint(path, g)
        showcase.report({}, g)
    showcase.close()
    return wandb.seen


def test_every_generation_has_its_figures_and_some_a_video(tmp_path):
    seen = shown(tmp_path, Wandb(video_every=2, artifacts="none"), task(), range(4))
    assert [name for g, name in seen if name == "samples.csv"] == ["samples.csv"] * 4
    assert [g for g, name in seen if name == "video.gif"] == [0, 2]
    with open(tmp_path / "generation_003/samples.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(r["set"], float(r["x"])) for r in rows] == [
        ("before", 1.0), ("before", 1.0), ("after", 2.0), ("after", 2.0),
        ("fresh", 3.0), ("fresh", 3.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "generations"), [("none", []), ("last", [2]), ("all", [0, 1, 2])]
)
def test_artifacts_are_of_the_generations_that_were_asked_for(tmp_path, wanted, generations):
    seen = shown(tmp_path, Wandb(video_every=0, artifacts=wanted), task(), range(3))
    files = {MODEL_FILE, "synthetic.npz", "corrected.npz", "evaluation.npz"}
    assert [g for g, name in seen if name == MODEL_FILE] == generations
    assert {name for _, name in seen if name != "samples.csv"} == (files if generations else set())


def test_a_picture_that_fails_is_said_once_and_stops_nothing(tmp_path, caplog):
    def film(samples, path):
        raise RuntimeError("no ffmpeg")

    seen = shown(tmp_path, Wandb(video_every=1), task(film), range(3))
    assert [name for _, name in seen] == ["samples.csv"]
    assert [record.message for record in caplog.records] == [
        "samples are no longer shown to W&B (no ffmpeg)"
    ]


def test_nothing_is_made_where_nobody_looks(tmp_path):
    wandb = Wandb()
    wandb.mode = "disabled"
    assert shown(tmp_path, wandb, task(), range(2)) == []
    assert not list(tmp_path.glob("*/samples.csv"))


def test_a_large_set_costs_no_more_than_its_first_samples(tmp_path):
    folder = RunDirectory(tmp_path).generation(0)
    folder.mkdir(parents=True)
    Points(np.arange(2000.0).reshape(1000, 2)).save(folder / "evaluation.npz")
    Showcase(tmp_path, task(), Wandb(video_every=0)).report({}, 0)  # type: ignore[arg-type]
    with open(folder / "samples.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["x"]) for row in rows] == np.arange(0.0, 1024.0, 2.0).tolist()
