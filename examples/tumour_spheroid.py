"""Oxygen in a tumour spheroid: viable rim, necrotic core, and the size at which it appears.

Run with ``python examples/tumour_spheroid.py``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import microtwin as mt

RADIUS = 20.0  # voxels
TENSION, UPTAKE = "160 mmHg", "25 mmHg/s"


def spheroid(radius: float) -> mt.Microstructure:
    """Return a spheroid of some radius in m, in the middle of medium."""
    n = int(2 * RADIUS) + 8
    place = np.indices((n, n, n)) + 0.5 - n / 2
    tissue = np.sqrt((place**2).sum(axis=0)) < RADIUS
    return mt.Microstructure(tissue.astype(np.uint8), radius / RADIUS, {"medium": 0, "tissue": 1})


def main() -> None:
    rx = mt.reactions
    tumour = rx.tumour
    oxygen = tumour.oxygen("tissue", {"medium": TENSION})
    constant = tumour.oxygen_consumption(UPTAKE, None)
    hypoxia = tumour.oxygen_concentration(tumour.HYPOXIA)
    anoxia = tumour.oxygen_concentration("0.2 mmHg")

    # Grown beyond the diffusion limit it has a core, whose radius is the root of a cubic.
    micro = spheroid(400e-6)
    found = rx.solve_uptake(micro, oxygen.diffusivity, {"tissue": constant}, oxygen.supply)
    alive = rx.viability(micro, found.concentration, "tissue", anoxia, hypoxia, sources=["medium"])
    # The core is what has less than 0.2 mmHg: a little more than what has none at all.
    centre = np.linspace(1e-9, 400e-6, 4001)
    profile = rx.exact.spheroid_concentration(
        centre,
        400e-6,
        oxygen.diffusivity["tissue"],
        tumour.oxygen_concentration(TENSION),
        constant.constant,
    )
    expected = float(np.interp(anoxia, profile, centre))
    empty = tumour.necrotic_radius("400 um", TENSION, UPTAKE)
    print(
        f"400 um: {100 * alive.core_fraction:.1f} % necrotic, {100 * alive.hypoxic_fraction:.1f} % "
        f"hypoxic, rim {1e6 * alive.rim_percentiles()[1]:.0f} um; core of "
        f"{1e6 * alive.core_radius:.1f} um radius, exactly {1e6 * expected:.1f} um, of which "
        f"{1e6 * empty:.1f} um have nothing"
    )
    assert alive.cores == 1
    assert empty < expected
    assert abs(alive.core_radius - expected) < 0.1 * micro.voxel_size[0]
    assert abs(alive.rim_percentiles()[1] - (400e-6 - expected)) < 0.5 * micro.voxel_size[0]
    assert abs(found.balance) < 1e-9

    # Uptake that saturates leaves a little everywhere, and less of the tissue without any.
    saturating = tumour.oxygen_consumption(UPTAKE, "1 mmHg")
    left = rx.solve_uptake(micro, oxygen.diffusivity, {"tissue": saturating}, oxygen.supply)
    softer = rx.viability(micro, left.concentration, "tissue", anoxia, hypoxia, sources=["medium"])
    print(f"Michaelis-Menten, 1 mmHg: {100 * softer.core_fraction:.1f} % necrotic")
    assert 0.0 < softer.core_fraction < alive.core_fraction

    # The size at which the core appears. Steady states scale: one image serves all sizes.
    inside = micro.mask("tissue")

    def at(radius: float) -> np.ndarray:
        sized = replace(micro, voxel_size=(radius / RADIUS,) * 3)
        grown = rx.solve_uptake(sized, oxygen.diffusivity, {"tissue": constant}, oxygen.supply)
        return grown.concentration[inside]

    size = rx.onset(at, anoxia, (150e-6, 500e-6))
    limit = tumour.diffusion_limit(TENSION, UPTAKE)
    print(f"a core appears at a radius of {1e6 * size:.0f} um, exactly {1e6 * limit:.0f} um")
    assert abs(size / limit - 1.0) < 0.01

    # Where glucose is scarce it ends before oxygen does, and the core begins elsewhere.
    both = {"oxygen": oxygen, "glucose": tumour.glucose("tissue", {"medium": "1 mol/m3"})}
    reaction = tumour.respiration("tissue", saturating, glucose_per_oxygen=0.5)
    pair = rx.steady_state(micro, both, [reaction])
    low = [float(np.nanmin(one.concentration[inside])) for one in pair.species.values()]
    print(
        f"with glucose: at least {tumour.oxygen_tension(low[0]):.2f} mmHg of oxygen and "
        f"{low[1]:.4f} mol/m3 of glucose are left"
    )
    # What is used up of the two has no source: D c of one over its amount less that of the other
    # is the same everywhere.
    mixed = (
        oxygen.diffusivity["tissue"] * pair.species["oxygen"].concentration
        - both["glucose"].diffusivity["tissue"] * pair.species["glucose"].concentration / 0.5
    )[inside]
    assert np.ptp(mixed) < 1e-6 * abs(mixed).max()


if __name__ == "__main__":
    main()
