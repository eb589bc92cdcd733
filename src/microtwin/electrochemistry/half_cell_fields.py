"""Fields of a half cell on the voxels of its image, and numbers by particle and by depth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..numerics.quarters import from_quarters
from .half_cell_model import HalfCell
from .half_cell_state import State
from .interface_current import InterfaceCurrent

__all__ = ["Fields", "ParticleFilling", "depth_profile", "fields", "particle_filling", "reaction"]


@dataclass(frozen=True, eq=False)
class Fields:
    """A state on the voxels of the electrode.

    Attributes
    ----------
    stoichiometry : ndarray of float32, shape (nz, ny, nx)
        NaN but in active material that takes part.
    salt : ndarray of float32
        In mol/m^3; NaN where there is no electrolyte that takes part.
    solid_potential, electrolyte_potential : ndarray of float32
        In V, counted from the collector and against lithium in the same place; NaN elsewhere.
    surface_potential : ndarray of float32
        Of the active material against the electrolyte beside it, in V, in the voxels nearest to the
        interface; NaN elsewhere. Below 0 lithium metal can deposit.
    current_density : ndarray of float32
        Over the interface in the same voxels, in A/m^2, positive where lithium leaves.
    """

    stoichiometry: NDArray[np.float32]
    salt: NDArray[np.float32]
    solid_potential: NDArray[np.float32]
    electrolyte_potential: NDArray[np.float32]
    surface_potential: NDArray[np.float32]
    current_density: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ParticleFilling:
    """How full each particle, or connected piece, of active material is.

    Attributes
    ----------
    volume : ndarray, shape (n,)
        In m^3.
    stoichiometry : ndarray, shape (n,)
        Mean of each.
    depth : ndarray, shape (n,)
        Of the centre from the collector, in m.
    """

    volume: NDArray[np.float64]
    stoichiometry: NDArray[np.float64]
    depth: NDArray[np.float64]


def fields(cell: HalfCell, state: State) -> Fields:
    """Return a state on the voxels of the electrode."""
    grid, shape = cell.grid, cell.grid.shape
    centre = grid.particles > 0
    stoichiometry = _grid(state.lithium / cell.material.maximum_concentration, shape)
    salt = _grid(state.salt[: shape[0]], shape)
    there = grid.wetted
    solid = _grid(state.solid, shape)
    liquid = _grid(
        state.electrolyte[: shape[0]] + cell.concentration_potential(state.salt[: shape[0]]), shape
    )
    index = grid.facets.active_voxel
    weight = np.bincount(index, grid.area, int(np.prod(shape)))

    def beside(values: NDArray[np.float64]) -> NDArray[np.float32]:
        sums = np.bincount(index, grid.area * values, int(np.prod(shape)))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(weight > 0.0, sums / weight, np.nan).reshape(shape).astype(np.float32)

    return Fields(
        np.where(centre, stoichiometry, np.nan).astype(np.float32),
        np.where(there, salt, np.nan).astype(np.float32),
        np.where(centre, solid, np.nan).astype(np.float32),
        np.where(there, liquid, np.nan).astype(np.float32),
        beside(_across(cell, state)),
        beside(state.current),
    )


def reaction(cell: HalfCell, state: State) -> InterfaceCurrent:
    """Return the current over the interface of a state, for hot spots and distributions.

    Its facets have the area that reacts. The overpotential is that of the reaction alone, without
    film and ohmic drop, counted against equilibrium at the surface; the exchange current density is
    that of the present concentrations.
    """
    grid = cell.grid
    eta = _across(cell, state) - cell.tables.potential(state.surface) - cell.potential_shift
    salt = state.salt.reshape(-1)[grid.liquid_place]
    solid = np.clip(state.surface, 0.0, 1.0) * cell.material.maximum_concentration
    j0 = cell.material.exchange_current_density(np.maximum(salt, 0.0), solid)
    facets = replace(grid.facets, area=grid.area)
    return InterfaceCurrent(facets, state.current, eta, j0 * cell.exchange_factor, 0.0)


def particle_filling(
    cell: HalfCell, state: State, labels: NDArray[np.integer] | None = None
) -> ParticleFilling:
    """Return how full each particle of active material is, the largest first.

    Parameters
    ----------
    cell : HalfCell
    state : State
    labels : ndarray of int, shape of the image, optional
        Number of the particle of each voxel, from 1, and 0 elsewhere, as
        `microtwin.imaging.separate_particles` finds them. By default every connected piece counts
        as one. Active material that takes no part is left out either way.

    Returns
    -------
    ParticleFilling

    Raises
    ------
    ValueError
        If the labels have another shape than the image.
    """
    grid = cell.grid
    if labels is not None and labels.shape != grid.shape:
        raise ValueError(
            f"labels of shape {labels.shape} do not fit an image of shape {grid.shape}; give one "
            "number for each voxel of it"
        )
    own = grid.particles if labels is None else np.where(grid.particles > 0, labels, 0)
    number = own.reshape(-1)
    count = int(number.max()) + 1
    volume = _grid(grid.active_volume, grid.shape).reshape(-1).astype(float)
    fill = _grid(state.lithium / cell.material.maximum_concentration, grid.shape).reshape(-1)
    depth = np.repeat(np.arange(grid.shape[0]) + 0.5, np.prod(grid.shape[1:]))
    total = np.asarray(np.bincount(number, volume, count)[1:], float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.asarray(np.bincount(number, volume * fill, count)[1:] / total)
        place = np.asarray(np.bincount(number, volume * depth, count)[1:] / total)
    order = np.argsort(-total, kind="stable")
    order = order[total[order] > 0.0]
    edge = grid.voxel_size[0]
    return ParticleFilling(
        total[order] * float(np.prod(grid.voxel_size)), mean[order], place[order] * edge
    )


def depth_profile(cell: HalfCell, state: State) -> dict[str, NDArray[np.float64]]:
    """Return means over planes parallel to the collector.

    Returns
    -------
    dict of str to ndarray, shape (nz,)
        "depth" in m, "stoichiometry", "salt" in mol/m^3, and "current", the current of the
        interface in each plane per volume of electrode, in A/m^3. NaN in planes without any.
    """
    grid, shape = cell.grid, cell.grid.shape
    volume = grid.active_volume.astype(float)
    liquid = grid.liquid_volume[: shape[0]].astype(float)
    plane = grid.facets.active_voxel // int(np.prod(shape[1:]))
    current = np.bincount(plane, state.current * grid.area, shape[0])
    with np.errstate(invalid="ignore", divide="ignore"):
        fill = (state.lithium * volume).sum(axis=1) / volume.sum(axis=1)
        salt = (state.salt[: shape[0]] * liquid).sum(axis=1) / liquid.sum(axis=1)
    return {
        "depth": (np.arange(shape[0]) + 0.5) * grid.voxel_size[0],
        "stoichiometry": fill / cell.material.maximum_concentration,
        "salt": salt,
        "current": current / (grid.cross_section * grid.voxel_size[0]),
    }


def _grid(values: NDArray, shape: tuple[int, int, int]) -> NDArray:
    return from_quarters(np.ascontiguousarray(values), shape)


def _across(cell: HalfCell, state: State) -> NDArray[np.float64]:
    """Return the potential of the solid against the electrolyte at each facet, in V.

    Below the film, if there is one, and without the way to the values that the facet ties.
    """
    grid = cell.grid
    salt = state.salt.reshape(-1)[grid.liquid_place]
    solid = state.solid.reshape(-1)[grid.solid_place]
    liquid = state.electrolyte.reshape(-1)[grid.liquid_place]
    across = solid - liquid - cell.concentration_potential(salt)
    return np.asarray(across - cell.resistance * state.current)
