"""Figures of stress on a small image with two ligaments and a contact."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

import microtwin as mt
from microtwin.mechanics import ligaments, phase_distributions, rank_ligaments, von_mises
from microtwin.study.report.ligament_figures import circle_ligaments, ligament_figure
from microtwin.study.report.mechanics_figures import (
    failure_figure,
    stress_distribution_figure,
    stress_figure,
)


@pytest.fixture(scope="module")
def case():
    labels = np.ones((14, 12, 10), np.uint8)
    labels[5:7], labels[5:7, 5:7] = 2, 0
    labels[5:7, 10:] = 1
    numbers = np.where(labels == 1, 1, 0)
    numbers[7:] *= 2
    micro = mt.Microstructure(labels, 0.4e-6, {"pore": 0, "active": 1, "binder": 2})
    rng = np.random.default_rng(0)
    stress = rng.normal(size=(6, *micro.shape)) * np.where(labels == 1, 80e6, 10e6)
    stress[:, labels == 0] = 0.0
    found = ligaments(micro, numbers, widest_gap=1e-6)
    return micro, stress, rank_ligaments(found, stress, length=0.8e-6)


def words(html):
    """Return the text in the picture, and check that it is one that a page can show."""
    encoded = re.search(r"data:image/svg\+xml;base64,([^\"]+)", html)
    assert html.startswith('<img alt="') and encoded
    svg = base64.b64decode(encoded[1]).decode()
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_stress_has_a_scale_for_each_phase_and_ranks_on_the_binder(case):
    micro, stress, loads = case
    found = words(stress_figure(micro, von_mises(stress), loads, direction="x"))
    assert found.count("von Mises stress (MPa)") == 2
    assert any(text.startswith("active, x = ") for text in found)
    assert any(text.endswith("; ranks up to 2 circled") for text in found)
    # The same data gives the same bytes.
    again = stress_figure(micro, von_mises(stress), loads, direction="x")
    assert words(again) == found


def test_ranks_stand_beside_their_circles(case):
    """Numbers are drawn as outlines, so the picture holds no text of them."""
    _, _, loads = case
    axes = Figure().subplots()
    ranks = {int(k): n for n, k in enumerate(loads.top(kind="binder"), 1)}
    region = loads.ligaments.region[:, :, 4]
    circle_ligaments(axes, region, ranks, (0.4e-6, 0.4e-6))
    assert [text.get_text() for text in axes.texts] == ["1", "2"]
    for text, ring in zip(axes.texts, axes.patches, strict=True):
        way = np.array(text.get_position()) - ring.center
        assert ring.radius < np.linalg.norm(way) < 2.0 * ring.radius
        # In the picture, whose sides are 12 and 14 voxels.
        assert (np.array(text.get_position()) > 0.0).all()
        assert (np.array(text.get_position()) < np.array([12, 14]) * 0.4e-6).all()


def test_stress_without_ligaments_and_of_one_phase(case):
    micro, stress, _ = case
    found = words(stress_figure(micro, von_mises(stress), phases=["binder"], plane=1))
    assert found.count("von Mises stress (MPa)") == 1
    assert "binder, y = 0.6\u00a0µm" in found or "binder, y = 600\u00a0nm" in found


@pytest.mark.parametrize("measure", ["von_mises", "hydrostatic"])
def test_distributions_name_their_percentiles(case, measure):
    micro, stress, _ = case
    table = phase_distributions(micro, stress, ["active", "binder"], measure=measure)
    found = words(stress_distribution_figure(table, micro, name="stress"))
    assert sum("95\u00a0% below" in text for text in found) == 2
    assert "stress (MPa)" in found


@pytest.mark.parametrize("by", ["peak_von_mises", "force", "normal_stress"])
def test_ligaments_are_listed_by_rank(case, by):
    _, stress, loads = case
    loads = rank_ligaments(loads.ligaments, stress, length=0.8e-6, by=by)
    found = words(ligament_figure(loads))
    assert "1–2\u20031" in found and "binder, all 2" in found
    assert "contacts of particles, all 1" in found
    assert any(text.endswith("(µN)" if by == "force" else "(MPa)") for text in found)


def test_failure_has_a_map_and_curves(case):
    micro, stress, _ = case
    index = von_mises(stress) / 10e6
    curves = {"as given": ([0.5, 1.0, 2.0], [0.9, 0.5, 0.1])}
    found = words(failure_figure(micro, index, "binder", curves))
    assert "as given" in found and "share of the binder that fails (%)" in found
    assert words(failure_figure(micro, 0.1 * index, "binder", curves))
