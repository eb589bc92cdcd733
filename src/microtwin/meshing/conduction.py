"""Steady diffusion or conduction on a mesh, by finite elements.

In each phase div(k grad u) = 0. Phases are in perfect contact unless a resistance r lies between
them: then the flux across is (u_1 - u_2) / r, which is also linear reaction kinetics at an
interface. Potentials are given on faces of the box, nothing flows through its other faces. The weak
form is: for all v that vanish where potentials are given,

    sum over phases of  int k grad u . grad v dV  +  sum over pairs of  int [u] [v] / r dA  =  0.

Elements of order 1 or 2 (NGSolve); conjugate gradients with smoothed aggregation multigrid (PyAMG).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix
from scipy.sparse.csgraph import connected_components

from ..checking import is_number
from ..microstructure import Direction, axis_index
from ..numerics import ConvergenceError
from .tetrahedra import BOX_FACES, TetrahedralMesh

if TYPE_CHECKING:
    from .ngsolve_bridge import Assembled

__all__ = ["ConductionResult", "conduction", "effective_conductivity"]

ITERATIONS = 300


@dataclass(frozen=True, eq=False)
class ConductionResult:
    """Steady conduction through a mesh.

    Attributes
    ----------
    potentials : mapping of str to ndarray, shape (n,)
        By phase, at the vertices of the mesh; NaN where the phase is not, or is cut off from the
        faces with given potentials.
    flux : ndarray, shape (m, 3)
        -k grad u in each tetrahedron along (z, y, x), from the potentials at its vertices.
    currents : mapping of str to float
        Flow into the body through each face of the box with a given potential, in the unit of
        k u times m. What enters along an edge that two such faces share counts for the first.
    interface_flux : mapping of (str, str) to ndarray
        Over each resistance, by its two phases in either order: flux density from the first to the
        second on the facets between them, those of ``mesh.facets`` with this pair, in their order;
        in the unit of k u over m.
    driven : bool
        Whether some part joins faces with different potentials; if not, nothing flows.
    dissipation : float
        Integral of k grad u . grad u over the phases, and of the square of jumps over r.
    iterations : int
    residual : float
        Norm of the residual over that of the right-hand side.
    unknowns : int
    """

    potentials: Mapping[str, NDArray[np.float64]] = field(repr=False)
    flux: NDArray[np.float64] = field(repr=False)
    currents: Mapping[str, float]
    interface_flux: Mapping[tuple[str, str], NDArray[np.float64]] = field(repr=False)
    driven: bool
    dissipation: float
    iterations: int
    residual: float
    unknowns: int


def conduction(
    mesh: TetrahedralMesh,
    conductivities: Mapping[str, float],
    potentials: Mapping[str, float | Mapping[str, float]],
    resistances: Mapping[tuple[str, str], float] | None = None,
    order: int = 1,
    tol: float = 1e-8,
) -> ConductionResult:
    """Solve for the potential in a mesh.

    Parameters
    ----------
    mesh : TetrahedralMesh
    conductivities : mapping of str to float
        Conductivity or diffusivity of each phase, in any unit; phases left out, or with 0, do not
        conduct.
    potentials : mapping of str to float, or to mapping of str to float
        Potential on faces of the box, by name (`BOX_FACES`): of all phases there, or by phase. On
        an edge of the box that two of them share, the last one given holds.
    resistances : mapping of (str, str) to float, optional
        Between two phases, the difference of potential over the flux density: in the unit of
        length (m) over conductivity.
    order : {1, 2}
        Of the elements.
    tol : float
        Residual over right-hand side at which to stop.

    Returns
    -------
    ConductionResult

    Raises
    ------
    ValueError
        If a name is not known, a number is not allowed, or no potential is given anywhere.
    ConvergenceError
        If the residual is more than ten times `tol` in the end.
    ImportError
        If NGSolve or PyAMG is not installed.
    """
    from .ngsolve_bridge import assemble_conduction

    conducting = _checked_conductivities(mesh, conductivities)
    given = _checked_potentials(conducting, potentials)
    contacts = _checked_resistances(mesh, conducting, {} if resistances is None else resistances)
    if not is_number(tol) or not 0 < tol < 1:
        raise ValueError(f"tol {tol!r} is not allowed; give a number between 0 and 1, such as 1e-8")
    if order not in (1, 2):
        raise ValueError(f"order {order!r} is not allowed; elements have order 1 or 2")
    groups = _groups(mesh, conducting, contacts)
    touching = {pair: r for pair, r in contacts.items() if mesh.interface_areas[pair] > 0}
    parts = assemble_conduction(mesh, conducting, groups, touching, order)
    known = _known_values(mesh, parts, groups, given)
    matrix = parts.matrix
    at_vertices = np.zeros(len(known), bool)
    for start in parts.starts[:-1]:
        at_vertices[start : start + len(mesh.points)] = True
    driven, values, iterations, residual = _solve(matrix, known, at_vertices, tol)
    flow = matrix @ np.nan_to_num(values)
    found = {}
    for number, group in enumerate(groups):
        first = parts.starts[number]
        found_there = values[first : first + len(mesh.points)]
        for name in group:
            potential = np.full(len(mesh.points), np.nan)
            used = np.unique(mesh.cells[mesh.phase == mesh.number(name)])
            potential[used] = found_there[used]
            found[name] = potential
    currents = {}
    counted = np.zeros(parts.starts[-1], bool)
    for face in given:
        currents[face] = 0.0
        for start, own in zip(parts.starts[:-1], parts.on_face, strict=True):
            # The test function 1 has no part in the unknowns of edges.
            here = start + np.flatnonzero(own[face][: len(mesh.points)])
            here = here[np.isfinite(known[here]) & ~counted[here]]
            counted[here] = True
            currents[face] += float(flow[here].sum())
    return ConductionResult(
        potentials=found,
        flux=_fluxes(mesh, conducting, found),
        currents=currents,
        interface_flux=_exchange(mesh, contacts, found),
        driven=driven,
        dissipation=float(np.nan_to_num(values) @ flow) if driven else 0.0,
        iterations=iterations,
        residual=residual,
        unknowns=int(np.count_nonzero(np.isfinite(values) & np.isnan(known))),
    )


def effective_conductivity(
    mesh: TetrahedralMesh,
    conductivities: Mapping[str, float],
    direction: Direction = "z",
    order: int = 1,
    tol: float = 1e-8,
) -> float:
    """Return the effective conductivity between two opposite faces of the box.

    With unit potential on the low face and none on the high one, it is the dissipation times the
    length of the box over its cross-section: an upper bound of the value of the meshed geometry,
    to which it falls with the square of the element size (order 1).

    Parameters
    ----------
    mesh, conductivities, order, tol
        As in `conduction`.
    direction : {"z", "y", "x"}

    Returns
    -------
    float
        In the unit of the conductivities; 0 if nothing percolates.
    """
    axis = axis_index(direction)
    low, high = BOX_FACES[2 * axis], BOX_FACES[2 * axis + 1]
    result = conduction(mesh, conductivities, {low: 1.0, high: 0.0}, order=order, tol=tol)
    area = float(np.prod(mesh.extent)) / mesh.extent[axis]
    return result.dissipation * mesh.extent[axis] / area


def _require_mapping(name: str, value: object, example: str) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} {value!r} are not allowed; give them by name, as in {example}")


def _checked_conductivities(
    mesh: TetrahedralMesh, conductivities: Mapping[str, float]
) -> dict[str, float]:
    _require_mapping("conductivities", conductivities, "{'pore': 1.0}")
    conducting = {}
    for name, value in conductivities.items():
        mesh.number(name)
        if not is_number(value) or value < 0:
            raise ValueError(
                f"conductivity {value!r} of {name!r} is not allowed; give a number of 0 or more"
            )
        if value > 0:
            conducting[name] = float(value)
    if not conducting:
        raise ValueError("no phase conducts; give at least one a conductivity above 0")
    return conducting


def _checked_potentials(
    conducting: Mapping[str, float], potentials: Mapping[str, float | Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    _require_mapping("potentials", potentials, "{'z_low': 1.0, 'z_high': 0.0}")
    if not potentials:
        raise ValueError(
            f"no potential is given; give one on at least one face of {', '.join(BOX_FACES)}"
        )
    found = {}
    for face, value in potentials.items():
        if face not in BOX_FACES:
            raise ValueError(f"there is no face {face!r}; faces are {', '.join(BOX_FACES)}")
        by_phase = value if isinstance(value, Mapping) else dict.fromkeys(conducting, value)
        for name, number in by_phase.items():
            if name not in conducting:
                raise ValueError(
                    f"a potential is given for {name!r} on {face}, which does not conduct; "
                    f"{', '.join(conducting)} do"
                )
            if not is_number(number):
                raise ValueError(f"potential {number!r} on {face} is not a finite number")
        found[face] = {name: float(number) for name, number in by_phase.items()}
    return found


def _checked_resistances(
    mesh: TetrahedralMesh,
    conducting: Mapping[str, float],
    resistances: Mapping[tuple[str, str], float],
) -> dict[tuple[str, str], float]:
    _require_mapping("resistances", resistances, "{('active', 'pore'): 2e-5}")
    found = {}
    for pair, value in resistances.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueError(
                f"{pair!r} is not a pair of phases; write a resistance as ('active', 'pore'): 2e-5"
            )
        first, second = pair
        for name in (first, second):
            mesh.number(name)
            if name not in conducting:
                raise ValueError(
                    f"a resistance is given at {name!r}, which does not conduct; "
                    f"{', '.join(conducting)} do"
                )
        if first == second or (second, first) in resistances:
            raise ValueError(
                f"the resistance between {first!r} and {second!r} is given twice, or within one "
                "phase; give each pair of different phases once"
            )
        if not is_number(value) or value <= 0:
            raise ValueError(
                f"resistance {value!r} between {first!r} and {second!r} is not allowed; give a "
                "number above 0, or leave the pair out for perfect contact"
            )
        found[first, second] = float(value)
    return found


def _groups(
    mesh: TetrahedralMesh,
    conducting: Mapping[str, float],
    contacts: Mapping[tuple[str, str], float],
) -> list[list[str]]:
    """Return the phases in perfect contact with each other."""
    group = {name: {name} for name in conducting}
    areas = mesh.interface_areas
    apart = {frozenset(pair) for pair in contacts}
    for a, b in combinations(conducting, 2):
        if areas[a, b] > 0 and frozenset((a, b)) not in apart:
            joined = group[a] | group[b]
            group |= dict.fromkeys(joined, joined)
    for a, b in contacts:
        if b in group[a]:
            between = sorted(group[a] - {a, b})
            raise ValueError(
                f"there is a resistance between {a!r} and {b!r}, but both are in perfect contact "
                f"with {', '.join(between)}; give a resistance there as well"
            )
    unique = {id(members): members for members in group.values()}
    return [[name for name in conducting if name in members] for members in unique.values()]


def _known_values(
    mesh: TetrahedralMesh,
    parts: Assembled,
    groups: list[list[str]],
    given: Mapping[str, Mapping[str, float]],
) -> NDArray[np.float64]:
    """Return the given values of all unknowns, NaN where there is none."""
    known = np.full(parts.starts[-1], np.nan)
    phase_there = mesh.phase[mesh.box_facet_cells]
    for face, by_phase in given.items():
        there = np.unique(phase_there[mesh.box_facet_faces == BOX_FACES.index(face)])
        for number, group in enumerate(groups):
            chosen = [by_phase[name] for name in group if name in by_phase]
            if not chosen:
                continue
            lacking = [n for n in group if n not in by_phase and mesh.number(n) in there]
            if lacking or len(set(chosen)) > 1:
                raise ValueError(
                    f"{', '.join(group)} are in perfect contact, so they need the same potential "
                    f"on {face}; give it to all of them"
                )
            # Beyond the vertices, unknowns are those of edges: 0 for a constant.
            own = known[parts.starts[number] : parts.starts[number + 1]]
            own[parts.on_face[number][face]] = 0.0
            own[np.flatnonzero(parts.on_face[number][face][: len(mesh.points)])] = chosen[0]
    return known


def _solve(
    matrix: csr_array,
    known: NDArray[np.float64],
    at_vertices: NDArray[np.bool_],
    tol: float,
) -> tuple[bool, NDArray[np.float64], int, float]:
    """Solve for the unknowns that hang on a given value; the others are NaN.

    What hangs on equal values alone has that value everywhere, and no flow.
    """
    try:
        import pyamg
    except ImportError:
        raise ImportError(
            "finite elements need PyAMG, which is not installed: pip install 'microtwin[mesh]'"
        ) from None

    used = matrix.diagonal() > 0
    values = np.where(used, known, np.nan)
    labels = connected_components(matrix, directed=False)[1]
    held = np.flatnonzero(used & np.isfinite(known))
    # Beyond the vertices, the given values of edges are 0 and say nothing.
    lowest = np.full(labels.max() + 1, np.inf)
    highest = np.full(labels.max() + 1, -np.inf)
    told = held[at_vertices[held]]
    np.minimum.at(lowest, labels[told], known[told])
    np.maximum.at(highest, labels[told], known[told])
    driven = highest > lowest
    resting = used & np.isnan(known) & (highest == lowest)[labels]
    values[resting] = np.where(at_vertices[resting], lowest[labels[resting]], 0.0)
    free = np.flatnonzero(used & np.isnan(known) & driven[labels])
    if len(free) == 0:
        return bool(driven.any()), values, 0, 0.0
    fixed = np.flatnonzero(used & np.isfinite(known))
    rows = matrix[free]
    load = -(rows[:, fixed] @ known[fixed])
    inner = csr_matrix(rows[:, free])
    scale = float(np.linalg.norm(load))
    if scale == 0.0:
        values[free] = 0.0
        return True, values, 0, 0.0
    history: list[float] = []
    with warnings.catch_warnings():
        # Whether it has converged is judged below.
        warnings.simplefilter("ignore")
        solver = pyamg.smoothed_aggregation_solver(inner, symmetry="symmetric", max_coarse=200)
        solution = solver.solve(load, tol=tol, maxiter=ITERATIONS, accel="cg", residuals=history)
    residual = float(np.linalg.norm(load - inner @ solution)) / scale
    if not residual <= 10 * tol:
        raise ConvergenceError(
            f"conduction on the mesh stopped after {len(history) - 1} iterations with a residual "
            f"of {residual:.2g}; {tol:g} was asked for. Contrasts of conductivity above 1e6 or "
            "very small resistances may be the cause"
        )
    values[free] = solution
    return True, values, len(history) - 1, residual


def _fluxes(
    mesh: TetrahedralMesh,
    conducting: Mapping[str, float],
    potentials: Mapping[str, NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return -k grad u in each tetrahedron, from the values at its vertices."""
    flux = np.zeros((len(mesh.cells), 3))
    for name, conductivity in conducting.items():
        mine = np.flatnonzero(mesh.phase == mesh.number(name))
        corners = mesh.points[mesh.cells[mine]]
        values = potentials[name][mesh.cells[mine]]
        edges = corners[:, 1:] - corners[:, :1]
        rises = values[:, 1:] - values[:, :1]
        gradient = np.linalg.solve(edges, rises[:, :, None])[:, :, 0]
        flux[mine] = -conductivity * np.nan_to_num(gradient)
    return flux


def _exchange(
    mesh: TetrahedralMesh,
    contacts: Mapping[tuple[str, str], float],
    potentials: Mapping[str, NDArray[np.float64]],
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Return the flux density over each resistance, facet by facet."""
    found = {}
    for (first, second), resistance in contacts.items():
        pair = sorted((mesh.number(first), mesh.number(second)))
        facets = mesh.facets[(mesh.facet_phases == pair).all(axis=1)]
        jump = potentials[first][facets] - potentials[second][facets]
        found[first, second] = np.nan_to_num(jump.mean(axis=1)) / resistance
        found[second, first] = -found[first, second]
    return found
