"""Pictures of the stress along a discharge: its course over the charge, and a film."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ...microstructure import Microstructure
from .drawing import (
    SERIES,
    Picture,
    drawn,
    is_pore,
    mid_slice,
    phase_colours,
    shortened,
    show_picture,
)
from .lithium_pictures import lithium_picture, lithium_shades
from .model import MechanicsAlongView
from .movies import movie_figure, show_voltage, write_movie
from .words import quantity_name

__all__ = ["course_figure", "failing_figure", "percentiles_figure", "write_stress_movie"]

MEGAPASCAL = 1e6
MICROMETRE = 1e-6
_SIZE = (5.6, 2.9)
_PANEL_INCHES = 3.2
_FRAME_MS = 450
_PORE, _SOLID = 0.96, 0.8
_STRESS = "inferno"
# Stiff and soft phases bear stresses that differ by a factor of ten to a hundred.
_DECADES = 2.5
_SHOWN = 0.995
_DASHES = ("-", "--", ":")
_FAILURES = ("failing_binder_fraction", "debonding_area_fraction", "cracking_particle_fraction")


def course_figure(view: MechanicsAlongView, thickness: float) -> str:
    """Draw the change of thickness, and the mean stress where growth is held, over the charge."""
    growth = view.values("swelling_strain", direction="z")
    held = {
        row["direction"]: row["values"]
        for row in view.numbers["states"]
        if row["name"] == "mean_stress"
    }
    if growth is None and not held:
        return ""
    parts = int(growth is not None) + int(bool(held))
    alt = "Change of thickness and mean stress over the charge."
    with drawn("along-course", (3.7 * parts + 0.3, _SIZE[1]), alt) as drawing:
        panels = list(np.atleast_1d(drawing.figure.subplots(1, parts)))
        if growth is not None:
            axes = panels.pop(0)
            axes.plot(view.charge, growth * thickness / MICROMETRE, "o-", color=SERIES[0], ms=3)
            axes.set_title("change of the imaged thickness (µm)", loc="left")
            _over_charge(axes)
        if held:
            axes = panels.pop(0)
            for (direction, values), colour, dash in zip(
                held.items(), SERIES, ("-", "--", ":"), strict=False
            ):
                pressure = -np.array(values, float) / MEGAPASCAL
                axes.plot(
                    view.charge, pressure, f"o{dash}", color=colour, ms=3,
                    label=f"along {direction[0]}",
                )  # fmt: skip
            axes.set_title("pressure where growth is held (MPa)", loc="left")
            axes.legend()
            _over_charge(axes)
    return drawing.html


def percentiles_figure(view: MechanicsAlongView, micro: Microstructure) -> str:
    """Draw percentiles of the von Mises stress of each phase over the charge."""
    phases = [name for name in micro.phase_names if name in view.phases]
    colours = phase_colours(micro)
    alt = "Percentiles of the von Mises stress of each phase over the charge."
    size = (3.7 * len(phases) + 0.3, _SIZE[1])
    with drawn("along-percentiles", size, alt) as drawing:
        panels = np.atleast_1d(drawing.figure.subplots(1, len(phases)))
        for axes, phase in zip(panels, phases, strict=True):
            for condition, dash in zip(
                ("99th percentile", "95th percentile", "median"), _DASHES, strict=True
            ):
                values = view.values("von_mises_stress", phase=phase, condition=condition)
                if values is not None:
                    axes.plot(
                        view.charge, values / MEGAPASCAL, f"o{dash}", color=colours[phase], ms=3,
                        label=condition,
                    )  # fmt: skip
            axes.set_title(f"{shortened(phase)}: von Mises stress (MPa)", loc="left")
            axes.set_ylim(bottom=0.0)
            axes.legend()
            _over_charge(axes)
    return drawing.html


def failing_figure(view: MechanicsAlongView) -> str:
    """Draw the share expected to fail over the charge; nothing without strengths."""
    curves = {name: view.values(name) for name in _FAILURES}
    known = {name: values for name, values in curves.items() if values is not None}
    if not known:
        return ""
    alt = "Share that is expected to fail, over the charge."
    with drawn("along-failing", _SIZE, alt) as drawing:
        axes = drawing.figure.subplots()
        for (name, values), colour in zip(known.items(), SERIES, strict=False):
            label = str(quantity_name(name))
            axes.plot(view.charge, 100.0 * values, "o-", color=colour, ms=3, label=label)
        axes.set_title("share expected to fail (%)", loc="left")
        axes.set_ylim(bottom=0.0)
        axes.legend()
        _over_charge(axes)
    return drawing.html


def write_stress_movie(
    path: Path, micro: Microstructure, arrays: Mapping[str, NDArray[Any]], active: str
) -> None:
    """Write lithium and stress in the middle plane side by side as an animated GIF.

    Parameters
    ----------
    path : Path
    micro : Microstructure
    arrays : mapping of str to ndarray
        stoichiometry and von_mises, curve and states_at, as in `MechanicsAlongView`.
    active : str
        The phase that takes up lithium.
    """
    labels, pixel, _ = mid_slice(micro, 1)
    curve, planes = arrays["curve"], arrays["stoichiometry"]
    stresses = arrays["von_mises"].astype(np.float32)
    lithium, stress = lithium_shades(planes), _stress_shades(stresses)
    frame = Picture(labels.shape, pixel)
    width = _PANEL_INCHES * min(1.0, 1 / frame.ratio)
    size = (2.0 * max(width, 2.6) + 0.4, width * frame.ratio + 2.7)

    def pictures() -> Iterator[Figure]:
        for plane, bears, at in zip(planes, stresses, arrays["states_at"], strict=True):
            figure = movie_figure(size)
            places = figure.subplot_mosaic(
                [["lithium", "stress"], ["voltage", "voltage"]],
                height_ratios=(width * frame.ratio + 0.5, 1.4),
            )
            picture = lithium_picture(plane, micro, lithium, active)
            show_picture(places["lithium"], picture, pixel, ("z", "x"))
            _bar(figure, lithium, places["lithium"], "stoichiometry")
            picture = _stress_picture(labels, bears, micro, stress)
            show_picture(places["stress"], picture, pixel, ("z", "x"))
            _bar(figure, stress, places["stress"], "von Mises stress (MPa)")
            show_voltage(places["voltage"], curve, int(at))
            yield figure

    write_movie(path, pictures(), _FRAME_MS)


def _over_charge(axes: Axes) -> None:
    axes.set_xlabel("charge (A h/m²)")
    axes.set_xlim(left=0.0)
    axes.grid(alpha=0.18)


def _stress_shades(stresses: NDArray[np.float32]) -> ScalarMappable:
    """Return the colours of all planes, from what nearly all of them is below down."""
    there = stresses[stresses > 0.0]
    top = max(float(np.quantile(there, _SHOWN)), 1e-3) if there.size else 1.0
    return ScalarMappable(LogNorm(top / 10.0**_DECADES, top), matplotlib.colormaps[_STRESS])


def _stress_picture(
    labels: NDArray[np.uint8],
    stress: NDArray[np.float32],
    micro: Microstructure,
    shades: ScalarMappable,
) -> NDArray[np.float64]:
    """Return the stress of a plane as colours; void, and solids that bear none, are light."""
    pores = [micro.label(name) for name in micro.phase_names if is_pore(name)]
    grey = np.where(np.isin(labels, pores), _PORE, _SOLID)
    picture = np.repeat(grey[..., None], 3, axis=2)
    there = stress > 0.0
    low, _ = shades.get_clim()
    picture[there] = shades.to_rgba(np.maximum(stress[there], low))[:, :3]
    return np.asarray(picture)


def _bar(figure: Figure, shades: ScalarMappable, axes: Axes, title: str) -> None:
    bar = figure.colorbar(
        shades, ax=axes, orientation="horizontal", shrink=0.8, aspect=24, pad=0.03
    )
    bar.outline.set_visible(False)
    bar.set_label(title)
    if not isinstance(shades.norm, LogNorm):
        bar.ax.xaxis.set_major_locator(MaxNLocator(5))
