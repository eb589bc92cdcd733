"""Steady diffusion of one species that is taken up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..meshing import BOX_FACES
from ..microstructure import Microstructure
from ..numerics import Field, correction
from ..numerics.krylov import ConvergenceError
from .diffusion_grid import DiffusionGrid, diffusion_grid
from .kinetics import VANISHING, Kinetics, ZeroOrder

__all__ = ["Uptake", "solve_uptake"]

MOST_STEPS = 100
REDUCTION = 1e-3  # of the residual in a step of Newton's method


@dataclass(frozen=True, eq=False)
class Uptake:
    """A steady concentration, and what flows and reacts.

    Parameters
    ----------
    concentration : ndarray of float64, shape (nz, ny, nx)
        In mol/m^3; that of a source in it, NaN where the species never is.
    inflow : dict of str to float
        From each source, in mol/s.
    uptake : dict of str to float
        In each phase, in mol/s.
    effectiveness : dict of str to float
        Uptake of each phase over that at the largest concentration of the sources.
    unsupplied : float
        Share of the voxels in which the species could diffuse that no source reaches; there is
        none of it there.
    balance : float
        Inflow less uptake, over the uptake.
    steps, iterations : int
        Of Newton, and of the linear solver in all.
    """

    concentration: NDArray[np.float64] = field(repr=False)
    inflow: dict[str, float]
    uptake: dict[str, float]
    effectiveness: dict[str, float]
    unsupplied: float
    balance: float
    steps: int
    iterations: int


def solve_uptake(
    micro: Microstructure,
    diffusivity: Mapping[str, float],
    uptake: Mapping[str, Kinetics],
    sources: Mapping[str, float],
    *,
    periodic: bool = False,
    tol: float = 1e-9,
    progress: Callable[[int, float], None] | None = None,
) -> Uptake:
    """Return the steady concentration of a species that diffuses and is taken up.

    Parameters
    ----------
    micro : Microstructure
    diffusivity : mapping of str to float
        Of each phase in which the species diffuses, in m^2/s. Nothing enters the other phases.
    uptake : mapping of str to FirstOrder, MichaelisMenten or ZeroOrder
        How phases take it up.
    sources : mapping of str to float
        Phases, such as the medium or vessels, and faces of the box ("z_low" to "x_high") with a
        given concentration, in mol/m^3. Nothing passes the other faces.
    periodic : bool
        Whether the image repeats along all axes.
    tol : float
        Norm of what is out of balance in voxels, over that of the uptake, or of what
        leaves to sources, at the largest concentration.
    progress : callable, optional
        Called as ``progress(step, residual)``.

    Returns
    -------
    Uptake

    Raises
    ------
    ValueError
        If a name or number is not allowed, or nothing supplies the species.
    ConvergenceError
        If Newton's method does not reach the tolerance.

    Notes
    -----
    sum_j g_ij (c_i - c_j) + sum_s g_is (c_i - c_s) + V_i r(c_i) = 0 for voxels i, their neighbours
    j and sources s: finite volumes on the embedded boundary (see `diffusion_grid`). The matrix of
    the links is an M-matrix and rates grow with c, so the solution is unique and not negative.
    Newton's method keeps it so. With uptake of order zero it is the primal-dual active set method
    for the obstacle c >= 0 (Hintermueller, Ito and Kunisch, SIAM J. Optim. 13 (2002) 865).

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> micro = mt.Microstructure(np.ones((40, 2, 2), np.uint8), 1e-6, {"biofilm": 1})
    >>> rate = mt.reactions.FirstOrder(9 * 1e-9 / (40e-6) ** 2)  # a Thiele modulus of 3
    >>> found = mt.reactions.solve_uptake(
    ...     micro, {"biofilm": 1e-9}, {"biofilm": rate}, {"z_high": 0.25}
    ... )
    >>> round(found.effectiveness["biofilm"], 2), round(float(np.tanh(3)) / 3, 2)
    (0.33, 0.33)
    """
    _check(micro, diffusivity, uptake, sources, periodic, tol)
    largest = max(sources.values())
    grid = diffusion_grid(micro, diffusivity, sources, uptake, periodic)
    supply = np.sum(list(grid.supplies.values()), axis=0, dtype=float)
    if not supply.any():
        raise ValueError(
            f"no source ({', '.join(map(repr, sources))}) touches a phase in which the species "
            f"diffuses ({', '.join(map(repr, diffusivity))}); name another source"
        )
    driving = sum(g * float(sources[name]) for name, g in grid.supplies.items())
    c = np.where(grid.there, largest, 0.0)
    alone = max(float(link.max()) for link in grid.links)  # holds what no source reaches at 0
    scale, iterations = 0.0, 0
    for step in range(MOST_STEPS + 1):
        rates = {name: kinetics.rate(c, largest) for name, kinetics in uptake.items()}
        taken = grid.square * sum(grid.volumes[name] * rate for name, rate in rates.items())
        residual = np.where(grid.there, driving - supply * c - grid.outflow(c) - taken, 0.0)
        norm = float(np.sqrt(np.square(residual).sum()))
        if step == 0:  # what would be taken up, or what would leave were there nothing outside
            scale = float(np.sqrt(max(np.square(taken).sum(), np.square(supply * c).sum())))
        if progress is not None:
            progress(step, norm / scale)
        if norm <= tol * scale:
            break
        slope = sum(grid.volumes[name] * law.slope(c, largest) for name, law in uptake.items())
        operator = grid.operator.with_mass(
            grid.operator.load(
                np.where(grid.there, supply + grid.square * slope, alone).astype(np.float32)
            )
        )
        found = correction(
            Field(operator), [operator.load(residual.astype(np.float32))], REDUCTION * norm
        )
        iterations += found.iterations
        c += operator.unload(found.parts[0], np.float64)
        c = np.where(grid.there, np.maximum(c, 0.0), 0.0)
    else:
        raise ConvergenceError(
            f"after {MOST_STEPS} steps of Newton's method {norm / scale:.1e} is out of balance "
            f"(wanted {tol:.1e}); loosen the tolerance"
        )
    unit = float(np.prod(micro.voxel_size)) / grid.square
    inflow = {
        name: unit * float((g * (sources[name] - c)).sum()) for name, g in grid.supplies.items()
    }
    volume = {n: unit * grid.square * float(v.sum(dtype=float)) for n, v in grid.volumes.items()}
    taken_up = {
        name: unit * grid.square * float((grid.volumes[name] * rate).sum())
        for name, rate in rates.items()
    }
    total = sum(taken_up.values())
    most = {name: float(law.rate(np.array(largest), largest)) for name, law in uptake.items()}
    return Uptake(
        _shown(micro, grid, c, sources, any(isinstance(law, ZeroOrder) for law in uptake.values())),
        inflow,
        taken_up,
        {
            name: taken_up[name] / (volume[name] * most[name]) if volume[name] else 0.0
            for name in most
        },
        1.0 - float((grid.there & grid.inside).sum() / grid.inside.sum()),
        (sum(inflow.values()) - total) / total,
        step,
        iterations,
    )


def _shown(
    micro: Microstructure,
    grid: DiffusionGrid,
    c: NDArray[np.float64],
    sources: Mapping[str, float],
    runs_out: bool,
) -> NDArray[np.float64]:
    """Return the concentration with that of sources, and NaN elsewhere."""
    if runs_out:
        c = np.where(c < VANISHING * max(sources.values()), 0.0, c)
    out = np.where(grid.inside, c, np.nan)
    for name, value in sources.items():
        if name in micro.phase_names:
            out[micro.mask(name)] = value
    return out


def _check(
    micro: Microstructure,
    diffusivity: Mapping[str, float],
    uptake: Mapping[str, Kinetics],
    sources: Mapping[str, float],
    periodic: bool,
    tol: float,
) -> None:
    names = micro.phase_names
    for name in [*diffusivity, *uptake]:
        if name not in names:
            raise ValueError(f"there is no phase {name!r}; phases are {', '.join(names)}")
    for name, value in diffusivity.items():
        if not (np.isfinite(value) and value > 0.0):
            raise ValueError(
                f"diffusivity {value!r} of {name!r} is not allowed; give a number above 0 in "
                "m^2/s, or leave out phases that the species does not enter"
            )
    for name in uptake:
        if name not in diffusivity:
            raise ValueError(
                f"{name!r} takes up a species that does not diffuse in it; give its diffusivity"
            )
    if not uptake:
        raise ValueError("no phase takes up the species; give at least one, with its kinetics")
    if not sources:
        raise ValueError("the species has no source; name a phase or a face of the box")
    for name, value in sources.items():
        if name not in names and name not in BOX_FACES:
            raise ValueError(
                f"there is no source {name!r}; use a phase ({', '.join(names)}) or a face of the "
                f"box ({', '.join(BOX_FACES)})"
            )
        if name in diffusivity:
            raise ValueError(
                f"{name!r} cannot be both a source and a phase in which the species diffuses"
            )
        if name in BOX_FACES and periodic:
            raise ValueError(f"a periodic image has no face {name!r}; name a phase as source")
        if not (np.isfinite(value) and value >= 0.0):
            raise ValueError(
                f"concentration {value!r} of {name!r} is not allowed; it is 0 or more, in mol/m^3"
            )
    if not max(sources.values()) > 0.0:
        raise ValueError("all sources have a concentration of 0; give one of them more")
    if not any(micro.mask(name).any() for name in uptake):
        raise ValueError(f"the image holds none of what takes up: {', '.join(map(repr, uptake))}")
    if not 0.0 < tol < 1.0:
        raise ValueError(f"tol {tol!r} is not allowed; it lies between 0 and 1, for example 1e-9")
