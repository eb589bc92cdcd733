"""The page: complete, self-contained, safe with any text, equal bytes for equal data."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from microtwin import Microstructure
from microtwin.study.report import write_report
from study.report.report_samples import full, layered, minimal, quantity, transport_view

SECTIONS = (
    "results",
    "microstructure",
    "transport",
    "tensors",
    "convergence",
    "sampling",
    "run",
    "conventions",
)
EVIL = "<script>alert(\"x\")</script> & '$\\frac{1}{0}$' ]]> \x07"


class Page(HTMLParser):
    """Collects tags, attributes and visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(data, tmp_path) -> Page:
    return Page(write_report(data, tmp_path / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("make", [full, minimal])
def test_every_section_is_present_and_in_the_contents(make, tmp_path):
    page = page_of(make(), tmp_path)
    assert tuple(attributes["id"] for attributes in page.all("section")) == SECTIONS
    assert [a["href"] for a in page.all("a")] == [f"#{name}" for name in SECTIONS]


def test_minimal_report_says_what_is_missing(tmp_path):
    text = page_of(minimal(), tmp_path).text
    assert "solved no transport problem" in text
    assert "Sampling was not studied" in text
    assert "lists no quantities" in text


def test_results_carry_their_error_budget(tmp_path):
    page = page_of(full(), tmp_path)
    text = page.text.replace("\u00a0", " ")
    assert "2.260 ± 0.068" in text
    assert re.search(r"0\.019 0\.065 0\.068 ✓ 1 passed", text)
    assert "The part of segmentation and material was not estimated at all." in text
    # The same number is in the summary in words.
    assert "tortuosity factor of pore along z is 2.260 ± 0.068" in text


def test_every_picture_has_an_alternative_text_and_a_size(tmp_path):
    images = page_of(full(), tmp_path).all("img")
    # slices, block, profile, fields, curves, convergence, sampling
    assert len(images) == 7
    assert all(len(image["alt"]) > 20 and int(image["width"]) > 100 for image in images)


def test_nothing_is_loaded_from_outside(tmp_path):
    page = page_of(full(), tmp_path)
    frame = Page(page.all("iframe")[0]["srcdoc"])
    for tags in (page.tags, frame.tags):
        for tag, attributes in tags:
            for name in ("src", "href", "data", "action", "poster", "srcset"):
                target = attributes.get(name, "#")
                assert target.startswith(("#", "data:")), f"<{tag} {name}={target[:60]}>"
            assert tag not in ("link", "base", "object", "embed")
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_figures_load_nothing_and_follow_the_page(tmp_path):
    for image in page_of(full(), tmp_path).all("img"):
        svg = base64.b64decode(image["src"].partition(",")[2]).decode()
        links = re.findall(r'(?:href|src)="([^"]*)"', svg)
        assert all(link.startswith(("#", "data:image/png")) for link in links)
        assert "@import" not in svg
        assert "prefers-color-scheme:dark" in svg


def test_no_text_of_the_user_becomes_markup(tmp_path):
    micro = layered((EVIL, "active", "[ADDITIONAL]"))
    data = full(
        title=EVIL,
        micro=micro,
        study_text=f"</pre>{EVIL}",
        results={"quantities": [quantity(name=EVIL, phase=EVIL, text=EVIL, value=None)]},
        transport=(transport_view(phase=EVIL, boundary=EVIL, numbers={"message": EVIL}),),
        records=({"stage": EVIL, "key": EVIL, "versions": {EVIL: EVIL}},),
        descriptors={EVIL: {EVIL: EVIL}},
    )
    source = write_report(data, tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(source)
    assert "<script>alert" not in source
    assert page.all("script") == []
    assert page.text.count('alert("x")') > 10
    assert page.all("iframe")[0]["sandbox"] == "allow-scripts allow-downloads"
    assert "<script>alert" not in page.all("iframe")[0]["srcdoc"]


def test_equal_data_gives_equal_bytes(tmp_path):
    first = write_report(full(), tmp_path / "a.html").read_bytes()
    assert write_report(full(), tmp_path / "b.html").read_bytes() == first
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "b.html"}


@pytest.mark.parametrize("value", [None, float("inf")])
def test_a_phase_that_does_not_percolate_is_said_in_words(value, tmp_path):
    blocked = transport_view(
        numbers={"tortuosity_factor": float("inf"), "relative_diffusivity": 0.0},
        layer_flux=np.zeros(6),
        residual_history=(),
        potential_slice=None,
        flux_slice=None,
        dissipation_slice=None,
    )
    data = full(
        results={"quantities": [quantity(value=value, text="infinity", uncertainty=None)]},
        transport=(blocked,),
    )
    page = page_of(data, tmp_path)
    assert page.text.count("The phase pore does not percolate along z") == 1
    assert "∞ (does not percolate)" in page.text
    assert "tortuosity factor of pore along z is" not in page.text


def test_a_failed_check_opens_the_list_of_checks(tmp_path):
    failed = {"name": "agreement", "value": 0.2, "limit": 0.1, "verdict": "fail"}
    page = page_of(full(results={"quantities": [quantity(checks=[failed])]}), tmp_path)
    assert "✗ 1 of 1 failed" in page.text
    assert "open" in page.all("details")[0]


@pytest.mark.parametrize("voxel_size", [(2e-5, 1e-7, 1e-7), (1e-8, 1e-6, 1e-6)])
def test_extreme_voxels_are_stretched_and_said_to_be(voxel_size, tmp_path):
    micro = Microstructure(layered().labels, voxel_size, layered().phases)
    data = full(micro=micro, transport=(transport_view(voxel_size=voxel_size[:2]),))
    page = page_of(data, tmp_path)
    figures = [base64.b64decode(i["src"].partition(",")[2]).decode() for i in page.all("img")]
    assert sum("not to scale" in svg for svg in figures) == 2
    assert all(int(image["width"]) < 1200 for image in page.all("img"))


def test_absent_phases_have_a_legend_but_no_voxels(tmp_path):
    micro = Microstructure(layered().labels, 1e-7, {**layered().phases, "crack": 9})
    page = page_of(full(micro=micro), tmp_path)
    assert "crack" in page.text
    assert '"name": "crack"' not in page.all("iframe")[0]["srcdoc"]


def test_unknown_extrapolation_and_order_are_dashes(tmp_path):
    from dataclasses import replace

    view = replace(full().convergence[0], richardson=None, staircase=(float("nan"), float("nan")))
    text = page_of(full(convergence=(view,)), tmp_path).text
    assert "→ 0 (extrapolated) – –" in text
