"""The section on the microstructure: pictures, distributions and descriptors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...microstructure import Microstructure
from ..stages import DESCRIPTOR_UNITS
from .descriptor_figures import descriptor_figure
from .digits import number, percent, readable_unit, scaled, unit_html, value_with_uncertainty
from .drawing import phase_colours
from .markup import Html, figure, table, text
from .microstructure_figures import THINNEST_SIDE, block_figure, profile_figure, slices_figure
from .model import ReportData
from .scene import scene_frame, scene_shape
from .words import quantity_name, size_words

__all__ = ["microstructure_section"]


def microstructure_section(data: ReportData) -> str:
    """Return slices, the 3-D view, fractions through the thickness and descriptors."""
    micro = data.micro
    colours = phase_colours(micro)
    legend = "".join(
        f'<li><span class="swatch" style="background:{colours[name]}"></span>{text(name)} '
        f"<span class=muted>{percent(share)}</span></li>"
        for name, share in micro.volume_fractions.items()
    )
    shape = scene_shape(micro)
    whole = shape == micro.shape
    sampled = (
        "every voxel of the image is shown"
        if whole
        else f"{' × '.join(map(str, shape))} evenly spaced voxels of the image are shown"
    )
    voxel = size_words(micro.voxel_size)
    body = f"<p>{text(data.made)}</p>" if data.made else ""
    body += f'<ul class="legend" aria-label="Colours of the phases">{legend}</ul>'
    body += figure(
        slices_figure(micro),
        f"Middle slices of the labelled image (voxel {voxel}). z is through-plane.",
        "wide",
    )
    body += '<div class="pair">'
    body += figure(
        block_figure(micro), "The imaged block seen from outside, z upwards" + _thickened(micro)
    )
    body += figure(
        profile_figure(micro), "Volume fraction of each phase in each layer through the thickness."
    )
    body += "</div>"
    body += figure(
        scene_frame(micro),
        f"Interactive view: drag to turn, then wheel to zoom, tick phases on or off; {sampled}. "
        "It needs WebGL and no network.",
        "screen",
    )
    return body + _curves(data) + _by_phase(data) + _between(data)


def _thickened(micro: Microstructure) -> str:
    thin = min(micro.extent) < THINNEST_SIDE * max(micro.extent)
    return "; thin sides are drawn thicker than they are." if thin else "."


def _curves(data: ReportData) -> str:
    if not data.curves:
        return ""
    return figure(
        descriptor_figure(data),
        "Left: share of each phase in balls of at least this diameter (local thickness). Middle: "
        "lengths of chords through the thickness (solid) and in plane (x, dashed). Right: "
        "probability that two points at this distance both lie in the phase, over its fraction; "
        "the dotted end is the fraction itself, reached where they know nothing of each other.",
        "wide",
    )


def _by_phase(data: ReportData) -> str:
    """Return one row for each descriptor of single phases, one column for each phase."""
    phases = list(data.micro.phase_names)
    rows: dict[str, dict[str, Any]] = {}
    for quantity in data.results.get("quantities", []):
        if quantity.get("name") in DESCRIPTOR_UNITS and quantity.get("phase") in phases:
            name = quantity_name(quantity["name"])
            if quantity.get("direction"):
                name += f", {quantity['direction']}"
            rows.setdefault(name, {})[quantity["phase"]] = _value(quantity)
    for label, value in (data.descriptors or {}).items():
        name, _, rest = str(label).partition("[")
        if isinstance(value, Mapping):
            unit = rest.rstrip("] ")
            rows[quantity_name(name.strip())] = {
                phase: _plain_value(entry, unit) for phase, entry in value.items()
            }
    if not rows:
        return ""
    return table(
        ["Descriptor", *phases],
        [[name, *(found.get(phase, "–") for phase in phases)] for name, found in rows.items()],
        caption="Descriptors of each phase, with their total standard uncertainties",
    )


def _between(data: ReportData) -> str:
    """Return the descriptors of two or three phases."""
    rows = [
        [
            quantity_name(quantity["name"]),
            Html(text(quantity["phase"]).replace("/", " / ")),
            _value(quantity),
        ]
        for quantity in data.results.get("quantities", [])
        if quantity.get("name") in DESCRIPTOR_UNITS and "/" in str(quantity.get("phase"))
    ]
    if not rows:
        return ""
    return table(["Descriptor", "Between", "Value"], rows, caption="Where phases meet", words=2)


def _value(quantity: Mapping[str, Any]) -> Any:
    value = quantity.get("value")
    if value is None:
        return "∞" if str(quantity.get("text", "")).startswith("inf") else "–"
    factor, unit = readable_unit(value, quantity.get("unit"))
    total = (quantity.get("uncertainty") or {}).get("total")
    return Html(text(value_with_uncertainty(scaled(value, factor), scaled(total, factor), unit)))


def _plain_value(entry: Any, unit: str) -> str:
    factor, unit = readable_unit(entry, unit)
    suffix = f"\u00a0{unit_html(unit)}" if unit_html(unit) else ""
    return number(scaled(entry, factor)) + suffix
