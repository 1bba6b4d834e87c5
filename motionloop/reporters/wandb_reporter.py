"""How Weights & Biases shows a loop: one run for its whole life, whatever interrupts it.

The W&B run has an id of its own, kept in the run folder. Online, an interrupted loop continues
the run and sends what the server has not got. Offline, the client cannot continue a run: a
second folder with the same id replaces the first one on the server. So an interrupted loop
writes its whole history again, and the newest folder alone holds the complete run.

Nothing here may stop or hold up a loop: every wait has an end, nothing is ever asked on the
terminal, and when the client fails the reporter says so once and goes on offline, or in silence.
"""

import logging
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from motionloop.interfaces import Scalars
from motionloop.reporters.wandb_media import shown
from motionloop.reporters.wandb_run import (
    Mode,
    WandbConfig,
    resolve_mode,
    retire_older_folders,
    start_run,
    stop_service,
)
from motionloop.reporters.wandb_state import WandbState

_log = logging.getLogger("motionloop.reporters")


class WandbReporter:
    """Shows one loop in Weights & Biases, generation by generation.

    Files of the client go to `run_directory/wandb`; the id of the run and the files that were
    attached are kept in `run_directory/wandb.json`.

    Args:
        config: what to report, and where.
        run_directory: the run folder of the loop.
        run_config: the loop's whole configuration, shown beside the run.
        name: name of the run in W&B.
        history: what was reported before this process, as `read_history` gives it.

    Raises:
        InputError: the mode is "online" and no API key is configured, or `wandb.json` is
            damaged.
    """

    def __init__(
        self,
        config: WandbConfig,
        run_directory: Path,
        run_config: dict[str, Any],
        name: str,
        history: Sequence[dict[str, Any]] = (),
    ):
        self.config = config
        self.directory = Path(run_directory).absolute()
        self._run: Any = None
        self._reported: set[int] = set()
        self._waiting: dict[int, list[Path]] = {}
        self._best: dict[str, tuple[float, float, int]] = {}
        self.mode: Mode = resolve_mode(config)
        if self.mode == "disabled":
            return
        self._state = WandbState(self.directory / "wandb.json")
        self._start(run_config, name)
        self._replay(history)

    def report(self, scalars: Scalars, generation: int) -> None:
        """Send the scalars of one generation, once, with the files that wait for it."""
        if generation in self._reported:
            return
        self._reported.add(generation)
        self._send(scalars, generation, self._waiting.pop(generation, []))
        self._note_best(scalars, generation)
        self._sum_up()

    def attach(self, path: Path, generation: int) -> None:
        """Send a file as `wandb_media` shows it; before `report` it waits for the scalars.

        Waiting keeps this true: the generation that W&B knows last has its scalars there.
        """
        if self.mode == "disabled":
            return
        path = Path(path).absolute()
        self._state.remember(path, generation)
        if generation in self._reported:
            self._send({}, generation, [path])
        else:
            self._waiting.setdefault(generation, []).append(path)

    def close(self) -> None:
        """Finish the run; inside an exception's `finally` it is marked as failed."""
        failed = sys.exc_info()[0] is not None
        self._guard("finish", lambda run: run.finish(exit_code=int(failed)))
        self._run = None

    @property
    def folder(self) -> Path | None:
        """Where the client writes this process's part of the run; None when it is off."""
        return Path(self._run.dir).parent if self._run is not None else None

    @property
    def where(self) -> str:
        """One line for the user: the run's address, or how to send what was written offline."""
        if self._run is None:
            return "W&B: off"
        if self.mode == "online":
            return f"W&B: {self._run.url}"
        return f"W&B: offline; send it with: wandb sync {self.folder}"

    def _start(self, run_config: dict[str, Any], name: str) -> None:
        """Start the run; online turns into offline when the server does not answer in time."""
        arguments = (self.directory, self._state.id, run_config, name)
        try:
            self._run = start_run(self.config, self.mode, *arguments)
            return
        except Exception as failure:
            if self.mode == "offline":
                self._give_up("start", failure)
                return
            _log.warning("W&B did not answer (%s); going on offline", _first_line(failure))
        self.mode = "offline"
        stop_service()
        self._start(run_config, name)

    def _replay(self, history: Sequence[dict[str, Any]]) -> None:
        """Send what happened before this process and the server has not got."""
        newest = self._newest_on_server()
        for record in history:
            generation = record["generation"]
            scalars = {key: value for key, value in record.items() if key != "generation"}
            self._reported.add(generation)
            self._note_best(scalars, generation)
            if generation > newest:
                self._send(scalars, generation, self._state.attached_at(generation))
        self._sum_up()
        if self.folder is not None:
            retire_older_folders(self.folder, self._state.id)

    def _newest_on_server(self) -> int:
        if self.mode == "offline" or self._run is None:
            return -1
        try:
            return int(self._run.summary.get("generation", -1))
        except Exception as failure:
            self._give_up("resume", failure)
            return -1

    def _send(self, scalars: Scalars, generation: int, files: list[Path]) -> None:
        """One row of W&B's history: scalars and media share the generation as their x axis."""

        def log(run: Any) -> None:
            row: dict[str, Any] = dict(scalars)
            for path in filter(Path.is_file, files):
                row |= shown(run, path, generation, self.directory)
            if row:
                run.log({"generation": generation, **row})

        self._guard("log", log)

    def _note_best(self, scalars: Scalars, generation: int) -> None:
        """Remember which generation came nearest to the real data, metric by metric."""
        for name, value in scalars.items():
            if name.endswith(("_low", "_high")):  # ends of another scalar's interval
                continue
            distance = abs(value - scalars.get(f"real/{name}", math.nan))
            if distance < self._best.get(name, (math.inf,))[0]:
                self._best[name] = (distance, value, generation)

    def _sum_up(self) -> None:
        """Put the best value of every metric, and its generation, beside the last one."""
        best = {f"best/{name}": value for name, (_, value, _) in self._best.items()}
        when = {f"best/{name}_generation": g for name, (_, _, g) in self._best.items()}
        if best:
            self._guard("sum up", lambda run: run.summary.update({**best, **when}))

    def _guard(self, doing: str, call: Callable[[Any], None]) -> None:
        if self._run is None:
            return
        try:
            call(self._run)
        except Exception as failure:
            self._give_up(doing, failure)

    def _give_up(self, doing: str, failure: Exception) -> None:
        self._run = None
        _log.warning(
            "W&B failed to %s (%s); reporting goes on in metrics.jsonl only",
            doing,
            _first_line(failure),
        )


def _first_line(failure: Exception) -> str:
    return (str(failure).splitlines() or [type(failure).__name__])[0][:200]
