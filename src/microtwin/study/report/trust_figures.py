"""Pictures of what a number is worth: convergence, scatter between sub-volumes and labels."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator

from .digits import length_scale, value_with_uncertainty
from .drawing import INK, SERIES, drawn, shortened
from .model import ConvergenceView, MembersView, SamplingView, SegmentationView
from .transport_figures import log_label

__all__ = ["convergence_figure", "members_figure", "members_shown", "sampling_figure"]

_MOST_ROWS = 6


def convergence_figure(view: ConvergenceView, name: str) -> str:
    """Draw smooth and staircase values against the voxel size, down to a vanishing voxel."""
    sizes = np.asarray(view.voxel_sizes, float)
    factor, unit = length_scale(float(sizes.min()))
    x = sizes / factor
    alt = (
        f"Relative diffusivity of {view.phase} along {view.direction} against the voxel size, "
        "for the smooth and the staircase interface, with the extrapolated value."
    )
    with drawn(name, (4.6, 3.0), alt) as drawing:
        axes = drawing.figure.subplots()
        smooth = np.asarray(view.smooth, float)
        axes.plot(x, smooth, "o-", color=SERIES[0], label="smooth interface")
        axes.errorbar(
            x[:1], smooth[:1], yerr=view.discretisation, color=SERIES[0], capsize=4, linewidth=1.2
        )
        axes.plot(x, view.staircase, "s--", color=SERIES[1], label="staircase of voxels")
        if view.richardson is not None and math.isfinite(view.richardson):
            axes.plot(
                [0.0, x[0]],
                [view.richardson, view.staircase[0]],
                ":",
                color=SERIES[1],
                linewidth=1.0,
            )
            axes.plot(
                [0.0],
                [view.richardson],
                "D",
                color=SERIES[1],
                markerfacecolor="none",
                clip_on=False,
                label="staircase, extrapolated",
            )
        axes.set_xlim(0.0, 1.08 * float(x.max()))
        axes.set_xlabel(f"voxel size ({unit})")
        axes.set_ylabel("D$_{eff}$/D$_0$ (–)", parse_math=True)
        axes.grid(alpha=0.18)
        drawing.figure.legend(loc="outside upper left", ncols=2, handlelength=2.4)
    return drawing.html


def sampling_figure(view: SamplingView, name: str) -> str:
    """Draw the relative scatter between sub-volumes against their edge, with the fitted law.

    Returns an empty string when no size has a positive standard deviation.
    """
    edges, stds = np.asarray(view.edges, float), np.asarray(view.stds, float)
    usable = np.isfinite(stds) & (stds > 0) & (edges > 0)
    mean = _reference_mean(view)
    if not usable.any() or not mean:
        return ""
    factor, unit = length_scale(float(edges.max()))
    alt = (
        f"Relative standard deviation of {view.quantity} between sub-volumes against their edge, "
        "with the fitted power law and the edges needed for 5 % and 1 %."
    )
    with drawn(name, (4.6, 3.0), alt) as drawing:
        axes = drawing.figure.subplots()
        axes.loglog(
            edges[usable] / factor,
            100 * stds[usable] / mean,
            "o",
            color=SERIES[0],
            label="sub-volumes",
            zorder=3,
        )
        _plot_fit(axes, view, mean, factor)
        _plot_targets(axes, view, factor)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0), numticks=12))
            axis.set_major_formatter(FuncFormatter(log_label))
            axis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axes.set_xlabel(f"edge of the sample ({unit})")
        axes.set_ylabel("standard deviation (% of the mean)")
        axes.grid(alpha=0.18)
        drawing.figure.legend(loc="outside upper left", ncols=3, handlelength=1.8)
    return drawing.html


def _reference_mean(view: SamplingView) -> float:
    """Mean over the largest sub-volumes that there are."""
    means = np.asarray(view.means, float)
    order = np.argsort(np.asarray(view.edges, float))
    finite = [abs(float(means[i])) for i in order if np.isfinite(means[i])]
    return finite[-1] if finite else 0.0


def _plot_fit(axes: Axes, view: SamplingView, mean: float, factor: float) -> None:
    """Draw the fitted law through the measured edges and on to the sizes it promises."""
    x = np.asarray(view.edges, float)
    y = np.asarray(view.fitted_std, float) / mean
    good = np.isfinite(y) & (y > 0)
    points = sorted(
        list(zip(x[good].tolist(), y[good].tolist(), strict=True))
        + [(edge, error) for error, edge in _targets(view)]
    )
    if len(points) > 1:
        fit_x, fit_y = zip(*points, strict=True)
        axes.plot(
            np.array(fit_x) / factor, 100 * np.array(fit_y), color=SERIES[0], label="fitted law"
        )


def _plot_targets(axes: Axes, view: SamplingView, factor: float) -> None:
    targets = sorted(_targets(view), reverse=True)
    needed = "needed for " + ", ".join(f"{100 * error:g} %" for error, _ in targets)
    for index, (error, edge) in enumerate(targets):
        axes.plot(
            [edge / factor],
            [100 * error],
            "*",
            color=SERIES[1],
            markersize=9,
            label=needed if index == 0 else None,
            zorder=4,
        )
        axes.axhline(100 * error, color=INK, linewidth=0.6, linestyle=":")


def _targets(view: SamplingView) -> list[tuple[float, float]]:
    """Relative errors with the edge that each needs, those that are known."""
    return [
        (error, edge)
        for error, edge in view.volume_for.items()
        if edge is not None and math.isfinite(edge) and edge > 0
    ]


def members_shown(view: SegmentationView) -> tuple[list[MembersView], int]:
    """Return the least certain tortuosity factors, as many as fit, and how many there are."""
    factors = [q for q in view.quantities if q.name == "tortuosity_factor" and q.whole]
    most = sorted(factors, key=lambda q: -q.uncertainty / abs(q.whole))[:_MOST_ROWS]
    return [q for q in factors if q in most], len(factors)


def members_figure(view: SegmentationView) -> str:
    """Draw tortuosity factors of plausible segmentations, and the parts of their uncertainty.

    Returns an empty string when there is no tortuosity factor.
    """
    shown, _ = members_shown(view)
    if not shown:
        return ""
    alt = (
        "Tortuosity factor of each plausible segmentation, in per cent from that of the chosen "
        "labels, and the parts that make up the uncertainty: spread, shift, bias and model."
    )
    with drawn("members", (9.4, 1.25 + 0.55 * len(shown)), alt) as drawing:
        left, right = drawing.figure.subplots(1, 2, sharey=True, width_ratios=(5, 4))
        modelled = any(quantity.bias is not None for quantity in shown)
        for row, quantity in enumerate(shown):
            _plot_members(left, row, quantity)
            _plot_parts(right, row, quantity, modelled)
        left.axvline(0.0, color=INK, linewidth=0.7, linestyle=":")
        left.set_yticks(
            range(len(shown)),
            [
                f"{shortened(q.of)}\nτ = {value_with_uncertainty(q.whole, q.uncertainty)}"
                for q in shown
            ],
        )
        left.set_ylim(len(shown) - 0.45, -0.55)
        left.set_xlabel("difference from the chosen labels (%)")
        right.set_xlim(0.0, None)
        right.set_xlabel("part of the standard uncertainty (% of τ)")
        right.tick_params(axis="y", length=0, labelleft=False)
        for axes in (left, right):
            axes.grid(axis="x", alpha=0.18)
            axes.legend(
                loc="lower left",
                bbox_to_anchor=(0.0, 1.0),
                ncols=4,
                handlelength=1.4,
                borderaxespad=0.2,
            )
    return drawing.html


def _plot_members(axes: Axes, row: int, quantity: MembersView) -> None:
    scale = 100.0 / quantity.whole
    members = scale * (np.asarray(quantity.members, float) - quantity.whole)
    # Points of one row stand a little apart, in turns, so that equal ones are seen.
    heights = row + 0.09 * (np.arange(members.size) % 3 - 1)
    axes.errorbar(
        [0.0],
        [row],
        xerr=abs(scale) * quantity.uncertainty,
        fmt="D",
        color=SERIES[0],
        capsize=4,
        linewidth=1.2,
        markersize=6,
        label=None if row else "chosen labels",
    )
    axes.plot(
        members,
        heights,
        "o",
        color=SERIES[1],
        markersize=4.5,
        alpha=0.75,
        label=None if row else "plausible segmentations",
    )


def _plot_parts(axes: Axes, row: int, quantity: MembersView, modelled: bool) -> None:
    parts = [("spread", quantity.spread), ("shift", quantity.shift)]
    if modelled:
        parts += [("bias", quantity.bias or 0.0), ("model", quantity.model or 0.0)]
    height = 0.64 / len(parts)
    for index, (name, part) in enumerate(parts):
        axes.barh(
            row + height * (index - 0.5 * (len(parts) - 1)),
            100.0 * abs(part) / abs(quantity.whole),
            height=0.9 * height,
            color=SERIES[index + 1],
            label=None if row else name,
        )
