"""Correct and segment volumes that lie in a file: seconds, and memory that slabs bound.

    python benchmarks/large_volume.py 100 300 --across 500

Each number is the layers of a volume of 8-bit grey values: a thresholded Gaussian field, blurred
and noisy, made slab by slab and stored as NPY. Labels and probabilities are written to files too,
so that the memory of the process is that of a slab, whatever the number of layers.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from scipy.ndimage import gaussian_filter

import microtwin as mt
from microtwin.imaging import Corrected, learn_corrections, open_volume, segment

MEGABYTE = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("layers", type=int, nargs="+")
    parser.add_argument("--across", type=int, default=500, help="voxels along y and x")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), 32, 64)  # compiles the kernels
        print("            voxels     GB  seconds  ns/voxel  memory, MB   right")
        for layers in options.layers:
            seconds, memory, right = run(Path(folder), layers, options.across)
            voxels = layers * options.across**2
            print(
                f"{layers:6d} x {options.across} x {options.across} {voxels / 1e9:6.3f} "
                f"{seconds:8.1f} {1e9 * seconds / voxels:9.0f} {memory / MEGABYTE:11.0f} "
                f"{100 * right:6.2f}%",
                flush=True,
            )


def run(folder: Path, layers: int, across: int) -> tuple[float, int, float]:
    """Return seconds, bytes above the start that are not mapped files, and voxels right."""
    path = folder / "scan.npy"
    make(path, layers, across)
    before, peak, going = own_memory(), [0], [True]

    def watch() -> None:
        while going[0]:
            peak[0] = max(peak[0], own_memory())
            time.sleep(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    start = time.perf_counter()
    volume = open_volume(path)
    corrected = Corrected(volume, learn_corrections(volume, 2, steps=("drift", "shading")))
    found = segment(corrected, 1e-6, ["pore", "solid"], folder=folder)
    seconds = time.perf_counter() - start
    going[0] = False
    thread.join()
    truth = np.load(folder / "truth.npy", mmap_mode="r")
    right = np.mean(
        [np.mean(a == b) for a, b in zip(found.microstructure.labels, truth, strict=True)]
    )
    return seconds, peak[0] - before, float(right)


def own_memory() -> int:
    """Return the resident bytes that are not pages of mapped volumes.

    Those belong to the cache of the system, which takes them back when it needs them.
    """
    regions = psutil.Process().memory_maps()
    return sum(region.rss for region in regions if not region.path.endswith(".npy"))


def make(path: Path, layers: int, across: int) -> None:
    """Write a volume of grey values and its truth, from tiles of one Gaussian field."""
    tile = mt.generation.gaussian_field((64, across, across), 6.0, 0.4, seed=1)
    solid = tile.mask("solid")
    grey = 60 + 100 * gaussian_filter(solid.astype(np.float32), 0.8, mode="wrap")
    shape = (layers, across, across)
    scan = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    truth = np.lib.format.open_memmap(path.with_name("truth.npy"), "w+", np.uint8, shape)
    generator = np.random.default_rng(2)
    for start in range(0, layers, 64):
        stop = min(start + 64, layers)
        noisy = grey[: stop - start] + 20 * generator.standard_normal(
            (stop - start, across, across), np.float32
        )
        scan[start:stop] = np.clip(noisy, 0, 255)
        truth[start:stop] = solid[: stop - start]
    scan.flush()
    truth.flush()


if __name__ == "__main__":
    main()
