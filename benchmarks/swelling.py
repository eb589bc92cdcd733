"""Measure swelling on voxels: iterations, time and memory, by size, contrast and faces.

    python benchmarks/swelling.py
    python benchmarks/swelling.py --image IMAGE.tif --edges 64 128 200 --contrasts 100 10000
    python benchmarks/swelling.py --interfaces voxel smooth --faces periodic --loads 10

The stiff phase of 100 GPa swells by 1 %; forces are solved for to 1e-6. With --loads the swelling
moves inwards from the surface in so many steps, on one solver; the iterations of each are given.
Without an image (of the
labels 0 pore, 1 active, 2 binder) an electrode is generated. A small one is solved first, so that
everything is compiled. Memory is what a process has to take anew: read it off the first line of an
edge that is far larger than those before.
"""

from __future__ import annotations

import argparse
import time
from itertools import product

import numpy as np
from half_cell import electrode
from segmentation import PeakMemory

import microtwin as mt

INTERFACES = ("voxel", "smooth", "laminate")
CASES = {
    "periodic": None,
    "clamped": {"z_low": "clamped", "y_low": "roller", "y_high": "roller", "x_low": "roller"},
    "casing": dict.fromkeys(mt.meshing.BOX_FACES, "roller"),
    "free": dict.fromkeys(mt.meshing.BOX_FACES, "free"),
}


def solids_of(contrast: float) -> dict[str, mt.mechanics.Solid]:
    mech = mt.mechanics
    binder = mech.isotropic(100e9 / contrast, 0.35)
    return {"active": mech.isotropic(100e9, 0.25), "binder": binder}


def sequence(
    micro: mt.Microstructure, contrast: float, faces: str, interface: str, loads: int
) -> str:
    """Solve for loads one after the other, and say what they took."""
    depth = mt.geometry.distance_map(micro.mask("active"), micro.voxel_size)
    depth /= 6.0 * micro.voxel_size[0]
    image = mt.mechanics.ElasticImage(
        micro, solids_of(contrast), faces=CASES[faces], interface=interface
    )
    iterations = []
    for time_ in np.linspace(1.0 / loads, 1.0, loads):
        swelling = 0.01 * time_ * np.exp(-depth / np.sqrt(time_))
        iterations.append(image.swell({"active": swelling}).iterations)
    return (
        f"{micro.shape[0]:4d}^3, contrast {contrast:g}, {faces}, {interface}: {loads} loads cost "
        f"{sum(iterations) / iterations[0]:.1f} solves, iterations {iterations}"
    )


def measure(micro: mt.Microstructure, contrast: float, faces: str, interface: str) -> str:
    """Solve once, and say what it took."""
    times: list[float] = []
    memory, start = PeakMemory(), time.perf_counter()
    found = mt.mechanics.solve_swelling(
        micro, solids_of(contrast), {"active": 0.01}, faces=CASES[faces], interface=interface,
        progress=lambda *_: times.append(time.perf_counter()),
    )  # fmt: skip
    seconds, voxels = time.perf_counter() - start, micro.labels.size
    each = (times[-1] - times[0]) / max(len(times) - 1, 1)
    return (
        f"{micro.shape[0]:4d}^3, contrast {contrast:g}, {faces:8s} {interface:6s}: "
        f"{found.iterations:3d} iterations, {seconds:6.1f} s, "
        f"{1e9 * each / voxels:5.0f} ns per voxel and iteration, "
        f"{memory.stop() / voxels:5.0f} B per voxel"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", help="an image of labels")
    parser.add_argument("--edges", type=int, nargs="+", default=[32, 64, 96])
    parser.add_argument("--contrasts", type=float, nargs="+", default=[1e2, 1e4])
    parser.add_argument("--faces", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--interfaces", nargs="+", default=["voxel"], choices=INTERFACES)
    parser.add_argument("--loads", type=int, default=0, help="loads one after the other")
    options = parser.parse_args()
    for faces, interface in product(options.faces, options.interfaces):
        measure(electrode(24, options.image), 1e2, faces, interface)
    for edge in options.edges:
        micro = electrode(edge, options.image)
        cases = product(options.contrasts, options.faces, options.interfaces)
        for contrast, faces, interface in cases:
            print(measure(micro, contrast, faces, interface), flush=True)
            if options.loads:
                print(sequence(micro, contrast, faces, interface, options.loads), flush=True)


if __name__ == "__main__":
    main()
