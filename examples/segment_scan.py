"""From a virtual scan with known truth to labels, and what the labels may be wrong by."""

import numpy as np

import microtwin as mt
from microtwin.imaging import (
    Corrected,
    Scanner,
    learn_corrections,
    plausible_segmentation,
    segment,
    virtual_scan,
)

# The truth: a virtual electrode; the scan: noise, blur, rings, drift and beam hardening.
truth = mt.generation.electrode(
    shape=(72, 72, 72),
    voxel_size=4e-7,
    porosity=0.4,
    binder_fraction=0.0,
    particles=mt.generation.ParticleType((7e-6, 2.1e-6)),
    seed=3,
).micro
scanner = Scanner(
    {"pore": 0.0, "active": 25_000.0, "binder": 6_000.0},
    photons=2e4,
    blur=0.8,
    spectrum=((0.3, 0.7), (0.4, 1.0), (0.3, 1.4)),
    rings=0.003,
    drift=0.02,
)
scan = virtual_scan(truth, scanner, seed=1)

corrections = learn_corrections(scan, classes=2)
print(f"drift {corrections.drift_size:.0f}, rings {corrections.rings.size:.0f} 1/m were taken away")
phases = ["pore", "active"]
known = {name: truth.volume_fraction(name) for name in phases}
found = segment(Corrected(scan, corrections), scan.voxel_size, phases, fractions=known)
micro = found.microstructure
right = np.mean(micro.labels == truth.labels)
blur = " ".join(f"{width:.2f}" for width in found.model.blur)
print(f"{100 * right:.1f} % of the voxels are right; blur along z, y, x: {blur} voxel")

tau = mt.transport.tortuosity_factor(micro, "pore").tortuosity_factor
true_tau = mt.transport.tortuosity_factor(truth, "pore").tortuosity_factor
members = [
    mt.transport.tortuosity_factor(
        plausible_segmentation(micro, seed, fraction_uncertainty=0.01), "pore", tol=1e-3
    ).tortuosity_factor
    for seed in range(4)
]
print(f"tortuosity factor {tau:.3f}, true {true_tau:.3f}, plausible {np.round(members, 3)}")

assert right > 0.96
assert abs(micro.volume_fraction("pore") - known["pore"]) < 0.002
assert abs(tau / true_tau - 1) < 0.05
