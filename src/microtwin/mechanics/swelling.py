"""Swelling and stiffness of an image on its voxels (see `numerics.hexahedra` for the equations)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..microstructure import Microstructure
from ..numerics.hexahedra import ElasticSolution, Hexahedra
from .distributions import weighted_percentiles
from .faces import Condition
from .invariants import energy_density, hydrostatic, von_mises
from .stiffness import EngineeringConstants, Solid, engineering_constants
from .voxel_input import Boundary, boundary, checked_tolerance, eigenstresses, numbered

__all__ = ["EffectiveStiffness", "Swelling", "effective_stiffness", "solve_swelling"]

Vector = NDArray[np.float64]
Progress = Callable[[int, float], None]


@dataclass(frozen=True, eq=False)
class Swelling:
    """An image whose phases swell.

    Components have the order (zz, yy, xx, yx, zx, zy), shear strains twice those of the tensor.

    Parameters
    ----------
    mean_strain : ndarray, shape (6,)
        Of the box; 0 across axes with a face that is free or clamped.
    mean_stress : ndarray, shape (6,)
        Over the whole volume, void included, in Pa.
    phase_stress : dict of str to ndarray, shape (6,)
        Mean over each solid phase, in Pa.
    energy : float
        Elastic energy of these means over the volume of the image, in J/m^3: what varies within
        voxels is not in it.
    strain, stress : ndarray of float32, shape (6, nz, ny, nx)
        Means over each voxel; the eigenstrain is part of the strain, the stress in Pa and 0 in
        void.
    displacement : ndarray, shape (3, nz, ny, nx), one more along axes that are not periodic
        Of the corners, without that of the mean strain, in m. Bodies that nothing holds lie where
        they happen to be.
    floating : float
        Share of the solid in bodies that no face holds and that do not reach round the image.
    iterations : int
    """

    mean_strain: Vector
    mean_stress: Vector
    phase_stress: dict[str, Vector]
    energy: float
    strain: NDArray[np.float32] = field(repr=False)
    stress: NDArray[np.float32] = field(repr=False)
    displacement: NDArray[np.float64] = field(repr=False)
    floating: float
    iterations: int

    @property
    def von_mises(self) -> NDArray[np.float32]:
        """Equivalent stress of each voxel, in Pa."""
        return von_mises(self.stress)

    @property
    def hydrostatic(self) -> NDArray[np.float32]:
        """Mean of the normal stresses of each voxel, in Pa; positive where it is pulled."""
        return hydrostatic(self.stress)

    def percentiles(
        self, phase: NDArray[np.bool_], shares: Sequence[float] = (0.5, 0.95, 0.99)
    ) -> list[float]:
        """Return percentiles of the equivalent stress over some voxels, in Pa."""
        found = weighted_percentiles(self.von_mises[phase], None, tuple(shares))
        return [found[share] for share in shares]


@dataclass(frozen=True, eq=False)
class EffectiveStiffness:
    """Stiffness of a whole image.

    Parameters
    ----------
    solid : Solid
        The image as one solid.
    constants : EngineeringConstants
    iterations : tuple of int
        Of the six load cases.
    """

    solid: Solid
    constants: EngineeringConstants
    iterations: tuple[int, ...]


def solve_swelling(
    micro: Microstructure,
    materials: Mapping[str, Solid],
    eigenstrain: Mapping[str, float | ArrayLike],
    *,
    faces: Mapping[str, Condition] | None = None,
    mean_strain: ArrayLike | None = None,
    mean_stress: ArrayLike | None = None,
    tol: float = 1e-6,
    progress: Progress | None = None,
) -> Swelling:
    """Solve for strain and stress where phases swell and hold each other.

    Parameters
    ----------
    micro : Microstructure
    materials : mapping of str to Solid
        The phases that are solid; the others are void.
    eigenstrain : mapping of str to float or array
        Strain that a phase would have by itself: a number for the same in each direction, six
        components, or a field of either, shape (nz, ny, nx) or (6, nz, ny, nx).
    faces : mapping of str to str or mapping, optional
        By face of the image (`meshing.BOX_FACES`): "free", "roller" (no normal displacement),
        "clamped", ``{"displacement": d}`` along the outward normal in metres, ``{"pressure": p}``
        in Pa, positive where it pushes on the solid, or ``{"traction": (z, y, x)}`` in Pa. An axis
        of which no face is named is periodic; a face whose opposite is named is free by default.
    mean_strain : array, shape (6,), optional
        Held components of the mean strain; NaN where free. Across axes that are not periodic it is
        0, but for the normal strain between two rollers: these are plates, which stay where they
        are by default, and move as a whole if that strain is free. By default all components of
        periodic axes are free.
    mean_stress : array, shape (6,), optional
        In the free components, in Pa; by default none. Between plates it is minus their pressure.
    tol : float
        Norm of the forces that are left, over that at the start.
    progress : callable, optional
        Called as ``progress(iteration, residual)``.

    Returns
    -------
    Swelling

    Raises
    ------
    ValueError
        If a name or number is not allowed, nothing is solid, or a pressure acts on a body that
        nothing holds.
    ConvergenceError
        If the solver does not reach the tolerance.

    Notes
    -----
    Voxels that touch at an edge or a corner are joined there, as hinges: they share the nodes.

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> labels = np.zeros((8, 4, 4), np.uint8)
    >>> labels[:4] = 1
    >>> micro = mt.Microstructure(labels, 1e-6, {"soft": 0, "stiff": 1})
    >>> solids = {"soft": mt.mechanics.isotropic(1e9, 0.3)}
    >>> solids["stiff"] = mt.mechanics.isotropic(100e9, 0.3)
    >>> found = mt.mechanics.solve_swelling(micro, solids, {"stiff": 0.01})
    >>> bool(0.009 < found.mean_strain[1] < 0.01)
    True
    """
    rtol = checked_tolerance(tol)
    number, stiffnesses = numbered(micro, materials)
    given = boundary(number, micro.voxel_size, faces, mean_strain, mean_stress)
    grid = Hexahedra(
        number, stiffnesses, micro.voxel_size, free=given.free, periodic=given.periodic,
        held=given.held,
    )  # fmt: skip
    del number
    own = eigenstresses(micro, materials, eigenstrain)
    load, largest = grid.eigenforces(own), float(np.abs(own).max())
    del own
    load[-6:] += grid.mean_stress_load(given.stress)
    for face, traction in given.tractions.items():
        grid.add_traction(load, face, traction)
    found = grid.solve(
        load, given.strain, rtol, given=given.displacements or None, stress=largest,
        progress=progress,
    )  # fmt: skip
    del load
    return _swelling(micro, materials, grid, given, found, eigenstrain)


def effective_stiffness(
    micro: Microstructure, materials: Mapping[str, Solid], *, tol: float = 1e-6
) -> EffectiveStiffness:
    """Return the stiffness of an image as a whole, from six mean strains.

    Parameters
    ----------
    micro : Microstructure
        Continued periodically.
    materials : mapping of str to Solid
        The phases that are solid; the others are void.
    tol : float
        As in `solve_swelling`.

    Returns
    -------
    EffectiveStiffness

    Raises
    ------
    ValueError
        If a name or number is not allowed, nothing is solid, or what is solid holds together in
        some direction only.
    ConvergenceError
        If the solver does not reach the tolerance.

    Examples
    --------
    >>> import microtwin as mt
    >>> micro = mt.generation.lattice_spheres(12, volume_fraction=0.2)
    >>> names = micro.phase_names
    >>> solids = {name: mt.mechanics.isotropic(1e9, 0.3) for name in names}
    >>> found = mt.mechanics.effective_stiffness(micro, solids)
    >>> [round(e / 1e9, 3) for e in found.constants.young]
    [1.0, 1.0, 1.0]
    """
    rtol = checked_tolerance(tol)
    grid = Hexahedra(*numbered(micro, materials), micro.voxel_size)
    c, iterations = np.zeros((6, 6)), []
    nothing = np.zeros(grid.size)
    for k in range(6):
        found = grid.solve(nothing, np.eye(6)[k], rtol)
        c[:, k] = grid.mean_stress(found)
        iterations.append(found.iterations)
    c = 0.5 * (c + c.T)
    least = float(np.linalg.eigvalsh(c)[0])
    if least <= 1e-6 * float(np.abs(c).max()):
        raise ValueError(
            "what is solid does not hold together through the image in every direction, so some "
            "strain costs nothing; name more phases as solid, or crop the image"
        )
    solid = Solid(c)
    return EffectiveStiffness(solid, engineering_constants(solid), tuple(iterations))


def _swelling(
    micro: Microstructure,
    materials: Mapping[str, Solid],
    grid: Hexahedra,
    given: Boundary,
    found: ElasticSolution,
    eigenstrain: Mapping[str, float | ArrayLike],
) -> Swelling:
    strain = grid.strains(found)
    stress = eigenstresses(micro, materials, eigenstrain)
    stress *= -1.0
    by_phase, energy = {}, 0.0
    for name, solid in materials.items():
        here = micro.mask(name)
        own = stress[:, here] + solid.stiffness @ strain[:, here]
        stress[:, here] = own
        by_phase[name] = own.mean(axis=1, dtype=float) if here.any() else np.full(6, np.nan)
        energy += float(energy_density(own, solid).sum(dtype=float))
    return Swelling(
        found.mean_strain,
        stress.mean(axis=(1, 2, 3), dtype=float),
        by_phase,
        energy / micro.labels.size,
        strain,
        stress,
        found.displacement,
        given.floating,
        found.iterations,
    )
