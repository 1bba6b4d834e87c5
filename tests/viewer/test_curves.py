"""Laws of the picture of metrics against generations."""

import math
import subprocess
import sys

import imageio.v3 as imageio
import matplotlib.figure
import numpy as np
import pytest
import scipy.stats
from matplotlib.colors import to_rgb

from motionloop.samples import InputError
from motionloop.viewer.curves import plot_curves
from motionloop.viewer.palette import arm_styles

SEEDS = [[3.0, 5.0, 1.0], [5.0, 9.0, 1.0], [7.0, 13.0, 1.0]]


def history(values, **more):
    return [{"generation": g, "fid": v, **more} for g, v in enumerate(values)]


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved, for a look at what is in them."""
    figures, save = [], matplotlib.figure.Figure.savefig

    def keep(figure, *args, **kwargs):
        figures.append(figure)
        save(figure, *args, **kwargs)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
    return figures


def panels(figure):
    return {axis.get_title(loc="left"): axis for axis in figure.axes}


def band(axis, which=0):
    """The lowest and highest height of a band at each generation."""
    corners = axis.collections[which].get_paths()[0].vertices
    generations = np.unique(corners[:, 0])
    heights = [corners[corners[:, 0] == g, 1] for g in generations]
    return generations, [h.min() for h in heights], [h.max() for h in heights]


def with_marker(axis):
    return [line for line in axis.lines if line.get_marker() in "os^D"]


def test_every_metric_has_a_panel_with_its_line_and_unit(tmp_path, drawn):
    records = [
        {"generation": g, "corrector/fell": 1.0, "fid": 4.0 - g, "skate_mm": 9.0 + g}
        for g in range(4)
    ]
    path = plot_curves({"run": records}, tmp_path / "run" / "curves.png")
    axes = panels(drawn[0])
    assert list(axes) == ["fid", "skate", "corrector/fell"]
    assert axes["skate"].get_ylabel() == "mm"
    assert axes["fid"].get_ylabel() == ""
    (line,) = with_marker(axes["skate"])
    np.testing.assert_array_equal(line.get_xdata(), range(4))
    np.testing.assert_array_equal(line.get_ydata(), [9.0, 10.0, 11.0, 12.0])
    assert imageio.imread(path).std() > 5


def test_the_band_of_one_history_is_its_interval(tmp_path, drawn):
    records = [
        {"generation": g, "fid": 4.0, "fid_low": 3.0 - g, "fid_high": 6.0 + g} for g in range(3)
    ]
    plot_curves({"run": records}, tmp_path / "curves.png")
    (axis,) = drawn[0].axes
    generations, low, high = band(axis)
    np.testing.assert_allclose(generations, range(3))
    np.testing.assert_allclose(low, [3.0, 2.0, 1.0])
    np.testing.assert_allclose(high, [6.0, 7.0, 8.0])


def test_several_seeds_become_their_mean_and_its_standard_error(tmp_path, drawn):
    arms = {"a": [history(values) for values in SEEDS], "b": [history([2.0, 2.0, 2.0])]}
    plot_curves(arms, tmp_path / "curves.png")
    (axis,) = drawn[0].axes
    first, second = with_marker(axis)
    np.testing.assert_allclose(first.get_ydata(), np.mean(SEEDS, axis=0))
    np.testing.assert_allclose(second.get_ydata(), [2.0, 2.0, 2.0])
    _, low, high = band(axis)
    spread = scipy.stats.sem(SEEDS, axis=0)
    np.testing.assert_allclose(low, np.mean(SEEDS, axis=0) - spread)
    np.testing.assert_allclose(high, np.mean(SEEDS, axis=0) + spread)


def test_the_legend_names_arms_and_what_a_band_means(tmp_path, drawn):
    seeds = [history(values) for values in SEEDS]
    plot_curves({"a": seeds, "b": seeds}, tmp_path / "curves.png")
    plot_curves({"a": seeds, "b": seeds[:2]}, tmp_path / "curves.png")
    interval = {"fid_low": 1.0, "fid_high": 9.0}
    plot_curves({"a": history([2.0], **interval)}, tmp_path / "curves.png", title="one")
    labels = [[text.get_text() for text in f.legends[0].get_texts()] for f in drawn]
    assert labels == [
        ["a", "b", "± standard error, 3 seeds"],
        ["a (n = 3)", "b (n = 2)", "± standard error, seeds"],
        ["a", "interval"],
    ]
    assert drawn[2].legends[0].get_title().get_text() == "one"
    many = {f"an arm of the name {'x' * n}": seeds for n in range(12)}
    plot_curves(many, tmp_path / "curves.png")
    inside = drawn[3].legends[0].get_window_extent()
    assert drawn[3].bbox.width >= inside.x1
    assert inside.x0 >= 0


def test_seeds_of_different_length_average_what_there_is(tmp_path, drawn):
    arms = {"a": [history([1.0, 3.0]), history([3.0, 5.0, 8.0]), history([2.0, math.nan])]}
    plot_curves(arms, tmp_path / "curves.png")
    (line,) = with_marker(drawn[0].axes[0])
    np.testing.assert_allclose(line.get_ydata(), [2.0, 4.0, 8.0])


def test_the_real_data_is_a_dashed_grey_line(tmp_path, drawn):
    plot_curves({"run": history([4.0, 5.0], **{"real/fid": 0.75})}, tmp_path / "curves.png")
    (axis,) = drawn[0].axes
    (real,) = [line for line in axis.lines if line not in with_marker(axis)]
    np.testing.assert_allclose(real.get_ydata(), 0.75)
    assert real.is_dashed()
    assert len(set(to_rgb(real.get_color()))) == 1
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert labels == ["run", "real data"]


def test_a_theory_line_is_drawn_where_one_is_given(tmp_path, drawn):
    records = [{"generation": g, "w2": 1.0 + g, "fid": 1.0} for g in range(3)]
    theory = {"w2": ([0, 1, 2], [1.0, 1.5, 2.0])}
    plot_curves({"run": records}, tmp_path / "curves.png", theory=theory)
    axes = panels(drawn[0])
    dotted = {
        name: [line for line in axis.lines if line.get_linestyle() == ":"]
        for name, axis in axes.items()
    }
    (line,) = dotted["w2"]
    np.testing.assert_allclose(line.get_ydata(), [1.0, 1.5, 2.0])
    assert dotted["fid"] == []


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1.0, 99.0], "linear"),
        ([1.0, 101.0], "log"),
        ([0.0, 1000.0], "linear"),
        ([-1.0, 1000.0], "linear"),
        ([math.nan, 0.1, 50.0], "log"),
    ],
)
def test_an_axis_is_logarithmic_beyond_two_decades(tmp_path, drawn, values, scale):
    plot_curves({"run": history(values)}, tmp_path / "curves.png")
    assert drawn[0].axes[0].get_yscale() == scale


def test_values_and_upper_ends_lie_inside_a_logarithmic_axis(tmp_path, drawn):
    records = [
        {"generation": g, "w2": 10.0 ** (g - 1), "w2_low": -1.0, "w2_high": 30.0 ** (g - 1),
         "real/w2": 0.02}
        for g in range(4)
    ]  # fmt: skip
    plot_curves({"run": records}, tmp_path / "curves.png", theory={"w2": ([0, 3], [0.01, 400])})
    (axis,) = drawn[0].axes
    bottom, top = axis.get_ylim()
    _, low, high = band(axis)
    assert 0 < bottom <= min(low) < 0.01  # an end below zero is cut off below every value
    assert top >= max(high) == pytest.approx(900.0)


def test_one_generation_and_gaps_are_visible(tmp_path):
    one = [{"generation": 7, "fid": 2.0, "fid_low": 1.0, "fid_high": 3.0}]
    ink = imageio.imread(plot_curves({"run": one}, tmp_path / "one.png"))
    blue = np.array([0, 114, 178])
    assert (np.abs(ink[..., :3].astype(int) - blue).max(axis=-1) < 12).sum() > 20
    gaps = history([1.0, math.nan, 3.0, math.nan, math.nan], other=math.nan)
    plot_curves({"run": gaps, "empty": []}, tmp_path / "gaps.png")
    plot_curves({"run": history([math.nan])}, tmp_path / "nothing.png")
    assert imageio.imread(tmp_path / "nothing.png").size


def test_chosen_metrics_are_drawn_in_their_order_and_missing_ones_named(tmp_path, drawn):
    records = [{"generation": 0, "fid": 1.0, "recall": 0.5, "skate_mm": 3.0}]
    plot_curves({"run": records}, tmp_path / "a.png", names=["skate_mm", "kid", "fid"])
    assert list(panels(drawn[0])) == ["skate", "fid"]
    with pytest.raises(InputError, match=r"kid.*fid, recall, skate_mm"):
        plot_curves({"run": records}, tmp_path / "b.png", names=["kid"])
    with pytest.raises(InputError, match="nothing to draw"):
        plot_curves({"run": []}, tmp_path / "b.png")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def _simulate(rgb, deficiency):
    """What a dichromat sees, in CIE Lab: the matrices of Machado et al. (2009), severity 1."""
    matrix = {
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                   [-0.011820, 0.042940, 0.968881]],
        "none": np.eye(3),
    }[deficiency]  # fmt: skip
    rgb = np.array(rgb)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ seen / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("count", [2, 7, 8])
@pytest.mark.parametrize("deficiency", ["none", "protan", "deutan"])
def test_the_colours_of_arms_are_told_apart(deficiency, count):
    colours = [style.colour for style in arm_styles(count)]
    assert len(colours) == count
    seen = [_simulate(to_rgb(colour), deficiency) for colour in colours]
    distances = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(distances) > 10  # a just noticeable difference is about 2


def test_importing_the_module_does_not_import_matplotlib():
    program = "import sys, motionloop.viewer.curves; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
