"""A small generated study that a whole run computes in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

SMALL_STUDY = """\
name: small electrode

generate:
  kind: electrode
  shape: [24, 24, 24]
  voxel_size: "500 nm"
  porosity: 0.45
  binder_fraction: 0.1
  particles: {diameter: {mean: "4 um", deviation: "1.2 um"}}
  seed: 3

transport:
  phases: [pore]
  directions: [z, x]

homogenize:
  conductivities: {pore: 1.0, binder: 0.05}
  unit: S/m

output:
  fields: true
  report: false
"""


@pytest.fixture
def small_text() -> str:
    return SMALL_STUDY


@pytest.fixture
def small_study(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL_STUDY, encoding="utf-8")
    return path
