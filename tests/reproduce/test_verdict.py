"""Laws of verdicts: they follow from the figures, their errors and nothing else."""

import math

import pytest

from motionloop.reproduce.verdict import (
    Figure,
    Less,
    Near,
    Positive,
    Same,
    Verdict,
    Within,
    ascending,
    overall,
)

HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


@pytest.mark.parametrize(
    ("check", "value", "error", "verdict"),
    [
        (Near("a", 10), 10.2, 0.1, HOLDS),
        (Near("a", 10), 10.2, 0.05, FAILS),
        (Near("a", 10, paper_error=0.1), 10.2, 0.0, HOLDS),
        (Near("a", 10), 11, 3.0, OPEN),  # agrees, but would agree with nearly anything
        (Near("a", 0.345), 0.3454, 0.0, HOLDS),  # the printed figure is rounded
        (Near("a", 100, within=0.15), 114, 0.1, HOLDS),
        (Near("a", 100, within=0.15), 117, 0.1, FAILS),
        (Near("a", 100, within=0.15), 117, 2.0, OPEN),
        (Near("a", 100, within=0.15), 110, 40.0, OPEN),
        (Near("b", 10), 10, 0.1, OPEN),  # never measured
        (Near("a", 10), math.nan, 0.1, OPEN),
        (Within("a", 1, 2), 1.5, 0.0, HOLDS),
        (Within("a", 1, 2), 2.1, 0.05, HOLDS),
        (Within("a", 1, 2), 2.1, 0.01, FAILS),
        (Within("a", 1, 2), 2.1, 9.0, OPEN),
        (Within("a", 1, math.inf), 0.9, 0.05, OPEN),
        (Within("a", 1, math.inf), 0.5, 0.05, FAILS),
        (Within("a", 1, math.inf), 1.2, 0.1, OPEN),
        (Within("a", 1, math.inf), 1.5, 0.1, HOLDS),
        (Within("a", -math.inf, 1), 0.5, 0.1, HOLDS),
        (Near("a", 10), 10, math.nan, OPEN),  # one seed has no error that can be told
        (Near("a", 10, within=0.15), 20, math.nan, OPEN),
        (Within("a", 1, 2), 1.5, math.nan, OPEN),
        (Positive("a"), 1.5, math.nan, OPEN),
        (Less("zero", "a"), 1.5, math.nan, OPEN),
        (Same("a", "a"), 1.5, math.nan, OPEN),
    ],
)
def test_a_figure_is_judged_by_its_distance_and_its_error(check, value, error, verdict):
    assert check.judge({"a": Figure(value, error), "zero": Figure(0)}).verdict == verdict


def test_an_order_holds_only_beyond_three_standard_errors():
    less = Less("a", "b")
    assert less.judge({"a": Figure(1, 0.1), "b": Figure(2, 0.1)}).verdict == HOLDS
    assert less.judge({"a": Figure(1, 0.3), "b": Figure(2, 0.3)}).verdict == OPEN
    assert less.judge({"a": Figure(2, 0.1), "b": Figure(1, 0.1)}).verdict == FAILS
    assert less.judge({"a": Figure(1)}).verdict == OPEN
    twice = Less("a", "b", factor=2)
    assert twice.judge({"a": Figure(1, 0.01), "b": Figure(1.9, 0.01)}).verdict == FAILS
    assert [(c.smaller, c.larger) for c in ascending("a", "b", "c")] == [("a", "b"), ("b", "c")]


def test_two_figures_are_the_same_when_their_errors_cover_the_gap_and_are_small():
    same = Same("a", "b", resolution=0.1)
    assert same.judge({"a": Figure(10, 0.2), "b": Figure(10.5, 0.2)}).verdict == HOLDS
    assert same.judge({"a": Figure(10, 0.01), "b": Figure(10.5, 0.01)}).verdict == FAILS
    assert same.judge({"a": Figure(10, 2), "b": Figure(12, 2)}).verdict == OPEN


def test_a_claim_is_as_good_as_its_worst_check():
    assert overall([HOLDS, HOLDS]) == HOLDS
    assert overall([HOLDS, OPEN]) == OPEN
    assert overall([OPEN, FAILS, HOLDS]) == FAILS


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Figure(135.2, 6.1), "135.2 ± 6.1"),
        (Figure(0.34512, 0.0132), "0.345 ± 0.013"),
        (Figure(0.25), "0.25"),
        (Figure(0.25, math.nan), "0.25 (one seed)"),
        (Figure(3.2e-12, 4e-13), "3.2e-12 ± 4e-13"),
    ],
)
def test_a_figure_reads_with_the_digits_that_its_error_leaves(figure, text):
    assert str(figure) == text
