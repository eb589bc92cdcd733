from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from microtwin.study import StudyError, estimate_cost, read_study
from microtwin.study.estimate import BYTES_FIXED, BYTES_PER_VOXEL, require_memory

STUDY = """\
name: large
image:
  path: labels.npy
  voxel_size: "1 um"
  phases: {{pore: 0}}
  {extra}
transport: {{phases: [pore], directions: [z], interface: {interface}}}
output: {{fields: false}}
"""


def study(folder: Path, extra: str = "", interface: str = "voxel") -> Path:
    # A sparse file: the voxels are never read.
    np.lib.format.open_memmap(
        folder / "labels.npy", mode="w+", dtype=np.uint8, shape=(200, 300, 400)
    )
    path = folder / "study.yaml"
    path.write_text(STUDY.format(extra=extra, interface=interface), encoding="utf-8")
    return path


@pytest.mark.parametrize("interface", ["voxel", "smooth"])
def test_memory_is_proportional_to_voxels(tmp_path: Path, interface: str) -> None:
    cost = estimate_cost(read_study(study(tmp_path, interface=interface)))
    assert cost.shape == (200, 300, 400)
    assert cost.memory_bytes == BYTES_FIXED + BYTES_PER_VOXEL[interface] * 24_000_000
    assert cost.solves == 1


def test_dispersion_between_two_faces_is_solved_on_eight_pieces(tmp_path: Path) -> None:
    costs = []
    for boundary in ("periodic", "faces"):
        path = study(tmp_path)
        text = path.read_text(encoding="utf-8").replace(
            "phases: {pore: 0}", "phases: {pore: 0, s: 1}"
        )
        text = text.split("transport:")[0] + (
            "descriptors: false\noutput: {fields: false}\nuncertainty: {discretisation: false}\n"
            f"flow: {{boundary: {boundary}, dispersion: {{peclet: [1, 10, 100]}}}}\n"
        )
        path.write_text(text, encoding="utf-8")
        costs.append(estimate_cost(read_study(path)))
    # 3328 and 455 bytes per voxel were measured on 56^3 voxels.
    assert costs[1].memory_bytes - BYTES_FIXED >= 3328 * 24_000_000
    assert 455 * 24_000_000 <= costs[0].memory_bytes - BYTES_FIXED < 1000 * 24_000_000
    assert costs[1].seconds > 3.0 * costs[0].seconds


def test_crop_and_coarsening_are_counted(tmp_path: Path) -> None:
    cost = estimate_cost(read_study(study(tmp_path, "crop: {z: [0, 101]}\n  coarsen: 2")))
    assert cost.shape == (50, 150, 200)
    assert cost.memory_bytes == BYTES_FIXED + 40 * 50 * 150 * 200


def test_the_smallest_coarsening_that_fits_is_named(tmp_path: Path) -> None:
    file = read_study(study(tmp_path))
    # 24e6 voxels x 40 B: 0.96 GB; coarsened by 2 0.12 GB; by 3 0.036 GB.
    cost = estimate_cost(file, available_bytes=BYTES_FIXED + 100_000_000)
    assert not cost.fits and cost.fitting_coarsening == 3
    with pytest.raises(StudyError) as caught:
        require_memory(file, cost)
    told = str(caught.value)
    assert "200 x 300 x 400 voxels need about 1.4 GB" in told and "0.5 GB are free" in told
    assert "coarsen: 3" in told and "\n" not in told
    require_memory(file, estimate_cost(file, available_bytes=10**10))


def test_elements_too_large_for_the_image_name_their_line(tmp_path: Path) -> None:
    path = study(tmp_path, "coarsen: 2")
    text = path.read_text(encoding="utf-8").replace("{pore: 0}", "{pore: 0, active: 1}")
    path.write_text(text + "mesh: {size: 50}\n", encoding="utf-8")
    assert estimate_cost(read_study(path)).shape == (100, 150, 200)
    path.write_text(text + "mesh: {size: 50.5}\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"line 9, mesh\.size: .* side of 100 voxels; write 50"):
        estimate_cost(read_study(path))


def test_a_crop_that_ends_outside_names_its_line(tmp_path: Path) -> None:
    file = read_study(study(tmp_path, "crop: {y: [0, 301]}"))
    with pytest.raises(StudyError, match=r"line 6, image\.crop\.y: .* at most 300"):
        estimate_cost(file)
