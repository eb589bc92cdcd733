"""Virtual battery electrodes: particles, the binder between them, and the pore that is left."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..connectivity import percolating_mask
from ..microstructure import AXES, Microstructure
from .binder import binder_mask
from .calendering import LARGEST_STRAIN, calendered, checked_strain
from .checks import checked_fraction, checked_periodic, checked_shape, checked_triple
from .packing import JammedError, packed_particles
from .particle_types import ParticleType
from .particles import Particles, smallest_gauges

__all__ = ["Electrode", "electrode"]

# Random packings jam: spheres of one size at 0.64, flat particles of random orientation earlier.
# Denser electrodes are packed as far as it goes and their particles then grown into each other.
_DENSEST_PACKING = 0.55
_LOOSER = 0.85
# Particles grow by at most this factor to meet their fraction.
_LARGEST_GROWTH = 1.2
# Several phases of particles meet their fractions within this, or in small images within the
# largest miss that is let pass.
_TOLERANCE = 1e-4
_LARGEST_MISS = 2e-3
_MAX_ADJUSTMENTS = 40
_WHOLE_STEPS = 12


@dataclass(frozen=True, eq=False)
class Electrode:
    """A virtual electrode: the image, and the particles it was painted from.

    Attributes
    ----------
    micro : Microstructure
        With the phases pore = 0, those of the particles from 1 up, and binder last.
    particles : Particles
        The exact geometry: a voxel belongs to a particle when its centre lies inside. Where
        particles overlap it belongs to the one that would reach it first if all were grown from
        points.
    binder_morphology, binder_profile, seed
        As given to `electrode`.
    phases : tuple of str
        Phase of each type of particles, by `Particles.population`.
    growth : tuple of float
        Factor by which the particles of each phase were grown or shrunk, after packing and after
        calendering together, to meet its fraction; well above 1 where they jammed.
    """

    micro: Microstructure
    particles: Particles
    binder_morphology: float
    binder_profile: tuple[float, ...] | None
    phases: tuple[str, ...]
    growth: tuple[float, ...]
    seed: int = field(repr=False)

    @property
    def thickness(self) -> float:
        """Length along z in metres."""
        return self.micro.extent[0]

    def areal_loading(self, densities: Mapping[str, float]) -> float:
        """Return the mass of the coating per area in kg/m^2.

        Parameters
        ----------
        densities : mapping of str to float
            Density of each solid phase in kg/m^3, with its own fine pores taken into account. The
            pore needs none.

        Returns
        -------
        float
        """
        unknown = [name for name in densities if name not in self.micro.phases]
        if unknown:
            raise ValueError(
                f"phases {unknown} are not in this electrode, which has {list(self.micro.phases)}"
            )
        missing = [
            name
            for name, share in self.micro.volume_fractions.items()
            if share and name != "pore" and name not in densities
        ]
        if missing:
            raise ValueError(
                f"the density of {', '.join(missing)} is missing; give one in kg/m^3, for example "
                "4700, for each solid phase"
            )
        mean = sum(self.micro.volume_fraction(name) * rho for name, rho in densities.items())
        return self.thickness * mean

    def calendered(
        self, strain: float, flattening: float = 0.0, overlap_tolerance: float = 0.05
    ) -> Electrode:
        """Return the electrode pressed along z, with the same solids in a thinner box.

        Parameters
        ----------
        strain : float
            Loss of thickness over the thickness before; rounded to whole voxels.
        flattening : float
            Share of the strain that the particles themselves undergo, from 0 (they only
            rearrange) to 1.
        overlap_tolerance : float
            Largest overlap of two particles, as a part of the sum of their smallest semi-axes.

        Returns
        -------
        Electrode

        Raises
        ------
        ValueError
            If the solids do not fit the thinner box, or the pore does not percolate in it.
        """
        nz, ny, nx = self.micro.shape
        checked_strain(strain, flattening)
        thin = max(math.ceil(nz * (1.0 - LARGEST_STRAIN)), round(nz * (1.0 - strain)))
        fractions = {
            name: share * nz / thin
            for name, share in self.micro.volume_fractions.items()
            if name != "pore"
        }
        if sum(fractions.values()) >= 1.0:
            raise ValueError(
                f"a strain of {strain:g} leaves no pore: the solids take "
                f"{100 * (1 - self.micro.volume_fraction('pore')):.1f} % of the electrode before; "
                "give a smaller strain"
            )
        pressed = calendered(self.particles, 1.0 - thin / nz, flattening, overlap_tolerance)
        made = _painted(
            pressed, (thin, ny, nx), self.micro.voxel_size, self.phases, fractions,
            self.binder_morphology, self.binder_profile, self.seed,
        )  # fmt: skip
        growth = tuple(old * new for old, new in zip(self.growth, made.growth, strict=True))
        return replace(made, growth=growth)


def electrode(
    shape: int | Sequence[int] = (128, 128, 128),
    voxel_size: float | Sequence[float] = 0.4e-6,
    porosity: float = 0.40,
    binder_fraction: float = 0.10,
    particles: ParticleType | Sequence[ParticleType] | None = None,
    binder_morphology: float = 0.5,
    binder_profile: Sequence[float] | None = None,
    overlap_tolerance: float = 0.05,
    seed: int = 0,
    periodic: bool | Sequence[bool] = True,
) -> Electrode:
    """Return a virtual electrode: active particles, binder at their contacts, pore.

    Particles are packed until they overlap by no more than the tolerance, and then grown or
    shrunk about their centres, all by one factor, until their voxels meet the fraction. The
    binder takes the free voxels that `binder_mask` ranks first.

    Parameters
    ----------
    shape : int or 3 ints
        Voxels along (z, y, x); z is through-plane.
    voxel_size : float or 3 floats
        Voxel edge(s) in metres.
    porosity, binder_fraction : float
        Volume fractions of pore and binder; the particles are the rest.
    particles : ParticleType or sequence of ParticleType, optional
        Types of particles; their shares divide the volume. Spheres of 6 +- 1.8 um by default.
    binder_morphology : float
        0 makes a film of even thickness on all particles, 1 gathers the binder in the necks
        between them; at 0.5 it bridges contacts and covers their surroundings.
    binder_profile : sequence of float, optional
        Relative amount of binder per height from z = 0 to z = L, as drying shifts it.
    overlap_tolerance : float
        Largest overlap of two packed particles, as a part of the sum of their radii (of their
        smallest semi-axes if they are not spheres): the depth of necks.
    seed : int
        The same seed gives the same image.
    periodic : bool or 3 bools
        Along a periodic axis the image continues on the opposite face; otherwise its faces are
        walls that particles do not cross.

    Returns
    -------
    Electrode
        The image and the particle list.

    Raises
    ------
    ValueError
        If the fractions leave no active material, if the particles do not fit the image or
        cannot be packed so densely, or if the pore does not percolate in every direction.

    Examples
    --------
    >>> from microtwin.generation import electrode
    >>> made = electrode(shape=48, seed=1)
    >>> round(made.micro.volume_fraction("active"), 3)
    0.5
    """
    shape = checked_shape(shape)
    size = checked_triple(voxel_size, "voxel size", "give the edge in metres, for example 0.4e-6")
    flags = checked_periodic(periodic)
    solid = _particle_fraction(porosity, binder_fraction)
    if particles is None:
        particles = ParticleType((6e-6, 1.8e-6))
    types = (particles,) if isinstance(particles, ParticleType) else tuple(particles)
    reserved = [kind.phase for kind in types if kind.phase in ("pore", "binder")]
    if reserved:
        raise ValueError(f"particles cannot make the phase {reserved[0]!r}; give another name")
    total = sum(kind.share for kind in types)
    fractions: dict[str, float] = {}
    for kind in types:
        fractions[kind.phase] = fractions.get(kind.phase, 0.0) + solid * kind.share / total
    packing = _packed(shape, size, types, solid, seed, overlap_tolerance, flags)
    return _painted(
        packing, shape, size, tuple(kind.phase for kind in types),
        {**fractions, "binder": binder_fraction}, binder_morphology,
        None if binder_profile is None else tuple(binder_profile), seed,
    )  # fmt: skip


def _particle_fraction(porosity: float, binder_fraction: float) -> float:
    checked_fraction(porosity, "porosity")
    solid = 1.0 - porosity - binder_fraction
    if binder_fraction < 0 or solid <= 0:
        raise ValueError(
            f"porosity {porosity} and binder fraction {binder_fraction} leave {solid:.3g} for the "
            "active material; give fractions of 0 or more whose sum is below 1"
        )
    return solid


def _packed(
    shape: tuple[int, int, int],
    size: tuple[float, float, float],
    types: Sequence[ParticleType],
    solid: float,
    seed: int,
    tolerance: float,
    periodic: tuple[bool, bool, bool],
) -> Particles:
    """Pack as densely as asked for, or, if the particles jam, somewhat looser."""
    fraction = min(solid, _DENSEST_PACKING)
    while True:
        looser = _LOOSER * fraction
        try:
            return packed_particles(shape, size, types, fraction, seed, tolerance, periodic)
        except JammedError:
            if solid / looser > _LARGEST_GROWTH**3:
                raise
        fraction = looser


def _painted(
    packing: Particles,
    shape: tuple[int, int, int],
    size: tuple[float, float, float],
    phases: tuple[str, ...],
    fractions: Mapping[str, float],
    morphology: float,
    profile: tuple[float, ...] | None,
    seed: int,
) -> Electrode:
    """Grow the particles to their fractions and place the binder."""
    names = list(dict.fromkeys(phases))
    group = np.array([names.index(phase) for phase in phases])[packing.population]
    wanted = np.array([fractions[name] for name in names])
    labels, growth = _grown(packing, shape, group, wanted)
    particles = replace(packing, semi_axes=growth[group][:, None] * packing.semi_axes)
    count = round(fractions["binder"] * labels.size)
    if count:
        free = labels == 0
        labels[binder_mask(particles, free, count, morphology, profile, seed)] = len(names) + 1
    _check_percolation(labels)
    names = ["pore", *names, "binder"]
    micro = Microstructure(labels, size, {name: label for label, name in enumerate(names)})
    factors = tuple(float(factor) for factor in growth)
    return Electrode(micro, particles, morphology, profile, phases, factors, seed)


def _grown(
    packing: Particles,
    shape: tuple[int, int, int],
    group: NDArray[np.int64],
    wanted: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Scale the particles of each group until they fill their share; return labels and scales."""
    gauges = smallest_gauges(packing, shape, _LARGEST_GROWTH, group)
    voxels = math.prod(shape)
    if len(wanted) == 1:
        count = round(wanted[0] * voxels)
        inner, outer = np.partition(gauges.ravel(), (count - 1, count))[count - 1 : count + 1]
        _check_growth(float(outer))
        factor = 0.5 * (float(inner) + float(outer))
        return (gauges[0] <= inner).view(np.uint8), np.array([factor])
    scales, best = np.ones(len(wanted)), math.inf
    for step in range(_MAX_ADJUSTMENTS):
        scaled = gauges / scales[:, None, None, None].astype(np.float32)
        nearest = np.argmin(scaled, axis=0)
        inside = np.take_along_axis(scaled, nearest[None], axis=0)[0] < 1.0
        found = np.bincount(nearest[inside], minlength=len(wanted)) / voxels
        worst = float(np.max(np.abs(found - wanted)))
        if worst < best:
            best, kept = worst, (np.where(inside, nearest + 1, 0).astype(np.uint8), scales)
        if worst <= max(_TOLERANCE, 0.5 / voxels):
            break
        # Few voxels answer in jumps, and whole steps may go to and fro between two of them.
        power = 1.0 / 3.0 if step < _WHOLE_STEPS else 1.0 / 9.0
        scales = scales * (wanted / np.maximum(found, 0.1 * wanted)) ** power
        _check_growth(float(scales.max()))
    if best > _LARGEST_MISS:
        raise ValueError(
            f"the particles miss their volume fractions by {100 * best:.2g} percentage points; "
            "give fewer phases, larger particles or a larger image"
        )
    return kept


def _check_growth(factor: float) -> None:
    if not factor <= _LARGEST_GROWTH:
        raise ValueError(
            "the particles jam far below the fraction asked for; raise the porosity or the overlap "
            "tolerance, widen the size distribution or align flat particles"
        )


def _check_percolation(labels: NDArray[np.uint8]) -> None:
    for axis, name in enumerate(AXES):
        if not percolating_mask(labels == 0, axis).any():
            raise ValueError(
                f"the pore does not percolate along {name} at porosity "
                f"{np.mean(labels == 0):.3g}; raise the porosity, lower the binder fraction or "
                "the strain, or use a larger image"
            )
