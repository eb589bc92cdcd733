"""Stress that acts on the lithium of a half cell, renewed now and then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..electrochemistry import FARADAY, HalfCell, fields
from ..mechanics import ElasticImage, Solid, stress_potential_shift
from .lithium_strain import LithiumStrain
from .stress_along import StressState, stress_along

__all__ = ["ActingStress", "coupling_strength"]

POINTS = 999  # of the stoichiometry, at which the strength of the coupling is looked for


class ActingStress:
    """Stress of the lithium in a half cell, which shifts the potential of that lithium.

    Parameters
    ----------
    cell : HalfCell
    image : ElasticImage
        Of the same image.
    strain : LithiumStrain or float
        Linear strain of the active material over its stoichiometry, or per unit of it. The partial
        molar volume is 3 / c_max times its slope.
    reference : float
        Stoichiometry without stress.
    active : str
        The phase that takes up lithium.
    others : mapping of str to float or array, optional
        Eigenstrains of other phases.
    tol : float
        Of the elastic solver.

    Raises
    ------
    ValueError
        If the image is another one, or an argument is not allowed.

    Notes
    -----
    mu = -F U(x) - Omega sigma_h (Larche & Cahn, Acta Metall. 21 (1973) 1051): the open-circuit
    potential is shifted by Omega sigma_h / F, see `stress_potential_shift`.
    """

    def __init__(
        self,
        cell: HalfCell,
        image: ElasticImage,
        strain: LithiumStrain | float,
        *,
        reference: float,
        active: str = "active",
        others: Mapping[str, float | ArrayLike] | None = None,
        tol: float = 1e-4,
    ) -> None:
        if image.micro.shape != cell.grid.shape or image.micro.voxel_size != cell.grid.voxel_size:
            raise ValueError("the image is not that of the half cell; give the same one")
        self.cell = cell
        self.strain = strain if isinstance(strain, LithiumStrain) else LithiumStrain.linear(strain)
        self._lithium = fields(cell, cell.state).stoichiometry
        idle = float(np.nanmean(self._lithium))
        self._states = stress_along(
            image, self._present(), self.strain, reference=reference, active=active, idle=idle,
            others=others, tol=tol,
        )  # fmt: skip

    def _present(self) -> Iterator[NDArray[np.float32]]:
        while True:
            self._lithium = fields(self.cell, self.cell.state).stoichiometry
            yield self._lithium

    def renew(self) -> StressState:
        """Solve for the stress of the present lithium, and let it act on the steps to come."""
        state, x = next(self._states), self._lithium
        inside = np.isfinite(x)
        slope = self.strain.slope(np.clip(x[inside], 0.0, 1.0))
        omega = 3.0 * slope / self.cell.material.maximum_concentration
        shift = np.zeros(x.shape)
        # Of 1 m^3/mol, times that of each voxel, which may change with its lithium.
        shift[inside] = stress_potential_shift(state.swelling.hydrostatic[inside], 1.0) * omega
        self.cell.shift_potential(shift)
        return state


def coupling_strength(cell: HalfCell, solid: Solid, strain: LithiumStrain | float) -> float:
    """Return how strong stress is beside concentration in what drives lithium, at most.

    Parameters
    ----------
    cell : HalfCell
    solid : Solid
        Of the active material.
    strain : LithiumStrain or float
        As in `coupled_run`.

    Returns
    -------
    float
        Largest Omega^2 K / (d mu / d c) between the ends of the voltage window, with the bulk
        modulus K and mu = -F U: what stress adds to the slope of the chemical potential where the
        material is held on all sides. A free sphere has 4 G / (3 K + 4 G) of that.
    """
    strain = strain if isinstance(strain, LithiumStrain) else LithiumStrain.linear(strain)
    low, high = sorted(cell.material.stoichiometries)
    x = np.linspace(low, high, POINTS)
    slope = -np.gradient(cell.tables.potential(x), x)
    most = cell.material.maximum_concentration
    omega = 3.0 * strain.slope(x) / most
    with np.errstate(divide="ignore"):
        ratio = np.square(omega) * solid.bulk_modulus * most / (FARADAY * np.maximum(slope, 0.0))
    return float(ratio.max())
