"""How fast the transport solver is, and how much memory it takes, on images of growing size."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from microtwin.numerics.threads import over_slabs, slab_bounds, thread_count
from microtwin.transport.options import Interface

__all__ = ["copy_bandwidth", "run_bench"]

POROSITY = 0.4
# The blobs grow with the image, as when the same sample is scanned with finer voxels.
SIZE_OVER_CORRELATION_LENGTH = 40

# Bytes per voxel that one iteration has to move if every pass reads and writes each array once
# (what is overwritten is read first): on the finest level smoothing and restriction 15.5,
# correction, smoothing and scalar products 19.5, step and residual 31; the coarse levels 23.
BYTES_PER_ITERATION = 89


def copy_bandwidth(megabytes: int = 256, repeats: int = 5) -> float:
    """Measure the speed of a memory copy on all threads.

    Parameters
    ----------
    megabytes : int
        Size of the array that is copied.
    repeats : int
        Copies; the fastest counts.

    Returns
    -------
    float
        Bytes read plus bytes written per second.
    """
    source = np.ones((256, megabytes, 1024), np.float32)
    target = np.empty_like(source)

    def copy(first: int, end: int) -> None:
        target[first:end] = source[first:end]

    best = np.inf
    for _ in range(repeats + 1):
        start = time.perf_counter()
        over_slabs(copy, slab_bounds(source.shape))
        best = min(best, time.perf_counter() - start)
    return 2.0 * source.nbytes / best


class _PeakMemory:
    """Samples the resident memory of this process and keeps the highest value."""

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self._stop = threading.Event()
        self.start = self.peak = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._stop.wait(0.002):
            self.peak = max(self.peak, self._process.memory_info().rss)

    def __enter__(self) -> _PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()


def run_bench(
    sizes: Sequence[int] = (100, 200),
    interface: Interface = "voxel",
    repeats: int = 3,
    tol: float = 1e-4,
) -> list[dict[str, Any]]:
    """Time the tortuosity factor of a thresholded Gaussian field, porosity 0.4.

    Parameters
    ----------
    sizes : sequence of int
        Edge lengths of the images in voxels.
    interface : {"voxel", "smooth"}
        Interface convention.
    repeats : int
        Solves per size, after one that compiles and warms up; the fastest counts.
    tol : float
        Relative spread of the flux between layers at which a solve stops.

    Returns
    -------
    list of dict
        One per size: seconds of the whole call, iterations, iterations to a flux spread of 1 %,
        nanoseconds per voxel and iteration, peak memory per voxel with the image, and the
        share of the copy bandwidth that the necessary traffic of an iteration reaches.

    Raises
    ------
    ValueError
        If a size is below 16 or repeats below 1.
    """
    from microtwin.generation import gaussian_field
    from microtwin.transport.tortuosity import tortuosity_factor

    if min(sizes) < 16 or repeats < 1:
        raise ValueError(
            f"sizes {list(sizes)} and repeats {repeats} are not allowed; "
            "use edge lengths of at least 16 voxels and at least one repeat"
        )
    small = gaussian_field((32, 32, 32), 2.0, POROSITY, seed=1)
    tortuosity_factor(small, "pore", interface=interface)
    bandwidth = copy_bandwidth()
    rows = []
    for size in sizes:
        micro = gaussian_field((size,) * 3, size / SIZE_OVER_CORRELATION_LENGTH, POROSITY, seed=1)
        best: dict[str, Any] = {"seconds": np.inf}
        for _ in range(repeats):
            ticks: list[float] = []

            def tick(*_: float, ticks: list[float] = ticks) -> None:
                ticks.append(time.perf_counter())

            with _PeakMemory() as memory:
                start = time.perf_counter()
                result = tortuosity_factor(
                    micro, "pore", interface=interface, tol=tol, progress=tick
                )
                seconds = time.perf_counter() - start
            if seconds > best["seconds"]:
                continue
            each = (ticks[-1] - ticks[0]) / max(1, len(ticks) - 1) / micro.labels.size
            best = {
                "size": size,
                "interface": interface,
                "threads": thread_count(),
                "seconds": seconds,
                "iterations": result.iterations,
                "iterations_to_1_percent": next(
                    n for n, spread in enumerate(result.spread_history) if spread <= 1e-2
                ),
                "ns_per_voxel_iteration": 1e9 * each,
                "bytes_per_voxel": 1.0 + (memory.peak - memory.start) / micro.labels.size,
                "share_of_copy_bandwidth": BYTES_PER_ITERATION / each / bandwidth,
                "copy_bandwidth_GB_s": 1e-9 * bandwidth,
                "relative_diffusivity": result.relative_diffusivity,
            }
            del result
        rows.append(best)
    return rows
