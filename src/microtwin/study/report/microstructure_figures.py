"""Pictures of the labelled image: slices, a block seen from outside, fractions by layer."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from ...microstructure import AXES, Microstructure
from .digits import length, length_scale
from .drawing import (
    Picture,
    drawn,
    mid_slice,
    phase_colours,
    phase_rgb,
    shortened,
    show_picture,
    thinned,
)

__all__ = ["THINNEST_SIDE", "block_figure", "profile_figure", "slices_figure"]

THINNEST_SIDE = 0.1
"""Least thickness of the drawn block, as a share of its longest side."""

_ROW_INCHES = 2.9
_COS30, _SIN30 = float(np.cos(np.pi / 6)), 0.5


def slices_figure(micro: Microstructure) -> str:
    """Draw the three middle planes (across z, y and x), to one scale each, with scale bars."""
    planes = [mid_slice(micro, axis) for axis in range(3)]
    frames = [Picture(plane.shape, pixel) for plane, pixel, _ in planes]
    widths = [_ROW_INCHES * min(1.0, 1 / frame.ratio) for frame in frames]
    height = max(w * frame.ratio for w, frame in zip(widths, frames, strict=True)) + 0.85
    # A title needs its width even over a narrow picture.
    widths = [max(width, 2.1) for width in widths]
    alt = "Three middle slices of the labelled image, each phase in its colour."
    with drawn("slices", (max(sum(widths) + 0.9, 3.0), height), alt) as drawing:
        grid = drawing.figure.subplots(1, 3, width_ratios=widths)
        for axis, axes in enumerate(grid):
            plane, pixel, place = planes[axis]
            names = tuple(AXES[a] for a in range(3) if a != axis)
            title = f"{names[0]}{names[1]} plane at {AXES[axis]} = {length(place, 3)}"
            show_picture(axes, phase_rgb(plane, micro), pixel, (names[0], names[1]))
            axes.set_title(title)
            axes.set_anchor("N")
        notes = dict.fromkeys(frame.note for frame in frames if frame.note)
        if notes:
            drawing.figure.suptitle(f"({'; '.join(notes)})", fontsize=8)
    return drawing.html


def block_figure(micro: Microstructure) -> str:
    """Draw the image as a block in isometric view, its three outer faces in phase colours."""
    labels = micro.labels
    lz, ly, lx = _drawn_extent(micro)
    # The near edge is at x = L, y = 0. Of each visible face: labels, extent along columns and
    # rows, screen vectors of columns and rows, where its first pixel is, how bright it is lit.
    along_x, along_y, up = (_COS30, -_SIN30), (_COS30, _SIN30), (0.0, 1.0)
    far_x = (lx * along_x[0], lx * along_x[1])
    faces = [
        (labels[:, 0, :], (lx, lz), along_x, up, (0.0, 0.0), 0.86),
        (labels[:, :, -1], (ly, lz), along_y, up, far_x, 0.68),
        (labels[-1], (lx, ly), along_x, along_y, (0.0, lz), 1.0),
    ]
    width, height = _COS30 * (lx + ly), lz + _SIN30 * (lx + ly)
    inches = 3.4 / max(width, height)
    alt = "The imaged volume as a block: the outer faces in the colours of the phases, z upwards."
    size = (max(width * inches + 0.7, 2.4), height * inches + 0.55)
    with drawn("block", size, alt) as drawing:
        axes = drawing.figure.subplots()
        for face, extent, column, row, start, light in faces:
            _show_face(axes, thinned(phase_rgb(face, micro)), extent, column, row, start, light)
        axes.set_xlim(0.0, width)
        axes.set_ylim(-_SIN30 * lx, height - _SIN30 * lx)
        axes.set_aspect("equal")
        axes.set_axis_off()
        _name_edges(axes, lz, ly, lx)
    return drawing.html


def _drawn_extent(micro: Microstructure) -> tuple[float, float, float]:
    """Extent of the block, its thin sides drawn at no less than a tenth of the longest."""
    longest = max(micro.extent)
    lz, ly, lx = (max(side / longest, THINNEST_SIDE) for side in micro.extent)
    return lz, ly, lx


def _show_face(
    axes: Axes,
    colours: NDArray[np.uint8],
    extent: tuple[float, float],
    column: tuple[float, float],
    row: tuple[float, float],
    start: tuple[float, float],
    light: float,
) -> None:
    matrix = np.array(
        [[column[0], row[0], start[0]], [column[1], row[1], start[1]], [0.0, 0.0, 1.0]]
    )
    axes.imshow(
        np.round(light * colours).astype(np.uint8),
        origin="lower",
        extent=(0.0, extent[0], 0.0, extent[1]),
        interpolation="none",
        transform=Affine2D(matrix) + axes.transData,
    )


def _name_edges(axes: Axes, lz: float, ly: float, lx: float) -> None:
    gap = 0.05
    axes.text(-gap, lz / 2, "z →", rotation=90, ha="right", va="center", clip_on=False)
    middle = (lx / 2 * _COS30 - gap / 2, -lx / 2 * _SIN30 - gap)
    axes.text(*middle, "x →", rotation=-30, ha="right", va="top", clip_on=False)
    middle = ((lx + ly / 2) * _COS30 + gap / 2, (ly / 2 - lx) * _SIN30 - gap)
    axes.text(*middle, "y →", rotation=30, ha="left", va="top", clip_on=False)


def profile_figure(micro: Microstructure) -> str:
    """Draw the fraction of each phase in each layer through the thickness (z)."""
    factor, unit = length_scale(micro.extent[0])
    places = (np.arange(micro.shape[0]) + 0.5) * micro.voxel_size[0] / factor
    alt = "Volume fraction of each phase in each layer against the height z."
    with drawn("profile", (6.2, 3.1), alt) as drawing:
        axes = drawing.figure.subplots()
        colours = phase_colours(micro)
        for index, phase in enumerate(micro.phase_names):
            axes.plot(
                places,
                100 * micro.profile(phase, "z"),
                color=colours[phase],
                linewidth=1.8,
                linestyle=("-", "--", "-.", ":")[index % 4],
                label=shortened(phase),
            )
        axes.set_xlim(0.0, micro.extent[0] / factor)
        axes.set_ylim(0.0, None)
        axes.set_xlabel(f"z ({unit}), through the thickness")
        axes.set_ylabel("volume fraction (%)")
        axes.grid(alpha=0.18)
        drawing.figure.legend(loc="outside right upper")
    return drawing.html
