"""Where the shipped configs and assets lie, in a clone, an editable install and a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _shipped(folder: str) -> Path:
    """The shipped folder: inside the package in a wheel, beside it in a clone."""
    inside = _PACKAGE / folder
    return inside if inside.is_dir() else _PACKAGE.parent / folder


CONFIGS = _shipped("configs")
ASSETS = _shipped("assets")
BODY = ASSETS / "body"
CLIPS = ASSETS / "clips"
ENCODERS = ASSETS / "encoders"
