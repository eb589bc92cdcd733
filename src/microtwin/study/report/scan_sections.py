"""The section on the way from grey values to labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from .digits import length, number, percent, value_with_uncertainty
from .markup import Html, badge, callout, figure, muted, table, text, verdict_kind
from .model import ReportData, ScanView
from .scan_figures import (
    artefacts_figure,
    histogram_figure,
    reconstruction_figure,
    steps_figure,
)
from .words import labelling_sentence, quantity_name

__all__ = ["scan_section"]

_NBSP = "\u00a0"


def scan_section(data: ReportData) -> str:
    """Return each step from the scan to the labels; nothing when the study starts from labels."""
    view = data.scan
    if view is None:
        return ""
    body = callout(f"To note: {view.note.rstrip('.')}.") if view.note else ""
    body += f"<p>{text(labelling_sentence(view))}</p>"
    if view.reconstruction is not None:
        body += _reconstruction(view, view.reconstruction)
    place = (data.micro.shape[0] // 2 + 0.5) * view.voxel_size[0]
    body += figure(
        steps_figure(view, data.micro),
        f"The middle slice (yx plane at z = {length(place, 3)}) after each step, grey values in "
        "one range, and what each step has removed: the picture before it less the picture after "
        "it, each in a range of its own." + (_CERTAINTY if view.certainty is not None else ""),
        "wide",
    )
    body += figure(artefacts_figure(view), _artefact_words(view), "wide")
    body += '<div class="pair">'
    body += figure(
        histogram_figure(view, data.micro),
        "Grey values that were labelled (a sample of voxels).",
    )
    body += _numbers(view)
    body += "</div>"
    body += _phases(view, data)
    return body + _checks(view.checks)


def _artefact_words(view: ScanView) -> str:
    words = []
    if view.gain is not None:
        words.append("Drift: gain and offset of the grey values of each slice.")
    if view.rings is not None:
        words.append(
            "Rings: mean over the slices; after half a turn the two halves of a ring come from "
            "different pixels. Single radii, mostly near the axis, may lie outside the axes."
        )
    return " ".join(words)


_CERTAINTY = " The certainty is the probability of the most probable phase."


def _reconstruction(view: ScanView, numbers: Mapping[str, Any]) -> str:
    facts = [
        [label, show(numbers[name])]
        for name, label, show in _RECONSTRUCTION
        if numbers.get(name) is not None
    ]
    words = [sentence for name, sentence in _REMARKS.items() if numbers.get(name)]
    before_after = numbers.get("stripe_energy")
    if before_after:
        before, after = before_after
        facts.append(
            ["Energy of the stripes, before and after", f"{number(before, 3)}, {number(after, 3)}"]
        )
    return (
        "<h3>Reconstruction</h3><p>The volume was reconstructed from projections by filtered "
        f'back-projection. {text(" ".join(words))}</p><div class="pair">'
        + figure(reconstruction_figure(view), "The middle slice as reconstructed.")
        + table(["", ""], facts)
        + "</div>"
    )


_RECONSTRUCTION: tuple[tuple[str, str, Any], ...] = (
    ("centre", "Rotation axis, column", lambda v: f"{v:.2f}"),
    ("centre_method", "Found by", str),
    (
        "opposite_difference",
        "Difference of opposite views, of their contrast",
        lambda v: percent(v),
    ),
    ("angular_range", "Range of the angles", lambda v: f"{math.degrees(v):.4g}°"),
    ("flats", "Flat frames", number),
    ("darks", "Dark frames", number),
    ("mean_transmission", "Mean transmission", percent),
    ("opaque", "Too opaque to measure", lambda v: percent(v, 2)),
    ("saturated", "Saturated", lambda v: percent(v, 2)),
    ("dead_pixels", "Dead pixels filled in", number),
)
_REMARKS = {
    "extended": "Opposite views were joined to wider ones, because the axis is near an edge.",
    "truncated": "The sample is wider than the detector: values are right up to a smooth "
    "background.",
}


def _numbers(view: ScanView) -> str:
    """Return what was found in the scan, in grey values, voxels and lengths."""
    contrast = max(view.means.values()) - min(view.means.values()) if view.means else 0.0
    grey = [
        (label, view.sizes.get(step)) for step, label in _SIZES.items() if step in view.corrected
    ]
    grey += [
        ("Noise within a phase", view.noise),
        ("Noise that matters for the labels", view.label_noise),
    ]
    rows: list[list[Any]] = [
        [label, f"{number(value, 3)}{_NBSP}grey values", _relative(value, contrast)]
        for label, value in grey
        if value is not None
    ]
    in_grey = bool(rows)
    if view.blur is not None:
        widths = ", ".join(number(width, 2) for width in view.blur)
        rows.append(["Blur along z, y, x, std. deviation", f"{widths}{_NBSP}voxels", ""])
    if view.resolution is not None:
        rows.append(["Resolution, full width at half maximum", length(view.resolution, 3), ""])
    rows += [
        [f"Contrast to noise, {pair}", "∞" if value is None else number(value, 3), ""]
        for pair, value in view.contrast_to_noise.items()
    ]
    eta = view.shares.get("between_class_variance")
    if eta is not None:
        rows.append([quantity_name("between_class_variance"), number(eta, 3), ""])
    for name, label in _SHARES.items():
        share = view.shares.get(name)
        if share is not None:
            rows.append([label, _share(share), ""])
    if not rows:
        return ""
    head = ["Found in the scan", "Value"]
    if not in_grey:
        return table(head, [row[:2] for row in rows])
    # The contrast is that of the darkest and the brightest phase.
    return table([*head, "Of the contrast"], rows)


_SIZES = {
    "drift": "Drift, standard deviation over the slices",
    "shading": "Shading, largest difference within a slice",
    "rings": "Rings, root mean square",
}
_SHARES = {
    "ambiguous": "Voxels without a clear phase",
    "saturated": "Voxels at an end of the grey scale",
    "floating_pore": "Pore space not connected to most of it",
    "floating_solid": "Solid not connected to most of it",
}


def _share(share: float) -> str:
    if 0.0 < share < 1e-4:
        return f"< 0.01{_NBSP}%"
    return percent(share, 2 if share < 0.1 else 1)


def _relative(value: float, contrast: float) -> str:
    return percent(abs(value) / contrast) if contrast else "–"


def _phases(view: ScanView, data: ReportData) -> str:
    """Return what each phase looks like, and its fraction: known, found, and in the labels."""
    labelled = data.micro.volume_fractions
    head: list[Any] = ["Phase", "Mean grey value", "Std. deviation"]
    if view.known_fractions:
        head.append("Known fraction")
    if view.found_fractions:
        head.append("Before calibration")
    rows = []
    for phase in view.means:
        row: list[Any] = [phase, number(view.means[phase]), number(view.deviations.get(phase), 3)]
        if view.known_fractions:
            row.append(_known(view.known_fractions.get(phase), view.fraction_uncertainty))
        if view.found_fractions:
            row.append(percent(view.found_fractions.get(phase)))
        rows.append([*row, percent(labelled.get(phase))])
    if not rows:
        return ""
    caption = "Phases in the scan, from dark to bright"
    body: str = table([*head, "In the labels"], rows, caption=caption)
    if view.thresholds:
        values = ", ".join(number(float(value)) for value in view.thresholds)
        noun = "Threshold" if len(view.thresholds) == 1 else "Thresholds"
        body += f"<p>{noun} between the phases: {text(values)} grey values.</p>"
    return body


def _known(fraction: float | None, uncertainty: float | None) -> str:
    if fraction is None:
        return "–"
    shown = value_with_uncertainty(100 * fraction, 100 * uncertainty if uncertainty else None)
    return percent(fraction) if not uncertainty else f"{shown}{_NBSP}%"


def _checks(checks: Iterable[Mapping[str, Any]]) -> str:
    rows = [_check_row(check) for check in checks]
    if not rows:
        return ""
    head = ["Check", "Verdict", "What it means", "Value", "Limit"]
    return table(head, rows, caption="Quality of scan and labels", words=3)


def _check_row(check: Mapping[str, Any]) -> list[Any]:
    name = str(check.get("name", "–"))
    meaning, remedy = _MEANINGS.get(name, ("", ""))
    verdict = check.get("verdict", "–")
    kind = verdict_kind(verdict)
    words = text(meaning) if meaning else muted("–")
    if kind != "good" and remedy:
        words = Html(f"{words} {text(remedy)}")
    show = percent if name in _PERCENT else lambda value: number(value, 3)
    return [
        quantity_name(name),
        badge(kind, verdict),
        Html(f'<span class="sentence">{words}</span>'),
        show(check.get("value")),
        show(check.get("limit")),
    ]


_PERCENT = (
    "saturated_voxels",
    "grey_value_balance",
    "ambiguous_voxels",
    "floating_solid",
    "known_fractions_met",
)
# What each check looks at, and what to do when it warns.
_MEANINGS = {
    "between_class_variance": (
        "Share of the variance of the grey values that lies between the phases.",
        "Noise or blur hide the phases: scan longer, bin the scan, or merge phases that cannot be "
        "told apart.",
    ),
    "contrast_to_noise": (
        "Least difference of two neighbouring phases over their noise.",
        "Two phases are hard to tell apart: give known fractions, or merge them.",
    ),
    "saturated_voxels": (
        "Share of the voxels at the darkest or brightest grey value of the file.",
        "The grey scale was cut when the scan was saved: export it with a wider range.",
    ),
    "grey_value_balance": (
        "Mean grey value of the scan against that of its phases in the known fractions, as a share "
        "of the contrast; blur does not change it.",
        "Scan and laboratory disagree: check the known fractions, the order of the phases from "
        "dark to bright, and whether the scan is of the same sample.",
    ),
    "ambiguous_voxels": (
        "Share of the voxels whose most probable phase has a probability below 90 %.",
        "Much of the image is uncertain: look at the uncertainty of the segmentation before using "
        "the results, or scan with finer voxels.",
    ),
    "known_fractions_met": (
        "Largest difference between a known fraction and that of the labels.",
        "The grey values leave no room for the known fractions: check them, and the phases.",
    ),
    "floating_solid": (
        "Share of the solid that touches no other solid; in the sample nothing floats.",
        "Noise or a missing phase has been labelled as solid: correct more, or name the phase.",
    ),
}
