"""What calendering costs mechanically: stiffness, swelling, and stress in binder and ligaments.

The same electrode before and after it lost a fifth of its thickness; its active material then
swells by 1 % in volume, on a foil that holds it in its plane. Particles that touch count as bonded,
so what contacts bear is an upper estimate.

Run with ``python examples/calendered_mechanics.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt
from microtwin.generation import ParticleType, electrode
from microtwin.imaging import separate_particles

SWELLING = 0.01 / 3.0  # in each direction
YOUNG, POISSON = 140e9, 0.3  # of the active material; assumed, of the order of an oxide
VOXEL = 4e-7
LENGTH = 2.0 * VOXEL  # over which stress is averaged
ON_FOIL = [np.nan, 0.0, 0.0, 0.0, np.nan, np.nan]


def studied(
    made: mt.generation.Electrode, solids: dict[str, mt.mechanics.Solid]
) -> dict[str, float]:
    """Return what is known of an electrode, by name."""
    mech, micro = mt.mechanics, made.micro
    whole = mech.effective_stiffness(micro, solids, tol=1e-4).solid
    own = {"active": SWELLING}
    grown = mech.effective_swelling(micro, solids, own, stiffness=whole, tol=1e-4)
    field = mech.solve_swelling(micro, solids, own, mean_strain=ON_FOIL, tol=1e-4)
    # The same state in two ways: from the stiffness of the whole, and solved for.
    assert abs(field.mean_strain[0] / grown.through_plane - 1.0) < 1e-3
    # It is nearly isotropic, and so below what isotropic mixtures can reach.
    bulk, _ = mech.hashin_shtrikman(
        [*(solid.bulk_modulus for solid in solids.values()), 0.0],
        [*(solid.shear_modulus for solid in solids.values()), 0.0],
        [micro.volume_fraction(name) for name in (*solids, "pore")],
    )
    assert whole.bulk_modulus < bulk[1]

    table = mech.phase_distributions(micro, field.stress, ["binder"], length=LENGTH, periodic=True)
    particles = separate_particles(micro, "active").labels
    places = mech.ligaments(micro, particles, widest_gap=3.0 * VOXEL)
    loads = mech.rank_ligaments(places, field.stress, length=LENGTH, periodic=True)
    # Those that the faces of the image cut are left out.
    ligaments, contacts = (
        loads.peak_von_mises[loads.top(kind=kind, inner=True)] for kind in ("binder", "contact")
    )
    volume = micro.labels.size * (1e6 * VOXEL) ** 3 / 1000.0
    return {
        "porosity": micro.volume_fraction("pore"),
        "stiffness through the thickness, GPa": whole.stiffness[0, 0] / 1e9,
        "growth of a free layer, %": 100.0 * grown.free_strain[0],
        "growth on a foil, %": 100.0 * grown.through_plane,
        "pressure on the foil, MPa": -grown.constrained_stress[1:3].mean() / 1e6,
        "binder, von Mises, median, MPa": table["binder"].percentiles[0.5] / 1e6,
        "binder, von Mises, 95 %, MPa": table["binder"].percentiles[0.95] / 1e6,
        "ligaments of binder per 1000 um3": len(ligaments) / volume,
        "ligaments, peaks, median, MPa": np.median(ligaments) / 1e6,
        "ligaments, peaks, 95 %, MPa": np.percentile(ligaments, 95) / 1e6,
        "contacts of particles per 1000 um3": len(contacts) / volume,
        "contacts, peaks, median, MPa": np.median(contacts) / 1e6,
        "contacts, peaks, 95 %, MPa": np.percentile(contacts, 95) / 1e6,
    }


def main() -> None:
    mech = mt.mechanics
    # The binder is assumed too, of the order of a dry polymer with carbon.
    solids = {"active": mech.isotropic(YOUNG, POISSON), "binder": mech.isotropic(2e9, 0.35)}
    before = electrode(
        (40, 32, 32),
        voxel_size=VOXEL,
        porosity=0.45,
        binder_fraction=0.1,
        particles=ParticleType((4e-6, 1e-6)),
        seed=3,
    )
    pristine, calendered = (studied(made, solids) for made in (before, before.calendered(0.2)))
    print(f"{'':40s} pristine  calendered")
    for name, value in pristine.items():
        print(f"{name:40s} {value:8.3g} {calendered[name]:11.3g}")

    # The solids are kept while the thickness falls.
    assert abs((1 - calendered["porosity"]) * 0.8 - (1 - pristine["porosity"])) < 1e-3
    for name in (
        "stiffness through the thickness, GPa",
        "pressure on the foil, MPa",
        "contacts of particles per 1000 um3",
        "contacts, peaks, median, MPa",
    ):
        # More than in proportion to the solid: there are more contacts, and larger ones.
        assert calendered[name] / pristine[name] > 1.0 / 0.8, name
    for found in (pristine, calendered):
        # Particles that touch swell as one; between them binder, which does not swell, takes little
        # of it. Held at its sides the layer grows more, but less than dense active material does,
        # whose growth is (1 + nu) / (1 - nu) times as large: pores give way sideways.
        free, on_foil = found["growth of a free layer, %"], found["growth on a foil, %"]
        assert 0.9 * SWELLING < free / 100.0 < SWELLING
        assert free < on_foil < 100.0 * SWELLING * (1.0 + POISSON) / (1.0 - POISSON)
        # Contacts bear more than ligaments, which are so much softer.
        assert found["contacts, peaks, median, MPa"] > found["ligaments, peaks, median, MPa"]
    # The layer grows hardly more than before: what calendering costs is stress, not thickness.
    assert abs(calendered["growth on a foil, %"] / pristine["growth on a foil, %"] - 1.0) < 0.25


if __name__ == "__main__":
    main()
