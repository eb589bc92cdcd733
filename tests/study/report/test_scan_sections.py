"""The way from a scan to its labels, and results on plausible segmentations, in the report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from microtwin.study.report import MembersView, ScanView, SegmentationView, write_report
from microtwin.study.report.scan_sections import scan_section
from microtwin.study.report.trust_sections import segmentation_section
from study.report.report_samples import full, layered
from study.report.test_page import EVIL, SECTIONS, Page, page_of

PHASES = ("pore", "binder", "active")


def scan_view(phases=PHASES, **changes) -> ScanView:
    """A slice of all phases, of grey values 10, 20, 30, ... with a ramp and noise on them."""
    generator = np.random.default_rng(1)
    labels = np.arange(24 * 30).reshape(24, 30) * len(phases) // (24 * 30)
    true = 10.0 * (labels + 1)
    without_drift = true + np.linspace(-1, 1, 30) + generator.normal(0, 0.5, labels.shape)
    without_shading = without_drift - np.linspace(-1, 1, 30)
    settings = {
        "picture": without_drift * 1.05 + 2,
        "voxel_size": (4e-7, 2e-7, 1e-7),
        "labels": labels.astype(np.uint8),
        "corrected": {
            "drift": without_drift,
            "shading": without_shading,
            "rings": without_shading - generator.normal(0, 0.1, labels.shape),
        },
        "certainty": np.full(labels.shape, 0.95),
        "gain": np.linspace(-0.02, 0.02, 6),
        "offset": np.linspace(1, -1, 6),
        "rings": np.vstack([np.sin(np.arange(19)), np.cos(np.arange(19))]),
        "histogram": np.array([0, 120, 3, 0, 80, 1]),
        "histogram_edges": np.linspace(5, 35, 7),
        "means": {name: 10.0 * (k + 1) for k, name in enumerate(phases)},
        "deviations": dict.fromkeys(phases, 0.5),
        "known_fractions": dict.fromkeys(phases, 1 / len(phases)),
        "found_fractions": dict.fromkeys(phases, 1.01 / len(phases)),
        "fraction_uncertainty": 0.01,
        "calibrated": True,
        "sizes": {"drift": 1.25, "shading": 2.0, "rings": 0.707},
        "noise": 0.51,
        "label_noise": 0.49,
        "blur": (0.81, 0.8, 0.8),
        "resolution": 7.48e-7,
        "contrast_to_noise": {"pore/binder": 20.0, "binder/active": None},
        "shares": {"between_class_variance": 0.93, "ambiguous": 0.007, "saturated": 0.0},
        "checks": (
            {"name": "between_class_variance", "value": 0.93, "limit": 0.7, "verdict": "pass"},
            {"name": "saturated_voxels", "value": 0.04, "limit": 0.01, "verdict": "warn"},
        ),
    }
    return ScanView(**{**settings, **changes})


def members(name="tortuosity_factor", of="pore, z", whole=2.0, **changes) -> MembersView:
    settings = {
        "members": (1.9, 2.1, 2.12),
        "spread": 0.12,
        "shift": 0.04,
        "bias": 0.03,
        "model": 0.05,
    }
    return MembersView(name, of, whole, uncertainty=0.13, **{**settings, **changes})


def segmentation_view(*quantities: MembersView) -> SegmentationView:
    return SegmentationView(quantities or (members(),), "Properties were computed on 3 images.")


def scanned(view: ScanView | None = None, **changes):
    """A full report on a scan; `layered` has the same three phases in another order."""
    view = scan_view() if view is None else view
    return full(
        micro=layered(tuple(view.means)),
        scan=view,
        **{"segmentation": segmentation_view(), **changes},
    )


def sections_of(data) -> Page:
    """Return only the two sections, for the page takes its time with other figures."""
    return Page(scan_section(data) + segmentation_section(data))


def words(page) -> str:
    return page.text.replace("\u00a0", " ")


def test_both_sections_have_their_place(tmp_path):
    page = page_of(scanned(), tmp_path)
    expected = list(SECTIONS)
    expected.insert(expected.index("microstructure"), "scan")
    expected.insert(expected.index("run"), "segmentation")
    assert [attributes["id"] for attributes in page.all("section")] == expected
    assert [a["href"] for a in page.all("a")] == [f"#{name}" for name in expected]


def test_a_study_of_labels_says_nothing_about_scans(tmp_path):
    text = page_of(full(), tmp_path).text
    assert "scan" not in text.lower().replace("same scan allows", "")
    assert "Plausible" not in text


def test_every_figure_is_drawn(tmp_path):
    images = page_of(scanned(), tmp_path).all("img")
    # Those of every report, and steps, artefacts, histogram, members.
    assert len(images) == 7 + 4
    assert all(len(image["alt"]) > 20 and 100 < int(image["width"]) < 1200 for image in images)


def test_the_summary_says_how_the_labels_were_made(tmp_path):
    text = words(page_of(scanned(), tmp_path))
    sentence = "The labels were made from a scan that was corrected for drift, shading and rings, "
    assert text.count(sentence) == 2
    assert "weighted to the known volume fractions" in text


def test_numbers_have_their_units():
    text = words(sections_of(scanned()))
    # Of the contrast of 20 between the darkest and the brightest phase.
    assert "Drift, standard deviation over the slices 1.25 grey values 6.2 %" in text
    assert "Blur along z, y, x, std. deviation 0.81, 0.80, 0.80 voxels" in text
    assert "Resolution, full width at half maximum 748 nm" in text
    assert "Contrast to noise, pore/binder 20.0" in text
    assert "Contrast to noise, binder/active ∞" in text
    assert "pore 10.00 0.500 33.3 ± 1.0 % 33.7 % 33.3 %" in text


def test_a_check_that_warns_says_what_to_do():
    text = words(sections_of(scanned()))
    assert "Saturated voxels ! warn" in text
    assert "export it with a wider range. 4.0 % 1.0 %" in text
    assert "Between-class variance η ✓ pass" in text
    assert "bin the scan" not in text


def test_a_note_is_a_callout():
    note = "the phases fit the reverse order better"
    page = sections_of(scanned(scan_view(note=note)))
    assert f"To note: {note}." in page.text
    assert [p for p in page.all("p") if p.get("class") == "callout"]


def test_without_corrections_only_the_scan_and_the_labels_are_shown():
    view = scan_view(
        corrected={}, gain=None, offset=None, rings=None, sizes={}, noise=None, certainty=None
    )
    page = sections_of(scanned(view))
    assert len(page.all("img")) == 3
    assert "The middle slice: as measured, labels." in [i["alt"] for i in page.all("img")]
    assert "Drift, standard" not in page.text
    assert "made from a scan, by the probability" in page.text


def test_a_step_that_was_left_out_has_no_size():
    view = scan_view(corrected={"rings": scan_view().picture}, sizes={"rings": 0.7, "shading": 0.0})
    text = words(sections_of(scanned(view)))
    assert "Rings, root mean square 0.700 grey values" in text
    assert "Shading" not in text


@pytest.mark.parametrize("missing", [{"rings": None}, {"gain": None, "offset": None}])
def test_some_of_the_corrections_are_drawn_alone(missing):
    page = sections_of(scanned(scan_view(**missing)))
    assert len(page.all("img")) == 4
    assert ("Rings: mean" in page.text) != ("Drift: gain" in page.text)


def test_thresholds_are_shown_instead_of_a_model():
    view = scan_view(
        method="thresholds",
        thresholds=(15.0, 25.0),
        denoised=scan_view().corrected["rings"],
        certainty=None,
        label_noise=None,
        blur=None,
        resolution=None,
        calibrated=False,
    )
    text = words(sections_of(scanned(view)))
    assert "Thresholds between the phases: 15.00, 25.00 grey values." in text
    assert "rings, and denoised, by thresholds between the grey values of the phases." in text
    assert "Blur" not in text


def test_a_reconstruction_is_described():
    numbers = {
        "centre": 46.25,
        "centre_method": "opposite views",
        "opposite_difference": None,
        "angular_range": np.pi,
        "stripe_energy": [9e-6, 4e-6],
        "truncated": True,
    }
    page = sections_of(scanned(scan_view(reconstruction=numbers)))
    text = words(page)
    assert len(page.all("img")) == 5
    assert "from a volume reconstructed from projections" in text
    assert "Rotation axis, column 46.25" in text
    assert "180°" in text
    assert "wider than the detector" in text
    assert "Difference of opposite views" not in text


@pytest.mark.parametrize("phases", [("pore", "solid"), ("pore", "clay", "quartz", "iron oxide")])
def test_two_and_four_phases(phases):
    page = sections_of(scanned(scan_view(phases)))
    assert len(page.all("img")) == 4
    assert all(f"{name} {10 * (k + 1)}.00" in page.text for k, name in enumerate(phases))


@pytest.mark.parametrize("shape", [(3, 200), (200, 3)])
def test_a_slender_slice_is_stretched_and_said_to_be(shape):
    plain = np.linspace(0, 1, 600).reshape(shape)
    view = scan_view(
        picture=plain,
        corrected={"drift": plain},
        certainty=None,
        labels=np.zeros(shape, np.uint8),
        voxel_size=(1e-7, 1e-7, 1e-7),
    )
    widths = [int(image["width"]) for image in sections_of(scanned(view)).all("img")]
    assert max(widths) < 1200


def test_a_constant_slice_has_a_picture():
    flat = np.full((24, 30), 7.0)
    view = scan_view(picture=flat, corrected={"drift": flat}, histogram=np.zeros(6, int))
    assert len(sections_of(scanned(view)).all("img")) == 3


def test_equal_data_gives_equal_bytes(tmp_path):
    first = write_report(scanned(), tmp_path / "a.html").read_bytes()
    assert write_report(scanned(), tmp_path / "b.html").read_bytes() == first


def test_no_text_of_the_user_becomes_markup(tmp_path):
    view = scan_view(
        (EVIL, "active", "_[x]"),
        note=EVIL,
        method=EVIL,
        contrast_to_noise={EVIL: 3.0},
        reconstruction={"centre_method": EVIL},
        checks=({"name": EVIL, "value": EVIL, "limit": None, "verdict": EVIL},),
    )
    shown = segmentation_view(members(of=EVIL), members(EVIL, EVIL))
    data = scanned(view, segmentation=replace(shown, sentence=EVIL))
    source = write_report(data, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in source
    assert Page(source).text.count('alert("x")') > 10


def test_members_show_the_parts_of_the_uncertainty():
    text = words(sections_of(scanned()))
    assert "Properties were computed on 3 images." in text
    assert "Tortuosity factor τ pore, z 2.00 ± 0.13 0.12 0.040 0.030" in text


def test_at_most_six_factors_are_drawn_and_all_are_listed():
    many = [members(of=f"phase {k}, z", whole=2.0 + k) for k in range(8)]
    page = sections_of(scanned(segmentation=segmentation_view(*many)))
    assert "Shown are the 6 least certain of 8." in page.text
    assert "All 8 quantities" in page.text


def test_without_a_factor_there_is_only_the_table():
    area = members("hydraulic_diameter", "pore", 2e-6, spread=1e-7, shift=-5e-8, bias=None)
    area = replace(area, uncertainty=1.1e-7)
    page = sections_of(scanned(segmentation=segmentation_view(area)))
    assert len(page.all("img")) == 3
    assert "(2.00 ± 0.11) µm 0.10 \u22120.050 –" in words(page)


def test_a_segmentation_without_probabilities_says_so():
    view = SegmentationView((), "The segmentation gives no probabilities.")
    page = sections_of(scanned(segmentation=view))
    assert "gives no probabilities" in page.text
    assert "quantities</summary>" not in page.text
