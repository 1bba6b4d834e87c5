"""Laws of samples: one leading axis, exact round trips, files whole or not at all."""

import numpy as np
import pytest

from motionloop.models.gaussian import Points
from motionloop.samples import InputError, write_whole


def test_columns_of_different_lengths_are_refused():
    from motionloop.motion.motions import Motions

    with pytest.raises(InputError, match="differ in length"):
        Motions(*(np.zeros(n) for n in (1, 1, 1, 1, 1, 1, 1, 2)))


def test_save_and_load_round_trip(tmp_path):
    points = Points(np.random.default_rng(0).normal(size=(7, 3)))
    points.save(tmp_path / "p.npz")
    assert np.array_equal(Points.load(tmp_path / "p.npz").x, points.x)


def test_concatenate_undoes_indexing():
    points = Points(np.arange(12.0).reshape(6, 2))
    joined = Points.concatenate([points[:2], points[2:]])
    assert np.array_equal(joined.x, points.x)
    assert len(points[np.array([True, False] * 3)]) == 3


def test_a_failed_write_leaves_the_old_file_and_no_remains(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half of the new")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"not an npz", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.npz"):
        Points.load(path)


def test_a_file_with_pickled_objects_is_refused(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, x=np.array([{"code": 1}], dtype=object))
    with pytest.raises(InputError, match=r"evil\.npz"):
        Points.load(path)
