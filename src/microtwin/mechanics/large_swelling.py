"""Swelling of phases on a conforming mesh at large strains.

The energy of all solids in their volume before swelling is stationary (total Lagrangian): with
F = 1 + grad u and the swelling F_i of each phase, for all v that vanish where u is given ::

    int P(F, F_i) : grad v dV = sum over faces  int v . t dA .

Newton's method with the consistent tangent solves it. The load (swelling, given displacements and
tractions together) grows in steps; a step is halved where an element would invert or Newton's
method fails, and grows back later. The last equilibrium is kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..meshing import TetrahedralMesh
from ..numerics import ConvergenceError
from .distributions import SHARES, weighted_percentiles
from .faces import Condition, checked_faces
from .finite_laws import LAWS, elastic_response, isotropic_constants
from .invariants import von_mises
from .mesh_elements import Elements
from .mesh_faces import face_forces, held_values
from .mesh_fields import (
    on_vertices,
    phase_means,
    reactions_of,
    refuse_unbalanced,
    without_rigid_motion,
)
from .mesh_input import Eigenstrain, checked_numbers, checked_solids, strains_at_points
from .mesh_motions import FreeMotions, free_motions, rigid_motions
from .mesh_pieces import solid_mesh
from .mesh_solver import solve_held
from .stiffness import Solid

__all__ = ["LargeSwelling", "large_swelling"]

Vector = NDArray[np.float64]
NEWTON = 15  # iterations, after which a step is halved
LINEAR = 1e-6  # residual of the linear systems: Newton's method corrects what is left
SMALLEST = 1.0 / 1024.0  # of the load: a step that would be shorter is not taken
EASY = 2  # steps that succeed, after which they are twice as long again
INVERTED = 0.05  # of the volume that a swelling asks for; less counts as inverted


@dataclass(frozen=True, eq=False)
class LargeSwelling:
    """A mesh whose phases swell a lot.

    Components have the order (zz, yy, xx, yx, zx, zy); vectors and both indices of tensors
    (z, y, x).

    Parameters
    ----------
    mesh : TetrahedralMesh
        Before swelling.
    share : float
        Of the load that was reached: 1 unless it stopped.
    stopped : str
        Why it stopped; empty if it did not.
    displacement : ndarray, shape (n, 3)
        At the vertices in metres, NaN where nothing is solid.
    deformation : ndarray, shape (m, 3, 3)
        Mean of F over each tetrahedron; NaN in void.
    stress : ndarray, shape (m, 6)
        Cauchy's stress, mean over each tetrahedron, in Pa; 0 in void.
    volumes : ndarray, shape (m,)
        Of the tetrahedra after swelling, in m^3; those in void as they were.
    phase_stress : dict of str to ndarray, shape (6,)
        Mean over the volume of each solid phase after swelling, in Pa.
    reactions : dict of str to ndarray, shape (3,)
        Force on the body at each face that holds it, in N.
    energy : float
        Elastic, in J.
    floating : dict of int to int
        For each body that nothing holds completely, how many rigid motions were held for it.
    steps : tuple of float
        Shares of the load at which there is an equilibrium.
    iterations : tuple of int
        Of Newton's method, for each of them.
    """

    mesh: TetrahedralMesh = field(repr=False)
    share: float
    stopped: str
    displacement: Vector = field(repr=False)
    deformation: Vector = field(repr=False)
    stress: Vector = field(repr=False)
    volumes: Vector = field(repr=False)
    phase_stress: dict[str, Vector]
    reactions: dict[str, Vector]
    energy: float
    floating: dict[int, int]
    steps: tuple[float, ...]
    iterations: tuple[int, ...]

    @property
    def von_mises(self) -> Vector:
        """Equivalent stress of each tetrahedron in Pa, shape (m,)."""
        return von_mises(self.stress.T)

    @property
    def hydrostatic(self) -> Vector:
        """Mean of the normal stresses of each tetrahedron in Pa; positive where it is pulled."""
        return np.asarray(self.stress[:, :3].mean(axis=1))

    def volume_ratio(self, phase: str) -> float:
        """Return the volume of a phase after swelling over that before."""
        here = self.mesh.phase == self.mesh.number(phase)
        return float(self.volumes[here].sum() / self.mesh.volumes[here].sum())

    def percentiles(self, phase: str, shares: tuple[float, ...] = SHARES) -> list[float]:
        """Return percentiles of the equivalent stress in a phase, weighted with volume, in Pa."""
        here = self.mesh.phase == self.mesh.number(phase)
        found = weighted_percentiles(self.von_mises[here], self.volumes[here], shares)
        return list(found.values())


def large_swelling(
    mesh: TetrahedralMesh,
    materials: Mapping[str, Solid],
    eigenstrain: Mapping[str, Eigenstrain],
    *,
    law: str = "neo-hookean",
    faces: Mapping[str, Condition] | None = None,
    steps: int = 4,
    order: int = 1,
    tol: float = 1e-8,
) -> LargeSwelling:
    """Solve for displacement and stress on a mesh where phases swell a lot.

    Parameters
    ----------
    mesh : TetrahedralMesh
    materials : mapping of str to Solid
        Isotropic solids by phase; the others are void.
    eigenstrain : mapping of str to float, array or callable
        As in `mesh_swelling`: without stress a phase has the stretch F_i = 1 + e. For a volume
        ratio r that is the number ``r ** (1 / 3) - 1``.
    law : {"neo-hookean", "hencky"}
        See `finite_laws`. At small strains both are Hooke's.
    faces : mapping of str to str or mapping, optional
        As in `mesh_swelling`; tractions and pressures are forces per area before swelling and keep
        their direction.
    steps : int
        Equal parts of the load, 1 or more; they are halved where need be, and grow back.
    order : {1, 2}
        Of the elements.
    tol : float
        Norm of the forces that are left, over the largest that there was at the start of a step.

    Returns
    -------
    LargeSwelling
        If the load could not be reached, `LargeSwelling.stopped` says why, and the state is the
        last equilibrium; there is a `RuntimeWarning` as well.

    Raises
    ------
    ValueError
        If a name or number is not allowed, a solid is not isotropic, a swelling leaves no volume,
        nothing is solid, or a force acts on a body that nothing holds.
    ImportError
        If NGSolve or PyAMG is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> labels = np.zeros((8, 8, 8), np.uint8)
    >>> labels[2:6, 2:6, 2:6] = 1
    >>> mesh = mt.meshing.tetrahedralize(mt.Microstructure(labels, 1e-7, {"pore": 0, "si": 1}))
    >>> solid = mt.mechanics.isotropic(80e9, 0.25)
    >>> own = {"si": 4.0 ** (1 / 3) - 1.0}  # by 300 %
    >>> found = mt.mechanics.large_swelling(mesh, {"si": solid}, own, steps=2)
    >>> round(found.volume_ratio("si"), 6)
    4.0
    """
    checked_numbers(order, tol)
    solids = checked_solids(mesh, materials)
    if law not in LAWS:
        raise ValueError(f"law {law!r} is not known; give {' or '.join(map(repr, LAWS))}")
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 1:
        raise ValueError(f"steps {steps!r} is not allowed; give a whole number of 1 or more")
    constants = {name: isotropic_constants(name, material) for name, material in solids.items()}
    held_faces = checked_faces({} if faces is None else faces)
    solid = solid_mesh(mesh, solids)
    elements = Elements(solid.mesh, order)
    own = _tensors(strains_at_points(mesh, solid, elements, solids, eigenstrain))
    if not (np.linalg.eigvalsh(np.eye(3) + own)[..., 0] > 0.0).all():
        raise ValueError("an eigenstrain of -1 or less leaves no volume; give more than -1")
    values = held_values(elements, held_faces)
    motions = rigid_motions(solid)
    free = free_motions(solid, elements, motions, np.isfinite(values), {})
    outer = face_forces(elements, held_faces)
    refuse_unbalanced(outer, free)
    table = np.zeros((len(mesh.phases), 2))
    for name, pair in constants.items():
        table[mesh.number(name)] = pair
    body = _Body(elements, law, own, table[solid.mesh.phase], outer, values, motions, free, tol)

    found = np.zeros((elements.count, 3))
    reached, step, easy = 0.0, 1.0 / steps, 0
    history: list[tuple[float, int]] = []
    stopped = ""
    while reached < 1.0:
        goal = min(1.0, reached + step)
        # Rounding of the sum must not leave a last step that is next to nothing.
        goal = 1.0 if goal > 1.0 - 0.5 * SMALLEST else goal
        try:
            found, iterations = body.equilibrium(found, reached, goal)
        except ConvergenceError as reason:
            step, easy = 0.5 * step, 0
            if step < SMALLEST:
                stopped = (
                    f"stopped at {reached:.4g} of the load: {reason}, also in steps of "
                    f"{2 * step:.2g} of it"
                )
                warnings.warn(stopped, RuntimeWarning, stacklevel=2)
                break
            continue
        reached = goal
        history.append((goal, iterations))
        easy += 1
        if easy >= EASY:
            step, easy = min(2.0 * step, 1.0 / steps), 0
    found = without_rigid_motion(found, free, solid)
    gradient = body.gradient(found)
    energy, first, _ = body.response(gradient, reached)
    growth = np.linalg.det(gradient)
    cauchy = np.einsum("mqiJ,mqkJ->mqik", first, gradient) / growth[..., None, None]
    left = elements.forces(first.reshape(*first.shape[:2], 9)) - reached * outer
    volumes = mesh.volumes.copy()
    volumes[solid.cells] = (growth * elements.weights).sum(axis=1)
    stress = np.zeros((len(mesh.cells), 6))
    stress[solid.cells] = _components(cauchy).mean(axis=1)
    deformation = np.full((len(mesh.cells), 3, 3), np.nan)
    deformation[solid.cells] = gradient.mean(axis=1)
    return LargeSwelling(
        mesh=mesh,
        share=reached,
        stopped=stopped,
        displacement=on_vertices(mesh, solid, found)[0],
        deformation=deformation,
        stress=stress,
        volumes=volumes,
        phase_stress=phase_means(mesh, solids, stress, volumes),
        reactions=reactions_of(elements, held_faces, values, left),
        energy=float((energy * elements.weights).sum()),
        floating=free.number,
        steps=tuple(share for share, _ in history),
        iterations=tuple(count for _, count in history),
    )


def _tensors(strain: Vector) -> Vector:
    """Return symmetric tensors (..., 3, 3) of six components with engineering shear strains."""
    z, y, x, yx, zx, zy = np.moveaxis(strain, -1, 0)
    rows = [[z, zy / 2, zx / 2], [zy / 2, y, yx / 2], [zx / 2, yx / 2, x]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _components(stress: Vector) -> Vector:
    at = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
    return np.stack([stress[..., i, j] for i, j in at], axis=-1)


@dataclass(frozen=True, eq=False)
class _Body:
    """What an equilibrium is sought for.

    Parameters
    ----------
    elements : Elements
    law : str
    own : ndarray, shape (m, q, 3, 3)
        F_i - 1 under the full load.
    constants : ndarray, shape (m, 2)
        Lame's.
    outer, values : ndarray, shape (count, 3)
        Forces and given unknowns (NaN where there is none) under the full load.
    motions : ndarray, shape (n, 3, 6)
    free : FreeMotions
    tol : float
    """

    elements: Elements
    law: str
    own: Vector
    constants: Vector
    outer: Vector
    values: Vector
    motions: Vector
    free: FreeMotions
    tol: float

    def gradient(self, displacement: Vector) -> Vector:
        """Return F, shape (m, q, 3, 3)."""
        return np.eye(3) + self.elements.gradients(displacement)

    def response(self, gradient: Vector, share: float) -> tuple[Vector, Vector, Vector]:
        """Return energy (m, q), stress (m, q, 3, 3) and stiffness (m, q, 3, 3, 3, 3)."""
        m, q = gradient.shape[:2]
        lame, shear = np.repeat(self.constants, q, axis=0).T
        swelling = (np.eye(3) + share * self.own).reshape(-1, 3, 3)
        parts = elastic_response(self.law, gradient.reshape(-1, 3, 3), swelling, lame, shear)
        energy, stress, moduli = (part.reshape(m, q, *part.shape[1:]) for part in parts)
        return energy, stress, moduli

    def equilibrium(self, start: Vector, before: float, share: float) -> tuple[Vector, int]:
        """Return the displacement under a share of the load, and Newton's iterations.

        The start is the equilibrium under another share. Raises `ConvergenceError` with the reason
        if there is none in reach.
        """
        given = np.isfinite(self.values)
        found, scale = start, 0.0
        fixed = np.where(given, share * np.nan_to_num(self.values) - start, np.nan)
        growth = np.linalg.det(np.eye(3) + share * self.own)
        for iteration in range(NEWTON):
            gradient = self.gradient(found)
            self._refuse_inverted(gradient, growth)
            _, stress, moduli = self.response(gradient, share)
            if iteration == 0:
                # What swells without having moved is under a pressure that makes it unstable to
                # rotation; the equilibrium before is stable.
                moduli = self.response(gradient, before)[2]
            inner = self.elements.forces(stress.reshape(*stress.shape[:2], 9))
            residual = share * self.outer - inner
            size = float(np.linalg.norm(np.where(given, 0.0, residual)))
            if not np.isfinite(size):
                raise ConvergenceError("forces are not finite")
            scale = max(scale, size, float(np.linalg.norm(np.where(given, inner, 0.0))))
            moved = bool(np.nan_to_num(fixed).any())
            if not moved and size <= self.tol * scale:
                return found, iteration
            matrix = self.elements.tangent(moduli.reshape(*moduli.shape[:2], 9, 9))
            change, _, _ = solve_held(matrix, residual, fixed, self.motions, self.free, LINEAR)
            found = found + change
            fixed = np.where(given, 0.0, np.nan)
        raise ConvergenceError(f"Newton's method did not converge within {NEWTON} iterations")

    def _refuse_inverted(self, gradient: Vector, growth: Vector) -> None:
        inverted = (np.linalg.det(gradient) < INVERTED * growth).any(axis=1)
        if inverted.any():
            count = int(np.count_nonzero(inverted))
            raise ConvergenceError(f"{count} element{'s' if count > 1 else ''} would be inverted")
