"""Pictures of a reaction: maps of the current density, its distribution, and its profile."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from ...microstructure import Microstructure
from .digits import length_scale
from .drawing import INK, SERIES, Picture, drawn, mid_slice, show_picture
from .model import ReactionView

__all__ = ["distribution_figure", "maps_figure"]

_PANEL_INCHES = 3.4
_ACTIVE, _OTHER = 0.62, 0.86  # greys behind the interface


def maps_figure(view: ReactionView, micro: Microstructure) -> str:
    """Draw the current density in the middle plane, and the current seen through the image."""
    labels, pixel, _ = mid_slice(micro, 1)
    frame = Picture(labels.shape, pixel)
    width = _PANEL_INCHES * min(1.0, 1 / frame.ratio)
    size = (max(width, 1.7) * 2 + 1.0, width * frame.ratio + 1.7)
    active = np.isin(labels, [micro.label(name) for name in view.parameters["active"]])
    behind = np.where(active, _ACTIVE, _OTHER)
    alt = "Current density of the interface in a plane, and the current seen along y."
    with drawn("reaction-maps", size, alt) as drawing:
        for axes, values, unit, title in zip(
            drawing.figure.subplots(1, 2),
            (np.abs(view.plane), np.abs(view.through)),
            ("current density (A/m²)", "current (A/m² of the picture)"),
            ("In the middle plane", "Seen along y"),
            strict=True,
        ):
            there = np.isfinite(values)
            top = float(np.percentile(values[there], 99.5)) if there.any() else 1.0
            shades = ScalarMappable(
                Normalize(0.0, top if top > 0 else 1.0), matplotlib.colormaps["inferno"]
            )
            colours = np.repeat(behind[..., None], 3, axis=2)
            colours[there] = shades.to_rgba(values[there])[:, :3]
            show_picture(axes, colours, pixel, ("z", "x"))
            axes.set_title(title)
            bar = drawing.figure.colorbar(
                shades, ax=axes, orientation="horizontal", shrink=0.94, aspect=22, pad=0.03
            )
            bar.outline.set_visible(False)
            bar.set_label(unit)
            bar.ax.xaxis.set_major_locator(MaxNLocator(5))
    return drawing.html


def distribution_figure(view: ReactionView, micro: Microstructure) -> str:
    """Draw the distribution of the current density over the area, and the profile along z."""
    alt = "Share of the area by current density, and share of the current by layer."
    with drawn("reaction-distribution", (7.5, 2.4), alt) as drawing:
        left, right = drawing.figure.subplots(1, 2)
        edges = np.asarray(view.edges, float)
        left.bar(edges[:-1], 100 * view.shares, width=np.diff(edges), align="edge", color=SERIES[0])
        threshold = float(view.numbers["threshold"])
        if threshold < edges[-1]:
            left.axvline(threshold, color=INK, linewidth=0.9, linestyle="--")
        left.set_xlim(0.0, edges[-1])
        left.set_xlabel("current density (A/m²)")
        left.set_ylabel("reacting area (%)")
        factor, name = length_scale(micro.extent[0])
        height = (np.arange(len(view.profile)) + 0.5) * micro.voxel_size[0] / factor
        right.plot(height, 100 * view.profile, color=SERIES[0], linewidth=1.4)
        right.set_ylim(bottom=0.0)
        right.set_xlim(0.0, micro.extent[0] / factor)
        right.set_xlabel(f"z ({name})")
        right.set_ylabel("current per layer (%)")
        right.grid(alpha=0.18)
    return drawing.html
