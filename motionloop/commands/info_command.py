"""Versions, devices, the body, the shipped data: what to quote in a report of a problem."""

import argparse
import importlib.metadata
import json
import os
import platform
from pathlib import Path

from motionloop import __version__
from motionloop.launch import save_json
from motionloop.paths import ASSETS, BODY, CLIPS, CONFIGS, ENCODERS


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--body_model", type=Path, help="describe this body instead of the shipped")
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write it here")


def execute(args: argparse.Namespace, _: list[str]) -> None:
    """Print the table."""
    import torch
    from rich.console import Console
    from rich.table import Table

    from motionloop.motion.body import Body

    body = Body.load(args.body_model)
    clips = json.loads((CLIPS / "index.json").read_text())
    rows = {
        "motionloop": __version__,
        "python": f"{platform.python_version()} on {platform.platform()}",
        "cores": str(os.cpu_count()),
    }
    for package in ("numpy", "scipy", "torch", "mujoco", "smplx", "wandb"):
        rows[package] = importlib.metadata.version(package)
    rows["cuda"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    rows["body"] = f"{body.name}, sha256 {body.sha256[:12]}"
    seconds = sum(clip["frames"] / clip["fps"] for clip in clips)
    rows["shipped clips"] = f"{len(clips)} clips, {seconds:.0f} s"
    rows["shipped encoders"] = ", ".join(p.name for p in sorted(ENCODERS.glob("*.safetensors")))
    rows["assets"], rows["configs"] = str(ASSETS), str(CONFIGS)
    rows["body folder"] = str(BODY)
    table = Table(show_header=False, box=None)
    for name, value in rows.items():
        table.add_row(f"[bold]{name}", value)
    Console().print(table)
    save_json(args.json, rows)
