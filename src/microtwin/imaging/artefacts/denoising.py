"""Denoising that keeps edges: curvature-driven diffusion, and total variation.

Curvature diffusion moves the level surfaces of the grey values by their curvature, slower where
the gradient is steep (R. T. Whitaker, X. Xue, Variable-conductance, level-set curvature for image
denoising, ICIP 2001):

    df/dt = |grad f| div( c(|grad f|) grad f / |grad f| ),   c(g) = exp(-g^2 / (2 (k g_rms)^2)) .

Flat noise has strongly curved level surfaces and vanishes; edges, even those of thin features,
hardly move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...numerics.threads import even_shares, over_slabs
from ..layers import Layers, sampled_blocks

__all__ = ["Denoised", "denoise"]

Method = Literal["curvature", "total variation"]

# The largest step at which the explicit scheme is stable in three dimensions is 1/8.
_STEP = 1 / 16
# Gradients of so many times the root mean square are kept. Like the number of steps, it is where
# thresholds give the best labels on virtual scans.
_CONDUCTANCE = 1.5
_ITERATIONS = 8
# How far total variation looks; what is further away has no visible weight.
_HALO_TV = 8


@dataclass(frozen=True, eq=False)
class Denoised:
    """A volume whose layers are denoised as they are read; see `denoise`."""

    volume: Layers
    method: Method
    strength: float
    scale: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        return self.volume.shape

    def read_layers(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the denoised layers ``start`` to ``stop - 1``."""
        iterations = _iterations(self.strength)
        halo = iterations + 1 if self.method == "curvature" else _HALO_TV
        first, last = max(start - halo, 0), min(stop + halo, self.shape[0])
        values = np.array(self.volume.read_layers(first, last), np.float32)
        if self.scale == 0:
            # No gradient, or no noise, anywhere.
            return values[start - first : stop - first]
        if self.method == "curvature":
            values = curvature_diffusion(values, iterations, self.scale)
        else:
            from skimage.restoration import denoise_tv_chambolle

            values = denoise_tv_chambolle(values, weight=self.strength * self.scale)
        return values[start - first : stop - first]


def denoise(volume: Layers, method: Method = "curvature", strength: float = 1.0) -> Denoised:
    """Return a volume whose layers are denoised as they are read.

    Parameters
    ----------
    volume : Layers
        The scan, in memory or in a file.
    method : {"curvature", "total variation"}
        Curvature diffusion (see the module), or the minimum of half the squared change plus a
        weight times the total variation (A. Chambolle, J. Math. Imaging Vis. 20 (2004) 89, by
        scikit-image), which takes more memory per voxel of a slab.
    strength : float
        1 suits a contrast-to-noise ratio of about 3: eight steps of diffusion, or a weight of the
        standard deviation of the noise. More smooths more.

    Returns
    -------
    Denoised

    Raises
    ------
    ValueError
        If the method is unknown, the strength is not between 0 and 10, or, for total variation,
        layers have fewer than three voxels along y or x.
    """
    if method not in ("curvature", "total variation"):
        raise ValueError(f"method {method!r} is not known; use 'curvature' or 'total variation'")
    if not 0 < strength <= 10:
        raise ValueError(f"strength {strength!r} is not allowed; give a number above 0, up to 10")
    blocks = sampled_blocks(volume, 1_000_000)
    if method == "curvature":
        scale = float(np.sqrt(np.mean([_mean_square_gradient(block) for block in blocks])))
        scale *= _CONDUCTANCE
    else:
        scale = float(np.mean([noise_level(block) for block in blocks]))
    return Denoised(volume, method, strength, scale)


def noise_level(values: NDArray[np.floating]) -> float:
    """Return the standard deviation of the noise of an image, from its second differences.

    Neighbours along x and y in one layer: the 3 x 3 difference mask that is blind to planes and
    edges along the axes (J. Immerkaer, Comput. Vis. Image Underst. 64 (1996) 300), with the
    median instead of the mean absolute value, which leaves out what structure there is.

    Parameters
    ----------
    values : ndarray, shape (nz, ny, nx)

    Returns
    -------
    float
        In the unit of the values; exact for white noise.

    Raises
    ------
    ValueError
        If a layer has fewer than three voxels along y or x.
    """
    if min(values.shape[1:]) < 3:
        raise ValueError(
            f"layers of {values.shape[1]} x {values.shape[2]} voxels are too small to tell noise "
            "by; at least 3 x 3 are needed"
        )
    v = values.astype(np.float32, copy=False)
    along_x = v[:, :, :-2] - 2 * v[:, :, 1:-1] + v[:, :, 2:]
    mask = along_x[:, :-2] - 2 * along_x[:, 1:-1] + along_x[:, 2:]
    return float(1.4826 * np.median(np.abs(mask)) / 6.0)


def curvature_diffusion(
    values: NDArray[np.float32], iterations: int, scale: float
) -> NDArray[np.float32]:
    """Return grey values after some steps of curvature diffusion; see the module.

    Parameters
    ----------
    values : ndarray of float32, shape (nz, ny, nx)
        Overwritten.
    iterations : int
    scale : float
        Gradient per voxel from which edges are kept, ``k g_rms``.

    Returns
    -------
    ndarray of float32, shape (nz, ny, nx)
    """
    from .denoising_kernels import curvature_step

    # A frame of one voxel on each side: nothing flows through the border.
    old = np.pad(values, 1, mode="edge")
    new = old.copy()
    for _ in range(iterations):
        over_slabs(
            curvature_step,
            even_shares(values.shape[0]),
            old,
            np.float32(scale),
            np.float32(_STEP),
            new,
        )
        _close_border(new)
        old, new = new, old
    return old[1:-1, 1:-1, 1:-1]


def _close_border(values: NDArray[np.float32]) -> None:
    for axis in range(3):
        turned = np.moveaxis(values, axis, 0)
        turned[0], turned[-1] = turned[1], turned[-2]


def _iterations(strength: float) -> int:
    return max(1, round(_ITERATIONS * strength))


def _mean_square_gradient(values: NDArray[np.float32]) -> float:
    # Central differences; the border, continued by its own values, gives some on two voxels too.
    frame = np.pad(values, 1, mode="edge")
    return sum(
        float(np.mean(np.square(frame[s2] - frame[s1]), dtype=float) / 4)
        for s1, s2 in (
            (np.s_[:-2, 1:-1, 1:-1], np.s_[2:, 1:-1, 1:-1]),
            (np.s_[1:-1, :-2, 1:-1], np.s_[1:-1, 2:, 1:-1]),
            (np.s_[1:-1, 1:-1, :-2], np.s_[1:-1, 1:-1, 2:]),
        )
    )
