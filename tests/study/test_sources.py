from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from microtwin.study import StudyError, plan, read_study
from microtwin.study.canonical import digest_of_file, digest_of_source
from microtwin.study.sources import files_of

LABELS = np.random.default_rng(6).integers(0, 2, (4, 5, 6), dtype=np.uint8)
TEXT = "image: {{path: {name}, voxel_size: 1 um, phases: {{pore: 0, wall: 1}}}}\n"
PROJECTIONS = """\
projections: {path: scan.nxs, pixel_size: 1 um, angles: [0, 180]}
segmentation: {phases: [pore, wall]}
"""


def key(folder: Path, text: str) -> str:
    """Return the key of the first stage of a study in this folder."""
    path = folder / "study.yaml"
    path.write_text("name: companions\n" + text, encoding="utf-8")
    return plan(read_study(path))[0].key


def detached(folder: Path) -> tuple[str, Path]:
    (folder / "a.mhd").write_text(
        "NDims = 3\nDimSize = 6 5 4\nElementType = MET_UCHAR\nElementDataFile = a.raw\n"
    )
    (folder / "a.raw").write_bytes(LABELS.tobytes())
    return "a.mhd", folder / "a.raw"


def sidecar(folder: Path) -> tuple[str, Path]:
    (folder / "a.raw").write_bytes(LABELS.tobytes())
    (folder / "a.yaml").write_text("shape: [4, 5, 6]\ndtype: uint8\n")
    return "a.raw", folder / "a.yaml"


def linked(folder: Path) -> tuple[str, Path]:
    with h5py.File(folder / "voxels.h5", "w") as file:
        file["volume"] = LABELS
    with h5py.File(folder / "a.h5", "w") as file:
        file["volume"] = h5py.ExternalLink("voxels.h5", "/volume")
    return "a.h5", folder / "voxels.h5"


@pytest.mark.parametrize("write", [detached, sidecar, linked])
def test_a_change_of_a_companion_is_a_new_key(tmp_path: Path, write) -> None:
    name, companion = write(tmp_path)
    before = key(tmp_path, TEXT.format(name=name))
    assert key(tmp_path, TEXT.format(name=name)) == before
    # The file that is named stays as it is.
    if companion.suffix == ".yaml":
        companion.write_text("shape: [5, 4, 6]\ndtype: uint8\n")
    else:
        content = companion.read_bytes()
        companion.write_bytes(content.replace(LABELS.tobytes(), (1 - LABELS).tobytes()))
    assert key(tmp_path, TEXT.format(name=name)) != before


def test_a_key_does_not_depend_on_where_companions_lie(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        image, _ = detached(tmp_path / name)
        keys.add(key(tmp_path / name, TEXT.format(name=image)))
    assert len(keys) == 1


@pytest.mark.parametrize("angles", ["", ", angles: [0, 180]"])
def test_frames_in_a_linked_file(tmp_path: Path, angles: str) -> None:
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file["entry/tomo/data"] = h5py.ExternalLink("frames.h5", "/data")
        file["entry/tomo"].attrs["NX_class"] = "NXdetector"
    keys = []
    for value in (1, 2):
        with h5py.File(tmp_path / "frames.h5", "w") as file:
            file["data"] = np.full((5, 6, 7), value, np.uint16)
        keys.append(key(tmp_path, PROJECTIONS.replace(", angles: [0, 180]", angles)))
    assert keys[0] != keys[1]


def test_one_file_keeps_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, LABELS)
    assert files_of(path) == (path,)
    assert digest_of_source(path) == digest_of_file(path)


def test_a_file_that_is_no_volume_is_left_to_its_stage(tmp_path: Path) -> None:
    for name in ("a.h5", "a.mhd", "a.raw", "a.png", "a.zarr", "a.nxs"):
        (tmp_path / name).write_bytes(b"hello")
        assert files_of(tmp_path / name) == (tmp_path / name,)
        assert files_of(tmp_path / name, projections=True) == (tmp_path / name,)
    before = key(tmp_path, TEXT.format(name="a.h5"))
    (tmp_path / "a.h5").write_bytes(b"world")
    assert key(tmp_path, TEXT.format(name="a.h5")) != before


def test_a_missing_file_is_told_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"line 2, image\.path: there is no file or folder"):
        key(tmp_path, TEXT.format(name="a.h5"))
