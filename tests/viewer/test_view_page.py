"""The page of `motionloop view` in a real browser, and what the command says to bad input."""

import gzip
import http.client
import json
import shutil
import subprocess
import sys
import time
from threading import Thread
from urllib.request import urlopen

import numpy as np
import pytest
from served_runs import write_run

from motionloop.cli import main
from motionloop.gallery.catalogue import open_all
from motionloop.gallery.choice import Gallery
from motionloop.gallery.serving import GalleryServer

PLAYER = "document.querySelector('.motionloop-player').motionloop"
SHOWN = f"{PLAYER}.clips.length && {PLAYER}.frames"


@pytest.fixture(scope="module")
def served(tmp_path_factory, shipped_body, walk):
    """Two runs that are served; their folder and the server."""
    folder = tmp_path_factory.mktemp("runs")
    paths = [write_run(folder / name, walk, count=4, generations=3) for name in ("one", "two")]
    server = GalleryServer(Gallery(open_all(paths, shipped_body), shipped_body))
    Thread(target=server.run, daemon=True).start()
    yield folder, server
    server.close()


@pytest.fixture
def viewing(page, served):
    page.goto(served[1].address)
    page.wait_for_function(SHOWN)
    return page


def titles(page):
    return page.evaluate(f"{PLAYER}.clips.map(c => c.title)")


def settle(page):
    page.wait_for_function(
        "(() => { const c = document.querySelector('.ml-chooser').motionloop; "
        "return c.shown === c.asked; })()"
    )


def test_it_opens_plays_and_shows_the_newest_generation_of_every_run(viewing):
    assert titles(viewing) == [
        f"{run} generation 2: {part}" for run in ("one", "two") for part in ("raw", "corrected")
    ]
    viewing.wait_for_function(f"{PLAYER}.time > 0.2")
    assert "sample 0" in viewing.inner_text(".ml-about")
    assert "1 of 4" in viewing.inner_text(".ml-count")


def test_it_switches_generation_and_both_bodies_move(viewing):
    viewing.locator(".ml-column select").nth(1).select_option("1")
    settle(viewing)
    assert titles(viewing)[0] == "one generation 1: raw"
    heights = "[0, 1].map(n => { const c = %s.clips[n]; c.poseAt(%g); return [...c.position]; })"
    a = np.array(viewing.evaluate(heights % (PLAYER, 0.1))).reshape(2, 24, 3)
    b = np.array(viewing.evaluate(heights % (PLAYER, 0.9))).reshape(2, 24, 3)
    assert np.abs(a - b).max(axis=(1, 2)).min() > 0.2
    np.testing.assert_allclose((a[0] - a[1])[:, 2], 0.01, atol=1e-3)


def test_keys_go_through_samples_and_generations(viewing):
    viewing.keyboard.press("n")
    settle(viewing)
    assert "fell: mean joint error 0.51 m" in viewing.inner_text(".ml-about")
    assert "2 of 4" in viewing.inner_text(".ml-count")
    viewing.keyboard.press("G")
    settle(viewing)
    assert titles(viewing)[0].startswith("one generation 1")
    assert "column=one%3A1" in viewing.url
    assert "place=1" in viewing.url


def test_columns_captions_and_orders_are_chosen(viewing):
    viewing.locator(".ml-column button").nth(1).click()
    settle(viewing)
    assert titles(viewing) == ["raw", "corrected"]
    viewing.click(".ml-more")
    settle(viewing)
    assert len(titles(viewing)) == 4
    viewing.select_option("[data-name=caption]", "a person walks")
    settle(viewing)
    assert "1 of 2" in viewing.inner_text(".ml-count")
    viewing.select_option("[data-name=order]", "fell")
    settle(viewing)
    assert "fell: mean joint error" in viewing.inner_text(".ml-about")
    viewing.select_option("[data-name=kind]", "evaluation")
    settle(viewing)
    assert len(titles(viewing)) == 2


def test_an_address_opens_the_same_view_again(page, served):
    page.goto(f"{served[1].address}?column=two:1&place=2&part=raw&order=number&kind=synthetic")
    page.wait_for_function(SHOWN)
    assert titles(page) == ["raw"]
    assert "3 of 4" in page.inner_text(".ml-count")


def test_what_cannot_be_shown_is_said_and_the_page_lives_on(viewing):
    viewing.locator(".ml-column select").nth(1).select_option("0")
    viewing.wait_for_function("document.querySelector('.ml-wrong')")
    assert "real data only" in viewing.inner_text(".ml-about")
    viewing.locator(".ml-column select").nth(1).select_option("2")
    settle(viewing)
    assert viewing.locator(".ml-wrong").count() == 0


def test_new_generations_of_a_run_that_goes_on_are_offered(viewing, served, walk):
    folder = served[0] / "one"
    shutil.copytree(folder / "generation_002", folder / "generation_003")
    row = [{"generation": 3, "corrector/corrected": 3.0}]
    (folder / "generation_003" / "scalars.json").write_text(json.dumps(row))
    viewing.evaluate("document.querySelector('.ml-chooser').motionloop.lookAgain()")
    options = viewing.locator(".ml-column select").nth(1).locator("option").all_inner_texts()
    assert options == ["0", "1", "2", "3"]
    shutil.rmtree(folder / "generation_003")


def test_a_run_without_a_generation_is_shown_as_soon_as_it_has_one(
    page, tmp_path, shipped_body, walk
):
    run = write_run(tmp_path / "new", walk, count=2, generations=2)
    for g in (0, 1):
        (run / f"generation_00{g}").rename(run / f"hidden_{g}")
    server = GalleryServer(Gallery(open_all([run], shipped_body), shipped_body))
    Thread(target=server.run, daemon=True).start()
    page.goto(server.address)
    page.wait_for_function("document.querySelector('.ml-wrong')")
    assert "no complete generation" in page.inner_text(".ml-about")
    (run / "hidden_1").rename(run / "generation_001")
    page.evaluate("document.querySelector('.ml-chooser').motionloop.lookAgain()")
    page.wait_for_function(SHOWN)
    assert titles(page) == ["raw", "corrected"]
    server.close()


def test_only_this_machine_under_its_own_name_is_answered(served):
    server = served[1]
    for host, status in ((f"localhost:{server.port}", 200), ("evil.example", 403)):
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/menu", headers={"Host": host})
        assert connection.getresponse().status == status
        connection.close()


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("column=three:1", "no run and generation"),
        ("column=one:99", "no generation 99"),
        ("column=one:1&order=beauty", "beauty"),
        ("", "no complete generation"),
    ],
)
def test_a_wrong_request_is_answered_with_what_is_wrong(served, query, wrong):
    with urlopen(f"{served[1].address}scene?{query}") as reply:
        answer = json.loads(gzip.decompress(reply.read()))
    assert wrong in answer["wrong"]


def test_a_free_port_is_found_and_a_taken_one_named(served, shipped_body, capsys):
    folder, server = served
    other = GalleryServer(Gallery([], shipped_body))
    assert other.port != server.port
    other._server.server_close()
    with pytest.raises(SystemExit) as ended:
        main(["view", str(folder / "one"), "--port", str(server.port)])
    assert ended.value.code == 2
    assert "is taken; name another --port" in capsys.readouterr().err


def test_the_command_opens_a_run_of_2000_clips_and_prints_its_address(tmp_path, walk):
    run = write_run(tmp_path / "large", walk[:8], count=2000, generations=2)
    command = [sys.executable, "-m", "motionloop", "view", str(run)]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    print(f"address after {time.monotonic() - started:.2f} s")
    address = line.split()[0]
    assert address.startswith("http://127.0.0.1:")
    with urlopen(f"{address}scene?column=large:1&place=1999") as reply:
        assert reply.status == 200
    process.send_signal(2)
    assert process.wait(20) == 0, "Ctrl-C is how it ends"


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["nothing"], "no such file or folder: nothing"),
        (["RUN", "--export", "page.txt"], "is an .html file"),
        (["RUN", "--export", "page.html", "--clips", "0"], "--clips is 0"),
        (["RUN", "--export", "page.html", "--generation", "9"], "no generation 9"),
        (["RUN", "--port", "70000"], "--port is 70000"),
        (["RUN", "--host", "203.0.113.7"], "cannot listen on"),
        (["RUN", "--exprt", "page.html"], "did you mean"),
    ],
)
def test_bad_input_is_named_and_ends_with_2(
    served, tmp_path, monkeypatch, capsys, arguments, wrong
):
    monkeypatch.chdir(tmp_path)
    arguments = [str(served[0] / "one") if a == "RUN" else a for a in arguments]
    with pytest.raises(SystemExit) as ended:
        main(["view", *arguments])
    assert ended.value.code == 2
    assert wrong in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_exported_page_of_a_run_opens_from_disk(served, opened, page, tmp_path, capsys):
    path = tmp_path / "page.html"
    with pytest.raises(SystemExit) as ended:
        main(["view", str(served[0] / "one"), "--export", str(path), "--clips", "2"])
    assert ended.value.code == 0
    assert "4 scenes" in capsys.readouterr().out
    opened(path)
    page.keyboard.press("n")
    page.wait_for_function(f"{PLAYER}.scene.title.includes('sample 1')")
    assert "fell: mean joint error" in page.inner_text(".ml-titles")
