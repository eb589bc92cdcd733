"""Coupled fields against an assembled block matrix."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import spsolve

from microtwin.numerics import (
    Bridges,
    GridOperator,
    Multigrid,
    NetworkOperator,
    PlaneField,
    Source,
    bridges,
    multigrid,
    solve,
    threads,
)
from microtwin.numerics.quarters import from_quarters
from numerics.reference import (
    GridProblem,
    OnGrid,
    colour,
    dense,
    make_problem,
    pair_matrix,
    relax,
)

ROUNDING = 5e-6  # as for one field, and the couplings


@dataclass(frozen=True)
class Network:
    operator: NetworkOperator
    fields: list[GridProblem]
    matrix: sp.csr_array
    bridges: Bridges

    @property
    def on_grid(self):
        return OnGrid(self.operator)

    def vector(self, n, dtype=np.float32):
        return np.stack([f.vector(10 * n + i, dtype) for i, f in enumerate(self.fields)])

    def right_hand_side(self, sources):
        pairs = zip(self.fields, sources, strict=True)
        total = np.stack([f.right_hand_side(s) for f, s in pairs])
        head, tail = ends_of(self.bridges, total.shape[1:])
        flow = self.bridges.conductance * np.array(sources[0].drive)[self.bridges.axis]
        np.add.at(total.reshape(-1), head, flow)
        np.subtract.at(total.reshape(-1), tail, flow)
        return total

    def layer_flux(self, u, drive=0.0):
        total = sum(f.layer_flux(part, drive) for f, part in zip(self.fields, u, strict=True))
        head, tail = ends_of(self.bridges, u.shape[1:])
        flow = self.bridges.conductance * (u.reshape(-1)[tail] - u.reshape(-1)[head] + drive)
        plane = self.bridges.voxel // int(np.prod(u.shape[2:]))
        along = self.bridges.axis == 0
        return total + np.bincount(plane[along], flow[along], len(total))

    def product(self, u):
        return (self.matrix @ u.astype(float).ravel()).reshape(u.shape)

    def magnitude(self, u):
        return float((abs(self.matrix) @ np.abs(u.astype(float)).ravel()).max())


def coupling_matrix(couplings, shape, count):
    size = int(np.prod(shape))
    index = np.arange(count * size).reshape(count, *shape)
    total = sp.csr_array((count * size, count * size))
    for (f, g), c in couplings.items():
        total = total + pair_matrix(c, index[f], index[g], count * size)
    return total


def make_network(
    shape, count=2, periodic=False, ends=True, mass=True, lowest=0.05, seed=0, bridged=True
):
    fields = [
        make_problem(shape, periodic=periodic, ends=ends, mass=mass, lowest=lowest, seed=seed + i)
        for i in range(count)
    ]
    rng = np.random.default_rng([seed, 99])
    couplings = {}
    for pair in combinations(range(count), 2):
        c = np.maximum(rng.uniform(-1, 1, shape), 0) * 10.0 ** rng.uniform(-2, 1)
        couplings[pair] = c.astype(np.float32)
    across = random_bridges(rng, shape, count, periodic) if bridged else Bridges.none()
    operator = NetworkOperator([f.operator for f in fields], couplings, across)
    grid = sp.block_diag([f.matrix for f in fields]).tocsr()
    matrix = grid + coupling_matrix(couplings, shape, count) + bridge_matrix(across, shape, count)
    return Network(operator, fields, matrix.tocsr(), across)


def random_bridges(rng, shape, count, periodic):
    """Return bridges at a tenth of the faces, some of them twice."""
    size = int(np.prod(shape))
    axis, voxel = rng.integers(0, 3, size // 3), rng.integers(0, size, size // 3)
    position = np.array(np.unravel_index(voxel, shape))
    last = position[axis, np.arange(len(axis))] == np.array(shape)[axis] - 1
    keep = np.full(len(axis), True) if periodic else ~last
    first, second = rng.integers(0, count, (2, len(axis)))
    keep &= (first != second) | (count == 1)
    g = rng.uniform(0.1, 3.0, len(axis)).astype(np.float32)
    return Bridges(*(part[keep] for part in (axis, voxel, first, second, g)))


def ends_of(bridges, shape):
    """Return the numbers of (field, voxel) at both ends of the bridges."""
    heads, tails = [], []
    for axis, voxel, f, g in zip(
        bridges.axis, bridges.voxel, bridges.first, bridges.second, strict=True
    ):
        place = list(np.unravel_index(voxel, shape))
        place[axis] = (place[axis] + 1) % shape[axis]
        size = int(np.prod(shape))
        heads.append(f * size + voxel)
        tails.append(g * size + np.ravel_multi_index(place, shape))
    return np.array(heads, int), np.array(tails, int)


def bridge_matrix(bridges, shape, count):
    return pair_matrix(bridges.conductance, *ends_of(bridges, shape), count * int(np.prod(shape)))


networks = st.builds(
    make_network,
    st.tuples(*[st.integers(2, 8)] * 3),
    count=st.sampled_from([1, 2, 3]),
    periodic=st.booleans(),
    ends=st.booleans(),
    mass=st.booleans(),
    lowest=st.sampled_from([0.0, 0.05]),
    seed=st.integers(0, 1000),
)


@given(networks)
def test_products(network):
    u, v = network.vector(0), network.vector(1)
    rhs = network.vector(2)
    own, cross, load = network.on_grid.products(u, v, rhs)
    size = abs(network.matrix) @ np.abs(u).ravel()
    scale = float(size @ np.maximum(np.abs(u), np.abs(v)).ravel())
    assert own == pytest.approx(np.vdot(u, network.product(u)), abs=ROUNDING * scale)
    assert cross == pytest.approx(np.vdot(v, network.product(u)), abs=ROUNDING * scale)
    scale = float(np.abs(u * rhs).sum())
    assert load == pytest.approx(np.vdot(u.astype(float), rhs), abs=ROUNDING * scale)


@given(networks, st.floats(-2, 2))
def test_subtract_product(network, factor):
    u, r = network.vector(0), network.vector(1)
    expected = r - factor * network.product(u)
    norm = network.on_grid.subtract_product(r, u, factor)
    tolerance = ROUNDING * (5 + 2 * network.magnitude(u))
    np.testing.assert_allclose(r, expected, rtol=0, atol=tolerance)
    assert norm == pytest.approx(np.vdot(r.astype(float), r.astype(float)), rel=1e-5)


def clusters(network):
    """Return the coarse operator and the matrix that gives every node the value of its cluster."""
    coarse = network.operator.coarsen()
    shape = network.operator.shape[1:]
    parent = np.stack([from_quarters(part, shape) for part in network.operator._parent]).ravel()
    inside = np.flatnonzero(parent)
    ones = np.ones(len(inside))
    return coarse, sp.csr_array((ones, (inside, parent[inside] - 1)), (parent.size, coarse.size))


@given(networks)
def test_restriction_sums_the_residual_over_clusters(network):
    u, rhs = network.vector(0), network.vector(1)
    operator, p = clusters(network)
    coarse = operator.zeros()
    network.on_grid.smooth_and_restrict(u, rhs, coarse)
    residual = rhs - network.product(u)
    tolerance = 8 * ROUNDING * (5 + network.magnitude(u))
    np.testing.assert_allclose(coarse, p.T @ residual.ravel(), rtol=0, atol=tolerance)


@given(networks)
def test_renew(network):
    x, y, r = network.vector(0), network.vector(1), network.vector(2)
    drive = (1.0, -0.5, 0.25)
    sources = [Source(PlaneField.dense(field), drive) for field in network.vector(4)]
    total = x.astype(float) + y
    norm, flux = network.on_grid.renew(r, x, y, sources)
    residual = network.right_hand_side(sources) - network.product(total)
    tolerance = ROUNDING * (20 + 2 * network.magnitude(total))
    np.testing.assert_allclose(r, residual, rtol=0, atol=tolerance)
    assert norm == pytest.approx(np.vdot(r.astype(float), r.astype(float)), rel=1e-5)
    layers = network.layer_flux(total, 1.0)
    np.testing.assert_allclose(flux[1:-1], layers[:-1], rtol=1e-6, atol=tolerance)


@pytest.mark.parametrize("periodic", [False, True])
def test_bridges_give_the_same_bits_on_any_number_of_threads(monkeypatch, periodic):
    def outcome(n):
        monkeypatch.setattr(bridges, "SHARE", 1)
        monkeypatch.setattr(bridges, "thread_count", lambda: n)
        network = make_network((7, 6, 8), 2, periodic)
        shares = network.operator._bridges._shares
        assert max(len(part) for part in shares) == n
        vectors = [network.operator.load(network.vector(i)) for i in range(5)]
        u, r, x, y, rhs = vectors
        coarse = network.operator.coarsen().zeros()
        network.operator.smooth_and_restrict(u, rhs, coarse)
        norm = network.operator.subtract_product(r, u, 0.7)
        source = [Source(PlaneField.dense(f), (1.0, 0.5, 0.0)) for f in network.vector(5)]
        renewed = network.operator.renew(rhs, x, y, network.operator.prepared(source))
        return [np.asarray(v).tobytes() for v in (u, coarse, r, norm, rhs, *renewed)]

    assert outcome(1) == outcome(2) == outcome(5)


@given(networks)
def test_split(network):
    x, y = network.vector(0), network.vector(1)
    total = x.astype(float) + y
    network.on_grid.split(x, y)
    np.testing.assert_array_equal(x, total.astype(np.float32))
    np.testing.assert_allclose(x.astype(float) + y, total, rtol=2.0**-47)


@given(networks, st.floats(-2, 2), st.floats(-2, 2))
def test_advance(network, alpha, beta):
    y, r, p, z = (network.vector(n) for n in range(4))
    direction = z.astype(float) + beta * p
    moved, rest = y + alpha * direction, r - alpha * network.product(direction)
    norm, flux, along = network.on_grid.advance(y, r, p, z, alpha, beta)
    np.testing.assert_allclose(y, moved, rtol=0, atol=1e-5)
    tolerance = ROUNDING * (20 + 4 * network.magnitude(direction))
    np.testing.assert_allclose(r, rest, rtol=0, atol=tolerance)
    assert norm == pytest.approx(np.vdot(r.astype(float), r.astype(float)), rel=1e-5)
    layers = network.layer_flux(direction)
    size = tolerance * r[0, 0].size
    np.testing.assert_allclose(flux[1:-1], alpha * layers[:-1], rtol=1e-5, atol=size)
    assert along == pytest.approx(
        np.vdot(p.astype(float), r), abs=ROUNDING * float(np.abs(p * r).sum())
    )


@given(networks)
def test_coupled_fields_conserve(network):
    """What leaves one field enters another: without ends and mass the columns add up to zero."""
    u = network.vector(0)
    r = np.zeros_like(u)
    network.on_grid.subtract_product(r, u, 1.0)
    losses = [f.ends + f.mass for f in network.fields]
    sinks = float((np.stack(losses) * u).sum())
    scale = ROUNDING * (1 + network.magnitude(u)) * np.sqrt(u.size)
    assert -float(r.sum(dtype=float)) == pytest.approx(sinks, abs=scale)


@settings(max_examples=30)
@given(
    st.tuples(*[st.integers(2, 8)] * 3),
    st.sampled_from([2, 3]),
    st.integers(0, 100),
)
def test_smoothing_is_block_gauss_seidel(shape, count, seed):
    """Colour by colour, within a colour pair of fields after pair; in reverse afterwards."""
    network = make_network(shape, count, seed=seed)
    board, fields = colour(shape), np.arange(count)[:, None, None, None]
    pairs = list(combinations(range(count), 2)) or [(0,)]
    sequence = [(c, pair) for c in (0, 1) for pair in pairs] * 2

    def relaxed(u, rhs, steps):
        for c, pair in steps:
            if len(pair) == 1:
                u = relax(network.matrix, u, rhs, (board == c) & (fields == pair[0]))
                continue
            f, g = pair
            diagonal = network.matrix.diagonal().reshape(u.shape)
            coupling = network.operator.couplings[pair].astype(float)
            residual = rhs - network.product(u)
            change = np.linalg.solve(
                np.stack(
                    [
                        np.stack([diagonal[f], -coupling], -1),
                        np.stack([-coupling, diagonal[g]], -1),
                    ],
                    -2,
                ),
                np.stack([residual[f], residual[g]], -1)[..., None],
            )[..., 0]
            u = u.copy()
            u[f] += np.where(board == c, change[..., 0], 0.0)
            u[g] += np.where(board == c, change[..., 1], 0.0)
        return u

    rhs = network.vector(0)
    u = np.full(rhs.shape, np.nan, np.float32)
    coarse_operator, p = clusters(network)
    network.on_grid.smooth_and_restrict(u, rhs, coarse_operator.zeros())
    expected = relaxed(np.zeros(rhs.shape), rhs, sequence)
    np.testing.assert_allclose(u, expected, rtol=0, atol=2e-5 * np.abs(expected).max())

    rng = np.random.default_rng(seed)
    coarse = rng.standard_normal(coarse_operator.size).astype(np.float32)
    corrected = u + (p @ coarse).reshape(u.shape)
    expected = relaxed(corrected, rhs, sequence[::-1])
    _, _, product = network.on_grid.prolong_and_smooth(u, coarse, rhs, u)
    np.testing.assert_allclose(u, expected, rtol=0, atol=2e-5 * np.abs(expected).max())
    scale = float(np.abs(u * rhs).sum())
    assert product == pytest.approx(np.vdot(u.astype(float), rhs), abs=1e-5 * scale)


@given(networks)
def test_coarse_graph_is_galerkin_with_halved_faces(network):
    coarse, p = clusters(network)
    if not coarse.size:
        return
    fields = sp.block_diag(
        [0.5 * (f.links + sp.diags_array(f.ends.ravel())) for f in network.fields]
    )
    rest = sp.block_diag([f.links + sp.diags_array(f.ends.ravel()) for f in network.fields])
    across = bridge_matrix(network.bridges, network.operator.shape[1:], len(network.fields))
    expected = p.T @ (network.matrix - rest - across + fields + 0.5 * across) @ p
    indptr, index, g, diagonal = coarse._op
    links = sp.csr_array((g, index, indptr), (coarse.size, coarse.size))
    matrix = sp.diags_array(diagonal.astype(float)) - links
    scale = abs(network.matrix).max()
    assert abs(matrix - expected).max() <= 2e-5 * scale


@pytest.mark.parametrize(("coupling", "nodes"), [(0.01, 54), (1.0, 54), (1e6, 27)])
def test_fields_are_merged_only_where_their_coupling_ties_them_together(coupling, nodes):
    shape = (6, 6, 6)
    ends = PlaneField.outer(*np.ones((2, 6, 6)), 6)
    fields = [GridOperator(closed_box(shape, 1), ends=ends) for _ in range(2)]
    network = NetworkOperator(fields, {(0, 1): np.full(shape, coupling, np.float32)})
    assert network.coarsen().size == nodes


@settings(max_examples=40)
@given(
    st.tuples(*[st.integers(3, 9)] * 3),
    st.sampled_from([2, 3]),
    st.booleans(),
    st.integers(0, 1000),
    st.sampled_from([30, 3000]),
)
def test_solution_is_that_of_sparse_elimination(shape, count, periodic, seed, direct_size):
    network = make_network(shape, count, periodic, seed=seed)
    drive = (0.5, 1.0, -1.0)
    sources = [Source(PlaneField.dense(field), drive) for field in network.vector(0)]
    rhs = network.right_hand_side(sources)
    expected = spsolve(network.matrix.tocsc(), rhs.ravel()).reshape(count, *shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multigrid, "DIRECT_SIZE", direct_size)
        solution = solve(network.operator, sources, rtol=1e-6)
    assert np.abs(solution.x - expected).max() <= 1e-4 * np.abs(expected).max()
    flux = network.operator.mean_flux(solution.x, sources)
    parts = [f.operator.mean_flux(solution.x[n], sources[n]) for n, f in enumerate(network.fields)]
    head, tail = ends_of(network.bridges, shape)
    rise = solution.x.reshape(-1)[tail] - solution.x.reshape(-1)[head]
    flow = network.bridges.conductance * (rise + np.array(drive)[network.bridges.axis])
    across = np.bincount(network.bridges.axis, flow, 3) / np.prod(shape)
    across[0] *= shape[0] / (shape[0] - 1)
    np.testing.assert_allclose(flux, np.sum(parts, axis=0) + across)


def closed_box(shape, conductance):
    faces = tuple(np.full(shape, conductance, np.float32) for _ in range(3))
    for axis in range(3):
        faces[axis][(slice(None),) * axis + (-1,)] = 0
    return faces


@pytest.mark.parametrize("coupling", [1e-4, 1e-2, 1.0, 1e3])
def test_porous_electrode_profile(coupling):
    """Two parallel conductors that exchange current, fixed at opposite ends.

    With s and k the conductances of the two and c the coupling, all per voxel, the difference of
    the fields obeys d'' = c (1/s + 1/k) d, and the resistance of a length L is (Newman and
    Tobias, J. Electrochem. Soc. 109 (1962) 1183, linear kinetics)

        R = L / (s + k) * (1 + (2 + (s/k + k/s) cosh(nu)) / (nu sinh(nu))),
        nu = L sqrt(c (1/s + 1/k)).

    The grid is second order in nu / n, which is small here but for the largest coupling, where
    both fields merge except within less than a voxel from the ends.
    """
    n, s, k = 64, 3.0, 1.0
    shape = (n, 4, 5)
    c = coupling / 4
    nu = n * np.sqrt(c * (1 / s + 1 / k))
    ones, none = np.ones((4, 5)), np.zeros((4, 5))
    solid = GridOperator(closed_box(shape, s), ends=PlaneField.outer(none, 2 * s * ones, n))
    liquid = GridOperator(closed_box(shape, k), ends=PlaneField.outer(2 * k * ones, none, n))
    network = NetworkOperator([solid, liquid], {(0, 1): np.full(shape, c, np.float32)})
    sources = [
        Source(PlaneField.outer(none, 2 * s * ones, n)),  # potential 1 at the high end
        Source(PlaneField.zeros(shape)),
    ]
    solution = solve(network, sources, rtol=1e-7, flux_tol=1e-5)
    assert solution.iterations <= (12 if coupling <= 1.0 else 20)
    expected = 20 / (
        n / (s + k) * (1 + (2 + (s / k + k / s) * np.cosh(nu)) / (nu * np.sinh(nu)))
        if nu < 300
        else n / (s + k) * (1 + (s / k + k / s) / nu)
    )
    limit = 2e-3 if coupling <= 1e-2 else 0.03
    assert solution.flux.mean() == pytest.approx(expected, rel=limit)


@pytest.mark.parametrize("coupling", [1e-2, 1.0, 1e2, 1e4])
def test_coupling_of_any_strength_takes_few_iterations(coupling):
    """Phases of nearly equal conductivity are coupled far more strongly than voxels are."""
    shape = (48, 48, 48)
    ones, none = np.ones((48, 48)), np.zeros((48, 48))
    first = GridOperator(closed_box(shape, 3), ends=PlaneField.outer(none, 6 * ones, 48))
    second = GridOperator(closed_box(shape, 1), ends=PlaneField.outer(2 * ones, none, 48))
    network = NetworkOperator([first, second], {(0, 1): np.full(shape, coupling, np.float32)})
    sources = [Source(PlaneField.outer(none, 6 * ones, 48)), Source(PlaneField.zeros(shape))]
    tolerances = {"rtol": 1e-6, "flux_tol": 1e-4, "max_iterations": 40}
    assert solve(network, sources, **tolerances).iterations <= 15


def test_results_do_not_depend_on_the_number_of_slabs(monkeypatch):
    monkeypatch.setattr(threads, "SERIAL_SIZE", 0)
    monkeypatch.setattr(multigrid, "DIRECT_SIZE", 500)
    results = []
    for n in (1, 2, 3):
        monkeypatch.setattr(threads, "thread_count", lambda n=n: n)
        network = make_network((37, 9, 8), 2, periodic=True, seed=4)
        source = [Source(PlaneField.dense(field)) for field in network.vector(0)]
        solution = solve(network.operator, source)
        results.append((solution.x.tobytes(), solution.residual_history))
    assert results[0] == results[1] == results[2]


def test_one_field_without_couplings_is_the_grid_operator():
    problem = make_problem((12, 11, 10), lowest=0.05)
    network = NetworkOperator([problem.operator], {})
    field = PlaneField.dense(problem.vector(0))
    single = solve(problem.operator, Source(field))
    coupled = solve(network, [Source(field)])
    np.testing.assert_allclose(coupled.x[0], single.x, atol=1e-6 * np.abs(single.x).max())
    assert dense(field).shape == coupled.x[0].shape


@pytest.mark.parametrize("empty", [False, True])
def test_islands_without_any_way_out_are_solved(empty, monkeypatch):
    """Every island lies in one block: the coarse level has no unknowns at all."""
    monkeypatch.setattr(multigrid, "DIRECT_SIZE", 20)
    shape = (6, 6, 6)
    faces = tuple(np.zeros(shape, np.float32) for _ in range(3))
    if not empty:
        faces[0][::2] = 1
    operator = NetworkOperator([GridOperator(faces)], {})
    source = Source(PlaneField.zeros(shape), (1.0, 0.0, 0.0))
    solution = solve(operator, [source])
    # The step of the affine potential is undone in every pair.
    np.testing.assert_allclose(np.diff(solution.x[0], axis=0)[::2], 0 if empty else -1, atol=1e-5)


def test_thin_images_are_coarsened():
    shape = (2, 60, 60)
    operator = NetworkOperator([GridOperator(closed_box(shape, 1))], {})
    sizes = [op.size for op in Multigrid(operator).operators]
    assert sizes[0] == 7200
    assert sizes[-1] <= 1000
