"""Labels from grey values by their posterior probability, with the blur of the instrument.

A scan is taken for a picture of piecewise constant phases, blurred by the instrument, with noise:

    f = G * mu[label] + n .

A voxel between pore and active is grey like binder, but no binder is needed to explain it: the
blur does. With Gaussian noise of standard deviation s and a Potts prior, the labels have the
probability ``exp(-E)`` with

    E = |f - G * mu[label]|^2 / (2 s^2) + sum of beta[label, label'] - sum of h[label]

over pairs of neighbours and over voxels (S. Geman, D. Geman, IEEE Trans. Pattern Anal. Mach.
Intell. 6 (1984) 721, where blur is part of the model too). A Gibbs sampler draws from it, and the
average of the conditional probabilities over the draws is the probability of each phase in each
voxel. What the model needs (`GreyModel`) is learned from the scan itself, see
`learning`. Beyond its border the image is continued as in a mirror.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...numerics.threads import even_shares, over_slabs
from . import posterior_kernels as kernels
from .response import response, response_stencil, weights_by_plane

__all__ = ["FULL_WEIGHT", "GreyModel", "LabelSampler"]

# Probabilities are added up in 16 bits; all draws together have this weight.
FULL_WEIGHT = 65000


@dataclass(frozen=True)
class GreyModel:
    """How the phases of a material look in a scan.

    Parameters
    ----------
    means : tuple of float
        Grey value of each phase in the open, away from interfaces.
    noise : float
        Standard deviation of the noise, per voxel, that matters for the labels: that of white
        noise which is as strong as the noise of the scan after the blur, and at least a fifth of
        the least contrast, for the model itself is not exact.
    blur : (float, float, float)
        Standard deviation of the Gaussian response of the instrument along (z, y, x), in voxels.
    coupling : tuple of tuple of float, shape (n_phases, n_phases)
        Energy of a pair of neighbours that share a face, by their phases; 1/sqrt(2) and 1/sqrt(3)
        of it count for neighbours over an edge and a corner.
    field : tuple of float
        External field h of each phase, which sets the fractions.
    mean_uncertainties : tuple of float
        Standard uncertainty of each of the means; empty if they are known.
    """

    means: tuple[float, ...]
    noise: float
    blur: tuple[float, float, float]
    coupling: tuple[tuple[float, ...], ...]
    field: tuple[float, ...]
    mean_uncertainties: tuple[float, ...] = ()

    @property
    def contrast_to_noise(self) -> float:
        """Least difference of two means in units of the noise."""
        return float(np.min(np.diff(np.sort(self.means))) / self.noise)


class LabelSampler:
    """A Gibbs sampler for the labels of one slab.

    Parameters
    ----------
    values : ndarray of float32, shape (nz, ny, nx)
        Grey values.
    labels : ndarray of uint8, shape (nz, ny, nx)
        Labels to start from, 0 ... n_phases - 1; they change from draw to draw.
    model : GreyModel
    seed : int
    start : int
        Number of the first plane of the slab in the whole image.
    """

    def __init__(
        self,
        values: NDArray[np.float32],
        labels: NDArray[np.uint8],
        model: GreyModel,
        seed: int = 0,
        start: int = 0,
    ) -> None:
        self.values = values
        self.labels = labels
        self._seed, self._start, self._turn = seed, start, 0
        self.residuals = np.empty_like(values)
        self._sums = np.zeros((0, 0, 0, 0), np.uint16)
        self.use(model)

    def use(self, model: GreyModel) -> None:
        """Go on with another model."""
        self.model = model
        weights, reach = response(model.blur)
        self._stencil = response_stencil(weights, reach)
        planes = zip(weights, self.values.shape, strict=True)
        self._response = (reach, *(weights_by_plane(along, n) for along, n in planes))
        # Grey values far from zero would leave few digits to sums of them.
        middle = np.mean(model.means)
        self._means = (np.asarray(model.means) - middle).astype(np.float32)
        over_slabs(
            kernels.residual,
            even_shares(self.values.shape[0]),
            self.values,
            np.float32(middle),
            self.labels,
            self._means,
            *self._response,
            self.residuals,
        )

    def draw(self, everywhere: bool = False, weight: int = 0) -> None:
        """Draw every label once.

        Parameters
        ----------
        everywhere : bool
            Also the labels of voxels whose six neighbours agree with them.
        weight : int
            Weight with which the conditional probabilities are added to `sums`.
        """
        if weight and not self._sums.size:
            self._sums = np.zeros((len(self.model.means), *self.values.shape), np.uint16)
        bands = -(-self.values.shape[0] // kernels.BAND)
        for parity in (0, 1):
            over_slabs(
                kernels.sweep,
                even_shares((bands + 1 - parity) // 2),
                parity,
                self._start,
                self.labels,
                self.residuals,
                self._means,
                np.float32(self.model.noise**-2),
                np.asarray(self.model.coupling, np.float32),
                np.asarray(self.model.field, np.float32),
                self._stencil,
                *self._response,
                self._seed,
                2 * self._turn + parity,
                everywhere,
                np.uint16(weight),
                self._sums,
            )
        self._turn += 1

    @property
    def sums(self) -> NDArray[np.uint16]:
        """Weighted sums of the conditional probabilities, shape (n_phases, nz, ny, nx)."""
        return self._sums

    @property
    def fractions(self) -> NDArray[np.float64]:
        """Share of each label now, shape (n_phases,)."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.model.means))
        return counts / self.labels.size
