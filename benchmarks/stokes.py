"""Measure the permeability of cut Gaussian fields: iterations, time and memory per voxel.

    python benchmarks/stokes.py
    python benchmarks/stokes.py --edges 64 128 --porosity 0.3 --boundary faces

Times are of the wall clock, after a small image that compiles.
"""

from __future__ import annotations

import argparse
import time

from segmentation import PeakMemory

import microtwin as mt


def measure(edge: int, options: argparse.Namespace) -> None:
    """Print one line on an image."""
    micro = mt.generation.gaussian_field(edge, options.length, options.porosity, seed=1)
    memory, start = PeakMemory(), time.perf_counter()
    flow = mt.transport.permeability(
        micro, "pore", boundary=options.boundary, interface=options.interface, tol=options.tol
    )
    seconds = time.perf_counter() - start
    print(
        f"{edge:5d} {options.porosity:8.2f} {flow.iterations:10d} {seconds:9.2f} "
        f"{1e9 * seconds / micro.labels.size:12.0f} {memory.stop() / micro.labels.size:11.0f} "
        f"{flow.permeability / micro.voxel_size[0] ** 2:12.6f} {flow.residual:9.1e} "
        f"{flow.flux_spread:9.1e}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, nargs="+", default=[64, 100, 128])
    parser.add_argument("--porosity", type=float, default=0.4)
    parser.add_argument("--length", type=float, default=3.0, help="width of the kernel in voxels")
    parser.add_argument("--boundary", default="periodic")
    parser.add_argument("--interface", default="smooth")
    parser.add_argument("--tol", type=float, default=1e-5)
    options = parser.parse_args()
    small = mt.generation.gaussian_field(16, 2.0, 0.5, seed=1)
    mt.transport.permeability(small, "pore", boundary=options.boundary)
    print(
        f"{'edge':>5s} {'porosity':>8s} {'iterations':>10s} {'seconds':>9s} {'ns per voxel':>12s} "
        f"{'bytes/voxel':>11s} {'k / voxel^2':>12s} {'residual':>9s} {'spread':>9s}"
    )
    for edge in options.edges:
        measure(edge, options)


if __name__ == "__main__":
    main()
