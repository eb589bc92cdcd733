"""The nouns that every room passes around: a grey-scale `Scan` and a labelled `Microstructure`.

Both are immutable pictures of a material: a 3-D array in the order (z, y, x) together with the
physical size of a voxel. Axis 0 (z) is through-plane: the current collector of an electrode is
at z = 0 and the separator at its far end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Direction = Literal["z", "y", "x"]
AXES: tuple[Direction, ...] = ("z", "y", "x")
VoxelSize = tuple[float, float, float]

__all__ = ["AXES", "Direction", "Microstructure", "Scan", "VoxelSize", "axis_index"]


def axis_index(direction: str) -> int:
    """Return the array axis (0, 1, 2) of a direction name.

    Parameters
    ----------
    direction : {"z", "y", "x"}
        Name of the axis; z is axis 0, through-plane.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the name is not one of z, y, x.
    """
    try:
        return AXES.index(direction)
    except ValueError:
        raise ValueError(
            f"direction {direction!r} is not known; "
            "use 'z' (through-plane, array axis 0), 'y' or 'x'"
        ) from None


def _checked_voxel_size(voxel_size: float | Sequence[float] | None) -> VoxelSize:
    remedy = (
        "give the edge length in metres, voxel_size=0.4e-6, or three lengths in the order (z, y, x)"
    )
    if voxel_size is None:
        raise ValueError(f"voxel size is missing, and an image without one has no scale; {remedy}")
    try:
        values = np.atleast_1d(np.asarray(voxel_size, dtype=float)).ravel()
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.size == 1:
        values = np.repeat(values, 3)
    if values.size != 3 or not np.all(np.isfinite(values)) or np.any(values <= 0):
        raise ValueError(f"voxel size {voxel_size!r} is not allowed; {remedy}, all positive")
    return (float(values[0]), float(values[1]), float(values[2]))


def _checked_volume(array: NDArray, noun: str) -> None:
    if array.ndim != 3:
        raise ValueError(
            f"{noun} has {array.ndim} dimension(s), shape {array.shape}; "
            "a 3-D array in the order (z, y, x) is needed"
        )
    if min(array.shape) < 2:
        raise ValueError(
            f"{noun} has shape {array.shape}; each axis needs at least 2 voxels "
            "(a 2-D picture can be repeated along one axis)"
        )


def _check_finite(values: NDArray) -> None:
    """Raise a `ValueError` that tells how many values are not finite, and the box they lie in."""
    bad = 0
    first, last = np.array(values.shape), np.zeros(3, int)
    # Layer by layer, for a mask of the whole would take a quarter of the image again.
    for z, layer in enumerate(values):
        wrong = ~np.isfinite(layer)
        if not wrong.any():
            continue
        bad += int(np.count_nonzero(wrong))
        rows, columns = (np.flatnonzero(wrong.any(axis)) for axis in (1, 0))
        first = np.minimum(first, (z, rows[0], columns[0]))
        last = np.maximum(last, (z, rows[-1], columns[-1]))
    if bad:
        ends = zip(AXES, first, last, strict=True)
        box = ", ".join(f"{axis} {low}:{high + 1}" for axis, low, high in ends)
        raise ValueError(
            f"the scan holds {bad} NaN or infinite values, all in the box {box} of voxels; crop "
            "them away or fill them in"
        )


def _read_only(array: NDArray) -> NDArray:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _shown(voxel_size: VoxelSize) -> str:
    sizes = sorted(set(voxel_size))
    values = voxel_size if len(sizes) > 1 else sizes
    return " x ".join(f"{1e9 * v:.4g}" for v in values) + " nm"


@dataclass(frozen=True, eq=False)
class Scan:
    """A grey-scale volume as a tomograph gives it.

    Parameters
    ----------
    values : ndarray, shape (nz, ny, nx)
        Grey values, any real dtype. The array is not copied, only viewed read-only.
    voxel_size : float or 3 floats
        Edge length(s) of a voxel in metres, in the order (z, y, x).

    Raises
    ------
    ValueError
        If the array is not 3-D, is thinner than two voxels, holds complex numbers, NaN or
        infinities, or if the voxel size is missing or not positive.
    """

    values: NDArray
    voxel_size: VoxelSize = None  # type: ignore[assignment]

    if TYPE_CHECKING:

        def __init__(
            self, values: ArrayLike, voxel_size: float | Sequence[float] | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        _checked_volume(values, "the scan")
        if values.dtype.kind not in "uifb":
            raise ValueError(
                f"the scan has dtype {values.dtype}; real numbers are needed "
                "(take one channel of a colour image, the magnitude of a complex one)"
            )
        if values.dtype.kind == "f":
            _check_finite(values)
        object.__setattr__(self, "values", _read_only(values))
        object.__setattr__(self, "voxel_size", _checked_voxel_size(self.voxel_size))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        return self.values.shape

    @property
    def extent(self) -> VoxelSize:
        """Physical size of the image along (z, y, x) in metres."""
        return tuple(n * h for n, h in zip(self.shape, self.voxel_size, strict=True))  # type: ignore[return-value]

    def read_layers(self, start: int, stop: int) -> NDArray:
        """Return the layers ``start`` to ``stop - 1`` along z, as a volume in a file does."""
        return self.values[start:stop]

    def crop(self, z: slice = slice(None), y: slice = slice(None), x: slice = slice(None)) -> Scan:
        """Return the part of the scan inside three slices (in voxels)."""
        return Scan(_cropped(self.values, z, y, x), self.voxel_size)

    def coarsen(self, factor: int = 2) -> Scan:
        """Return the scan on voxels `factor` times larger: the means of blocks, in float32.

        Voxels at the far end of an axis that do not fill a block are left out.

        Raises
        ------
        ValueError
            If the factor is not a positive whole number or leaves fewer than 2 voxels on an axis.
        """
        _checked_factor(factor, self.shape)
        nz, ny, nx = (n // factor for n in self.shape)
        whole = self.values[: nz * factor, : ny * factor, : nx * factor]
        blocks = whole.reshape(nz, factor, ny, factor, nx, factor)
        means = blocks.mean(axis=(1, 3, 5), dtype=np.float64).astype(np.float32)
        return Scan(means, [factor * h for h in self.voxel_size])

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        return f"Scan({shape} voxels of {_shown(self.voxel_size)}, {self.values.dtype})"


@dataclass(frozen=True, eq=False)
class Microstructure:
    """A labelled image of a material with named phases and a physical voxel size.

    Parameters
    ----------
    labels : array_like of int, shape (nz, ny, nx)
        Phase label of every voxel, 0 to 255 (stored as ``uint8``). A ``uint8`` array is not
        copied, only viewed read-only.
    voxel_size : float or 3 floats
        Edge length(s) of a voxel in metres, in the order (z, y, x). Mandatory.
    phases : mapping of str to int
        Name of each phase and its label. Every label in the image needs a name; a named phase
        may be absent from the image.
    probabilities : ndarray of uint8, shape (n_phases, nz, ny, nx), optional
        How sure each label is: the probability of each phase, in the order of `phases`, in
        255ths. A segmentation gives them; `probability` returns them as numbers from 0 to 1.

    Raises
    ------
    ValueError
        If the labels are not 3-D, thinner than two voxels, not whole numbers from 0 to 255, or
        not all named; if the voxel size is missing or not positive; if two phases share a label;
        if the probabilities have another shape or type.

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> labels = np.zeros((4, 4, 4), np.uint8)
    >>> labels[:, :, 2:] = 1
    >>> micro = mt.Microstructure(labels, voxel_size=0.4e-6, phases={"pore": 0, "active": 1})
    >>> micro.volume_fraction("pore")
    0.5
    """

    labels: NDArray[np.uint8]
    voxel_size: VoxelSize = None  # type: ignore[assignment]
    phases: Mapping[str, int] = field(default_factory=dict)
    probabilities: NDArray[np.uint8] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            labels: ArrayLike,
            voxel_size: float | Sequence[float] | None = None,
            phases: Mapping[str, int] = ...,
            probabilities: NDArray[np.uint8] | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        labels = _checked_labels(self.labels)
        phases = _checked_phases(self.phases)
        object.__setattr__(self, "labels", _read_only(labels))
        object.__setattr__(self, "voxel_size", _checked_voxel_size(self.voxel_size))
        object.__setattr__(self, "phases", MappingProxyType(phases))
        histogram = _histogram(self.labels)
        unnamed = [v for v in np.flatnonzero(histogram) if v not in phases.values()]
        if unnamed:
            found = ", ".join(f"{v} ({histogram[v]} voxels)" for v in unnamed)
            named = ", ".join(f"{k}={v}" for k, v in phases.items()) or "none"
            raise ValueError(
                f"the image holds label(s) that no phase names: {found}; phases given: {named}. "
                "Name every label, for example phases={'pore': 0, 'active': 1}"
            )
        object.__setattr__(self, "_histogram", histogram)
        if self.probabilities is not None:
            _check_probabilities(self.probabilities, (len(phases), *self.labels.shape))
            object.__setattr__(self, "probabilities", _read_only(self.probabilities))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        return self.labels.shape

    @property
    def extent(self) -> VoxelSize:
        """Physical size of the image along (z, y, x) in metres."""
        return tuple(n * h for n, h in zip(self.shape, self.voxel_size, strict=True))  # type: ignore[return-value]

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order given."""
        return tuple(self.phases)

    @property
    def volume_fractions(self) -> dict[str, float]:
        """Share of the voxels of each phase, by name."""
        return {name: self.volume_fraction(name) for name in self.phases}

    def label(self, phase: str) -> int:
        """Return the label of a phase; a `ValueError` lists the names there are."""
        if phase not in self.phases:
            raise ValueError(
                f"phase {phase!r} is not in this microstructure; it has {', '.join(self.phases)}"
            )
        return self.phases[phase]

    def volume_fraction(self, phase: str) -> float:
        """Return the share of voxels with the label of this phase."""
        histogram: NDArray[np.int64] = self._histogram  # type: ignore[attr-defined]
        return float(histogram[self.label(phase)] / self.labels.size)

    def mask(self, phases: str | Iterable[str]) -> NDArray[np.bool_]:
        """Return a boolean array, shape (nz, ny, nx), true where the voxel is one of the phases."""
        names = [phases] if isinstance(phases, str) else list(phases)
        member = np.zeros(256, bool)
        member[[self.label(name) for name in names]] = True
        return member[self.labels]

    def probability(self, phase: str) -> NDArray[np.float32]:
        """Return the probability that each voxel is of a phase, 0 to 1, shape (nz, ny, nx).

        Without `probabilities` every label counts as certain.
        """
        if self.probabilities is None:
            return self.mask(phase).astype(np.float32)
        self.label(phase)  # names the phases there are, if this is none of them
        return self.probabilities[list(self.phases).index(phase)] / np.float32(255)

    def profile(self, phase: str, direction: Direction = "z") -> NDArray[np.float64]:
        """Return the fraction of a phase in each layer along a direction, shape (n,)."""
        axis = axis_index(direction)
        others = tuple(a for a in range(3) if a != axis)
        return (self.labels == self.label(phase)).mean(axis=others)

    def crop(
        self, z: slice = slice(None), y: slice = slice(None), x: slice = slice(None)
    ) -> Microstructure:
        """Return the part of the image inside three slices, in voxels."""
        labels = _cropped(self.labels, z, y, x)
        probable = None if self.probabilities is None else self.probabilities[:, z, y, x]
        return Microstructure(labels, self.voxel_size, self.phases, probable)

    def mirror(self, directions: Iterable[Direction] = AXES) -> Microstructure:
        """Return the image joined to its reflection along each direction, twice as long there.

        The copy is periodic: the reflection plane is the outer face of the image, so the first
        and the last voxel of the result are equal.
        """
        labels, probable = self.labels, self.probabilities
        for direction in directions:
            # The last three axes of both arrays are (z, y, x).
            axis = axis_index(direction) - 3
            labels = np.concatenate([labels, np.flip(labels, axis)], axis=axis)
            if probable is not None:
                probable = np.concatenate([probable, np.flip(probable, axis)], axis=axis)
        return Microstructure(labels, self.voxel_size, self.phases, probable)

    def coarsen(self, factor: int = 2) -> Microstructure:
        """Return the image on voxels `factor` times larger, with the majority labels of the blocks.

        Ties are given alternately to the lowest and the highest of the tied labels, as on a
        chess board of blocks, so that no phase gains from them. Voxels at the far end of an axis
        that do not fill a block are left out. Probabilities become the means of the blocks. See
        `coarse_fractions` for what a majority loses.

        Raises
        ------
        ValueError
            If the factor is not a positive whole number or leaves fewer than 2 voxels on an axis.
        """
        _checked_factor(factor, self.shape)
        labels, best = None, None
        ordered = sorted(self.phases.values())
        parity = np.indices(tuple(n // factor for n in self.shape), dtype=np.uint8).sum(0) % 2 == 1
        for value in ordered:
            count = _block_sums(self.labels == value, factor)
            if labels is None or best is None:
                labels, best = np.full(count.shape, value, np.uint8), count
                continue
            wins = (count > best) | ((count == best) & (count > 0) & parity)
            labels[wins] = value
            np.maximum(best, count, out=best)
        assert labels is not None
        probable = None
        if self.probabilities is not None:
            means = (_block_sums(phase, factor) / factor**3 for phase in self.probabilities)
            probable = np.stack([np.round(mean).astype(np.uint8) for mean in means])
            # What rounding leaves of the sum goes to the largest, which it changes least.
            largest = probable.argmax(axis=0)[None]
            others = probable.sum(axis=0, dtype=int) - np.take_along_axis(probable, largest, 0)
            filled = np.maximum(255 - others, 0).astype(np.uint8)
            np.put_along_axis(probable, largest, filled, 0)
        sizes = tuple(factor * h for h in self.voxel_size)
        return Microstructure(labels, sizes, self.phases, probable)

    def coarse_fractions(self, phase: str, factor: int = 2) -> NDArray[np.float32]:
        """Return the fraction of a phase in each block of ``factor**3`` voxels.

        Returns
        -------
        ndarray of float32, shape (nz // factor, ny // factor, nx // factor)

        Raises
        ------
        ValueError
            As `coarsen`.
        """
        _checked_factor(factor, self.shape)
        count = _block_sums(self.labels == self.label(phase), factor)
        return (count / np.float32(factor**3)).astype(np.float32)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        fractions = ", ".join(f"{n} {100 * f:.1f} %" for n, f in self.volume_fractions.items())
        return f"Microstructure({shape} voxels of {_shown(self.voxel_size)}: {fractions})"


def _histogram(labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the voxels of each label, layer by layer: bincount converts its input to int64."""
    counts = (np.bincount(layer.ravel(), minlength=256) for layer in labels)
    return np.sum(list(counts), axis=0)


def _checked_labels(labels: ArrayLike) -> NDArray[np.uint8]:
    array = np.asarray(labels)
    _checked_volume(array, "the label image")
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "f":
        raise ValueError(
            f"labels have dtype {array.dtype}; whole numbers from 0 to 255 are needed. "
            "A grey-scale image must be segmented first; labels saved as floats can be passed as "
            "labels.astype('uint8')"
        )
    if array.dtype.kind not in "uib":
        raise ValueError(f"labels have dtype {array.dtype}; whole numbers from 0 to 255 are needed")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > 255:
        raise ValueError(
            f"labels run from {low} to {high}; whole numbers from 0 to 255 are needed "
            "(renumber the phases, or segment first if this is a grey-scale image)"
        )
    return array.astype(np.uint8)


def _checked_phases(phases: Mapping[str, int]) -> dict[str, int]:
    result: dict[str, int] = {}
    for name, value in dict(phases).items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"phase name {name!r} is not allowed; use text such as 'pore'")
        if int(value) != value or not 0 <= int(value) <= 255:
            raise ValueError(
                f"label {value!r} of phase {name!r} is not allowed; use a whole number 0 to 255"
            )
        if int(value) in result.values():
            twin = next(k for k, v in result.items() if v == int(value))
            raise ValueError(f"phases {twin!r} and {name!r} share label {value}; give each its own")
        result[name] = int(value)
    return result


def _cropped(array: NDArray, z: slice, y: slice, x: slice) -> NDArray:
    part = array[z, y, x]
    if part.ndim != 3 or min(part.shape) < 2:
        raise ValueError(
            f"crop z={z}, y={y}, x={x} of an image of shape {array.shape} leaves {part.shape}; "
            "use slices that keep at least 2 voxels on each axis"
        )
    return part


def _check_probabilities(probabilities: NDArray, shape: tuple[int, ...]) -> None:
    if probabilities.shape != shape or probabilities.dtype != np.uint8:
        raise ValueError(
            f"probabilities of shape {probabilities.shape} and type {probabilities.dtype} are not "
            f"allowed; shape {shape} (phases, z, y, x) and uint8 (255ths) are needed"
        )


def _checked_factor(factor: int, shape: tuple[int, int, int]) -> None:
    if int(factor) != factor or factor < 1 or min(shape) // int(factor) < 2:
        raise ValueError(
            f"coarsening factor {factor!r} is not allowed for shape {shape}; "
            f"use a whole number from 1 to {min(shape) // 2}"
        )


def _block_sums(values: NDArray, factor: int) -> NDArray[np.uint32]:
    """Add up the voxels (counts of true, or 8-bit numbers) in each full block of factor^3."""
    count: NDArray = values.view(np.uint8)
    small = factor == 2 and values.dtype == bool
    # One axis at a time keeps the temporaries small: strided slices are added in place.
    for axis in (2, 1, 0):
        n = count.shape[axis] // factor
        dtype = np.uint8 if small else np.uint32
        total = np.zeros((*count.shape[:axis], n, *count.shape[axis + 1 :]), dtype)
        index: list[slice] = [slice(None)] * 3
        for offset in range(factor):
            index[axis] = slice(offset, n * factor, factor)
            total += count[tuple(index)].astype(dtype, copy=False)
        count = total
    return count
