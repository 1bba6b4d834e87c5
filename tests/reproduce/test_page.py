"""Laws of the page: it shows what was measured, and finished experiments are not run again."""

import json
import math

import pytest
from PIL import Image

from motionloop.loop.controller import SilentDisplay
from motionloop.reproduce import results
from motionloop.reproduce.page import markdown, write_page
from motionloop.reproduce.record import Claim, Line, Measured, Panel, PaperExperiment
from motionloop.reproduce.registry import chosen, experiments
from motionloop.reproduce.verdict import Figure, Near, Within
from motionloop.samples import InputError

MEASURED = Measured(
    {"slope": Figure(2.0, 0.1), "exact": Figure(1.5)},
    (
        Panel(
            "a line",
            "x",
            (
                Line.of("one", [0, 1, 2], [1, math.nan, 2], [0.1, 0.1, 0.1]),
                Line.of("one", [0, 2], [1, 2], kind="paper"),
                Line.of("one", [0, 2], [1, 2], kind="theory"),
            ),
        ),
        Panel("logarithms", "x", (Line.of("", [1, 10], [1, 100]),), log_x=True, log_y=True),
    ),
    "two seeds.",
    ("A note.",),
)


def experiment(measured=MEASURED, runs=None):
    def run(size, display, folder):
        if runs is not None:
            runs.append(size)
        return measured

    claims = (
        Claim("The slope is 2.", "table 1", (Near("slope", 2.1),)),
        Claim("The line | is flat.", "figure 2", (Within("exact", 0, 1),)),
        Claim("Nobody knows.", "figure 3", (Within("unmeasured", 0, 1),)),
    )
    return PaperExperiment("toy", "A. Author 2024", "Is it so?", claims, run)


def test_results_come_back_from_disk_as_they_were(tmp_path):
    made = results.run(experiment(), "small", tmp_path, SilentDisplay())
    again = results.finished(experiment(), "small", tmp_path)
    assert again is not None
    assert again.measured.figures == made.measured.figures
    assert again.measured.panels[1] == made.measured.panels[1]
    assert math.isnan(again.measured.panels[0].lines[0].y[1])
    assert results.finished(experiment(), "paper", tmp_path) is None


def test_a_damaged_result_is_named(tmp_path):
    folder = tmp_path / results.FOLDER
    folder.mkdir()
    (folder / "toy_small.json").write_text(json.dumps({"measured": {"figures": 3}}))
    with pytest.raises(InputError, match="results"):
        results.finished(experiment(), "small", tmp_path)


def test_the_page_states_every_verdict_and_its_pictures_are_small(tmp_path):
    made = results.run(experiment(), "small", tmp_path, SilentDisplay())
    text_page, html_page = write_page([made], "small", tmp_path)
    text = text_page.read_text()
    for words in ("**holds**", "**does not hold**", "**not resolved at this size**", "A note."):
        assert words in text
    assert "| slope | 2.1 | 2.00 ± 0.10 | holds |" in text
    assert "The line \\| is flat." in text
    picture = tmp_path / "reproduction" / "toy_small.png"
    assert picture.stat().st_size < 80_000
    assert Image.open(picture).width > 500
    html = html_page.read_text()
    assert "data:image/png;base64," in html
    assert 'src="reproduction' not in html
    assert '<h2 id="toy">' in html


def test_a_page_without_results_is_a_page(tmp_path):
    assert "run here" in markdown([], "small")


def test_every_experiment_is_complete():
    there = experiments()
    assert "stability_bound" in there
    for name, one in there.items():
        assert name == one.name
        assert one.claims
        assert all(claim.checks for claim in one.claims), name
    assert chosen(["all"]) == list(there.values())
    with pytest.raises(InputError, match="did you mean 'stability_bound'"):
        chosen(["stability_bond"])
