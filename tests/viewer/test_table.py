"""Laws of what the terminal shows of a loop."""

import io
import math
import re
import threading

import pytest
from rich.console import Console

from motionloop.viewer import display as display_module
from motionloop.viewer.display import LoopDisplay
from motionloop.viewer.table import generation_table
from motionloop.viewer.units import label_and_unit, read_number


def printed(table, width=100):
    file = io.StringIO()
    Console(file=file, width=width).print(table)
    return [line.rstrip() for line in file.getvalue().splitlines()]


class Clock:
    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(display_module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def plain(**settings):
    file = io.StringIO()
    console = Console(file=file, width=60, force_terminal=False)
    return LoopDisplay(console=console, **settings), file


def terminal():
    file = io.StringIO()
    return LoopDisplay(console=Console(file=file, width=100, force_terminal=True)), file


def threads():
    return [thread for thread in threading.enumerate() if thread is not threading.main_thread()]


def test_the_table_has_a_row_a_generation_and_the_real_row_last():
    history = [
        {"generation": 0, "fid": 4.25, "fid_low": 3.5, "fid_high": 5.0, "skate_mm": 11.21,
         "corrector/fell": 3.0, "real/fid": 0.62},
        {"generation": 1, "fid": math.nan, "skate_mm": 1234.5, "real/fid": 0.62},
    ]  # fmt: skip
    lines = printed(generation_table(history))
    assert lines[0].split() == ["fid", "skate"]
    assert lines[1].split() == ["gen", "mm"]
    assert lines[2].split() == ["0", "4.25", "11.2"]
    assert lines[3].split() == ["1", "–", "1234"]
    assert lines[-1].split() == ["real", "0.620"]
    chosen = printed(generation_table(history, ["corrector/fell"], {"corrector/fell": 0.0}))
    assert chosen[2].split() == ["0", "3.00"]
    assert chosen[3].split() == ["1", "–"]
    assert chosen[-1].split() == ["real", "0"]


def test_a_table_of_nothing_is_a_table():
    assert printed(generation_table([]))[0].split() == ["gen"]


def test_the_main_jobs_table_fits_eighty_columns():
    from motionloop.tasks.motion import HEADLINE

    history = [{"generation": 6, **dict.fromkeys(HEADLINE, 12.34)}]
    shown = printed(generation_table(history, HEADLINE), width=80)
    assert "…" not in "".join(shown)
    assert all(word in " ".join(shown) for word in ("diversity", "agreement", "success"))


def test_units_are_read_from_names():
    assert label_and_unit("corrector/skate_mm") == ("corrector/skate", "mm")
    assert label_and_unit("assistance_mean_bw") == ("assistance mean", "body weights")
    assert label_and_unit("within_class_diversity") == ("within class diversity", "")
    assert label_and_unit("_mm") == (" mm", "")


@pytest.mark.parametrize("value", [4.6548, -0.012345, 123.4, 99999.4, 0.9996, 9.999, 2.5e7, 3e-7])
def test_numbers_keep_three_significant_digits(value):
    assert float(read_number(value)) == pytest.approx(value, rel=5e-3)
    assert len(read_number(value)) <= 8


def test_plain_lines_are_one_a_stage_and_one_a_generation(clock):
    display, file = plain(generations=2)
    with display:
        for generation in range(3):
            for what in ("training", "sampling"):
                display.stage(generation, what)
                for done in range(1, 101):
                    clock.now += 0.08
                    display.progress(what, done, 100)
            display.stage(generation, "evaluating")
            clock.now += 0.2  # not worth a line
            display.generation_done(generation, {"fid": 4.0, "skate_mm": 9.5, "real/fid": 0.5})
    assert file.getvalue().splitlines() == [
        "generation 0/2 · training: 8.0 s",
        "generation 0/2 · sampling: 8.0 s",
        "generation 0/2 done · fid 4.00 (real 0.500) · skate 9.50 mm · 16 s · about 32 s left",
        "generation 1/2 · training: 8.0 s",
        "generation 1/2 · sampling: 8.0 s",
        "generation 1/2 done · fid 4.00 (real 0.500) · skate 9.50 mm · 16 s · about 16 s left",
        "generation 2/2 · training: 8.0 s",
        "generation 2/2 · sampling: 8.0 s",
        "generation 2/2 done · fid 4.00 (real 0.500) · skate 9.50 mm · 16 s",
    ]


def test_a_long_stage_says_every_ten_seconds_how_far_it_is(clock):
    display, file = plain()
    display.stage(3, "correcting")
    for clip in range(1, 601):
        clock.now += 0.1
        display.progress("correcting", clip, 600)
    display.generation_done(3, {})
    lines = file.getvalue().splitlines()
    progress = [line for line in lines if "left" in line]
    assert 4 <= len(progress) <= 6
    assert progress[0].startswith("generation 3 · correcting: 10")
    assert progress[0].endswith("/600, 50 s left")
    assert lines[-2] == "generation 3 · correcting: 1:00 min"


def test_quiet_says_nothing():
    file = io.StringIO()
    with LoopDisplay(quiet=True, console=Console(file=file, force_terminal=True)) as display:
        display.stage(0, "training")
        display.progress("training", 1, 2)
        display.generation_done(0, {"fid": 1.0})
    assert file.getvalue() == ""


def test_a_terminal_shows_stage_count_and_result():
    display, file = terminal()
    with display:
        display.stage(3, "training [x]")
        display.progress("training [x]", 3, 8)
        display.progress("clips", 4, 8)
        display._screen._live.refresh()  # type: ignore
        display.generation_done(3, {"fid": 4.0})
    shown = file.getvalue()
    assert "generation 3 · training [x] · clips" in shown
    assert "4/8" in shown
    assert shown.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in shown  # the cursor is back


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_no_thread_is_left_after_an_error(error):
    before, started = threads(), []
    display, file = terminal()

    def loop():
        with display:
            display.stage(0, "training")
            started.extend(thread for thread in threads() if thread not in before)
            raise error

    with pytest.raises(error):
        loop()
    assert len(started) == 1
    started[0].join(timeout=2.0)
    assert not started[0].is_alive()
    assert "\x1b[?25h" in file.getvalue()
    display.close()


def test_a_forgotten_display_does_not_keep_the_process_alive():
    display, _ = terminal()
    before = threads()
    display.stage(0, "training")
    assert all(thread.daemon for thread in threads() if thread not in before)
    display.close()


def test_plain_lines_hold_no_control_characters(clock):
    display, file = plain()
    with display:
        display.stage(0, "training [bold]x[/]")
        clock.now += 30
        display.progress("training [bold]x[/]", 1, 4)
    (line,) = file.getvalue().splitlines()
    assert line == "generation 0 · training [bold]x[/]: 1/4, 1:30 min left"


def test_a_terminal_shows_a_table_of_the_generations_so_far(clock):
    file = io.StringIO()
    console = Console(file=file, width=90, height=14, force_terminal=True)
    with LoopDisplay(9, ["fid", "corrector/success"], console=console) as display:
        for g in range(8):
            display.stage(g, "training")
            clock.now += 30
            display.generation_done(
                g, {"fid": 40.0 + g, "jerk": 7.0, "corrector/success": 0.5, "real/fid": 0.25}
            )
        display.stage(8, "sampling")
        file.truncate(0)
        display._screen._live.refresh()  # type: ignore
        plain_text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x00", "", file.getvalue())
        lines = [line.split() for line in plain_text.splitlines()]
    rows = {line[0]: line for line in lines if line and line[0] in ("2", "7", "real")}
    assert rows["7"] == ["7", "47.0", "0.500", "30", "s"]
    assert rows["real"][:2] == ["real", "0.250"]
    assert "0.25" not in str(rows["7"])
    assert ["about", "1:00", "min", "left"] in [line[-4:] for line in lines]
    assert any("sampling" in line for line in lines)
    assert len(lines) <= 14  # old rows give way: the table fits the terminal
    assert not any(line[:2] == ["0", "40.0"] for line in lines)


def test_verbose_is_plain_lines_with_every_stage_and_metric(clock):
    file = io.StringIO()
    console = Console(file=file, width=60, force_terminal=True)
    with LoopDisplay(1, ["fid"], console=console, verbose=True) as display:
        display.stage(0, "evaluating")
        clock.now += 0.2
        display.generation_done(0, {"fid": 4.0, "fid_low": 3.0, "train/size": 64.0})
    assert file.getvalue().splitlines() == [
        "generation 0/1 · evaluating: 0.2 s",
        "generation 0/1 done · fid 4.00 · train/size 64.0 · 0.2 s · about 0.2 s left",
    ]
