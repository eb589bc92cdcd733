"""Time microtwin and TauFactor 2 on the same images, one after the other, on the same threads.

TauFactor is optional here: install it with PyTorch into an environment that also has microtwin.

    python benchmarks/compare_taufactor.py 100 200 300

Both solve for the through-plane flux in the pores of a thresholded Gaussian field (porosity 0.4)
with fixed potentials on two faces and staircase interfaces, and both stop at a relative spread of
the flux between layers of 1 % (TauFactor's default) unless --tol says otherwise. The times
are those of the calls that users make, with the preparation of the image inside them; the
compilation of microtwin's kernels and the first import are outside.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time

import microtwin as mt


def main() -> None:
    """Print one line per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="+")
    parser.add_argument("--tol", type=float, default=1e-2)
    parser.add_argument("--skip-taufactor-above", type=int, default=10_000)
    options = parser.parse_args()
    try:
        import taufactor
        import torch
    except ImportError:
        raise SystemExit(
            "this comparison needs taufactor and torch: pip install taufactor torch"
        ) from None
    torch.set_num_threads(mt.numerics.thread_count())
    small = mt.generation.gaussian_field((32, 32, 32), 2.0, 0.4, seed=1)
    mt.transport.tortuosity_factor(small, "pore", interface="voxel")
    print(f"{mt.numerics.thread_count()} threads, flux spread {options.tol:g}")
    print(f"{'size':>5} {'microtwin s':>12} {'D':>8} {'TauFactor s':>12} {'D':>8} {'ratio':>7}")
    for size in options.sizes:
        micro = mt.generation.gaussian_field((size,) * 3, size / 40, 0.4, seed=1)
        start = time.perf_counter()
        ours = mt.transport.tortuosity_factor(micro, "pore", interface="voxel", tol=options.tol)
        seconds = time.perf_counter() - start
        line = f"{size:5d} {seconds:12.3f} {ours.relative_diffusivity:8.5f}"
        if size <= options.skip_taufactor_above:
            pore = micro.mask("pore").astype("uint8")
            with contextlib.redirect_stdout(io.StringIO()):
                start = time.perf_counter()
                solver = taufactor.Solver(pore, device=torch.device("cpu"))
                solver.solve(verbose=False, conv_crit=options.tol)
                theirs = time.perf_counter() - start
            value = float(torch.as_tensor(solver.D_eff).ravel()[0])
            line += f" {theirs:12.2f} {value:8.5f} {theirs / seconds:7.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
