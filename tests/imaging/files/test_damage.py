"""Files that are damaged at any place end in one sentence, or are read where nothing shows."""

from __future__ import annotations

import shutil
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import microtwin as mt
from volumes import VOXEL_SIZE, numbered

AMIRA = """# AmiraMesh BINARY-LITTLE-ENDIAN 2.1

define Lattice 11 7 5

Parameters {
    Units { Coordinates "um" }
    Materials { Exterior { Id 1 } Inside { Id 2 } }
    BoundingBox 0 10 0 6 0 4,
    CoordType "uniform"
}

Lattice { byte Labels } @1(HxZip,300)

# Data section follows
@1
"""


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Return one small file of each format, by its ending."""
    folder = tmp_path_factory.mktemp("samples")
    scan = mt.Scan(numbered("uint8"), VOXEL_SIZE)
    endings = (".tif", ".h5", ".zarr.zip", ".nrrd", ".mha", ".mrc", ".npy")
    files = {ending: mt.write_scan(scan, folder / f"a{ending}") for ending in endings}
    files[".am"] = folder / "a.am"
    files[".am"].write_bytes(AMIRA.encode() + zlib.compress(scan.values.tobytes()))
    files[".raw"] = folder / "a.raw"
    files[".raw"].write_bytes(scan.values.tobytes())
    files[".raw"].with_suffix(".yaml").write_text(
        "shape: [5, 7, 11]\ndtype: uint8\nvoxel_size: 1 um\nphases: {pore: 0}\n"
    )
    return files


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=50,
    deadline=None,
    # The same damage at each run: what a library in C does with other damage is not ours to test.
    derandomize=True,
)
@pytest.mark.parametrize(
    "ending", [".tif", ".h5", ".zarr.zip", ".nrrd", ".mha", ".mrc", ".npy", ".am", ".yaml"]
)
@given(data=st.data())
def test_damage_is_told_in_one_sentence(tmp_path, samples, ending, data):
    source = samples[".raw" if ending == ".yaml" else ending]
    path = tmp_path / source.name
    shutil.copy(source, path)
    damaged = path
    if ending == ".yaml":
        damaged = path.with_suffix(".yaml")
        shutil.copy(source.with_suffix(".yaml"), damaged)
    content = bytearray(damaged.read_bytes())
    head = min(len(content), 1100)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, head - 1) | st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 9))] = data.draw(
            st.binary(min_size=0, max_size=9) | st.sampled_from([b"", b"-1 ", b"999999999 ", b"\n"])
        )
        if not content:
            break
    damaged.write_bytes(content)
    for read in (mt.read_scan, mt.read_microstructure):
        try:
            read(path)
        except ValueError as error:
            assert path.stem in str(error)
