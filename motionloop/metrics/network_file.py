"""A network's weights and what it is, in one safetensors file, read without running its code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors

from motionloop.samples import InputError, write_whole


class HasNetwork(Protocol):
    """What holds a network."""

    @property
    def network(self) -> torch.nn.Module:
        """The network."""
        ...


T = TypeVar("T", bound=HasNetwork)


def write_network(path: Path, form: str, description: dict, network: torch.nn.Module) -> None:
    """Write weights and description, whole or not at all.

    Args:
        path: of the file.
        form: name of the form of the description; the one entry of the metadata, because the
            order of several is random.
        description: what JSON can hold.
        network: whose weights are written.
    """
    metadata = {form: json.dumps(description, sort_keys=True)}
    weights = {k: v.contiguous() for k, v in network.state_dict().items()}
    write_whole(Path(path), lambda file: file.write(to_safetensors(weights, metadata)))


def read_network(path: Path, form: str, called: str, build: Callable[[dict], T]) -> T:
    """Read what `write_network` wrote.

    Args:
        path: of the file.
        form: that it was written with.
        called: what it should be, for errors: "motion encoder".
        build: makes of a description what holds the network; its weights are replaced.

    Raises:
        InputError: the file is missing, or is not of this form; `build` may raise its own.
    """
    if not Path(path).is_file():
        raise InputError(f"no such {called}: {path}")
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()[form])
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        built = build(about)
        built.network.load_state_dict(weights)
    except InputError:
        raise
    except (
        SafetensorError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
    ) as e:
        raise InputError(f"{path} is not a {called} of motionloop: {e}") from e
    return built
