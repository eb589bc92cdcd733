"""Impedance of a half cell on the image of an electrode (see `small_signal` for its equations)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checking import checked_frequencies, is_number
from ..numerics import ConvergenceError
from .half_cell_model import HalfCell
from .small_signal import SmallSignal

__all__ = ["HalfCellImpedance", "half_cell_impedance"]

LOWEST, HIGHEST, PER_DECADE = 1e-3, 1e5, 3  # Hz
AT_REST = 0.05  # of the exchange current: less over the interface counts as none


@dataclass(frozen=True, eq=False)
class HalfCellImpedance:
    """Impedance of a half cell.

    Parameters
    ----------
    frequencies : ndarray, shape (n,)
        In Hz.
    impedance : ndarray of complex128, shape (n,)
        For the area of the collector, in ohm m^2; the lithium electrode included.
    lithium_resistance : float
        What the reaction at the lithium electrode adds to it, in ohm m^2.
    double_layer_capacitance : float
        In F per m^2 of reacting interface.
    iterations : tuple of int
        Of the solver, at each frequency.
    """

    frequencies: NDArray[np.float64] = field(repr=False)
    impedance: NDArray[np.complex128] = field(repr=False)
    lithium_resistance: float
    double_layer_capacitance: float
    iterations: tuple[int, ...] = field(repr=False)


def half_cell_impedance(
    cell: HalfCell,
    frequencies: ArrayLike | None = None,
    *,
    double_layer_capacitance: float = 0.2,
    watch: Callable[[float, complex], None] | None = None,
) -> HalfCellImpedance:
    """Compute the impedance of a half cell at its present state.

    Parameters
    ----------
    cell : HalfCell
        At rest: as it was made, or after a `Rest`.
    frequencies : sequence of float, optional
        In Hz; by default three in each decade from 10^-3 to 10^5.
    double_layer_capacitance : float
        In F per m^2 of reacting interface.
    watch : callable, optional
        Called with each frequency, in Hz, and its impedance.

    Returns
    -------
    HalfCellImpedance

    Raises
    ------
    ValueError
        If a number is not allowed, or a current flows through the cell or within it.
    ConvergenceError
        If the equations at a frequency are not solved.

    Notes
    -----
    Reactions are linear about equilibrium, with r_ct = R T / (F j_0). The double layer is charged
    by lithium ions. Lithium metal has no double layer.
    """
    capacitance = double_layer_capacitance
    if not (is_number(capacitance) and capacitance >= 0.0):
        raise ValueError(
            f"double_layer_capacitance {capacitance!r} is not allowed; give 0 or more, in F/m^2"
        )
    if frequencies is None:
        count = round(PER_DECADE * np.log10(HIGHEST / LOWEST)) + 1
        given = np.geomspace(HIGHEST, LOWEST, count)
    else:
        given = checked_frequencies(frequencies)
    if cell.state.applied != 0.0:
        raise ValueError(
            f"a current of {cell.state.applied:.3g} A flows through the cell; take it through a "
            "Rest first"
        )
    system = SmallSignal(cell, float(capacitance))
    flowing, exchange = (
        float(np.sqrt(np.square(i) @ cell.grid.area / cell.area))
        for i in (cell.state.current, system.exchange_current)
    )
    if flowing > AT_REST * exchange:
        raise ValueError(
            f"currents of {flowing:.3g} A/m^2 still flow between parts of the interface, where the "
            f"exchange current is {exchange:.3g} A/m^2; let the cell rest longer"
        )
    found = []
    for f in given:
        try:
            found.append(system.at(2.0 * np.pi * f))
        except ConvergenceError as problem:
            raise ConvergenceError(
                f"at {f:g} Hz {problem}; leave this frequency out, or make the voxels smaller"
            ) from None
        if watch is not None:
            watch(float(f), found[-1][0])
    return HalfCellImpedance(
        given,
        np.array([z for z, _ in found]),
        system.lithium_resistance,
        float(capacitance),
        tuple(count for _, count in found),
    )
