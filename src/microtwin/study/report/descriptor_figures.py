"""Figures of distributions and correlations in the microstructure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from .digits import length_scale
from .drawing import drawn, phase_colours, shortened
from .model import ReportData

__all__ = ["descriptor_figure"]

# Share of the chords that the plot shows; a few very long ones would squeeze the rest.
_NEARLY_ALL = 0.99

Curves = Mapping[str, Sequence[Sequence[float]]]


def descriptor_figure(data: ReportData) -> str:
    """Draw local thickness, chord lengths and two-point correlation of each phase.

    Returns an empty string when there is nothing to draw.
    """
    curves = data.curves or {}
    plots = [
        (draw, found)
        for draw, found in (
            (_local_thickness, [curves.get("local_thickness")]),
            (_chords, [curves.get("chords_z"), curves.get("chords_x")]),
            (_two_point, [curves.get("two_point")]),
        )
        if any(found)
    ]
    if not plots:
        return ""
    colours = phase_colours(data.micro)
    alt = "Distributions of local thickness and chord length, and two-point correlation."
    with drawn("descriptors", (3.1 * len(plots), 2.7), alt) as drawing:
        panels = np.atleast_1d(drawing.figure.subplots(1, len(plots)))
        for axes, (draw, found) in zip(panels, plots, strict=True):
            draw(axes, [part or {} for part in found], colours)
            axes.set_xlim(left=0.0)
            axes.set_ylim(0.0, None)
            axes.grid(alpha=0.18)
        for phase in data.micro.phase_names:
            panels[0].plot([], [], color=colours[phase], label=shortened(phase))
        drawing.figure.legend(loc="outside upper left", ncols=len(data.micro.phase_names))
    return drawing.html


def _scale(found: Sequence[Curves]) -> tuple[float, str]:
    ends = [curve[0][-1] for part in found for curve in part.values() if len(curve[0])]
    return length_scale(max(ends, default=1e-6))


def _end(lengths: Sequence[float], density: Sequence[float]) -> float:
    """Length below which nearly all chords are."""
    below = np.cumsum(density)
    return float(lengths[int(np.searchsorted(below, _NEARLY_ALL * below[-1]))])


def _local_thickness(axes: Axes, found: Sequence[Curves], colours: Mapping[str, str]) -> None:
    factor, unit = _scale(found)
    for phase, (diameters, above) in found[0].items():
        x = np.concatenate([[0.0], np.asarray(diameters, float)]) / factor
        y = np.concatenate([np.asarray(above[:1], float), np.asarray(above, float)])
        axes.plot(x, 100 * y, color=colours[phase], drawstyle="steps-pre")
    axes.set_xlabel(f"diameter ({unit})")
    axes.set_ylabel("share of the phase above it (%)")
    axes.set_title("local thickness")


def _chords(axes: Axes, found: Sequence[Curves], colours: Mapping[str, str]) -> None:
    ends = [_end(*curve) for part in found for curve in part.values()]
    factor, unit = length_scale(max(ends, default=1e-6))
    for part, style in zip(found, ("-", "--"), strict=True):
        for phase, (lengths, density) in part.items():
            x = np.asarray(lengths, float) / factor
            axes.plot(x, factor * np.asarray(density, float), style, color=colours[phase])
    axes.set_xlim(0.0, max(ends, default=1e-6) / factor)
    axes.set_xlabel(f"chord length ({unit})")
    axes.set_ylabel(f"density (1/{unit})")
    axes.set_title("chords")


def _two_point(axes: Axes, found: Sequence[Curves], colours: Mapping[str, str]) -> None:
    factor, unit = _scale(found)
    for phase, (distance, probability) in found[0].items():
        x, y = np.asarray(distance, float) / factor, np.asarray(probability, float)
        axes.plot(x, y / y[0], color=colours[phase])
        axes.plot(x[[len(x) // 2, -1]], [y[0]] * 2, ":", color=colours[phase], linewidth=0.9)
    axes.set_xlabel(f"distance ({unit})")
    axes.set_ylabel("S₂ / ε (–)")
    axes.set_title("two-point correlation")
