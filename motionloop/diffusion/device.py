"""Where a model computes, and where its random numbers come from."""

import numpy as np
import torch

from motionloop.samples import InputError


def resolve_device(name: str) -> torch.device:
    """The device called "cpu", "cuda", or "auto": CUDA where there is one.

    Raises:
        InputError: another name, or CUDA where there is none.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"device is {name!r}; choose 'auto', 'cpu' or 'cuda'")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise InputError("device is 'cuda', but this machine has no usable CUDA device; use 'cpu'")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def torch_generator(rng: np.random.Generator) -> torch.Generator:
    """A torch generator seeded from `rng`.

    It belongs to the CPU whatever the device, so that one seed means the same draw everywhere.
    """
    return torch.Generator().manual_seed(int(rng.integers(2**63)))
