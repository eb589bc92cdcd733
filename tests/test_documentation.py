"""The Python of the README and of the documentation runs as it is printed there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from microtwin.generation import ParticleType, electrode
from microtwin.imaging import Scanner, virtual_scan, write_scan
from upscaling.electrodes import TEMPLATE

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "```python" in page.read_text(encoding="utf-8") and "_build" not in page.parts
]

STUDY = """
name: a small study
image:
  path: electrode.tif
  voxel_size: "398 nm"
  phases: {pore: 0, active: 1, binder: 2}
transport:
  phases: [pore]
"""


def write_projections(folder):
    """Write a scan of a rod, as DXchange and as sinogram."""
    angles = np.arange(60) * np.pi / 60
    distance = np.arange(64) - 30.5 - 8 * np.cos(angles)[:, None]
    transmitted = np.exp(-0.05 * 2 * np.sqrt(np.maximum(15.0**2 - distance**2, 0)))
    counts = np.random.default_rng(1).poisson(20_000 * transmitted).astype(np.uint16)
    with h5py.File(folder / "tooth.h5", "w") as file:
        file["exchange/data"] = np.repeat(counts[:, None], 4, axis=1)
        file["exchange/data_white"] = np.full((2, 4, 64), 20_000, np.uint16)
        file["exchange/data_dark"] = np.zeros((2, 4, 64), np.uint16)
        file["exchange/theta"] = np.rad2deg(angles)
    tifffile.imwrite(folder / "sinogram.tif", counts)


def write_exports(folder, labels):
    """Write labels that count from 1, and probabilities, in the layout of ilastik."""
    with h5py.File(folder / "electrode_Simple Segmentation.h5", "w") as file:
        file["exported_data"] = labels[..., None] + np.uint8(1)
        file["exported_data"].attrs["axes"] = "zyxc"
    with h5py.File(folder / "electrode_Probabilities.h5", "w") as file:
        file["exported_data"] = np.eye(3, dtype=np.float32)[labels]
        file["exported_data"].attrs["axes"] = "zyxc"


def write_scan_file(folder):
    """Write a virtual scan of three phases."""
    truth = electrode(
        (32, 40, 40),
        porosity=0.4,
        binder_fraction=0.1,
        particles=ParticleType((6e-6, 2e-6)),
        seed=1,
    ).micro
    scanner = Scanner({"pore": 0, "active": 6000, "binder": 2000}, photons=1e5, blur=0.7)
    write_scan(virtual_scan(truth, scanner), folder / "scan.tif")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Put the files that the pages speak of in the working directory."""
    labels = np.random.default_rng(3).integers(0, 3, (12, 12, 12), dtype=np.uint8)
    labels[:, 4:8, :] = 0  # a pore that percolates along z and x
    for name in ("electrode.tif", "large.tif"):
        tifffile.imwrite(tmp_path / name, labels, metadata=None)
    np.savez(tmp_path / "rock.npz", pore=labels == 0)
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file["entry/reconstruction/data"] = labels
    group = zarr.open_group(tmp_path / "rock.zarr", mode="w")
    group.create_array("labels", data=np.uint8(labels > 0))
    group.create_array("grey", data=labels)
    write_scan_file(tmp_path)
    write_exports(tmp_path, labels)
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "cell.json").write_text(json.dumps(TEMPLATE))
    write_projections(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_of_a_page_runs(page):
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    namespace: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page.name, "exec"), namespace)
    assert "mt" in namespace
