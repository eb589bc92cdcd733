"""Tracers in flows that are known, computed and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ..generation import gaussian_field
from ..trust.verification import Case
from .breakthrough_curve import Breakthrough, grid_breakthrough
from .closure import Dispersion, grid_dispersion
from .column_solution import ogata_banks
from .image_tracer import flow_grid
from .parallel_flows import (
    duct_dispersion,
    even_column,
    plane_channel,
    round_tube,
    square_duct,
    wave_dispersion,
    waves,
)
from .permeability import permeability
from .tortuosity import tortuosity_factor
from .tracer_grids import TracerGrid

__all__ = ["CASES"]

PECLET = 100.0  # with half the width, or the radius
WAVE = 32 / (2.0 * np.pi)  # voxels: one over the wave number
COLUMN = 150  # voxels
COLUMN_PECLET = 100.0


def _longitudinal(flow: Callable[[int], TracerGrid], width: int) -> float:
    return float(grid_dispersion(flow(width), PECLET, 0.5 * width).longitudinal[0])


def _order(flow: Callable[[int], TracerGrid], exact: float) -> float:
    """Return the observed order between 16 and 64 voxels across."""
    coarse, fine = (abs(_longitudinal(flow, n) - exact) for n in (16, 64))
    return float(np.log2(coarse / fine) / 2.0)


def _tube(width: int) -> TracerGrid:
    return round_tube(0.5 * width)


def _in_waves(component: tuple[int, int], skew: bool) -> float:
    """Return a component of the tensor in waves of 32 voxels at Pe = 20."""
    found = grid_dispersion(waves(32, 2.0, skew), 20.0, WAVE, tol=1e-8)
    return float(found.relative_tensor[0][component])


def _exact_in_waves(component: tuple[int, int], skew: bool) -> float:
    return float(wave_dispersion(32, 2.0, WAVE / 20.0, skew)[component])


def _random_flow(reverse: bool = False, peclet: float = 20.0) -> Dispersion:
    """Return the dispersion in a random image, in its flow or in that turned round."""
    micro = gaussian_field(20, 2.0, 0.55, seed=2)
    grid = flow_grid(micro, permeability(micro, "pore", tol=1e-6))
    if reverse:
        grid = replace(grid, flows=tuple(-q for q in grid.flows))
    return grid_dispersion(grid, peclet, 4.0 * micro.voxel_size[0], tol=1e-8)


def _at_rest() -> float:
    found = _random_flow(peclet=0.0)
    return found.volume_fraction * float(found.relative_tensor[0, 0, 0])


def _diffusivity() -> float:
    micro = gaussian_field(20, 2.0, 0.55, seed=2)
    return tortuosity_factor(micro, "pore", boundary="periodic", tol=1e-6).relative_diffusivity


def _asymmetry() -> float:
    one, other = _random_flow().relative_tensor[0], _random_flow(True).relative_tensor[0]
    return float(np.abs(one - other.T).max() / np.abs(one).max())


def _column(**options: float) -> Breakthrough:
    return grid_breakthrough(even_column(COLUMN), COLUMN / COLUMN_PECLET, **options)  # type: ignore[arg-type]


def _difference(retardation: float) -> float:
    found = _column(retardation=retardation)
    exact = ogata_banks(COLUMN, found.times, 1.0, COLUMN / COLUMN_PECLET, retardation)
    return float(np.abs(found.concentration - exact).max())


def _residence(power: int) -> float:
    """Return the mean (1) or the variance (2) of the residence time, in pore volumes."""
    found = _column()
    missing = 1.0 - found.concentration
    step = found.pore_volumes[1] - found.pore_volumes[0]
    mean = float(missing.sum() * step)
    if power == 1:
        return mean
    return float(2.0 * (missing * found.pore_volumes).sum() * step) - mean**2


def _closed_variance() -> float:
    p = COLUMN_PECLET
    return 2.0 / p - 2.0 * (1.0 - np.exp(-p)) / p**2


CASES = (
    *(
        case
        for name, flow, exact, limit, order, spread, source in (
            (
                "between plates",
                plane_channel,
                1.0 + 2.0 / 105.0 * PECLET**2,
                1e-3,
                4.0,
                0.3,
                "Taylor 1953, Aris 1956: 1 + 2 Pe^2 / 105",
            ),
            (
                "in a square duct",
                square_duct,
                duct_dispersion(2.0 * PECLET),
                2e-3,
                2.0,
                0.4,
                "series, Chatwin & Sullivan 1982",
            ),
            (
                "in a round tube",
                _tube,
                1.0 + PECLET**2 / 48.0,
                1e-2,
                2.0,
                0.2,
                "Taylor 1953, Aris 1956: 1 + Pe^2 / 48",
            ),
        )
        for case in (
            Case(
                name=f"exact flow {name}, 16 voxels across, Pe = {PECLET:g}",
                quantity="longitudinal dispersion over the diffusivity",
                reference=exact,
                compute=partial(_longitudinal, flow, 16),
                limit=limit,
                source=source,
            ),
            Case(
                name=f"exact flow {name}, from 16 to 64 voxels across, Pe = {PECLET:g}",
                quantity="observed order of convergence",
                reference=order,
                compute=partial(_order, flow, exact),
                limit=spread,
                source="second order, fourth between plates",
                relative=False,
            ),
        )
    ),
    *(
        Case(
            name=f"stream that carries waves of 32 voxels {where}, Pe = 20",
            quantity=f"component {label} of the dispersion over the diffusivity",
            reference=partial(_exact_in_waves, component, skew),
            compute=partial(_in_waves, component, skew),
            limit=limit,
            source="exact, one Fourier mode",
        )
        for where, label, component, skew, limit in (
            ("along it", "xx", (2, 2), False, 0.02),
            ("along it", "yx, antisymmetric", (1, 2), False, 0.005),
            ("at an angle", "xx", (2, 2), True, 0.01),
        )
    ),
    Case(
        name="flow through a random image, Pe = 0",
        quantity="dispersion times the volume fraction, over the diffusivity",
        reference=_diffusivity,
        compute=_at_rest,
        limit=1e-5,
        source="steady diffusion through the same image",
    ),
    Case(
        name="flow through a random image and back, Pe = 20",
        quantity="largest difference of the tensor and the other one transposed, over the largest",
        reference=0.0,
        compute=_asymmetry,
        limit=1e-5,
        source="reciprocity",
        relative=False,
    ),
    *(
        Case(
            name=f"column of {COLUMN} voxels, column Péclet number {COLUMN_PECLET:g}, "
            f"R = {retardation:g}",
            quantity="largest difference of the breakthrough curve",
            reference=0.0,
            compute=partial(_difference, retardation),
            limit=0.01,
            source="Ogata & Banks 1961",
            relative=False,
        )
        for retardation in (1.0, 2.5)
    ),
    *(
        Case(
            name=f"column of {COLUMN} voxels, column Péclet number {COLUMN_PECLET:g}",
            quantity=f"{noun} of the residence time, pore volumes",
            reference=reference,
            compute=partial(_residence, power),
            limit=limit,
            source=source,
        )
        for noun, power, reference, limit, source in (
            ("mean", 1, 1.0, 1e-3, "exact"),
            ("variance", 2, _closed_variance, 0.01, "Levenspiel & Smith 1957, closed column"),
        )
    ),
    Case(
        name=f"column of {COLUMN} voxels, decay at a tenth of a pore volume per time",
        quantity="tracer that is unaccounted for, over what has entered",
        reference=0.0,
        compute=lambda: abs(_column(decay=0.1 / COLUMN).balance),
        limit=1e-10,
        source="conservation",
        relative=False,
    ),
)
