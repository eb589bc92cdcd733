from __future__ import annotations

import errno
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microtwin.study import store as store_module
from microtwin.study.errors import DamagedEntryError, StorageError
from microtwin.study.store import Entry, StageOutput, Store, write_file

KEY = "0" * 64


def output() -> StageOutput:
    return StageOutput(
        {"tau": math.inf, "eps": np.float64(0.4), "shape": (2, 3)},
        {"values": np.arange(6.0).reshape(2, 3)},
        {"note.txt": lambda path: path.write_text("hello")},
        [{"name": "spread", "value": 1e-5, "limit": 1e-4, "verdict": "pass"}],
    )


def stored(root: Path) -> Entry:
    return Store(root).write("transport/pore-z", KEY, output(), {"seconds": 1.5})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    stored(tmp_path)
    entry = Store(tmp_path).open("transport/pore-z", KEY)
    assert entry is not None
    assert entry.numbers == {"tau": None, "eps": 0.4, "shape": [2, 3]}  # JSON has no infinity
    assert np.array_equal(entry.array("values"), [[0, 1, 2], [3, 4, 5]])
    assert entry.file("note.txt").read_text() == "hello"
    assert entry.has("note.txt") and not entry.has("other.txt")
    assert entry.record["seconds"] == 1.5
    assert entry.record["checks"][0]["verdict"] == "pass"
    assert set(entry.record["files"]) == {"data.json", "values.npy", "note.txt"}
    assert not list(tmp_path.glob(".tmp-*"))


def test_an_entry_that_is_not_there(tmp_path: Path) -> None:
    assert Store(tmp_path).open("transport/pore-z", KEY) is None
    assert Store(tmp_path).state("transport/pore-z", KEY) == "missing"


@pytest.mark.parametrize("filename", ["data.json", "values.npy", "note.txt", "record.json"])
@pytest.mark.parametrize("how", ["flip", "truncate", "remove"])
def test_damage_is_detected_and_set_aside(tmp_path: Path, filename: str, how: str) -> None:
    path = stored(tmp_path).folder / filename
    content = bytearray(path.read_bytes())
    if how == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif how == "truncate":
        path.write_bytes(content[:-1] if filename != "record.json" else content[:-20])
    else:
        path.unlink()
    store = Store(tmp_path)
    with pytest.raises(DamagedEntryError):
        store.open("transport/pore-z", KEY)
    assert store.state("transport/pore-z", KEY) == "damaged"
    place = store.set_aside("transport/pore-z", KEY)
    assert place.is_dir() and place.parent == tmp_path / "damaged"
    assert store.state("transport/pore-z", KEY) == "missing"
    stored(tmp_path)
    assert store.state("transport/pore-z", KEY) == "done"


def test_a_second_writer_of_the_same_key_changes_nothing(tmp_path: Path) -> None:
    first = stored(tmp_path)
    before = (first.folder / "record.json").read_bytes()
    Store(tmp_path).write("transport/pore-z", KEY, output(), {"seconds": 99.0})
    assert (first.folder / "record.json").read_bytes() == before
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_write_that_stops_half_way_leaves_no_entry(tmp_path: Path) -> None:
    def interrupted(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).write("s", KEY, StageOutput({}, files={"big.bin": interrupted}), {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "is full"),
        (errno.EROFS, "cannot be written"),
        (errno.EACCES, "cannot be written"),
        (errno.EIO, "failed"),
    ],
)
def test_a_disk_that_refuses_is_one_sentence_and_loses_nothing(
    tmp_path: Path, number: int, words: str
) -> None:
    def refused(path: Path) -> None:
        raise OSError(number, os.strerror(number), str(path))

    kept = stored(tmp_path)
    with pytest.raises(StorageError) as caught:
        Store(tmp_path).write("other", KEY, StageOutput({}, files={"big.bin": refused}), {})
    told = str(caught.value)
    assert words in told and "is kept" in told and "--into" in told and "\n" not in told
    kept.verify()
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_full_disk_at_the_very_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", no_space)
    with pytest.raises(StorageError, match="is full"):
        stored(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    import socket

    host = socket.gethostname()
    dead = 2**22 + 1  # above the largest process number that Linux gives
    for pid, machine in ((dead, host), (os.getpid(), host), (os.getppid(), host), (dead, "other")):
        (tmp_path / f".tmp-{machine}-{pid}-abc").mkdir()
    (tmp_path / f".tmp-{host}-{dead}-def").write_text("half a results.json")
    assert Store(tmp_path).clean() == 3
    left = {path.name for path in tmp_path.iterdir()}
    # The parent is alive, and of another machine nothing is known.
    assert left == {f".tmp-{host}-{os.getppid()}-abc", f".tmp-other-{dead}-abc"}


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.json"
    write_file(path, "old")

    def no_space(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", no_space)
    with pytest.raises(StorageError, match="is full"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_equal_data_is_equal_bytes(tmp_path: Path) -> None:
    one, two = stored(tmp_path / "one"), stored(tmp_path / "two")
    assert one.record["files"] == two.record["files"]
    assert json.loads((one.folder / "data.json").read_text())["eps"] == 0.4
