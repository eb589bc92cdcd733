"""Measure dispersion and breakthrough of a tracer: accuracy, iterations, time and memory.

    python benchmarks/dispersion.py
    python benchmarks/dispersion.py --edges 32 64 --peclet 0 1 10 100
    python benchmarks/dispersion.py --curves

Flows are exact ones in straight pores, and Stokes flow through a cubic array of spheres and a cut
Gaussian field (grains of about sixteen voxels across at an edge of 64). Times are of the wall
clock, after a small image that compiles.
"""

from __future__ import annotations

import argparse
import time

from segmentation import PeakMemory

import microtwin as mt
from microtwin.transport.parallel_flows import (
    duct_dispersion,
    plane_channel,
    round_tube,
    square_duct,
)

PECLET = 100.0


def straight_pores() -> None:
    """Print the error of Taylor and Aris' dispersion against the voxels across."""
    print(f"error of the longitudinal dispersion, Pe = {PECLET:g} with half the width")
    exact = {
        "plates": (plane_channel, 1.0 + 2.0 / 105.0 * PECLET**2),
        "square duct": (square_duct, duct_dispersion(2.0 * PECLET)),
        "round tube": (lambda n: round_tube(0.5 * n), 1.0 + PECLET**2 / 48.0),
    }
    for name, (flow, value) in exact.items():
        errors = []
        for n in (8, 16, 32, 64):
            found = mt.transport.grid_dispersion(flow(n), PECLET, 0.5 * n)
            errors.append(found.longitudinal[0] / value - 1.0)
        print(f"{name:12s}", *(f"{100 * e:9.4f} %" for e in errors))


def images(edge: int) -> dict[str, tuple[mt.Microstructure, str]]:
    """Return the images of one size."""
    return {
        "spheres": (mt.generation.lattice_spheres(edge, 0.4), "matrix"),
        "random": (mt.generation.gaussian_field(edge, edge / 16.0, 0.5, seed=1), "pore"),
    }


def closures(edge: int, numbers: list[float]) -> None:
    """Print what each Péclet number takes, from the lowest on."""
    for name, (micro, phase) in images(edge).items():
        start = time.perf_counter()
        flow = mt.transport.permeability(micro, phase)
        print(f"{name} {edge}^3: flow {time.perf_counter() - start:.1f} s", flush=True)
        marks: list[float] = []
        memory, start = PeakMemory(), time.perf_counter()
        found = mt.transport.dispersion(
            micro, flow, numbers, watch=lambda *_, m=marks: m.append(time.perf_counter())
        )
        bytes_each = memory.stop() / micro.labels.size
        for n, mark in enumerate(marks):
            print(
                f"  Pe {found.peclet[n]:6g}  longitudinal {found.longitudinal[n]:9.4f}  transverse "
                f"{found.transverse[n]:8.4f}  cell Pe {found.cell_peclet[n]:6.2f}  scheme "
                f"{100 * found.numerical_share[n]:7.4f} %  iterations {found.iterations[n]}  "
                f"{mark - start:6.2f} s"
            )
            start = mark
        print(f"  {bytes_each:.0f} bytes per voxel")


def curves(edge: int) -> None:
    """Print what a breakthrough curve takes."""
    for name, (micro, phase) in images(edge).items():
        flow = mt.transport.permeability(micro, phase, boundary="faces")
        velocity = 10.0 * 1e-9 / mt.transport.grain_diameter(micro, phase)
        start = time.perf_counter()
        found = mt.transport.breakthrough(micro, flow, 1e-9, velocity, pore_volumes=1.5)
        seconds = time.perf_counter() - start
        each = 1e9 * seconds / len(found.times) / micro.labels.size
        print(
            f"{name} {edge}^3, Pe = 10: {len(found.times)} steps, {seconds:.1f} s, {each:.0f} ns "
            f"per voxel and step; balance {found.balance:.1e}, from {found.lowest:.1e} to 1 + "
            f"{found.highest - 1.0:.1e}; apparent dispersion "
            f"{found.fit.dispersion / found.diffusivity:.3f} times the diffusivity"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--peclet", type=float, nargs="+", default=[0.0, 1.0, 10.0, 30.0, 100.0])
    parser.add_argument("--curves", action="store_true", help="breakthrough curves as well")
    options = parser.parse_args()
    micro, phase = images(16)["spheres"]
    flow = mt.transport.permeability(micro, phase)
    mt.transport.dispersion(micro, flow, 100.0)
    mt.transport.breakthrough(micro, flow, 1e-9, 1e-3, pore_volumes=0.1)
    straight_pores()
    for edge in options.edges:
        closures(edge, options.peclet)
        if options.curves:
            curves(edge)


if __name__ == "__main__":
    main()
