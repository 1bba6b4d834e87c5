"""How fast is `motionloop view`? Opening a large run, and frames a second in a real browser.

    python benchmarks/bench_viewer.py [--clips N] [--seconds S]

The browser is headless Chromium with software GL and no graphics card. Beside what the clock says
stands the processor time, because other work on the machine slows the clock only.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import psutil
from playwright.sync_api import sync_playwright

from motionloop.motion.dataset import load_clips
from motionloop.motion.motions import Motions
from motionloop.motion.windows import windows
from motionloop.paths import CLIPS

FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PLAYER = "document.querySelector('.motionloop-player').motionloop"


def write_run(path: Path, count: int) -> None:
    """A run of one generation: windows of real motion, and the same a little lower."""
    found, _ = windows(load_clips(CLIPS), 2.0, 20.0, 0.25)
    raw = found[np.arange(count) % len(found)]
    columns = raw.columns() | {"index": np.arange(count)}
    raw = Motions(**columns)
    corrected = Motions(**(columns | {"transl": raw.transl - np.float32([0, 0, 0.01])}))
    folder = path / "generation_001"
    folder.mkdir(parents=True)
    raw.save(folder / "synthetic.npz")
    corrected.save(folder / "corrected.npz")
    rows = [{"generation": 1, "corrector/corrected": float(count)}]
    (folder / "scalars.json").write_text(json.dumps(rows))
    (path / "config.yaml").write_text("task: {name: motion}\n")


def processor_time(process: psutil.Process) -> float:
    """Of a process and all below it, s."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += sum(one.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=2000, help="of the run")
    parser.add_argument("--seconds", type=float, default=8.0, help="to count frames")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        write_run(run, arguments.clips)
        started = time.monotonic()
        command = [sys.executable, "-m", "motionloop", "view", str(run)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        address = server.stdout.readline().split()[0]
        took, used = time.monotonic() - started, processor_time(psutil.Process(server.pid))
        print(f"address of a run of {arguments.clips} clips: {took:.2f} s, processor {used:.2f} s")
        try:
            look(address, arguments.seconds)
        finally:
            server.terminate()


def look(address: str, seconds: float) -> None:
    with sync_playwright() as playwright:
        found = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        started = time.monotonic()
        page.goto(address)
        page.wait_for_function(f"{PLAYER}?.frames > 0")
        print(f"first picture {time.monotonic() - started:.2f} s after the address is opened")
        time.sleep(2)
        for look in ("skin", "humanoid", "skeleton"):
            page.select_option(".ml-look", look)
            time.sleep(1)
            frames, used = page.evaluate(f"{PLAYER}.frames"), processor_time(psutil.Process())
            start = time.monotonic()
            time.sleep(seconds)
            frames = page.evaluate(f"{PLAYER}.frames") - frames
            used = processor_time(psutil.Process()) - used
            rate = frames / (time.monotonic() - start)
            print(
                f"two bodies, {look}: {rate:.1f} frames/s, "
                f"processor {1000 * used / max(frames, 1):.0f} ms a frame"
            )
        size = page.evaluate(f"[{PLAYER}.stage.canvas.width, {PLAYER}.stage.canvas.height]")
        print(f"picture of {size[0]} x {size[1]} pixels")
        browser.close()


if __name__ == "__main__":
    main()
