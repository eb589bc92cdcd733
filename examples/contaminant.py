"""A contaminant in sand: permeability, dispersion, and when it breaks through.

Run with ``python examples/contaminant.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt
from microtwin.reactions import groundwater

GRAIN = 200e-6  # m
VOXELS = 10  # per grain
POROSITY = 0.42


def main() -> None:
    # A loose pack of equal round grains that repeats.
    edge = 3 * VOXELS
    voxel = GRAIN / VOXELS
    grains = mt.generation.packed_particles(
        edge, voxel, mt.generation.ParticleType(GRAIN), 1.0 - POROSITY, seed=4
    )
    solid = mt.generation.paint(grains, edge) > 0
    micro = mt.Microstructure(solid.astype(np.uint8), voxel, {"pore": 0, "grain": 1})
    pore = micro.volume_fraction("pore")

    # How well water flows through it: Darcy, Kozeny and Carman, and the conductivity of soils.
    flow = mt.transport.permeability(micro, "pore")
    kozeny = pore**3 * GRAIN**2 / (180.0 * (1.0 - pore) ** 2)
    conductivity = groundwater.hydraulic_conductivity(flow.permeability)
    print(
        f"porosity {pore:.3f}; permeability {flow.permeability:.3g} m2, {kozeny:.3g} by Kozeny and "
        f"Carman; hydraulic conductivity {86400 * conductivity:.1f} m/day"
    )
    assert abs(flow.permeability / kozeny - 1.0) < 0.25

    # Strontium that clings to the grains: it moves slower than the water, by the factor R.
    density = groundwater.bulk_density(pore)
    held = groundwater.retardation_factor("0.2 mL/g", density, pore)
    diffusivity = groundwater.diffusivity("Sr2+")
    velocity = 1.0 / 86400.0  # m/s in the pores: one metre a day
    peclet = groundwater.peclet_number(velocity, GRAIN, diffusivity)
    print(f"retardation {held:.2f}, Péclet number {peclet:.2f}")

    # How far it spreads: at rest less than in water, with the flow more.
    spread = mt.transport.dispersion(
        micro, flow, [0.0, peclet], length=GRAIN, diffusivity=diffusivity
    )
    at_rest, along, across = spread.longitudinal[0], spread.longitudinal[1], spread.transverse[1]
    print(
        f"dispersion over diffusivity: {at_rest:.3f} at rest, {along:.3f} along and {across:.3f} "
        f"across the flow"
    )
    steady = mt.transport.tortuosity_factor(micro, "pore", boundary="periodic")
    effective = spread.volume_fraction * spread.relative_tensor[0, 0, 0]
    assert abs(effective / steady.relative_diffusivity - 1.0) < 2e-3
    assert along > 1.2 * at_rest and along > across > 0.9 * at_rest

    # When it comes out at the end: half of it about R pore volumes after the spill began.
    curve = mt.transport.breakthrough(
        micro, flow, diffusivity, velocity, retardation=held, pore_volumes=3.0 * held
    )
    mean = float((1.0 - curve.concentration).sum() * np.diff(curve.pore_volumes).mean())
    print(
        f"mean residence {mean:.3f} pore volumes; column of Ogata and Banks: velocity "
        f"{curve.fit.velocity / velocity:.3f} times the mean, dispersion "
        f"{curve.fit.dispersion / diffusivity:.2f} times the diffusivity; balance "
        f"{curve.balance:.0e}"
    )
    assert abs(mean / held - 1.0) < 0.05  # what comes later than the end is missing
    assert abs(curve.balance) < 1e-8
    assert curve.lowest > -1e-8 and curve.highest < 1.0 + 1e-8


if __name__ == "__main__":
    main()
