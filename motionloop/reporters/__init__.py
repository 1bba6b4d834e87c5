"""Where the scalars of a loop go: a file of lines, Weights & Biases, several places, nowhere.

`JsonlReporter` writes the record that everything else can be rebuilt from. `WandbReporter` shows
it in Weights & Biases. `SeveralReporters` forwards to each; `SilentReporter` does nothing.
Importing this package imports neither wandb nor torch.
"""

from motionloop.reporters.jsonl import JsonlReporter, read_history
from motionloop.reporters.several import SeveralReporters, SilentReporter
from motionloop.reporters.wandb_reporter import WandbReporter
from motionloop.reporters.wandb_run import WandbConfig

__all__ = [
    "JsonlReporter",
    "SeveralReporters",
    "SilentReporter",
    "WandbConfig",
    "WandbReporter",
    "read_history",
]
