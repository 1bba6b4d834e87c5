"""The example notebook runs in a real IPython, and its clips and runs show themselves."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs/notebook.ipynb"


@pytest.fixture(scope="module")
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture(scope="module")
def shown(shell):
    """The HTML of every code cell of the notebook, "" where a cell shows none."""
    pages = []
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            ran = shell.run_cell("".join(cell["source"]))
            ran.raise_error()
            data, _ = (
                shell.display_formatter.format(ran.result) if ran.result is not None else ({}, 0)
            )
            pages.append(data.get("text/html", ""))
    return pages


def test_a_bare_clip_plays(shown):
    assert "motionloop-player" in shown[0]
    assert 'sandbox="allow-scripts"' in shown[0]


def test_clips_play_beside_each_other(shown):
    assert "motionloop-player" in shown[2]
    assert len(shown[2]) > len(shown[0])


def test_a_run_shows_its_table_and_curves(shown):
    assert shown[4].count("<tr>") == 1 + 41
    assert shown[4].count("<svg") == 3
    assert "trace ratio" in shown[4]


def test_correction_in_the_notebook_corrects(shell, shown):
    errors = shell.user_ns["plausibility"](
        [shell.user_ns["spoilt"], shell.user_ns["result"].motion], shell.user_ns["body"]
    )
    assert errors[1]["phys_err_mm"] < 0.5 * errors[0]["phys_err_mm"]


def test_the_notebook_is_kept_without_outputs():
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(not cell.get("outputs") for cell in cells)
