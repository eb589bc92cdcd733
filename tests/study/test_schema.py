from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from microtwin.study.mechanics_sections import Along
from microtwin.study.recipes import (
    Calendering,
    Coating,
    ElectrodeRecipe,
    GaussianRecipe,
    Particle,
)
from microtwin.study.schema import (
    Correction,
    Crop,
    Denoise,
    HalfCellImpedance,
    Homogenize,
    Image,
    Impedance,
    Laboratory,
    Mesh,
    Output,
    Projections,
    Scan,
    Segmentation,
    Study,
    Transport,
)
from microtwin.study.schema import Uncertainty as UncertaintySection

GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "study.md"


@pytest.mark.parametrize(
    ("section", "title"),
    [
        (Study, "Top level"),
        (Image, "`image`"),
        (Scan, "`scan`"),
        (Projections, "`projections`"),
        (Correction, "`correction`"),
        (Denoise, "`denoise`"),
        (Segmentation, "`segmentation`"),
        (Laboratory, "`laboratory`"),
        (ElectrodeRecipe, "`generate`, kind `electrode`"),
        (Particle, "`particles`"),
        (Calendering, "`calendering`"),
        (Coating, "`coating`"),
        (GaussianRecipe, "`generate`, kind `gaussian`"),
        (Transport, "`transport`"),
        (Homogenize, "`homogenize`"),
        (Impedance, "`impedance`"),
        (Along, "`along` of `mechanics`"),
        (HalfCellImpedance, "`impedance` of `half_cell`"),
        (Mesh, "`mesh`"),
        (UncertaintySection, "`uncertainty`"),
        (Output, "`output`"),
    ],
)
def test_the_guide_lists_every_key_of_every_section(section: type[BaseModel], title: str) -> None:
    text = GUIDE.read_text(encoding="utf-8").split(f"### {title}\n")[1].split("\n#")[0]
    listed = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert sorted(listed) == sorted(section.model_fields)


def test_sections_cannot_be_changed() -> None:
    output = Output()
    with pytest.raises(ValidationError):
        output.fields = False  # type: ignore[misc]


@pytest.mark.parametrize("span", [(3, 4), (5, 2)])
def test_a_crop_keeps_two_voxels(span: tuple[int, int]) -> None:
    with pytest.raises(ValidationError, match="fewer than 2 voxels"):
        Crop(z=span)


def test_a_tensor_needs_a_conducting_phase() -> None:
    study = Study.model_validate(
        {
            "name": "s",
            "image": {"path": "a.tif", "voxel_size": 1e-6, "phases": {"pore": 0}},
            "homogenize": {"conductivities": {"pore": 0.0}},
        }
    )
    (problem,) = study.problems()
    assert problem.path == ("homogenize", "conductivities") and "above zero" in problem.message
