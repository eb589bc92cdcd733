"""Peak tension in an NMC particle against the C-rate, with and without stress acting on lithium.

Run with ``python examples/particle_stress.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt

# Ni-rich NMC of a 21700 cell: Chen et al., J. Electrochem. Soc. 167 (2020) 080534.
RADIUS, DIFFUSIVITY, MOST = 5.22e-6, 4e-15, 63104.0
EMPTY, FULL = 0.27, 0.91  # stoichiometries, assumed, of the charged and of the discharged cell
# Assumed: Young's moduli in use for such oxides differ by a factor of two and more.
YOUNG, POISSON = 142e9, 0.3
# The unit cell of NMC811 changes its volume by 5.1 % between 3.0 and 4.3 V: Kondrakov et al., J.
# Phys. Chem. C 121 (2017) 3286. Taken as even over the range of stoichiometry.
VOLUME = 0.05 / ((FULL - EMPTY) * MOST)


def open_circuit_potential(x: np.ndarray) -> np.ndarray:
    """Of the same paper as the diffusivity, in V against lithium."""
    return (
        4.4875
        - 0.8090 * x
        - 0.0428 * np.tanh(18.5138 * (x - 0.5542))
        - 17.7326 * np.tanh(15.7890 * (x - 0.3117))
        + 17.5842 * np.tanh(15.9308 * (x - 0.3120))
    )


def main() -> None:
    mech = mt.mechanics
    ball = mech.ElasticParticle(RADIUS, YOUNG, POISSON, VOLUME)
    ideal = mech.Host(DIFFUSIVITY)
    real = mech.Host(DIFFUSIVITY, MOST, open_circuit_potential)

    # Charge: lithium leaves, so the surface shrinks and is pulled.
    print("C-rate   tension in MPa: not coupled   ideal solution   open-circuit potential")
    rates, peaks = (0.1, 0.5, 1.0, 2.0), []
    for c_rate in rates:
        flux = -(FULL - EMPTY) * MOST * RADIUS / 3.0 * c_rate / 3600.0
        runs = [
            mech.charge_particle(ball, host, FULL * MOST, 3600.0 / c_rate, flux=flux, coupled=both)
            for host, both in ((real, False), (ideal, True), (real, True))
        ]
        peaks.append([float(run.stress.peak_tension.max()) for run in runs])
        print(f"{c_rate:5g}C", *(f"{peak / 1e6:19.0f}" for peak in peaks[-1]))
        assert all(run.balance < 1e-10 for run in runs)

        # Without coupling: E Omega dc (2 / 15) / (1 - nu) with dc = j R / (2 D).
        rise = -flux * RADIUS / (2.0 * DIFFUSIVITY)
        closed = 2.0 * YOUNG * VOLUME * rise / (15.0 * (1.0 - POISSON))
        assert abs(peaks[-1][0] / closed - 1.0) < 2e-3

    alone, like_ideal, like_real = np.transpose(peaks)
    # Coupling takes stress away: a third in an ideal solution, which diffuses with D (1 + theta c);
    # the measured potential falls so steeply with x that stress adds little to it.
    theta = mech.stress_coupling(ball)
    least, most = (1.0 / (1.0 + theta * x * MOST) for x in (FULL, EMPTY))
    assert np.all((least < like_ideal / alone) & (like_ideal / alone < most))
    assert np.all(abs(like_real / alone - 0.97) < 0.02)
    # In the cell that stress shifts the potential of the surface by some millivolts.
    shift = mech.stress_potential_shift(2.0 / 3.0 * like_real[2], VOLUME)
    print(f"at 1C it raises the potential of the surface by {1e3 * shift:.1f} mV")
    assert 1e-3 < shift < 10e-3


if __name__ == "__main__":
    main()
