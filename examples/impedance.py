"""Impedance on the image: ionic resistance of a blocking cell, arcs of a half cell.

Run with ``python examples/impedance.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt


def main() -> None:
    micro = mt.generation.electrode(40, 0.4e-6, porosity=0.45, binder_fraction=0.08, seed=3).micro

    # Walls that are charged and do not react: the resistance of the ions, without a fit and with.
    z = mt.transport.blocking_impedance(micro, "pore", conductivity=1.0, capacitance=0.1)
    steady = mt.transport.tortuosity_factor(micro, "pore").tortuosity_factor
    print(
        f"R_ion {1e4 * z.ionic_resistance:.3f} ohm cm2, fitted "
        f"{1e4 * z.fitted_resistance():.3f}; tortuosity factor {z.tortuosity_factor:.2f} from the "
        f"impedance, {steady:.2f} from steady diffusion"
    )
    assert abs(z.fitted_resistance() / z.ionic_resistance - 1.0) < 0.1
    assert abs(z.tortuosity_factor / steady - 1.0) < 0.4
    # At the lowest frequency the real part is a third of it, the imaginary one that of all walls.
    assert abs(3.0 * z.impedance[0].real / z.ionic_resistance - 1.0) < 1e-2
    charged = -1.0 / (2.0 * np.pi * z.frequencies[0] * z.impedance[0].imag)
    assert abs(charged / z.capacitance - 1.0) < 1e-3

    # A half cell at rest: between 1 kHz and 1 Hz lies the reaction.
    ec = mt.electrochemistry
    cell = ec.half_cell(micro, "Chen2020:positive", stoichiometry=0.6)
    high, low = ec.half_cell_impedance(cell, [1e4, 1.0]).impedance.real
    on = ec.reaction(cell, cell.state)
    exchange = float(on.exchange_current_density @ on.facets.area)
    expected = 8.314462618 * 298.15 / 96485.33212 / exchange * cell.grid.cross_section
    print(
        f"half cell: {1e4 * high:.1f} ohm cm2 at 10 kHz, {1e4 * low:.1f} at 1 Hz; the kinetics "
        f"alone resist {1e4 * expected:.1f}"
    )
    # Lithium has no double layer here, and its share is in both.
    assert abs((low - high) / expected - 1.0) < 0.15


if __name__ == "__main__":
    main()
