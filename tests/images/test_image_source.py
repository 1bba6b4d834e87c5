"""Laws of reading images: formats give the arrays that were written, damage is named."""

import pickle

import numpy as np
import pytest
from image_files import cifar_batches, idx, pixels, write_cifar, write_folder, write_mnist
from PIL import Image
from sklearn.datasets import load_digits

from motionloop.images.idx import read_idx
from motionloop.images.images import Images
from motionloop.images.source import load_images
from motionloop.images.split import split
from motionloop.samples import InputError


def load(path, size=None):
    return load_images(path, size, lambda done, total: None)


class Evil:
    def __reduce__(self):
        return (print, ("code from a stranger's file has run",))


def test_the_digits_are_those_of_scikit_learn():
    digits = load(None)
    given, label = load_digits(return_X_y=True)
    assert np.allclose(digits.train.pixels[..., 0].reshape(-1, 64) / 255 * 16, given, atol=0.04)
    assert np.array_equal(digits.train.label, label)
    assert digits.classes == tuple("0123456789")


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_files_give_their_arrays(tmp_path, packed):
    images = load(write_mnist(tmp_path / "m", packed=packed))
    assert np.array_equal(images.train.pixels[..., 0], pixels(40, seed=40))
    assert np.array_equal(images.test.pixels[..., 0], pixels(20, seed=20))
    assert images.train.label.tolist() == [n % 10 for n in range(40)]


@pytest.mark.parametrize("pickled", [True, False])
def test_cifar_archives_give_red_green_and_blue_in_place(tmp_path, pickled):
    images = load(write_cifar(tmp_path / "cifar-10-x.tar.gz", pickled))
    assert images.train.pixels.shape == (50, 32, 32, 3)
    data, _ = cifar_batches()["data_batch_2"]
    one = images.train.pixels[13]  # the fourth of the second batch
    for channel in range(3):
        assert np.array_equal(one[..., channel].ravel(), data[3, channel * 1024 :][:1024])
    assert images.classes[3] == "cat"


def test_an_unpacked_archive_gives_the_same(tmp_path):
    import tarfile

    path = write_cifar(tmp_path / "cifar-10-x.tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    inside = load(tmp_path / "cifar-10-batches")
    assert np.array_equal(inside.train.pixels, load(path).train.pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_class_folders_give_their_images(tmp_path, channels):
    images = load(write_folder(tmp_path / "set", channels=channels))
    wanted = np.concatenate([pixels(12, 8, channels, seed=n) for n in range(2)])
    assert np.array_equal(images.train.pixels.squeeze(), wanted.squeeze())
    assert images.classes == ("cat", "dog")
    assert images.train.label.tolist() == [0] * 12 + [1] * 12


def test_folders_train_and_test_are_the_two_parts(tmp_path):
    write_folder(tmp_path / "set" / "train", count=9)
    write_folder(tmp_path / "set" / "test", count=4)
    images = load(tmp_path / "set")
    assert (len(images.train), len(images.test)) == (18, 8)


@pytest.mark.parametrize("names", [("images", "labels"), ("x_train", "y_train")])
def test_npz_files_give_their_arrays_in_numbers_of_any_kind(tmp_path, names):
    given, label = pixels(30), np.arange(30) % 3
    np.savez(tmp_path / "a.npz", **{names[0]: given.astype(np.float64), names[1]: label[:, None]})
    images = load(tmp_path / "a.npz")
    assert np.array_equal(images.train.pixels[..., 0], given)
    assert np.array_equal(images.train.label, label)


def test_images_are_cropped_to_their_middle_and_resized(tmp_path):
    folder = tmp_path / "set"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        wide = np.zeros((20, 40), np.uint8)
        wide[:, 10:30] = 200
        Image.fromarray(wide).save(folder / name / "1.png")
        Image.fromarray(np.full((16, 16), 200, np.uint8)).save(folder / name / "2.png")
    assert np.array_equal(load(folder, 10).train.pixels, np.full((4, 10, 10, 1), 200))
    with pytest.raises(InputError, match=r"set task.size"):
        load(folder)


@pytest.mark.parametrize("encoder_images", [None, 3, 0])
def test_the_parts_of_a_set_share_no_image_and_are_always_the_same(encoder_images):
    digits = load(None)
    parts, again = split(digits, encoder_images), split(digits, encoder_images)
    assert np.array_equal(parts.train.pixels, again.train.pixels)
    total = sum(len(part) for part in vars(parts).values())
    assert total == len(digits.train)
    numbered = Images(digits.train.pixels, np.arange(len(digits.train)))
    numbers = split(
        type(digits)("n", numbered, None, tuple(map(str, range(total)))), encoder_images
    )
    every = np.concatenate([part.label for part in vars(numbers).values()])
    assert sorted(every) == list(range(total))


BAD_IDX = {
    "cut short": idx(pixels(4))[:-1],
    "cut short in its header": bytes([0, 0, 8, 3, 0, 0]),
    "no IDX file": b"not an image",
    "damaged or cut short": b"\x1f\x8b" + b"\0" * 20,
}


@pytest.mark.parametrize("message", BAD_IDX)
def test_a_damaged_idx_file_is_named(tmp_path, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(BAD_IDX[message])
    with pytest.raises(InputError, match=message) as error:
        read_idx(path)
    assert str(path) in str(error.value)


def test_a_header_that_promises_too_much_is_refused_at_once(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes([0, 0, 8, 4]) + b"\xff" * 16)
    with pytest.raises(InputError, match="its header says"):
        read_idx(path)


def test_a_missing_or_unequal_label_file_is_named(tmp_path):
    folder = write_mnist(tmp_path / "m", packed=False)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(7)))
    with pytest.raises(InputError, match="40 images, but labels"):
        load(folder)
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match="lacks train-labels-idx1-ubyte"):
        load(folder)


@pytest.mark.parametrize("label", [10, 255])
def test_a_label_out_of_range_is_named(tmp_path, label):
    folder = write_mnist(tmp_path / "m", labels=[*range(10), label] * 4)
    with pytest.raises(InputError, match=f"label {label}, outside 0 to 9"):
        load(folder)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": pixels(4), "labels": np.array([0, 1, -1, 0])}, "label -1"),
        ({"images": pixels(4), "labels": np.array([0, 1, 3, 0])}, "no training image of class '2'"),
        ({"images": pixels(4), "labels": np.array([0, 1, 10**9, 0])}, "label 1000000000"),
        ({"images": pixels(4), "labels": np.array([0.5, 1, 1, 0])}, "labels of float64"),
        ({"images": pixels(4) / 255, "labels": np.arange(4)}, r"pixels in \[0, 1\]"),
        ({"images": pixels(4) * 2.0, "labels": np.arange(4)}, "outside 0 to 255"),
        ({"images": pixels(4)[:, :7], "labels": np.arange(4)}, "square"),
        ({"images": pixels(4, 4), "labels": np.arange(4)}, "8 to 128 pixels"),
        ({"images": pixels(0), "labels": np.arange(0)}, "no images"),
        ({"pictures": pixels(4)}, "holds pictures"),
        ({"images": np.array([Evil()], dtype=object), "labels": np.arange(1)}, "npz"),
    ],
)
def test_bad_arrays_are_named(tmp_path, capsys, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=message):
        load(tmp_path / "a.npz")
    assert "stranger" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (pickle.dumps(Evil()), "builtins.print, which no CIFAR-10 batch needs"),
        (b"", "not a readable pickle"),
        (pickle.dumps({"data": np.zeros((2, 7), np.uint8), "labels": [0, 1]}), "no batch"),
        (pickle.dumps([1, 2]), "holds a list"),
    ],
)
def test_a_harmful_or_damaged_batch_is_named_and_runs_nothing(tmp_path, capsys, spoil, message):
    path = write_cifar(tmp_path / "cifar-10-x.tar.gz", spoil=spoil)
    with pytest.raises(InputError, match=message):
        load(path)
    assert "stranger" not in capsys.readouterr().out


def test_a_truncated_archive_and_binary_batch_are_named(tmp_path):
    path = write_cifar(tmp_path / "cifar-10-x.tar.gz")
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(InputError, match="cut short"):
        load(path)
    short = write_cifar(tmp_path / "cifar-10-y.tar.gz", pickled=False, spoil=b"\0" * 3072)
    with pytest.raises(InputError, match=r"no multiple of 3073"):
        load(short)


def test_damaged_images_and_empty_folders_are_named(tmp_path):
    folder = write_folder(tmp_path / "set", size=40, channels=3)
    broken = folder / "cat" / "03.png"
    broken.write_bytes(broken.read_bytes()[:900])
    with pytest.raises(InputError, match=r"03.png"):
        load(folder)
    broken.write_text("no image")
    with pytest.raises(InputError, match=r"03.png"):
        load(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no class folders"):
        load(tmp_path / "empty")
    with pytest.raises(InputError, match="there is no"):
        load(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"task.size is 4"):
        load(None, 4)
