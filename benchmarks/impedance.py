"""Measure impedances of an image: time and memory per voxel and frequency.

    python benchmarks/impedance.py
    python benchmarks/impedance.py --image IMAGE.tif --edges 64 100

Without an image (of the labels 0 pore, 1 active, 2 binder) an electrode is generated. Times are of
the wall clock, after a small electrode that compiles; beside them stands how many steady diffusion
solves of the same image they are worth. Voxels of the separator of a half cell count.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from half_cell import electrode
from segmentation import PeakMemory

import microtwin as mt

FREQUENCIES = np.geomspace(1e5, 1e-3, 9)  # Hz


def measured(
    name: str, voxels: int, count: int, call: Callable[[], Any], steady: float | None = None
) -> tuple[Any, float]:
    """Call something that solves at some frequencies, and print a line on it."""
    memory, start = PeakMemory(), time.perf_counter()
    found = call()
    seconds = (time.perf_counter() - start) / count
    worth = "" if steady is None else f"{seconds / steady:6.1f} steady solves"
    print(
        f"{name:36s} {seconds:8.3f} s {1e9 * seconds / voxels:8.0f} ns "
        f"{memory.stop() / voxels:6.0f} B {worth}",
        flush=True,
    )
    return found, seconds


def impedances(micro: mt.Microstructure, chemistry: str) -> None:
    """Measure one image: steady diffusion, a blocking electrode, a half cell."""
    ec, transport = mt.electrochemistry, mt.transport
    voxels = micro.labels.size
    _, steady = measured(
        "steady diffusion", voxels, 1, lambda: transport.tortuosity_factor(micro, "pore")
    )
    still, _ = measured(
        "blocking, geometry and frequency 0", voxels, 1,
        lambda: transport.blocking_impedance(micro, frequencies=[1.0]), steady,
    )  # fmt: skip
    at = still.characteristic_frequency * np.geomspace(1e-2, 1e2, 21)
    found, _ = measured(
        "blocking, each of 21 frequencies", voxels, len(at),
        lambda: transport.blocking_impedance(micro, frequencies=at), steady,
    )  # fmt: skip
    cell = ec.half_cell(micro, chemistry)
    voxels = int(np.prod(micro.shape[1:])) * (micro.shape[0] + cell.grid.layers)
    both, _ = measured(
        f"half cell, each of {len(FREQUENCIES)} frequencies", voxels, len(FREQUENCIES),
        lambda: ec.half_cell_impedance(cell, FREQUENCIES), steady,
    )  # fmt: skip
    print(
        f"iterations {min(found.iterations)} to {max(found.iterations)}, and in the half cell with "
        f"{cell.grid.layers} layers of separator {min(both.iterations)} to {max(both.iterations)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", help="an image of labels")
    parser.add_argument("--edges", type=int, nargs="+", default=[64])
    parser.add_argument("--chemistry", default="Chen2020:positive")
    options = parser.parse_args()
    small = electrode(24, options.image)
    mt.transport.tortuosity_factor(small, "pore")
    mt.transport.blocking_impedance(small, frequencies=[1.0])
    cell = mt.electrochemistry.half_cell(small, options.chemistry)
    mt.electrochemistry.half_cell_impedance(cell, [1.0])
    for edge in options.edges:
        print(f"{edge}^3{'':36s} {'time':>6s} {'per voxel':>11s} {'memory':>8s}")
        impedances(electrode(edge, options.image), options.chemistry)


if __name__ == "__main__":
    main()
