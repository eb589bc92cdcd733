"""The elastic operator, its coarse spaces and its solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.mechanics import isotropic, rotated, transversely_isotropic
from microtwin.numerics.hexahedra import Hexahedra
from microtwin.numerics.piece_kinds import kinds_of_voxels
from microtwin.numerics.uniform_solids import UniformSolid

TURN = [[1, 0, 0], [0, np.cos(0.3), -np.sin(0.3)], [0, np.sin(0.3), np.cos(0.3)]]
FIBRE = rotated(transversely_isotropic(150e9, 20e9, 0.2, 0.3, 8e9), TURN)
STIFF, SOFT = isotropic(100e9, 0.25), isotropic(1e9, 0.35)
EDGES = (1.0e-6, 1.2e-6, 0.9e-6)


def held(*conditions):
    out = np.zeros((3, 2, 3), bool)
    for axis, side, component in conditions:
        out[axis, side, component] = True
    return out


CLAMPED = held(*((0, 0, c) for c in range(3)))
PLATES = held(*((axis, side, axis) for axis in range(3) for side in (0, 1)))


def grid(seed=0, shape=(6, 7, 9), solids=(FIBRE, SOFT), **options):
    number = np.random.default_rng(seed).integers(-1, 2, shape)
    return Hexahedra(number, [s.stiffness for s in solids], EDGES, **options)


def whole_matrix(operator):
    """Return the operator assembled element by element, without what is held."""
    nz, ny, nx = operator.shape
    n = nz * ny * nx
    out = np.zeros((3 * n, 3 * n))
    elements = operator._elements()
    for k, j, i in np.ndindex(operator.shape):
        nodes = [
            ((k + (m >> 2)) % nz * ny + (j + (m >> 1 & 1)) % ny) * nx + (i + (m & 1)) % nx
            for m in range(8)
        ]
        at = np.array([c * n + node for node in nodes for c in range(3)])
        out[np.ix_(at, at)] += elements[operator.number[k, j, i]]
    return out


@pytest.mark.parametrize("periodic", [(True,) * 3, (False, True, False)])
def test_the_product_is_that_of_the_elements(periodic):
    operator = grid(shape=(3, 4, 5), periodic=periodic)
    u = np.random.default_rng(1).standard_normal(operator.size)
    u[-6:] = 0.0
    expected = whole_matrix(operator) @ u[:-6]
    found = operator._forces_of(operator._on_nodes(u), np.zeros(6))[:-6]
    np.testing.assert_allclose(found, expected, atol=1e-13 * np.abs(expected).max())
    single = operator.zeros()
    operator.image(single, u.astype(np.float32))
    np.testing.assert_allclose(single[:-6], expected, atol=1e-6 * np.abs(expected).max())


def test_rows_longer_than_a_piece_are_worked_on_in_pieces():
    """Turning the image by its axes must turn the forces."""
    number = np.random.default_rng(2).integers(-1, 2, (2, 3, 150))
    solids = [STIFF.stiffness, SOFT.stiffness]
    long = Hexahedra(number, solids, (1e-6,) * 3)
    turned = Hexahedra(np.ascontiguousarray(number.transpose(2, 1, 0)), solids, (1e-6,) * 3)
    u = np.random.default_rng(3).standard_normal((3, 2, 3, 150))
    forces = long._on_nodes(long._forces_of(u, np.zeros(6)))
    other = np.ascontiguousarray(u[::-1].transpose(0, 3, 2, 1))
    expected = turned._on_nodes(turned._forces_of(other, np.zeros(6)))
    np.testing.assert_allclose(forces[::-1].transpose(0, 3, 2, 1), expected, atol=1e-12)


@pytest.mark.parametrize("faces", [None, CLAMPED, PLATES], ids=["ring", "clamped", "plates"])
@pytest.mark.parametrize("seed", [0, 1])
def test_coarse_levels_are_those_of_the_fine_grid(faces, seed, monkeypatch):
    """Galerkin: what a coarse level does is what the fine one does in its functions."""
    monkeypatch.setattr("microtwin.numerics.typed_levels.COARSEST", 1)
    options = {} if faces is None else {"held": faces, "periodic": (False,) * 3}
    fine = grid(seed, shape=(9, 6, 11), free=np.arange(6) < 2, **options)
    fine.prepare()
    rng = np.random.default_rng(seed)
    while fine.can_coarsen:
        coarse = fine.coarsen()
        u = rng.standard_normal(coarse.size).astype(np.float32)
        u[coarse.held] = 0.0
        u[-4:] = 0.0  # components that are held
        above, image = fine.zeros(), fine.zeros()
        fine._prolong(above, u)
        fine.image(image, above)
        below, expected = coarse.zeros(), coarse.zeros()
        fine._restrict(below, image)
        coarse.image(expected, u)
        np.testing.assert_allclose(below, expected, atol=1e-5 * np.abs(expected).max())
        fine = coarse
    assert max(fine.pieces.cells) == 1


def test_bodies_move_as_they_are_on_the_coarse_grid():
    """Two stiff bodies with a gap of one voxel: each may be turned by itself at no cost."""
    number = np.full((12, 12, 12), -1)
    number[2:10, 2:10, 1:5] = 0
    number[2:10, 2:10, 6:11] = 0
    operator = Hexahedra(number, [STIFF.stiffness], (1e-6,) * 3)
    operator.prepare()
    coarse = operator.coarsen()
    place = coarse.pieces.coordinates(coarse.owner >> 3)
    place += np.stack([coarse.owner >> 2 & 1, coarse.owner >> 1 & 1, coarse.owner & 1], axis=1)
    links = coarse.pieces.links
    body = np.arange(len(coarse.pieces.cell_of))
    for _ in range(20):
        for p, q, _axis in links:
            body[p] = body[q] = min(body[p], body[q])
    first = body[coarse.owner >> 3] == body[0]
    assert 0 < first.sum() < len(first)
    u = coarse.zeros()
    turn = np.stack([-place[:, 1], place[:, 0], 0 * place[:, 0]], axis=1) * first[:, None]
    u[:-6] = turn.ravel()
    image = coarse.zeros()
    coarse.image(image, u)
    assert coarse.dot(u, image) < 1e-6 * coarse.dot(u, u)


def spheres(n, seed=0):
    """Overlapping stiff spheres with soft shells where these overlap, in void."""
    rng = np.random.default_rng(seed)
    x = np.indices((n,) * 3) + 0.5
    nearest = np.full((n,) * 3, np.inf)
    for centre in rng.uniform(0, n, (40, 3)):
        away = np.abs(x - centre[:, None, None, None])
        away = np.minimum(away, n - away)
        nearest = np.minimum(nearest, np.sqrt((away**2).sum(axis=0)))
    return np.where(nearest < 0.16 * n, 0, np.where(nearest < 0.2 * n, 1, -1))


@pytest.mark.parametrize("contrast", [1e2, 1e4])
@pytest.mark.parametrize(
    "options",
    [
        {"free": np.ones(6, bool)},
        {"periodic": (False,) * 3, "held": CLAMPED},
        {"periodic": (False,) * 3, "held": PLATES, "free": np.arange(6) == 0},
    ],
    ids=["periodic", "clamped", "plates"],
)
def test_iterations_do_not_depend_on_the_size(contrast, options):
    counts = []
    for n in (16, 32, 48):
        number = spheres(n)
        soft = isotropic(100e9 / contrast, 0.35)
        operator = Hexahedra(number, [STIFF.stiffness, soft.stiffness], (1e-6,) * 3, **options)
        stress = np.zeros((6, n, n, n), np.float32)
        stress[:3, number == 0] = 1e9
        found = operator.solve(operator.eigenforces(stress)[0], np.zeros(6), 1e-6, stress=1e9)
        assert found.residual <= 1e-6
        counts.append(found.iterations)
    assert max(counts) <= (16 if contrast == 1e2 else 20), counts


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 10_000),
    st.tuples(*[st.integers(1, 9)] * 3),
    st.sampled_from([None, "clamped", "plates"]),
)
def test_forces_are_in_balance_whatever_the_image(seed, shape, faces):
    rng = np.random.default_rng(seed)
    number = rng.integers(-1, 2, shape)
    options = {"free": np.ones(6, bool)}
    if faces:
        options = {"held": CLAMPED if faces == "clamped" else PLATES, "periodic": (False,) * 3}
    operator = Hexahedra(number, [STIFF.stiffness, SOFT.stiffness], EDGES, **options)
    stress = rng.standard_normal((6, *shape)).astype(np.float32) * 1e8 * (number >= 0)
    load, _ = operator.eigenforces(stress)
    found = operator.solve(load, np.zeros(6), 1e-6, stress=float(np.abs(stress).max(initial=0)))
    strain = found.mean_strain
    left = load - operator._forces_of(found.displacement / operator.unit, strain)
    assert np.linalg.norm(left) <= 2e-6 * np.linalg.norm(load) + 1e-12


def test_the_fourier_inverse_finds_the_same():
    number = spheres(16)
    operator = Hexahedra(number, [STIFF.stiffness, SOFT.stiffness], EDGES, free=np.ones(6, bool))
    stress = np.zeros((6, 16, 16, 16), np.float32)
    stress[:3, number == 0] = 1e9
    load, _ = operator.eigenforces(stress)
    ours = operator.solve(load, np.zeros(6), 1e-7)
    other = operator.solve(load, np.zeros(6), 1e-7, inverse=UniformSolid(operator))
    np.testing.assert_allclose(ours.mean_strain, other.mean_strain, atol=1e-8)
    strains = operator.strains(ours), operator.strains(other)
    solid = number >= 0
    gap = np.abs(strains[0] - strains[1])[:, solid].max()
    assert gap < 1e-4 * np.abs(strains[0][:, solid]).max()
    assert ours.iterations < other.iterations / 5


def test_a_fourier_inverse_needs_a_ring():
    with pytest.raises(ValueError, match="periodic along all axes"):
        UniformSolid(grid(periodic=(False, True, True)))


def test_kinds_on_coarse_grids():
    """Specks that hang on one body go with it; those between two tie them; floating ones go."""
    number = np.full((10, 10, 20), -1)
    number[2:8, 2:8, 2:8] = 0
    number[2:8, 2:8, 10:16] = 0
    number[4, 4, 8:10] = 1  # a bridge
    number[8, 4, 4] = 1  # a speck on one body
    number[0, 0, 18] = 0  # alone
    operator = Hexahedra(number, [STIFF.stiffness, SOFT.stiffness], EDGES)
    kinds = kinds_of_voxels(operator.number, operator.stiffnesses)
    assert (kinds[4, 4, 8:10] == 1).all()
    assert kinds[8, 4, 4] == 2
    assert kinds[0, 0, 18] == 0
