"""From the labels of an imaged electrode to the parameters of a porous-electrode model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..checking import is_number
from ..connectivity import reaching_clusters
from ..descriptors import ParticleShapes, SizeDistribution, interface_area, measured_volume
from ..electrochemistry import NoInterfaceError
from ..geometry import phase_fractions
from ..microstructure import Microstructure
from ..transport import homogenize, tortuosity_factor
from ..transport.options import Boundary, Interface
from ..trust import combine, discretisation_study
from .electrode_parameters import ElectrodeParameters, Quantity

__all__ = ["measure_electrode"]

# The image, and the image on voxels twice as large.
SMALLEST = 4


@dataclass(frozen=True)
class _Image:
    """An electrode, and which of its phases do what."""

    micro: Microstructure
    active: str
    pore: str
    conductivities: Mapping[str, float]
    porous: Mapping[str, tuple[float, float]]
    boundary: Boundary
    interface: Interface
    tol: float

    @property
    def holding(self) -> tuple[str, ...]:
        """Names of the phases that hold electrolyte."""
        return (self.pore, *self.porous)

    def fraction(self, phase: str) -> float:
        """Return the volume fraction of a phase by the geometry that transport uses."""
        if self.interface == "voxel":
            return self.micro.volume_fraction(phase)
        if not self.porous:
            # The pores alone conduct, and all the rest is one solid to them.
            labels = self.micro.mask(phase).view(np.uint8)
            return float(phase_fractions(labels, 1).mean(dtype=float))
        labels, mine = self.micro.labels, self.micro.label(phase)
        if phase in self.holding:
            # Several phases conduct, and what lies between them is one solid.
            wet = self.micro.mask(self.holding)
            labels = np.where(wet, labels, np.uint8(self.micro.label(self.active)))
        return float(phase_fractions(labels, mine).mean(dtype=float))

    def porosity(self) -> float:
        """Return the share of the volume that holds electrolyte."""
        return self.fraction(self.pore) + sum(
            pores * self.fraction(name) for name, (pores, _) in self.porous.items()
        )

    def liquid_efficiency(self) -> float:
        """Return effective over free conductivity of the electrolyte through the thickness."""
        if not self.porous:
            return tortuosity_factor(
                self.micro, self.pore, "z", self.boundary, self.interface, self.tol
            ).relative_diffusivity
        shares = {self.pore: 1.0} | {n: pores / tau for n, (pores, tau) in self.porous.items()}
        tensor = homogenize(self.micro, shares, self.boundary, self.interface, self.tol)
        return tensor.through_plane

    def solid_conductivity(self) -> float:
        """Return the effective conductivity of the solid through the thickness, in S/m."""
        return homogenize(
            self.micro, self.conductivities, self.boundary, self.interface, self.tol
        ).through_plane

    @cached_property
    def connected(self) -> Microstructure:
        """Return the image with what is connected to nothing as phases of its own."""
        conducting = [self.active, *(n for n, s in self.conductivities.items() if s > 0.0)]
        solid = reaching_clusters(self.micro.mask(conducting), 0, 0) > 0
        liquid = reaching_clusters(self.micro.mask(self.holding), 0, -1) > 0
        names = ["rest", "active", "dead active", *self.holding]
        labels = np.zeros(self.micro.shape, np.uint8)
        mine = self.micro.mask(self.active)
        labels[mine] = 2
        labels[mine & solid] = 1
        for number, name in enumerate(self.holding, start=3):
            labels[self.micro.mask(name) & liquid] = number
        # Names of phases are the user's; these are ours.
        phases = {f"{number} {name}": number for number, name in enumerate(names)}
        return Microstructure(labels, self.micro.voxel_size, phases)

    def active_fraction(self) -> float:
        """Return the share of the volume that is active material connected to the collector."""
        alive = self.connected
        lost, kept = (int(np.count_nonzero(alive.labels == number)) for number in (2, 1))
        return self.fraction(self.active) * kept / (kept + lost) if kept else 0.0

    @cached_property
    def areas(self) -> tuple[float, float]:
        """Return area of connected active material per volume, in 1/m: wetted, and all of it."""
        alive = self.connected
        areas = interface_area(alive).scaled(1.0 / measured_volume(alive))
        names = alive.phase_names
        reached = zip(names[3:], [1.0, *(pores for pores, _ in self.porous.values())], strict=True)
        wetted = sum(share * areas[names[1], name] for name, share in reached)
        return wetted, areas.of_phase(names[1]) - areas[names[1], names[2]]


def measure_electrode(
    micro: Microstructure,
    active: str = "active",
    pore: str = "pore",
    conductivities: Mapping[str, float] | None = None,
    *,
    porous_phases: Mapping[str, tuple[float, float]] | None = None,
    thickness: float | Quantity | None = None,
    particles: ParticleShapes | SizeDistribution | None = None,
    boundary: Boundary = "faces",
    interface: Interface = "smooth",
    tol: float = 1e-4,
    discretisation: bool = True,
) -> ElectrodeParameters:
    """Measure what a porous-electrode model needs to know of an imaged electrode.

    Parameters
    ----------
    micro : Microstructure
        The current collector is at z = 0, the separator at the other end.
    active, pore : str
        Names of the phase that stores lithium and of that which holds free electrolyte.
    conductivities : mapping of str to float, optional
        Electronic conductivity of the active material and of other phases that conduct, in S/m.
        They must be those of the materials: many published values are effective already, measured
        on a whole electrode. Without them the solid conductivity is left out, and active material
        counts as connected where it reaches the collector by itself.
    porous_phases : mapping of str to (float, float), optional
        Porosity and tortuosity factor of phases that hold electrolyte in pores too small for the
        image, as the binder may. Active material that they cover reacts over the share of the area
        that their porosity is.
    thickness : float or Quantity, optional
        Of the electrode, in m, where the image shows only a part of it. By default the height of
        the image.
    particles : ParticleShapes or SizeDistribution, optional
        Of separated particles. The radius is then their mean weighted with volume, and the
        distribution is kept. By default it is the Sauter radius: three times volume over area of
        the active material, the area under binder included, contacts between particles not.
    boundary : {"faces", "mirror", "periodic"}
        Of the transport solves, see `microtwin.transport.tortuosity_factor`.
    interface : {"smooth", "voxel"}
        Of fractions and transport; areas are those of the Crofton formula either way.
    tol : float
        Of the transport solves.
    discretisation : bool
        Whether to measure on voxels twice as large as well; the change is the uncertainty. It
        costs an eighth more. Sampling and segmentation are not in it: see `microtwin.trust`.

    Returns
    -------
    ElectrodeParameters

    Raises
    ------
    ValueError
        If a name or number is not allowed.
    NoInterfaceError
        A ValueError: active material that is connected to the collector does not touch electrolyte
        that is connected to the separator.

    Examples
    --------
    >>> import microtwin as mt
    >>> made = mt.generation.electrode(24, 0.4e-6, porosity=0.4, binder_fraction=0.1, seed=3)
    >>> found = mt.upscaling.measure_electrode(made.micro, conductivities={"active": 1.0})
    >>> found.liquid_transport_efficiency.value < found.porosity.value
    True
    """
    for name in (active, pore, *(conductivities or {}), *(porous_phases or {})):
        micro.label(name)
    if active == pore:
        raise ValueError(f"active and pore are both {active!r}; name two phases")
    if pore in (conductivities or {}):
        raise ValueError(
            f"conductivities name {pore!r}, which holds electrolyte and conducts no electrons; "
            "give those of solid phases"
        )
    porous = _porous(porous_phases or {}, active, pore)
    image = _Image(micro, active, pore, conductivities or {}, porous, boundary, interface, tol)
    voxels = " x ".join(map(str, micro.shape))
    edges = micro.voxel_size if len(set(micro.voxel_size)) > 1 else micro.voxel_size[:1]
    where = f"an image of {voxels} voxels of {' x '.join(f'{1e9 * h:.4g}' for h in edges)} nm"
    twice = discretisation and min(micro.shape) >= SMALLEST
    changed = "; the uncertainty is the change on voxels twice as large"
    ending = f" on {where}{changed if twice else ''}."

    def measured(
        value: float, unit: str, method: str, phase: str, again: Callable[[_Image], float]
    ) -> Quantity:
        error = None
        if twice:
            error = discretisation_study(
                micro,
                lambda coarse, _: again(replace(image, micro=coarse)),
                phase=phase,
                fine=value,
                staircase=False,
            ).discretisation
        return Quantity(value, unit, error, method + ending)

    wetted, whole = image.areas
    if wetted <= 0.0:
        raise NoInterfaceError(_nothing_reacts(image))
    fraction = image.active_fraction()
    sizes = particles.sizes if isinstance(particles, ParticleShapes) else particles
    parts: dict[str, Quantity] = {
        "thickness": _thickness(thickness, micro),
        "porosity": measured(
            image.porosity(), "1", f"Volume of {pore!r}{_and(porous)}", pore, _Image.porosity
        ),
        "active_fraction": measured(
            fraction,
            "1",
            f"Volume of {active!r} that is connected to the collector",
            active,
            _Image.active_fraction,
        ),
        "liquid_transport_efficiency": measured(
            image.liquid_efficiency(),
            "1",
            f"Conduction through {pore!r}{_and(porous)} along z, boundary {boundary!r}, interface "
            f"{interface!r}",
            pore,
            _Image.liquid_efficiency,
        ),
        "specific_surface": measured(
            wetted,
            "1/m",
            f"Area by the Crofton formula between connected {active!r} and {pore!r}{_and(porous)}",
            active,
            lambda coarse: coarse.areas[0],
        ),
    }
    if conductivities:
        listed = ", ".join(f"{n} {s:.4g} S/m" for n, s in conductivities.items())
        parts["solid_conductivity"] = measured(
            image.solid_conductivity(),
            "S/m",
            f"Conduction through the solid along z with {listed}",
            active,
            _Image.solid_conductivity,
        )
        if conductivities.get(active):
            parts["bulk_solid_conductivity"] = Quantity(
                conductivities[active], "S/m", None, "Given with the image."
            )
    radii, weights = None, None
    if sizes is None:
        parts["particle_radius"] = measured(
            3.0 * fraction / whole,
            "m",
            f"Sauter radius of {active!r}, three times volume over area,",
            active,
            _sauter,
        )
    else:
        radii, weights = _radii(sizes)
        parts["particle_radius"] = Quantity(
            float(radii @ weights), "m", None, "Mean over the volume of separated particles."
        )
    return ElectrodeParameters(
        **parts,
        porosity_profile=micro.profile(pore)
        + sum(pores * micro.profile(name) for name, (pores, _) in porous.items()),
        particle_radii=radii,
        radius_weights=weights,
    )


def _nothing_reacts(image: _Image) -> str:
    """Return why connected active material and connected electrolyte do not touch."""
    labels, active, pore = image.connected.labels, image.active, image.pore
    if not (labels == 1).any():
        return (
            f"no {active!r} is connected to the collector at z = 0; turn the image, or give the "
            "conductivities of the phases that connect it"
        )
    if not (labels > 2).any():
        return (
            f"no {pore!r} is connected to the separator at the other end of z; turn the image, or "
            "name the phases that hold electrolyte in porous_phases"
        )
    areas = interface_area(image.micro)
    others = [n for n in image.micro.phase_names if n not in (active, *image.holding)]
    covering = " and ".join(repr(n) for n in others if areas[active, n] > 0.0)
    if not covering:
        return (
            f"{active!r} that is connected to the collector at z = 0 does not touch {pore!r} that "
            "is connected to the separator at the other end; turn the image, or name other phases"
        )
    return (
        f"{active!r} touches no {pore!r} that is connected to the separator, for it is covered by "
        f"{covering}; give the porosity and tortuosity factor of what covers it in porous_phases, "
        "if that holds electrolyte"
    )


def _sauter(image: _Image) -> float:
    whole = image.areas[1]
    return 3.0 * image.active_fraction() / whole if whole else 0.0


def _thickness(given: float | Quantity | None, micro: Microstructure) -> Quantity:
    if isinstance(given, Quantity):
        return given
    if given is not None:
        return Quantity(given, "m", None, "Given with the image.")
    # Each end of the coating lies somewhere within a voxel: two rectangular distributions.
    error = combine(*2 * [micro.voxel_size[0] / math.sqrt(12.0)])
    return Quantity(micro.extent[0], "m", error, "Height of the image.")


def _radii(sizes: SizeDistribution) -> tuple[np.ndarray, np.ndarray]:
    present = (sizes.shares > 0.0) & (sizes.diameters > 0.0)
    if not present.any():
        raise ValueError("the size distribution is empty; give particles that lie in the image")
    shares = sizes.shares[present]
    return sizes.diameters[present] / 2.0, shares / shares.sum()


def _porous(
    given: Mapping[str, tuple[float, float]], active: str, pore: str
) -> dict[str, tuple[float, float]]:
    for name, pair in given.items():
        if name in (active, pore):
            raise ValueError(f"{name!r} cannot be a porous phase; name another one, as the binder")
        good = isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(is_number, pair))
        if not good or not (0.0 < pair[0] <= 1.0 and pair[1] >= 1.0):
            raise ValueError(
                f"porous phase {name!r}: {pair!r} is not allowed; give its porosity, up to 1, and "
                "its tortuosity factor, 1 or more"
            )
    return {name: (float(pores), float(tau)) for name, (pores, tau) in given.items()}


def _and(porous: Mapping[str, tuple[float, float]]) -> str:
    """Return the porous phases for a sentence."""
    return "".join(
        f" and {name!r} of porosity {pores:g} and tortuosity factor {tau:g}"
        for name, (pores, tau) in porous.items()
    )
