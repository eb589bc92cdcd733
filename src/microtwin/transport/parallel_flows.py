"""Flows that are known exactly, on voxels, and the dispersion in them.

All run along z with a mean velocity of 1 m/s in voxels of 1 m: only ratios matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .tracer_grids import TracerGrid, tracer_grid

__all__ = [
    "duct_dispersion",
    "even_column",
    "plane_channel",
    "round_tube",
    "square_duct",
    "wave_dispersion",
    "waves",
]

TERMS = 200  # of the series for the duct, in each direction
STRIPS = 400  # per voxel, on which the cross-section of the tube is integrated


def even_column(length: int, width: int = 2) -> TracerGrid:
    """Return a column with ends in which all fluid flows with the same velocity."""
    section = np.ones((width, width))
    return _straight(section, section, _closed(section.shape, "yx"), length, 0)


def plane_channel(width: int, length: int = 2, ends: int | None = None) -> TracerGrid:
    """Return flow between plates, `width` voxels apart along x."""
    x = np.arange(width + 1) / width
    flow = np.diff(3.0 * x**2 - 2.0 * x**3) * width  # mean of 6 x (1 - x) in each voxel
    section = np.tile(flow, (2, 1))
    return _straight(section, np.ones(section.shape), _closed(section.shape, "x"), length, ends)


def square_duct(width: int, length: int = 2, ends: int | None = None) -> TracerGrid:
    """Return flow in a duct of `width` x `width` voxels."""
    p = 2 * np.arange(TERMS) + 1
    coefficients = _duct_series(p)
    edges = np.cos(np.pi * p[:, None] * np.arange(width + 1) / width) / (np.pi * p[:, None])
    means = -np.diff(edges, axis=1) * width  # of sin(p pi x) in each voxel
    section = means.T @ coefficients @ means
    section /= section.mean()
    return _straight(section, np.ones(section.shape), _closed(section.shape, "yx"), length, ends)


def round_tube(radius: float, length: int = 2, ends: int | None = None) -> TracerGrid:
    """Return flow in a tube of a radius in voxels, its axis between four of them."""
    half = int(np.ceil(radius))
    edges = np.arange(-half, half + 1.0)
    y = (np.arange(2 * half * STRIPS) + 0.5) / STRIPS - half
    reach = np.sqrt(np.maximum(radius**2 - y**2, 0.0))
    x = np.clip(edges[:, None], -reach, reach)
    # The integral of 2 (1 - r^2 / R^2) along x up to each edge.
    primitive = 2.0 * (x - (x * y**2 + x**3 / 3.0) / radius**2)
    flow, share = (
        np.diff(part, axis=0).reshape(2 * half, 2 * half, STRIPS).mean(axis=2).T
        for part in (primitive, x)
    )
    flow *= share.sum() / flow.sum()
    # Open share of the edges between voxels, of which those across y are those across x turned.
    ends_of_edge = np.sqrt(np.maximum(radius**2 - edges[1:] ** 2, 0.0))
    across = np.diff(np.clip(edges[:, None], -ends_of_edge, ends_of_edge), axis=0)
    return _straight(flow, share, (across.T.copy(), across), length, ends)


def waves(period: int, amplitude: float, skew: bool = False) -> TracerGrid:
    """Return a stream without walls that waves of another velocity cross.

    Parameters
    ----------
    period : int
        Voxels.
    amplitude : float
        Of the velocity across: along y it is the cosine of the phase, along x the sine.
    skew : bool
        The phase grows along z; or along z and y alike, and nothing flows along y.
    """
    edges = 2.0 * np.pi * np.arange(period + 1) / period
    mean = np.diff(np.exp(1j * edges)) * period / (2j * np.pi)  # of exp(i phase) in each voxel
    shape = (period, period if skew else 2, 2)
    wave = (mean[:, None, None] * mean[:, None] if skew else mean[:, None, None]) + np.zeros(shape)
    one = np.ones(shape)
    across_y = 0.0 * one if skew else amplitude * wave.real
    return tracer_grid((one, across_y, amplitude * wave.imag), (one, one, one), one, 1.0)


def wave_dispersion(
    period: int, amplitude: float, diffusivity: float, skew: bool = False
) -> NDArray[np.float64]:
    """Return the exact tensor D* / D in `waves`, shape (3, 3).

    Notes
    -----
    With the wave number k, a velocity exp(i k z) across the stream leads to the deviation
    -exp(i k z) / (D k^2 + i U k): the tensor is D + amplitude^2 / 2 times the real part of
    1 / (D k^2 + i U k) across it, with the imaginary part off the diagonal in opposite signs.
    """
    k = 2.0 * np.pi / period
    square = (2.0 if skew else 1.0) * k**2
    response = 0.5 * amplitude**2 / (diffusivity * square + 1j * k) / diffusivity
    tensor = np.eye(3)
    tensor[2, 2] += response.real
    if not skew:
        tensor[1, 1] += response.real
        tensor[1, 2], tensor[2, 1] = response.imag, -response.imag
    return tensor


def duct_dispersion(peclet: float) -> float:
    """Return D* / D in a square duct, with the width in the Péclet number.

    Parameters
    ----------
    peclet : float
        Mean velocity times width over the diffusivity.

    Notes
    -----
    D* = D + sum of |u_mn|^2 / (D k_mn^2) over the modes of diffusion without flux through the
    walls, by the series of the flow (Chatwin & Sullivan, J. Fluid Mech. 120 (1982) 347).
    """
    p = 2 * np.arange(TERMS) + 1
    m = 2 * np.arange(TERMS)
    overlap = 2.0 * p[:, None] / (np.pi * (p[:, None] ** 2 - m**2))
    coefficients = _duct_series(p)
    modes = overlap.T @ coefficients @ overlap
    mean = modes[0, 0]
    weight = np.where(m > 0, 2.0, 1.0)  # one over the mean square of cos(m pi x)
    squares = (modes / mean) ** 2 * weight[:, None] * weight
    wave = np.pi**2 * (m[:, None] ** 2 + m**2.0)
    return 1.0 + peclet**2 * float((squares.ravel()[1:] / wave.ravel()[1:]).sum())


def _duct_series(p: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the coefficients of sin(p pi y) sin(q pi x) in the flow, but for a factor."""
    return 1.0 / (p[:, None] * p * (p[:, None] ** 2 + p**2.0))


def _closed(shape: tuple[int, ...], axes: str) -> tuple[NDArray, NDArray]:
    """Return open faces along y and x of a section, the last ones closed along the axes named."""
    along_y, along_x = np.ones(shape), np.ones(shape)
    if "y" in axes:
        along_y[-1] = 0.0
    if "x" in axes:
        along_x[:, -1] = 0.0
    return along_y, along_x


def _straight(
    flow: NDArray,
    share: NDArray,
    across: tuple[NDArray, NDArray],
    length: int,
    ends: int | None,
) -> TracerGrid:
    def stacked(section: NDArray) -> NDArray:
        return np.tile(section, (length, 1, 1))

    still = np.zeros((length, *flow.shape))
    return tracer_grid(
        (stacked(flow), still, still),
        (stacked(share), stacked(across[0]), stacked(across[1])),
        stacked(share), 1.0, ends,
    )  # fmt: skip
