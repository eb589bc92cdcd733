"""What elasticity on the voxels of an image finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .distributions import weighted_percentiles
from .invariants import hydrostatic, von_mises
from .stiffness import EngineeringConstants, Solid

__all__ = ["EffectiveStiffness", "Swelling"]

Vector = NDArray[np.float64]


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
        Mean over each solid phase, in Pa, with its parts in voxels of other phases.
    energy : float
        Elastic energy of these means over the volume of the image, in J/m^3: what varies within
        voxels is not in it.
    strain : ndarray of float32, shape (6, nz, ny, nx)
        Mean over each voxel; the eigenstrain is part of it.
    stress : ndarray of float32, shape (6, nz, ny, nx)
        In Pa, in the phase that the voxel has; 0 in void.
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
