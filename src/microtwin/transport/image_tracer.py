"""A tracer in the flow through one phase of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..connectivity import carrying_clusters
from ..geometry import phase_fractions, smooth_geometry, voxel_geometry
from ..geometry.surface import measured_phase_volume, surface_area
from ..microstructure import AXES, Microstructure, axis_index
from . import breakthrough_curve as curves
from . import closure
from .permeability import Permeability
from .tracer_grids import TracerGrid, tracer_grid

__all__ = ["breakthrough", "dispersion", "flow_grid", "grain_diameter"]


def dispersion(
    micro: Microstructure,
    flow: Permeability,
    peclet: ArrayLike,
    *,
    length: float | None = None,
    diffusivity: float = 1e-9,
    tol: float = 1e-6,
    max_iterations: int = 600,
    watch: closure.Watch | None = None,
) -> closure.Dispersion:
    """Compute the dispersion tensor of a tracer that flows through an image.

    Solves the closure problem of the mean concentration on one period of the image,
    u.grad b - D lap b = U - u with the normal derivative -n on walls, for the deviation b of each
    direction, and averages the fluxes: D* = D (I + <grad b>) - <u b>.

    Parameters
    ----------
    micro : Microstructure
    flow : Permeability
        Flow through one of its phases, with its fields. Only its shape counts: the velocity is
        scaled to each Péclet number. With ``boundary="faces"`` or ``"mirror"`` the image is joined
        to its reflections, which takes eight times the memory.
    peclet : float or sequence of floats
        Mean velocity in the pores (interstitial) times `length` over the diffusivity.
    length : float, optional
        Length in the Péclet number, in m; by default `grain_diameter`, of an image that repeats if
        the flow does.
    diffusivity : float
        Molecular diffusivity in m^2/s. The relative tensor does not depend on it.
    tol : float
        Norm of the residual over that of the right-hand side at which a solve stops.
    max_iterations : int
        Bound on the iterations of each of the three loads.
    watch : callable, optional
        Called as ``watch(peclet, relative_tensor)`` after each Péclet number, from the lowest on.

    Returns
    -------
    Dispersion

    Raises
    ------
    ValueError
        For a flow that does not percolate or has no fields, negative Péclet numbers, a diffusivity,
        length or tolerance that is not allowed.
    ConvergenceError
        If a solve does not reach the tolerance.

    Notes
    -----
    Walls are those of the flow: ``interface`` of `flow`. At a Péclet number of zero,
    `relative_tensor` times `volume_fraction` is the effective diffusivity of `homogenize`, and one
    over it is the tortuosity factor for the connected pores. Brenner, Phil. Trans. R. Soc. Lond. A
    297 (1980) 81; Carbonell & Whitaker, Chem. Eng. Sci. 38 (1983) 1795. Tested on the dispersion
    of Taylor and Aris in plates, ducts and tubes.
    """
    grid = flow_grid(micro, flow)
    if length is None:
        length = grain_diameter(micro, flow.phase, flow.boundary == "periodic")
    return closure.grid_dispersion(
        grid, peclet, length, diffusivity, tol=tol, max_iterations=max_iterations, watch=watch
    )


def breakthrough(
    micro: Microstructure,
    flow: Permeability,
    diffusivity: float,
    velocity: float,
    *,
    pulse: float | None = None,
    retardation: float = 1.0,
    decay: float = 0.0,
    pore_volumes: float | None = None,
    snapshots: Sequence[float] = (),
    watch: curves.Watch | None = None,
) -> curves.Breakthrough:
    """Let a tracer flow through an image, and record what comes out.

    The image is clean at first. From then on, or for a while, fluid with the concentration 1 flows
    in; it carries all that enters, so the flux at the inlet is given (no diffusion out of it). At
    the outlet there is no gradient. The concentration of the effluent is a flux concentration,
    averaged over the flow.

    Parameters
    ----------
    micro : Microstructure
    flow : Permeability
        Flow through one of its phases, with its fields. It enters at the low end of its direction.
        A periodic flow is cut there; its sides still repeat.
    diffusivity : float
        Molecular diffusivity in m^2/s.
    velocity : float
        Mean velocity in the pores (interstitial), in m/s; the flow is scaled to it.
    pulse : float, optional
        Time in s after which clean fluid flows in; by default the inlet stays at 1.
    retardation : float
        R, 1 plus the amount that is sorbed over the amount that is dissolved, at equilibrium and
        in proportion everywhere.
    decay : float
        Rate in 1/s at which the tracer decays, dissolved or sorbed.
    pore_volumes : float, optional
        Fluid to let through, over what the connected pores hold; by default three times the
        retardation.
    snapshots : sequence of floats
        Times in s at which the concentration of all voxels is kept.
    watch : callable, optional
        Called as ``watch(pore_volumes, concentration)`` after each time step.

    Returns
    -------
    Breakthrough

    Raises
    ------
    ValueError
        For a flow that does not percolate or has no fields, and input that is not allowed.
    ConvergenceError
        If a diffusion step does not converge.

    Notes
    -----
    Advection is explicit, of second order, with van Leer's limiter; diffusion is implicit where
    it has to be. Concentrations stay between 0 and 1, and nothing is lost: see `balance`, `lowest`
    and `highest` of the result. The time step follows from the fastest voxel, so the time that this
    takes grows with the length of the image in voxels and hardly depends on the diffusivity.
    """
    return curves.grid_breakthrough(
        flow_grid(micro, flow, through=True), diffusivity, velocity=velocity, pulse=pulse,
        retardation=retardation, decay=decay, pore_volumes=pore_volumes, snapshots=snapshots,
        watch=watch,
    )  # fmt: skip


def grain_diameter(micro: Microstructure, phase: str, periodic: bool = True) -> float:
    """Return six times the volume of all that is not the phase over the surface of the phase, in m.

    The diameter of equal spheres with that volume and surface (Sauter).

    Parameters
    ----------
    micro : Microstructure
    phase : str
        The phase that the fluid fills.
    periodic : bool
        Whether the image continues across its outer faces. The faces themselves never count.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the phase has no surface.
    """
    area = surface_area(micro, phase, periodic)
    others = [name for name in micro.phase_names if name != phase]
    solid = measured_phase_volume(micro, others, periodic)
    if not area > 0.0:
        raise ValueError(
            f"{phase} has no surface in this image, so there are no grains; give a length in m"
        )
    return 6.0 * solid / area


def flow_grid(micro: Microstructure, flow: Permeability, through: bool = False) -> TracerGrid:
    """Return the grid of a tracer in a flow through an image.

    Parameters
    ----------
    micro : Microstructure
    flow : Permeability
        With its fields. Its velocities, in m^2, are taken as m/s.
    through : bool
        Whether fluid enters and leaves. Otherwise the grid repeats, joined to its reflections if
        the flow does not.

    Returns
    -------
    TracerGrid

    Raises
    ------
    ValueError
        For a flow that does not percolate or has no fields, or that belongs to another image.
    """
    if not flow.percolates:
        raise ValueError(f"{flow.message} No tracer flows through it.")
    axis = axis_index(flow.direction)
    inside = micro.mask(flow.phase)
    faces = [flow.face_velocity(name) for name in AXES]
    speeds = [np.moveaxis(np.moveaxis(u, a, 0)[1:], 0, a) for a, u in enumerate(faces)]
    if speeds[0].shape != inside.shape:
        raise ValueError(
            f"the flow has {speeds[0].shape} voxels and the image {inside.shape}; compute the flow "
            "on this image"
        )
    periodic = flow.boundary == "periodic"
    if not periodic and not through:
        speeds = _reflected(faces, axis)
        inside = np.pad(inside, [(0, n) for n in inside.shape], "symmetric")
        periodic = True
    openings, volumes = _geometry(inside, axis, periodic, flow.interface == "voxel")
    return tracer_grid(
        (speeds[0], speeds[1], speeds[2]), openings, volumes, micro.voxel_size,
        axis if through else None,
    )  # fmt: skip


def _geometry(
    inside: NDArray[np.bool_], axis: int, periodic: bool, staircase: bool
) -> tuple[tuple[NDArray, NDArray, NDArray], NDArray]:
    """Return how far faces are open, and how much of each voxel is fluid."""
    labels = np.ascontiguousarray(inside).view(np.uint8)
    clusters = carrying_clusters(labels.view(bool), axis, periodic)
    build = voxel_geometry if staircase else smooth_geometry
    geometry = build(labels, 1, clusters, periodic)
    z, y, x = (geometry.unit * face for face in geometry.faces)
    return (z, y, x), inside if staircase else phase_fractions(labels, 1, periodic)


def _reflected(faces: Sequence[NDArray[np.float64]], axis: int) -> list[NDArray[np.float64]]:
    """Return the velocities after each voxel of the image joined to its reflections.

    Across the flow a reflection turns round the component along it. Along the flow the pressure
    goes on falling in the reflection, so there it turns round the two others.
    """
    found = list(faces)
    for r in range(3):
        for a in range(3):
            turned = a != axis if r == axis else a == r
            image = np.moveaxis(found[a], r, 0)
            after, back = (image[1:], image[-2::-1]) if a == r else (image, image[::-1])
            found[a] = np.moveaxis(np.concatenate([after, -back if turned else back]), 0, r)
    return found
