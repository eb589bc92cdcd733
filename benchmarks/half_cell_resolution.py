"""Discharge one geometry on ever smaller voxels: how fast the voltage converges.

    python benchmarks/half_cell_resolution.py
    python benchmarks/half_cell_resolution.py --edge 24 --refine 1 2 4 --rate 2

The geometry is a Gaussian random field that is cut, sampled on voxels of an edge, half of it, and a
quarter of it. The order is that of the differences between one size of voxels and the next.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import microtwin as mt

HEIGHT = 16e-6  # m
CORRELATION = 3.0  # of the coarsest voxels
SHARE = 0.95  # of the charge; beyond, the voltage falls off, and says when, not how much


def electrode(edge: int, refine: int, seed: int) -> mt.Microstructure:
    """Return the geometry on `refine` times as many voxels along an edge of 16 um."""
    found = mt.generation.gaussian_field(
        edge, CORRELATION, 0.45, seed=seed, voxel_size=HEIGHT / edge, refine=refine
    )
    return mt.Microstructure(found.labels, found.voxel_size, {"pore": 0, "active": 1})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edge", type=int, default=16)
    parser.add_argument("--refine", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--chemistry", default="Chen2020:positive")
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    runs = []
    for refine in options.refine:
        micro = electrode(options.edge, refine, options.seed)
        start = time.perf_counter()
        run = mt.electrochemistry.discharge(
            micro, options.chemistry, options.rate, conductivities={"active": 10.0}
        )
        seconds = time.perf_counter() - start
        volume = float(np.prod(micro.extent))
        print(
            f"{micro.shape[0]:4d}^3: {run.cell.area / volume:9.4g} 1/m reacts, "
            f"{run.capacity:.4f} A h/m2, {run.ended}, {seconds:.1f} s",
            flush=True,
        )
        runs.append(run)
    charge = np.linspace(0.0, SHARE * min(run.charge[-1] for run in runs), 401)[1:]
    curves = [np.interp(charge, run.charge, run.voltage) for run in runs]
    last = None
    for refine, fine, coarse in zip(options.refine[1:], curves[1:], curves, strict=False):
        difference = float(np.sqrt(np.square(fine - coarse).mean()))
        order = "" if last is None else f", order {np.log2(last / difference):.1f}"
        print(f"{options.edge * refine:4d}^3 to the one before: {1e3 * difference:.2f} mV{order}")
        last = difference


if __name__ == "__main__":
    main()
