"""Stress along a discharge: what lithium does to the solids, and they to the lithium.

Run with ``python examples/stress_along_discharge.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt
from microtwin.degradation import LithiumStrain, coupled_run, stress_along

# Round numbers, not data of a material: it contracts steeply where little lithium is left.
STRAIN = LithiumStrain([0.2, 0.3, 0.5, 1.0], [-0.020, -0.008, -0.001, 0.0])
MADE_AT = 0.9  # stoichiometry at which it was coated and pressed
ACTIVE = mt.mechanics.isotropic(100e9, 0.25)
BINDER = mt.mechanics.isotropic(2e9, 0.35)


def even_electrode() -> None:
    """Particles that are all alike and not held back grow as one body, without stress."""
    micro = mt.generation.electrode(20, 0.4e-6, porosity=0.35, binder_fraction=0.0, seed=2).micro
    image = mt.mechanics.ElasticImage(micro, {"active": ACTIVE})
    x = np.full(micro.shape, 0.3)
    (state,) = stress_along(image, [x], STRAIN, reference=MADE_AT, tol=1e-6)
    strain = float(STRAIN(0.3) - STRAIN(MADE_AT))
    holding = 3.0 * ACTIVE.bulk_modulus * abs(strain)
    largest = float(np.abs(state.swelling.stress).max())
    print(f"even and free: {largest / 1e6:.3f} MPa; to hold it takes {holding / 1e6:.0f} MPa")
    assert largest < 1e-4 * holding
    assert abs(state.thickness_change / (strain * micro.extent[0]) - 1.0) < 1e-4


def main() -> None:
    even_electrode()
    mech, ec = mt.mechanics, mt.electrochemistry
    micro = mt.generation.electrode(24, 0.4e-6, porosity=0.4, binder_fraction=0.1, seed=3).micro
    run = ec.discharge(micro, chemistry="Chen2020:positive", c_rate=2.0, keep=6)
    # The charge that has passed is in the active material.
    lithium = run.records[-1].stoichiometry - run.records[0].stoichiometry
    full, empty = run.cell.material.stoichiometries
    assert abs(lithium / (empty - full) / run.utilisation - 1.0) < 1e-6

    fields = [ec.fields(run.cell, state).stoichiometry for state in run.kept]
    image = mech.ElasticImage(micro, {"active": ACTIVE, "binder": BINDER})
    states = [
        (state.mean_stoichiometry, state.thickness_change, state.percentiles, state.iterations)
        for state in stress_along(
            image, fields, STRAIN, reference=MADE_AT, idle=full, length=0.8e-6
        )
    ]
    for x, growth, percentiles, iterations in states:
        particles, binder = (percentiles[name][0.95] / 1e6 for name in ("active", "binder"))
        print(
            f"x = {x:.3f}: {1e9 * growth:6.1f} nm, 95 % of the particles below {particles:4.0f} "
            f"MPa and of the binder below {binder:3.0f} MPa, {iterations} iterations"
        )

    # Free to move, the electrode breathes as its active material does on average; the binder,
    # which does not swell and is 50 times as soft, and uneven lithium change that by little.
    grown = np.array([growth for _, growth, _, _ in states]) / micro.extent[0]
    active = micro.mask("active")
    inside = [np.nan_to_num(x[active], nan=full).clip(0.0, 1.0) for x in fields]
    alone = np.array([STRAIN(x).mean() for x in inside]) - float(STRAIN(MADE_AT))
    gap = np.abs(grown - alone).max() / np.abs(alone).max()
    print(f"growth differs from that of the particles alone by up to {100 * gap:.1f} % of it")
    assert gap < 0.08

    # At the start lithium is even, and only the binder holds particles; on the way it is uneven
    # within them, most harmfully where the strain is steep; later the strain is flat.
    high = [percentiles["active"][0.95] for _, _, percentiles, _ in states]
    assert max(high[1:-1]) > 3.0 * max(high[0], high[-1])

    # Stress acts back: less by far than the concentrations do, and no lithium is lost by it.
    cell = ec.half_cell(micro, "Chen2020:positive")
    protocol = [ec.ConstantCurrent(2.0, until_voltage=3.6)]
    acted = coupled_run(
        cell, micro, {"active": ACTIVE, "binder": BINDER}, protocol, 0.02, reference=MADE_AT
    )
    passed = acted.run.capacity / (cell.capacity / 3600.0 / cell.grid.cross_section)
    lithium = cell.mean_stoichiometry(cell.state) - full
    plain = np.interp(acted.run.charge, run.charge, run.voltage)
    shift = 1e3 * float(np.abs(acted.run.voltage - plain)[1:].max())
    print(f"stress that acts back changes the voltage by up to {shift:.2f} mV")
    assert abs(lithium / (empty - full) / passed - 1.0) < 1e-6
    # Omega sigma / F is 1 mV for 100 MPa.
    assert 0.1 < shift < 5.0
    assert acted.mean_shift[-1] < 0.0


if __name__ == "__main__":
    main()
