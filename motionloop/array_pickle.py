"""Arrays out of a stranger's pickle, without running code from it.

The unpickler knows the few names that plain arrays need, plus stand-ins that the caller allows,
and refuses every other name.
"""

import io
import pickle
from collections.abc import Mapping

import numpy as np

from motionloop.samples import InputError

Names = Mapping[tuple[str, str], object]


def _latin1(text: str, encoding: str) -> bytes:
    """_codecs.encode, as Python 3 writes the bytes of protocol 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"unexpected encoding {encoding}")
    return text.encode("latin1")


def _array_names() -> dict[tuple[str, str], object]:
    """What a pickled array may refer to."""
    from numpy._core import multiarray

    known: dict[tuple[str, str], object] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): _latin1,
    }
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        known[module, "_reconstruct"] = multiarray._reconstruct
        known[module, "scalar"] = multiarray.scalar
    return known


class _ArrayUnpickler(pickle.Unpickler):
    """Rebuilds arrays; refuses any other name."""

    def __init__(self, content: bytes, stand_ins: Names, expected: str):
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._known = {**_array_names(), **stand_ins}
        self._expected = expected

    def find_class(self, module_name: str, global_name: str):
        """The stand-in for a name of the pickle."""
        if (module_name, global_name) not in self._known:
            raise InputError(
                f"it refers to {module_name}.{global_name}, which no {self._expected} needs; it "
                "may be harmful. Use the file as its makers publish it"
            )
        return self._known[module_name, global_name]


def load_array_pickle(content: bytes, name: str, expected: str, stand_ins: Names) -> dict:
    """The dictionary that a pickle holds.

    Args:
        content: of the file.
        name: of the file, for errors.
        expected: what the file should be, for errors.
        stand_ins: further names that it may use, and what stands for each; they must be harmless
            whatever arguments they are called with.

    Raises:
        InputError: it is damaged, holds something else, or uses a name that is not known.
    """
    try:
        values = _ArrayUnpickler(content, stand_ins, expected).load()
    except InputError as error:
        raise InputError(f"{name} was not loaded: {error}") from None
    except Exception as error:  # a damaged pickle fails in many ways
        raise InputError(f"{name} is not a readable pickle: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{name} holds a {type(values).__name__}, not the parts of a {expected}")
    return values
