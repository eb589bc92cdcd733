"""A core that swells in a stiff shell: pressure in the core, hoop tension in the shell.

The exact stress of the layered sphere (Lame) stands beside that of the voxels, from the outside to
the inside. Run with ``python examples/core_and_shell.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt

EDGE = 56  # voxels
CORE, SHELL = 0.25, 0.4  # radii over the edge of the image
MISFIT = 0.01


def centred(edge: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of voxels from the middle of a cube of edge 1, and the way there."""
    z = (np.arange(edge) + 0.5) / edge - 0.5
    way = np.stack(np.meshgrid(z, z, z, indexing="ij"))
    distance = np.sqrt((way**2).sum(axis=0))
    return distance, way / distance


def exact_stress(
    core: mt.mechanics.Solid, shell: mt.mechanics.Solid, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return radial and hoop stress of a core that swells in a free shell, in Pa.

    In the shell the displacement is a r + b / r^2 with 3 K a = p i / (o - i) and
    4 G b = p i o / (o - i), for the pressure p at the interface and i, o the cubed radii. Both
    solids move alike there: MISFIT - p / (3 K of the core) = a + b / i.
    """
    i, o = CORE**3, SHELL**3
    give = (i / (3.0 * shell.bulk_modulus) + o / (4.0 * shell.shear_modulus)) / (o - i)
    pressure = MISFIT / (1.0 / (3.0 * core.bulk_modulus) + give)
    inside = radius < CORE
    radial = np.where(inside, -pressure, pressure * i / (o - i) * (1.0 - o / radius**3))
    hoop = np.where(inside, -pressure, pressure * i / (o - i) * (1.0 + 0.5 * o / radius**3))
    return radial, hoop


def main() -> None:
    mech = mt.mechanics
    core, shell = mech.isotropic(50e9, 0.25), mech.isotropic(150e9, 0.2)
    distance, normal = centred(EDGE)
    labels = np.where(distance < CORE, 2, np.where(distance < SHELL, 1, 0)).astype(np.uint8)
    micro = mt.Microstructure(labels, 1e-7, {"void": 0, "shell": 1, "core": 2})
    solids = {"core": core, "shell": shell}
    # What is averaged below are voxels of one solid.
    found = mech.solve_swelling(micro, solids, {"core": MISFIT}, interface="voxel", tol=1e-5)

    outwards = normal.reshape(3, -1).T
    along = mech.normal_and_shear(found.stress.reshape(6, -1), outwards)[0].reshape(micro.shape)
    around = 0.5 * (3.0 * found.hydrostatic - along)  # mean of the two directions
    radial, hoop = exact_stress(core, shell, distance)
    print("stress in MPa  radius / edge  radial  exact    hoop  exact")
    # Each row is a layer of a few voxels; the outermost layer of each solid is that of its
    # staircase and is left out.
    voxel = 1.0 / EDGE
    rows = np.linspace(SHELL - voxel, CORE + voxel, 5)
    layers = [*zip(rows[1:], rows, strict=False), (0.12, CORE - voxel), (0.0, 0.12)]
    largest = abs(radial).max()
    for low, high in layers:
        here = (distance >= low) & (distance < high)
        values = [field[here].mean() for field in (along, radial, around, hoop)]
        name = "shell" if low >= CORE else "core "
        print(f"{name} {0.5 * (low + high):23.3f} " + " ".join(f"{v / 1e6:7.0f}" for v in values))
        # On the staircase, 14 voxels along the radius of the core, stress is 2 % off.
        assert abs(values[0] - values[1]) < 0.04 * largest
        assert abs(values[2] - values[3]) < 0.04 * largest

    # Whatever the voxels: nothing holds the whole, so its mean stress is none.
    means = {name: found.phase_stress[name][:3].mean() for name in solids}
    balance = sum(micro.volume_fraction(name) * mean for name, mean in means.items())
    assert abs(balance) < 1e-3 * micro.volume_fraction("core") * abs(means["core"])

    # In an infinite block of its own solid the core is under Eshelby's pressure. The image repeats
    # itself and is free, so that its growth, the share of the core, takes that part of it away.
    matrix = mt.Microstructure((distance < CORE).astype(np.uint8), 1e-7, {"block": 0, "core": 1})
    even = mech.solve_swelling(matrix, {"block": core, "core": core}, {"core": MISFIT}, tol=1e-5)
    pressure = -even.hydrostatic[distance < 0.5 * CORE].mean()
    _, alone = mech.misfit_sphere(50e9, 0.25, MISFIT)
    expected = -alone * (1.0 - 4.0 / 3.0 * np.pi * CORE**3)
    print(f"in a block of its own solid: {pressure / 1e6:.0f} MPa, exact {expected / 1e6:.0f}")
    assert abs(pressure / expected - 1.0) < 0.01


if __name__ == "__main__":
    main()
