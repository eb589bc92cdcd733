"""What elasticity on a mesh finds: stresses by tetrahedron, and tractions at interfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..meshing import TetrahedralMesh
from .distributions import SHARES, weighted_percentiles
from .invariants import von_mises

__all__ = ["MeshSwelling", "MeshTraction"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeshTraction:
    """Tractions on the facets between two phases.

    Parameters
    ----------
    facets : ndarray of int, shape (k,)
        Places in ``mesh.facets``.
    areas : ndarray, shape (k,)
        In m^2.
    vectors : ndarray, shape (k, 3)
        Force of the second phase on the first, per area, along (z, y, x), in Pa.
    normal : ndarray, shape (k,)
        Its part along the normal, positive where the interface is pulled.
    shear : ndarray, shape (k,)
        Size of its part within the facet.
    jumps : ndarray, shape (k, 3)
        Displacement of the second phase less that of the first, in metres; 0 where bonded.
    """

    facets: NDArray[np.intp] = field(repr=False)
    areas: Vector = field(repr=False)
    vectors: Vector = field(repr=False)
    normal: Vector = field(repr=False)
    shear: Vector = field(repr=False)
    jumps: Vector = field(repr=False)

    @property
    def area(self) -> float:
        """Of the whole interface, in m^2."""
        return float(self.areas.sum())

    def percentiles(self, part: str = "normal", shares: Sequence[float] = SHARES) -> list[float]:
        """Return percentiles of the "normal" or "shear" traction, weighted with area, in Pa."""
        if part not in ("normal", "shear"):
            raise ValueError(f"part {part!r} is not known; give 'normal' or 'shear'")
        found = weighted_percentiles(getattr(self, part), self.areas, shares)
        return list(found.values())


@dataclass(frozen=True, eq=False)
class MeshSwelling:
    """A mesh whose phases swell.

    Components have the order (zz, yy, xx, yx, zx, zy), shear strains twice those of the tensor;
    vectors (z, y, x).

    Parameters
    ----------
    mesh : TetrahedralMesh
    displacement : ndarray, shape (n, 3)
        At the vertices in metres, NaN where nothing is solid; where sides of an imperfect
        interface differ, their mean. What nothing holds has no share of rigid motion.
    phase_displacement : dict of str to ndarray, shape (n, 3)
        The same at the vertices of each phase, NaN elsewhere.
    strain, stress : ndarray, shape (m, 6)
        Mean over each tetrahedron; the eigenstrain is part of the strain, the stress in Pa. In void
        the strain is NaN and the stress 0.
    phase_stress : dict of str to ndarray, shape (6,)
        Mean over each solid phase, in Pa.
    interfaces : dict of (str, str) to MeshTraction
        For phases that meet, in either order.
    reactions : dict of str to ndarray, shape (3,)
        Force on the body at each face that holds it, in N. What acts on an edge of the box that two
        such faces share counts for the first.
    energy : float
        Of the solids and imperfect interfaces, in J.
    bodies : ndarray of int, shape (m,)
        Which body each tetrahedron belongs to, -1 in void. Tetrahedra of a body are joined through
        facets or imperfect interfaces.
    floating : dict of int to int
        For each body that nothing holds completely, how many rigid motions were held for it.
    iterations : int
    residual : float
        Norm of the residual over that of the right-hand side.
    unknowns : int
    """

    mesh: TetrahedralMesh = field(repr=False)
    displacement: Vector = field(repr=False)
    phase_displacement: dict[str, Vector] = field(repr=False)
    strain: Vector = field(repr=False)
    stress: Vector = field(repr=False)
    phase_stress: dict[str, Vector]
    interfaces: dict[tuple[str, str], MeshTraction] = field(repr=False)
    reactions: dict[str, Vector]
    energy: float
    bodies: NDArray[np.intp] = field(repr=False)
    floating: dict[int, int]
    iterations: int
    residual: float
    unknowns: int

    @property
    def von_mises(self) -> Vector:
        """Equivalent stress of each tetrahedron in Pa, shape (m,)."""
        return von_mises(self.stress.T)

    @property
    def hydrostatic(self) -> Vector:
        """Mean of the normal stresses of each tetrahedron in Pa; positive where it is pulled."""
        return np.asarray(self.stress[:, :3].mean(axis=1))

    def percentiles(self, phase: str, shares: Sequence[float] = SHARES) -> list[float]:
        """Return percentiles of the equivalent stress in a phase, weighted with volume, in Pa."""
        here = self.mesh.phase == self.mesh.number(phase)
        return list(
            weighted_percentiles(self.von_mises[here], self.mesh.volumes[here], shares).values()
        )
