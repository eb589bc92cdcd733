"""VTKHDF: the layout that ParaView reads, checked against the published file format."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from microtwin.study.report import write_vtkhdf
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
