"""A tomograph in the computer: from a labelled microstructure to a scan with known truth.

The chain is that of a parallel-beam instrument. Each phase attenuates; every slice across the
rotation axis (z, axis 0) is projected; the beam has several energies, of which the soft ones are
absorbed first (beam hardening); the detector blurs what reaches it, each of its pixels has a gain
that the flat field does not quite correct (rings), and photons are counted (noise). The counts
are turned into line integrals and reconstructed by filtered back-projection, and the grey scale
of the slices wanders (drift). Only the labels are known to be true; nothing else is shared with
the corrections and the segmentation that are tested on such scans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...microstructure import Microstructure, Scan
from .parallel_beam import filtered_back_projection, project

__all__ = ["Scanner", "virtual_scan"]

# Shares of the rings that run through all rows (scratches of the scintillator) and that belong
# to single pixels.
_THROUGH_ALL_ROWS = 0.7


@dataclass(frozen=True)
class Scanner:
    """Settings of the virtual tomograph.

    Parameters
    ----------
    attenuation : mapping of str to float
        Linear attenuation coefficient of each phase in 1/m, at the mean energy of the beam.
    views : int or None
        Projections over half a turn; by default as many as sample a slice fully, pi / 2 times
        its longer edge in voxels.
    photons : float
        Photons per detector pixel and projection without a sample; ``inf`` for no noise.
    blur : float
        Standard deviation of the Gaussian response of the detector, in pixels (voxels).
    spectrum : sequence of (float, float)
        Energies of the beam: the share of each, and the factor by which the sample attenuates
        it compared with `attenuation`. One energy has no beam hardening.
    rings : float
        Standard deviation of the relative error of the gain of the detector pixels.
    drift : float
        Standard deviation of the wandering of the grey scale from slice to slice, relative to
        the largest attenuation: half of it a gain, half of it an offset.

    Raises
    ------
    ValueError
        If a setting is negative, or there is no energy in the beam.
    """

    attenuation: Mapping[str, float]
    views: int | None = None
    photons: float = np.inf
    blur: float = 0.0
    spectrum: Sequence[tuple[float, float]] = field(default=((1.0, 1.0),))
    rings: float = 0.0
    drift: float = 0.0

    def __post_init__(self) -> None:
        for name in ("blur", "rings", "drift"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(
                    f"{name} = {getattr(self, name)!r} is not allowed; give a number of 0 or more"
                )
        if not self.photons > 0:
            raise ValueError(
                f"photons = {self.photons!r} is not allowed; give a number above 0, or inf for a "
                "scan without noise"
            )
        if self.views is not None and (self.views < 2 or int(self.views) != self.views):
            raise ValueError(
                f"views = {self.views!r} is not allowed; give a whole number of 2 or more"
            )
        for phase, value in self.attenuation.items():
            if not 0 <= value < np.inf:
                raise ValueError(
                    f"attenuation {value!r} of {phase!r} is not allowed; give a number of 0 or "
                    "more, in 1/m"
                )
        energies = np.asarray(self.spectrum, float)
        if energies.ndim != 2 or energies.shape[1] != 2 or not (energies > 0).all():
            raise ValueError(
                f"spectrum {self.spectrum!r} is not allowed; give pairs (share, factor of the "
                "attenuation), all above 0"
            )


def virtual_scan(micro: Microstructure, scanner: Scanner, seed: int = 0) -> Scan:
    """Scan a microstructure in the computer.

    Parameters
    ----------
    micro : Microstructure
        The truth; its voxels along y and x must be equal.
    scanner : Scanner
    seed : int
        The same seed gives the same bits.

    Returns
    -------
    Scan
        float32, linear attenuation in 1/m, on the voxels of the microstructure. With ideal
        settings it is the attenuation of each voxel's phase up to the error of the projection.

    Raises
    ------
    ValueError
        If a phase has no attenuation, or voxels are not square across the rotation axis.
    """
    _check_square(micro)
    generator = np.random.default_rng(seed)
    sinograms, angles = _line_integrals(micro, scanner)
    transmitted = _hardened(sinograms, scanner.spectrum)
    del sinograms
    measured = _detected(transmitted, scanner, generator)
    values = filtered_back_projection(measured, angles, shape=micro.shape[1:])
    values /= np.float32(micro.voxel_size[1])
    _drift(values, scanner, generator)
    return Scan(values, micro.voxel_size)


def _check_square(micro: Microstructure) -> None:
    _, height, width = micro.voxel_size
    if abs(height - width) > 1e-6 * width:
        raise ValueError(
            f"voxels of {height:g} x {width:g} m across the rotation axis z are not square, and a "
            "tomograph has square ones there; resample the image"
        )


def _line_integrals(
    micro: Microstructure, scanner: Scanner
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the integrals of the attenuation (no unit) and the angles."""
    table = np.zeros(256, np.float32)
    for phase, label in micro.phases.items():
        if phase not in scanner.attenuation:
            raise ValueError(
                f"phase {phase!r} has no attenuation; given are "
                f"{', '.join(scanner.attenuation) or 'none'}, in 1/m"
            )
        table[label] = scanner.attenuation[phase] * micro.voxel_size[1]
    longest = max(micro.shape[1:])
    views = int(scanner.views or np.ceil(np.pi / 2 * longest))
    angles = np.arange(views) * np.pi / views
    return project(table[micro.labels], angles), angles


def _hardened(
    integrals: NDArray[np.float32], spectrum: Sequence[tuple[float, float]]
) -> NDArray[np.float32]:
    """Return the transmitted share of the beam, by the Beer-Lambert law of each energy."""
    shares = np.array(spectrum, float)
    shares[:, 0] /= shares[:, 0].sum()
    # Line integrals are meant at the mean attenuation of the spectrum.
    shares[:, 1] /= (shares[:, 0] * shares[:, 1]).sum()
    total = np.zeros_like(integrals)
    for share, factor in shares.astype(np.float32):
        total += share * np.exp(-factor * integrals)
    return total


def _detected(
    transmitted: NDArray[np.float32], scanner: Scanner, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Return the line integrals that the detector measures, row by row to save memory."""
    from scipy.ndimage import gaussian_filter

    columns = transmitted.shape[2]
    if scanner.blur:
        # Along the rows and the columns of the detector, not along the views.
        sigma = (scanner.blur, 0.0, scanner.blur)
        transmitted = gaussian_filter(transmitted, sigma, mode="nearest", truncate=5.0)
    through = generator.standard_normal(columns) * np.sqrt(_THROUGH_ALL_ROWS)
    for row in transmitted:
        own = generator.standard_normal(columns) * np.sqrt(1 - _THROUGH_ALL_ROWS)
        row *= (1.0 + scanner.rings * (through + own)).astype(np.float32)
        if np.isfinite(scanner.photons):
            counts = generator.poisson(np.maximum(row, 0.0) * scanner.photons)
            row[:] = counts / scanner.photons
        # A pixel that no photon has reached counts as half a photon: the logarithm needs one.
        np.maximum(row, 0.5 / scanner.photons if np.isfinite(scanner.photons) else 1e-30, out=row)
        np.log(row, out=row)
        np.negative(row, out=row)
    return transmitted


def _drift(values: NDArray[np.float32], scanner: Scanner, generator: np.random.Generator) -> None:
    """Let gain and offset of the slices wander: a smooth curve and some jitter, in equal parts."""
    from scipy.ndimage import gaussian_filter1d

    if not scanner.drift:
        return
    largest = max(scanner.attenuation.values())
    slices = values.shape[0]

    def wandering() -> NDArray[np.float32]:
        smooth = gaussian_filter1d(generator.standard_normal(slices + 200), 20.0)[100:-100]
        # Of few slices a smooth curve shows next to nothing but its mean, which is no drift.
        smooth -= np.mean(smooth)
        smooth /= max(float(np.std(smooth)), 1e-30)
        course = (smooth + 0.3 * generator.standard_normal(slices)) / np.sqrt(1.09)
        return (scanner.drift / np.sqrt(2) * course).astype(np.float32)

    gain, offset = wandering(), wandering()
    values *= (1.0 + gain)[:, None, None]
    values += np.float32(largest) * offset[:, None, None]
