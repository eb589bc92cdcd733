"""A discharge resolved on the image: balances, losses, covered area and uneven kinetics.

Run with ``python examples/discharge.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt


def main() -> None:
    ec = mt.electrochemistry
    micro = mt.generation.electrode(40, 0.4e-6, porosity=0.4, binder_fraction=0.1, seed=3).micro
    run = ec.discharge(micro, chemistry="Chen2020:positive", c_rate=1.0, keep=4)
    print(
        f"{run.ended} after {run.capacity:.2f} A h/m2, {100 * run.utilisation:.0f} % of what fits"
    )
    assert run.complete
    assert 0.3 < run.utilisation < 1.0

    # All the charge is in the active material.
    lithium = run.records[-1].stoichiometry - run.records[0].stoichiometry
    full, empty = run.cell.material.stoichiometries
    assert abs(lithium / (empty - full) / run.utilisation - 1.0) < 1e-6

    # Where the voltage goes adds up.
    half = run.records[len(run.records) // 2]
    print({name: f"{1e3 * value:.1f} mV" for name, value in vars(half.losses).items()})
    assert abs(half.losses.voltage - half.voltage) < 1e-12

    # Binder that electrolyte soaks through lets the surface below it react.
    open_ = ec.discharge(
        micro, "Chen2020:positive", 1.0, porous_phases={"binder": (0.5, 4.0)}
    )  # fmt: skip
    gain = open_.capacity / run.capacity - 1.0
    print(f"with porous binder: {100 * gain:.0f} % more capacity")
    assert gain > 0.03

    # A surface that reacts unevenly has hot spots, and costs little voltage.
    uneven = ec.discharge(
        micro,
        "Chen2020:positive",
        1.0,
        until_voltage=3.7,
        exchange_factor=ec.random_exchange_current(micro, 1.0, 1.0, 2e-6, seed=1),
    )
    even = np.interp(uneven.charge[-1], run.charge, run.voltage)
    ratio = ec.reaction(uneven.cell, uneven.cell.state).concentration_ratio()
    print(f"uneven: {1e3 * (even - 3.7):.1f} mV, 95th percentile {ratio:.2f} times the mean")
    assert 0.0 < even - 3.7 < 0.02
    assert ratio > 1.3


if __name__ == "__main__":
    main()
