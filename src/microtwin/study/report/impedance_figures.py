"""Pictures of impedances: in the complex plane with equal axes, and over the frequency."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MultipleLocator
from numpy.typing import NDArray

from .digits import frequency
from .drawing import INK, SERIES, drawn
from .model import HalfCellImpedanceView, ImpedanceView
from .transport_figures import log_label

__all__ = ["CM2", "blocking_figure", "half_cell_figure"]

CM2 = 1e4  # cm^2 in 1 m^2
_HEIGHT, _WIDTH = 3.7, 7.6  # inches
# Names of frequencies, in points: a letter, a line, and what is left between mark and name.
_NAME_SIZE, _LETTER, _LINE, _GAP = 8.0, 4.6, 9.0, 4.5
# Where a name may stand, in the order in which it is tried: along x and y from its mark.
_SIDES = ((-1, 0), (0, 1), (1, 0), (-1, 1), (1, 1), (1, -1), (-1, -1), (0, -1))
_MINUS = "\u2212"


def blocking_figure(view: ImpedanceView) -> str:
    """Draw the impedance of a symmetric cell beside that of a transmission line."""
    resistance = CM2 * float(view.numbers["ionic_resistance"])
    middle = float(view.numbers["characteristic_frequency"])
    alt = "Impedance of the symmetric cell in the complex plane, and over the frequency."
    with drawn("impedance", (_WIDTH, _HEIGHT), alt) as drawing:
        # There, at R / 3 and R, the real part has come to rest.
        panels, scale = _panels(drawing.figure, (0.62 * resistance, 1.12 * resistance))
        plane, size, angle = panels
        end = resistance / 3.0
        plane.plot([0.0, end], [0.0, end], ":", color=INK, linewidth=1.0, alpha=0.6, label="45°")
        style: dict[str, Any] = {"color": SERIES[1], "linestyle": "--", "linewidth": 1.2}
        _draw(panels, view.line, label="transmission line", **style)
        style = {"color": SERIES[0], "linewidth": 1.2, "marker": "o", "markersize": 2.4}
        _draw(panels, view.spectrum, label="image", **style)
        marks = _decades(view.spectrum)
        _mark(plane, marks, SERIES[0])
        if view.spectrum[0].min() <= middle <= view.spectrum[0].max():
            at = _at(view.spectrum, middle)
            name = f"1/(2πRC), {frequency(middle)}"
            plane.plot(*at, "D", color=SERIES[2], markersize=5.5, label=name)
            for axes in (size, angle):
                axes.axvline(middle, color=SERIES[2], linewidth=0.9, linestyle="--")
        _name(plane, marks, [_plane(view.spectrum), _plane(view.line)], scale)
        size.legend(*plane.get_legend_handles_labels(), loc="upper right")
    return drawing.html


def half_cell_figure(views: Sequence[HalfCellImpedanceView]) -> str:
    """Draw the impedance of a half cell at rest, one curve for each stoichiometry."""
    alt = "Impedance of the half cell in the complex plane, and over the frequency."
    colours: list[Any] = [SERIES[0]]
    if len(views) > 1:
        colours = list(matplotlib.colormaps["viridis"](np.linspace(0.05, 0.85, len(views))))
    ends = [_end_of_arcs(view.spectrum) for view in views]
    # The storage of lithium takes each curve far beyond its arcs.
    right = 1.4 * max(ends)
    shown = [xy for view in views for xy in _plane(view.spectrum) if xy[0] <= right]
    highest = 1.1 * max(xy[1] for xy in shown)
    window = right, min(max(highest, 0.5 * right), 0.9 * right)
    with drawn("half-cell-impedance", (_WIDTH, _HEIGHT), alt) as drawing:
        panels, scale = _panels(drawing.figure, window)
        curves = []
        for view, colour in zip(views, colours, strict=True):
            name = f"{view.numbers['stoichiometry']:.3g}"
            style: dict[str, Any] = {"color": colour, "linewidth": 1.2}
            _draw(panels, view.spectrum, marker="o", markersize=2.4, label=name, **style)
            curves.append(_plane(view.spectrum))
            _mark(panels[0], _decades(view.spectrum), colour)
            if view.coarse is not None:
                _draw(panels, view.coarse, color=colour, linewidth=1.0, linestyle=":")
                curves.append(_plane(view.coarse))
        outermost = views[int(np.argmax(ends))]
        _name(panels[0], _decades(outermost.spectrum), curves, scale)
        panels[1].legend(title="stoichiometry", loc="upper right")
    return drawing.html


def _end_of_arcs(spectrum: NDArray) -> float:
    """Return the real part where a tail follows the arcs, or the largest where none does."""
    real, height = _plane(spectrum).T
    inner = height[1:-1]
    valleys = np.flatnonzero((inner < height[:-2]) & (inner <= height[2:])) + 1
    return float(real[valleys[-1]] if len(valleys) else real.max())


def _panels(figure: Figure, window: tuple[float, float]) -> tuple[tuple[Axes, Axes, Axes], float]:
    """Return the complex plane with equal axes up to a corner, and two axes over the frequency.

    Beside them comes about how many points on paper a unit of the plane is long.
    """
    ratio = window[0] / window[1]
    wide = min(ratio * (_HEIGHT - 0.6), 0.52 * _WIDTH)
    grid = figure.add_gridspec(2, 2, width_ratios=(wide + 0.6, _WIDTH - wide - 0.6))
    plane = figure.add_subplot(grid[:, 0])
    size = figure.add_subplot(grid[0, 1])
    angle = figure.add_subplot(grid[1, 1], sharex=size)
    plane.set_xlim(0.0, window[0])
    plane.set_ylim(0.0, window[1])
    plane.set_aspect("equal")
    step = _round_step(max(window[0] / 7.0, window[1] / 8.0))
    for axis in (plane.xaxis, plane.yaxis):
        axis.set_major_locator(MultipleLocator(step))
    plane.set_xlabel("Re Z (Ω cm²)")
    plane.set_ylabel(f"{_MINUS}Im Z (Ω cm²)")
    size.set_xscale("log")
    size.set_yscale("log")
    size.set_ylabel("|Z| (Ω cm²)")
    angle.set_ylabel("phase (°)")
    angle.set_ylim(-95.0, 5.0)
    angle.yaxis.set_major_locator(MultipleLocator(45.0))
    angle.set_xlabel("frequency (Hz)")
    for axis in (size.xaxis, size.yaxis):
        axis.set_major_locator(LogLocator(10, numticks=6))
        axis.set_major_formatter(FuncFormatter(log_label))
        axis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    size.tick_params(labelbottom=False)
    for axes in (plane, size, angle):
        axes.grid(alpha=0.18)
    return (plane, size, angle), 72.0 * wide / window[0]


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below a number."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * s for s in (1.0, 2.0, 5.0, 10.0) if power * s >= least * (1.0 - 1e-9))


def _draw(panels: tuple[Axes, Axes, Axes], spectrum: NDArray, **style: Any) -> None:
    f, real, imaginary = spectrum
    panels[0].plot(*_plane(spectrum).T, **style)
    panels[1].plot(f, CM2 * np.hypot(real, imaginary), **style)
    panels[2].plot(f, np.degrees(np.arctan2(imaginary, real)), **style)


def _plane(spectrum: NDArray) -> NDArray[np.float64]:
    """Return the places of a spectrum in the complex plane, shape (n, 2), in ohm cm^2."""
    return CM2 * np.stack([spectrum[1], -spectrum[2]], axis=1)


def _at(spectrum: NDArray, f: float) -> tuple[float, float]:
    """Return the place of a frequency, between those that were computed."""
    log, places = np.log(spectrum[0][::-1]), _plane(spectrum)[::-1]
    x, y = (float(np.interp(math.log(f), log, along)) for along in places.T)
    return x, y


def _decades(spectrum: NDArray) -> dict[float, tuple[float, float]]:
    """Return the places of powers of ten of the frequency, from the highest on."""
    low, high = (round(math.log10(f), 6) for f in (spectrum[0].min(), spectrum[0].max()))
    powers = range(math.floor(high), math.ceil(low) - 1, -1)
    return {10.0**power: _at(spectrum, 10.0**power) for power in powers}


def _mark(axes: Axes, marks: Mapping[float, tuple[float, float]], colour: Any) -> None:
    x, y = ([place[k] for place in marks.values()] for k in (0, 1))
    axes.plot(x, y, "o", color=colour, markersize=4.6)


def _name(
    axes: Axes,
    marks: Mapping[float, tuple[float, float]],
    curves: Sequence[NDArray],
    scale: float,
) -> None:
    """Write frequencies beside their marks, where neither a curve nor another name is in the way.

    Parameters
    ----------
    marks : mapping of float to (float, float)
        Places by frequency.
    curves : sequence of ndarray, shape (n, 2)
        That the names must not cover.
    scale : float
        Points on paper per unit of the plane.
    """
    corner = scale * np.array([axes.get_xlim()[1], axes.get_ylim()[1]])
    covered = np.concatenate([_filled(scale * curve) for curve in curves])
    boxes: list[NDArray] = []
    for f, place in marks.items():
        text = frequency(f)
        size = np.array([_LETTER * len(text), _LINE])
        for across, up in _SIDES:
            centre = scale * np.array(place) + np.array([across, up]) * (0.5 * size + _GAP)
            low, high = centre - 0.5 * size, centre + 0.5 * size
            inside = (low >= 0.0).all() and (high <= corner).all()
            free = not ((covered > low) & (covered < high)).all(axis=1).any()
            apart = all((high < box[0]).any() or (low > box[1]).any() for box in boxes)
            # A name that stands nearer to another mark would be taken for its own.
            away = np.hypot(*(scale * np.array(list(marks.values())) - centre).T)
            own = away.min() >= 0.999 * np.hypot(*(scale * np.array(place) - centre))
            if inside and free and apart and own:
                boxes.append(np.stack([low, high]))
                x, y = (float(along) for along in centre / scale)
                axes.text(x, y, text, fontsize=_NAME_SIZE, ha="center", va="center")
                break


def _filled(curve: NDArray) -> NDArray[np.float64]:
    """Return points on a curve that are close to each other against a letter."""
    t = np.linspace(0.0, len(curve) - 1.0, 40 * len(curve))
    return np.stack([np.interp(t, np.arange(len(curve)), along) for along in curve.T], axis=1)
