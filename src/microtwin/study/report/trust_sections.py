"""Sections on what the numbers are worth: convergence, sampling, labels, run, conventions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .digits import (
    length,
    length_scale,
    memory,
    number,
    percent,
    seconds,
    uncertainty_term,
    value_with_uncertainty,
)
from .markup import Html, badge, details, figure, muted, table, text, verdict_kind
from .model import ConvergenceView, MembersView, ReportData, SamplingView, StructureView
from .trust_figures import convergence_figure, members_figure, members_shown, sampling_figure
from .words import quantity_name

__all__ = [
    "conventions_section",
    "convergence_section",
    "run_section",
    "sampling_section",
    "segmentation_section",
]


def convergence_section(data: ReportData) -> str:
    """Return how each value changes with the voxel size."""
    return "".join(_convergence(view, i) for i, view in enumerate(data.convergence))


def _convergence(view: ConvergenceView, index: int) -> str:
    rows: list[list[Any]] = [
        [length(size), number(smooth, 5), number(staircase, 5)]
        for size, smooth, staircase in zip(
            view.voxel_sizes, view.smooth, view.staircase, strict=True
        )
    ]
    rows.append(["→ 0 (extrapolated)", "–", number(view.richardson, 5)])
    facts = [
        ("Value", value_with_uncertainty(view.smooth[0], view.discretisation)),
        ("Discretisation uncertainty", number(view.discretisation, 2)),
        ("Observed order of the smooth values", number(view.observed_order, 2)),
        ("Interface in unresolved features", percent(view.unresolved_interface)),
    ]
    return (
        f"<h3>{text(view.phase)} along {text(view.direction)}</h3><p>{text(view.sentence)}</p>"
        '<div class="pair">'
        + figure(
            convergence_figure(view, f"convergence-{index}"),
            "Relative diffusivity against the voxel size. The bar is the discretisation "
            "uncertainty; the diamond is the first-order (Richardson) extrapolation of the "
            "staircase.",
        )
        + "<div>"
        + table(["Voxel size", "Smooth", "Staircase"], rows, caption="Relative diffusivity")
        + table(["", ""], facts)
        + "</div></div>"
    )


def sampling_section(data: ReportData) -> str:
    """Return which sample would be enough, and how each value scatters between sub-volumes."""
    return _structure(data.structure) + "".join(
        _sampling(view, i) for i, view in enumerate(data.sampling)
    )


def _structure(views: Sequence[StructureView]) -> str:
    if not views:
        return ""
    targets = sorted({target for view in views for target in view.volume_for}, reverse=True)
    rows = [
        [
            text(view.phase),
            value_with_uncertainty(view.fraction, view.fraction_std),
            length(view.structure_length, 3),
            number(view.scale_ratio, 2),
            *[
                length(view.volume_for[target], 3) if target in view.volume_for else "–"
                for target in targets
            ],
            value_with_uncertainty(view.trend, view.trend_std),
            "–" if view.ratio is None else value_with_uncertainty(view.ratio, view.ratio_std),
        ]
        for view in views
    ]
    names = ["Phase", "Fraction", "Structure length", "Thickness over it"]
    names += [f"Cube for {100 * target:g} %" for target in targets]
    told = "".join(
        f"<li>{text(sentence)}</li>" for view in views for sentence in view.sentences[1:3]
    )
    return (
        table(
            [*names, "Change along z", "Intercepts z over y, x"],
            rows,
            caption="Volume fractions: the sample that is needed, scales, trend and directions",
        )
        + f"<ul>{told}</ul>"
    )


def _sampling(view: SamplingView, index: int) -> str:
    rows = [
        [
            length(float(edge), 3),
            str(int(count)),
            number(float(mean)),
            number(float(std), 2),
            number(float(fit), 2),
            number(float(share), 2),
            number(float(predicted), 2),
        ]
        for edge, count, mean, std, fit, share, predicted in zip(
            view.edges,
            view.counts,
            view.means,
            view.stds,
            view.fitted_std,
            view.fraction_stds,
            view.fraction_stds_predicted,
            strict=True,
        )
    ]
    facts = [["Standard deviation of the whole image (fitted)", number(view.std_whole, 2)]]
    facts += [
        [f"Edge of a cube for {100 * error:g} %", length(edge, 3) if edge is not None else "–"]
        for error, edge in sorted(view.volume_for.items(), reverse=True)
    ]
    name = view.quantity.replace("_", " ")
    place = (
        f"{text(view.phase)} along {text(view.direction)}" if view.direction else text(view.phase)
    )
    return (
        f"<h3>{place} <small>{text(name)}</small></h3><p>{text(view.sentence)}</p>"
        '<div class="pair">'
        + figure(
            sampling_figure(view, f"sampling-{index}"),
            "Standard deviation between sub-volumes relative to the mean, with the fitted law; "
            "stars mark the samples needed for the given relative errors.",
        )
        + "<div>"
        + table(
            ["Edge", "Sub-volumes", "Mean", "Std. deviation", "Fit", "Fraction std.", "Predicted"],
            rows,
        )
        + table(["", ""], facts)
        + "</div></div>"
    )


def segmentation_section(data: ReportData) -> str:
    """Return how far the results differ on other labels that the scan allows."""
    view = data.segmentation
    if view is None:
        return ""
    body = f"<p>{text(view.sentence)}</p>"
    shown, factors = members_shown(view)
    chosen = (
        "" if len(shown) == factors else f" Shown are the {len(shown)} least certain of {factors}."
    )
    body += figure(
        members_figure(view),
        "Left, tortuosity factor of each plausible segmentation relative to that of the chosen "
        "labels, with the standard uncertainty from the segmentation as a bar. Right, its parts: "
        "scatter of the plausible segmentations (spread), distance of their mean from the chosen "
        "labels (shift), error of the segmentation in rehearsals (bias), and difference of labels "
        f"by other models of how the phases look (model).{chosen}",
        "wide",
    )
    rows = [_members_row(quantity) for quantity in view.quantities]
    if not rows:
        return body
    head = ["Quantity", "Of", "Chosen labels", "Spread", "Shift", "Bias", "Model"]
    return body + details(
        f"All {len(rows)} quantities",
        table(head, rows, caption="Values with the standard uncertainty of the labels", words=2),
    )


_UNITS = {
    "specific_surface": "1/m",
    "interface_area": "1/m",
    "hydraulic_diameter": "m",
    "mean_curvature": "1/m",
    "triple_line_density": "1/m^2",
}


def _members_row(view: MembersView) -> list[Any]:
    factor, unit = 1.0, _UNITS.get(view.name, "")
    if unit == "m" and view.whole:
        factor, unit = length_scale(view.whole)
    value = view.whole / factor
    return [
        quantity_name(view.name),
        Html(text(view.of).replace("/", "/<wbr>")),
        value_with_uncertainty(value, view.uncertainty / factor, unit),
        uncertainty_term(view.spread / factor, value),
        ("\u2212" if view.shift < 0 else "") + uncertainty_term(view.shift / factor, value),
        *(
            muted("–") if part is None else uncertainty_term(part / factor, value)
            for part in (view.bias, view.model)
        ),
    ]


def run_section(data: ReportData) -> str:
    """Return what was run: the stages with their cost and checks, versions, the study file."""
    body = ""
    if data.records:
        body += table(
            ["Stage", "Key", "Checks", "Time", "Peak memory"],
            [_record_row(record) for record in data.records],
            caption="Stages, in the order of the study",
            words=3,
        )
        total = sum(
            r["seconds"] for r in data.records if isinstance(r.get("seconds"), (int, float))
        )
        body += f'<p class="remark">Total computing time: {seconds(total)}.</p>'
        versions = _versions(data.records)
        if versions:
            body += details("Versions", table(["Software", "Version"], versions, words=2))
    else:
        body += "<p>No record of a stage was kept.</p>"
    if data.study_text.strip():
        body += details(
            "Study file as it was run", f"<pre>{text(data.study_text)}</pre>", shown=True
        )
    return body


def _record_row(record: Mapping[str, Any]) -> list[Any]:
    checks = record.get("checks") or []
    verdicts = [
        badge(verdict_kind(check.get("verdict")), check.get("name", "check"))
        for check in (checks if isinstance(checks, (list, tuple)) else [])
        if isinstance(check, Mapping)
    ]
    key = str(record.get("key", "–"))
    short = Html(f'<code title="{text(key)}">{text(key[:12])}</code>')
    return [
        record.get("stage", "–"),
        short,
        Html(" ".join(verdicts)) if verdicts else muted("none"),
        seconds(record.get("seconds")),
        memory(record.get("peak_memory_bytes")),
    ]


def _versions(records: tuple[dict[str, Any], ...]) -> list[tuple[str, str]]:
    """Every software and version that any stage ran with, each once."""
    found: dict[tuple[str, str], None] = {}
    for record in records:
        versions = record.get("versions")
        if isinstance(versions, Mapping):
            found.update({(str(k), str(v)): None for k, v in versions.items()})
        elif versions:
            found[("microtwin", str(versions))] = None
    return sorted(found)


_CONVENTIONS = """
<dl>
<dt>Axes</dt><dd>Arrays and tensors are in the order z, y, x. z is through-plane; in an electrode
the current collector is at z = 0 and the separator at the far end.</dd>
<dt>Tortuosity factor</dt>
<dd><span class="formula">τ = ε / (D<sub>eff</sub> / D<sub>0</sub>)</span>, where ε is
the total volume fraction of the phase, of which the share that percolates is given beside it,
D<sub>eff</sub> the effective and D<sub>0</sub> the intrinsic diffusivity. τ = 1 for
straight channels. A phase that does not percolate has D<sub>eff</sub> = 0 and τ = ∞. The ratio
D<sub>eff</sub>/D<sub>0</sub> is also called transport efficiency; its inverse is the MacMullin
number.</dd>
<dt>Boundary</dt><dd><em>faces</em>: the potential is fixed on the two outer faces of the image,
half a voxel outside the first and last voxel centres, and nothing leaves through the sides.
<em>periodic</em>: a mean gradient is imposed on the periodically repeated image.
<em>mirror</em>: periodic, on the image joined to its reflection.</dd>
<dt>Interface</dt><dd><em>smooth</em>: the phase boundary is a surface cut through the voxels, so
that voxels and their faces may be partly open. <em>voxel</em>: the boundary is the staircase of
whole voxels, the usual convention of voxel codes, which underestimates diffusivity at first
order in the voxel size.</dd>
<dt>Dissipation</dt><dd>Local rate of dissipation, the flux density times the local gradient,
over its mean in the phase: where it is large, transport is throttled.</dd>
<dt>Discretisation</dt><dd>Difference of the smooth value between the grid of the image and the
grid with voxels twice as large.</dd>
<dt>Sampling</dt><dd>Standard deviation that images of this size would have among themselves,
extrapolated from sub-volumes.</dd>
<dt>Segmentation</dt><dd>How far results differ on other labels that the same scan allows: the
root of the sum of the squares of their scatter, of the distance of their mean from the chosen
labels, and of the error of the segmentation where the truth is known. It is named even when it was
not estimated.</dd>
</dl>
"""


def conventions_section(data: ReportData) -> str:
    """Return how the numbers are defined."""
    return _CONVENTIONS
