"""From an imaged electrode to a cell model: parameters with uncertainties, and a rate test.

Run with ``python examples/cell_model.py``; it needs ``pip install 'microtwin[cell]'``.
"""

from __future__ import annotations

from importlib.util import find_spec

import microtwin as mt


def main() -> None:
    micro = mt.generation.electrode(40, 0.4e-6, porosity=0.4, binder_fraction=0.1, seed=3).micro
    found = mt.upscaling.measure_electrode(
        micro, conductivities={"active": 1.0, "binder": 100.0}, thickness=75e-6
    )
    for name, quantity in found.quantities().items():
        error = "" if quantity.uncertainty is None else f" +- {quantity.uncertainty:.2g}"
        print(f"{name}: {quantity.value:.4g}{error} {quantity.unit}")
    assert abs(found.porosity.value - 0.4) < 0.02
    # The true tortuosity costs more than the exponent 3/2 says.
    assert found.bruggeman_exponent > 1.5
    # Much of the surface of spheres of that volume is covered or lies between particles.
    assert found.interface_utilisation < 0.9

    if find_spec("pybamm") is None:
        print("PyBaMM is not there, so no cell is discharged")
        return
    rates = mt.upscaling.rate_capability(found, "Chen2020", [0.5, 3.0])
    for c_rate, capacity, guess in zip(rates.c_rates, rates.capacities, rates.guess, strict=True):
        print(f"{c_rate:g}C: {capacity:.1f} A h/m2, with the exponent of the set {guess:.1f}")
    assert rates.capacities[1] < rates.capacities[0] < rates.nominal
    assert rates.capacities[1] < rates.guess[1]


if __name__ == "__main__":
    main()
