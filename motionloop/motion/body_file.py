"""Read a body model: the shipped npz, or a licensed SMPL pickle, without running code from it.

SMPL's pickles hold chumpy and scipy objects. They are read by an unpickler that knows the names
needed to rebuild plain arrays and refuses every other, so that chumpy need not be installed and a
file cannot run anything.
"""

import hashlib
import io
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionloop.array_pickle import load_array_pickle
from motionloop.samples import InputError
from physics.skeleton import PARENTS

_KEYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")


@dataclass(frozen=True)
class BodyArrays:
    """The arrays of a SMPL-format body, by smplx's names.

    Attributes:
        v_template: (V, 3) m.
        shapedirs: (V, 3, B) m per unit of coefficient, B >= 10 in the file, 10 kept.
        posedirs: (V, 3, 207) m.
        J_regressor: (24, V).
        weights: (V, 24).
        kintree_table: (2, 24).
        f: (F, 3).
    """

    v_template: np.ndarray
    shapedirs: np.ndarray
    posedirs: np.ndarray
    J_regressor: np.ndarray
    weights: np.ndarray
    kintree_table: np.ndarray
    f: np.ndarray


def read_body(path: Path) -> tuple[BodyArrays, str]:
    """The arrays of a body file and its sha256.

    Raises:
        InputError: the file is missing, is no body, or asks for code to be run.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"no body model at {path}: {error.strerror}") from None
    if str(path).endswith(".npz"):
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                values = {key: archive[key] for key in _KEYS if key in archive}
        except (OSError, ValueError, EOFError, KeyError) as error:
            raise InputError(f"{path} is not a readable npz file: {error}") from error
    elif str(path).endswith(".pkl"):
        values = load_array_pickle(content, str(path), "SMPL body", _STAND_INS)
    else:
        raise InputError(f"{path}: a body model is an .npz or SMPL's .pkl file")
    missing = [key for key in _KEYS if key not in values]
    if missing:
        raise InputError(f"{path} is no SMPL body: it lacks {', '.join(missing)}")
    return _checked(values, path), hashlib.sha256(content).hexdigest()


def _checked(values: dict, path: Path) -> BodyArrays:
    try:
        arrays = {key: _plain(values[key]) for key in _KEYS}
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error}") from error
    count = len(arrays["v_template"])
    shapes = {
        "v_template": (count, 3),
        "posedirs": (count, 3, 207),
        "J_regressor": (24, count),
        "weights": (count, 24),
        "kintree_table": (2, 24),
    }
    for key, shape in shapes.items():
        if arrays[key].shape != shape:
            raise InputError(
                f"{path}: {key} has shape {arrays[key].shape}, SMPL's is {shape}; "
                "SMPL-H and SMPL-X bodies are not supported"
            )
    if arrays["shapedirs"].shape[:2] != (count, 3) or arrays["shapedirs"].shape[2] < 10:
        raise InputError(
            f"{path}: shapedirs has shape {arrays['shapedirs'].shape}, needs 10 shapes"
        )
    if tuple(arrays["kintree_table"][0, 1:].astype(int)) != PARENTS[1:]:
        raise InputError(f"{path}: its joints are not connected as SMPL's 24 joints are")
    if arrays["f"].ndim != 2 or arrays["f"].shape[1] != 3 or arrays["f"].max() >= count:
        raise InputError(f"{path}: f must hold triangles (F, 3) of {count} vertices")
    arrays["shapedirs"] = arrays["shapedirs"][:, :, :10]
    return BodyArrays(**arrays)


class _Recorded:
    """Stands for a chumpy or scipy object: remembers its state and does nothing else."""

    def __setstate__(self, state):
        self.state = dict(state)


def _plain(value) -> np.ndarray:
    """A recorded object or an array as a plain numeric array."""
    if not isinstance(value, _Recorded):
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"an array of {array.dtype} where numbers were expected")
        return array
    state = value.state
    if "x" in state:  # chumpy.ch.Ch
        return _plain(state["x"])
    if "indptr" in state:  # scipy's compressed sparse column or row matrix
        from scipy.sparse import csc_matrix, csr_matrix

        kind = csr_matrix if isinstance(value, _Rows) else csc_matrix
        rows, columns = state["_shape"] if "_shape" in state else state["shape"]
        entries = tuple(_plain(state[key]) for key in ("data", "indices", "indptr"))
        return kind(entries, shape=(int(rows), int(columns))).toarray()
    if "a" in state and "idxs" in state:  # chumpy.reordering.Select
        chosen = _plain(state["a"]).ravel()[_plain(state["idxs"])]
        return chosen.reshape(state.get("preferred_shape", chosen.shape))
    raise ValueError(f"an object that holds only {sorted(map(str, state))}")


class _Rows(_Recorded):
    """Stands for a compressed sparse row matrix."""


def _reconstructor(cls, base, state):
    """copyreg._reconstructor, for recorded objects only."""
    if not (isinstance(cls, type) and issubclass(cls, _Recorded)):
        raise pickle.UnpicklingError(f"cannot rebuild {cls}")
    return cls()


_STAND_INS: dict[tuple[str, str], object] = {
    ("chumpy.ch", "Ch"): _Recorded,
    ("chumpy.reordering", "Select"): _Recorded,
    ("scipy.sparse.csc", "csc_matrix"): _Recorded,
    ("scipy.sparse._csc", "csc_matrix"): _Recorded,
    ("scipy.sparse.csr", "csr_matrix"): _Rows,
    ("scipy.sparse._csr", "csr_matrix"): _Rows,
    **{(module, "_reconstructor"): _reconstructor for module in ("copy_reg", "copyreg")},
    **{(module, "object"): object for module in ("__builtin__", "builtins")},
    **{(module, "set"): set for module in ("__builtin__", "builtins")},
}
