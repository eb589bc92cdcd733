"""Permeability of spheres in a cubic array, of a random medium, and the time to fill it.

Run with ``python examples/permeability.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt


def main() -> None:
    # Spheres that fill 34.3 % of a cubic cell: k / L^2 = 0.0079331 (Zick & Homsy 1982).
    n, exact = 32, 0.0079331
    spheres = mt.generation.lattice_spheres(n, 0.343, origin=(0.2, 0.7, 0.4), voxel_size=1e-6)
    edge = n * 1e-6
    for interface in ("smooth", "voxel"):
        flow = mt.transport.permeability(spheres, "matrix", interface=interface)
        error = flow.permeability / edge**2 / exact - 1.0
        print(f"spheres, {interface}: {flow.message} Error {100 * error:+.1f} %")
        assert abs(error) < (0.01 if interface == "smooth" else 0.06)

    # A random medium: the tensor is symmetric and positive.
    medium = mt.generation.gaussian_field(40, 3.0, 0.45, seed=1, voxel_size=0.5e-6)
    tensor = mt.transport.permeability_tensor(medium, "pore", boundary="periodic")
    print("principal permeabilities, m2:", tensor.principal_values)
    assert tensor.principal_values[2] > 0.0

    # What flows in flows out again, layer by layer; the pore fluid is faster than Darcy's velocity.
    flow = mt.transport.permeability(medium, "pore", direction="z")
    assert np.ptp(flow.layer_flux) < 1e-5 * flow.permeability
    carried = flow.volume_fraction * flow.percolating_fraction
    assert np.isclose(flow.interstitial_velocity[0] * carried, flow.superficial_velocity[0])
    print(f"streamlines are {flow.hydraulic_tortuosity():.2f} times as long as the image")

    # An electrolyte that wets it, over 100 um.
    filling = mt.transport.filling_time(
        medium, flow, viscosity=3e-3, surface_tension=0.03, contact_angle=30.0, length=1e-4
    )
    print(
        f"filled in {1e3 * filling.seconds:.1f} ms by {1e-3 * filling.capillary_pressure:.0f} kPa"
    )
    assert 1e-4 < filling.seconds < 1.0


if __name__ == "__main__":
    main()
