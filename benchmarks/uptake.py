"""Measure steady uptake beside a tortuosity solve on the same image: time, steps, memory.

    python benchmarks/uptake.py
    python benchmarks/uptake.py --edges 200 --porosity 0.4

Times are of the wall clock, the shortest of three, after a small image that compiles.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from segmentation import PeakMemory

import microtwin as mt
from microtwin.reactions import FirstOrder, MichaelisMenten, ZeroOrder, solve_uptake
from microtwin.reactions.kinetics import Kinetics

DIFFUSIVITY = 1e-9  # m^2/s
MODULUS = 6.0  # Thiele, over the edge of the image
REPEATS = 3


def shortest(solve: Callable[[], Any]) -> tuple[float, Any]:
    """Return the shortest time of some runs, and what they found."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        found = solve()
        times.append(time.perf_counter() - start)
    return min(times), found


def laws(micro: mt.Microstructure) -> dict[str, Kinetics]:
    """Return kinetics under which a front lies in the image."""
    rate = MODULUS**2 * DIFFUSIVITY / micro.extent[0] ** 2
    return {
        "first order": FirstOrder(rate),
        "saturating": MichaelisMenten(rate, 0.3),
        "zero order": ZeroOrder(rate),
    }


def uptake(micro: mt.Microstructure, law: Kinetics) -> Any:
    return solve_uptake(micro, {"pore": DIFFUSIVITY}, {"pore": law}, {"z_low": 1.0})


def measure(edge: int, porosity: float) -> None:
    """Print one line for each kind of kinetics on an image."""
    micro = mt.generation.gaussian_field(edge, 4.0, porosity, seed=1)
    tau, _ = shortest(lambda: mt.transport.tortuosity_factor(micro, "pore"))
    for name, law in laws(micro).items():
        memory = PeakMemory()
        seconds, found = shortest(lambda law=law: uptake(micro, law))
        empty = np.mean(found.concentration[micro.mask("pore")] == 0.0)
        print(
            f"{edge:5d} {name:>12s} {seconds:9.2f} {seconds / tau:9.1f} {found.steps:6d} "
            f"{found.iterations:11d} {found.balance:9.0e} {100 * empty:7.1f} "
            f"{memory.stop() / micro.labels.size:11.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, nargs="+", default=[64, 100, 200])
    parser.add_argument("--porosity", type=float, default=0.5)
    options = parser.parse_args()
    small = mt.generation.gaussian_field(16, 2.0, 0.5, seed=1)
    mt.transport.tortuosity_factor(small, "pore")
    for law in laws(small).values():
        uptake(small, law)
    print(
        f"{'edge':>5s} {'kinetics':>12s} {'seconds':>9s} {'over tau':>9s} {'Newton':>6s} "
        f"{'iterations':>11s} {'balance':>9s} {'core, %':>7s} {'bytes/voxel':>11s}"
    )
    for edge in options.edges:
        measure(edge, options.porosity)


if __name__ == "__main__":
    main()
