"""How a Weights & Biases run starts: in which mode, with which waits, and without a question.

The client asks for an API key when it finds none, waits for the network by default, and stays
attached to its telemetry at exit. The settings here close each of these doors.
"""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from motionloop.reporters.credentials import has_credentials
from motionloop.samples import InputError

_log = logging.getLogger("motionloop.reporters")
Mode = Literal["online", "offline", "disabled"]


@dataclass(frozen=True)
class WandbConfig:
    """What a loop tells Weights & Biases.

    Attributes:
        project: the W&B project that holds the run.
        entity: the W&B user or team that owns the project; None: the default of the API key.
        group: name under which W&B shows several runs together; None: the experiment's name.
        mode: "online" sends while the loop runs; "offline" writes files for `wandb sync`;
            "disabled" does nothing; "auto" is online when an API key is configured (in the
            environment or by `wandb login`), else offline.
        tags: labels of the run.
        video_every: generations between videos of the same prompts; 0 films nothing.
        artifacts: which generations' weights and sample sets become W&B artifacts.
        base_url: address of the W&B server; None: the client's own setting, usually the
            public server.
        timeout: longest wait for the server when the run starts and when it ends, s. Data that
            is not sent by then stays in the run folder.
    """

    project: str = "motionloop"
    entity: str | None = None
    group: str | None = None
    mode: Literal["auto", "online", "offline", "disabled"] = "auto"
    tags: tuple[str, ...] = ()
    video_every: int = 3
    artifacts: Literal["none", "last", "all"] = "last"
    base_url: str | None = None
    timeout: float = 30.0


def resolve_mode(config: WandbConfig) -> Mode:
    """The mode without "auto"; under "auto" the client's own WANDB_MODE counts too.

    Raises:
        InputError: there is no such mode, or it is "online" and no API key is configured.
    """
    mode: str = config.mode
    if mode == "auto" and os.environ.get("WANDB_MODE") in ("online", "offline", "disabled"):
        mode = os.environ["WANDB_MODE"]
    reachable = has_credentials(config.base_url)
    if mode == "auto":
        return "online" if reachable else "offline"
    if mode == "online" and not reachable:
        raise InputError(
            "W&B mode is 'online', but no API key is configured; run `wandb login`, set "
            "WANDB_API_KEY, or choose mode 'offline'"
        )
    if mode == "online" or mode == "offline" or mode == "disabled":
        return mode
    raise InputError(f"W&B has no mode {mode!r}; choose one of auto, online, offline, disabled")


def start_run(
    config: WandbConfig,
    mode: Mode,
    directory: Path,
    run_id: str,
    run_config: dict[str, Any],
    name: str,
) -> Any:
    """A run of the W&B client whose files go to `directory/wandb`.

    Online, a run with `run_id` that the server knows is continued.

    Raises:
        Exception: whatever the client raises, at the latest `config.timeout` s after the start
            of an online run.
    """
    # The client's telemetry holds the exit up for some twenty seconds when the network swallows
    # packets; only the environment turns it off.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    directory.mkdir(parents=True, exist_ok=True)
    settings = wandb.Settings(**_settings(config, mode))
    wandb.setup(settings)  # silent from here on; a silent client asks nothing
    run = wandb.init(
        project=config.project,
        entity=config.entity,
        group=config.group,
        tags=list(config.tags),
        name=name,
        id=run_id,
        dir=str(directory),
        config=json.loads(json.dumps(run_config, default=str)),
        mode="online" if mode == "online" else "offline",
        resume="allow" if mode == "online" else None,
        reinit="create_new",
        settings=settings,
    )
    run.define_metric("generation", hidden=True)
    run.define_metric("*", step_metric="generation")
    return run


def stop_service() -> None:
    """Stop the client's service, which holds on to the id of a run that did not start."""
    try:
        import wandb

        wandb.teardown()
    except Exception as failure:
        _log.debug("wandb.teardown: %s", failure)


def retire_older_folders(newest: Path, run_id: str) -> None:
    """Mark the run's other offline folders as synced, so that `wandb sync` leaves them out."""
    for folder in newest.parent.glob(f"offline-run-*-{run_id}*"):
        if folder.resolve() == newest.resolve():
            continue
        for log in folder.glob("*.wandb"):
            log.with_name(log.name + ".synced").touch()


def _settings(config: WandbConfig, mode: Mode) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "silent": True,
        "quiet": True,
        "console": "off",  # the terminal belongs to the progress display
        "login_timeout": 1.0,
        "disable_code": True,
        "disable_git": True,  # the run folder states the commit; git can be slow
    }
    if mode == "online":
        settings |= {"init_timeout": config.timeout, "finish_timeout": config.timeout}
    if config.base_url:
        settings["base_url"] = config.base_url
    return settings
