"""Laws of the report: it stands alone, and its numbers and configs are the runs'."""

import csv
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
import yaml
from made_runs import config, made_run, made_sweep

from motionloop.report.arms import group
from motionloop.report.heatmaps import heat_map, swept_numbers
from motionloop.report.runs import read_runs
from motionloop.report.write import write_report
from motionloop.samples import InputError


def rows(start):
    return [
        {"fid": start - g, "fid_low": start - g - 1, "fid_high": start - g + 1, "skate_mm": 7.0,
         "corrector/skate_mm_before": 9.0 + g, "corrector/skate_mm_after": 2.0, "real/fid": 0.5}
        for g in range(3)
    ]  # fmt: skip


@pytest.fixture
def runs(tmp_path):
    made_run(tmp_path / "runs/raw", rows(9.0), config(task__corrector__gamma=0.0))
    made_run(tmp_path / "runs/<b>full", rows(5.0))
    return tmp_path / "runs"


class Page(HTMLParser):
    """Collects what a browser would load, and the cells of the tables."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.cells, self._in, self.open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.loads += [v for k, v in found.items() if k in ("src", "poster", "data", "srcset")]
        if tag in ("link", "iframe", "object"):
            self.loads.append(str(found))
        self._in = tag
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self._in in ("td", "th", "g", "path") and self.cells:
            self.cells[-1] += data.strip()


def test_the_page_needs_nothing_from_elsewhere(runs, tmp_path):
    write_report([runs], tmp_path / "out")
    text = (tmp_path / "out/report.html").read_text()
    page = Page(text)
    assert all(load.startswith("data:") for load in page.loads)
    assert not re.search(r"@import|url\((?!['\"]?(data:|#))", text)
    assert "<b>full" not in text  # names are text, never markup
    assert "&lt;b&gt;full" in text
    assert "squared &lt;distance&gt;" in text


def test_table_and_csv_hold_the_runs_numbers(runs, tmp_path):
    content = write_report([runs], tmp_path / "out")
    arms = {arm.label: row for arm, row in zip(content.arms, content.rows)}
    fid = content.table.index("fid")
    assert arms["raw"][fid].value == "7.00"
    assert arms["raw"][fid].spread == "6.00 to 8.00"
    assert not arms["raw"][fid].best
    assert arms["<b>full"][fid].best
    assert content.real_row[fid] == "0.500"
    with open(tmp_path / "out/figures/fid.csv") as file:
        table = list(csv.DictReader(file))
    assert {(r["arm"], r["generation"], float(r["value"])) for r in table} == {
        (arm, str(g), start - g)
        for arm, start in (("raw", 9.0), ("<b>full", 5.0))
        for g in range(3)
    }
    assert {float(r["real"]) for r in table} == {0.5}
    with open(tmp_path / "out/figures/correction_skate_mm.csv") as file:
        table = list(csv.DictReader(file))
    assert {(float(r["before"]), float(r["after"])) for r in table} == {
        (9.0, 2.0), (10.0, 2.0), (11.0, 2.0)
    }  # fmt: skip
    for path in (tmp_path / "out/figures").glob("*.svg"):
        root = ElementTree.parse(path).getroot()
        assert root.tag.endswith("svg")
        assert {"width", "height", "viewBox"} <= set(root.attrib)
    markdown = (tmp_path / "out/report.md").read_text()
    assert "| raw | 1 | 2 | 7.00 (6.00 to 8.00) |" in markdown
    for path in re.findall(r"\]\(([^)]+)\)", markdown):
        assert (tmp_path / "out" / path).is_file()


def test_the_question_names_what_differs_or_what_was_asked(runs, tmp_path):
    assert "gamma" in write_report([runs], tmp_path / "out").question
    content = write_report([runs], tmp_path / "out", question="Does it hold?")
    assert content.question == "Does it hold?"
    assert content.changes == {"task.corrector.gamma": ["1", "0"]}


def test_the_configs_are_those_of_the_runs(runs, tmp_path):
    content = write_report([runs], tmp_path / "out")
    for source in content.sources:
        there = yaml.safe_load((tmp_path / f"out/configs/{source.name}.yaml").read_text())
        assert there == yaml.safe_load((runs / source.name / "config.yaml").read_text())
        assert f"configs/{source.name}.yaml" in source.command


def test_samples_play_in_the_page_and_a_broken_one_is_named(tmp_path):
    for name, gamma in (("a", 0.0), ("b", 1.0)):
        content = config(task__corrector__gamma=gamma)
        made_run(tmp_path / "runs" / name, rows(5.0), content, samples=True)
    (tmp_path / "runs/a/generation_002/evaluation.npz").write_bytes(b"no zip")
    ticks = []
    content = write_report(
        [tmp_path / "runs"],
        tmp_path / "out",
        progress=lambda done, total: ticks.append((done, total)),
    )
    assert list(content.media) == [
        "Arms, last generation", "Generation beside generation", "Before and after correction"
    ]  # fmt: skip
    assert ticks[-1][0] == ticks[-1][1] == len(ticks)
    text = (tmp_path / "out/report.html").read_text()
    shots = [shot for shots in content.media.values() for shot in shots]
    assert text.count("data:video/mp4") == text.count("<video") == len(shots) > 4
    assert 'class="motionloop-player"' in text
    assert text.count("motionloop-scenes") >= 1
    assert any("generation 2 is broken" in problem for problem in content.problems)
    assert "evaluation.npz cannot be read" in text


def test_a_run_with_nothing_complete_is_named_beside_the_others(runs, tmp_path):
    made_run(runs / "new", [])
    content = write_report([runs], tmp_path / "out")
    assert content.problems == ["new: no generation is complete yet"]
    assert len(content.arms) == 2
    with pytest.raises(InputError, match="no generation is complete"):
        write_report([runs / "new"], tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_folder_of_something_else_is_not_touched(runs, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.md").write_text("x")
    with pytest.raises(InputError, match="no report"):
        write_report([runs], tmp_path / "thesis")
    assert [p.name for p in (tmp_path / "thesis").iterdir()] == ["chapter.md"]
    write_report([runs], tmp_path / "out")
    write_report([runs], tmp_path / "out")  # an older report is replaced


def test_two_numbers_make_a_map_of_pairs_and_one_a_map_over_generations(tmp_path):
    over = {"task.corrector.gamma": [0, 1, 2], "loop.synthetic_ratio": [0.5, 1.0]}
    value = lambda s, seed, g: 10 * s["task.corrector.gamma"] + s["loop.synthetic_ratio"] + g  # noqa: E731
    arms = group(read_runs([made_sweep(tmp_path / "pairs", over, 1, value)]))
    assert swept_numbers(arms) == list(over)
    table = list(csv.reader(heat_map(arms, "w2").csv.splitlines()))
    assert table[0] == [*over, "w2"]
    assert {tuple(map(float, row)) for row in table[1:]} == {
        (g, r, 10 * g + r + 2) for g in (0, 1, 2) for r in (0.5, 1.0)
    }
    one = {"task.corrector.gamma": [0, 1, 2]}
    value = lambda s, seed, g: s["task.corrector.gamma"] * 100 + g  # noqa: E731
    path = made_sweep(tmp_path / "one", one, 2, value)
    table = list(csv.reader(heat_map(group(read_runs([path])), "w2").csv.splitlines()))
    assert {tuple(map(float, row)) for row in table[1:]} == {
        (a, g, 100 * a + g) for a in (0, 1, 2) for g in range(3)
    }
    content = write_report([path], tmp_path / "out")
    assert [figure.name for figure in content.heat] == ["heat_w2"]


def test_arms_that_differ_in_more_than_numbers_have_no_heat_map(tmp_path):
    for name, mode in (("a", "blend"), ("b", "mixture"), ("c", "none")):
        made_run(tmp_path / name, rows(3.0), config(task__mode=mode))
    assert swept_numbers(group(read_runs([tmp_path]))) == []


def test_theory_stands_beside_the_arms_that_have_one(tmp_path):
    over = {"task.corrector.gamma": [0, 1]}
    path = made_sweep(tmp_path / "toy", over, 2, lambda s, seed, g: 1.0)
    content = {
        "name": "toy",
        "task": {"name": "gaussian", "count": 20},
        "loop": {"generations": 2, "workflow": "replace", "synthetic_ratio": 1.0, "seed": 0},
        "wandb": {"mode": "disabled"},
        "sweep": {"over": over, "seeds": 2, "workers": 0},
    }
    (path / "config.yaml").write_text(yaml.safe_dump(content))
    for file in path.rglob("scalars.json"):
        file.write_text(file.read_text().replace("w2", "trace_ratio"))
    write_report([path], tmp_path / "out")
    with open(tmp_path / "out/figures/trace_ratio.csv") as file:
        rows = list(csv.DictReader(file))
    expected = {(r["arm"], int(r["generation"])): r["theory"] for r in rows}
    for g in range(3):  # Kazdan et al.: the variance of a fit shrinks by 1 - 1/n a generation
        assert float(expected["gamma=0", g]) == pytest.approx((1 - 1 / 20) ** (g + 1))
        assert expected["gamma=1", g] == ""
    assert "Dotted is what theory expects" in (tmp_path / "out/report.html").read_text()


def test_a_task_without_motions_shows_its_previews(runs, tmp_path):
    from PIL import Image

    folder = runs / "raw" / "generation_002"
    Image.new("RGB", (8, 8), "red").save(folder / "preview.png")
    content = write_report([runs], tmp_path / "out")
    (shot,) = content.media["Samples"]
    assert shot.content == (folder / "preview.png").read_bytes()
    assert shot.title == "raw, generation 2"
    assert content.player == ""


def test_only_arms_that_correct_stand_in_the_legend_of_correction(runs, tmp_path):
    made_run(runs / "control", [{"fid": 1.0}], config(loop__synthetic_ratio=0.0))
    content = write_report([runs], tmp_path / "out")
    assert sorted(arm.label for arm in content.corrected) == ["<b>full", "raw"]
