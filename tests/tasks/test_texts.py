"""Laws of where texts come from: every kind of file gives its texts, and mistakes are named."""

import sys

import pytest

from motionloop.cli import _main
from motionloop.samples import InputError
from motionloop.tasks.texts import read_texts

TEXTS = ["one fox", "two\nfoxes", "drei Füchse"]


def test_text_files_lines_blocks_and_folders_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "b.txt").write_text("three\nthree\n\nfour\n")
    (tmp_path / "c.jsonl").write_text('{"text": "five"}\n')
    (tmp_path / "d.png").write_bytes(b"\xff")
    assert read_texts(tmp_path) == ["one", "two", "three\nthree", "four", "five"]


@pytest.fixture(scope="module")
def data():
    return pytest.importorskip("datasets").Dataset.from_dict(
        {"story": TEXTS, "year": [1, 2, 3]}
    )  # fmt: skip


def test_a_set_of_datasets_gives_its_texts_whole_or_by_split(data, tmp_path):
    import datasets

    data.select([2, 0]).save_to_disk(str(tmp_path / "one"))
    assert read_texts(tmp_path / "one", "story") == [TEXTS[2], TEXTS[0]]
    several = datasets.DatasetDict(train=data, test=data.select([1]))
    several.save_to_disk(str(tmp_path / "several"))
    assert read_texts(tmp_path / "several", "story") == TEXTS
    assert read_texts(tmp_path / "several", "story", "test") == [TEXTS[1]]
    with pytest.raises(InputError, match="no split 'dev'; it has test, train"):
        read_texts(tmp_path / "several", "story", "dev")


def test_parquet_and_arrow_files_give_their_texts(data, tmp_path):
    import pyarrow

    data.to_parquet(str(tmp_path / "a.parquet"))
    table = pyarrow.table({"story": TEXTS})
    for name, new in (("b", pyarrow.ipc.new_stream), ("c", pyarrow.ipc.new_file)):
        with new(str(tmp_path / f"{name}.arrow"), table.schema) as writer:
            writer.write_table(table)
    for name in ("a.parquet", "b.arrow", "c.arrow"):
        assert read_texts(tmp_path / name, "story") == TEXTS
    assert read_texts(tmp_path, "story") == 3 * TEXTS


def test_columns_that_are_missing_or_hold_no_text_are_named(data, tmp_path):
    data.save_to_disk(str(tmp_path / "set"))
    data.to_parquet(str(tmp_path / "a.parquet"))
    for path in (tmp_path / "set", tmp_path / "a.parquet"):
        with pytest.raises(InputError, match="no column 'text'; it has story, year"):
            read_texts(path)
        with pytest.raises(InputError, match="does not hold text alone"):
            read_texts(path, "year")


def test_damaged_tables_and_sets_are_named(data, tmp_path):
    data.save_to_disk(str(tmp_path / "set"))
    (shard,) = (tmp_path / "set").glob("*.arrow")
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(InputError, match="no whole set of datasets"):
        read_texts(tmp_path / "set", "story")
    data.to_parquet(str(tmp_path / "a.parquet"))
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"a\.parquet is no whole \.parquet file"):
        read_texts(tmp_path / "a.parquet", "story")
    for name in ("x.parquet", "x.arrow", "x.txt"):
        with pytest.raises(InputError, match="no such file"):
            read_texts(tmp_path / name)


def test_a_missing_package_is_named_with_the_command_that_installs_it(data, tmp_path, monkeypatch):
    data.save_to_disk(str(tmp_path / "set"))
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for name in ("set", "a.parquet"):
        with pytest.raises(InputError, match=r"pip install 'motionloop\[datasets\]'"):
            read_texts(tmp_path / name)


def test_a_sweep_over_a_bad_text_ends_before_it_has_written_anything(tmp_path, capsys, monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n")
    assert _main(["run", "language", "--text", "empty.txt", "--base_steps", "0", "--quiet"]) == 2
    assert "holds no text" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["empty.txt"]
