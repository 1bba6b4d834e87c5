"""Laws of checkpoints: what was written comes back, anything else is refused."""

import pytest
import torch
from safetensors.torch import save_file

from motionloop.diffusion.checkpoint import read_checkpoint, write_checkpoint
from motionloop.samples import InputError


def test_checkpoint_round_trip(tmp_path):
    groups = {
        "network": {"block.0.weight": torch.randn(2, 3), "bias": torch.zeros(0)},
        "data": {"mean": torch.ones(2, dtype=torch.float64)},
        "average": {},
    }
    facts = {"captions": ["a person walks, tired"], "fps": 20.0}
    write_checkpoint(tmp_path / "model.safetensors", groups, facts)
    restored, restored_facts = read_checkpoint(tmp_path / "model.safetensors")
    assert restored_facts == facts
    assert restored.keys() == groups.keys()
    for group, named in groups.items():
        assert restored[group].keys() == named.keys()
        for name, tensor in named.items():
            assert torch.equal(restored[group][name], tensor)
            assert restored[group][name].dtype == tensor.dtype


def test_equal_content_gives_equal_files(tmp_path):
    groups = {"network": {name: torch.arange(3.0) for name in "abcdef"}}
    for name in ("one", "two"):
        write_checkpoint(tmp_path / name, groups, {"a": 1, "b": 2})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_missing_damaged_and_foreign_files_are_refused_by_name(tmp_path):
    (tmp_path / "damaged").write_bytes(b"no tensors here")
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign")
    for name in ("missing", "damaged", "foreign"):
        with pytest.raises(InputError, match=name):
            read_checkpoint(tmp_path / name)
