"""Small image files of every format, made for the tests."""

import gzip
import io
import pickle
import struct
import tarfile

import numpy as np
from PIL import Image


def pixels(count, size=8, channels=1, seed=0):
    shape = (count, size, size) if channels == 1 else (count, size, size, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def idx(array):
    array = np.asarray(array, np.uint8)
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write_mnist(folder, count=40, size=8, packed=True, labels=None):
    """MNIST's four files with `count` training and half as many test images."""
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, number in (("train", count), ("t10k", count // 2)):
        given = np.arange(number) % 10 if labels is None else np.asarray(labels)[:number]
        for what, array in (
            ("images-idx3", pixels(number, size, seed=number)),
            ("labels-idx1", given),
        ):
            content = gzip.compress(idx(array)) if packed else idx(array)
            name = f"{prefix}-{what}-ubyte" + (".gz" if packed else "")
            (folder / name).write_bytes(content)
    return folder


def cifar_batches(count=10):
    """Name -> (data (count, 3072), labels) of CIFAR-10's six batches."""
    names = [f"data_batch_{n}" for n in range(1, 6)] + ["test_batch"]
    rng = np.random.default_rng(0)
    return {
        name: (rng.integers(0, 256, (count, 3072), dtype=np.uint8), [n % 10 for n in range(count)])
        for name in names
    }


def write_cifar(path, pickled=True, spoil=None):
    """CIFAR-10's archive with ten images a batch; `spoil` replaces the content of batch 3."""
    with tarfile.open(path, "w:gz") as archive:
        for name, (data, labels) in cifar_batches().items():
            if pickled:
                content = pickle.dumps({"data": data, "labels": labels}, protocol=2)
            else:
                records = np.concatenate([np.array(labels, np.uint8)[:, None], data], axis=1)
                name, content = f"{name}.bin", records.tobytes()
            if spoil is not None and "batch_3" in name:
                content = spoil
            info = tarfile.TarInfo(f"cifar-10-batches/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def write_folder(folder, classes=("cat", "dog"), count=12, size=8, channels=1):
    """One folder a class, with PNG images."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i, one in enumerate(pixels(count, size, channels, seed=number)):
            Image.fromarray(one).save(folder / name / f"{i:02d}.png")
    return folder
