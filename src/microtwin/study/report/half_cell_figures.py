"""Pictures of a discharge: voltage and where it goes, lithium in the particles, and a film."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ...microstructure import Microstructure
from .digits import length_scale
from .drawing import SERIES, Picture, drawn, mid_slice, show_picture
from .lithium_pictures import lithium_picture, lithium_shades
from .model import HalfCellView
from .movies import movie_figure, show_voltage, write_movie

__all__ = [
    "filling_figure",
    "losses_figure",
    "profiles_figure",
    "voltage_figure",
    "write_discharge_movie",
]

_PANEL_INCHES = 3.4
_FRAME_MS = 120
_MOVIE_INCHES = 4.2
# As in `half_cell_stage.LOSSES`, the equilibrium left out.
_LOSSES = (
    "diffusion in the solid",
    "reaction",
    "ohmic, solid",
    "ohmic, electrolyte",
    "salt gradient",
    "lithium electrode",
)


def voltage_figure(views: Sequence[HalfCellView]) -> str:
    """Draw the voltage of all rates over the charge, and that on larger voxels."""
    alt = "Voltage over the charge for each C-rate."
    with drawn("half-cell-voltage", (5.6, 2.9), alt) as drawing:
        axes = drawing.figure.subplots()
        colours = matplotlib.colormaps["viridis"](np.linspace(0.05, 0.85, len(views)))
        for view, colour in zip(views, colours, strict=True):
            curve = view.arrays["curve"]
            label = f"{view.parameters['c_rate']:g} C"
            axes.plot(curve[2], curve[1], color=colour, linewidth=1.6, label=label)
            if view.coarse is not None:
                axes.plot(
                    view.coarse[2], view.coarse[1], color=colour, linewidth=1.0, linestyle=":"
                )
        axes.set_xlabel("charge (A h/m²)")
        axes.set_ylabel("voltage (V)")
        axes.set_xlim(left=0.0)
        axes.grid(alpha=0.18)
        axes.legend(ncols=2 if len(views) > 4 else 1)
    return drawing.html


def losses_figure(view: HalfCellView) -> str:
    """Draw what transport and reaction cost of the voltage, over the charge."""
    alt = "Parts of the voltage that are lost, over the charge."
    name = f"half-cell-losses-{view.parameters['c_rate']:g}"
    with drawn(name, (5.6, 2.9), alt) as drawing:
        axes = drawing.figure.subplots()
        charge, losses = view.arrays["curve"][2], -1e3 * view.arrays["losses"][:, 1:]
        # The last steps, in which the voltage falls to its limit, would hide all others.
        shown = charge <= 0.97 * charge[-1]
        top = max(1.15 * float(losses[shown].max()), 1.0)
        colours = (*SERIES, "#5a6270")
        for series, title, colour in zip(losses.T, _LOSSES, colours, strict=True):
            axes.plot(charge, series, color=colour, linewidth=1.4, label=title)
        axes.set_xlabel("charge (A h/m²)")
        axes.set_ylabel("voltage lost (mV)")
        axes.set_xlim(0.0, charge[-1] or None)
        axes.set_ylim(min(0.0, float(losses[shown].min())), top)
        axes.grid(alpha=0.18)
        axes.legend(ncols=2)
    return drawing.html


def filling_figure(view: HalfCellView, micro: Microstructure) -> str:
    """Draw lithium in the middle plane, halfway and at the end."""
    _, pixel, _ = mid_slice(micro, 1)
    planes = view.arrays["planes"]
    chosen = sorted({len(planes) // 2, len(planes) - 1})
    frame = Picture(planes[0].shape, pixel)
    width = _PANEL_INCHES * min(1.0, 1 / frame.ratio)
    size = (max(width, 1.9) * len(chosen) + 0.6, width * frame.ratio + 1.6)
    shades = lithium_shades(view.arrays["planes"])
    charge = view.arrays["curve"][2]
    alt = "Lithium in the active material in a plane, on the way and at the end."
    name = f"half-cell-filling-{view.parameters['c_rate']:g}"
    with drawn(name, size, alt) as drawing:
        panels = np.atleast_1d(drawing.figure.subplots(1, len(chosen)))
        for axes, number in zip(panels, chosen, strict=True):
            picture = lithium_picture(planes[number], micro, shades, view.parameters["active"])
            show_picture(axes, picture, pixel, ("z", "x"))
            at = charge[int(view.arrays["kept_at"][number])]
            axes.set_title(f"At {at:.3g} A h/m²")
        _bar(drawing.figure, shades, list(panels))
    return drawing.html


def profiles_figure(view: HalfCellView, micro: Microstructure) -> str:
    """Draw lithium, salt and reaction over the depth at several times."""
    alt = "Stoichiometry, salt and reaction over the distance from the collector."
    name = f"half-cell-profiles-{view.parameters['c_rate']:g}"
    profiles, charge = view.arrays["profiles"], view.arrays["curve"][2]
    chosen = np.unique(np.linspace(0, len(profiles) - 1, 5).astype(int))
    factor, unit = length_scale(micro.extent[0])
    colours = matplotlib.colormaps["viridis"](np.linspace(0.05, 0.85, len(chosen)))
    titles = ("stoichiometry", "salt (mol/m³)", "reaction (A/cm³)")
    with drawn(name, (7.5, 2.5), alt) as drawing:
        panels = drawing.figure.subplots(1, 3)
        for number, colour in zip(chosen, colours, strict=True):
            depth, *series = profiles[number]
            at = charge[int(view.arrays["kept_at"][number])]
            for axes, values, scale in zip(panels, series, (1.0, 1.0, -1e-6), strict=True):
                axes.plot(
                    depth / factor, scale * values, color=colour, linewidth=1.2, label=f"{at:.3g}"
                )
        for axes, title in zip(panels, titles, strict=True):
            axes.set_xlabel(f"z ({unit})")
            axes.set_title(title)
            axes.set_xlim(0.0, micro.extent[0] / factor)
            axes.grid(alpha=0.18)
        drawing.figure.legend(
            *panels[0].get_legend_handles_labels(),
            title="A h/m²",
            loc="outside right center",
        )
    return drawing.html


def particles_figure(view: HalfCellView, micro: Microstructure) -> str:
    """Draw the utilisation of each particle over its size, coloured by where it lies."""
    volume, fill, depth = view.arrays["particles"]
    start, end = view.arrays["curve"][3, 0], view.numbers["stoichiometries"][1]
    diameter = np.cbrt(6.0 * volume / np.pi)
    factor, unit = length_scale(float(diameter.max()))
    height, depth_unit = length_scale(micro.extent[0])
    alt = "Utilisation of the particles over their diameter, coloured by the depth."
    name = f"half-cell-particles-{view.parameters['c_rate']:g}"
    with drawn(name, (5.6, 2.9), alt) as drawing:
        axes = drawing.figure.subplots()
        # Large particles on top of the many small ones.
        order = np.argsort(diameter)
        dots = axes.scatter(
            diameter[order] / factor,
            100.0 * (fill[order] - start) / (end - start),
            c=depth[order] / height,
            s=14.0,
            cmap="viridis",
            vmin=0.0,
            vmax=micro.extent[0] / height,
            linewidths=0.0,
        )
        axes.set_xlim(left=0.0)
        axes.set_xlabel(f"diameter of a sphere of the same volume ({unit})")
        axes.set_ylabel("utilisation (%)")
        axes.grid(alpha=0.18)
        bar = drawing.figure.colorbar(dots, ax=axes, pad=0.02)
        bar.outline.set_visible(False)
        bar.set_label(f"z ({depth_unit})")
    return drawing.html


def write_discharge_movie(
    path: Path, micro: Microstructure, arrays: Mapping[str, NDArray], active: str
) -> None:
    """Write lithium filling the particles in the middle plane as an animated GIF.

    Parameters
    ----------
    path : Path
    micro : Microstructure
    arrays : mapping of str to ndarray
        planes, kept_at and curve, as in `HalfCellView`.
    active : str
        The phase that takes up lithium.
    """
    _, pixel, _ = mid_slice(micro, 1)
    planes, curve = arrays["planes"], arrays["curve"]
    frame = Picture(planes[0].shape, pixel)
    shades = lithium_shades(planes)
    width = _MOVIE_INCHES * min(1.0, 1 / frame.ratio)
    size = (max(width, 3.2) + 0.3, width * frame.ratio + 2.5)

    def pictures() -> Iterator[Figure]:
        for plane, at in zip(planes, arrays["kept_at"], strict=True):
            figure = movie_figure(size)
            above, below = figure.subplots(2, 1, height_ratios=(width * frame.ratio, 1.5))
            show_picture(above, lithium_picture(plane, micro, shades, active), pixel, ("z", "x"))
            _bar(figure, shades, [above])
            show_voltage(below, curve, int(at))
            yield figure

    write_movie(path, pictures(), _FRAME_MS)


def _bar(figure: Figure, shades: ScalarMappable, axes: list[Axes]) -> None:
    bar = figure.colorbar(
        shades, ax=axes, orientation="horizontal", shrink=0.7, aspect=28, pad=0.03
    )
    bar.outline.set_visible(False)
    bar.set_label("lithium in the active material (stoichiometry)")
    bar.ax.xaxis.set_major_locator(MaxNLocator(5))
