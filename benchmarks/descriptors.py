"""Time the descriptors of one phase on Gaussian fields of growing size.

    taskset -c 0 python benchmarks/descriptors.py 128 256 400

The structure keeps its size in voxels, as when a larger sample is scanned. Each time is the best
of three, after a first call that compiles. Memory is what comes on top of the image.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from segmentation import PeakMemory

import microtwin as mt
from microtwin.geometry import distance_map

CORRELATION_LENGTH = 6.4

QUANTITIES: dict[str, Callable[[mt.Microstructure], object]] = {
    "surface area": lambda micro: mt.descriptors.surface_area(micro, "pore"),
    "curvature, Euler density": lambda micro: mt.descriptors.minkowski_functionals(micro, "pore"),
    "Betti numbers": lambda micro: mt.descriptors.betti_numbers(micro, "pore"),
    "percolating fraction": lambda micro: mt.descriptors.percolating_fraction(micro, "pore"),
    "chords along x": lambda micro: mt.descriptors.chords(micro, "pore", "x"),
    "two-point correlation": lambda micro: mt.descriptors.two_point(micro, "pore", periodic=True),
    "distance map": lambda micro: distance_map(micro.mask("pore"), micro.voxel_size),
    "local thickness": lambda micro: mt.descriptors.local_thickness(micro, "pore"),
    "intruded diameter": lambda micro: mt.descriptors.intruded_diameter(micro, "pore"),
    "geodesic tortuosity": lambda micro: mt.descriptors.geodesic_tortuosity(micro, "pore"),
    "particle shapes": lambda micro: mt.descriptors.particle_shapes(micro, "solid"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("edges", type=int, nargs="+", help="voxels along each edge")
    options = parser.parse_args()
    small = mt.generation.gaussian_field(24, 3.0, 0.4, seed=1)
    for compute in QUANTITIES.values():
        compute(small)
    print(f"{'':26s} voxels        ms  ns/voxel  B/voxel")
    for edge in options.edges:
        micro = mt.generation.gaussian_field(edge, CORRELATION_LENGTH, 0.4, seed=1)
        for name, compute in QUANTITIES.items():
            seconds, memory = measure(compute, micro)
            voxels = edge**3
            print(
                f"{name:26s} {edge:4d}^3 {1e3 * seconds:9.0f} {1e9 * seconds / voxels:9.0f} "
                f"{memory / voxels:8.1f}",
                flush=True,
            )


def measure(
    compute: Callable[[mt.Microstructure], object], micro: mt.Microstructure
) -> tuple[float, int]:
    """Return the least seconds of three calls, and the most bytes above the start."""
    memory = PeakMemory()
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        compute(micro)
        seconds.append(time.perf_counter() - start)
    return min(seconds), memory.stop()


if __name__ == "__main__":
    main()
