from __future__ import annotations

import h5py
import meshio
import numpy as np
import pytest

import microtwin as mt
from meshing.shapes import VOXEL, film
from microtwin.meshing import BOX_FACES, tetrahedralize


@pytest.fixture(scope="module")
def mesh():
    return tetrahedralize(film(3, "curved", 16))


def volumes_of(points, cells):
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    return np.linalg.det(edges) / 6.0


@pytest.mark.parametrize("ending", ["vtu", "msh", "xdmf", "inp"])
def test_written_and_read_again(mesh, ending, tmp_path):
    path = tmp_path / f"mesh.{ending}"
    mesh.save(path)
    read = meshio.read(path)
    cells = read.cells_dict["tetra"]
    # Positive in a right-handed system (x, y, z), as every solver expects.
    volumes = volumes_of(read.points, cells)
    assert np.allclose(np.sort(volumes), np.sort(mesh.volumes), rtol=1e-6)
    centres = read.points[cells].mean(axis=1)[:, ::-1]
    wanted = mesh.points[mesh.cells].mean(axis=1)
    # Gmsh sorts by phase.
    for axis in range(3):
        found = np.sort(centres[:, axis] * volumes / volumes.mean())
        assert np.allclose(
            found, np.sort(wanted[:, axis] * mesh.volumes / mesh.volumes.mean()), rtol=1e-5
        )


def test_gmsh_names_phases_and_boundaries(mesh, tmp_path):
    path = tmp_path / "mesh.msh"
    mesh.save(path)
    assert path.read_bytes()[:20].split()[1] == b"4.1"
    read = meshio.read(path)
    assert {"pore", "active", "binder", "pore/binder", "z_low"} <= set(read.field_data)
    tags = read.cell_data_dict["gmsh:physical"]["tetra"]
    for number, name in enumerate(mesh.phases):
        chosen = tags == read.field_data[name][0]
        assert chosen.sum() == (mesh.phase == number).sum()
    walls = read.cell_data_dict["gmsh:physical"]["triangle"]
    low = (walls == read.field_data["z_low"][0]).sum()
    assert low == (mesh.box_facet_faces == BOX_FACES.index("z_low")).sum()


def test_abaqus_names_sets(mesh, tmp_path):
    path = tmp_path / "mesh.inp"
    mesh.save(path)
    read = meshio.read(path)
    assert len(read.cell_sets["active"][0]) == (mesh.phase == 1).sum()
    assert "pore_binder" in read.cell_sets


def test_fields_go_along(mesh, tmp_path):
    height = mesh.points[:, 0]
    vector = np.zeros((len(mesh.cells), 3))
    vector[:, 0] = 1.0  # along z
    mesh.save(tmp_path / "mesh.vtu", height=height, vector=vector)
    read = meshio.read(tmp_path / "mesh.vtu")
    assert np.allclose(read.point_data["height"], read.points[:, 2])
    assert np.allclose(read.cell_data_dict["vector"]["tetra"], [0, 0, 1])
    phases = read.cell_data_dict["phase"]["tetra"]
    assert np.array_equal(phases, mesh.phase)


def test_vtkhdf(mesh, tmp_path):
    mesh.save(tmp_path / "mesh.vtkhdf", height=mesh.points[:, 0])
    with h5py.File(tmp_path / "mesh.vtkhdf") as file:
        root = file["VTKHDF"]
        assert root.attrs["Type"] == b"UnstructuredGrid"
        cells = root["Connectivity"][:].reshape(-1, 4)
        assert np.allclose(volumes_of(root["Points"][:], cells), mesh.volumes)
        assert np.array_equal(root["CellData/phase"][:], mesh.phase)
        assert np.allclose(root["PointData/height"][:], root["Points"][:, 2])


@pytest.mark.parametrize("ending", ["stl", "ply", "vtu", "obj"])
def test_surfaces(mesh, ending, tmp_path):
    surface = mesh.surface("binder", "active")
    surface.save(tmp_path / f"surface.{ending}")
    read = meshio.read(tmp_path / f"surface.{ending}")
    corners = read.points[read.cells_dict["triangle"]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    assert np.linalg.norm(normals, axis=1).sum() == pytest.approx(surface.area, rel=1e-5)
    # The active material is outside of the curved film.
    outward = corners.mean(axis=1) - 8 * VOXEL
    assert (normals * outward).sum() > 0


@pytest.mark.parametrize("ending", ["msh", "inp"])
def test_any_name_can_be_written(ending, tmp_path):
    made = film(2, "curved")
    names = ('a"quoted", one', "a_quoted__ one", "two\nlines")
    micro = mt.Microstructure(made.labels, VOXEL, dict(zip(names, (0, 1, 2), strict=True)))
    named = tetrahedralize(micro)
    named.save(tmp_path / f"mesh.{ending}")
    read = meshio.read(tmp_path / f"mesh.{ending}")
    if ending == "msh":
        found = {name for name, (_, dimension) in read.field_data.items() if dimension == 3}
        assert found == {"a_quoted__ one", "a_quoted__ one_2", "two_lines"}
        assert len(read.field_data) == 3 + 6 + len(np.unique(named.facet_phases, axis=0))
    else:
        assert {"a_quoted___one", "a_quoted___one_2", "two_lines"} <= set(read.cell_sets)
        assert len(read.cell_sets) == 3 + 6 + len(np.unique(named.facet_phases, axis=0))


def test_a_missing_folder_and_a_taken_name_are_refused(mesh, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*missing; make it first"):
        mesh.save(tmp_path / "missing" / "mesh.vtu")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        mesh.surface("binder", "active").save(tmp_path / "missing" / "surface.stl")
    with pytest.raises(ValueError, match="give the field another name"):
        mesh.save(tmp_path / "mesh.vtu", phase=mesh.phase)
    with pytest.raises(ValueError, match=r"has the shape \(\)"):
        mesh.save(tmp_path / "mesh.vtu", wrong=1.0)


def test_endings_and_lengths_that_do_not_fit(mesh, tmp_path):
    with pytest.raises(ValueError, match=r"use an ending of .vtu"):
        mesh.save(tmp_path / "mesh.docx")
    with pytest.raises(ValueError, match=r"use an ending of .stl"):
        mesh.surface("binder", "active").save(tmp_path / "surface.msh")
    with pytest.raises(ValueError, match="no place for the fields wrong"):
        mesh.save(tmp_path / "mesh.inp", wrong=mesh.points[:, 0])
    with pytest.raises(ValueError, match="has 3 values"):
        mesh.save(tmp_path / "mesh.vtu", wrong=np.zeros(3))


def test_ngsolve_gets_the_same_mesh(mesh):
    ngsolve = pytest.importorskip("ngsolve")
    made = mesh.to_ngsolve()
    for name, share in mesh.volume_fractions.items():
        volume = ngsolve.Integrate(1, made, definedon=made.Materials(name))
        assert volume == pytest.approx(share * np.prod(mesh.extent), rel=1e-9)
    for pair in (("pore", "binder"), ("active", "binder")):
        area = ngsolve.Integrate(1, made, definedon=made.Boundaries("/".join(pair)))
        assert area == pytest.approx(mesh.interface_areas[pair], rel=1e-9)
    low = ngsolve.Integrate(1, made, definedon=made.Boundaries("z_low"))
    assert low == pytest.approx(mesh.extent[1] * mesh.extent[2], rel=1e-9)
    # The height along z is the third coordinate.
    mean = ngsolve.Integrate(ngsolve.z, made) / np.prod(mesh.extent)
    assert mean == pytest.approx(mesh.extent[0] / 2, rel=1e-9)
