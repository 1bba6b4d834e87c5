"""Where images come from: scikit-learn's digits, or what lies at a path.

none                     1,797 digits of 8 x 8 pixels, carried by scikit-learn
folder of IDX files      MNIST and its kin, packed by gzip or not
cifar-10-*.tar.gz        CIFAR-10, or its unpacked folder
file.npz                 x_train, y_train, x_test, y_test; or images, labels; or x, y
any other folder         one folder a class
"""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from motionloop.images.cifar import is_cifar, load_cifar
from motionloop.images.folder import Progress, load_folder, resized
from motionloop.images.idx import is_idx_folder, load_idx_folder
from motionloop.images.images import LARGEST, SMALLEST, Images, ImageSet
from motionloop.samples import InputError

_ONE_PART = (("images", "labels"), ("x", "y"))


def load_images(path: Path | None, size: int | None, progress: Progress) -> ImageSet:
    """The data set at a path, or the digits.

    Args:
        path: see the module's table.
        size: images are cropped to a square and resized to this; none takes them as they are.
        progress: called as progress(images read, images), for folders of single files.

    Raises:
        InputError: nothing there that is known, or it is damaged or not usable.
    """
    if size is not None and not SMALLEST <= size <= LARGEST:
        raise InputError(f"task.size is {size}; images have {SMALLEST} to {LARGEST} pixels")
    if path is None:
        return _resized(_digits(), size)
    path = Path(path)
    if not path.exists():
        raise InputError(f"task.data: there is no {path}")
    if is_cifar(path):
        return _resized(load_cifar(path), size)
    if path.suffix == ".npz":
        return _npz(path, size)
    if not path.is_dir():
        raise InputError(
            f"task.data: {path} is none of an npz file, CIFAR-10's archive, a folder of IDX "
            "files, a folder of class folders"
        )
    if is_idx_folder(path):
        return _resized(load_idx_folder(path), size)
    return load_folder(path, size, progress)


def _digits() -> ImageSet:
    from sklearn.datasets import load_digits  # here: costs a second to import

    pixels, label = load_digits(return_X_y=True)
    pixels = np.rint(np.asarray(pixels).reshape(-1, 8, 8) * (255 / 16))
    classes = tuple(str(digit) for digit in range(10))
    return ImageSet("digits", Images.checked(pixels, np.asarray(label), "digits"), None, classes)


def _npz(path: Path, size: int | None) -> ImageSet:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise InputError(f"{path} is damaged or no npz file of plain arrays: {error}") from error
    test = None
    if {"x_train", "y_train"} <= arrays.keys():
        train = resized(Images.checked(arrays["x_train"], arrays["y_train"], str(path)), size)
        if {"x_test", "y_test"} <= arrays.keys():
            test = resized(Images.checked(arrays["x_test"], arrays["y_test"], str(path)), size)
    else:
        pair = next((pair for pair in _ONE_PART if set(pair) <= arrays.keys()), None)
        if pair is None:
            raise InputError(
                f"{path} holds {', '.join(sorted(arrays)) or 'nothing'}; name the arrays images "
                "and labels, or x_train, y_train, x_test, y_test"
            )
        train = resized(Images.checked(arrays[pair[0]], arrays[pair[1]], str(path)), size)
    most = int(train.label.max())
    if most > len(train):
        raise InputError(f"{path} has label {most}, more than it has images; number from 0")
    return ImageSet(path.stem, train, test, tuple(str(n) for n in range(most + 1)))


def _resized(images: ImageSet, size: int | None) -> ImageSet:
    test = None if images.test is None else resized(images.test, size)
    return ImageSet(images.name, resized(images.train, size), test, images.classes)
