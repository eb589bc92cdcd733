"""Substrate and oxygen in a biofilm: effectiveness, penetration depth, what limits where.

Run with ``python examples/biofilm.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt

VOXEL = 5e-6  # m
THICK = 40  # voxels
LAYER = "100 um"  # of water that stands on the film


def both(load: float) -> dict[str, mt.reactions.Species]:
    """Return substrate and oxygen, of water with so many mg COD/L and 8 mg/L."""
    biofilm = mt.reactions.biofilm
    return {
        "substrate": biofilm.substrate("film", {"z_high": f"{load} mg COD/L"}, layer=LAYER),
        "oxygen": biofilm.oxygen("film", {"z_high": "8 mg/L"}, layer=LAYER),
    }


def main() -> None:
    rx = mt.reactions
    biofilm = rx.biofilm
    micro = mt.Microstructure(np.ones((THICK, 2, 2), np.uint8), VOXEL, {"film": 1})
    law = biofilm.substrate_uptake(biomass="1 kg COD/m3")
    in_film = biofilm.substrate("film", {}).diffusivity["film"]

    # Little substrate: the rate is of order one, and the effectiveness that of Thiele's slab,
    # with the boundary layer in series (eta, of the concentration in the water).
    poor = biofilm.substrate("film", {"z_high": "0.01 mg COD/L"}, layer=LAYER)
    found = rx.solve_uptake(micro, poor.diffusivity, {"film": law}, poor.supply)
    modulus = biofilm.thiele_modulus(THICK * VOXEL, law, in_film)
    biot = poor.supplies["z_high"].permeability * THICK * VOXEL / in_film
    eta = 1.0 / (1.0 / rx.exact.slab_effectiveness(modulus) + modulus**2 / biot)
    print(
        f"Thiele modulus {modulus:.2f}, Biot number {biot:.1f}: effectiveness "
        f"{found.effectiveness['film']:.4f}, exactly {eta:.4f}"
    )
    assert abs(found.effectiveness["film"] / eta - 1.0) < 0.01

    # Plenty: the rate is constant, and the substrate gets as deep as sqrt(2 D c / q).
    rich = biofilm.substrate("film", {"z_high": "40 mg COD/L"})
    constant = rx.ZeroOrder(10.0 * law.maximum)
    found = rx.solve_uptake(micro, rich.diffusivity, {"film": constant}, rich.supply)
    depth = biofilm.penetration_depth("40 mg COD/L", constant.constant, in_film)
    reached = found.effectiveness["film"] * THICK * VOXEL
    print(f"penetration depth {1e6 * reached:.1f} um, exactly {1e6 * depth:.1f} um")
    assert abs(reached - depth) < 0.1 * VOXEL

    # Both, by Monod: which of the two ends first? The lower factor limits.
    reaction = biofilm.aerobic_growth("film")
    print("load       at the bottom, mg/L   oxygen limits    taken up")
    print("mg COD/L   substrate   oxygen    in % of film     g COD/m2/day")
    taken, states = {}, {}
    for load in (20.0, 100.0, 200.0, 500.0):
        states[load] = steady = rx.steady_state(micro, both(load), [reaction])
        substrate, oxygen = (steady.species[name] for name in ("substrate", "oxygen"))
        bottom = [
            1e3 * biofilm.mass_concentration(float(one.concentration[0].mean()))
            for one in (substrate, oxygen)
        ]
        factors = [
            one.concentration / (biofilm.oxygen_demand(half) + one.concentration)
            for one, half in (
                (substrate, biofilm.SUBSTRATE_HALF_SATURATION),
                (oxygen, biofilm.OXYGEN_HALF_SATURATION),
            )
        ]
        area = micro.extent[1] * micro.extent[2]
        inflow = biofilm.mass_concentration(substrate.inflow["z_high"])
        taken[load] = 1e3 * 86400.0 * inflow / area
        limited = 100 * float((factors[1] < factors[0]).mean())
        print(f"{load:8.0f} {bottom[0]:11.2f} {bottom[1]:8.2f} {limited:14.0f} {taken[load]:15.1f}")
        # For each COD, 1 - Y of oxygen.
        used = [one.made["film"] for one in (substrate, oxygen)]
        assert abs(used[1] / used[0] / (1.0 - biofilm.YIELD) - 1.0) < 1e-6
        assert all(abs(one.balance) < 1e-9 for one in (substrate, oxygen))
    assert taken[100.0] > 2.0 * taken[20.0]
    assert taken[500.0] < 1.3 * taken[100.0]  # five times the load: oxygen limits

    # A step of the load: the film fills, and ends in the steady state of the new load.
    start = {name: one.concentration for name, one in states[20.0].species.items()}
    course = rx.evolve(micro, both(100.0), [reaction], 1800.0, initial=start)
    for name, one in course.species.items():
        last = states[100.0].species[name].concentration
        error = abs(one.concentration - last).max() / last.max()
        way = (one.stored - one.stored[0]) / (one.stored[-1] - one.stored[0])
        half = course.times[np.argmax(way > 0.5)]
        print(
            f"{name}: half of the change after {half:.0f} s; after half an hour within "
            f"{100 * error:.4f} % of the steady state"
        )
        assert error < 1e-4
        assert one.balance < 1e-9


if __name__ == "__main__":
    main()
