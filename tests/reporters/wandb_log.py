"""Reads the client's offline files: LevelDB log chunks that hold the client's own records.

The file starts with a header of 7 bytes. A block has 32 KiB; a chunk is a checksum (CRC-32 of
type and payload), a length and a type: whole, first, middle or last part of a record. The
records are the protobuf messages that the installed client ships.
"""

import json
import struct
import time
import zlib
from pathlib import Path

_BLOCK = 32 * 1024
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def read_records(folder: Path) -> list:
    """All records of the one .wandb file in an offline folder."""
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore

    (path,) = folder.glob("*.wandb")
    records = []
    for payload in _payloads(path.read_bytes()):
        record = Record()
        record.ParseFromString(payload)
        records.append(record)
    return records


def history(folder: Path) -> list[dict]:
    """The rows of the history, without the client's own columns."""
    rows = [record.history for record in read_records(folder) if record.HasField("history")]
    return [_row(row.item) for row in rows]


def wait_for_the_end(folder: Path, seconds: float = 10.0) -> None:
    """The client's service writes the end of a finished run a moment after `finish`."""
    deadline = time.monotonic() + seconds
    while not any(record.HasField("exit") for record in read_records(folder)):
        assert time.monotonic() < deadline, f"no end of the run in {folder}"
        time.sleep(0.005)


def run_record(folder: Path):
    """The record that names the run: id, project, name, tags, config."""
    return next(record.run for record in read_records(folder) if record.HasField("run"))


def config(folder: Path) -> dict:
    """The run's configuration, without the client's own part."""
    items = run_record(folder).config.update
    return {item.key: json.loads(item.value_json) for item in items if item.key != "_wandb"}


def summary(folder: Path) -> dict:
    """The newest value of everything in the run's summary."""
    found: dict = {}
    for record in read_records(folder):
        for items in (record.summary.update, record.run.summary.update):
            for item in items:
                name = "/".join(item.nested_key) if item.nested_key else item.key
                found[name] = json.loads(item.value_json)
    return found


def artifacts(folder: Path) -> list:
    """The artifacts that the run logged."""
    requests = [r.request.log_artifact.artifact for r in read_records(folder)
                if r.HasField("request") and r.request.HasField("log_artifact")]  # fmt: skip
    return [r.artifact for r in read_records(folder) if r.HasField("artifact")] + requests


def _row(items) -> dict:
    row: dict = {}
    for item in items:
        *outer, name = list(item.nested_key) or [item.key]
        inside = row
        for key in outer:
            inside = inside.setdefault(key, {})
        inside[name] = json.loads(item.value_json)
    return {name: value for name, value in row.items() if not name.startswith("_")}


def _payloads(content: bytes) -> list[bytes]:
    assert content[:4] == b":W&B", "not a file of the W&B client"
    payloads, parts, at = [], b"", 7
    while at + 7 <= len(content):
        if _BLOCK - at % _BLOCK < 7:  # a header never crosses a block
            at += _BLOCK - at % _BLOCK
            continue
        checksum, length, kind = struct.unpack_from("<IHB", content, at)
        if at + 7 + length > len(content):
            break  # the service is still writing it
        payload = content[at + 7 : at + 7 + length]
        assert zlib.crc32(bytes([kind]) + payload) == checksum, f"damaged chunk at byte {at}"
        parts = payload if kind in (_WHOLE, _FIRST) else parts + payload
        if kind in (_WHOLE, _LAST):
            payloads.append(parts)
        at += 7 + length
    return payloads
