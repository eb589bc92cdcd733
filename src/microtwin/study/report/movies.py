"""Figures one after the other as an animated GIF, and the voltage that goes with them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .drawing import SERIES

__all__ = ["movie_figure", "show_voltage", "write_movie"]

_LAST = 12  # times as long as the others the last frame stays


def movie_figure(size: tuple[float, float]) -> Figure:
    """Return an empty frame of a size in inches."""
    figure = Figure(figsize=size, dpi=110, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def show_voltage(axes: Axes, curve: NDArray[np.float64], at: int) -> None:
    """Draw the voltage of a discharge over its charge, up to a step of it.

    Parameters
    ----------
    axes : Axes
    curve : ndarray, shape (4, n)
        Time (s), voltage (V), charge (A h/m^2) and stoichiometry.
    at : int
        The step.
    """
    axes.plot(curve[2], curve[1], color="#b6bcc4", linewidth=1.2)
    axes.plot(curve[2, : at + 1], curve[1, : at + 1], color=SERIES[0], linewidth=1.6)
    axes.plot(curve[2, at], curve[1, at], "o", color=SERIES[0], markersize=4)
    axes.set_xlabel("charge (A h/m²)")
    axes.set_ylabel("voltage (V)")
    axes.set_title(f"{curve[0, at] / 60:.1f} min, {curve[1, at]:.3f} V", loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def write_movie(path: Path, figures: Iterable[Figure], milliseconds: int) -> None:
    """Write figures as a GIF; each is drawn before the next one is asked for."""
    from PIL import Image

    frames = []
    with matplotlib.rc_context({"font.family": "DejaVu Sans", "font.size": 9.0}):
        for figure in figures:
            memory = io.BytesIO()
            figure.savefig(memory, format="png")
            frames.append(Image.open(memory).convert("P", palette=Image.Palette.ADAPTIVE))
    durations = [milliseconds] * (len(frames) - 1) + [_LAST * milliseconds]
    frames[0].save(
        path, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0
    )
