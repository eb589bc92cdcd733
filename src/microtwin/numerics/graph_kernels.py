"""Compiled kernels of the operator on a graph.

The operator is ``(A u)[i] = sum over the links of g (u[i] - u[neighbour]) + loss[i] u[i]``. The
links of node i are ``index[indptr[i] : indptr[i + 1]]`` with the conductances in ``g``; `diagonal`
is the sum of the latter and the loss. The tuple ``(indptr, index, g, diagonal)`` is called `op`.

Every kernel treats the nodes (or groups, or planes) from `first` up to `end`, see `kernels`.
"""

from __future__ import annotations

import numpy as np
from numba import float32 as f4
from numba import float64 as f8
from numba import njit

from microtwin.numerics.compiling import ALLOCATING, FAST, INNER

TINY = np.float32(1e-30)  # turns 0/0 of a node without links into 0
DOMINANT = 5  # times the links within its kind: a link between kinds that ties its nodes together
GROUP = 4096  # nodes whose contributions to a sum are added up together


@njit(**INNER)
def _inflow(u, op, i):
    indptr, index, g, _ = op
    total = f4(0)
    for p in range(indptr[i], indptr[i + 1]):
        total += g[p] * u[index[p]]
    return total


@njit(**FAST)
def relax(first, end, u, rhs, op, backward):
    """Solve the equation of one node after the other, the last one first if `backward`."""
    for q in range(end - first):
        i = end - 1 - q if backward else first + q
        u[i] = (rhs[i] + _inflow(u, op, i)) / max(op[3][i], TINY)


@njit(**FAST)
def restrict_residual(first, end, coarse, u, rhs, op, starts, members):
    """Set the coarse vector to the sum of rhs - A u over the members of each coarse node."""
    for node in range(first, end):
        total = f4(0)
        for m in range(starts[node], starts[node + 1]):
            i = members[m]
            total += rhs[i] - op[3][i] * u[i] + _inflow(u, op, i)
        coarse[node] = total


@njit(**FAST)
def prolong(first, end, u, coarse, parent):
    """Add the value of its coarse node, if it has one, to every node."""
    for i in range(first, end):
        if parent[i] >= 0:
            u[i] += coarse[parent[i]]


@njit(**FAST)
def products(first, end, u, v, rhs, op, loss, sums):
    """Leave the parts of u.A u, u.A v and u.rhs of each group of nodes in sums, shape (m, 3)."""
    indptr, index, g, _ = op
    for group in range(first, end):
        own, cross, load = 0.0, 0.0, 0.0
        for i in range(group * GROUP, min((group + 1) * GROUP, u.shape[0])):
            a, b = f4(0), f4(0)
            for p in range(indptr[i], indptr[i + 1]):
                j = index[p]
                flow = g[p] * (u[i] - u[j])
                a += flow * (u[i] - u[j])
                b += flow * (v[i] - v[j])
            # Every link is met from both its ends.
            own += f8(f4(0.5) * a + loss[i] * u[i] * u[i])
            cross += f8(f4(0.5) * b + loss[i] * u[i] * v[i])
            load += f8(u[i] * rhs[i])
        sums[group, 0], sums[group, 1], sums[group, 2] = own, cross, load


@njit(**FAST)
def subtract_product(first, end, r, u, factor, op, sums):
    """Subtract factor (A u) from r and leave the square norm of each group of r in sums."""
    for group in range(first, end):
        total = 0.0
        for i in range(group * GROUP, min((group + 1) * GROUP, u.shape[0])):
            r[i] -= factor * (op[3][i] * u[i] - _inflow(u, op, i))
            total += f8(r[i] * r[i])
        sums[group] = total


@njit(**FAST)
def collect(first, end, coarse, r, parent):
    """Add r, on the planes of a grid, to the coarse nodes; `parent` counts from 1, 0 is none.

    The voxels of a coarse node lie in one pair of planes, which no slab may cut.
    """
    for k in range(first, end):
        for q in range(r.shape[1]):
            if parent[k, q] > 0:
                coarse[parent[k, q] - 1] += r[k, q]


@njit(**FAST)
def distribute(first, end, u, coarse, parent):
    """Add the value of its coarse node to every voxel, see `collect`."""
    for k in range(first, end):
        for q in range(u.shape[1]):
            if parent[k, q] > 0:
                u[k, q] += coarse[parent[k, q] - 1]


@njit(**ALLOCATING)
def linked(n, head, tail, conductance, indptr, index, g):
    """Turn a list of links into rows: indptr, shape (n + 1,), and both directions of each link."""
    for e in range(head.shape[0]):
        indptr[head[e] + 1] += 1
        indptr[tail[e] + 1] += 1
    for i in range(n):
        indptr[i + 1] += indptr[i]
    position = indptr[:-1].copy()
    for e in range(head.shape[0]):
        for i, j in ((head[e], tail[e]), (tail[e], head[e])):
            index[position[i]] = j
            g[position[i]] = conductance[e]
            position[i] += 1


@njit(**INNER)
def _root(group, i):
    while group[i] != i:
        group[i] = group[group[i]]
        i = group[i]
    return i


@njit(**ALLOCATING)
def clustered(indptr, index, g, block, kind, strength):
    """Return a representative for each node: those with the same one form a cluster.

    Nodes of one block and kind whose link is strong for both of them, measured by the strongest
    link of each within its kind, belong together; nodes of different kinds do if their link is
    many times stronger than those: then they have the same value. A node that is still alone
    joins the neighbour in its block and kind to which its link is strongest, if it is strong for
    the node itself, or without neighbours of its kind anywhere a neighbour of another kind.
    """
    n = block.shape[0]
    group = np.arange(n)
    strongest = np.zeros(n, np.float32)
    for i in range(n):
        for p in range(indptr[i], indptr[i + 1]):
            if kind[index[p]] == kind[i]:
                strongest[i] = max(strongest[i], g[p])
    for i in range(n):
        for p in range(indptr[i], indptr[i + 1]):
            j = index[p]
            least = max(strongest[i], strongest[j]) * (
                strength if kind[i] == kind[j] else f4(DOMINANT)
            )
            if j > i and block[i] == block[j] and g[p] >= least:
                a, b = _root(group, i), _root(group, j)
                group[max(a, b)] = min(a, b)
    size = np.zeros(n, np.int64)
    for i in range(n):
        size[_root(group, i)] += 1
    for i in range(n):
        if size[_root(group, i)] > 1:
            continue
        lonely = strongest[i] == 0
        best, most = -1, strength * strongest[i]
        for p in range(indptr[i], indptr[i + 1]):
            j = index[p]
            if (
                block[j] == block[i]
                and g[p] >= most
                and g[p] > 0
                and (lonely or kind[j] == kind[i])
            ):
                best, most = j, g[p]
        if best >= 0:
            a, b = _root(group, i), _root(group, best)
            group[max(a, b)] = min(a, b)
            size[min(a, b)] += size[max(a, b)]
            if lonely:
                kind[i] = kind[best]
    for i in range(n):
        group[i] = _root(group, i)
    return group


@njit(**FAST)
def mark_linked(indptr, index, cluster, marked):
    """Set the marks of the clusters that have a link to another one."""
    for i in range(indptr.shape[0] - 1):
        for p in range(indptr[i], indptr[i + 1]):
            if cluster[index[p]] != cluster[i]:
                marked[cluster[i]] = True


@njit(**ALLOCATING)
def merged(indptr, index, g, block, parent, starts, members):
    """Return the rows of the coarse graph: the links between different clusters.

    Those between two blocks are halved, as their distance doubles (`GridOperator.coarsen`).
    """
    count = starts.shape[0] - 1
    rows = np.zeros(count + 1, np.int64)
    columns, values = np.empty(index.shape[0], np.int32), np.empty(index.shape[0], np.float32)
    place = np.full(count, -1)
    end = 0
    for node in range(count):
        begin = end
        for m in range(starts[node], starts[node + 1]):
            i = members[m]
            for p in range(indptr[i], indptr[i + 1]):
                other = parent[index[p]]
                if other < 0 or other == node:
                    continue
                if place[other] < begin:
                    place[other] = end
                    columns[end], values[end] = other, f4(0)
                    end += 1
                same = block[i] == block[index[p]]
                values[place[other]] += g[p] if same else f4(0.5) * g[p]
        rows[node + 1] = end
    return rows, columns[:end].copy(), values[:end].copy()
