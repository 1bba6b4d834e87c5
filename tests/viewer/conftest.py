"""A real browser for the tests of pages; they skip with a reason where there is none."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from motionloop.motion.body import Body
from motionloop.motion.dataset import load_clips
from motionloop.paths import CLIPS
from physics.motion import SmplMotion

# Software GL, and no connection to anything but the page.
FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-quic", "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
    if found is None:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser):
    """A page; the test fails if the browser's console had an error."""
    opened = browser.new_page(viewport={"width": 900, "height": 720})
    errors: list[str] = []
    opened.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert not errors


@pytest.fixture(scope="session")
def shipped_body():
    return Body.load()


@pytest.fixture(scope="session")
def walk() -> SmplMotion:
    """Three seconds of a real walk."""
    clips = {entry["name"]: clip for entry, clip in load_clips(CLIPS)}
    name = min(n for n in clips if "walk" in n)
    return clips[name].resample(20.0)[:60]


@pytest.fixture
def shaped(walk) -> SmplMotion:
    """The walk of another body."""
    return replace(walk, betas=np.array([1.5, -1.0, 0.5, 0, 0, 0, 0, 0, 0, 0.3]))


@pytest.fixture
def opened(page):
    """Opens a file with a player and waits until it draws."""

    def open_file(path: Path):
        page.goto(path.resolve().as_uri())
        page.wait_for_function(
            "document.querySelector('.motionloop-player')?.motionloop?.frames > 0"
        )
        return page

    return open_file
