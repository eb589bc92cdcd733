"""Two particles that swell, and the ligament of binder between them: what it bears.

Half a particle sits on each of two plates, so with their mirror images they are a row. The plates
are held, or move freely. With the extra ``mesh`` the force is compared with finite elements on a
conforming mesh. Run with ``python examples/swelling.py``.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

import microtwin as mt

UNIT = 1e-7  # m; the lengths below are multiples of it
RADIUS, GAP, ROD = 15.0, 6.0, 7.0  # of a particle, between the particles, of the ligament
LENGTH, WIDTH = 2.0 * RADIUS + GAP, 32.0
MISFIT = 0.01
PLATES = {"z_low": "roller", "z_high": "roller"}


def distances(voxels: int) -> dict[str, np.ndarray]:
    """Return how deep points lie within particles and ligament, for so many voxels per unit."""
    shape = np.array([LENGTH, WIDTH, WIDTH]).astype(int) * voxels
    k, j, i = (np.indices(shape) + 0.5) / voxels
    around = (j - 0.5 * WIDTH) ** 2 + (i - 0.5 * WIDTH) ** 2
    particle = RADIUS - np.sqrt((0.5 * LENGTH - abs(k - 0.5 * LENGTH)) ** 2 + around)
    return {"active": particle, "binder": np.minimum(ROD - np.sqrt(around), -particle)}


def stiffness_bounds(active: mt.mechanics.Solid, binder: mt.mechanics.Solid) -> tuple[float, float]:
    """Return bounds on the force that moves the plates by 1 m, in N/m.

    From below: each column through the ligament is pulled by itself (a stress in balance). From
    above: cross-sections stay plane and do not shrink (a displacement without gaps).
    """
    r = (np.arange(2000) + 0.5) / 2000 * ROD
    in_binder = LENGTH - 2.0 * np.sqrt(RADIUS**2 - r**2)
    young = [1.0 / solid.compliance[0, 0] for solid in (active, binder)]
    columns = 2.0 * np.pi * r / ((LENGTH - in_binder) / young[0] + in_binder / young[1])
    z = (np.arange(2000) + 0.5) / 2000 * 0.5 * LENGTH
    particle = np.maximum(RADIUS**2 - z**2, 0.0)
    rod = np.maximum(ROD**2 - particle, 0.0)
    planes = np.pi * (active.stiffness[0, 0] * particle + binder.stiffness[0, 0] * rod)
    return UNIT * columns.mean() * ROD, UNIT / ((1.0 / planes).mean() * LENGTH)


def solved(
    micro: mt.Microstructure,
    solids: dict[str, mt.mechanics.Solid],
    strain: float,
    misfit: float,
) -> tuple[mt.mechanics.Swelling, float]:
    """Return the solution between plates that are held, moved or free (NaN), and their force in N.

    Pull is positive.
    """
    found = mt.mechanics.solve_swelling(
        micro,
        solids,
        {"active": misfit},
        faces={**PLATES, "y_low": "free", "x_low": "free"},
        mean_strain=[strain, 0.0, 0.0, 0.0, 0.0, 0.0],
        interface="voxel",  # forces through layers of voxels are then in balance
        tol=1e-6,
    )
    # In balance each cross-section bears the same force, be it of particles or of the ligament.
    voxel = micro.voxel_size[1] * micro.voxel_size[2]
    forces = found.stress[0].sum(axis=(1, 2), dtype=float) * voxel
    sizes = abs(found.stress[0]).sum(axis=(1, 2), dtype=float) * voxel
    assert np.ptp(forces) < 1e-3 * sizes.max()
    return found, float(forces.mean())


def main() -> None:
    mech = mt.mechanics
    solids = {"active": mech.isotropic(100e9, 0.25), "binder": mech.isotropic(1e9, 0.35)}
    depth = distances(2)
    labels = np.where(depth["active"] > 0, 1, np.where(depth["binder"] > 0, 2, 0))
    phases = {"void": 0, "active": 1, "binder": 2}
    micro = mt.Microstructure(labels.astype(np.uint8), UNIT / 2, phases)
    binder = micro.mask("binder")

    states = {
        "held, particles swell": (0.0, MISFIT),
        "free, particles swell": (np.nan, MISFIT),
        "moved apart by 0.1 %": (1e-3, 0.0),
    }
    print("plates                  force in uN  moved by nm  von Mises stress of the binder in MPa")
    print("                                                  median   95 %")
    results = []
    for name, (strain, misfit) in states.items():
        found, force = solved(micro, solids, strain, misfit)
        moved = float(found.mean_strain[0]) * LENGTH * UNIT
        averaged = mech.averaged_stress(found.stress, binder, 2.0 * UNIT, micro.voxel_size)
        percentiles = mech.weighted_percentiles(mech.von_mises(averaged)[binder])
        print(
            f"{name:23s} {1e6 * force:11.2f} {1e9 * moved:12.2f} {percentiles[0.5] / 1e6:9.1f} "
            f"{percentiles[0.95] / 1e6:6.1f}"
        )
        results.append((found, force, moved))
    (held, pressed, _), (_, nothing, way), (_, pulled, apart) = results

    # The stiffness of the pair lies between its bounds.
    stiffness = pulled / apart
    lower, upper = stiffness_bounds(solids["active"], solids["binder"])
    print(f"stiffness {stiffness:.0f} N/m, between {lower:.0f} and {upper:.0f}")
    assert lower < stiffness < upper
    # All is linear: to hold the plates is to push them back as far as they move when free.
    assert abs(nothing) < 1e-3 * abs(pressed)
    assert abs(pressed / (-stiffness * way) - 1.0) < 1e-3
    # Free plates follow the particles. The binder thins where the swollen particles stretch it, at
    # most as a film that takes their strain in its plane: by 2 nu / (1 - nu) times the misfit.
    thinner = 2.0 * 0.35 / 0.65 * MISFIT * GAP * UNIT
    assert 2.0 * RADIUS * MISFIT * UNIT - thinner < way < 2.0 * RADIUS * MISFIT * UNIT

    # In the middle of the ligament the force is a pressure on its cross-section.
    layer = labels.shape[0] // 2
    middle = float(held.stress[0, layer][binder[layer]].mean())
    expected = pressed / (np.pi * (ROD * UNIT) ** 2)
    print(
        f"in its middle it bears {middle / 1e6:.1f} MPa; force over area {expected / 1e6:.1f} MPa"
    )
    assert abs(middle / expected - 1.0) < 0.02

    if find_spec("ngsolve") and find_spec("pyamg"):
        fields = mt.meshing.level_set_fields(
            distances(1), [LENGTH * UNIT, WIDTH * UNIT, WIDTH * UNIT], "void"
        )
        mesh = mt.meshing.tetrahedralize(fields, 1.5)
        smooth = mech.mesh_swelling(mesh, solids, {"active": MISFIT}, faces=PLATES)
        shares = mesh.volume_fractions
        mean = sum(shares[name] * smooth.phase_stress[name][0] for name in solids)
        force = float(mean) * (WIDTH * UNIT) ** 2
        print(f"force on held plates by finite elements {1e6 * force:.2f} uN")
        # The staircase is too stiff, of first order: 16 % at half as many voxels, 7 % here.
        assert abs(pressed / force - 1.0) < 0.1


if __name__ == "__main__":
    main()
