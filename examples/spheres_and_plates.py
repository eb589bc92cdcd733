"""Spheres against plates at equal active volume, and the best aspect ratio at a given current.

Flat particles that lie in the plane have more surface, which lowers the resistance of the
reaction, and block the way through the thickness, which raises that of transport. The sum of both
has a minimum.
"""

import numpy as np

import microtwin as mt
from microtwin.generation import ParticleType, electrode

POROSITY, THICKNESS = 0.45, 75e-6  # of a graphite electrode (m)
CONDUCTIVITY = 1.0  # of the electrolyte (S/m)
EXCHANGE_CURRENT_DENSITY = 2.0  # A/m^2 of interface
CURRENT_DENSITIES = (10.0, 200.0)  # A/m^2 of electrode
THERMAL_VOLTAGE = 0.02569  # R T / F at 298 K (V)
ASPECT_RATIOS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18)


def particle(aspect_ratio: float) -> ParticleType:
    """Return particles of one volume: spheres, or plates that lie in the plane."""
    if aspect_ratio == 1.0:
        return ParticleType((6e-6, 1e-6))
    return ParticleType((6e-6, 1e-6), "plate", aspect_ratio, alignment=0.8)


def measured(aspect_ratio: float) -> tuple[float, float, float]:
    """Return specific surface (1/m), and the tortuosity factor through-plane and in-plane."""
    micro = electrode(
        (80, 80, 80),
        voxel_size=5e-7,
        porosity=POROSITY,
        binder_fraction=0.0,
        particles=particle(aspect_ratio),
        seed=1,
    ).micro
    surface = mt.descriptors.describe(micro, groups=["surface"]).specific_surface["active"]
    tau_z, tau_x = (
        mt.transport.tortuosity_factor(micro, "pore", direction=d).tortuosity_factor
        for d in ("z", "x")
    )
    return surface, tau_z, tau_x


def reaction_resistance(surface: np.ndarray, current_density: float) -> np.ndarray:
    """Return overpotential over current (ohm m^2), the reaction spread over the thickness.

    Butler-Volmer kinetics with equal transfer coefficients, i = 2 i_0 sinh(F eta / 2 R T).
    """
    local = current_density / (surface * THICKNESS)
    return (
        2 * THERMAL_VOLTAGE * np.arcsinh(local / (2 * EXCHANGE_CURRENT_DENSITY)) / current_density
    )


surface, tau_z, tau_x = np.array([measured(ratio) for ratio in ASPECT_RATIOS]).T
# A third of the full resistance: the ionic current falls off linearly through the electrode.
transport = tau_z * THICKNESS / (3 * CONDUCTIVITY * POROSITY)
best = []
for current_density in CURRENT_DENSITIES:
    reaction = reaction_resistance(surface, current_density)
    total = reaction + transport
    print(f"at {current_density:g} A/m2, resistances in ohm cm2")
    print("  aspect  s (1/um)  tau z  tau x  reaction  transport    sum")
    for row in zip(ASPECT_RATIOS, 1e-6 * surface, tau_z, tau_x, strict=True):
        print("  {:6.2f} {:9.3f} {:6.2f} {:6.2f}".format(*row), end="")
        i = ASPECT_RATIOS.index(row[0])
        print(f" {1e4 * reaction[i]:9.3f} {1e4 * transport[i]:10.3f} {1e4 * total[i]:6.3f}")
    best.append(ASPECT_RATIOS[int(np.argmin(total))])
    print(f"  least resistance at an aspect ratio of {best[-1]}")

# Plates have more surface than spheres of the same volume and are anisotropic; spheres are not.
assert np.all(np.diff(surface[1:]) > 0) and surface[-1] > 1.3 * surface[0]
assert np.all(np.diff(tau_z[1:]) > 0) and tau_z[-1] > 1.8 * tau_x[-1]
assert abs(tau_z[0] / tau_x[0] - 1) < 0.12
# The larger the current, the less the reaction counts, and the rounder are the best particles.
assert 0.18 < best[0] < 1.0 and best[1] > best[0]
