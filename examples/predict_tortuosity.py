"""Bruggeman's and Stenzel's predictions against computed tortuosity factors of 50 structures."""

import numpy as np

import microtwin as mt
from microtwin.generation import ParticleType, boolean_spheres, electrode, gaussian_field

EDGE = 56
KINDS = {
    "gaussian field": lambda eps, seed: gaussian_field(EDGE, 3.0, eps, seed),
    "flat gaussian": lambda eps, seed: gaussian_field(EDGE, (2.0, 4.0, 4.0), eps, seed),
    "overlapping spheres": lambda eps, seed: boolean_spheres(EDGE, 6.0, eps, seed),
    "packed spheres": lambda eps, seed: (
        electrode(EDGE, 5e-7, eps, 0.05, ParticleType((5e-6, 1e-6)), seed=seed).micro
    ),
    "plates": lambda eps, seed: (
        electrode(
            EDGE,
            5e-7,
            eps,
            0.0,
            ParticleType((4e-6, 5e-7), "plate", 0.35, alignment=0.5),
            seed=seed,
        ).micro
    ),
}

found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in KINDS}
for name, make in KINDS.items():
    for seed, eps in enumerate(np.linspace(0.38, 0.65, 10)):
        micro = make(float(eps), seed)
        computed = mt.transport.tortuosity_factor(micro, "pore").tortuosity_factor
        porosity = micro.volume_fraction("pore")
        found[name].append(
            (
                computed,
                porosity / mt.descriptors.bruggeman(porosity),
                porosity
                / mt.descriptors.stenzel(
                    porosity,
                    mt.descriptors.constrictivity(micro, "pore", "z"),
                    mt.descriptors.geodesic_tortuosity(micro, "pore", "z"),
                ),
            )
        )

print("                       error of the prediction, % of the computed tortuosity factor")
print("                       Bruggeman  root mean square    Stenzel  root mean square")
errors = {}
for name, rows in found.items():
    values = np.array(rows)
    errors[name] = 100 * (values[:, 1:] / values[:, :1] - 1)
for name, error in (*errors.items(), ("all", np.concatenate(list(errors.values())))):
    mean, spread = error.mean(axis=0), np.sqrt(np.mean(error**2, axis=0))
    print(f"{name:22s} {mean[0]:+9.0f} {spread[0]:17.0f} {mean[1]:+10.0f} {spread[1]:17.0f}")

# Bruggeman knows the porosity only: right within 15 % for round particles, far too low where flat
# pores lie across. Stenzel's regression sees these, and is too high by a fifth on the others.
mean = {name: error.mean(axis=0) for name, error in errors.items()}
assert abs(mean["overlapping spheres"][0]) < 15 and abs(mean["packed spheres"][0]) < 15
assert mean["flat gaussian"][0] < -40 and abs(mean["flat gaussian"][1]) < 15
everything = np.concatenate(list(errors.values()))
rms = np.sqrt(np.mean(everything**2, axis=0))
assert rms[1] < rms[0] and 10 < rms[1] < 30
assert len(everything) == 50
