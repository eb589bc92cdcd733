"""Pictures of the way from a scan to its labels: each step, what it removed, the histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from ...microstructure import Microstructure
from .digits import length_scale, number
from .drawing import (
    INK,
    SERIES,
    Picture,
    drawn,
    phase_colours,
    phase_rgb,
    shortened,
    show_picture,
)
from .model import ScanView
from .transport_figures import log_label

__all__ = ["artefacts_figure", "histogram_figure", "reconstruction_figure", "steps_figure"]

# The page is twelve inches wide; few pictures are not drawn larger than those of other sections.
_PAGE_INCHES = 12.0
_PANEL_INCHES = 2.7
# In inches: left of the first picture, between two, a line of text, the scale bar under a picture,
# a colour bar with its numbers and unit.
_LEFT, _GAP, _LINE, _SCALE, _BAR = 0.24, 0.22, 0.22, 0.34, 0.5
_COLOURS = 200
_OUTLIERS = 0.5
_STEP_TITLES = {
    "drift": "without drift",
    "shading": "without shading",
    "rings": "without rings",
}


@dataclass(frozen=True)
class _Panel:
    """A picture of the row, and what its step has removed from the grey values."""

    title: str
    kind: str
    values: NDArray[Any]
    removed: NDArray[Any] | None = None


def steps_figure(view: ScanView, micro: Microstructure) -> str:
    """Draw the middle slice after each step, and under it what the step has removed.

    Grey values have one range in all pictures. Under a picture that removes nothing are its
    colours: the scale of grey values, the names of the phases, the scale of the certainty.
    """
    panels = _panels(view)
    frame = Picture(view.picture.shape, view.voxel_size[1:])
    column = min(_PANEL_INCHES, (_PAGE_INCHES - _LEFT) / len(panels))
    width = (column - _GAP) * min(1.0, 1 / frame.ratio)
    height = width * frame.ratio
    removed = any(panel.removed is not None for panel in panels)
    note = _LINE if frame.note else 0.0
    legend = _LINE * (len(micro.phase_names) + 0.5)
    below = max(_LINE + height + _SCALE + _BAR if removed else _BAR, legend)
    size = (_LEFT + column * len(panels), note + _LINE + height + _SCALE + below + 0.05)
    alt = "The middle slice: " + ", ".join(panel.title for panel in panels) + "."
    if removed:
        alt += " Below, the grey values that each step has removed."
    # Places are given in inches from the lower left; the automatic layout would give pictures
    # with a colour bar another size than those without.
    with drawn("steps", size, alt) as drawing:
        drawing.figure.set_layout_engine("none")
        grey = _range([panel.values for panel in panels if panel.kind == "grey"])
        row = below + 0.05 + _SCALE
        for index, panel in enumerate(panels):
            left = _LEFT + index * column
            axes = _axes(drawing.figure, left, row, width, height)
            shown = _show(axes, panel, view, micro, grey)
            axes.set_title(panel.title)
            if index:
                axes.set_ylabel("")
            if panel.removed is not None:
                bottom = row - _SCALE - _LINE - height
                axes = _axes(drawing.figure, left, bottom, width, height)
                shown = _show_removed(axes, panel.removed, view)
                _bar(drawing.figure, shown, (left, bottom - _SCALE, width), "grey values")
            elif panel.kind == "labels":
                place = (left, row - _SCALE - legend, width, legend)
                _name_colours(_axes(drawing.figure, *place), panel, micro)
            else:
                unit = "grey values" if panel.kind == "grey" else "probability (–)"
                _bar(drawing.figure, shown, (left, row - _SCALE, width), unit)
        if frame.note:
            drawing.figure.text(0.5, 1.0, f"({frame.note})", fontsize=8, ha="center", va="top")
    return drawing.html


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes at a place in inches."""
    wide, high = figure.get_size_inches()
    return figure.add_axes((left / wide, bottom / high, width / wide, height / high))


def _panels(view: ScanView) -> list[_Panel]:
    first = "as measured" if view.reconstruction is None else "as reconstructed"
    panels = [_Panel(first, "grey", np.asarray(view.picture, float))]
    after = [(_STEP_TITLES.get(step, step), values) for step, values in view.corrected.items()]
    if view.denoised is not None:
        after.append(("denoised", view.denoised))
    for title, picture in after:
        values = np.asarray(picture, float)
        panels.append(_Panel(title, "grey", values, panels[-1].values - values))
    panels.append(_Panel("labels", "labels", view.labels))
    if view.certainty is not None:
        panels.append(_Panel("certainty", "certainty", np.asarray(view.certainty, float)))
    return panels


def _range(pictures: list[NDArray[Any]]) -> Normalize:
    """Return one range of grey values for all pictures, up to a few outliers."""
    ends = [np.nanpercentile(p, (_OUTLIERS, 100 - _OUTLIERS)) for p in pictures]
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    return Normalize(float(low), float(high) if high > low else float(low) + 1.0)


def _show(
    axes: Axes, panel: _Panel, view: ScanView, micro: Microstructure, grey: Normalize
) -> ScalarMappable:
    pixel, names = view.voxel_size[1:], ("y", "x")
    if panel.kind == "labels":
        colours = phase_rgb(panel.values, micro)
        return show_picture(axes, colours, pixel, names)
    # The most probable of n phases has a probability of at least 1 / n.
    certain = Normalize(1 / len(micro.phase_names), 1.0)
    name, norm = ("gray", grey) if panel.kind == "grey" else ("cividis", certain)
    shades = matplotlib.colormaps[name].resampled(_COLOURS)
    return show_picture(axes, panel.values, pixel, names, cmap=shades, norm=norm)


def _show_removed(axes: Axes, removed: NDArray[Any], view: ScanView) -> ScalarMappable:
    half = float(np.nanpercentile(np.abs(removed), 100 - _OUTLIERS)) or 1.0
    shades = matplotlib.colormaps["RdBu_r"].resampled(_COLOURS)
    norm = Normalize(-half, half)
    picture = show_picture(axes, removed, view.voxel_size[1:], ("y", "x"), cmap=shades, norm=norm)
    axes.set_ylabel("")
    axes.set_title("removed")
    return picture


def _name_colours(axes: Axes, panel: _Panel, micro: Microstructure) -> None:
    axes.set_axis_off()
    colours = phase_colours(micro)
    present = [n for n in micro.phase_names if (panel.values == micro.label(n)).any()]
    handles = [Patch(color=colours[name], label=shortened(name, 14)) for name in present]
    axes.legend(
        handles=handles, loc="upper left", borderaxespad=0.0, borderpad=0.0, handlelength=1.0
    )


def _bar(
    figure: Figure, shown: ScalarMappable, place: tuple[float, float, float], unit: str
) -> None:
    """Draw the colours of a picture under it; left, top and width are in inches."""
    left, top, width = place
    box = _axes(figure, left, top - 0.08, width, 0.08)
    _finish_bar(figure.colorbar(shown, cax=box, orientation="horizontal"), unit)


def _finish_bar(bar: Any, unit: str) -> None:
    bar.outline.set_linewidth(0.5)
    bar.set_label(unit, labelpad=2)
    bar.ax.xaxis.set_major_locator(MaxNLocator(3))
    bar.ax.xaxis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, _position: int | None = None) -> str:
    """Return a tick label of a linear axis, with no more digits than it needs."""
    # Ticks are multiples of a step, up to rounding.
    value = float(f"{value:.6g}")
    if abs(value) >= 1e5:
        return number(value, 2)
    return number(int(value)) if value == int(value) else f"{value:g}".replace("-", "\u2212")


def reconstruction_figure(view: ScanView) -> str:
    """Draw the middle slice as it was reconstructed, with its scale of grey values."""
    frame = Picture(view.picture.shape, view.voxel_size[1:])
    width = 3.4 * min(1.0, 1 / frame.ratio)
    alt = "The middle slice as reconstructed from the projections."
    with drawn("reconstruction", (max(width, 2.0) + 0.5, width * frame.ratio + 1.1), alt) as page:
        axes = page.figure.subplots()
        values = np.asarray(view.picture, float)
        shades = matplotlib.colormaps["gray"].resampled(_COLOURS)
        shown = show_picture(
            axes, values, view.voxel_size[1:], ("y", "x"), cmap=shades, norm=_range([values])
        )
        bar = page.figure.colorbar(
            shown, ax=axes, orientation="horizontal", shrink=0.94, aspect=26, pad=0.03
        )
        _finish_bar(bar, "grey values")
        if frame.note:
            page.figure.suptitle(f"({frame.note})", fontsize=8)
    return page.html


def artefacts_figure(view: ScanView) -> str:
    """Draw gain and offset of each slice against z, and the rings against the radius.

    Returns an empty string when there are neither.
    """
    drift = view.gain is not None and view.offset is not None
    columns = [["gain", "offset"]] if drift else []
    columns += [["rings", "rings"]] if view.rings is not None else []
    if not columns:
        return ""
    what = " and ".join(
        words
        for words, there in (
            ("gain and offset of each slice against z", drift),
            ("mean of the rings against the distance from the axis", view.rings is not None),
        )
        if there
    )
    alt = f"{what[0].upper()}{what[1:]}."
    with drawn("artefacts", (4.9 * len(columns), 3.1), alt) as drawing:
        rows = [list(row) for row in zip(*columns, strict=True)]
        cells = drawing.figure.subplot_mosaic(rows, gridspec_kw={"wspace": 0.08})
        if view.gain is not None and view.offset is not None:
            _plot_drift(cells["gain"], 100 * np.asarray(view.gain, float), view, "gain (%)")
            _plot_drift(cells["offset"], np.asarray(view.offset, float), view, "offset (grey)")
            cells["gain"].tick_params(labelbottom=False)
            cells["gain"].set_title("drift of the slices")
            _, unit = length_scale(view.offset.size * view.voxel_size[0])
            cells["offset"].set_xlabel(f"z ({unit})")
        if view.rings is not None:
            _plot_rings(cells["rings"], view.rings, view)
        for axes in cells.values():
            axes.grid(alpha=0.18)
    return drawing.html


def _plot_drift(axes: Axes, values: NDArray[Any], view: ScanView, label: str) -> None:
    extent = values.size * view.voxel_size[0]
    factor, _ = length_scale(extent)
    places = (np.arange(values.size) + 0.5) * view.voxel_size[0] / factor
    axes.plot(places, values, color=SERIES[0], linewidth=1.2)
    axes.axhline(0.0, color=INK, linewidth=0.7, linestyle=":")
    axes.set_xlim(0.0, extent / factor)
    axes.set_ylabel(label)
    _calm(axes)


def _plot_rings(axes: Axes, rings: NDArray[Any], view: ScanView) -> None:
    extent = rings.shape[1] * view.voxel_size[2]
    factor, unit = length_scale(extent)
    radii = np.arange(rings.shape[1]) * view.voxel_size[2] / factor
    for half, (profile, style) in enumerate(zip(rings, ("-", "--"), strict=True)):
        label = ("first half", "second half")[half]
        axes.plot(radii, profile, style, color=SERIES[half], linewidth=1.2, label=label)
    axes.axhline(0.0, color=INK, linewidth=0.7, linestyle=":")
    axes.set_xlim(0.0, extent / factor)
    # Near the axis and in the corners few voxels make a ring, and noise would set the scale.
    largest = 1.3 * float(np.quantile(np.abs(rings), 0.97)) or 1.0
    axes.set_ylim(-largest, largest)
    axes.set_xlabel(f"distance from the rotation axis ({unit})")
    axes.set_ylabel("mean over the slices (grey)")
    axes.set_title("rings")
    axes.legend(loc="best", fontsize=8)
    _calm(axes)


def _calm(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(_tick))


def histogram_figure(view: ScanView, micro: Microstructure) -> str:
    """Draw the counts of the grey values with the mean of each phase and the thresholds.

    Returns an empty string when nothing was counted.
    """
    if view.histogram is None or view.histogram_edges is None or not view.histogram.any():
        return ""
    alt = "How often each grey value occurs, on a logarithmic axis, and the mean of each phase."
    with drawn("histogram", (4.6, 3.3), alt) as drawing:
        axes = drawing.figure.subplots()
        edges = np.asarray(view.histogram_edges, float)
        counts = view.histogram.astype(float)
        lowest = 0.7 * float(counts[counts > 0].min())
        axes.stairs(np.maximum(counts, lowest), edges, fill=True, color=INK, alpha=0.28)
        axes.set_yscale("log")
        axes.set_ylim(lowest, 1.6 * float(counts.max()))
        shown = [float(edges[0]), float(edges[-1]), *view.means.values()]
        axes.set_xlim(min(shown), max(shown))
        colours = phase_colours(micro)
        for index, (phase, mean) in enumerate(view.means.items()):
            axes.axvline(
                mean,
                color=colours.get(phase, INK),
                linewidth=2.2,
                linestyle=("-", "--", "-.", ":")[index % 4],
                label=f"mean of {shortened(phase, 18)}",
            )
        for index, threshold in enumerate(view.thresholds):
            label = "threshold" if len(view.thresholds) == 1 else "thresholds"
            axes.axvline(
                threshold,
                color=INK,
                linewidth=1.1,
                linestyle=(0, (1, 2)),
                label=None if index else label,
            )
        axes.yaxis.set_major_formatter(FuncFormatter(log_label))
        axes.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axes.xaxis.set_major_formatter(FuncFormatter(_tick))
        axes.set_xlabel("grey value")
        axes.set_ylabel("voxels counted")
        drawing.figure.legend(loc="outside upper left", ncols=2, handlelength=2.6)
    return drawing.html
