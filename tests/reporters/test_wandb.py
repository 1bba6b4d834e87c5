"""Laws of the W&B run of a loop, read back from the real client's files and a small server."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import wandb_log
from wandb_server import WandbServer

from motionloop.reporters import (
    JsonlReporter,
    SeveralReporters,
    WandbConfig,
    WandbReporter,
    read_history,
)
from motionloop.reporters.wandb_run import resolve_mode
from motionloop.samples import InputError

KEY = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture(autouse=True)
def no_account(tmp_path_factory, monkeypatch):
    """A machine whose user never used W&B."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        if name != "WANDB_SERVICE":  # set by the client itself, for child processes
            monkeypatch.delenv(name)
    empty = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("NETRC", str(empty / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(empty))


@pytest.fixture
def server(monkeypatch):
    import wandb

    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with WandbServer() as running:
        yield running
        wandb.teardown()


def scalars(generation):
    return {"fid": 4.0 - generation, "real/fid": 0.5, "skate_mm": 10.0 + generation}


def folders(run):
    return sorted((run / "wandb").glob("offline-run-*"))


def picture(path, shade=128):
    path.parent.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(path, np.full((8, 8, 3), shade, np.uint8))
    return path


def loop(run, config, generations, *, close=True):
    """What a loop does with its reporters, from opening the run folder on."""
    lines = JsonlReporter(run / "metrics.jsonl")
    known = read_history(run / "metrics.jsonl")
    shown = WandbReporter(config, run, {"loop": {"ratio": 1.0}}, "arm", history=known)
    for generation in generations:
        for reporter in (lines, shown):
            reporter.report(scalars(generation), generation)
    if close:
        finish(shown)
    return shown


def finish(reporter):
    folder = reporter.folder
    reporter.close()
    wandb_log.wait_for_the_end(folder)


def test_an_offline_run_holds_history_config_and_names(tmp_path):
    config = WandbConfig(project="walks", group="ratio", mode="offline", tags=("a", "b"))
    loop(tmp_path, config, range(3))
    (folder,) = folders(tmp_path)
    assert wandb_log.history(folder) == [{"generation": g, **scalars(g)} for g in range(3)]
    assert wandb_log.config(folder) == {"loop": {"ratio": 1.0}}
    run = wandb_log.run_record(folder)
    assert (run.project, run.run_group, run.display_name) == ("walks", "ratio", "arm")
    assert list(run.tags) == ["a", "b"]
    metrics = [r.metric for r in wandb_log.read_records(folder) if r.HasField("metric")]
    assert ("*", "generation") in [(m.glob_name, m.step_metric) for m in metrics]


def test_after_an_interruption_the_newest_offline_folder_is_complete(tmp_path):
    config = WandbConfig(mode="offline")
    program = f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_wandb import WandbConfig, loop
        loop(Path({str(tmp_path)!r}), WandbConfig(mode="offline"), range(3), close=False)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    alone = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    killed = subprocess.run(command, env=alone, check=False)
    assert killed.returncode == -9
    (old,) = folders(tmp_path)
    loop(tmp_path, config, [2, 3, 4])  # generation 2 was reported, but not marked complete
    (new,) = set(folders(tmp_path)) - {old}
    assert folders(tmp_path)[-1] == new
    assert wandb_log.history(new) == [{"generation": g, **scalars(g)} for g in range(5)]
    run_id = json.loads((tmp_path / "wandb.json").read_text())["id"]
    assert wandb_log.run_record(new).run_id == run_id
    assert run_id in old.name
    assert list(old.glob("*.wandb.synced")), "wandb sync would send the old folder too"
    assert not list(new.glob("*.wandb.synced"))


def test_pictures_and_videos_are_attached_and_shown_again_after_an_interruption(tmp_path):
    config = WandbConfig(mode="offline")
    first = loop(tmp_path, config, [0], close=False)
    video = tmp_path / "generation_000" / "preview_000.mp4"
    video.parent.mkdir()
    video.write_bytes(b"\x00\x00\x00\x18ftypmp42")
    gone = picture(tmp_path / "generation_000" / "gone.png")
    first.attach(video, 0)
    first.attach(gone, 0)
    first.attach(picture(tmp_path / "curves.png", 10), 0)
    first.attach(picture(tmp_path / "generation_001" / "late.png"), 1)  # waits for its scalars
    first.report(scalars(1), 1)
    first.attach(picture(tmp_path / "curves.png", 20), 1)
    finish(first)
    JsonlReporter(tmp_path / "metrics.jsonl").report(scalars(1), 1)
    (old,) = folders(tmp_path)
    shown = [
        (row["generation"], name, cell["_type"])
        for row in wandb_log.history(old)
        for name, cell in row.items()
        if isinstance(cell, dict)
    ]
    assert shown == [
        (0, "preview", "video-file"),
        (0, "gone", "image-file"),
        (0, "curves", "image-file"),
        (1, "late", "image-file"),
        (1, "curves", "image-file"),
    ]
    gone.unlink()
    loop(tmp_path, config, [])
    (new,) = set(folders(tmp_path)) - {old}
    rows = wandb_log.history(new)
    assert [row["generation"] for row in rows] == [0, 1]
    assert set(rows[0]) == {"generation", *scalars(0), "preview"}
    assert set(rows[1]) == {"generation", *scalars(1), "late", "curves"}
    for row, name in ((rows[0], "preview"), (rows[1], "curves")):
        assert (new / "files" / row[name]["path"]).is_file()


def test_what_was_synced_from_the_newest_folder_is_the_whole_run(tmp_path, server):
    config = WandbConfig(mode="offline", entity="someone")
    loop(tmp_path, config, range(2))
    loop(tmp_path, config, range(2, 5))
    command = [sys.executable, "-m", "wandb", "sync", str(tmp_path / "wandb")]
    environment = {**os.environ, "WANDB_BASE_URL": server.url, "WANDB_SERVICE": ""}
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    (run,) = server.runs.values()
    assert [(r["generation"], r["fid"]) for r in run.rows()] == [(g, 4.0 - g) for g in range(5)]
    assert server.lines_received == 5, "an older folder was sent as well"
    assert run.finished


def test_an_online_run_continues_and_only_new_generations_are_sent(tmp_path, server):
    config = WandbConfig(mode="online", base_url=server.url, timeout=10.0)
    first = loop(tmp_path, config, range(3))
    assert first.mode == "online"
    (run_id,) = server.runs
    assert [r["generation"] for r in server.runs[run_id].rows()] == [0, 1, 2]
    assert server.lines_received == 3
    JsonlReporter(tmp_path / "metrics.jsonl").report(scalars(3), 3)  # the server missed this one
    loop(tmp_path, config, [3, 4])
    assert list(server.runs) == [run_id]
    rows = server.runs[run_id].rows()
    assert [(r["generation"], r["fid"]) for r in rows] == [(g, 4.0 - g) for g in range(5)]
    assert server.lines_received == 5


def test_an_offline_start_that_continues_online_sends_everything_once(tmp_path, server):
    loop(tmp_path, WandbConfig(mode="offline"), range(2))
    loop(tmp_path, WandbConfig(mode="online", base_url=server.url, timeout=10.0), range(2, 4))
    (run,) = server.runs.values()
    assert [r["generation"] for r in run.rows()] == [0, 1, 2, 3]
    (old,) = folders(tmp_path)
    assert list(old.glob("*.wandb.synced"))


def test_a_loop_that_fails_is_marked_as_failed(tmp_path, server):
    config = WandbConfig(mode="online", base_url=server.url, timeout=10.0)
    for name, failing in (("good", False), ("bad", True)):
        reporter = WandbReporter(config, tmp_path / name, {}, name)
        with contextlib.suppress(RuntimeError):
            try:
                if failing:
                    raise RuntimeError("the loop")
            finally:
                SeveralReporters([reporter]).close()
    codes = {run.attributes["displayName"]: run.exit_code for run in server.runs.values()}
    assert codes["good"] == 0
    assert codes["bad"] != 0


NETWORK = """
    import sys, time
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_wandb import WandbConfig, folders, loop, scalars
    import wandb_log
    run = Path({run!r})
    config = WandbConfig(mode="online", base_url={url!r}, timeout=1.5)
    assert loop(run, config, range(2)).mode == "offline"
    (folder,) = folders(run)
    rows = wandb_log.history(folder)
    assert rows == [{{"generation": g, **scalars(g)}} for g in range(2)], rows
"""


@pytest.mark.parametrize("network", ["refuses", "never answers"])
def test_an_unreachable_server_costs_bounded_time_and_one_warning(tmp_path, network):
    accepted, listener = [], socket.create_server(("127.0.0.1", 0))
    url = "http://127.0.0.1:9"
    if network == "never answers":
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def accept():
            while True:
                try:
                    accepted.append(listener.accept())
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
    program = NETWORK.format(tests=str(Path(__file__).parent), run=str(tmp_path), url=url)
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "WANDB_API_KEY": KEY, "WANDB_SERVICE": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    elapsed = time.monotonic() - start
    listener.close()
    assert done.returncode == 0, done.stderr
    assert elapsed < 12, "the exit of the process waits for the network"
    assert bool(accepted) == (network == "never answers")
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "going on offline" in done.stderr
    assert [r["generation"] for r in read_history(tmp_path / "metrics.jsonl")] == [0, 1]


def test_a_server_that_goes_away_does_not_hold_up_the_end(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with WandbServer() as server:
        config = WandbConfig(mode="online", base_url=server.url, timeout=3.0)
        reporter = loop(tmp_path, config, [0], close=False)
        assert reporter.mode == "online"
    start = time.monotonic()
    reporter.report(scalars(1), 1)
    folder = reporter.folder
    assert folder is not None
    reporter.close()
    assert time.monotonic() - start < 20  # without an end to the wait: minutes
    assert folder.name.startswith("run-")
    wandb_log.wait_for_the_end(folder)
    assert [r["generation"] for r in wandb_log.history(folder)] == [0, 1]


def test_a_failing_client_is_reported_once_and_then_left_alone(tmp_path, caplog):
    reporter = loop(tmp_path, WandbConfig(mode="offline"), [0], close=False)
    run, calls = reporter._run, []

    class Broken:
        def log(self, _):
            calls.append("log")
            raise ConnectionError("service is gone")

    reporter._run = Broken()
    for generation in (1, 2):
        reporter.report(scalars(generation), generation)
    reporter.attach(picture(tmp_path / "curves.png"), 2)
    reporter.close()
    run.finish()
    assert calls == ["log"]
    ours = [record for record in caplog.records if record.name.startswith("motionloop")]
    (message,) = [record.getMessage() for record in ours]
    assert "service is gone" in message
    assert "metrics.jsonl" in message


def test_auto_is_online_only_with_a_key(tmp_path, monkeypatch):
    def mode(**config):
        return resolve_mode(WandbConfig(**config))

    assert mode() == "offline"
    netrc = Path(os.environ["NETRC"])
    netrc.write_text(f"machine api.wandb.ai\n  login user\n  password {KEY}\n")
    assert mode() == "online"
    assert mode(base_url="https://wandb.example.org") == "offline"
    (Path(os.environ["WANDB_CONFIG_DIR"]) / "settings").write_text(
        "[default]\nbase_url = https://wandb.example.org\n"
    )
    assert mode() == "offline"
    monkeypatch.setenv("WANDB_BASE_URL", "https://api.wandb.ai")
    assert mode() == "online"
    netrc.write_text("machine {{{ nonsense")
    assert mode() == "offline"
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert mode() == "online"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert mode() == "disabled"
    assert mode(mode="offline") == "offline"


def test_online_without_a_key_and_unknown_modes_are_named(tmp_path):
    with pytest.raises(InputError, match="wandb login"):
        WandbReporter(WandbConfig(mode="online"), tmp_path, {}, "arm")
    with pytest.raises(InputError, match="'onlin'"):
        WandbReporter(WandbConfig(mode="onlin"), tmp_path, {}, "arm")  # type: ignore
    assert list(tmp_path.iterdir()) == []


def test_disabled_touches_nothing(tmp_path):
    shown = WandbReporter(WandbConfig(mode="disabled"), tmp_path, {}, "arm")
    shown.report(scalars(0), 0)
    shown.attach(tmp_path / "curves.png", 0)
    shown.close()
    assert shown.where == "W&B: off"
    assert list(tmp_path.iterdir()) == []


def test_the_id_is_drawn_once_and_a_damaged_one_is_named(tmp_path):
    for _ in range(2):
        loop(tmp_path, WandbConfig(mode="offline"), [])
    assert len({wandb_log.run_record(folder).run_id for folder in folders(tmp_path)}) == 1
    state = json.loads((tmp_path / "wandb.json").read_text())
    assert wandb_log.run_record(folders(tmp_path)[0]).run_id == state["id"]
    (tmp_path / "wandb.json").write_text("{")
    with pytest.raises(InputError, match=r"wandb\.json is damaged"):
        loop(tmp_path, WandbConfig(mode="offline"), [])


def test_nothing_is_asked_on_a_terminal(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    program = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        assert sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()
        from test_wandb import Path, WandbConfig, WandbReporter
        config = WandbConfig(mode="online", timeout=5.0, base_url="http://127.0.0.1:9")
        reporter = WandbReporter(config, Path({str(tmp_path)!r}), {{}}, "arm")
        assert reporter.mode == "offline"
        reporter.close()
    """
    environment = {**os.environ, "WANDB_API_KEY": "", "WANDB_SERVICE": "", "TERM": "xterm"}
    # The key is there when the mode is chosen, and the client then refuses it as malformed.
    Path(environment["NETRC"]).write_text("machine 127.0.0.1:9\n login user\n password short\n")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        timeout=30,
        check=False,
        start_new_session=True,
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.returncode == 0, shown
    assert len(shown.splitlines()) == 1, shown
    assert "going on offline" in shown
