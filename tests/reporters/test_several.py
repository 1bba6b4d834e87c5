"""Laws of the reporters that hold other reporters, or nothing."""

from pathlib import Path

import pytest

from motionloop.interfaces import Reporter
from motionloop.reporters import SeveralReporters, SilentReporter


class Recorder:
    def __init__(self, fails=False):
        self.calls = []
        self.fails = fails

    def report(self, scalars, generation):
        self.calls.append(("report", scalars, generation))

    def attach(self, path, generation):
        self.calls.append(("attach", path, generation))

    def close(self):
        self.calls.append(("close",))
        if self.fails:
            raise OSError("no space")


def use(reporter: Reporter) -> None:
    reporter.report({"fid": 1.0}, 2)
    reporter.attach(Path("curves.png"), 2)
    reporter.close()


CALLS = [("report", {"fid": 1.0}, 2), ("attach", Path("curves.png"), 2), ("close",)]


def test_several_reporters_forward_everything_to_each():
    first, second = Recorder(), Recorder()
    use(SeveralReporters([first, SilentReporter(), second]))
    assert first.calls == second.calls == CALLS


def test_all_reporters_are_closed_when_one_fails():
    first, second = Recorder(fails=True), Recorder()
    with pytest.raises(ExceptionGroup):
        use(SeveralReporters([first, second]))
    assert second.calls == CALLS


def test_the_silent_reporter_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    use(SilentReporter())
    assert list(tmp_path.iterdir()) == []
