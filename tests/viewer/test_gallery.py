import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from motionloop.gallery.batch import Batch
from motionloop.gallery.catalogue import Clips, Run, body_model_of, open_all
from motionloop.gallery.choice import ALL, Choice, Gallery
from motionloop.gallery.exporting import Selection, scenes_of
from motionloop.gallery.ranking import Ranker
from motionloop.metrics.distribution import frechet_distance
from motionloop.metrics.influence import frechet_contributions
from motionloop.motion.correction import Corrections, mpjpe_mm, plausibility
from motionloop.motion.dataset import write_dataset
from motionloop.motion.motions import Motions
from motionloop.samples import InputError

COUNT = 5


def batch_of(walk, lift=0.0):
    """Samples that float higher and higher, with different captions."""
    clips = [
        replace(
            walk[:20],
            transl=walk[:20].transl + np.array([0, 0, lift + 0.01 * n]),
            caption="a person walks" if n % 2 else "a person runs",
        )
        for n in range(COUNT)
    ]
    return Motions.pack(clips)


def write_generation(run: Path, rounds: list[int], walk, fell=(1,)):
    """A checkpoint that holds some rounds; the samples in `fell` were dropped."""
    folder = run / f"generation_{rounds[-1]:03d}"
    folder.mkdir(parents=True)
    kept = np.array([n for n in range(COUNT) if n not in fell])
    rows = []
    parts: dict[str, list] = {"synthetic": [], "corrected": [], "corrections": []}
    for g in rounds:
        rows.append({"generation": g, "corrector/corrected": float(len(kept)) if g else None})
        if g == 0:
            continue
        raw = batch_of(walk, lift=g)
        parts["synthetic"].append(raw)
        parts["corrected"].append(batch_of(walk, lift=g - 0.5)[kept])
        parts["corrections"].append(
            Corrections(
                index=raw.index,
                fell=np.isin(raw.index, fell),
                reason=np.where(np.isin(raw.index, fell), "fell: too far", ""),
                position_error=np.zeros((COUNT, 20)),
                assistance=np.full((COUNT, 20), 0.1 * g),
                force=np.zeros((COUNT, 20, 3)),
            )
        )
    for name, batches in parts.items():
        if batches:
            type(batches[0]).concatenate(batches).save(folder / f"{name}.npz")
    batch_of(walk).save(folder / "evaluation.npz")
    (folder / "scalars.json").write_text(json.dumps(rows))


@pytest.fixture
def run(tmp_path, walk) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    (path / "config.yaml").write_text("task: {name: motion}\n")
    for g in range(3):
        write_generation(path, [g], walk)
    return path


@pytest.fixture
def gallery(run, shipped_body) -> Gallery:
    return Gallery(open_all([run], shipped_body), shipped_body)


def test_raw_and_corrected_are_paired_by_number(run):
    batch = Run("run", run).batch(2, "synthetic")
    assert [sample.number for sample in batch.samples] == list(range(COUNT))
    for sample in batch.samples:
        assert sample.fell == (sample.number == 1)
        assert (sample.corrected is None) == sample.fell
        assert sample.reason == ("fell: too far" if sample.fell else "")
        assert sample.assistance is not None
        np.testing.assert_allclose(sample.assistance, 0.2, rtol=1e-6)
        if sample.corrected is not None:
            fall = sample.raw.transl[0, 2] - sample.corrected.transl[0, 2]
            assert fall == pytest.approx(0.5, abs=1e-5)


def test_generations_that_share_a_checkpoint_are_told_apart(run, walk):
    write_generation(run, [3, 4, 5], walk)
    source = Run("run", run)
    assert source.generations()[0] == [0, 1, 2, 3, 4, 5]
    base = walk.transl[0, 2]
    for g in (3, 4, 5):
        samples = source.batch(g, "synthetic").samples
        assert len(samples) == COUNT
        assert samples[0].raw.transl[0, 2] - base == pytest.approx(g, abs=1e-5)
        assert samples[0].corrected is not None
        assert samples[0].corrected.transl[0, 2] - base == pytest.approx(g - 0.5, abs=1e-5)
        assert samples[0].assistance is not None
        np.testing.assert_allclose(samples[0].assistance, 0.1 * g, rtol=1e-5)


def test_without_a_record_what_has_no_correction_fell(walk):
    raw = batch_of(walk)
    batch = Batch.of_motions(raw, raw[np.array([0, 3])])
    assert [sample.fell for sample in batch.samples] == [False, True, True, False, True]
    assert not any(sample.fell for sample in Batch.of_motions(raw).samples)


def test_a_broken_generation_is_named_and_the_others_shown(run, gallery):
    (run / "generation_001" / "synthetic.npz").write_bytes(b"half a file")
    found, problems = gallery.sources["run"].generations()
    assert found == [0, 2]
    assert len(problems) == 1
    assert "generation 1" in problems[0]
    assert "synthetic.npz" in problems[0]
    (run / "generation_002" / "scalars.json").write_text("{")
    found, problems = gallery.sources["run"].generations()
    assert found == [0]
    assert len(problems) == 2


def test_a_run_that_still_goes_shows_what_is_complete(run, gallery, walk):
    (run / ".generation_003.partial").mkdir()
    assert gallery.sources["run"].generations() == ([0, 1, 2], [])
    write_generation(run, [3], walk)
    assert gallery.sources["run"].generations() == ([0, 1, 2, 3], [])


def test_nothing_is_read_before_it_is_asked_for(run, shipped_body, monkeypatch):
    def refuse(path):
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(Motions, "load", refuse)
    for source in open_all([run], shipped_body):
        source.generations()


def test_orders_put_first_what_counts_most(gallery, shipped_body):
    source = gallery.sources["run"]
    batch = source.batch(2, "synthetic")
    ranker = Ranker(shipped_body)
    raw = [sample.raw for sample in batch.samples]
    errors = [row["phys_err_mm"] for row in plausibility(raw, shipped_body)]
    ranking = ranker.rank(batch, "phys_err", source)
    assert ranking.rows == sorted(range(COUNT), key=lambda n: -errors[n])
    np.testing.assert_allclose(ranking.values, errors)
    assert ranker.rank(batch, "fell", source).rows[0] == 1
    ranking = ranker.rank(batch, "joint error", source)
    assert ranking.rows[-1] == 1, "what has no correction comes last"
    sample = batch.samples[0]
    assert sample.corrected is not None
    expected = mpjpe_mm(sample.raw, sample.corrected, shipped_body)
    assert ranking.values[0] == pytest.approx(expected)


def test_fid_contributions_come_from_the_runs_own_reference(gallery, run, shipped_body):
    source = gallery.sources["run"]
    batch = source.batch(2, "synthetic")
    ranking = Ranker(shipped_body).rank(batch, "FID contribution", source)
    assert np.isfinite(ranking.values).all()
    assert (np.diff(ranking.values[ranking.rows]) <= 0).all()
    loose = Clips("loose", batch)
    with pytest.raises(InputError, match="loose is no run"):
        Ranker(shipped_body).rank(batch, "FID contribution", loose)


def test_contributions_are_what_the_distance_loses_without_a_sample():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 6)), 0.5 + rng.normal(size=(60, 6))
    x[7] += 5.0
    found = frechet_contributions(x, y)
    for n in (0, 7, 39):
        without = frechet_distance(np.delete(x, n, axis=0), y)
        assert found[n] == pytest.approx(frechet_distance(x, y) - without, abs=1e-9)
    assert found.argmax() == 7
    with pytest.raises(InputError, match="3 samples"):
        frechet_contributions(x[:2], y)


def test_a_choice_comes_to_the_clips_of_its_columns(gallery):
    choice = Choice((("run", 2), ("run", 1)), place=3)
    chosen = gallery.choose(choice)
    titles = [clip.title for clip in chosen.scene.clips]
    assert titles == [
        f"run generation {g}: {part}" for g in (2, 1) for part in ("raw", "corrected")
    ]
    assert [clip.group for clip in chosen.scene.clips] == [0, 0, 1, 1]
    assert chosen.count == COUNT
    captions = {clip.motion.caption for clip in chosen.scene.clips}
    assert captions == {"a person walks"}
    only = gallery.choose(replace(choice, caption="a person walks", place=0))
    assert only.count == COUNT // 2
    assert only.captions == ("a person runs", "a person walks")
    last = gallery.choose(replace(choice, place=99, caption=ALL))
    assert "sample 4" in last.about[0]


def test_a_fallen_sample_says_why(gallery):
    chosen = gallery.choose(Choice((("run", 1),), place=1))
    assert [clip.note for clip in chosen.scene.clips] == ["fell: too far"]
    assert "fell: too far" in chosen.about[0]


def test_real_data_only_and_missing_records_are_explained(gallery, run):
    with pytest.raises(InputError, match="real data only"):
        gallery.choose(Choice((("run", 0),)))
    assert gallery.choose(Choice((("run", 0),), "evaluation")).count == COUNT
    (run / "generation_002" / "corrections.npz").unlink()
    with pytest.raises(InputError, match="no record of assistance"):
        gallery.choose(Choice((("run", 2),), order="assistance"))


def test_files_and_data_sets_are_shown_too(tmp_path, walk, shipped_body, run):
    walk.save(tmp_path / "one.npz")
    walk[:1].save(tmp_path / "still.npz")
    write_dataset(tmp_path / "set", {"a": walk, "b": walk[:9]}, "made")
    paths = [tmp_path / "one.npz", tmp_path / "still.npz", tmp_path / "set"]
    paths.append(run / "generation_001" / "synthetic.npz")
    sources = open_all(paths, shipped_body)
    assert {s.name: len(s.batch(0, "synthetic")) for s in sources} == {
        "one": 1, "still": 1, "set": 2, "synthetic": COUNT,
    }  # fmt: skip
    scenes, problems = scenes_of(Gallery(sources, shipped_body), Selection())
    assert not problems
    assert len(scenes[0].clips) == 4


def test_a_folder_of_runs_is_all_its_runs(run, tmp_path, shipped_body):
    for arm in ("gamma=0/seed_0", "gamma=1/seed_0"):
        shutil.copytree(run, tmp_path / "sweep" / arm)
    sources = open_all([tmp_path / "sweep"], shipped_body)
    assert [s.name for s in sources] == ["gamma=0/seed_0", "gamma=1/seed_0"]


def test_runs_of_one_name_are_told_apart(run, tmp_path, shipped_body):
    shutil.copytree(run, tmp_path / "other" / "run")
    paths = [run, tmp_path / "other" / "run"]
    assert [source.name for source in open_all(paths, shipped_body)] == [str(p) for p in paths]


def test_a_run_is_shown_with_its_own_body(run):
    assert body_model_of([run]) is None
    (run / "config.yaml").write_text("task: {name: motion, body_model: mine.npz}\n")
    assert body_model_of([run]) == Path("mine.npz")


def test_bad_paths_are_explained(tmp_path, run, shipped_body):
    with pytest.raises(InputError, match="no such file"):
        open_all([tmp_path / "nothing"], shipped_body)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no run .* no data set"):
        open_all([tmp_path / "empty"], shipped_body)
    (run / "config.yaml").write_text("task: {name: gaussian}\n")
    with pytest.raises(InputError, match="gaussian, which has no motions"):
        open_all([run], shipped_body)


def test_an_export_takes_the_first_of_every_generation(gallery):
    scenes, problems = scenes_of(gallery, Selection(order="fell", clips=2))
    assert [scene.title.split(",")[:2] for scene in scenes] == [
        [f"run generation {g}", f" sample {n}: a person {'walks' if n % 2 else 'runs'}"]
        for g in (1, 2)
        for n in (1, 0)
    ]
    assert not problems
    with pytest.raises(InputError, match="no generation 7"):
        scenes_of(gallery, Selection(generations=(7,)))
