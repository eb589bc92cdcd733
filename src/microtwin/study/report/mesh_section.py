"""The section on the mesh: pictures, quality, and transport on it beside that on voxels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .digits import length, length_scale, number, percent
from .markup import badge, figure, table, text, verdict_kind
from .mesh_figures import angle_figure, block_figure, section_figure
from .model import MeshView, ReportData
from .words import quantity_name

__all__ = ["mesh_section"]

_SHARES = ((0.0, "worst"), (0.01, "1 %"), (0.05, "5 %"), (0.5, "median"))


def mesh_section(data: ReportData) -> str:
    """Return pictures of the mesh, its checks, its agreement with the image, and comparisons."""
    view = data.mesh
    if view is None:
        return ""
    numbers = view.numbers
    body = (
        f"<p>{number(int(numbers['cells']))} tetrahedra and {number(int(numbers['vertices']))} "
        f"vertices, {length(numbers['size'], 3)} large at interfaces and larger inside the phases. "
        "Every interface is one surface that both sides share.</p>"
    )
    body += '<div class="pair">'
    body += figure(
        section_figure(view, data.micro), "Tetrahedra in the middle of the plane across y."
    )
    body += figure(
        block_figure(view, data.micro),
        "A block in the middle with a corner taken away, z upwards.",
    )
    body += "</div>"
    body += figure(
        angle_figure(view),
        "Smallest dihedral angle of each tetrahedron that touches an interface; regular ones have "
        "71°.",
    )
    return (
        body
        + _checks(view)
        + _shapes(numbers)
        + _agreement(numbers)
        + _places(numbers)
        + (_comparisons(view))
    )


def _checks(view: MeshView) -> str:
    rows = [
        (
            quantity_name(check["name"]),
            number(check["value"], 4),
            number(check["limit"], 3),
            badge(verdict_kind(check["verdict"]), check["verdict"]),
        )
        for check in view.checks
    ]
    return table(("Check", "Value", "Limit", "Verdict"), rows, caption="What the mesh must fulfil.")


def _shapes(numbers: Mapping[str, Any]) -> str:
    names = (
        ("Smallest dihedral angle at interfaces, °", "angle_quantiles"),
        ("Longest edge over inscribed radius (regular: 1)", "aspect_quantiles"),
        ("Scaled Jacobian (regular: 1)", "jacobian_quantiles"),
    )
    rows = []
    for title, key in names:
        found = {share: value for share, value in numbers[key]}
        rows.append((title, *(number(found[share], 3) for share, _ in _SHARES)))
    caption = "Shapes of the tetrahedra, counted from the worst."
    return table(("Measure", *(name for _, name in _SHARES)), rows, caption=caption)


def _agreement(numbers: Mapping[str, Any]) -> str:
    rows = [
        (f"Volume of {name}", percent(ours, 3), percent(theirs, 3), "")
        for name, (ours, theirs) in numbers["volume_fractions"].items()
    ]
    for pair, (ours, theirs) in numbers["interface_areas"].items():
        change = percent(ours / theirs - 1.0) if theirs else "–"
        rows.append((f"Interface {pair}", _area(ours), _area(theirs), change))
    rows += [
        (f"{name} connected as in the image", percent(share, 2), percent(1.0, 0), "")
        for name, share in numbers["together"].items()
    ]
    return table(
        ("", "Mesh", "Image", "Difference"),
        rows,
        caption="The mesh beside the image. Areas of the image are by the Crofton formula, which "
        "misses up to a tenth of films one voxel thick.",
    )


def _area(square_metres: float) -> str:
    """Return an area in the square of the unit in which its root reads well."""
    factor, name = length_scale(math.sqrt(square_metres))
    return f"{number(square_metres / factor**2, 4)}\u00a0{name}²"


def _places(numbers: Mapping[str, Any]) -> str:
    rows = [
        (f"{angle:.1f}° in {phase}", *(length(x, 4) for x in place))
        for place, angle, phase in numbers["worst"][:5]
    ]
    rows += [
        (f"{phase} cut off", *(length(x, 4) for x in place)) for phase, place in numbers["torn"][:5]
    ]
    return table(("Place", "z", "y", "x"), rows, caption="The worst places.")


def _comparisons(view: MeshView) -> str:
    if not view.comparisons:
        return ""
    rows = []
    for found in view.comparisons:
        rows.append(
            (
                f"{found['phase']} {found['direction']}",
                *(number(value, 4) for value in found["on_voxels"]),
                number(found["extrapolated"][0], 4),
                *(number(value, 4) for value in found["on_mesh"]),
                number(found["extrapolated"][1], 4),
                percent(found["difference"], 2),
            )
        )
    sentences = "".join(f"<p>{text(found['sentence'])}</p>" for found in view.comparisons)
    head = (
        "Relative diffusivity",
        "voxels h/2",
        "voxels h",
        "extrapolated",
        "finer mesh",
        "coarser mesh",
        "extrapolated",
        "Difference",
    )
    orders = {int(found["order"]) for found in view.comparisons}
    caption = (
        "The same property by finite volumes on voxels and by finite elements of order "
        f"{' and '.join(map(str, sorted(orders)))} on the mesh. Their difference is part of the "
        "discretisation uncertainty."
    )
    return table(head, rows, caption=caption) + sentences
