"""Pictures of stress: where it is, how it is distributed, what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ...microstructure import AXES, Direction, Microstructure, axis_index
from .digits import length, number, percent
from .drawing import INK, SERIES, Picture, drawn, is_pore, phase_colours, shortened, show_picture
from .ligament_figures import MARK, circle_ligaments, outline

if TYPE_CHECKING:
    from ...mechanics import LigamentLoads, StressDistribution

__all__ = ["failure_figure", "stress_distribution_figure", "stress_figure"]

MEGAPASCAL = 1e6
_PANEL_INCHES = 3.5
_PORE, _SOLIDS = 0.96, (0.74, 0.84, 0.66, 0.79)  # quiet greys; solids in the order of the phases
_STRESS = "inferno"
# The few voxels above it would leave the rest of a scale unused.
_SHOWN = 0.995


def stress_figure(
    micro: Microstructure,
    von_mises: NDArray[Any],
    loads: LigamentLoads | None = None,
    *,
    phases: Sequence[str] | None = None,
    direction: Direction = "y",
    plane: int | None = None,
    count: int = 8,
) -> str:
    """Draw the stress of each phase in a plane of the image, and the ligaments that bear most.

    Parameters
    ----------
    micro : Microstructure
    von_mises : ndarray, shape (nz, ny, nx)
        In Pa; best averaged over a length within each phase.
    loads : LigamentLoads, optional
        Its ligaments of binder are circled on the picture of their phase, with their ranks, where
        the plane cuts them.
    phases : sequence of str, optional
        One picture with a scale of its own for each, as stiff and soft phases bear very different
        stress; by default all that bear any.
    direction : {"z", "y", "x"}
        Across which the plane lies.
    plane : int, optional
        In voxels; by default the one that cuts most of the ligaments, or the middle one.
    count : int
        How many ligaments may be circled, from the highest load.

    Returns
    -------
    str
        An ``<img>`` with the figure.
    """
    axis = axis_index(direction)
    ranks = (
        {}
        if loads is None
        else {int(k): n for n, k in enumerate(loads.top(count, kind="binder"), 1)}
    )
    at = _plane(micro, loads, ranks, axis) if plane is None else plane
    shown = phases or [name for name in micro.phase_names if von_mises[micro.mask(name)].any()]
    rows, columns = (a for a in range(3) if a != axis)
    pixel = (micro.voxel_size[rows], micro.voxel_size[columns])
    labels, values = np.take(micro.labels, at, axis), np.take(von_mises, at, axis) / MEGAPASCAL
    frame = Picture(labels.shape, pixel)
    width = _PANEL_INCHES * min(1.0, 1 / frame.ratio)
    size = (max(width, 2.4) * len(shown) + 0.5, width * frame.ratio + 1.3)
    alt = "Von Mises stress of each phase in a plane, and the ligaments that bear most."
    with drawn("stress", size, alt) as drawing:
        panels = np.atleast_1d(drawing.figure.subplots(1, len(shown)))
        for axes, phase in zip(panels, shown, strict=True):
            inside = von_mises[micro.mask(phase)] / MEGAPASCAL
            top = float(np.quantile(inside, _SHOWN))
            shades = ScalarMappable(Normalize(0.0, top or 1.0), matplotlib.colormaps[_STRESS])
            here = labels == micro.label(phase)
            picture = _overlaid(micro, labels, here, shades.to_rgba(values))
            show_picture(axes, picture, pixel, (AXES[rows], AXES[columns]))
            title = f"{shortened(phase)}, {direction} = {length(_place(micro, axis, at), 3)}"
            _bar(drawing.figure, shades, axes, "von Mises stress (MPa)", inside)
            if loads is not None and phase == loads.ligaments.phases["binder"]:
                title += f"; ranks up to {len(ranks)} circled"
                circle_ligaments(axes, np.take(loads.ligaments.region, at, axis), ranks, pixel)
            axes.set_title(title)
    return drawing.html


def stress_distribution_figure(
    distributions: Mapping[str, StressDistribution],
    micro: Microstructure,
    *,
    name: str = "von Mises stress",
    shares: Sequence[float] = (0.5, 0.95, 0.99),
) -> str:
    """Draw the distribution of a stress in each phase, with percentiles marked.

    Parameters
    ----------
    distributions : mapping of str to StressDistribution
        By phase, all of one scale.
    micro : Microstructure
        For the colours of the phases.
    name : str
        Of the stress.
    shares : sequence of float
        Of the percentiles marked, as far as the distributions hold them.

    Returns
    -------
    str
        An ``<img>`` with the figure.
    """
    colours = phase_colours(micro)
    logarithmic = all(found.scale == "log" for found in distributions.values())
    alt = f"Distribution of the {name} in each phase."
    rows = len(distributions)
    with drawn("stress-distribution", (7.2, 0.9 + 1.35 * rows), alt) as drawing:
        panels = np.atleast_1d(drawing.figure.subplots(rows, 1, sharex=True))
        for axes, (phase, found) in zip(panels, distributions.items(), strict=True):
            edges = found.edges / MEGAPASCAL
            # Per width of the axis, so that bins of other widths stay comparable.
            widths = np.diff(np.log10(edges)) if logarithmic else np.diff(edges)
            axes.stairs(
                100 * found.shares / widths, edges, fill=True, color=colours[phase], alpha=0.75
            )
            axes.set_ylim(0.0, 130 * float((found.shares / widths).max()))
            _percentiles(axes, found, shares)
            axes.set_title(
                f"{shortened(phase)}: mean {number(found.mean / MEGAPASCAL, 3)} MPa", loc="left"
            )
            axes.grid(alpha=0.18)
        if logarithmic:
            panels[-1].set_xscale("log")
            panels[-1].xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        panels[-1].set_xlim(*_limits(distributions))
        panels[-1].set_xlabel(f"{name} (MPa)")
        drawing.figure.supylabel(
            f"share of the phase (% per {'decade' if logarithmic else 'MPa'})", fontsize=9
        )
    return drawing.html


def failure_figure(
    micro: Microstructure,
    index: NDArray[Any],
    phase: str,
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    direction: Direction = "y",
    plane: int | None = None,
) -> str:
    """Draw where a phase is near failure, and how much of it fails for other strengths.

    Parameters
    ----------
    micro : Microstructure
    index : ndarray, shape (nz, ny, nx)
        Stress over strength; only what is of the phase is drawn.
    phase : str
    curves : mapping of str to (sequence, sequence)
        By name: factors by which the strength is multiplied, and the share of the phase, from 0 to
        1, that is expected to fail then.
    direction : {"z", "y", "x"}
        Across which the plane lies.
    plane : int, optional
        In voxels; by default the one with most of the phase above 1, or with its highest index.

    Returns
    -------
    str
        An ``<img>`` with the figure.
    """
    axis = axis_index(direction)
    mask = micro.mask(phase)
    at = _failing_plane(index, mask, axis) if plane is None else plane
    rows, columns = (a for a in range(3) if a != axis)
    pixel = (micro.voxel_size[rows], micro.voxel_size[columns])
    labels, values = np.take(micro.labels, at, axis), np.take(index, at, axis)
    frame = Picture(labels.shape, pixel)
    width = _PANEL_INCHES * min(1.0, 1 / frame.ratio)
    alt = "Failure index in a plane, and the share that is expected to fail over the strength."
    with drawn("failure", (width + 4.0, max(width * frame.ratio + 1.5, 3.6)), alt) as drawing:
        left, right = drawing.figure.subplots(1, 2, width_ratios=(width, 3.4))
        # The middle of the scale is where it fails.
        reach = float(np.clip(np.quantile(index[mask], _SHOWN) - 1.0, 0.5, 1.0))
        scale = Normalize(1.0 - reach, 1.0 + reach)
        shades = ScalarMappable(scale, matplotlib.colormaps["RdYlBu_r"])
        picture = _overlaid(micro, labels, labels == micro.label(phase), shades.to_rgba(values))
        show_picture(left, picture, pixel, (AXES[rows], AXES[columns]))
        outline(left, (values > 1.0) & (labels == micro.label(phase)), pixel, MARK)
        left.set_title(f"{shortened(phase)}, {direction} = {length(_place(micro, axis, at), 3)}")
        _bar(
            drawing.figure,
            shades,
            left,
            "stress over strength; outlined where it fails",
            index[mask],
        )
        for colour, (name, (factors, shares)) in zip(
            SERIES * (1 + len(curves) // len(SERIES)), curves.items(), strict=False
        ):
            right.plot(factors, 100 * np.asarray(shares, float), color=colour, label=name)
        right.axvline(1.0, color=INK, linewidth=0.8, linestyle=":")
        right.set_xlabel("strength, over the one assumed")
        right.set_ylabel(f"share of the {shortened(phase)} that fails (%)")
        right.set_ylim(0.0, None)
        right.grid(alpha=0.18)
        right.legend()
    return drawing.html


def _plane(
    micro: Microstructure, loads: LigamentLoads | None, ranks: Mapping[int, int], axis: int
) -> int:
    """Return the plane that cuts most ranked ligaments, the highest of them counting most."""
    middle = micro.shape[axis] // 2
    if loads is None or not ranks:
        return middle
    scores = np.zeros(micro.shape[axis])
    moved = np.moveaxis(loads.ligaments.region, axis, 0)
    for at, layer in enumerate(moved):
        scores[at] = sum(1.0 / (2 + ranks[k]) for k in np.unique(layer) - 1 if k in ranks)
    return int(scores.argmax())


def _failing_plane(index: NDArray[Any], mask: NDArray[np.bool_], axis: int) -> int:
    others = tuple(a for a in range(3) if a != axis)
    failing = ((index > 1.0) & mask).sum(axis=others)
    if failing.any():
        return int(failing.argmax())
    return int(np.where(mask, index, -np.inf).max(axis=others).argmax())


def _place(micro: Microstructure, axis: int, at: int) -> float:
    return (at + 0.5) * micro.voxel_size[axis]


def _overlaid(
    micro: Microstructure,
    labels: NDArray[np.uint8],
    here: NDArray[np.bool_],
    colours: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the phases of a plane in greys, with the colours of one of them on top."""
    greys = np.full(256, _PORE)
    solids = [name for name in micro.phase_names if not is_pore(name)]
    for position, name in enumerate(solids):
        greys[micro.label(name)] = _SOLIDS[position % len(_SOLIDS)]
    picture = np.repeat(greys[labels][..., None], 3, axis=2)
    picture[here] = colours[here][:, :3]
    return picture


def _bar(
    figure: Figure, shades: ScalarMappable, axes: Axes, title: str, values: NDArray[Any]
) -> None:
    """Draw a scale under a picture; arrows tell that there are values beyond it."""
    low, high = shades.get_clim()
    below, above = float(values.min()) < (low or 0.0), float(values.max()) > (high or 0.0)
    ends: dict[tuple[bool, bool], Literal["neither", "min", "max", "both"]] = {
        (False, False): "neither",
        (True, False): "min",
        (False, True): "max",
        (True, True): "both",
    }
    bar = figure.colorbar(
        shades,
        ax=axes,
        orientation="horizontal",
        shrink=0.8,
        aspect=26,
        pad=0.03,
        extend=ends[below, above],
    )
    bar.outline.set_visible(False)
    bar.set_label(title)
    bar.ax.xaxis.set_major_locator(MaxNLocator(5))


def _percentiles(axes: Axes, found: StressDistribution, shares: Sequence[float]) -> None:
    """Mark percentiles by lines, and name them beside the histogram."""
    there = [share for share in shares if share in found.percentiles]
    for turn, share in enumerate(there):
        value = found.percentiles[share] / MEGAPASCAL
        axes.axvline(
            value,
            color=INK,
            linewidth=1.1,
            linestyle=("-", "--", ":", "-.")[turn % 4],
            label=f"{percent(share, 0)} below {number(value, 3)} MPa",
        )
    if there:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _limits(distributions: Mapping[str, StressDistribution]) -> tuple[float, float]:
    """Return between which values nearly all of every phase lies, in MPa."""
    ends = []
    for found in distributions.values():
        below = np.cumsum(found.shares)
        first, last = np.searchsorted(below, [1.0 - _SHOWN, 1.0 - 0.1 * (1.0 - _SHOWN)])
        ends.append((found.edges[first], found.edges[min(int(last) + 1, len(found.shares))]))
    return min(low for low, _ in ends) / MEGAPASCAL, max(high for _, high in ends) / MEGAPASCAL
