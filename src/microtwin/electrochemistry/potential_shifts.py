"""A field that shifts the potential of lithium in the active material, whatever makes it.

What acts on lithium beside its concentration, as stress does, adds to its chemical potential
mu = -F U(x). Given as a shift w of the open-circuit potential, in V, mu = -F (U(x) + w), lithium
moves down the gradient of the sum::

    j = -D (grad c + c_max grad w / U'(x)),

with the diffusivity D of Fick's law without w, and reacts at the potential U + w at the surface.

On the network both are in balance where U + w is the same everywhere, not only nearly so. With the
stoichiometry y that has by itself the potential which x has with the field, U(y) = U(x) + w, the
flux is -D U'(y) / U'(x) c_max grad y, so it vanishes on every link where y is the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import correlate1d

from ..numerics.quarters import from_quarters, to_quarters
from .cell_grid import CellGrid
from .cell_tables import Table
from .species import Species

__all__ = ["Drift", "PotentialShift", "shift_on_network"]

# Stoichiometries closer to empty or full are not asked for: walls of the table stand there.
EDGE = 1e-3
LEAST_SLOPE = 0.02  # V: of the potential over the stoichiometry
LARGEST = 0.5  # V
# Where the slopes of the potential at x and y differ by more, the curve has a kink between them.
MOST_RATIO = 20.0


class PotentialShift:
    """A shift of the potential of lithium, and the flux that it drives.

    Parameters
    ----------
    values : ndarray of float64
        In V, as a vector of the network.
    potential : Table
        Open-circuit potential over the stoichiometry, in V.
    most : float
        Concentration of the full material, in mol/m^3.

    Raises
    ------
    ValueError
        If the potential does not fall steeply enough everywhere, so that a shift would move lithium
        without end.
    """

    def __init__(self, values: NDArray[np.float64], potential: Table, most: float) -> None:
        self.values, self.most = values, most
        self._x = np.linspace(EDGE, 1.0 - EDGE, len(potential.values))
        self._u = potential(self._x)
        self._slope = np.gradient(self._u, self._x)
        flat = float((-self._slope).min())
        if flat < LEAST_SLOPE:
            at = float(self._x[np.argmin(-self._slope)])
            raise ValueError(
                f"the open-circuit potential falls by {flat:.3g} V per stoichiometry at {at:.3f}; "
                f"a field that acts on lithium needs {LEAST_SLOPE:g} V or more everywhere, as on "
                "flat parts its diffusivity without the field is not one of Fick's law"
            )

    def at(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the shift at places in flat vectors, in V."""
        return np.asarray(self.values.reshape(-1)[places])

    def without(
        self, concentration: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the concentration that has this potential by itself, and the ratio of slopes."""
        x = concentration / self.most
        inside = np.clip(x, EDGE, 1.0 - EDGE)
        u = np.interp(inside, self._x, self._u)
        y = np.interp(-(u + self.values), -self._u, self._x)
        ratio = np.interp(y, self._x, self._slope) / np.interp(inside, self._x, self._slope)
        ratio = np.clip(ratio, 1.0 / MOST_RATIO, MOST_RATIO)
        return (x + y - inside) * self.most, ratio


class Drift:
    """What a shift of the potential adds to the balance of lithium in one step.

    Parameters
    ----------
    shift : PotentialShift
    species : Species
        Lithium, whose residual is changed.
    diffusivity : float
        In m^2/s.
    scale : ndarray of float32, optional
        What multiplies it in each voxel, as a vector.
    """

    def __init__(
        self,
        shift: PotentialShift,
        species: Species,
        diffusivity: float,
        scale: NDArray[np.float32] | None,
    ) -> None:
        self._shift, self._species = shift, species
        self._diffusivity, self._scale = diffusivity, scale
        self._there = np.zeros_like(species.residual)

    def renew(self, concentration: NDArray[np.float64]) -> None:
        """Set what it adds at a concentration in mol/m^3, in place of what was added before."""
        species = self._species
        alone, ratio = self._shift.without(concentration)
        scale = ratio.astype(np.float32) if self._scale is None else self._scale * ratio
        links = species.links.with_mass(None, self._diffusivity, scale.astype(np.float32))
        species.residual -= self._there
        self._there[...] = 0
        # Fick's flux is in the balance already.
        links.subtract_product(self._there, alone, 1.0)
        species.operator.subtract_product(self._there, concentration, -1.0)
        species.residual += self._there


def shift_on_network(field: ArrayLike, grid: CellGrid) -> NDArray[np.float64]:
    """Return a field on the voxels as a vector of the network of lithium.

    Lithium also lies in voxels of other phases that the surface cuts. There the field is the mean
    of those in the 26 voxels around whose centre is active material.

    Parameters
    ----------
    field : array, shape (nz, ny, nx)
        In V; read where the active material is that takes part.
    grid : CellGrid

    Raises
    ------
    ValueError
        If the shape is another one, or a value is no number or larger than half a volt.
    """
    values = np.asarray(field, float)
    inside = grid.particles > 0
    if values.shape != grid.shape or not np.isfinite(values[inside]).all():
        raise ValueError(
            f"a shift of shape {values.shape} is not allowed; give a number in V for each voxel of "
            f"the active material in an image of shape {grid.shape}"
        )
    if np.abs(values[inside]).max() > LARGEST:
        raise ValueError(
            f"a shift of {np.abs(values[inside]).max():.3g} V is not allowed; give it in V, up to "
            f"{LARGEST:g}"
        )
    known = np.where(inside, values, 0.0)
    sums, count = known, inside.astype(float)
    for axis in range(3):
        sums = correlate1d(sums, np.ones(3), axis, mode="constant")
        count = correlate1d(count, np.ones(3), axis, mode="constant")
    near = np.where(inside, known, sums / np.maximum(count, 1.0))
    there = from_quarters(grid.active_there, grid.shape) > 0
    return to_quarters(np.where(there, near, 0.0))
