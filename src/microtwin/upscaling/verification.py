"""Equal spheres, discharged on the image and in the half cell of PyBaMM.

Spheres stand in a column, on necks of binder that conduct electrons and cover a thousandth of
their surface; at the sides the image is a mirror, so the column is one of a square array. A
homogenised model with the porosity, tortuosity factor, area and radius of the image is right for
them, but for what differs between the sides of a sphere.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from math import sqrt

import numpy as np

from ..electrochemistry import HalfCellRun, discharge
from ..microstructure import Microstructure
from ..transport import tortuosity_factor
from ..trust import Case
from .electrode_parameters import ElectrodeParameters
from .pybamm_parameters import half_cell_parameters, model_options, pybamm_for_cells

__all__ = ["CASES", "column_of_spheres", "difference_to_pybamm"]

RADIUS = 5e-6  # m
CHEMISTRY, SIGMA = "Chen2020", 10.0  # S/m, so that the solid has one potential
CUT_OFF = 3.5  # V; below, the voltage falls off and says when, not how much
POINTS = {"x_n": 5, "x_s": 20, "x_p": 40, "r_n": 5, "r_p": 80}


def column_of_spheres(radius: int, count: int = 5) -> Microstructure:
    """Return equal spheres of 5 um in a column, their radius in voxels."""
    width = 2 * radius + max(2, radius // 8)
    z = np.arange(count * width) + 0.5
    x = np.arange(width) + 0.5 - 0.5 * width
    along = z % width - 0.5 * width
    around = x[:, None] ** 2 + x**2
    labels = (along[:, None, None] ** 2 + around < radius**2).astype(np.uint8)
    neck = around < max(1.5, radius / 10) ** 2
    labels[(labels == 0) & neck] = 2
    return Microstructure(labels, RADIUS / radius, {"pore": 0, "active": 1, "binder": 2})


def _parameters(micro: Microstructure, run: HalfCellRun) -> ElectrodeParameters:
    volume = float(np.prod(micro.extent))
    pores = tortuosity_factor(micro, "pore", direction="z", boundary="faces")
    active = run.cell.grid.amount / volume
    return ElectrodeParameters.from_numbers(
        thickness=micro.extent[0],
        porosity=pores.volume_fraction,
        active_fraction=active,
        liquid_transport_efficiency=pores.relative_diffusivity,
        specific_surface=run.cell.area / volume,
        particle_radius=RADIUS,
        solid_conductivity=SIGMA,
        source="the column of spheres",
    )


def difference_to_pybamm(radius: int, c_rate: float, model: str = "DFN", count: int = 5) -> float:
    """Return the root mean square difference of the voltage on the image and in PyBaMM, in V.

    Over the time until the voltage is down to 3.5 V.

    Parameters
    ----------
    radius : int
        Of the spheres, in voxels.
    c_rate : float
    model : {"DFN", "SPMe", "SPM"}
    count : int
        Of spheres in the column.
    """
    pybamm = pybamm_for_cells()
    micro = column_of_spheres(radius, count)
    run = discharge(
        micro, f"{CHEMISTRY}:positive", c_rate, until_voltage=CUT_OFF,
        conductivities={"active": SIGMA, "binder": 10.0 * SIGMA},
    )  # fmt: skip
    parameters = _parameters(micro, run)
    values = half_cell_parameters(parameters, CHEMISTRY)
    area = float(values["Electrode height [m]"]) * float(values["Electrode width [m]"])
    values["Current function [A]"] = float(run.current_density[-1]) * area
    simulation = pybamm.Simulation(
        getattr(pybamm.lithium_ion, model)(model_options(parameters, half_cell=True)),
        parameter_values=values,
        var_pts=POINTS,
    )
    solution = simulation.solve(np.linspace(0.0, run.time[-1], 1001))
    time, voltage = solution["Time [s]"].entries, solution["Voltage [V]"].entries
    at = run.time[(run.time > 0.0) & (run.time <= time[-1])]
    difference = np.interp(at, run.time, run.voltage) - np.interp(at, time, voltage)
    weight = np.gradient(at)
    return sqrt(float((difference**2 * weight).sum() / weight.sum()))


# Without PyBaMM there is nothing to compare with.
CASES = tuple(
    Case(
        name=f"five spheres of {radius} voxels radius, {rate:g}C",
        quantity=f"RMS difference of the voltage to the {model} of PyBaMM, V",
        reference=0.0,
        compute=partial(difference_to_pybamm, radius, rate, model),
        limit=limit,
        source="PyBaMM, parameter set Chen2020",
        relative=False,
    )
    for radius, rate, model, limit in (
        (8, 0.1, "SPM", 1e-3),
        (8, 0.1, "DFN", 5e-4),
        (8, 1.0, "DFN", 1e-3),
        (8, 2.0, "DFN", 3e-3),
    )
    if find_spec("pybamm") is not None
)
