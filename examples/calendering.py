"""Calendering from 0 to 30 %: porosity, tortuosity and the conductivity of the solid network.

The through-plane tortuosity factor of the pore rises most: flat particles lie down, and the pores
between them flatten. X-ray images of graphite electrodes have this anisotropy (Ebner et al., Adv.
Energy Mater. 4, 1301278, 2014).
"""

from itertools import pairwise

import microtwin as mt
from microtwin.generation import ParticleType, electrode

CONDUCTIVITY = {"active": 10.0, "binder": 1000.0}  # S/m

before = electrode(
    (96, 72, 72),
    voxel_size=5e-7,
    porosity=0.52,
    binder_fraction=0.05,
    particles=ParticleType((6e-6, 1.5e-6), "plate", 0.35, alignment=0.3),
    binder_morphology=0.8,
    seed=3,
)

print("strain  porosity  tau z  tau x  order  conductivity z (S/m)  x")
rows = []
for strain in (0.0, 0.1, 0.2, 0.3):
    made = before.calendered(strain, flattening=0.3)
    tau_z, tau_x = (
        mt.transport.tortuosity_factor(made.micro, "pore", direction=d).tortuosity_factor
        for d in ("z", "x")
    )
    network = mt.transport.homogenize(made.micro, CONDUCTIVITY, boundary="mirror").tensor
    porosity, order = made.micro.volume_fraction("pore"), made.particles.order_parameter("z")
    rows.append((porosity, tau_z, tau_x, network[0, 0], network[2, 2], order))
    print(
        f"{strain:6.2f} {porosity:9.3f} {tau_z:6.2f} {tau_x:6.2f} {order:6.2f} "
        f"{network[0, 0]:21.1f} {network[2, 2]:5.1f}"
    )

first, last = rows[0], rows[-1]
# The solids are kept: 1 - porosity grows as the thickness falls, to whole voxels.
thin = round(0.7 * 96) / 96
assert abs((1 - last[0]) * thin - (1 - first[0])) < 1e-3
for earlier, later in pairwise(rows):
    assert later[1] > earlier[1] and later[2] > earlier[2]  # tau
    assert later[3] > earlier[3] and later[4] > earlier[4]  # conductivity
assert last[1] / first[1] > 1.1 * last[2] / first[2]
assert last[5] > first[5] + 0.1
