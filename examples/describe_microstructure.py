"""Descriptors of a virtual electrode, and the diffusivity that others predict from them."""

import microtwin as mt

micro = mt.generation.electrode((72, 72, 72), voxel_size=4e-7, porosity=0.45, seed=4).micro
found = mt.descriptors.describe(micro)

eps, beta = found.volume_fraction["pore"], found.constrictivity["pore"]["z"]
tau_g = found.geodesic_tortuosity["pore"]["z"]
print(f"pores: {1e6 * found.sizes['pore'].quantile(0.5):.1f} um wide (median by volume)")
print(f"constrictivity {beta:.2f}, geodesic tortuosity {tau_g:.3f}, {found.topology['pore']}")
line = found.triple_line_density["pore", "active", "binder"]
print(f"triple line {1e-12 * line:.2f} um per um^3")

particles = mt.descriptors.particle_shapes(micro, "active")
print(
    f"{particles.complete.sum()} whole particles with {particles.mean_contacts:.1f} contacts each"
)

computed = mt.transport.tortuosity_factor(micro, "pore").relative_diffusivity
stenzel = mt.descriptors.stenzel(eps, beta, tau_g)
bruggeman = mt.descriptors.bruggeman(eps)
print(f"D_eff/D_0: computed {computed:.3f}, Stenzel {stenzel:.3f}, Bruggeman {bruggeman:.3f}")

# The regression of Stenzel et al. has errors of 19 %.
assert abs(stenzel / computed - 1) < 0.35
assert 1.0 < tau_g < 1.3
assert 2 < particles.mean_contacts < 9
