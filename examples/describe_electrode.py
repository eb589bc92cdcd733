"""Make a virtual electrode from a seed and describe it in one call."""

import microtwin as mt

micro = mt.generation.electrode(shape=(96, 96, 96), voxel_size=0.4e-6, seed=1).micro
found = mt.descriptors.describe(micro, periodic=True)

print(micro)
for phase in micro.phases:
    print(
        f"{phase:>7}: {100 * found.volume_fraction[phase]:5.1f} %, "
        f"surface {1e-6 * found.specific_surface[phase]:.3f} m^2 per cm^3, "
        f"{100 * found.percolating_fraction[phase]['z']:.1f} % percolates along z"
    )
wetted = found.interface_area["active", "pore"] / found.specific_surface["active"]
print(f"pore touches {100 * wetted:.0f} % of the active surface, binder the rest")

assert abs(found.volume_fraction["pore"] - 0.40) < 0.002
# Spheres of Sauter diameter d have the surface 6 eps / d; this size distribution has d = 7 um.
assert 0.36e6 < found.specific_surface["active"] < 0.46e6
