"""Which files a volume or projections come from, besides the one that is named."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import tifffile

import microtwin as mt
from microtwin.imaging import open_volume, projection_files
from microtwin.imaging.files.hdf5_links import files_behind
from volumes import check_layers, numbered


def names(files):
    return [file.name for file in files]


def write_voxels(path, name="volume", values=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file[name] = numbered() if values is None else values


@pytest.mark.parametrize(
    "name", ["a.tif", "a.h5", "a.zarr", "a.zarr.zip", "a.nrrd", "a.mha", "a.mrc", "a.npy"]
)
def test_one_file_stands_for_itself(tmp_path, name):
    path = mt.write_scan(mt.Scan(numbered(), 1e-6), tmp_path / name)
    assert open_volume(path).files == (path,)


def test_folder_stands_for_itself(tmp_path):
    for k, layer in enumerate(numbered()):
        tifffile.imwrite(tmp_path / f"{k}.tif", layer)
    assert open_volume(tmp_path).files == (tmp_path,)


def test_sidecar_of_raw_voxels(tmp_path):
    path, sidecar = tmp_path / "a.raw", tmp_path / "a.yaml"
    path.write_bytes(numbered("uint8").tobytes())
    sidecar.write_text("shape: [5, 7, 11]\ndtype: uint8\n")
    assert open_volume(path).files == (path, sidecar)
    named = tmp_path / "b_11x7x5_8bit.raw"
    named.write_bytes(numbered("uint8").tobytes())
    assert open_volume(named).files == (named,)


METAIMAGE = (
    "NDims = 3\nDimSize = 11 7 5\nElementType = MET_UCHAR\nElementSpacing = 2 2 2\n"
    "ElementDataFile = "
)
NRRD = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 11 7 5\nencoding: raw\ndata file: "


@pytest.mark.parametrize(("ending", "header"), [(".mhd", METAIMAGE), (".nhdr", NRRD)])
@pytest.mark.parametrize("several", [False, True])
def test_headers_with_voxels_beside_them(tmp_path, ending, header, several):
    values = numbered("uint8")
    path = tmp_path / f"a{ending}"
    files = [tmp_path / f"{k}.raw" for k in range(5)] if several else [tmp_path / "voxels.raw"]
    for file, part in zip(files, values if several else [values], strict=True):
        file.write_bytes(part.tobytes())
    listed = "LIST\n" + "\n".join(names(files)) if several else "voxels.raw"
    path.write_text(f"{header}{listed}\n" + ("" if several else "\n"))
    check_layers(path, values)
    assert open_volume(path).files == (path, *files)


def test_ome_image_over_several_files(tmp_path):
    first, second = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    values = numbered()[:4]
    tifffile.imwrite(second, values[2:], photometric="minisblack", metadata=None)
    blocks = "".join(
        f'<TiffData IFD="{k % 2}" FirstZ="{k}" PlaneCount="1">'
        f'<UUID FileName="{name}">urn:uuid:{name[0] * 8}</UUID></TiffData>'
        for k, name in enumerate(["a.ome.tif", "a.ome.tif", "b.ome.tif", "b.ome.tif"])
    )
    description = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns='
        '"http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:aaaaaaaa">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
        'SizeX="11" SizeY="7" SizeZ="4" SizeC="1" SizeT="1"><Channel ID="Channel:0:0" '
        f'SamplesPerPixel="1"/>{blocks}</Pixels></Image></OME>'
    )
    tifffile.imwrite(
        first, values[:2], photometric="minisblack", description=description, metadata=None
    )
    assert np.array_equal(mt.read_scan(first, 1e-6).values, values)
    assert open_volume(first).files == (first, second)


def test_links_of_hdf5(tmp_path):
    write_voxels(tmp_path / "far/voxels.h5", "deep/volume")
    write_voxels(tmp_path / "other.h5")
    with h5py.File(tmp_path / "far/middle.h5", "w") as file:
        file["there"] = h5py.ExternalLink("voxels.h5", "/deep/volume")
    path = tmp_path / "a.nxs"
    with h5py.File(path, "w") as file:
        file["entry/data"] = h5py.ExternalLink("far/middle.h5", "/there")
        file["entry/alias"] = h5py.SoftLink("data")
        file["alias"] = h5py.SoftLink("/entry/alias")
        file["entry/unused"] = h5py.ExternalLink("other.h5", "/volume")
    volume = open_volume(path, dataset="entry/data")
    assert names(volume.files) == ["a.nxs", "middle.h5", "voxels.h5"]
    assert names(open_volume(path, dataset="alias").files) == ["a.nxs", "middle.h5", "voxels.h5"]


def test_group_that_is_linked(tmp_path):
    write_voxels(tmp_path / "voxels.h5", "group/volume")
    path = tmp_path / "a.nxs"
    with h5py.File(path, "w") as file:
        file["entry"] = h5py.ExternalLink("voxels.h5", "/group")
    assert names(files_behind(path, ["/entry/volume"])) == ["voxels.h5"]
    assert names(open_volume(path, dataset="entry/volume").files) == ["a.nxs", "voxels.h5"]


def test_positions_of_axes_that_are_linked(tmp_path):
    with h5py.File(tmp_path / "axes.h5", "w") as file:
        for axis, count in zip("zyx", (5, 7, 11), strict=True):
            file[axis] = 1e-6 * np.arange(count)
            file[axis].attrs["units"] = "m"
    path = tmp_path / "a.nxs"
    with h5py.File(path, "w") as file:
        file["data/volume"] = numbered()
        file["data"].attrs["axes"] = ["z", "y", "x"]
        for axis in "zyx":
            file[f"data/{axis}"] = h5py.ExternalLink("axes.h5", f"/{axis}")
    volume = open_volume(path)
    assert volume.voxel_size == pytest.approx((1e-6,) * 3)
    assert names(volume.files) == ["a.nxs", "axes.h5"]


def test_external_storage(tmp_path, monkeypatch):
    numbered().tofile(tmp_path / "voxels.raw")
    path = tmp_path / "a.h5"
    monkeypatch.chdir(tmp_path)
    with h5py.File(path, "w") as file:
        file.create_dataset("volume", (5, 7, 11), "uint16", external=[("voxels.raw", 0, 770)])
    check_layers(path, numbered())
    assert names(open_volume(path).files) == ["a.h5", "voxels.raw"]


@pytest.mark.parametrize("pattern", [None, "part-%b.h5", "{folder}/part-%b.h5"])
def test_virtual_dataset(tmp_path, pattern):
    for k, layer in enumerate(numbered()):
        write_voxels(tmp_path / f"part-{k}.h5", "layer", layer[None])
    # One of the parts is only a link to where its voxels are.
    (tmp_path / "part-3.h5").unlink()
    write_voxels(tmp_path / "moved.h5", "layer", numbered()[3:4])
    with h5py.File(tmp_path / "part-3.h5", "w") as file:
        file["layer"] = h5py.ExternalLink("moved.h5", "/layer")
    path = tmp_path / "a.h5"
    if pattern:
        space = h5py.h5s.create_simple((5, 7, 11), (h5py.h5s.UNLIMITED, 7, 11))
        space.select_hyperslab((0, 0, 0), (h5py.h5s.UNLIMITED, 1, 1), (1, 1, 1), (1, 7, 11))
        source = h5py.h5s.create_simple((1, 7, 11))
        source.select_all()
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        series = pattern.format(folder=tmp_path).encode()
        creation.set_virtual(space, series, b"layer", source)
        with h5py.File(path, "w") as file:
            kind = h5py.h5t.py_create(np.dtype("uint16"))
            h5py.h5d.create(file.id, b"volume", kind, space, dcpl=creation)
    else:
        layout = h5py.VirtualLayout((5, 7, 11), "uint16")
        for k in range(5):
            layout[k] = h5py.VirtualSource(f"part-{k}.h5", "layer", (1, 7, 11))[0]
        with h5py.File(path, "w") as file:
            file.create_virtual_dataset("volume", layout)
    check_layers(path, numbered())
    found = names(open_volume(path).files)
    assert found[0] == "a.h5"
    assert sorted(found[1:]) == ["moved.h5", *(f"part-{k}.h5" for k in range(5))]


def test_links_in_circles_and_to_nowhere(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["round"] = h5py.SoftLink("/round")
        file["there"] = h5py.ExternalLink("b.h5", "/back")
        file["lost"] = h5py.ExternalLink("lost.h5", "/volume")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["back"] = h5py.ExternalLink("a.h5", "/there")
    (tmp_path / "c.h5").write_bytes(b"hello")
    assert names(files_behind(tmp_path / "a.h5", ["round", "there", "lost", "none"])) == ["b.h5"]
    assert files_behind(tmp_path / "c.h5", ["volume"]) == ()


# --- projections --------------------------------------------------------------------------------


@pytest.mark.parametrize("moved", [False, True])
def test_projections_of_nxtomo(tmp_path, moved):
    write_voxels(tmp_path / ("frames.h5" if moved else "scan/frames.h5"), "data")
    write_voxels(tmp_path / "angles.h5", "angles", np.arange(5.0))
    path = tmp_path / "a.nxs"
    with h5py.File(path, "w") as file:
        file["entry/instrument/tomo/data"] = h5py.ExternalLink("scan/frames.h5", "/data")
        file["entry"].attrs["NX_class"] = "NXentry"
        file["entry/instrument/tomo"].attrs["NX_class"] = "NXdetector"
        file["entry/instrument/tomo/image_key"] = np.zeros(5, int)
        file["entry/sample/rotation_angle"] = h5py.ExternalLink("angles.h5", "/angles")
    assert names(projection_files(path)) == ["a.nxs", "frames.h5", "angles.h5"]


def test_projections_of_dxchange_and_by_name(tmp_path):
    write_voxels(tmp_path / "frames.h5", "data")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = h5py.ExternalLink("frames.h5", "/data")
        file["exchange/data_white"] = numbered()
    assert names(projection_files(path)) == ["a.h5", "frames.h5"]
    assert names(projection_files(path, dataset="exchange/data")) == ["a.h5", "frames.h5"]
    assert names(projection_files(path, dataset="exchange/data_white")) == ["a.h5"]


def test_projections_of_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", numbered(), photometric="minisblack")
    assert projection_files(tmp_path / "a.tif") == (tmp_path / "a.tif",)
    with pytest.raises(ValueError, match="does not exist"):
        projection_files(tmp_path / "b.tif")
