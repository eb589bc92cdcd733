"""Pictures of a transport solution: fields on a middle slice, flux per layer, residuals."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator
from numpy.typing import NDArray

from .digits import number
from .drawing import INK, SERIES, Picture, drawn, show_picture
from .model import TransportView

__all__ = ["curves_figure", "fields_figure", "log_label"]

_PANEL_INCHES = 3.0
# Few enough colours, with the one outside the phase, for pictures of one byte per pixel.
_COLOURS = 200
_OUTSIDE = "#8a94a030"


def log_label(value: float, _position: int | None = None) -> str:
    """Return a tick label of a logarithmic axis in plain text, for example 0.01, 5 or 10⁻⁶."""
    return number(value, 1).replace("1\u00a0×\u00a0", "") if value > 0 else ""


def fields_figure(view: TransportView, name: str) -> str:
    """Draw potential, flux magnitude and dissipation on the middle slice, with colour bars.

    Returns an empty string when the view holds no slices.
    """
    panels = _panels(view)
    if not panels:
        return ""
    shape = panels[0][1].shape
    frame = Picture(shape, view.voxel_size)
    width = _PANEL_INCHES * min(1.0, 1 / frame.ratio)
    size = (max(width, 1.7) * len(panels) + 0.8, width * frame.ratio + 1.35)
    shown = ", ".join(title.lower() for title, *_ in panels)
    alt = (
        f"Middle {''.join(view.slice_axes)} slice for {view.phase} along {view.direction}: {shown}."
    )
    with drawn(name, size, alt) as drawing:
        grid = np.atleast_1d(drawing.figure.subplots(1, len(panels)))
        for axes, (title, values, colours, norm, unit) in zip(grid, panels, strict=True):
            shades = matplotlib.colormaps[colours].resampled(_COLOURS)
            shades = shades.with_extremes(bad=_OUTSIDE)
            picture = show_picture(
                axes, values, view.voxel_size, view.slice_axes, cmap=shades, norm=norm
            )
            axes.set_title(title)
            bar = drawing.figure.colorbar(
                picture, ax=axes, orientation="horizontal", shrink=0.94, aspect=22, pad=0.03
            )
            bar.outline.set_visible(False)
            bar.set_label(unit)
            _bar_ticks(bar.ax, norm)
        if frame.note:
            drawing.figure.suptitle(f"({frame.note})", fontsize=8)
    return drawing.html


def _bar_ticks(axes: Axes, norm: Normalize) -> None:
    if isinstance(norm, LogNorm):
        axes.xaxis.set_major_locator(LogLocator(10, numticks=5))
        axes.xaxis.set_major_formatter(FuncFormatter(log_label))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))


def _panels(view: TransportView) -> list[tuple[str, NDArray[Any], str, Normalize, str]]:
    panels: list[tuple[str, NDArray[Any], str, Normalize, str]] = []
    if view.potential_slice is not None:
        values = np.ma.masked_invalid(np.asarray(view.potential_slice, float))
        norm = Normalize(*_limits(values, (0.0, 1.0)))
        panels.append(("Potential", values, "cividis", norm, "of the imposed drop (–)"))
    if view.flux_slice is not None:
        values = _inside(view.flux_slice, view)
        # A few throats carry many times the mean; the 99th percentile keeps the rest visible.
        top = float(np.percentile(values.compressed(), 99)) if values.count() else 1.0
        norm = Normalize(0.0, top if top > 0 else 1.0)
        unit = "over the empty box (–)"
        panels.append(("Flux magnitude", values, "viridis", norm, unit))
    if view.dissipation_slice is not None:
        values = _inside(view.dissipation_slice, view)
        top = float(np.percentile(values.compressed(), 99.5)) if values.count() else 1.0
        top = top if top > 0 else 1.0
        norm = LogNorm(top * 1e-4, top, clip=True)
        unit = "over the phase mean (–)"
        panels.append(("Dissipation", values, "inferno", norm, unit))
    return panels


def _inside(field: NDArray[Any], view: TransportView) -> np.ma.MaskedArray[Any, Any]:
    """Mask what lies outside the phase: where the potential is not defined, or the field is 0."""
    values = np.asarray(field, float)
    outside = ~np.isfinite(values) | (values == 0)
    if view.potential_slice is not None and view.potential_slice.shape == values.shape:
        outside = ~np.isfinite(values) | ~np.isfinite(view.potential_slice)
    return np.ma.masked_array(values, outside)


def _limits(
    values: np.ma.MaskedArray[Any, Any], fallback: tuple[float, float]
) -> tuple[float, float]:
    if not values.count():
        return fallback
    low, high = float(values.min()), float(values.max())
    # The natural range of the `faces` boundary; a periodic potential may leave it.
    return min(low, fallback[0]), max(high, fallback[1])


def curves_figure(view: TransportView, name: str) -> str:
    """Draw the flux through each layer and the residual against the iterations, side by side."""
    flux = np.asarray(view.layer_flux, float)
    history = np.asarray(view.residual_history, float)
    has_flux = bool(flux.size) and bool(np.isfinite(flux).any()) and bool(np.any(flux))
    has_history = bool(np.any(history > 0))
    plots = [
        plot for plot, wanted in ((_plot_flux, has_flux), (_plot_history, has_history)) if wanted
    ]
    if not plots:
        return ""
    what = " and ".join(
        text
        for text, wanted in (("flux per layer", has_flux), ("residual per iteration", has_history))
        if wanted
    )
    alt = f"{what.capitalize()} for {view.phase} along {view.direction}."
    with drawn(name, (3.75 * len(plots), 2.35), alt) as drawing:
        for axes, plot in zip(
            np.atleast_1d(drawing.figure.subplots(1, len(plots))), plots, strict=True
        ):
            plot(axes, view)
            axes.grid(alpha=0.18)
    return drawing.html


def _plot_flux(axes: Axes, view: TransportView) -> None:
    """Draw the flux of each layer about the mean; a steady state carries the same through all."""
    flux = np.asarray(view.layer_flux, float)
    mean = float(np.nanmean(flux))
    axes.plot(np.arange(flux.size), flux, color=SERIES[0], linewidth=1.4)
    half = max(1.25 * float(np.nanmax(np.abs(flux - mean))), 1e-3 * abs(mean), 1e-15)
    axes.set_ylim(mean - half, mean + half)
    axes.axhline(mean, color=INK, linewidth=0.7, linestyle=":")
    axes.set_xlabel(f"layer along {view.direction}")
    axes.set_ylabel("flux / empty box (–)")
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.set_title(f"mean {number(mean, 5)}, same in each layer to {number(_spread(flux), 2)}")


def _spread(flux: NDArray[Any]) -> float:
    mean = float(np.nanmean(flux))
    return float((np.nanmax(flux) - np.nanmin(flux)) / abs(mean)) if mean else float("nan")


def _plot_history(axes: Axes, view: TransportView) -> None:
    history = np.asarray(view.residual_history, float)
    history = np.where(history > 0, history, np.nan)
    axes.semilogy(np.arange(history.size), history, "o-", color=SERIES[1], markersize=3.5)
    axes.yaxis.set_major_formatter(FuncFormatter(log_label))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("iteration")
    axes.set_ylabel("relative residual (–)")
    axes.set_title("convergence of the solver")
