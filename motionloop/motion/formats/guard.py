"""What a file may hold before it is read: nothing too large for memory, and no code."""

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError

import numpy as np

from motionloop.samples import InputError
from physics.motion import MotionError

LARGEST_BYTES = 2**30  # of a text file, or of an array; an hour of BVH at 120 Hz is under half


def small_enough(path: Path, largest: int = LARGEST_BYTES) -> None:
    """Check a file's size before it is read whole.

    Raises:
        InputError: it is larger than `largest` bytes.
    """
    size = Path(path).stat().st_size
    if size > largest:
        raise InputError(_too_large(path, size, largest))


def read_text(path: Path) -> str:
    """A text file; bytes that are not UTF-8 become replacement characters.

    Raises:
        InputError: the file is missing, too large, or cannot be read.
    """
    path = Path(path)
    try:
        small_enough(path)
        return path.read_bytes().decode("utf-8-sig", errors="replace")
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


class Arrays:
    """The arrays of an npz file, each read when it is asked for and not before."""

    def __init__(self, path: Path, archive, sizes: dict[str, int]):
        self.path, self._archive, self._sizes = path, archive, sizes

    @property
    def names(self) -> set[str]:
        """The names of the arrays."""
        return set(self._archive.files)

    def check(self, name: str) -> None:
        """Check that an array may be read.

        Raises:
            InputError: it is larger than `LARGEST_BYTES` when unpacked.
        """
        size = self._sizes.get(f"{name}.npy", 0)
        if size > LARGEST_BYTES:
            raise InputError(f"{name} in {_too_large(self.path, size, LARGEST_BYTES)}")

    def __getitem__(self, name: str) -> np.ndarray:
        """An array; see `check`."""
        self.check(name)
        return self._archive[name]


@contextmanager
def opened_npz(path: Path) -> Iterator[Arrays]:
    """The arrays of an npz file; arrays of objects, which would run code, are refused.

    Raises:
        InputError: the file is missing, damaged, or would run code when read.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as parts:
            sizes = {part.filename: part.file_size for part in parts.infolist()}
        with np.load(path, allow_pickle=False) as archive:
            yield Arrays(path, archive, sizes)
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except (InputError, MotionError):
        raise
    except (
        OSError, ValueError, EOFError, KeyError, AttributeError, NotImplementedError,
        SyntaxError, TokenError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise InputError(f"{path} is not a readable npz file: {error}") from error


def read_npy(path: Path) -> np.ndarray:
    """The numbers in an npy file, float64.

    Raises:
        InputError: the file is missing, damaged, too large, or holds no numbers.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy warns of old headers
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except (OSError, ValueError, EOFError, SyntaxError, TokenError) as error:
        raise InputError(f"{path} is not a readable npy file: {error}") from error
    if not isinstance(mapped, np.ndarray) or mapped.dtype.kind not in "fiu":
        raise InputError(f"{path} holds no numbers")
    if 8 * mapped.size > LARGEST_BYTES:
        raise InputError(_too_large(path, 8 * mapped.size, LARGEST_BYTES))
    with np.errstate(invalid="ignore"):
        return np.array(mapped, dtype=np.float64)


def _too_large(path: Path, size: int, largest: int) -> str:
    return (
        f"{path} has {size / 1e9:.1f} GB; files above {largest / 1e9:.1f} GB are not read whole. "
        "Cut it into clips"
    )
