"""Pictures of a mesh: cut by a plane, as a block with a corner taken away, and its angles."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from ...microstructure import Microstructure
from .drawing import INK, SERIES, drawn, name_axes, phase_colours
from .model import MeshView

__all__ = ["angle_figure", "block_figure", "section_figure"]

_INCHES = 4.2
_LINE = 0.35  # points
# Seen from above, from low y and high x: unit vectors (z, y, x) to the right and up on the page,
# and towards the reader; and where the light comes from.
_RIGHT = np.array([0.0, 0.5, np.sqrt(0.75)])
_UP = np.array([0.82, 0.4957, -0.2862])
_TOWARDS = np.array([0.5724, -0.7101, 0.41])
_LIGHT = np.array([0.76, -0.35, 0.55])


def section_figure(view: MeshView, micro: Microstructure) -> str:
    """Draw the middle of the plane across y, each tetrahedron with its outline."""
    polygons = view.section[:, :, ::-1]
    low, high = (np.array(end)[[2, 0]] for end in view.numbers["window"])
    ratio = (high[1] - low[1]) / (high[0] - low[0])
    alt = "The mesh cut by a plane: tetrahedra in the colours of their phases."
    with drawn("mesh-section", (_INCHES, _INCHES * ratio + 0.5), alt) as drawing:
        axes = drawing.figure.subplots()
        colours = _colours(view, micro)[view.section_phase]
        _draw(axes, polygons, colours, low, high)
        name_axes(axes, ("z", "x"), float(high[0] - low[0]))
    return drawing.html


def block_figure(view: MeshView, micro: Microstructure) -> str:
    """Draw a block of the mesh with the corner towards the reader taken away."""
    edges = view.block[:, 1:].astype(float) - view.block[:, :1]
    normals = np.cross(edges[:, 0], edges[:, 1])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    facing = normals @ _TOWARDS > 0
    triangles, normals = view.block[facing].astype(float), normals[facing]
    # The nearest is drawn last.
    depth = triangles.mean(axis=1) @ _TOWARDS
    order = np.argsort(depth, kind="stable")
    light = 0.62 + 0.38 * np.clip(normals @ _LIGHT, 0, 1)
    colours = _colours(view, micro)[view.block_phase[facing]] * light[:, None]
    flat = np.stack([triangles @ _RIGHT, triangles @ _UP], axis=2)
    low, high = flat.min(axis=(0, 1)), flat.max(axis=(0, 1))
    ratio = (high[1] - low[1]) / (high[0] - low[0])
    alt = "A block of the mesh with a corner taken away, in the colours of the phases."
    with drawn("mesh-block", (_INCHES, _INCHES * ratio + 0.2), alt) as drawing:
        axes = drawing.figure.subplots()
        _draw(axes, flat[order], colours[order], low, high)
    return drawing.html


def angle_figure(view: MeshView) -> str:
    """Draw the distribution of the smallest dihedral angles at interfaces."""
    counts = view.angle_counts / max(1, view.angle_counts.sum())
    alt = "How many tetrahedra at interfaces have which smallest dihedral angle."
    with drawn("mesh-angles", (_INCHES, 2.3), alt) as drawing:
        axes = drawing.figure.subplots()
        axes.bar(np.arange(len(counts)) + 0.5, 100 * counts, width=1.0, color=SERIES[0])
        first = dict(map(tuple, view.numbers["angle_quantiles"]))[0.01]
        axes.axvline(first, color=INK, linewidth=0.9, linestyle="--")
        axes.annotate(
            f"1 % below {first:.0f}°",
            (first, 0.97),
            (4, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
        )
        axes.set_xlim(0, 71)
        axes.set_xlabel("smallest dihedral angle (°)")
        axes.set_ylabel("tetrahedra (%)")
    return drawing.html


def _colours(view: MeshView, micro: Microstructure) -> NDArray[np.float64]:
    named = phase_colours(micro)
    return np.array([to_rgb(named[name]) for name in view.phases])


def _draw(
    axes: Axes, polygons: NDArray, colours: NDArray[np.float64], low: NDArray, high: NDArray
) -> None:
    shapes = PolyCollection(
        list(polygons), facecolors=colours, edgecolors=(0.1, 0.12, 0.15, 0.55), linewidths=_LINE
    )
    # Thousands of outlines are smaller as a picture.
    shapes.set_rasterized(True)
    axes.add_collection(shapes)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
