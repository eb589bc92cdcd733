"""Two particles and a ligament on a mesh: what the interface bears, debonding, large swelling.

Run with ``python examples/swelling_mesh.py``; it needs ``pip install 'microtwin[mesh]'``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt


def pair(n: int = 28) -> mt.meshing.TetrahedralMesh:
    """Two spheres of radius 5 along z, and binder between them; lengths in units of 100 nm."""
    k, j, i = (np.indices((n, n // 2, n // 2)) + 0.5) * 28.0 / n
    around = (j - 7.0) ** 2 + (i - 7.0) ** 2
    sphere = 5.0 - np.sqrt((abs(k - 14.0) - 6.5) ** 2 + around)
    rod = np.minimum(np.minimum(3.0 - np.sqrt(around), 6.5 - abs(k - 14.0)), -sphere)
    fields = mt.meshing.level_set_fields(
        {"active": sphere, "binder": rod}, [28e-7, 14e-7, 14e-7], "pore"
    )
    return mt.meshing.tetrahedralize(fields, 2.0)


def main() -> None:
    mech = mt.mechanics
    mesh = pair()
    solids = {"active": mech.isotropic(100e9, 0.25), "binder": mech.isotropic(1e9, 0.35)}

    # Free particles move apart, and pull at the binder where it is bonded to them.
    own = {"active": 0.02}
    free = mech.mesh_swelling(mesh, solids, own)
    assert free.floating == {0: 6}
    # In balance: the sum of stress over the volume is zero.
    volume = mesh.volume_fractions
    total = sum(volume[name] * free.phase_stress[name] for name in solids)
    assert np.abs(total).max() < 1e-4 * max(free.percentiles("binder"))

    across = free.interfaces["active", "binder"]
    print(f"binder: {free.percentiles('binder', [0.5, 0.95])} Pa, half of it and 95 %")
    print(f"traction at the interface: {across.percentiles('normal')} Pa")

    # An interface that gives way: soft springs carry less, very stiff ones as the bond does.
    energies = []
    for stiffness in (1e14, 1e16, 1e19):
        loose = mech.mesh_swelling(
            mesh,
            solids,
            own,
            debonding={("active", "binder"): (stiffness, 0.5 * stiffness)},
        )
        across = loose.interfaces["active", "binder"]
        # Nothing else touches the particles, so the binder pulls at both with no force in all.
        assert np.abs(across.areas @ across.vectors).max() < 1e-4 * (across.areas @ across.shear)
        jump = np.abs(across.jumps).max()
        print(f"{stiffness:.0e} Pa/m: energy {loose.energy:.3e} J, largest jump {jump:.1e} m")
        energies.append(loose.energy)
    assert energies[0] < energies[1] < energies[2] < free.energy * (1.0 + 1e-6)
    assert abs(energies[2] / free.energy - 1.0) < 0.02

    # Silicon: half as much volume again. Linear elasticity would get the volume itself wrong.
    ratio = 1.5
    grown = mech.large_swelling(
        mesh, solids, {"active": ratio ** (1 / 3) - 1.0}, law="hencky", steps=4
    )
    print(f"volume ratio {grown.volume_ratio('active'):.4f}, Newton {grown.iterations}")
    assert grown.share == 1.0
    assert abs(grown.volume_ratio("active") / ratio - 1.0) < 0.01


if __name__ == "__main__":
    main()
