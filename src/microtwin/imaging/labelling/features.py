"""Features of voxels: what a classifier knows of the grey values around each.

The Gaussian-smoothed scan at several scales, its derivatives and the local deviation are the
features that interactive segmentation has settled on (S. Berg et al., ilastik, Nat. Methods 16
(2019) 1226; I. Arganda-Carreras et al., Trainable Weka Segmentation, Bioinformatics 33 (2017)
2424). All are single precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...microstructure import VoxelSize
from ..files.stored import iter_slabs
from ..layers import Layers
from . import classifier_kernels as kernels

__all__ = ["KINDS", "Block", "FeatureSet", "feature_blocks", "pixel_features"]

KINDS = ("gaussian", "gradient", "hessian", "difference", "deviation", "structure")

# A Gaussian is cut off at so many standard deviations.
_TRUNCATE = 3.0
# Gradients are averaged for the structure tensor over so many times the scale they are taken at.
_INTEGRATION = 2.0
# Voxels of a block along (z, y, x), without its halo. Features take about a hundred bytes each.
_BLOCK = (64, 128, 128)


@dataclass(frozen=True)
class FeatureSet:
    """Which features are computed.

    Parameters
    ----------
    scales : tuple of float
        Standard deviations of the Gaussians, in the shortest edge of a voxel; ascending.
    kinds : tuple of str
        Of ``"gaussian"`` (smoothed grey value), ``"gradient"`` (its magnitude), ``"hessian"``
        (the eigenvalues of its second derivatives), ``"difference"`` (to the next finer scale),
        ``"deviation"`` (standard deviation of the grey values) and ``"structure"`` (eigenvalues
        of the averaged products of the gradient, J. Bigun, G. H. Granlund, Proc. 1st Int. Conf.
        Comput. Vis. (1987) 433). The grey value itself is always there.
    offset : float
        Grey value about which squares are taken, so that single precision suffices.

    Raises
    ------
    ValueError
        If a scale or a kind is not allowed.
    """

    scales: tuple[float, ...] = (1.0, 2.0, 4.0)
    kinds: tuple[str, ...] = KINDS[:-1]
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not self.scales or not all(0.3 <= s <= 16 for s in self.scales):
            raise ValueError(
                f"scales {self.scales!r} are not allowed; give standard deviations of 0.3 to 16 "
                "voxels"
            )
        if list(self.scales) != sorted(set(self.scales)):
            raise ValueError(f"scales {self.scales!r} do not ascend; give each once, finest first")
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise ValueError(
                f"features {', '.join(map(repr, unknown))} are not known; use {', '.join(KINDS)}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each feature, in the order in which they are computed."""
        parts = {
            "gaussian": ("gaussian",),
            "gradient": ("gradient",),
            "hessian": ("hessian 1", "hessian 2", "hessian 3"),
            "difference": ("difference",),
            "deviation": ("deviation",),
            "structure": ("structure 1", "structure 2", "structure 3"),
        }
        return (
            "grey",
            *(
                f"{part} {scale:g}"
                for scale in self.scales
                for kind in KINDS
                if kind in self.kinds
                for part in parts[kind]
            ),
        )

    def halo(self, voxel_size: VoxelSize) -> tuple[int, int, int]:
        """Return how many voxels around a block its features depend on, along (z, y, x)."""
        scale = self.scales[-1]
        widths = _reach(scale, voxel_size)
        if "structure" in self.kinds:
            further = _reach(_INTEGRATION * scale, voxel_size)
            widths = tuple(a + b for a, b in zip(widths, further, strict=True))
        # One more for the differences of neighbours.
        return (widths[0] + 1, widths[1] + 1, widths[2] + 1)


@dataclass(frozen=True)
class Block:
    """A part of a volume with what lies around it.

    Attributes
    ----------
    place : 3 slices
        Where the block lies in the volume.
    values : ndarray, shape (nz, ny, nx)
        Grey values of the block and its halo.
    inner : 3 slices
        Where the block lies in `values`.
    """

    place: tuple[slice, slice, slice]
    values: NDArray
    inner: tuple[slice, slice, slice]


def feature_blocks(
    volume: Layers, halo: tuple[int, int, int], block: tuple[int, int, int] = _BLOCK
) -> Iterator[list[Block]]:
    """Read a volume slab by slab, each divided into blocks.

    Parameters
    ----------
    volume : Layers
    halo : 3 ints
        Voxels around each block along (z, y, x), as far as the volume reaches.
    block : 3 ints
        Voxels of a block.

    Yields
    ------
    list of Block
        The blocks of one slab; they share the memory of its values.
    """
    _, ny, nx = volume.shape
    for start, stop, values in iter_slabs(volume, block[0], halo[0]):
        skipped = start - max(start - halo[0], 0)
        inner_z = slice(skipped, skipped + stop - start)
        blocks = []
        for y in range(0, ny, block[1]):
            place_y, around_y, inner_y = _cut(y, block[1], halo[1], ny)
            for x in range(0, nx, block[2]):
                place_x, around_x, inner_x = _cut(x, block[2], halo[2], nx)
                blocks.append(
                    Block(
                        (slice(start, stop), place_y, place_x),
                        values[:, around_y, around_x],
                        (inner_z, inner_y, inner_x),
                    )
                )
        yield blocks


def pixel_features(block: Block, chosen: FeatureSet, voxel_size: VoxelSize) -> NDArray[np.float32]:
    """Compute the features of a block.

    Parameters
    ----------
    block : Block
    chosen : FeatureSet
    voxel_size : 3 floats
        Only the ratios count: scales are isotropic lengths.

    Returns
    -------
    ndarray of float32, shape (n_features, nz, ny, nx)
        In the order of ``chosen.names``, for the voxels of the block without its halo.
        Derivatives are multiplied by their scale to the power of their order, which makes them
        comparable (T. Lindeberg, Int. J. Comput. Vis. 30 (1998) 79).
    """
    values = np.subtract(block.values, chosen.offset, dtype=np.float32)
    inner = block.inner
    shape = tuple(part.stop - part.start for part in inner)
    start = np.array([part.start for part in inner])
    steps = np.array(voxel_size) / min(voxel_size)
    out = np.empty((len(chosen.names), *shape), np.float32)
    out[0] = values[inner]
    squares = np.square(values) if "deviation" in chosen.kinds else values
    finer, n = out[0].copy(), 1
    for scale in chosen.scales:
        smooth = _smoothed(values, scale, voxel_size)
        here = smooth[inner]
        for kind in KINDS:
            if kind not in chosen.kinds:
                continue
            if kind == "gaussian":
                out[n] = here
            elif kind == "gradient":
                kernels.gradients(smooth, start, np.float32(scale) / steps, out[n])
            elif kind == "hessian":
                kernels.hessians(smooth, start, np.float32(scale) / steps, out[n : n + 3])
            elif kind == "difference":
                np.subtract(here, finer, out=out[n])
            elif kind == "deviation":
                mean_square = _smoothed(squares, scale, voxel_size)[inner]
                np.sqrt(np.maximum(mean_square - np.square(here), 0), out=out[n])
            else:
                _structure(smooth, inner, scale, voxel_size, out[n : n + 3])
            n += 3 if kind in ("hessian", "structure") else 1
        finer = here.copy()
    # The offset was only for the sake of the squares.
    for number, name in enumerate(chosen.names):
        if name == "grey" or name.startswith("gaussian"):
            out[number] += np.float32(chosen.offset)
    return out


def _structure(
    smooth: NDArray[np.float32],
    inner: tuple[slice, slice, slice],
    scale: float,
    voxel_size: VoxelSize,
    out: NDArray[np.float32],
) -> None:
    steps = np.array(voxel_size) / min(voxel_size)
    products = np.empty((6, *smooth.shape), np.float32)
    kernels.gradient_products(smooth, np.float32(scale) / steps, products)
    averaged = np.stack(
        [_smoothed(part, _INTEGRATION * scale, voxel_size)[inner] for part in products]
    )
    kernels.eigenvalues(averaged, out)


def _sigmas(scale: float, voxel_size: Sequence[float]) -> list[float]:
    return [scale * min(voxel_size) / edge for edge in voxel_size]


def _reach(scale: float, voxel_size: VoxelSize) -> tuple[int, ...]:
    # As scipy.ndimage cuts its Gaussians off.
    return tuple(int(_TRUNCATE * sigma + 0.5) for sigma in _sigmas(scale, voxel_size))


def _smoothed(
    values: NDArray[np.float32], scale: float, voxel_size: VoxelSize
) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    sigmas = _sigmas(scale, voxel_size)
    return gaussian_filter(values, sigmas, mode="nearest", truncate=_TRUNCATE)


def _cut(start: int, width: int, halo: int, end: int) -> tuple[slice, slice, slice]:
    """Return where a block lies along an axis, with its halo, and inside of that."""
    stop = min(start + width, end)
    low, high = max(start - halo, 0), min(stop + halo, end)
    return slice(start, stop), slice(low, high), slice(start - low, stop - low)
