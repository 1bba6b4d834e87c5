"""Checkpoints: groups of tensors and a few facts in one safetensors file.

Reading runs no code from the file.
"""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from motionloop.samples import InputError, write_whole

TensorGroups = dict[str, dict[str, Tensor]]


def write_checkpoint(path: Path, groups: TensorGroups, facts: dict[str, Any]) -> None:
    """Write tensors, by group and name, and facts that JSON can hold; whole or not at all."""
    tensors = {
        f"{group}.{name}": tensor.detach().cpu().contiguous()
        for group, named in groups.items()
        for name, tensor in named.items()
    }
    # One entry of metadata only: the order of several would differ from file to file.
    header = json.dumps({"facts": facts, "groups": sorted(groups)}, sort_keys=True)
    content = save(tensors, {"motionloop": header})
    write_whole(path, lambda file: file.write(content))


def read_checkpoint(path: Path) -> tuple[TensorGroups, dict[str, Any]]:
    """Groups and facts of a file that `write_checkpoint` wrote; tensors are on the CPU.

    Raises:
        InputError: the file is missing, damaged, or of another kind.
    """
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {})["motionloop"])
            groups: TensorGroups = {group: {} for group in header["groups"]}
            for key in file.keys():  # noqa: SIM118  (not a dict)
                group, name = key.split(".", 1)
                groups[group][name] = file.get_tensor(key)
            return groups, header["facts"]
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a checkpoint of motionloop: {error}") from error
