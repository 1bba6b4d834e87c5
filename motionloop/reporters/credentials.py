"""Whether Weights & Biases can be reached without asking: is an API key configured?

Looks where the client itself looks, in the same order, without importing it.
"""

import configparser
import netrc
import os
from pathlib import Path
from urllib.parse import urlsplit

_PUBLIC_SERVER = "https://api.wandb.ai"


def has_credentials(base_url: str | None = None) -> bool:
    """Whether the environment or the netrc file holds a key for the server at `base_url`.

    None is the server that the client is set up for: `WANDB_BASE_URL`, or what
    `wandb login --host` wrote down, or the public one. A netrc file that cannot be read or
    parsed counts as none, as it does for the client.
    """
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlsplit(base_url or _configured_server()).netloc
    try:
        entry = netrc.netrc(_netrc_file()).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return False
    return bool(entry and entry[2])


def _configured_server() -> str:
    if os.environ.get("WANDB_BASE_URL"):
        return os.environ["WANDB_BASE_URL"]
    folder = os.environ.get("WANDB_CONFIG_DIR", "~/.config/wandb")
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(Path(folder).expanduser() / "settings")
    except (OSError, configparser.Error):
        return _PUBLIC_SERVER
    return settings.get("default", "base_url", fallback=_PUBLIC_SERVER)


def _netrc_file() -> Path:
    if os.environ.get("NETRC"):
        return Path(os.environ["NETRC"]).expanduser()
    unix, windows = Path("~/.netrc").expanduser(), Path("~/_netrc").expanduser()
    return windows if windows.exists() and not unix.exists() else unix
