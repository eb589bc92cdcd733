"""Measure a discharge that is resolved on the image: time and memory per voxel and step.

    python benchmarks/half_cell.py
    python benchmarks/half_cell.py --image IMAGE.tif --edges 64 100 200 --rate 1

Without an image (of the labels 0 pore, 1 active, 2 binder) an electrode is generated. A small
electrode is discharged first, so that everything is compiled. Voxels of the separator count.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from segmentation import PeakMemory

import microtwin as mt

VOXEL = 3.98e-7


def electrode(edge: int, path: str | None) -> mt.Microstructure:
    """Return a cube of an image, or of a generated electrode."""
    if path is None:
        return mt.generation.electrode(
            edge, VOXEL, porosity=0.4, binder_fraction=0.1, seed=3
        ).micro  # fmt: skip
    whole = mt.read_microstructure(
        path, voxel_size=VOXEL, phases={"pore": 0, "active": 1, "binder": 2}
    )
    starts = [0, *((n - edge) // 2 for n in whole.shape[1:])]
    part = tuple(slice(s, s + edge) for s in starts)
    return mt.Microstructure(np.ascontiguousarray(whole.labels[part]), VOXEL, whole.phases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", help="an image of labels")
    parser.add_argument("--edges", type=int, nargs="+", default=[64, 100])
    parser.add_argument("--chemistry", default="Chen2020:positive")
    parser.add_argument("--rate", type=float, default=1.0)
    options = parser.parse_args()
    ec = mt.electrochemistry
    ec.discharge(electrode(48, options.image), options.chemistry, options.rate)
    for edge in options.edges:
        micro = electrode(edge, options.image)
        memory, start, processor = PeakMemory(), time.perf_counter(), time.process_time()
        cell = ec.half_cell(micro, options.chemistry)
        built = time.perf_counter() - start
        run = ec.run(cell, [ec.ConstantCurrent(options.rate)])
        seconds, work = time.perf_counter() - start, time.process_time() - processor
        voxels = int(np.prod(micro.shape[1:])) * (micro.shape[0] + cell.grid.layers)
        steps = len(run.records) - 1
        outer = np.mean([r.step.outer for r in run.records[1:]])
        print(
            f"{edge:4d}^3 + {cell.grid.layers} layers: {seconds:7.1f} s wall, {work:7.1f} s of the "
            f"processor, {built:5.1f} s to build; {steps} steps with {outer:.1f} rounds, "
            f"{1e9 * (seconds - built) / voxels / steps:5.0f} ns per voxel and step, "
            f"{memory.stop() / voxels:4.0f} B per voxel; {run.ended}, "
            f"{100 * run.utilisation:.1f} % of the capacity",
            flush=True,
        )


if __name__ == "__main__":
    main()
