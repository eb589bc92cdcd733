"""VTKHDF: the layout that ParaView reads, checked against the published file format."""

from __future__ import annotations

import gc
import json
import weakref

import h5py
import numpy as np
import pytest

from microtwin.study.report import write_vtkhdf, write_vtkhdf_series
from study.report.report_samples import layered


@pytest.fixture
def written(tmp_path):
    micro = layered()
    z, y, x = np.indices(micro.shape)
    fields = {
        "height": z.astype(float),
        "half": x.astype(np.float16),
        "inside": x > 2,
        "flux": np.stack([z, 10 + y, 100 + x]).astype(np.float32),
    }
    return micro, fields, write_vtkhdf(tmp_path / "fields.vtkhdf", micro, fields)


def test_header_is_vtk_image_data_in_metres(written):
    micro, _, path = written
    with h5py.File(path) as file:
        root = file["VTKHDF"]
        assert root.attrs["Version"].tolist() == [2, 0]
        kind = root.attrs.get_id("Type")
        assert kind.dtype == np.dtype("S9")
        assert root.attrs["Type"] == b"ImageData"
        nz, ny, nx = micro.shape
        assert root.attrs["WholeExtent"].tolist() == [0, nx, 0, ny, 0, nz]
        assert root.attrs["Spacing"].tolist() == [1e-7, 2e-7, 4e-7]
        assert root.attrs["Origin"].tolist() == [0, 0, 0]
        assert root.attrs["Direction"].tolist() == np.eye(3).ravel().tolist()


def test_cells_keep_order_names_and_compression(written):
    micro, fields, path = written
    with h5py.File(path) as file:
        cells = file["VTKHDF/CellData"]
        assert set(cells) == {"labels", *fields}
        np.testing.assert_array_equal(cells["labels"], micro.labels)
        np.testing.assert_array_equal(cells["height"], fields["height"])
        assert cells["half"].dtype == np.float32
        assert cells["inside"].dtype == np.uint8
        assert json.loads(cells["labels"].attrs["phases"]) == dict(micro.phases)
        # VTK is not built with LZF.
        assert {cells[name].compression for name in cells} == {"gzip"}


def test_vectors_turn_from_zyx_in_front_to_xyz_at_the_end(written):
    micro, fields, path = written
    with h5py.File(path) as file:
        flux = file["VTKHDF/CellData/flux"][...]
    assert flux.shape == (*micro.shape, 3)
    for component, axis in enumerate((2, 1, 0)):
        np.testing.assert_array_equal(flux[..., component], fields["flux"][axis])


@pytest.mark.parametrize(
    ("name", "field", "message"),
    [
        ("u", np.zeros((5, 4, 6)), r"shape \(5, 4, 6\); \(6, 4, 5\) for a scalar"),
        ("u", np.zeros((6, 4, 5), complex), "real numbers"),
        ("labels", np.zeros((6, 4, 5)), "other than 'labels'"),
        ("a/b", np.zeros((6, 4, 5)), "without '/'"),
    ],
)
def test_bad_fields_are_refused_and_leave_no_file(name, field, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_vtkhdf(tmp_path / "x.vtkhdf", layered(), {name: field})
    assert not list(tmp_path.iterdir())


def test_same_fields_give_same_bytes(written, tmp_path):
    micro, fields, path = written
    again = write_vtkhdf(tmp_path / "again.vtkhdf", micro, fields)
    assert again.read_bytes() == path.read_bytes()


def stress(micro, step):
    z, y, x = np.indices(micro.shape)
    return {
        "fill": (0.1 * step + x).astype(np.float16),
        "moved": np.stack([z + step, 10 + y, 100 + x]).astype(np.float32),
    }


def test_a_series_has_the_steps_of_the_file_format(tmp_path):
    """Names, types and shapes are those that the reader of VTK asks for."""
    micro, times = layered(), [0.0, 30.0, 45.5]
    steps = ((time, stress(micro, k)) for k, time in enumerate(times))
    path = write_vtkhdf_series(tmp_path / "series.vtkhdf", micro, steps)
    with h5py.File(path) as file:
        root, steps = file["VTKHDF"], file["VTKHDF/Steps"]
        assert root.attrs["Type"] == b"ImageData"
        assert steps.attrs["NSteps"] == 3 and steps.attrs["NSteps"].dtype == np.int64
        assert steps["Values"][...].tolist() == times
        assert set(steps) == {"Values", "CellDataOffsets"}
        offsets, cells = steps["CellDataOffsets"], root["CellData"]
        assert set(offsets) == set(cells) == {"labels", "fill", "moved"}
        assert {offsets[name].dtype for name in offsets} == {np.dtype(np.int64)}
        assert offsets["labels"][...].tolist() == [0, 0, 0]
        assert cells["labels"].shape == (1, *micro.shape)
        for k in range(3):
            given = stress(micro, k)
            fill = cells["fill"][offsets["fill"][k]]
            np.testing.assert_array_equal(fill, given["fill"].astype(np.float32))
            moved = cells["moved"][offsets["moved"][k]]
            np.testing.assert_array_equal(moved, np.moveaxis(given["moved"][::-1], 0, -1))
        # One step is read without the others.
        assert cells["moved"].chunks == (1, *micro.shape, 3)


def test_steps_are_written_before_the_next_is_asked_for(tmp_path):
    micro, alive = layered(), []

    def steps():
        for k in range(3):
            fields = stress(micro, k)
            alive.append(weakref.ref(fields["moved"]))
            yield float(k), fields
            del fields
            gc.collect()
            assert sum(ref() is not None for ref in alive) <= 1

    write_vtkhdf_series(tmp_path / "series.vtkhdf", micro, steps())


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "one time or more"),
        ([(1.0, {}), (1.0, {})], "1 s does not come after 1 s"),
        ([(0.0, {"u": np.zeros((6, 4, 5))}), (1.0, {})], "give the same ones"),
        (
            [(0.0, {"u": np.zeros((6, 4, 5))}), (1.0, {"u": np.zeros((3, 6, 4, 5))})],
            "give the same kind",
        ),
    ],
)
def test_a_series_that_does_not_fit_leaves_no_file(tmp_path, steps, message):
    with pytest.raises(ValueError, match=message):
        write_vtkhdf_series(tmp_path / "x.vtkhdf", layered(), steps)
    assert not list(tmp_path.iterdir())
