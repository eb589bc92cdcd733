from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from microtwin import Microstructure, write_microstructure
from microtwin.study import StudyError
from microtwin.study.demo import demo_text
from microtwin.study.reading import parse_study
from microtwin.study.template import look_at_image, parse_phases, study_text

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("398 nm", (398e-9,) * 3),
        ("1 um, 0.4 um, 0.4 um", (1e-6, 4e-7, 4e-7)),
        ((4e-7, 4e-7, 4e-7), (4e-7,) * 3),
        ((1e-6, 4e-7, 4e-7), (1e-6, 4e-7, 4e-7)),
    ],
)
def test_a_new_study_is_valid(written: str, expected: tuple[float, ...]) -> None:
    text = study_text('a "quoted" name', "folder/img 1.tif", written, {"pore": 0, "active": 1})
    study = parse_study(text)
    assert study.image is not None and study.transport is not None
    assert study.name == 'a "quoted" name'
    assert study.image.path == "folder/img 1.tif"
    assert study.image.voxel_size == pytest.approx(expected, rel=1e-6)
    assert study.image.phases == {"pore": 0, "active": 1}
    assert study.transport.phases == ["pore"]


def test_the_sections_in_comments_are_valid_too() -> None:
    text = study_text("s", "i.tif", "1 um", {"pore": 0})
    lines = []
    for line in text.splitlines():
        bare = line.lstrip(" #") if line.lstrip().startswith("# ") else None
        keys = ("homogenize:", "conductivities:", "unit:", "boundary:", "crop:", "coarsen:")
        if bare is not None and bare.startswith(keys):
            line = line.replace("# ", "", 1)
        lines.append(line)
    study = parse_study("\n".join(lines))
    assert study.homogenize is not None and study.homogenize.conductivities == {"pore": 1.0}
    assert study.image is not None and study.image.coarsen == 2
    assert study.image.crop is not None and study.image.crop.z == (0, 100)


def test_phases_from_the_command_line() -> None:
    assert parse_phases(["pore=0", "active = 85"]) == {"pore": 0, "active": 85}
    for words in (["pore"], ["pore=x"], ["=0"], ["pore=0", "pore=1"], ["pore=0", "void=0"]):
        with pytest.raises(StudyError, match="--phase"):
            parse_phases(words)


def test_what_an_image_tells(tmp_path: Path) -> None:
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[0] = 85
    micro = Microstructure(labels, (1e-6, 4e-7, 4e-7), {"pore": 0, "active": 85})
    write_microstructure(micro, tmp_path / "labels.h5")
    facts = look_at_image(tmp_path / "labels.h5")
    assert facts.shape == (4, 5, 6)
    assert facts.counts == {0: 90, 85: 30}
    assert facts.voxel_size == pytest.approx((1e-6, 4e-7, 4e-7))


def test_grey_values_are_no_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "grey.npy", np.arange(64, dtype=np.uint8).reshape(4, 4, 4))
    with pytest.raises(StudyError, match="start from it with --scan"):
        look_at_image(tmp_path / "grey.npy")


def test_the_example_is_the_demo() -> None:
    assert (EXAMPLES / "demo_study.yaml").read_text(encoding="utf-8") == demo_text()
    assert parse_study(demo_text()).generate is not None
