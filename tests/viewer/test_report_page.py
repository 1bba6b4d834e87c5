"""Laws of a report's page in a real browser: it plays, and fits a telephone and paper."""

import json

import pytest
from served_runs import write_run

from motionloop.report.write import write_report

CONFIG = """name: {name}
task: {{name: motion, corrector: {{gamma: {gamma}}}}}
loop: {{generations: 1, seed: 0}}
wandb: {{}}
sweep: {{}}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory, walk):
    folder = tmp_path_factory.mktemp("report")
    for name, gamma in (("raw", 0.0), ("corrected", 1.0)):
        run = write_run(folder / "runs" / name, walk[:12], 4, 2)
        (run / "config.yaml").write_text(CONFIG.format(name=name, gamma=gamma))
        rows = [{"generation": g, "fid": 4.0 - g, "real/fid": 0.5} for g in range(2)]
        (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    content = write_report([folder / "runs"], folder / "out")
    return f"file://{folder}/out/report.html", content


def test_its_videos_play_and_nothing_is_asked_of_the_network(page, report):
    address, content = report
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    video = page.locator("video").first
    video.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('video').currentTime > 0.05", timeout=20_000)
    shots = sum(len(shots) for shots in content.media.values())
    assert page.locator("video").count() == shots > 2
    assert page.locator(".motionloop-player canvas").count() >= 1
    assert all(url == address or url.startswith(("data:", "blob:")) for url in asked)


def test_it_fits_a_telephone(browser, report):
    phone = browser.new_page(viewport={"width": 390, "height": 800}, is_mobile=True)
    phone.goto(report[0])
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.locator("tbody th").first.is_visible()
    phone.close()


def test_paper_shows_stills_instead_of_videos(page, report):
    page.goto(report[0])
    assert not page.locator("img.still").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("img.still").first.is_visible()
    assert not page.locator("video").first.is_visible()
    assert page.evaluate("document.querySelector('img.still').naturalWidth") > 400
