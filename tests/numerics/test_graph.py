"""Coarse levels of clusters against sparse matrices that are assembled entry by entry."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from microtwin.numerics import graph as graph_module
from microtwin.numerics.graph import GraphOperator, coarsened, graph_of_links

ROUNDING = 1e-5


def random_graph(shape, nodes_per_block, periodic, seed, kinds=1, contrast=1e3):
    """Return a random graph whose links lead to the same block or to one beside it."""
    rng = np.random.default_rng(seed)
    count = int(np.prod(shape))
    block = np.sort(rng.integers(0, count, nodes_per_block * count))
    position = np.array(np.unravel_index(block, shape))
    first, second = np.triu_indices(len(block), 1)
    step = np.abs(position[:, first] - position[:, second])
    if periodic:
        step = np.minimum(step, np.array(shape)[:, None] - step)
    near = (step.sum(0) <= 1) & (rng.random(len(first)) < 0.3)
    i, j = first[near].astype(np.int32), second[near].astype(np.int32)
    g = (contrast ** rng.uniform(-1, 0, len(i))).astype(np.float32)
    ends = (rng.random(len(block)) * (rng.random(len(block)) < 0.1)).astype(np.float32)
    mass = (0.01 * rng.random(len(block))).astype(np.float32)
    kind = rng.integers(0, kinds, len(block)).astype(np.int8)
    return graph_of_links(shape, block, kind, (i, j, g), ends, mass)


def matrix_of(graph):
    n = len(graph.block)
    links = sp.csr_array((graph.g.astype(float), graph.index, graph.indptr), (n, n))
    loss = graph.ends.astype(float) + graph.mass
    return (sp.diags_array(np.asarray(links.sum(1)).ravel() + loss) - links).tocsr()


graphs = st.builds(
    random_graph,
    st.tuples(*[st.integers(1, 4)] * 3),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 1000),
    st.integers(1, 3),
)


@given(graphs)
def test_links_are_stored_from_both_ends(graph):
    matrix = matrix_of(graph)
    assert abs(matrix - matrix.T).max() == 0
    assert np.diff(graph.indptr).min(initial=0) >= 0


@given(graphs, st.sampled_from([0.0, 0.1, 0.25, 1.0]))
def test_coarse_graph_is_galerkin_with_halved_links(graph, strength):
    coarse, parent, starts = coarsened(graph, strength)
    inside = np.flatnonzero(parent >= 0)
    n = len(coarse.block)
    if not n:
        return
    p = sp.csr_array((np.ones(len(inside)), (inside, parent[inside])), (len(parent), n))
    loss = sp.diags_array(0.5 * graph.ends.astype(float) + graph.mass)
    owner = np.repeat(np.arange(len(parent)), np.diff(graph.indptr))
    halved = np.where(graph.block[owner] == graph.block[graph.index], 1.0, 0.5) * graph.g
    links = sp.csr_array((halved, graph.index, graph.indptr), (len(parent), len(parent)))
    expected = p.T @ (sp.diags_array(links.sum(axis=1)) - links + loss) @ p
    assert abs(matrix_of(coarse) - expected).max() <= ROUNDING * max(1.0, abs(expected).max())
    assert starts[0] == 0
    assert starts[-1] == n


@given(graphs, st.sampled_from([0.1, 0.25]))
def test_clusters_stay_within_blocks_and_are_connected_by_strong_links(graph, strength):
    coarse, parent, _ = coarsened(graph, strength)
    position = np.array(np.unravel_index(graph.block, graph.shape)) // 2
    block = np.ravel_multi_index(tuple(position), coarse.shape)
    inside = parent >= 0
    np.testing.assert_array_equal(coarse.block[parent[inside]], block[inside])
    strongest = np.zeros(len(block))
    owner = np.repeat(np.arange(len(block)), np.diff(graph.indptr))
    alike = graph.kind[owner] == graph.kind[graph.index]
    np.maximum.at(strongest, owner[alike], graph.g[alike])
    together = block[owner] == block[graph.index]
    strong = graph.g >= strength * np.maximum(strongest[owner], strongest[graph.index])
    chosen = together & strong & inside[owner] & alike
    # What a strong link joins is one cluster.
    np.testing.assert_array_equal(parent[owner[chosen]], parent[graph.index[chosen]])
    # Every cluster is connected by links that are strong for one of their ends, or lead to
    # another kind.
    weakly = together & (~alike | (graph.g >= strength * strongest[owner] * (1 - 1e-6)))
    n = len(block)
    links = sp.csr_array((np.ones(weakly.sum()), (owner[weakly], graph.index[weakly])), (n, n))
    _, component = sp.csgraph.connected_components(links, directed=False)
    for cluster in range(len(coarse.block)):
        assert len(np.unique(component[parent == cluster])) == 1


def test_two_sides_of_a_wall_stay_apart():
    """Four nodes in one block: two good conductors, each of two nodes, linked poorly."""
    i, j = np.array([0, 2, 1], np.int32), np.array([1, 3, 2], np.int32)
    g = np.array([1.0, 1.0, 0.01], np.float32)
    ends = np.array([1.0, 0, 0, 1.0], np.float32)
    graph = graph_of_links(
        (1, 1, 1), np.zeros(4, np.int64), np.zeros(4, np.int8), (i, j, g), ends, 0 * ends
    )
    coarse, parent, _ = coarsened(graph, 0.25)
    assert parent[0] == parent[1] != parent[2] == parent[3]
    np.testing.assert_allclose(coarse.g, 0.01)


def test_clusters_without_links_outside_have_no_unknown():
    i, j, g = np.array([0], np.int32), np.array([1], np.int32), np.ones(1, np.float32)
    zero = np.zeros(2, np.float32)
    graph = graph_of_links((1, 1, 2), np.arange(2), np.zeros(2, np.int8), (i, j, g), zero, zero)
    coarse, parent, _ = coarsened(graph, 0.25)
    assert len(coarse.block) == 0
    np.testing.assert_array_equal(parent, -1)


def colour_sorted(graph):
    """Return a coarse operator with several nodes per block, and its matrix."""
    coarse, _, colours = coarsened(graph, 0.25)
    return GraphOperator(coarse, colours), matrix_of(coarse)


big_graphs = st.builds(
    random_graph,
    st.tuples(*[st.integers(3, 6)] * 3),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 1000),
    st.integers(1, 3),
)


@settings(max_examples=30)
@given(big_graphs, st.integers(0, 100))
def test_kernels_are_products_with_the_matrix(graph, seed):
    op, matrix = colour_sorted(graph)
    rng = np.random.default_rng(seed)
    u, v, rhs = rng.standard_normal((3, op.size)).astype(np.float32)
    scale = float((abs(matrix) @ np.abs(u)).sum() + np.abs(rhs).sum())
    size = float(max(1.0, np.abs(u).max(initial=0), np.abs(v).max(initial=0)))
    own, cross, load = op.products(u, v, rhs)
    assert own == pytest.approx(u @ (matrix @ u), abs=ROUNDING * scale * size)
    assert cross == pytest.approx(v @ (matrix @ u), abs=ROUNDING * scale * size)
    assert load == pytest.approx(u.astype(float) @ rhs, abs=ROUNDING * scale * size)
    r = rhs.copy()
    norm = op.subtract_product(r, u, 0.7)
    np.testing.assert_allclose(r, rhs - 0.7 * (matrix @ u), rtol=0, atol=ROUNDING * scale)
    assert norm == pytest.approx(np.vdot(r, r), rel=1e-4)


@settings(max_examples=30)
@given(big_graphs, st.integers(0, 100))
def test_nodes_of_one_colour_are_linked_within_their_block_only(graph, seed):
    coarse, _, starts = coarsened(graph, 0.25)
    colour = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    owner = np.repeat(np.arange(len(coarse.block)), np.diff(coarse.indptr))
    same = coarse.block[owner] == coarse.block[coarse.index]
    assert np.all(same | (colour[owner] != colour[coarse.index]))


@settings(max_examples=30)
@given(big_graphs, st.integers(0, 100))
def test_smoothing_restriction_and_prolongation(graph, seed):
    op, matrix = colour_sorted(graph)
    if not op.size:
        return
    coarser = op.coarsen()
    rhs = np.random.default_rng(seed).standard_normal(op.size).astype(np.float32)
    u, restricted = op.zeros(), coarser.zeros()
    op.smooth_and_restrict(u, rhs, restricted)
    lower = sp.csc_array(sp.tril(matrix))
    expected = sp.linalg.spsolve_triangular(lower.tocsr(), rhs.astype(float), lower=True)
    size = np.abs(expected).max()
    np.testing.assert_allclose(u, expected, rtol=0, atol=1e-4 * size)
    parent = op._parent
    residual = rhs - matrix @ u
    sums = np.bincount(parent[parent >= 0], residual[parent >= 0], coarser.size)
    scale = float((abs(matrix) @ np.abs(u)).max()) + 5
    np.testing.assert_allclose(restricted, sums, rtol=0, atol=ROUNDING * 8 * scale)
    correction = np.random.default_rng(seed + 1).standard_normal(coarser.size).astype(np.float32)
    raised = u.astype(float)
    raised[parent >= 0] += correction[parent[parent >= 0]]
    after = raised + sp.linalg.spsolve_triangular(
        sp.csr_array(sp.triu(matrix)), rhs - matrix @ raised, lower=False
    )
    op.prolong_and_smooth(u, correction, rhs, u)
    np.testing.assert_allclose(u, after, rtol=0, atol=1e-4 * np.abs(after).max())


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(graph_module, "SHARE", 1)
    graph = random_graph((5, 6, 7), 3, True, 5)
    coarse, _, colours = coarsened(graph, 0.25)
    rhs = np.random.default_rng(0).standard_normal(len(coarse.block)).astype(np.float32)

    def results(n):
        monkeypatch.setattr(graph_module, "thread_count", lambda: n)
        op = GraphOperator(coarse, colours)
        assert max(map(len, op._colours)) == n
        coarser, u, r = op.coarsen().zeros(), op.zeros(), rhs.copy()
        op.smooth_and_restrict(u, rhs, coarser)
        sums = op.prolong_and_smooth(u, coarser, rhs, rhs)
        return [coarser.tobytes(), u.tobytes(), sums, op.subtract_product(r, u, 0.3), r.tobytes()]

    assert results(1) == results(2) == results(3)


def test_isolated_nodes_with_mass_are_left_to_relaxation():
    none = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    ones = np.ones(8, np.float32)
    graph = graph_of_links((2, 2, 2), np.arange(8), np.zeros(8, np.int8), none, 0 * ones, ones)
    coarse, parent, _ = coarsened(graph, 0.25)
    assert len(coarse.block) == 0
    np.testing.assert_array_equal(parent, -1)
