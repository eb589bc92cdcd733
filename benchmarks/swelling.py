"""Measure swelling on voxels: iterations, time and memory, by size, contrast and faces.

    python benchmarks/swelling.py
    python benchmarks/swelling.py --image IMAGE.tif --edges 64 128 200 --contrasts 100 10000

The stiff phase of 100 GPa swells by 1 %; forces are solved for to 1e-6. Without an image (of the
labels 0 pore, 1 active, 2 binder) an electrode is generated. A small one is solved first, so that
everything is compiled. Memory is what a process has to take anew: read it off the first line of an
edge that is far larger than those before.
"""

from __future__ import annotations

import argparse
import time

from half_cell import electrode
from segmentation import PeakMemory

import microtwin as mt

CASES = {
    "periodic": None,
    "clamped": {"z_low": "clamped", "y_low": "roller", "y_high": "roller", "x_low": "roller"},
    "casing": dict.fromkeys(mt.meshing.BOX_FACES, "roller"),
    "free": dict.fromkeys(mt.meshing.BOX_FACES, "free"),
}


def measure(micro: mt.Microstructure, contrast: float, faces: str) -> str:
    """Solve once, and say what it took."""
    mech = mt.mechanics
    binder = mech.isotropic(100e9 / contrast, 0.35)
    solids = {"active": mech.isotropic(100e9, 0.25), "binder": binder}
    times: list[float] = []
    memory, start = PeakMemory(), time.perf_counter()
    found = mech.solve_swelling(
        micro, solids, {"active": 0.01}, faces=CASES[faces],
        progress=lambda *_: times.append(time.perf_counter()),
    )  # fmt: skip
    seconds, voxels = time.perf_counter() - start, micro.labels.size
    each = (times[-1] - times[0]) / max(len(times) - 1, 1)
    return (
        f"{micro.shape[0]:4d}^3, contrast {contrast:g}, {faces:8s}: {found.iterations:3d} "
        f"iterations, {seconds:6.1f} s, {1e9 * each / voxels:5.0f} ns per voxel and iteration, "
        f"{memory.stop() / voxels:5.0f} B per voxel"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", help="an image of labels")
    parser.add_argument("--edges", type=int, nargs="+", default=[32, 64, 96])
    parser.add_argument("--contrasts", type=float, nargs="+", default=[1e2, 1e4])
    parser.add_argument("--faces", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    for faces in options.faces:
        measure(electrode(24, options.image), 1e2, faces)
    for edge in options.edges:
        micro = electrode(edge, options.image)
        for contrast in options.contrasts:
            for faces in options.faces:
                print(measure(micro, contrast, faces), flush=True)


if __name__ == "__main__":
    main()
