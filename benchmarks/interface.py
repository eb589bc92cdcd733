"""Measure the reaction on an interface: time and memory per voxel.

    python benchmarks/interface.py
    python benchmarks/interface.py --image IMAGE.tif --edge 100

Without an image (of the labels 0 pore, 1 active, 2 binder) an electrode is generated. Times are of
the wall clock, after a first call that compiles.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from segmentation import PeakMemory

import microtwin as mt

VOXEL = 4e-7


def measured(name: str, voxels: int, call: Callable[[], Any]) -> Any:
    """Call something, and print a line on it."""
    memory = PeakMemory()
    start = time.perf_counter()
    found = call()
    seconds = time.perf_counter() - start
    per_voxel = memory.stop() / voxels
    print(f"{name:40s} {seconds:8.3f} s {1e9 * seconds / voxels:8.0f} ns {per_voxel:6.0f} B")
    return found


def react(micro: mt.Microstructure) -> None:
    """Put a reaction on an image: a field of kinetics, the facets, the hot spots."""
    rooms, voxels = mt.electrochemistry, micro.labels.size
    field = measured(
        "random exchange current density",
        voxels,
        lambda: rooms.random_exchange_current(micro, 1.5, 0.75, 5 * VOXEL),
    )
    measured("binder blocks", voxels, lambda: rooms.interface_current(micro, 0.01, field))
    result = measured(
        "binder resists",
        voxels,
        lambda: rooms.interface_current(micro, 0.01, field, coverings={"binder": 5e-3}),
    )
    found = measured("hot spots", voxels, lambda: result.hot_spots(multiple=2.0))
    print(f"{len(result.facets)} facets, {len(found.spots)} hot spots")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", help="an image of labels")
    parser.add_argument("--edge", type=int, default=100, help="voxels along each edge")
    options = parser.parse_args()
    if options.image is None:
        made = mt.generation.electrode(
            options.edge, VOXEL, porosity=0.4, binder_fraction=0.1, seed=3
        )
        micro = made.micro
    else:
        phases = {"pore": 0, "active": 1, "binder": 2}
        whole = mt.read_microstructure(options.image, voxel_size=VOXEL, phases=phases)
        micro = whole.crop(*(slice(0, options.edge) for _ in range(3)))
    # Compiles, and fills the table of the patterns of labels that the image holds.
    mt.electrochemistry.interface_current(micro, coverings={"binder": 0.1}).hot_spots()
    print(f"{'':40s} {'time':>10s} {'per voxel':>11s} {'memory':>8s}")
    react(micro)


if __name__ == "__main__":
    main()
