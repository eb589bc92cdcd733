"""Size, shape, direction and contacts of the particles of a phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from . import moment_kernels as kernels
from .balls import SizeDistribution

__all__ = ["ParticleShapes", "particle_shapes"]


@dataclass(frozen=True, eq=False)
class ParticleShapes:
    """The particles of a phase, each with the ellipsoid that has its second moments.

    Attributes
    ----------
    diameters : ndarray of float64, shape (n,)
        Diameter of the sphere of the same volume, in m.
    volumes : ndarray of float64, shape (n,)
        In m^3.
    semi_axes : ndarray of float64, shape (n, 3)
        Of the ellipsoid, from long to short, in m.
    axes : ndarray of float64, shape (n, 3, 3)
        Unit vectors along the semi-axes, in rows, with the components (z, y, x).
    contacts : ndarray of int64, shape (n,)
        Number of particles that share a face with each.
    complete : ndarray of bool, shape (n,)
        Whether the particle does not reach an outer face of the image, which would cut it.
    """

    diameters: NDArray[np.float64]
    volumes: NDArray[np.float64]
    semi_axes: NDArray[np.float64]
    axes: NDArray[np.float64]
    contacts: NDArray[np.int64]
    complete: NDArray[np.bool_]

    @property
    def aspect_ratios(self) -> NDArray[np.float64]:
        """Longest over shortest semi-axis of each particle."""
        return self.semi_axes[:, 0] / self.semi_axes[:, 2]

    @property
    def sizes(self) -> SizeDistribution:
        """Distribution of the volume over the diameters, of the complete particles."""
        diameters, inverse = np.unique(self.diameters[self.complete], return_inverse=True)
        volume = np.zeros(diameters.size)
        np.add.at(volume, inverse, self.volumes[self.complete])
        return SizeDistribution(diameters, volume / volume.sum() if volume.size else volume)

    @property
    def mean_contacts(self) -> float:
        """Mean number of contacts of the complete particles; 0 without any."""
        found = self.contacts[self.complete]
        return float(found.mean()) if found.size else 0.0

    def orientation_tensor(self, axis: int = 0) -> NDArray[np.float64]:
        """Return the mean of the products of the components of an axis, weighted by volume.

        Parameters
        ----------
        axis : {0, 1, 2}
            Long, middle or short axis. Plates are told by the short one.

        Returns
        -------
        ndarray of float64, shape (3, 3)
            Trace 1; a third of the unit matrix for random directions (S. G. Advani, C. L. Tucker,
            J. Rheol. 31, 751 (1987)).
        """
        vectors = self.axes[:, axis]
        return np.einsum("k,ki,kj->ij", self.volumes / self.volumes.sum(), vectors, vectors)


def particle_shapes(
    micro: Microstructure, phase: str, *, minimum_depth: float = 0.1
) -> ParticleShapes:
    """Separate the particles of a phase that touch and measure each.

    Parameters
    ----------
    micro : Microstructure
    phase : str
    minimum_depth : float
        See `microtwin.imaging.separate_particles`.

    Returns
    -------
    ParticleShapes

    Raises
    ------
    ValueError
        As `microtwin.imaging.separate_particles`.
    """
    from ..imaging import separate_particles

    found = separate_particles(micro, phase, minimum_depth=minimum_depth)
    edges = np.array(micro.voxel_size)
    sums = np.zeros((found.count, 6))
    kernels.add_second_moments(found.labels, found.centroids / edges - 0.5, sums)
    counts = found.volumes / edges.prod()
    covariance = sums[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]] / counts[:, None, None]
    covariance *= np.outer(edges, edges)
    # A voxel is not a point: a cube of edge h adds its own moment.
    covariance[:, [0, 1, 2], [0, 1, 2]] += edges**2 / 12
    values, vectors = np.linalg.eigh(covariance)
    return ParticleShapes(
        diameters=found.equivalent_diameters,
        volumes=found.volumes,
        # The moment of an ellipsoid along an axis is a fifth of the square of its semi-axis.
        semi_axes=np.sqrt(5 * values[:, ::-1]),
        axes=np.ascontiguousarray(vectors.transpose(0, 2, 1)[:, ::-1]),
        contacts=np.bincount(found.contacts.ravel() - 1, minlength=found.count),
        complete=~found.touches_border,
    )
