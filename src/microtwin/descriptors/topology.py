"""Topology of a phase: pieces, tunnels and cavities.

The voxel centres of a phase span a complex: neighbours across a face are joined by an edge, four
voxels of a square by a square, eight of a cube by a cube. Its Euler number, vertices less edges
plus squares less cubes, is the number of pieces less tunnels plus cavities (Betti numbers). Pieces
hold together through faces, as everywhere in this package, and therefore what encloses or threads
them is connected through faces, edges and corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..connectivity import label_clusters
from ..geometry.crossings import configuration_histogram, euler_number, phase_histogram
from ..geometry.surface import measured_volume
from ..microstructure import Microstructure

__all__ = ["Topology", "betti_numbers", "euler_density"]


@dataclass(frozen=True)
class Topology:
    """Betti numbers of a phase in the image.

    Attributes
    ----------
    pieces : int
        Clusters of voxels that are connected through faces.
    tunnels : int
        Independent loops: how often the phase can be cut without falling apart.
    cavities : int
        Pieces of the rest that the phase encloses altogether, connected through faces, edges and
        corners.
    """

    pieces: int
    tunnels: int
    cavities: int

    @property
    def euler_number(self) -> int:
        """Pieces less tunnels plus cavities."""
        return self.pieces - self.tunnels + self.cavities


def betti_numbers(micro: Microstructure, phase: str) -> Topology:
    """Count the pieces, tunnels and cavities of a phase.

    The image is taken as a piece by itself: what its faces cut is cut. For the Euler number per
    volume of a larger material see `euler_density`.

    Parameters
    ----------
    micro : Microstructure
    phase : str

    Returns
    -------
    Topology

    Raises
    ------
    ValueError
        If the phase is not in the microstructure.
    """
    # Nothing lies beyond the faces, and that is one piece.
    mask = np.pad(micro.mask(phase), 1)
    histogram = configuration_histogram(mask.view(np.uint8), np.arange(256) == 1, periodic=False)
    euler = round(euler_number(histogram))
    _, pieces = label_clusters(mask)
    _, outside = label_clusters(~mask, connectivity=26)
    cavities = outside - 1
    return Topology(pieces, pieces + cavities - euler, cavities)


def euler_density(micro: Microstructure, phase: str, periodic: bool = False) -> float:
    """Return the Euler number of a phase per volume of the image, in 1/m^3.

    Parameters
    ----------
    micro : Microstructure
    phase : str
    periodic : bool
        Whether the image continues across its outer faces. If not, the number is measured
        between the outermost voxel centres, where each cell counts in proportion to what lies
        inside, which leaves it free of bias from the faces.

    Returns
    -------
    float
        Negative for a connected network: each further loop lowers it.

    Raises
    ------
    ValueError
        If the phase is not in the microstructure.
    """
    histogram = phase_histogram(micro, [phase], periodic)
    return euler_number(histogram) / measured_volume(micro, periodic)
