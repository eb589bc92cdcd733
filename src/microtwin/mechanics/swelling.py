"""Swelling and stiffness of a periodic image (see `numerics.hexahedra` for the equations)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..microstructure import Microstructure
from ..numerics.hexahedra import ElasticSolution, Hexahedra
from .stiffness import EngineeringConstants, Solid, engineering_constants

__all__ = ["EffectiveStiffness", "Swelling", "effective_stiffness", "solve_swelling"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Swelling:
    """An image whose phases swell.

    Components have the order (zz, yy, xx, yx, zx, zy), shear strains twice those of the tensor.

    Parameters
    ----------
    mean_strain : ndarray, shape (6,)
    mean_stress : ndarray, shape (6,)
        Over the whole volume, void included, in Pa.
    phase_stress : dict of str to ndarray, shape (6,)
        Mean over each solid phase, in Pa.
    energy : float
        Elastic energy of these means over the volume of the image, in J/m^3: what varies within
        voxels is not in it.
    strain, stress : ndarray, shape (6, nz, ny, nx)
        Means over each voxel; the eigenstrain is part of the strain, the stress in Pa and 0 in
        void.
    iterations : int
    """

    mean_strain: Vector
    mean_stress: Vector
    phase_stress: dict[str, Vector]
    energy: float
    strain: NDArray[np.float64] = field(repr=False)
    stress: NDArray[np.float64] = field(repr=False)
    iterations: int

    @property
    def von_mises(self) -> NDArray[np.float64]:
        """Equivalent stress of each voxel, in Pa."""
        z, y, x, yx, zx, zy = self.stress
        normal = 0.5 * ((z - y) ** 2 + (y - x) ** 2 + (x - z) ** 2)
        return np.asarray(np.sqrt(normal + 3.0 * (yx**2 + zx**2 + zy**2)))

    @property
    def hydrostatic(self) -> NDArray[np.float64]:
        """Mean of the normal stresses of each voxel, in Pa; positive where it is pulled."""
        return np.asarray(self.stress[:3].mean(axis=0))

    def percentiles(
        self, phase: NDArray[np.bool_], shares: Sequence[float] = (0.5, 0.95, 0.99)
    ) -> list[float]:
        """Return percentiles of the equivalent stress over some voxels, in Pa."""
        return [float(np.quantile(self.von_mises[phase], share)) for share in shares]


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
    mean_strain: ArrayLike | None = None,
    mean_stress: ArrayLike | None = None,
    tol: float = 1e-6,
) -> Swelling:
    """Solve for strain and stress where phases swell and hold each other.

    Parameters
    ----------
    micro : Microstructure
        Continued periodically.
    materials : mapping of str to Solid
        The phases that are solid; the others are void.
    eigenstrain : mapping of str to float or array
        Strain that a phase would have by itself: a number for the same in each direction, six
        components, or a field of either, shape (nz, ny, nx) or (6, nz, ny, nx).
    mean_strain : array, shape (6,), optional
        Held components; NaN where free. By default all are free.
    mean_stress : array, shape (6,), optional
        In the free components, in Pa; by default none.
    tol : float
        Norm of the forces that are left, over that at the start.

    Returns
    -------
    Swelling

    Raises
    ------
    ValueError
        If a name or number is not allowed, or nothing is solid.
    ConvergenceError
        If the solver does not reach the tolerance.

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
    grid = _grid(micro, materials)
    strains = _eigenstrains(micro, materials, eigenstrain)
    held, free = _held(mean_strain)
    stress = np.zeros(6) if mean_stress is None else np.asarray(mean_stress, float)
    if stress.shape != (6,) or not np.isfinite(stress).all():
        raise ValueError(f"mean_stress {mean_stress!r} is not allowed; give six numbers, in Pa")
    found = grid.solve(strains, held, free, stress, _tolerance(tol))
    return _swelling(micro, materials, grid, found, strains)


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
    grid = _grid(micro, materials)
    c, iterations = np.zeros((6, 6)), []
    volume = grid.volume * micro.labels.size
    none, nothing = np.zeros(6, bool), np.zeros(6)
    for k in range(6):
        strain = np.zeros(6)
        strain[k] = 1.0
        found = grid.solve(None, strain, none, nothing, _tolerance(tol))
        c[:, k] = grid.forces(found.displacement, strain)[1] / volume
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


def _grid(micro: Microstructure, materials: Mapping[str, Solid]) -> Hexahedra:
    number = np.full(256, -1)
    for position, (name, solid) in enumerate(materials.items()):
        if not isinstance(solid, Solid):
            raise ValueError(
                f"the material of {name!r} is {solid!r}; give a Solid, such as isotropic(young, "
                "poisson)"
            )
        number[micro.label(name)] = position
    numbers = number[micro.labels]
    if (numbers < 0).all():
        raise ValueError("no phase of the image has a material, so nothing is solid")
    stiffnesses = [solid.stiffness for solid in materials.values()]
    return Hexahedra(numbers, stiffnesses, micro.voxel_size)


def _eigenstrains(
    micro: Microstructure,
    materials: Mapping[str, Solid],
    given: Mapping[str, float | ArrayLike],
) -> NDArray[np.float64]:
    out = np.zeros((6, *micro.shape))
    for name, value in given.items():
        here = micro.mask(name)
        if name not in materials:
            raise ValueError(f"phase {name!r} swells but has no material; give it one")
        strain = np.asarray(value, float)
        if strain.shape == () or strain.shape == micro.shape:
            strain = np.stack([strain] * 3 + [np.zeros_like(strain)] * 3)
        if strain.shape not in ((6,), (6, *micro.shape)) or not np.isfinite(strain).all():
            raise ValueError(
                f"the eigenstrain of {name!r} is not allowed; give a number, six components, or a "
                "field of either on the voxels"
            )
        spread = strain.reshape(6, *([1] * 3 if strain.ndim == 1 else micro.shape))
        out += np.where(here, spread, 0.0)
    return out


def _held(mean_strain: ArrayLike | None) -> tuple[Vector, NDArray[np.bool_]]:
    held = np.full(6, np.nan) if mean_strain is None else np.asarray(mean_strain, float)
    if held.shape != (6,) or np.isinf(held).any():
        raise ValueError(
            f"mean_strain {mean_strain!r} is not allowed; give six components, NaN where free"
        )
    free = np.isnan(held)
    return np.where(free, 0.0, held), free


def _tolerance(tol: float) -> float:
    if not (is_number(tol) and 0.0 < tol < 1.0):
        raise ValueError(f"tol {tol!r} is not allowed; give a number between 0 and 1")
    return float(tol)


def _swelling(
    micro: Microstructure,
    materials: Mapping[str, Solid],
    grid: Hexahedra,
    found: ElasticSolution,
    eigenstrain: NDArray[np.float64],
) -> Swelling:
    elastic = grid.strains(found)
    elastic -= eigenstrain
    stress = np.zeros_like(elastic)
    by_phase = {}
    for name, solid in materials.items():
        here = micro.mask(name)
        stress[:, here] = solid.stiffness @ elastic[:, here]
        by_phase[name] = stress[:, here].mean(axis=1) if here.any() else np.full(6, np.nan)
    return Swelling(
        found.mean_strain,
        stress.mean(axis=(1, 2, 3)),
        by_phase,
        float(0.5 * (elastic * stress).sum() / micro.labels.size),
        elastic + eigenstrain,
        stress,
        found.iterations,
    )
