"""Pictures of species that diffuse and react: maps, what is far from the source, and the course."""

from __future__ import annotations

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

__all__ = ["concentration_figure", "course_figure", "distance_figure", "frames_figure"]

_PANEL_INCHES = 3.4
_MOST_PANELS = 3
_SHOWN_FRAMES = 4
_BEHIND = 0.86  # grey of what a species does not enter
_TIMES = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def concentration_figure(view: UptakeView, micro: Microstructure) -> str:
    """Draw each species in the middle plane, and where it is below the threshold."""
    labels, pixel, _ = mid_slice(micro, 1)
    frame = Picture(labels.shape, pixel)
    planes = view.planes[:_MOST_PANELS]
    width = _PANEL_INCHES * min(1.0, 1 / frame.ratio)
    size = ((max(width, 1.7) + 0.5) * len(planes), width * frame.ratio + 1.7)
    alt = "Concentration of each species in the middle plane."
    with drawn("uptake-concentration", size, alt) as drawing:
        panels = np.atleast_1d(drawing.figure.subplots(1, len(planes)))
        for axes, plane, (name, factor, unit) in zip(panels, planes, view.scales, strict=False):
            shades = _show_plane(axes, plane * factor, pixel)
            axes.set_title(shortened(name))
            of = (view.numbers["shown"]["viability"] or {}).get("of")
            if view.core_plane is not None and name == of and np.ptp(view.core_plane) > 0.5:
                axes.contour(
                    (np.arange(plane.shape[1]) + 0.5) * pixel[1],
                    (np.arange(plane.shape[0]) + 0.5) * pixel[0],
                    view.core_plane,
                    levels=[0.5],
                    colors=["white"],
                    linewidths=1.2,
                )
            bar = drawing.figure.colorbar(
                shades, ax=axes, orientation="horizontal", shrink=0.94, aspect=22, pad=0.03
            )
            bar.outline.set_visible(False)
            bar.set_label(f"concentration ({unit})")
            bar.ax.xaxis.set_major_locator(MaxNLocator(5))
    return drawing.html


def _show_plane(
    axes: Axes, values: NDArray[np.floating], pixel: tuple[float, float], top: float | None = None
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
    show_picture(axes, colours, pixel, ("z", "x"))
    return shades


def distance_figure(view: UptakeView) -> str:
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
        left.set_xlim(0.0)
        left.set_xlabel(f"distance from the source ({name})")
        left.set_ylabel(f"{shortened(given['of'], 14)} ({unit})")
        left.grid(alpha=0.18)
        if len(view.rim):
            right.hist(view.rim / scale, bins=30, color=SERIES[1])
            right.set_xlabel(f"thickness of the rim ({name})")
            right.set_ylabel("places where a core begins")
        else:
            widths = np.diff(np.append(rows[:, 0], 2 * rows[-1, 0] - rows[-2:, 0].mean())) / scale
            right.bar(distance, 100 * rows[:, 1], width=0.95 * widths, color=SERIES[1])
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
    count = min(len(species), _MOST_PANELS)
    with drawn("uptake-course", (3.6 * count + 0.4, 2.6), alt) as drawing:
        for axes, name in zip(
            np.atleast_1d(drawing.figure.subplots(1, count)), species, strict=False
        ):
            own = [n for n, column in enumerate(names) if column.startswith(f"{name} ")]
            for colour, n in zip(SERIES * 3, own, strict=False):
                label = names[n].removeprefix(f"{name} ").removesuffix(" [mol]")
                axes.plot(times, view.course[n], color=colour, linewidth=1.5, label=label)
            axes.axhline(0.0, color=INK, linewidth=0.6)
            axes.set_title(shortened(name))
            axes.set_xlabel(f"time ({unit})")
            axes.set_ylabel("amount (mol)")
            axes.legend(frameon=False, fontsize=7)
            axes.grid(alpha=0.18)
    return drawing.html


def frames_figure(view: UptakeView, micro: Microstructure) -> str:
    """Draw the first species in the middle plane at some times."""
    if view.frames is None:
        return ""
    _, pixel, _ = mid_slice(micro, 1)
    chosen = np.unique(np.linspace(0, len(view.frames) - 1, _SHOWN_FRAMES).round().astype(int))
    frame = Picture(view.frames.shape[1:], pixel)
    width = 1.75 * min(1.0, 1.4 / frame.ratio)
    _, factor, unit = view.scales[0]
    top = factor * float(np.nanmax(view.frames))
    duration = float(view.numbers["shown"]["duration"])
    alt = "The first species in the middle plane at several times."
    size = (len(chosen) * (width + 0.25) + 0.6, width * frame.ratio + 0.9)
    with drawn("uptake-frames", size, alt) as drawing:
        panels = drawing.figure.subplots(1, len(chosen))
        for axes, n in zip(panels, chosen, strict=True):
            shades = _show_plane(axes, view.frames[n] * factor, pixel, top)
            time, name = _times(np.array([duration * n / (len(view.frames) - 1), duration]))
            axes.set_title(f"{time[0]:.3g} {name}")
        bar = drawing.figure.colorbar(shades, ax=panels, shrink=0.8, aspect=20, pad=0.02)
        bar.outline.set_visible(False)
        bar.set_label(unit)
    return drawing.html


def _times(times: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """Return times in a unit that reads well, and its name."""
    factor, name = next((pair for pair in _TIMES if times[-1] >= 2.0 * pair[0]), _TIMES[-1])
    return times / factor, name
