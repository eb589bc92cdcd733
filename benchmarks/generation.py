"""Time the recipes for virtual microstructures.

    taskset -c 0 python benchmarks/generation.py 128 400

Each time is the best of three (of one from 256 voxels on), after a first call that compiles.
Memory is what comes on top of the process before the calls.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from segmentation import PeakMemory

from microtwin.generation import (
    Electrode,
    ParticleType,
    binder_mask,
    electrode,
    gaussian_field,
    packed_particles,
    paint,
    plurigaussian,
)

VOXEL = 4e-7
SPHERES = ParticleType((6e-6, 1.8e-6))
PLATES = ParticleType((4e-6, 1e-6), "plate", 0.2)
POLYHEDRA = ParticleType((6e-6, 1e-6), "polyhedron")
IRREGULAR = ParticleType((6e-6, 1e-6), "irregular")
SHARES = {"pore": 0.4, "active": 0.45, "binder": 0.15}


def packed(kind: ParticleType, fraction: float) -> Callable[[int], object]:
    """Return what packs and paints particles."""
    return lambda n: paint(packed_particles(n, VOXEL, kind, fraction), n)


RECIPES: dict[str, Callable[[int], object]] = {
    "Gaussian field": lambda n: gaussian_field(n, 6.0, 0.4),
    "three phases, two fields": lambda n: plurigaussian(n, SHARES, (6.0, 3.0)),
    "polydisperse spheres, 55 %": packed(SPHERES, 0.55),
    "plates 5:1, 30 %": packed(PLATES, 0.30),
    "plates 5:1, 40 %": packed(PLATES, 0.40),
    "polyhedra, 50 %": packed(POLYHEDRA, 0.50),
    "irregular, 50 %": packed(IRREGULAR, 0.50),
    "electrode: spheres and binder": lambda n: electrode(n, VOXEL),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("edges", type=int, nargs="+", help="voxels along each edge")
    options = parser.parse_args()
    for make in RECIPES.values():
        make(64)
    print(f"{'':32s} voxels   seconds  ns/voxel  B/voxel")
    for edge in options.edges:
        for name, make in RECIPES.items():
            report(name, edge, lambda make=make, edge=edge: make(edge))
        report_steps(electrode(edge, VOXEL))


def report_steps(made: Electrode) -> None:
    """Time what is done to an electrode that is packed."""
    edge = made.micro.shape[0]
    free = ~made.micro.mask("active")
    count = int(made.micro.mask("binder").sum())
    report("binder alone", edge, lambda: binder_mask(made.particles, free, count))
    if edge < 256:
        report("calendering by 20 %", edge, lambda: made.calendered(0.2))


def report(name: str, edge: int, make: Callable[[], object]) -> None:
    """Print the least seconds of some calls, and the most bytes above the start."""
    times = []
    memory = PeakMemory()
    for _ in range(1 if edge >= 256 else 3):
        start = time.perf_counter()
        make()
        times.append(time.perf_counter() - start)
    peak = memory.stop()
    print(
        f"{name:32s} {edge:4d}^3 {min(times):9.3f} {1e9 * min(times) / edge**3:9.0f} "
        f"{peak / edge**3:8.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
