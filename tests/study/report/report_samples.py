"""Small report data with known numbers, full and empty."""

from __future__ import annotations

from typing import Any

import numpy as np

from microtwin import Microstructure
from microtwin.study.report import (
    ConvergenceView,
    ReportData,
    SamplingView,
    StructureView,
    TransportView,
)


def layered(names: tuple[str, ...] = ("pore", "active", "binder")) -> Microstructure:
    """Stack one slab of two voxels per phase along z, on anisotropic voxels."""
    labels = np.repeat(np.arange(len(names), dtype=np.uint8), 2)[:, None, None]
    return Microstructure(
        np.broadcast_to(labels, (2 * len(names), 4, 5)).copy(),
        (4e-7, 2e-7, 1e-7),
        {name: value for value, name in enumerate(names)},
    )


def transport_view(**changes: Any) -> TransportView:
    rows, columns = np.mgrid[0:6, 0:5]
    potential = 1 - (rows + 0.5) / 6
    potential[columns == 4] = np.nan
    settings: dict[str, Any] = {
        "phase": "pore",
        "direction": "z",
        "boundary": "faces",
        "interface": "smooth",
        "numbers": {
            "tortuosity_factor": 2.26,
            "relative_diffusivity": 0.177,
            "volume_fraction": 0.4,
            "percolating_fraction": 0.987,
            "iterations": 6,
            "residual": 3.2e-7,
            "message": "converged in 6 iterations",
        },
        "layer_flux": np.full(6, 0.177),
        "residual_history": (1.0, 1e-3, 3.2e-7),
        "potential_slice": potential,
        "flux_slice": np.where(np.isfinite(potential), 0.5, 0.0).astype(np.float32),
        "dissipation_slice": np.where(np.isfinite(potential), rows + 1.0, 0.0),
        "voxel_size": (4e-7, 1e-7),
    }
    return TransportView(**{**settings, **changes})


def quantity(**changes: Any) -> dict[str, Any]:
    settings = {
        "name": "tortuosity_factor",
        "phase": "pore",
        "direction": "z",
        "value": 2.2599,
        "unit": "1",
        "uncertainty": {
            "discretisation": 0.019,
            "sampling": 0.065,
            "segmentation": None,
            "total": 0.0677,
        },
        "checks": [{"name": "flux_spread", "value": 4e-5, "limit": 1e-4, "verdict": "pass"}],
        "source": "0123",
    }
    return {**settings, **changes}


def full(**changes: Any) -> ReportData:
    edges = np.array([8e-6, 16e-6])
    settings: dict[str, Any] = {
        "title": "A layered material",
        "results": {"quantities": [quantity()]},
        "study_text": "image: {file: layers.tif}\n",
        "micro": layered(),
        "transport": (transport_view(),),
        "tensors": (
            {
                "name": "effective_conductivity",
                "tensor": [[0.1, 0.0, -1e-9], [0.0, 0.2, 0.0], [-1e-9, 0.0, 0.3]],
                "principal_values": [0.1, 0.2, 0.3],
                "principal_directions": np.eye(3).tolist(),
                "anisotropy_ratio": 3.0,
                "unit": "S/m",
            },
        ),
        "convergence": (
            ConvergenceView(
                phase="pore",
                direction="z",
                voxel_sizes=(4e-7, 8e-7),
                smooth=(0.177, 0.1785),
                staircase=(0.163, 0.152),
                richardson=0.174,
                discretisation=0.0015,
                observed_order=None,
                unresolved_interface=0.034,
                sentence="The grids agree.",
            ),
        ),
        "structure": (
            StructureView(
                phase="pore",
                fraction=0.41,
                fraction_std=0.006,
                structure_length=3.1e-6,
                scale_ratio=8.2,
                volume_for={0.05: 21e-6, 0.01: 61e-6},
                trend=0.012,
                trend_std=0.021,
                ratio=0.93,
                ratio_std=0.012,
                sentences=("size", "scales differ by 8.2", "no trend here", "directions"),
            ),
        ),
        "sampling": (
            SamplingView(
                phase="pore",
                direction="z",
                quantity="relative_diffusivity",
                edges=edges,
                means=np.array([0.17, 0.177]),
                stds=np.array([0.04, 0.014]),
                counts=np.array([64, 8]),
                fitted_std=np.array([0.04, 0.0141]),
                fraction_stds=np.array([0.051, 0.019]),
                fraction_stds_predicted=np.array([0.05, 0.018]),
                std_whole=0.005,
                volume_for={0.05: 22.6e-6, 0.01: 66e-6},
                sentence="The image is large enough for 5 %.",
            ),
        ),
        "records": (
            {
                "stage": "transport",
                "key": "f" * 64,
                "seconds": 12.4,
                "peak_memory_bytes": 3 * 2**30,
                "versions": {"numpy": "2.4.1"},
                "checks": [],
            },
        ),
        "descriptors": {"percolating_fraction [1]": {"pore": 0.98}},
    }
    return ReportData(**{**settings, **changes})


def minimal() -> ReportData:
    return ReportData(title="Nothing yet", results={}, study_text="", micro=layered())
