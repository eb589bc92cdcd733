"""Impedance of an imaged electrode in a symmetric cell whose electrodes block the reaction.

The measurement that gives the ionic resistance of a real electrode (Landesfeind et al., J.
Electrochem. Soc. 163 (2016) A1373), on the image: ions move in the pores, and charge the double
layer on their walls; nothing reacts. Electrons find no resistance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import checked_frequencies, is_number
from ..connectivity import reaching_clusters
from ..geometry import (
    PhaseGeometry,
    facet_areas,
    set_apart,
    smooth_geometry,
    voxel_geometry,
)
from ..microstructure import Direction, Microstructure, axis_index
from ..numerics import ComplexField, GridOperator, PlaneField
from .options import Interface, check_options
from .transmission_line import fit_transmission_line, transmission_line

__all__ = ["Impedance", "blocking_impedance"]

PER_DECADE = 5
# Default frequencies, over the one that belongs to the resistance and the capacitance.
LOWEST, HIGHEST = 1e-2, 1e2
DEEP = 10.0  # multiple of it up to which the impedance tells of the whole electrode
FINEST = 1e-11  # tolerance below which rounding decides


@dataclass(frozen=True, eq=False)
class Impedance:
    """Impedance of one electrode with ideally blocking, charged walls.

    A symmetric cell of two such electrodes has twice this impedance and that of its separator.

    Parameters
    ----------
    phase, direction, interface : str
        What was computed.
    frequencies : ndarray, shape (n,)
        In Hz.
    impedance : ndarray of complex128, shape (n,)
        For the area of the collector, in ohm m^2.
    low_frequency_resistance : float
        Real part at frequency 0, in ohm m^2: there all of the interface is charged evenly.
    ionic_resistance : float
        R_ion, three times that, in ohm m^2.
    capacitance : float
        Of the area that is charged, for the area of the collector, in F/m^2.
    tortuosity_factor : float
        R_ion conductivity volume_fraction / thickness.
    volume_fraction : float
        Fraction of the image that the phase fills by the geometry used.
    connected_fraction : float
        Share of the voxels of the phase that are connected to the separator.
    thickness : float
        In m.
    conductivity : float
        Of the phase, in S/m.
    iterations : tuple of int
        Of the solver, at each frequency.
    """

    phase: str
    direction: Direction
    interface: Interface
    frequencies: NDArray[np.float64] = field(repr=False)
    impedance: NDArray[np.complex128] = field(repr=False)
    low_frequency_resistance: float
    ionic_resistance: float
    capacitance: float
    tortuosity_factor: float
    volume_fraction: float
    connected_fraction: float
    thickness: float
    conductivity: float
    iterations: tuple[int, ...] = field(repr=False)

    @property
    def characteristic_frequency(self) -> float:
        """1 / (2 pi R_ion C), in Hz: below it the whole depth is charged, above it a part."""
        return 1.0 / (2.0 * np.pi * self.ionic_resistance * self.capacitance)

    def transmission_line(self) -> NDArray[np.complex128]:
        """Return the impedance of a transmission line with the same R_ion and capacitance."""
        return transmission_line(self.frequencies, self.ionic_resistance, self.capacitance)

    def fitted_resistance(self) -> float:
        """Return R_ion as one would read it from a measurement: fitted to a transmission line.

        Frequencies above ten times the characteristic one are left out: there the current does not
        reach much deeper than a pore is wide.

        Raises
        ------
        ValueError
            If fewer than 3 frequencies are left, or they lie on one side of the characteristic
            frequency.
        """
        deep = self.frequencies <= DEEP * self.characteristic_frequency
        line = fit_transmission_line(self.frequencies[deep], self.impedance[deep], series=0.0)
        return line.resistance


def blocking_impedance(
    micro: Microstructure,
    phase: str = "pore",
    frequencies: ArrayLike | None = None,
    *,
    conductivity: float = 1.0,
    capacitance: float = 0.1,
    solids: Sequence[str] | None = None,
    direction: Direction = "z",
    interface: Interface = "smooth",
    tol: float = 1e-6,
    watch: Callable[[float, complex], None] | None = None,
) -> Impedance:
    """Compute the impedance of an imaged electrode that is charged but does not react.

    Parameters
    ----------
    micro : Microstructure
        Its low end is the current collector, through which no ions pass; its high end touches the
        separator, a plane of one potential. No ions pass the sides.
    phase : str
        Holds the electrolyte.
    frequencies : sequence of float, optional
        In Hz; by default five in each decade, from 1/100 to 100 times the frequency that belongs
        to the resistance and the capacitance.
    conductivity : float
        Of the electrolyte in the phase, in S/m.
    capacitance : float
        Of the double layer, in F per m^2 of interface.
    solids : sequence of str, optional
        Phases whose surface is charged; by default all others. They conduct perfectly, and all of
        them is at one potential.
    direction : {"z", "y", "x"}
        From the collector to the separator.
    interface : {"smooth", "voxel"}
        ``smooth``: the interface is rebuilt within the voxels. ``voxel``: staircase, whose area,
        and with it the capacitance, is about half as large again as it should be.
    tol : float
        Norm of the residual over that of the right-hand side; the relative error of the
        impedance is smaller.
    watch : callable, optional
        Called with each frequency, in Hz, and its impedance.

    Returns
    -------
    Impedance

    Raises
    ------
    ValueError
        For unknown names and values that are not allowed, or if the phase that is connected to the
        separator has no charged surface.
    ConvergenceError
        If the solver does not reach the tolerance.

    Notes
    -----
    Solves div(kappa grad u) = 0 with kappa du/dn = j w c (V - u) on the interface, u = 0 at the
    separator, and V the potential of the solid. The unknown is q, with V - u = V (1 - j w c q / k)
    for the conductivity k. Its right-hand side does not depend on the frequency, and no digits are
    lost at low ones. The collector itself is not charged.

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> labels = np.ones((32, 4, 8), np.uint8)
    >>> labels[:, :2] = 0
    >>> micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "solid": 1})
    >>> z = mt.transport.blocking_impedance(micro, frequencies=[1.0, 1e3])
    >>> round(z.tortuosity_factor, 2)
    1.0
    """
    check_options("faces", interface, tol)
    _check_positive(conductivity, "conductivity", "S/m")
    _check_positive(capacitance, "capacitance", "F/m^2")
    axis = axis_index(direction)
    charged = _charged(micro, phase, solids)
    given = None if frequencies is None else checked_frequencies(frequencies)
    inside = np.ascontiguousarray(np.moveaxis(micro.labels == micro.label(phase), axis, 0))
    clusters = reaching_clusters(inside, 0, -1)
    if not clusters.any():
        raise ValueError(
            f"no {phase!r} is connected to the separator at the high end of {direction}; turn the "
            "image, or name another phase"
        )
    build = smooth_geometry if interface == "smooth" else voxel_geometry
    geometry = build(inside.view(np.uint8), 1, clusters)
    linked = _linked(geometry.faces) | (clusters > 0)
    facets = _facets if interface == "smooth" else _staircase
    lost = np.moveaxis(inside & (clusters == 0), 0, axis)
    # What is connected to nothing must not share in the measured area of the rest.
    area = _held(facets(set_apart(micro, lost), phase, charged, axis), inside, clusters, linked)
    whole = float(area.sum(dtype=float))
    if whole == 0.0:
        raise ValueError(
            f"{phase!r} that is connected to the separator touches none of {', '.join(charged)}, "
            "so no surface is charged; name the solids that it touches"
        )
    sizes = [micro.voxel_size[axis], *(h for a, h in enumerate(micro.voxel_size) if a != axis)]
    unit = geometry.unit * float(np.prod(sizes)) / sizes[0] ** 2  # m
    operator = _operator(geometry, sizes)
    source = operator.load(area / unit).astype(complex)
    section = float(np.prod(sizes[1:]) * np.prod(inside.shape[1:]))
    weight = area.sum(dtype=float) / unit

    def charging_length(wave: float, loss: float) -> tuple[complex, int]:
        """Return the mean of q over the surface, in m, at a w c / kappa in 1/m.

        So many times its error is that of the impedance.
        """
        solver = ComplexField(operator, wave * source.real)
        solution = solver.solve(source, max(tol / loss, FINEST))
        return complex((source.real * solution.values).sum() / weight), solution.iterations

    still, _ = charging_length(0.0, 1.0)
    # Resistance of the whole for the area of the collector, from a length.
    per_length = section / (conductivity * whole)
    low = still.real * per_length
    total = capacitance * whole / section
    if given is None:
        middle = 1.0 / (2.0 * np.pi * 3.0 * low * total)
        count = round(PER_DECADE * np.log10(HIGHEST / LOWEST)) + 1
        given = middle * np.geomspace(LOWEST, HIGHEST, count)
    values, iterations = np.empty(len(given), complex), []
    for k, frequency in enumerate(given):
        angular = 2.0 * np.pi * frequency
        wave = angular * capacitance / conductivity
        # At high frequency 1 - j w c q / k is a small difference.
        length, count = charging_length(wave, max(1.0, wave * still.real))
        iterations.append(count)
        values[k] = 1.0 / (1j * angular * total)
        values[k] += per_length * length / (1.0 - 1j * wave * length)
        if watch is not None:
            watch(float(frequency), complex(values[k]))
    thickness = micro.extent[axis]
    return Impedance(
        phase=phase, direction=direction, interface=interface, frequencies=given, impedance=values,
        low_frequency_resistance=low, ionic_resistance=3.0 * low, capacitance=total,
        tortuosity_factor=3.0 * low * conductivity * geometry.volume_fraction / thickness,
        volume_fraction=geometry.volume_fraction,
        connected_fraction=float(np.count_nonzero(clusters) / np.count_nonzero(inside)),
        thickness=thickness, conductivity=float(conductivity), iterations=tuple(iterations),
    )  # fmt: skip


def _check_positive(value: float, noun: str, unit: str) -> None:
    if not (is_number(value) and value > 0.0):
        raise ValueError(f"{noun} {value!r} is not allowed; give a number above 0, in {unit}")


def _charged(micro: Microstructure, phase: str, solids: Sequence[str] | None) -> list[str]:
    micro.label(phase)
    if solids is None:
        return [name for name in micro.phase_names if name != phase]
    names = [solids] if isinstance(solids, str) else list(solids)
    for name in names:
        micro.label(name)
    if phase in names or not names:
        raise ValueError(
            f"solids {solids!r} are not allowed; name one or more phases other than {phase!r}"
        )
    return list(dict.fromkeys(names))


def _operator(geometry: PhaseGeometry, sizes: Sequence[float]) -> GridOperator:
    """Return the operator whose potential is 0 on the outer face at the high end."""
    high = np.float32(2.0) * geometry.outer[1]
    ends = PlaneField.outer(np.zeros_like(high), high, geometry.faces[0].shape[0])
    weights = tuple((sizes[0] / h) ** 2 for h in sizes)
    return GridOperator(geometry.faces, weights, ends)  # type: ignore[arg-type]


def _linked(faces: Sequence[NDArray]) -> NDArray[np.bool_]:
    """Return which voxels have an open face."""
    there = np.zeros(faces[0].shape, bool)
    for axis, face in enumerate(faces):
        there |= (face > 0) | (np.roll(face, 1, axis) > 0)
    return there


def _facets(
    micro: Microstructure, phase: str, solids: Sequence[str], axis: int
) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return voxels, shape (n, 3), and area vectors out of the phase, with the axis in front."""
    order = [axis, *(a for a in range(3) if a != axis)]
    found = []
    for facets in facet_areas(micro, [(phase, solid) for solid in solids]):
        index = np.stack(np.unravel_index(facets.voxel, micro.shape), axis=1)
        # Of a facet on a face that the phase lies behind, the voxel after it holds the phase.
        behind = (facets.shift > 0.0) & (facets.vector < 0.0)
        found.append(((index + behind)[:, order], facets.vector[:, order]))
    return found


def _staircase(
    micro: Microstructure, phase: str, solids: Sequence[str], axis: int
) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    mine = np.moveaxis(micro.mask(phase), axis, 0)
    others = np.moveaxis(micro.mask(solids), axis, 0)
    order = [axis, *(a for a in range(3) if a != axis)]
    faces = (np.prod(micro.voxel_size) / np.array(micro.voxel_size))[order]
    found = []
    for along in range(3):
        for step, end in ((-1, -1), (1, 0)):
            meets = mine & np.roll(others, step, along)
            np.moveaxis(meets, along, 0)[end] = False
            index = np.argwhere(meets)
            vector = np.zeros((len(index), 3))
            vector[:, along] = -step * faces[along]
            found.append((index, vector))
    return found


def _held(
    facets: list[tuple[NDArray[np.int64], NDArray[np.float64]]],
    inside: NDArray[np.bool_],
    clusters: NDArray[np.integer],
    linked: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the area that each voxel charges, in m^2.

    A voxel whose piece of the phase is too small to have links leaves its facet to the voxel of
    the phase that lies farthest inwards among its neighbours. What belongs to clusters that are
    not connected to the separator is left out.
    """
    area = np.zeros(inside.shape)
    shape = np.array(inside.shape)
    for index, vector in facets:
        size = np.linalg.norm(vector, axis=1)
        place = np.ravel_multi_index(tuple(index.T), inside.shape)
        own = linked.reshape(-1)[place]
        np.add.at(area.reshape(-1), place[own], size[own])
        lost = ~own & ~inside.reshape(-1)[place]
        index, vector, size = index[lost], vector[lost], size[lost]
        best, found = np.full(len(size), -np.inf), np.full(len(size), -1)
        for step in np.ndindex(3, 3, 3):
            offset = np.array(step) - 1
            if not offset.any():
                continue
            there = index + offset
            near = np.ravel_multi_index(tuple(np.clip(there, 0, shape - 1).T), inside.shape)
            score = -(vector @ offset) / (size * np.linalg.norm(offset))
            better = ((there >= 0) & (there < shape)).all(axis=1) & (score > best)
            better &= clusters.reshape(-1)[near] > 0
            best[better], found[better] = score[better], near[better]
        np.add.at(area.reshape(-1), found[found >= 0], size[found >= 0])
    return area
