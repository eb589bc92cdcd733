"""Stress in an electrode while its active material takes up or gives off lithium.

Lithium moves in minutes and stress in microseconds, so at each time the solids are in equilibrium
with the lithium that is there. What stress does to lithium is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import is_number
from ..mechanics import (
    ElasticImage,
    Swelling,
    averaged_stress,
    exceedance_probability,
    image_growth,
    von_mises,
    weighted_percentiles,
)
from ..microstructure import Microstructure
from .lithium_strain import LithiumStrain

__all__ = ["Criterion", "StrainOf", "StressState", "stress_along"]

Field = NDArray[np.floating]
StrainOf = float | Callable[[NDArray[np.float64]], NDArray[np.float64]]
Criterion = Callable[[NDArray[np.float64]], NDArray[np.float64]]

SHARES = (0.5, 0.95, 0.99)
BEYOND = 0.05  # of a stoichiometry: by how much the solution of a diffusion may leave its range


@dataclass(frozen=True, eq=False)
class StressState:
    """The stress at one time of a discharge.

    Components have the order (zz, yy, xx, yx, zx, zy).

    Parameters
    ----------
    number : int
        Which of the states, from 0.
    mean_stoichiometry : float
        Over the active material that takes part.
    thickness_change : float or None
        Growth along z since there was no stress, in m; None where a face is free and has no solid.
    mean_stress : ndarray, shape (6,)
        Over the whole volume, void included, in Pa; positive where it pulls.
    energy : float
        Elastic energy over the volume of the image, in J/m^3.
    percentiles : dict of str to dict of float to float
        Of the von Mises stress, averaged within the phase, in Pa: by phase and share of its volume
        that bears no more. Empty without a length.
    failing : dict of str to float
        Share of each phase with a criterion in which it is above 1.
    reading : object
        What `read` returned.
    iterations : int
        Of the solver.
    swelling : Swelling
        The fields. They take about 70 bytes per voxel, so do not keep many.
    """

    number: int
    mean_stoichiometry: float
    thickness_change: float | None
    mean_stress: NDArray[np.float64]
    energy: float
    percentiles: dict[str, dict[float, float]]
    failing: dict[str, float]
    reading: Any
    iterations: int
    swelling: Swelling = field(repr=False)

    @property
    def pressure(self) -> float:
        """Mean pressure through the thickness, in Pa: what a frame bears that holds it."""
        return -float(self.mean_stress[0])


def stress_along(
    image: ElasticImage,
    stoichiometries: Iterable[Field],
    strain_of: StrainOf,
    *,
    reference: float,
    active: str = "active",
    idle: float | None = None,
    others: Mapping[str, float | ArrayLike] | None = None,
    length: float | None = None,
    shares: Sequence[float] = SHARES,
    criteria: Mapping[str, Criterion] | None = None,
    read: Callable[[Swelling], Any] | None = None,
    tol: float = 1e-4,
    progress: Callable[[int, float], None] | None = None,
) -> Iterator[StressState]:
    """Return the stress at one state of lithium after the other, each solved when asked for.

    Parameters
    ----------
    image : ElasticImage
        It keeps what solutions have in common, so states that follow each other are cheap.
    stoichiometries : iterable of ndarray, shape (nz, ny, nx)
        As `electrochemistry.fields` gives them. NaN in active material stands for what takes no
        part; outside of it nothing is read.
    strain_of : float or callable
        Linear strain of the active material per unit of stoichiometry, or as a function of it such
        as `LithiumStrain`.
    reference : float
        Stoichiometry at which there is no stress: where the electrode was made, if it did not
        yield or crack since.
    active : str
        The phase that takes up lithium.
    idle : float, optional
        Stoichiometry of active material that takes no part; by default the reference.
    others : mapping of str to float or array, optional
        Eigenstrains of other phases, the same in all states.
    length : float, optional
        Over which stress is averaged within each phase, in m; without it there are no percentiles.
    shares : sequence of float
        Of the percentiles.
    criteria : mapping of str to callable, optional
        By phase, what makes an index of failure, shape (n,), of its averaged stress, shape (6, n),
        such as `lambda stress: drucker_prager_index(stress, cone)`. Needs a length.
    read : callable, optional
        Called with the `Swelling` of each state; what it returns is kept.
    tol, progress
        As in `ElasticImage.swell`.

    Returns
    -------
    iterator of StressState

    Raises
    ------
    ValueError
        If a name or number is not allowed; where a state is asked for, if its field is not.
    ConvergenceError
        If the solver does not reach the tolerance.

    Examples
    --------
    A single crystal that may swell as it likes bears no stress:

    >>> import microtwin as mt
    >>> import numpy as np
    >>> micro = mt.Microstructure(np.ones((6, 6, 6), np.uint8), 1e-6, {"active": 1})
    >>> image = mt.mechanics.ElasticImage(micro, {"active": mt.mechanics.isotropic(1e11, 0.25)})
    >>> fields = [np.full(micro.shape, x) for x in (0.4, 0.9)]
    >>> along = mt.degradation.stress_along(image, fields, 0.02, reference=0.4, tol=1e-6)
    >>> states = list(along)
    >>> [round(1e6 * state.thickness_change, 6) for state in states]
    [0.0, 0.06]
    >>> bool(abs(states[1].swelling.stress).max() < 1e4)  # Pa
    True
    """
    micro = image.micro
    others = dict(others or {})
    _require(micro, image.names, active, others, criteria, length)
    strain = strain_of if callable(strain_of) else LithiumStrain.linear(strain_of)
    nothing = float(_strains(strain, np.array([float(reference)]))[0])
    here, rest = micro.mask(active), reference if idle is None else idle

    def state(number: int, given: Field) -> StressState:
        x = _within(micro, given, here)
        known = np.isfinite(x)
        if not known.any():
            raise ValueError(
                f"state {number} has no stoichiometry in {active!r}; give numbers where lithium is"
            )
        own = np.zeros(micro.shape, np.float32)
        own[here] = _strains(strain, np.where(known, x, rest)) - nothing
        found = image.swell({**others, active: own}, tol=tol, progress=progress)
        grown = image_growth(micro, image.names, found)
        stresses = {} if length is None else _averaged(micro, image.names, found, length)
        return StressState(
            number,
            float(x[known].mean()),
            None if grown is None else grown * micro.extent[0],
            found.mean_stress,
            found.energy,
            {
                name: weighted_percentiles(von_mises(stress), None, tuple(shares))
                for name, stress in stresses.items()
            },
            {
                name: exceedance_probability(index(stresses[name])).share
                for name, index in (criteria or {}).items()
                if name in stresses
            },
            None if read is None else read(found),
            found.iterations,
            found,
        )

    return (state(number, given) for number, given in enumerate(stoichiometries))


def _strains(
    strain: Callable[[NDArray], NDArray], stoichiometry: NDArray[np.float64]
) -> NDArray[np.float64]:
    found = np.asarray(strain(stoichiometry), float)
    if found.shape != stoichiometry.shape or not np.isfinite(found).all():
        raise ValueError(
            "the strain of a stoichiometry is no finite number, or there is not one for each; give "
            "a function of arrays"
        )
    return found


def _within(micro: Microstructure, given: Field, here: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the stoichiometry of each voxel of the active material, from 0 to 1 or NaN."""
    x = np.asarray(given)
    if x.shape != micro.shape or x.dtype.kind not in "fiu":
        raise ValueError(
            f"a stoichiometry of shape {x.shape} does not fit an image of shape {micro.shape}; "
            "give one number for each voxel"
        )
    found = x[here].astype(float)
    if ((found < -BEYOND) | (found > 1.0 + BEYOND)).any():
        raise ValueError(
            f"stoichiometries from {np.nanmin(found):.4g} to {np.nanmax(found):.4g} are not "
            "allowed; they lie between 0 and 1, or are NaN where material is idle"
        )
    return np.clip(found, 0.0, 1.0)


def _require(
    micro: Microstructure,
    names: Sequence[str],
    active: str,
    others: Mapping[str, Any],
    criteria: Mapping[str, Criterion] | None,
    length: float | None,
) -> None:
    for name in (active, *others, *(criteria or ())):
        micro.label(name)
        if name not in names:
            raise ValueError(f"phase {name!r} has no material; give it one in the ElasticImage")
    if active in others:
        raise ValueError(
            f"{active!r} swells with its lithium; leave it out of the other eigenstrains"
        )
    if not micro.mask(active).any():
        raise ValueError(f"the image has no {active!r}, so nothing takes up lithium")
    if criteria and length is None:
        raise ValueError("criteria of failure are of an averaged stress; give a length, in m")
    if length is not None and not (is_number(length) and length > 0.0):
        raise ValueError(f"length {length!r} is not allowed; give metres above 0")


def _averaged(
    micro: Microstructure, names: Sequence[str], found: Swelling, length: float
) -> dict[str, NDArray[np.float64]]:
    """Return the averaged stress of each solid phase that is there, shape (6, n)."""
    # Corners follow the last voxel along axes that are not periodic.
    periodic = found.displacement.shape[1:] == micro.shape
    stresses = {}
    for name in names:
        mask = micro.mask(name)
        if mask.any():
            own = averaged_stress(found.stress, mask, length, micro.voxel_size, periodic=periodic)
            stresses[name] = own[:, mask]
    return stresses
