"""Pictures of the ligaments between particles: which bear most, and where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle
from matplotlib.patheffects import AbstractPathEffect, withStroke
from numpy.typing import NDArray

from .digits import length_scale
from .drawing import INK, SERIES, drawn

if TYPE_CHECKING:
    from ...mechanics import LigamentLoads

__all__ = ["MARK", "circle_ligaments", "ligament_figure", "outline"]

_MEGAPASCAL = 1e6
MARK = "#101820"
"""Colour of lines on pictures, which do not follow the colours of the page."""

_HALO = "#ffffff"
_LIT = "#2fe0ff"  # not among the colours of stress
_MEASURES = {
    "peak_von_mises": "peak von Mises stress",
    "mean_von_mises": "mean von Mises stress",
    "maximum_principal": "largest principal stress",
    "normal_stress": "normal stress along the axis",
    "force": "force along the axis",
    "energy": "elastic energy",
}
_UNITS = {"force": (1e-6, "µN"), "energy": (1e-12, "pJ")}
_KIND_COLOURS = {"binder": SERIES[0], "contact": SERIES[1]}
_NUMBERED = 8


def ligament_figure(loads: LigamentLoads, *, count: int = 15) -> str:
    """Draw the ligaments that bear most, and the load of all of them over their gaps.

    Parameters
    ----------
    loads : LigamentLoads
    count : int
        How many of the binder are listed.

    Returns
    -------
    str
        An ``<img>`` with the figure.
    """
    values = getattr(loads, loads.by)
    factor, unit = _UNITS.get(loads.by, (_MEGAPASCAL, "MPa"))
    title = f"{_MEASURES[loads.by]} ({unit})"
    found, top = loads.ligaments, loads.top(count, kind="binder")
    gap_factor, gap_unit = length_scale(float(found.mean_gap.max()) or 1e-6)
    contacts = "contact" in found.kind
    alt = "Ligaments of binder with the highest loads, and the load of all over gap or area."
    size = (9.6 if contacts else 7.2, 1.2 + 0.22 * max(len(top), 9))
    with drawn("ligaments", size, alt) as drawing:
        panels = drawing.figure.subplots(1, 3 if contacts else 2)
        left, middle = panels[:2]
        places = np.arange(len(top))
        colour = _KIND_COLOURS["binder"]
        left.hlines(places, 0.0, values[top] / factor, color=colour, linewidth=1.6)
        cut = found.touches_border[top]
        for chosen, face in ((~cut, colour), (cut, "white")):
            left.scatter(
                values[top][chosen] / factor, places[chosen], s=26, color=face, edgecolors=colour,
                zorder=3,
            )  # fmt: skip
        left.set_yticks(
            places, [f"{a}–{b}\u2003{n}" for n, (a, b) in enumerate(found.particles[top], 1)]
        )
        left.tick_params(axis="y", length=0)
        left.set_ylim(len(top) - 0.4, -0.6)
        if len(top) and (values[top] >= 0.0).all():
            left.set_xlim(left=0.0)
        left.set_xlabel(title)
        left.set_title("binder: particles, rank", loc="left")
        left.grid(axis="x", alpha=0.18)
        _scatter(middle, loads, "binder", found.mean_gap / gap_factor, values / factor)
        middle.set_title(f"binder, all {found.kind.count('binder')}", loc="left")
        middle.set_xlabel(f"mean gap ({gap_unit})")
        middle.set_ylabel(title)
        first = top[: min(len(top), _NUMBERED)]
        _numbers(middle, found.mean_gap[first] / gap_factor, values[first] / factor)
        if contacts:
            _scatter(panels[2], loads, "contact", found.area / 1e-12, values / factor)
            panels[2].set_title(
                f"contacts of particles, all {found.kind.count('contact')}", loc="left"
            )
            panels[2].set_xlabel("contact area (µm²)")
            panels[2].set_ylabel(title)
        if found.touches_border.any():
            drawing.figure.supxlabel(
                "hollow: cut by a face of the image", fontsize=8.5, x=1.0, ha="right"
            )
    return drawing.html


def circle_ligaments(
    axes: Axes, region: NDArray[np.int32], ranks: Mapping[int, int], pixel: tuple[float, float]
) -> None:
    """Outline the ranked ligaments that a plane cuts, circle them and write their ranks."""
    from scipy.ndimage import label

    extent = (region.shape[1] * pixel[1], region.shape[0] * pixel[0])
    circles = []
    for k, rank in sorted(ranks.items(), key=lambda item: item[1]):
        here = region == k + 1
        if not here.any():
            continue
        outline(axes, here, pixel, _LIT)
        # A ring of binder around a neck is cut into two pieces.
        pieces, _ = label(here, np.ones((3, 3)))
        rows, columns = np.nonzero(pieces == 1 + np.bincount(pieces[here])[1:].argmax())
        y, x = (rows + 0.5) * pixel[0], (columns + 0.5) * pixel[1]
        middle = np.array([x.mean(), y.mean()])
        reach = float(np.hypot(x - middle[0], y - middle[1]).max()) + 1.5 * max(pixel)
        circles.append((rank, middle, reach))
    written: list[NDArray] = []
    halo: list[AbstractPathEffect] = [withStroke(linewidth=3.0, foreground=_HALO)]
    for rank, middle, reach in circles:
        ring = Circle(tuple(middle), reach, fill=False, edgecolor=MARK, linewidth=1.3)
        ring.set_path_effects(halo)
        axes.add_patch(ring)
        others = [(m, r) for _, m, r in circles if m is not middle]
        place = _beside(middle, reach, others, written, extent)
        written.append(place)
        axes.text(
            float(place[0]), float(place[1]), str(rank), color=MARK, fontsize=9.5,
            fontweight="bold", ha="center", va="center", path_effects=halo, zorder=5,
        )  # fmt: skip
    # Circles at the edge are cut there, and leave the picture as large as its neighbours.
    axes.set_xlim(0.0, extent[0])
    axes.set_ylim(0.0, extent[1])


def outline(axes: Axes, here: NDArray[np.bool_], pixel: tuple[float, float], colour: str) -> None:
    """Draw a line along the edges of the pixels of a set."""
    padded = np.pad(here, 1)
    rows, columns = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    flat = np.stack([columns, rows, columns + 1, rows], axis=1)
    rows, columns = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    upright = np.stack([columns, rows, columns, rows + 1], axis=1)
    ends = np.concatenate([flat, upright]).reshape(-1, 2, 2) * np.array([pixel[1], pixel[0]])
    for width, stroke in ((2.4, _HALO if colour == MARK else MARK), (1.2, colour)):
        lines = LineCollection(ends, colors=stroke, linewidths=width, capstyle="projecting")
        axes.add_collection(lines, autolim=False)


def _beside(
    middle: NDArray,
    reach: float,
    circles: Sequence[tuple[NDArray, float]],
    written: Sequence[NDArray],
    extent: tuple[float, float],
) -> NDArray:
    """Return where a number beside a circle is farthest from other circles and numbers."""
    letter = 0.028 * max(extent)
    angles = np.pi / 4 + np.arange(12) * np.pi / 6
    places = middle + (reach + 1.1 * letter) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    inner = np.minimum(places, np.array(extent) - places).min(axis=1) - letter
    room = np.minimum(inner, letter)
    for other, size in circles:
        room = np.minimum(room, np.linalg.norm(places - other, axis=1) - size - letter)
    for other in written:
        room = np.minimum(room, np.linalg.norm(places - other, axis=1) - 2.0 * letter)
    return np.asarray(places[int(room.argmax())])


def _scatter(axes: Axes, loads: LigamentLoads, kind: str, x: NDArray, y: NDArray) -> None:
    """Draw the ligaments of a kind; those that a face of the image cuts are hollow."""
    here = np.array([own == kind for own in loads.ligaments.kind], bool)
    cut = loads.ligaments.touches_border
    for chosen, face in ((here & ~cut, _KIND_COLOURS[kind]), (here & cut, "none")):
        axes.scatter(
            x[chosen], y[chosen], s=18, facecolors=face, edgecolors=_KIND_COLOURS[kind],
            linewidths=0.9, alpha=0.75,
        )  # fmt: skip
    axes.grid(alpha=0.18)


def _numbers(axes: Axes, x: NDArray, y: NDArray) -> None:
    """Write ranks in a column beside a plot, tied to their points."""
    low, high = axes.get_ylim()
    heights = (y - low) / (high - low)
    # From the top down, each at least a line below the one before.
    above = np.inf
    for k in np.argsort(-heights, kind="stable"):
        above = min(float(heights[k]), above - 0.065)
        axes.annotate(
            str(k + 1),
            (x[k], y[k]),
            (1.03, above),
            xycoords="data",
            textcoords="axes fraction",
            fontsize=8.5,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.5, "alpha": 0.6},
        )
