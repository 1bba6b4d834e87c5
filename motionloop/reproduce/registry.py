"""Which experiments there are: every module of `papers/` that has a record `EXPERIMENT`."""

import importlib
import pkgutil
from collections.abc import Sequence

from motionloop.experiment import suggestion
from motionloop.reproduce import papers
from motionloop.reproduce.record import PaperExperiment
from motionloop.samples import InputError


def experiments() -> dict[str, PaperExperiment]:
    """All experiments by name, those of one paper together."""
    found = []
    for module in pkgutil.iter_modules(papers.__path__, papers.__name__ + "."):
        experiment = getattr(importlib.import_module(module.name), "EXPERIMENT", None)
        if experiment is not None:
            found.append(experiment)
    return {one.name: one for one in sorted(found, key=lambda one: (one.paper, one.name))}


def chosen(names: Sequence[str]) -> list[PaperExperiment]:
    """The experiments of these names; `all` is every one.

    Raises:
        InputError: there is no such experiment.
    """
    there = experiments()
    if "all" in names:
        return list(there.values())
    for name in names:
        if name not in there:
            raise InputError(f"there is no experiment {name!r}{suggestion(name, list(there))}")
    return [there[name] for name in dict.fromkeys(names)]
