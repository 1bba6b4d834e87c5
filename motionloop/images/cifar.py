"""CIFAR-10 as its makers publish it: the archive or its unpacked folder, pickled or binary.

The pickled version is read by an unpickler that knows arrays and nothing else, so that the file
cannot run code. Members of the archive are read by name and never unpacked to disk.
"""

import io
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from motionloop.array_pickle import load_array_pickle
from motionloop.images.images import Images, ImageSet
from motionloop.samples import InputError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_TRAIN = tuple(f"data_batch_{n}" for n in range(1, 6))
_BYTES = 3 * 32 * 32
_LARGEST_MEMBER = 64 << 20  # bytes; a batch has 31 million
Read = Callable[[str], bytes | None]


def is_cifar(path: Path) -> bool:
    """Whether the path is CIFAR-10's archive or its unpacked folder."""
    if path.is_dir():
        return any((path / f"{_TRAIN[0]}{end}").is_file() for end in ("", ".bin"))
    return path.is_file() and path.name.startswith("cifar-10") and ".tar" in path.name


def load_cifar(path: Path) -> ImageSet:
    """CIFAR-10: 50,000 training and 10,000 test images of 32 x 32 pixels.

    Raises:
        InputError: a batch is missing, cut short, or asks for code to be run.
    """
    if path.is_dir():
        return _load(path, lambda name: _content(path / name))
    try:
        with tarfile.open(path) as archive:
            members = {Path(m.name).name: m for m in archive.getmembers() if m.isfile()}

            def read(name: str) -> bytes | None:
                if name not in members:
                    return None
                if members[name].size > _LARGEST_MEMBER:
                    raise InputError(f"{path}: {name} has {members[name].size} bytes, too many")
                file = archive.extractfile(members[name])
                return None if file is None else file.read()

            return _load(path, read)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged or cut short: {error}") from error


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _load(path: Path, read: Read) -> ImageSet:
    train = Images.concatenate([_batch(path, name, read) for name in _TRAIN])
    return ImageSet("cifar-10", train, _batch(path, "test_batch", read), CLASSES)


def _batch(path: Path, name: str, read: Read) -> Images:
    packed, plain = read(name), read(f"{name}.bin")
    if packed is None and plain is None:
        raise InputError(f"{path} lacks {name}; use the whole archive of CIFAR-10")
    source = f"{path}: {name}"
    if packed is not None:
        values = load_array_pickle(packed, source, "CIFAR-10 batch", {})
        data, label = np.asarray(values.get("data")), np.asarray(values.get("labels"))
        if data.ndim != 2 or data.shape[1] != _BYTES or data.dtype != np.uint8:
            raise InputError(f"{source} is no batch of CIFAR-10: its data are {data.shape}")
    else:
        assert plain is not None
        if len(plain) == 0 or len(plain) % (1 + _BYTES):
            raise InputError(
                f"{source}.bin is cut short: {len(plain)} bytes are no multiple of {1 + _BYTES}"
            )
        records = np.frombuffer(io.BytesIO(plain).getbuffer(), np.uint8).reshape(-1, 1 + _BYTES)
        data, label = records[:, 1:], records[:, 0]
    pixels = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Images.checked(np.ascontiguousarray(pixels), label, source)
