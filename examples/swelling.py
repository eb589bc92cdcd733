"""Swelling on the image: a core in its shell, and what binder between particles bears.

Run with ``python examples/swelling.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt


def main() -> None:
    mech = mt.mechanics
    core, shell = mech.isotropic(100e9, 0.25), mech.isotropic(20e9, 0.3)

    # A core that swells within a shell in void: under pressure, while the shell is pulled around.
    edge = 40
    z = (np.arange(edge) + 0.5) / edge - 0.5
    distance = np.sqrt(z[:, None, None] ** 2 + z[:, None] ** 2 + z**2)
    labels = np.where(distance < 0.25, 2, np.where(distance < 0.4, 1, 0)).astype(np.uint8)
    micro = mt.Microstructure(labels, 1e-7, {"void": 0, "shell": 1, "core": 2})
    found = mech.solve_swelling(micro, {"core": core, "shell": shell}, {"core": 0.01}, tol=1e-5)
    pressure = -found.hydrostatic[distance < 0.12].mean()
    # Lame: the interface moves so far that core and shell press on each other alike.
    inner, outer = 0.25**3, 0.4**3
    soft = (1.0 / (3.0 * shell.bulk_modulus) * inner + outer / (4.0 * shell.shear_modulus)) / (
        outer - inner
    )
    expected = 0.01 / (1.0 / (3.0 * core.bulk_modulus) + soft)
    print(f"core under {pressure / 1e6:.0f} MPa, by Lame's formula {expected / 1e6:.0f} MPa")
    # The staircase of voxels is stiffer than the spheres: first order, 3 % at twice the voxels.
    assert abs(pressure / expected - 1.0) < 0.06
    # Nothing holds the whole, so pull and pressure are in balance.
    means = {name: found.phase_stress[name][:3].mean() for name in ("core", "shell")}
    balance = sum(micro.volume_fraction(name) * mean for name, mean in means.items())
    assert means["core"] < 0.0 < means["shell"]
    assert abs(balance) < 1e-3 * micro.volume_fraction("core") * pressure

    # Particles in a row and ligaments of binder between them: where the row is held, they press it.
    labels = np.zeros((40, 24, 24), np.uint8)
    k, j, i = np.indices(labels.shape)
    around = (j - 11.5) ** 2 + (i - 11.5) ** 2
    for middle in (9.5, 29.5):
        labels[(k - middle) ** 2 + around < 81.0] = 1
    between = np.minimum(abs(k - 19.5), abs((k + 20) % 40 - 19.5)) < 6.0
    labels[(labels == 0) & (around < 16.0) & between] = 2
    micro = mt.Microstructure(labels, 1e-7, {"void": 0, "active": 1, "binder": 2})
    solids = {"active": core, "binder": mech.isotropic(1e9, 0.35)}
    held = mech.solve_swelling(micro, solids, {"active": 0.01}, mean_strain=np.zeros(6), tol=1e-4)
    along = held.phase_stress["binder"][0]
    print(f"binder bears {along / 1e6:.0f} MPa along the line between the particles")
    assert along < -10e6


if __name__ == "__main__":
    main()
