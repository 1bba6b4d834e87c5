"""Experiments: a YAML file of differences, and the command line on top, become a typed record.

A config file has the sections `task` (with the task's `name`), `loop`, `wandb` and `sweep`; what
it leaves out has its default. On the command line a setting is `--section.name value`; where the
last words name one setting only, they are enough: `--corrector.gamma value`, `--gamma value`.
"""

import difflib
import importlib
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from jsonargparse import ArgumentError, ArgumentParser, Namespace

from motionloop.interfaces import Display, Task
from motionloop.loop.controller import LoopConfig
from motionloop.paths import CONFIGS
from motionloop.reporters.wandb_reporter import WandbConfig
from motionloop.samples import InputError

# Modules are imported when their task is asked for: the Gaussian task needs no torch.
TASKS = {
    "gaussian": ("motionloop.tasks.gaussian", "GaussianConfig"),
    "image": ("motionloop.tasks.image", "ImageConfig"),
    "mixture": ("motionloop.tasks.mixture", "MixtureConfig"),
    "kde": ("motionloop.tasks.kde", "KdeConfig"),
    "regression": ("motionloop.tasks.regression", "RegressionConfig"),
    "language": ("motionloop.tasks.language", "LanguageTaskConfig"),
    "motion": ("motionloop.tasks.motion", "MotionConfig"),
}


@dataclass(frozen=True)
class SweepConfig:
    """Arms of an experiment: every combination of the settings, each with several seeds.

    Attributes:
        over: setting -> values, such as `{task.corrector.gamma: [0, 1]}`; empty is one arm.
        arms: name -> settings of arms that are no product, such as `{uncorrected:
            {task.corrector.gamma: 0}}`; each with every combination of `over`.
        seeds: runs of each arm, with the seeds loop.seed, loop.seed + 1, ...
        together: all seeds of an arm at once, for tasks with a closed form: same figures, far
            faster, one file an arm instead of a run folder a seed.
        workers: processes; 0 takes every core.
    """

    over: dict[str, list[Any]] = field(default_factory=dict)
    arms: dict[str, dict[str, Any]] = field(default_factory=dict)
    seeds: int = 1
    together: bool = False
    workers: int = 0

    def __post_init__(self):
        if self.seeds < 1:
            raise InputError(f"sweep.seeds is {self.seeds}; it must be at least 1")
        for name in self.arms:
            if Path(name).name != name or name.startswith("."):
                raise InputError(f"sweep.arms has {name!r}; an arm's name is also its folder's")

    def varied(self) -> set[str]:
        """All settings in which arms may differ."""
        return set(self.over).union(*self.arms.values())


@dataclass(frozen=True)
class Experiment:
    """A fully resolved experiment.

    Attributes:
        name: of the config.
        task_name: a key of `TASKS`.
        task: the task's own config record.
        loop: the loop's settings.
        wandb: the W&B settings.
        sweep: the arms.
        text: the whole config as YAML, as written to the run folder.
    """

    name: str
    task_name: str
    task: Any
    loop: LoopConfig
    wandb: WandbConfig
    sweep: SweepConfig
    text: str

    def build(self, display: Display) -> Task:
        """The task, ready for the loop."""
        module = task_module(self.task_name)
        return module.build(self.task, self.loop.seed, display)

    def headline(self) -> tuple[str, ...]:
        """The few scalars that the task's tables show, the most telling first."""
        return task_module(self.task_name).HEADLINE

    def curves(self) -> tuple[str, ...]:
        """The scalars that the task's pictures show."""
        return task_module(self.task_name).CURVES

    def build_seeds(self, seeds: Sequence[int]) -> Any:
        """The task of several seeds at once, for `run_seeds`.

        Raises:
            InputError: the task has no closed form.
        """
        module = task_module(self.task_name)
        if not hasattr(module, "build_seeds"):
            raise InputError(
                f"sweep.together needs a task with a closed form, which {self.task_name} has not; "
                "set it to false"
            )
        return module.build_seeds(self.task, seeds)

    def theory(self) -> Mapping[str, tuple[Sequence[float], Sequence[float]]]:
        """The expected curves where a closed form is known, by figure: generations and values."""
        module = task_module(self.task_name)
        loop = self.loop
        if not hasattr(module, "theory") or loop.memory != 1:
            return {}
        initial = loop.initial_count or self.task.count
        synthetic = loop.synthetic(self.task.count)
        return module.theory(self.task, loop.workflow, loop.generations, initial, synthetic)

    def is_sweep(self) -> bool:
        """Whether there is more than one run in it."""
        return bool(self.sweep.varied() or self.sweep.arms) or self.sweep.seeds > 1

    def with_setting(self, key: str, value: Any) -> "Experiment":
        """The experiment with one setting changed, by its dotted name."""
        return _with_setting(self, key.split("."), value)


def _with_setting(record: Any, path: list[str], value: Any) -> Any:
    if len(path) == 1:
        return replace(record, **{path[0]: value})
    return replace(record, **{path[0]: _with_setting(getattr(record, path[0]), path[1:], value)})


def shipped_configs() -> list[str]:
    """Names of the configs that come with motionloop."""
    return sorted(path.stem for path in CONFIGS.glob("*.yaml"))


def suggestion(word: str, choices: Sequence[str]) -> str:
    """`; did you mean 'x'?` when a choice is near, else the list of choices."""
    near = difflib.get_close_matches(word, choices, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(choices)}"


def _read(config: str) -> tuple[str, dict[str, Any]]:
    """The config's name and content, from a shipped name or a path."""
    shipped = CONFIGS / f"{config}.yaml"
    path = shipped if shipped.is_file() else Path(config)
    if not path.is_file():
        hint = suggestion(config, shipped_configs())
        raise InputError(f"no config named {config!r}, and no such file{hint}")
    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds {content!r}; a config has sections such as task and loop")
    return str(content.pop("name", path.stem)), content


def task_module(task: str) -> ModuleType:
    """The module of a task: one of `TASKS`, or of your own as MODULE:CONFIG.

    Raises:
        InputError: there is no such task.
    """
    return importlib.import_module(_task_place(task)[0])


def _task_place(task: Any) -> tuple[str, str]:
    """Module and config class of a task."""
    if task in TASKS:
        return TASKS[task]
    module, colon, class_name = str(task).partition(":")
    if not colon:
        choices = suggestion(str(task), list(TASKS))
        raise InputError(f"task.name is {task!r}{choices}, or your own as MODULE:CONFIG")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a task of one's own lies where the command is given
    return module, class_name


def _task_class(content: dict[str, Any], name: str) -> tuple[str, type]:
    section = content.get("task")
    task = section.get("name") if isinstance(section, dict) else None
    try:
        module, class_name = _task_place(task)
        return str(task), getattr(importlib.import_module(module), class_name)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    except (ModuleNotFoundError, AttributeError) as error:
        if task in TASKS:
            raise
        raise InputError(
            f"{name}: task.name is {task!r}, but {error}; give the command in the folder of the "
            "module, or install it"
        ) from error


def parser_for(config: str) -> tuple[ArgumentParser, str, str, dict[str, Any]]:
    """The parser of a config's settings, the config's name, its task and its flat content.

    Raises:
        InputError: no such config, not YAML, or a setting that does not exist.
    """
    name, content = _read(config)
    task_name, task_class = _task_class(content, name)
    parser = ArgumentParser(
        prog=f"motionloop run {config}",
        usage=f"motionloop run {config} [--section.name VALUE ...]",
        description=f"Settings of the task {task_name!r}, with the values of this config; "
        "where a name is the only one of its kind, --name VALUE is enough.",
        exit_on_error=False,
        add_help=False,
    )
    parser.add_class_arguments(task_class, "task")
    parser.add_class_arguments(LoopConfig, "loop")
    parser.add_class_arguments(WandbConfig, "wandb")
    parser.add_class_arguments(SweepConfig, "sweep")
    names = settings(parser)
    flat = {k: v for k, v in _flatten(content, names) if k != "task.name"}
    for key in flat:
        _require(key, names)
    _checked(name, lambda: parser.parse_object(flat))
    parser.set_defaults(flat)
    return parser, name, task_name, flat


def settings(parser: ArgumentParser) -> list[str]:
    """Dotted names of all settings of a parser."""
    names = [action.dest for action in parser._actions if "." in action.dest]
    return [n for n in names if not any(m.startswith(n + ".") for m in names)]


def _flatten(content: dict, names: list[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and value of every setting; a setting that is itself a mapping stays whole."""
    for key, value in content.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, dict) and dotted not in names:
            yield from _flatten(value, names, dotted + ".")
        else:
            yield dotted, math.inf if value == "inf" else value


def _require(key: str, names: Sequence[str]) -> None:
    """Raise `InputError` with a suggestion unless `key` names a setting."""
    if key in names:
        return
    if any(n.startswith(key + ".") for n in names):
        raise InputError(f"{key} is a section; name one of its settings")
    parts = key.split(".")
    section = ".".join(parts[:-1])
    siblings = [n.rsplit(".", 1)[1] for n in names if n.rsplit(".", 1)[0] == section]
    if siblings:
        raise InputError(f"{section} has no setting {parts[-1]!r}{suggestion(parts[-1], siblings)}")
    sections = sorted({n.rsplit(".", 1)[0] for n in names})
    raise InputError(
        f"there is no section {section or key!r}{suggestion(section or key, sections)}"
    )


def _expand(arguments: Sequence[str], names: list[str]) -> list[str]:
    """Command-line settings with their full names; `--seed` becomes `--loop.seed`."""
    expanded = []
    for argument in arguments:
        if not argument.startswith("--"):
            expanded.append(argument)
            continue
        word, equals, value = argument[2:].partition("=")
        expanded.append(f"--{full_name(word, names)}{equals}{value}")
    # YAML's spelling of infinity, which the parser reads as a float.
    return [re.sub(r"(?<=^)inf$|(?<==)inf$", ".inf", argument) for argument in expanded]


def full_name(word: str, names: Sequence[str]) -> str:
    """The setting that a word names: in full, or by its last parts where they name one only.

    Raises:
        InputError: no setting ends so, or several do.
    """
    full = [n for n in names if n == word] or [n for n in names if n.endswith(f".{word}")]
    if len(full) > 1:
        raise InputError(f"--{word} is ambiguous: {', '.join('--' + n for n in full)}")
    if not full and "." not in word:
        leaves = sorted({n.rsplit(".", 1)[1] for n in names})
        raise InputError(f"there is no setting --{word}{suggestion(word, leaves)}")
    _require(full[0] if full else word, names)
    return full[0] if full else word


def load(config: str, arguments: Sequence[str] = ()) -> Experiment:
    """Read a config (a shipped name or a path) and apply command-line settings.

    A value on the command line takes the place of the values that the config sweeps over.

    Raises:
        InputError: no such config, an unknown setting, a value of the wrong type, or one (of the
            command line or of an arm) for a setting that `sweep.over` sets too.
    """
    parser, name, task_name, _ = parser_for(config)
    names = settings(parser)
    words = _expand(arguments, names)
    values = _checked(name, lambda: parser.parse_args(words))
    given = {word[2:].partition("=")[0] for word in words if word.startswith("--")}
    if "sweep.over" not in given:
        values.sweep.over = {k: v for k, v in values.sweep.over.items() if k not in given}
    for key in given & set(values.sweep.over):
        raise InputError(f"{key} has one value and several in sweep.over; give it only once")
    for label, arm in values.sweep.arms.items():
        for key in arm.keys() & values.sweep.over.keys():
            raise InputError(f"the arm {label!r} and sweep.over both set {key}; leave one out")
    changes = [{key: choice} for key, choices in values.sweep.over.items() for choice in choices]
    for change in [*changes, *values.sweep.arms.values()]:
        for key in change:
            _require(key, names)
        _checked(name, lambda change=change: parser.parse_object(change))
    made = _checked(name, lambda: parser.instantiate_classes(values))
    text = f"name: {name}\n" + parser.dump(
        _named(values, task_name), skip_validation=True, skip_unset=False
    )
    return Experiment(name, task_name, made.task, made.loop, made.wandb, made.sweep, text)


def _named(values: Namespace, task_name: str) -> Namespace:
    named = values.clone()
    named["task.name"] = task_name
    return named


def _checked(name: str, parse: Callable[[], Any]) -> Any:
    """The result of `parse`, its complaints as one plain sentence.

    Raises:
        InputError: naming the setting and the value.
    """
    try:
        return parse()
    except (ArgumentError, TypeError, ValueError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, InputError):
            cause = cause.__cause__ or cause.__context__
        if cause is not None:
            raise cause from None
        text = " ".join(str(error).split())
        text = re.sub(r"<class '(\w+)'>", r"\1", text).replace("typing.", "")
        text = re.sub(r'Parser key "([\w.]+)": Expected an? ', r"\1: expected ", text)
        raise InputError(f"{name}: {text}") from error
