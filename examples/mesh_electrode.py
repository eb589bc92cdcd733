"""Mesh an electrode, judge the mesh, and solve for the potential on it.

Run with ``python examples/mesh_electrode.py``; the last step needs ``pip install
'microtwin[mesh]'``. Files are written to the folder you are in.
"""

from __future__ import annotations

from pathlib import Path

import microtwin as mt


def main() -> None:
    folder = Path.cwd()
    made = mt.generation.electrode(48, 0.4e-6, porosity=0.4, binder_fraction=0.1, seed=3)
    mesh = mt.meshing.tetrahedralize(made.micro, size=2.0)
    quality = mesh.quality()
    print(quality)
    assert quality.verdict != "fail"
    assert quality.smallest_angle > 10.0
    for name, (ours, theirs) in quality.volume_fractions.items():
        assert abs(ours - theirs) < 1e-3, name

    mesh.save(folder / "electrode.vtu")
    mesh.surface("active", "pore").save(folder / "particles.stl")

    # Electrons enter the solids at the current collector, ions leave the pores at the separator,
    # and an exchange at the surface of the particles joins the two.
    result = mt.meshing.conduction(
        mesh,
        {"pore": 0.3, "active": 1.0, "binder": 50.0},
        {"z_low": {"active": 1.0, "binder": 1.0}, "z_high": {"pore": 0.0}},
        resistances={("active", "pore"): 2e-5, ("binder", "pore"): 1.0},
    )
    exchange = result.interface_flux["active", "pore"]
    print(f"current {result.currents['z_low']:.4g}, exchange {exchange.min():.3g} to ", end="")
    print(f"{exchange.max():.3g} per area")
    assert abs(result.currents["z_low"] / result.currents["z_high"] + 1.0) < 1e-6
    mesh.save(folder / "solved.vtu", flux=result.flux)


if __name__ == "__main__":
    main()
