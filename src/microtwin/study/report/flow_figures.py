"""Pictures of a flow: speed and pressure, dispersion, breakthrough, and the tracer in the pores."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator
from numpy.typing import NDArray

from ...transport import ogata_banks
from .digits import seconds
from .drawing import INK, SERIES, Picture, drawn, show_picture
from .model import FlowView
from .transport_figures import log_label

__all__ = ["breakthrough_figure", "dispersion_figure", "flow_figure", "tracer_figure"]

_PANEL_INCHES = 3.4
_SOLID = 0.86  # grey


def flow_figure(view: FlowView) -> str:
    """Draw speed and pressure in the middle plane."""
    if view.speed is None or view.pressure is None:
        return ""
    frame = Picture(view.speed.shape, view.voxel_size)
    width = _PANEL_INCHES * min(1.0, 1 / frame.ratio)
    size = (max(width, 1.7) * 2 + 1.0, width * frame.ratio + 1.7)
    there = np.isfinite(view.speed)
    top = float(np.percentile(view.speed[there], 99.5)) if there.any() else 1.0
    alt = "Speed of the fluid and pressure in the middle plane."
    with drawn(f"flow-{view.numbers['direction']}", size, alt) as drawing:
        for axes, values, high, label, map_ in zip(
            drawing.figure.subplots(1, 2),
            (view.speed, view.pressure),
            (top or 1.0, 1.0),
            ("speed over its mean in the pores", "pressure, 1 at the inlet"),
            ("magma", "viridis"),
            strict=True,
        ):
            shades = ScalarMappable(Normalize(0.0, high), matplotlib.colormaps[map_])
            _show(axes, values, shades, view)
            bar = drawing.figure.colorbar(
                shades, ax=axes, orientation="horizontal", shrink=0.94, aspect=22, pad=0.03
            )
            bar.outline.set_visible(False)
            bar.set_label(label)
            bar.ax.xaxis.set_major_locator(MaxNLocator(5))
    return drawing.html


def _show(axes: Axes, values: NDArray[np.floating], shades: ScalarMappable, view: FlowView) -> None:
    there = np.isfinite(values)
    colours = np.full((*values.shape, 3), _SOLID)
    colours[there] = shades.to_rgba(values[there])[:, :3]
    show_picture(axes, colours, view.voxel_size, view.slice_axes)


def dispersion_figure(views: Sequence[FlowView]) -> str:
    """Draw dispersion along and across the flow over the Péclet number, for each direction."""
    shown = [view for view in views if view.numbers["dispersion"] is not None]
    moving = [view for view in shown if max(view.numbers["dispersion"]["peclet"]) > 0.0]
    if not moving:
        return ""
    alt = "Dispersion along and across the flow over the Péclet number."
    with drawn("flow-dispersion", (4.6, 3.0), alt) as drawing:
        axes = drawing.figure.subplots()
        for colour, view in zip(SERIES, moving, strict=False):
            part, name = view.numbers["dispersion"], view.numbers["direction"]
            peclet = np.asarray(part["peclet"], float)
            on = peclet > 0.0
            for key, line, word in (
                ("longitudinal", "o-", "along"),
                ("transverse", "s--", "across"),
            ):
                values = np.asarray(part[key], float)
                axes.plot(
                    peclet[on], values[on], line, color=colour, markersize=4, linewidth=1.4,
                    markerfacecolor=colour if key == "longitudinal" else "white",
                    label=f"{word} {name}" if len(moving) > 1 else f"{word} the flow",
                )  # fmt: skip
            if not on.all():
                axes.axhline(
                    float(np.asarray(part["longitudinal"], float)[~on][0]),
                    color=colour, linewidth=0.8, linestyle=":",
                )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(10, numticks=6))
            axis.set_major_formatter(FuncFormatter(log_label))
            axis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axes.set_xlabel("Péclet number")
        axes.set_ylabel("dispersion over diffusivity")
        axes.legend(frameon=False, fontsize=8)
        axes.grid(alpha=0.18, which="both")
    return drawing.html


def breakthrough_figure(views: Sequence[FlowView]) -> str:
    """Draw the breakthrough curves, and those of the columns that are fitted to them."""
    shown = [view for view in views if view.curve is not None]
    if not shown:
        return ""
    alt = "Concentration of the effluent over the pore volumes that have passed."
    with drawn("flow-breakthrough", (4.8, 3.0), alt) as drawing:
        axes = drawing.figure.subplots()
        for colour, view in zip(SERIES, shown, strict=False):
            times, volumes, c = view.curve  # type: ignore[misc]
            name, part = view.numbers["direction"], view.numbers["breakthrough"]
            axes.plot(volumes, c, color=colour, linewidth=1.7, label=f"along {name}")
            fit = part["fit"]
            if fit is not None:
                args = (part["length"], times, fit["velocity"], fit["dispersion"])
                column = ogata_banks(*args, part["retardation"])
                if part["pulse"]:
                    args = (part["length"], times - part["pulse"], *args[2:])
                    column = column - ogata_banks(*args, part["retardation"])
                axes.plot(
                    volumes, column, color=INK, linewidth=1.0, linestyle="--",
                    label="column of Ogata and Banks" if view is shown[0] else None,
                )  # fmt: skip
        axes.set_xlabel("pore volumes")
        axes.set_ylabel("effluent, over the inlet")
        axes.set_xlim(0.0)
        axes.set_ylim(bottom=0.0)
        axes.legend(frameon=False, fontsize=8)
        axes.grid(alpha=0.18)
    return drawing.html


def tracer_figure(view: FlowView) -> str:
    """Draw the tracer in the middle plane at some times."""
    if view.tracer is None:
        return ""
    times = view.numbers["breakthrough"]["snapshot_times"]
    frame = Picture(view.tracer.shape[1:], view.voxel_size)
    width = 2.1 * min(1.0, 1.3 / frame.ratio)
    size = (len(times) * (width + 0.3) + 0.8, width * frame.ratio + 0.9)
    alt = "The tracer in the middle plane at several times."
    shades = ScalarMappable(Normalize(0.0, 1.0), matplotlib.colormaps["viridis"])
    with drawn(f"flow-tracer-{view.numbers['direction']}", size, alt) as drawing:
        panels = np.atleast_1d(drawing.figure.subplots(1, len(times)))
        for axes, values, time in zip(panels, view.tracer, times, strict=True):
            _show(axes, values, shades, view)
            axes.set_title(seconds(time))
        bar = drawing.figure.colorbar(shades, ax=list(panels), shrink=0.8, aspect=20, pad=0.02)
        bar.outline.set_visible(False)
        bar.set_label("over the inlet")
    return drawing.html
