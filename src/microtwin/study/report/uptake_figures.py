"""Pictures of species that diffuse and react: maps, what is far from the source, and the course."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ...microstructure import Microstructure
from .digits import length_scale
from .drawing import INK, SERIES, Picture, drawn, mid_slice, shortened, show_picture
from .model import UptakeView

__all__ = [
    "concentration_figure",
    "course_figure",
    "distance_figure",
    "frames_figure",
    "level_lines",
]

_PANEL_INCHES = 3.4
_MOST_PANELS = 3
_SHOWN_FRAMES = 4
_BEHIND = 0.86  # grey of what a species does not enter
_AMOUNTS = tuple((10.0 ** (-3 * n), f"{p}mol") for n, p in enumerate(("", *"mµnpfa")))
_LINES = {"threshold": "solid", "hypoxic": "dotted"}
_TIMES = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def concentration_figure(view: UptakeView, micro: Microstructure) -> str:
    """Draw each species in the middle plane, borders of phases, and levels of the thresholds."""
    labels, pixel, _ = mid_slice(micro, _across(view))
    frame = Picture(labels.shape, pixel)
    width = _PANEL_INCHES * min(1.0, 1 / frame.ratio)
    columns = min(len(view.planes), _MOST_PANELS)
    rows = -(-len(view.planes) // columns)
    size = ((max(width, 1.7) + 0.5) * columns, (width * frame.ratio + 1.7) * rows)
    alt = "Concentration of each species in the middle plane."
    with drawn("uptake-concentration", size, alt) as drawing:
        panels = np.ravel(drawing.figure.subplots(rows, columns))
        for axes in panels[len(view.planes) :]:
            axes.set_visible(False)
        for axes, plane, (name, factor, unit) in zip(
            panels, view.planes, view.scales, strict=False
        ):
            shades = _show_plane(axes, plane * factor, pixel, _names(view))
            axes.set_title(shortened(name))
            _draw_borders(axes, labels, pixel)
            if (view.numbers["shown"]["viability"] or {}).get("of") == name:
                tissue = _in_tissue(view, micro, plane)
                for level, style in _levels(view, tissue):
                    _draw_level(axes, tissue, level, pixel, colors="white", linestyles=style)
            bar = drawing.figure.colorbar(
                shades, ax=axes, orientation="horizontal", shrink=0.94, aspect=22, pad=0.03
            )
            bar.outline.set_visible(False)
            bar.set_label(f"concentration ({unit})")
            bar.ax.xaxis.set_major_locator(MaxNLocator(5))
            bar.ax.ticklabel_format(axis="x", scilimits=(-2, 4))
    return drawing.html


def level_lines(view: UptakeView, micro: Microstructure) -> list[tuple[float, str, str]]:
    """Return the thresholds that cross the middle plane: level, its unit, and kind of line."""
    wanted = view.numbers["shown"]["viability"]
    if wanted is None:
        return []
    n = [scale[0] for scale in view.scales].index(wanted["of"])
    _, factor, unit = view.scales[n]
    found = _levels(view, _in_tissue(view, micro, view.planes[n]))
    return [(factor * level, unit, style) for level, style in found]


def _across(view: UptakeView) -> int:
    return "zyx".index(view.numbers["shown"]["across"])


def _names(view: UptakeView) -> tuple[str, str]:
    """Return the axes of the rows and of the columns of the plane."""
    rows, columns = (name for name in "zyx" if name != view.numbers["shown"]["across"])
    return rows, columns


def _in_tissue(
    view: UptakeView, micro: Microstructure, plane: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return a plane with NaN outside of the phases that are to be supplied."""
    phases = view.numbers["shown"]["viability"]["phases"]
    labels = mid_slice(micro, _across(view))[0]
    return np.where(np.isin(labels, [micro.label(name) for name in phases]), plane, np.nan)


def _levels(view: UptakeView, tissue: NDArray[np.floating]) -> list[tuple[float, str]]:
    """Return the thresholds between the lowest and the highest value of a plane."""
    known = tissue[np.isfinite(tissue)]
    given = view.numbers["shown"]["viability"]
    return [
        (given[key], style)
        for key, style in _LINES.items()
        if given[key] is not None and known.size and known.min() < given[key] < known.max()
    ]


def _draw_borders(axes: Axes, labels: NDArray[np.uint8], pixel: tuple[float, float]) -> None:
    """Draw thin lines between phases."""
    for label in np.unique(labels)[1:]:
        inside = (labels == label).astype(float)
        _draw_level(axes, inside, 0.5, pixel, colors=INK, linewidths=0.5, alpha=0.6)


def _draw_level(
    axes: Axes,
    values: NDArray[np.floating],
    level: float,
    pixel: tuple[float, float],
    **style: Any,
) -> None:
    """Draw a level of values at the centres of pixels."""
    # The outer halves of pixels at the edge count too.
    wide = np.pad(values, 1, mode="edge")
    rows, columns = ((np.arange(n) - 0.5) * p for n, p in zip(wide.shape, pixel, strict=True))
    axes.autoscale(False)
    axes.contour(columns, rows, wide, levels=[level], **({"linewidths": 1.2} | style))


def _show_plane(
    axes: Axes,
    values: NDArray[np.floating],
    pixel: tuple[float, float],
    names: tuple[str, str],
    top: float | None = None,
) -> ScalarMappable:
    """Show a concentration, grey where there is none; return its colours."""
    there = np.isfinite(values)
    if top is None:
        top = float(values[there].max()) if there.any() else 1.0
    shades = ScalarMappable(
        Normalize(0.0, top if top > 0.0 else 1.0), matplotlib.colormaps["viridis"]
    )
    colours = np.full((*values.shape, 3), _BEHIND)
    colours[there] = shades.to_rgba(values[there])[:, :3]
    show_picture(axes, colours, pixel, names)
    return shades


def distance_figure(view: UptakeView, micro: Microstructure) -> str:
    """Draw the concentration over the distance from the source, and how thick the rim is."""
    rows, given = view.by_distance, view.numbers["shown"]["viability"]
    if rows is None or given is None or len(rows) == 0:
        return ""
    _, factor, unit = next(scale for scale in view.scales if scale[0] == given["of"])
    scale, name = length_scale(float(rows[-1, 0]))
    alt = "Concentration by distance from the source, and the thickness of the viable rim."
    with drawn("uptake-distance", (7.5, 2.5), alt) as drawing:
        left, right = drawing.figure.subplots(1, 2)
        distance = rows[:, 0] / scale
        left.fill_between(
            distance, factor * rows[:, 2], factor * rows[:, 4], color=SERIES[0], alpha=0.22, lw=0
        )
        left.plot(distance, factor * rows[:, 3], color=SERIES[0], linewidth=1.6)
        for key, style in (("threshold", "--"), ("hypoxic", ":")):
            if given[key] is not None:
                left.axhline(factor * given[key], color=INK, linewidth=0.9, linestyle=style)
        left.set_ylim(bottom=0.0)
        most = float(distance[-1] + 0.5 * (distance[-1] - distance[0]) / max(len(rows) - 1, 1))
        left.set_xlim(0.0, most)
        left.set_xlabel(f"distance from the source ({name})")
        left.set_ylabel(f"{shortened(given['of'], 14)} ({unit})")
        left.grid(alpha=0.18)
        if len(view.rim):
            # Places on the grid are not told apart within half a voxel.
            least = 0.5 * max(micro.voxel_size) / scale
            rim = view.rim / scale
            width = max(float(np.ptp(rim)) / 30, least)
            first = float(rim.min()) - 0.5 * width
            right.hist(rim, first + width * np.arange(32), color=SERIES[1])
            right.set_xlim(0.0, max(most, float(rim.max()) + width))
            right.set_xlabel(f"thickness of the rim ({name})")
            right.set_ylabel("places where a core begins")
        else:
            width = float(np.diff(distance).min()) if len(rows) > 1 else most
            right.bar(distance, 100 * rows[:, 1], width=0.95 * width, color=SERIES[1])
            right.set_xlim(0.0, most)
            right.set_xlabel(f"distance from the source ({name})")
            right.set_ylabel("volume (%)")
        right.yaxis.set_major_locator(MaxNLocator(5))
    return drawing.html


def course_figure(view: UptakeView) -> str:
    """Draw what is stored, has flowed in and was used up, over time."""
    if view.course is None:
        return ""
    names, species = view.numbers["columns"], [scale[0] for scale in view.scales]
    times, unit = _times(view.course[0])
    alt = "Amount of each species in the image, and what flowed in and reacted, over time."
    columns = min(len(species), _MOST_PANELS)
    rows = -(-len(species) // columns)
    with drawn("uptake-course", (3.6 * columns + 0.4, 2.6 * rows), alt) as drawing:
        panels = np.ravel(drawing.figure.subplots(rows, columns))
        for axes in panels[len(species) :]:
            axes.set_visible(False)
        for axes, name in zip(panels, species, strict=False):
            own = [n for n, column in enumerate(names) if column.startswith(f"{name} ")]
            largest = max(float(np.abs(view.course[n]).max()) for n in own)
            factor, amount = next((pair for pair in _AMOUNTS if largest >= pair[0]), _AMOUNTS[-1])
            for colour, n in zip(SERIES * 3, own, strict=False):
                label = names[n].removeprefix(f"{name} ").removesuffix(" [mol]")
                values = view.course[n] / factor
                if values[-1] < 0.0:
                    for word, other in (("made in ", "used up in "), ("from ", "to ")):
                        if label.startswith(word):
                            label = other + label.removeprefix(word)
                    values = -values
                axes.plot(times, values, color=colour, linewidth=1.5, label=label)
            axes.axhline(0.0, color=INK, linewidth=0.6)
            axes.set_title(shortened(name))
            axes.set_xlabel(f"time ({unit})")
            axes.set_ylabel(f"amount ({amount})")
            axes.legend(fontsize=7)
            axes.grid(alpha=0.18)
    return drawing.html


def frames_figure(
    view: UptakeView, species: int, frames: NDArray[np.floating], micro: Microstructure
) -> str:
    """Draw a species, by its number, in the middle plane at some times."""
    _, pixel, _ = mid_slice(micro, _across(view))
    chosen = np.unique(np.linspace(0, len(frames) - 1, _SHOWN_FRAMES).round().astype(int))
    frame = Picture(frames.shape[1:], pixel)
    width = 1.75 * min(1.0, 1.4 / frame.ratio)
    name, factor, unit = view.scales[species]
    top = factor * float(np.nanmax(frames))
    duration = float(view.numbers["shown"]["duration"])
    alt = f"{name} in the middle plane at several times."
    size = (len(chosen) * (width + 0.25) + 0.6, width * frame.ratio + 0.9)
    with drawn(f"uptake-frames-{species}", size, alt) as drawing:
        panels = drawing.figure.subplots(1, len(chosen))
        for axes, n in zip(panels, chosen, strict=True):
            shades = _show_plane(axes, frames[n] * factor, pixel, _names(view), top)
            time, clock = _times(np.array([duration * n / (len(frames) - 1), duration]))
            axes.set_title(f"{time[0]:.3g} {clock}")
        bar = drawing.figure.colorbar(shades, ax=panels, shrink=0.8, aspect=20, pad=0.02)
        bar.outline.set_visible(False)
        bar.set_label(f"{shortened(name, 14)} ({unit})")
    return drawing.html


def _times(times: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """Return times in a unit that reads well, and its name."""
    factor, name = next((pair for pair in _TIMES if times[-1] >= 2.0 * pair[0]), _TIMES[-1])
    return times / factor, name
