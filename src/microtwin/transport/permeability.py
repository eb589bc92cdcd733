"""Permeability: slow viscous flow through one phase of an image."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from microtwin.connectivity import carrying_clusters
from microtwin.microstructure import AXES, Direction, Microstructure, axis_index
from microtwin.numerics.krylov import Progress
from microtwin.numerics.saddle import solve_saddle
from microtwin.transport.flow_fields import FlowState
from microtwin.transport.options import Boundary, Interface, check_options, checked_level_set
from microtwin.transport.stokes_grid import stokes_system

__all__ = ["DARCY", "Permeability", "PermeabilityTensor", "permeability", "permeability_tensor"]

DARCY = 9.869233e-13  # m^2


@dataclass(frozen=True, eq=False)
class Permeability:
    """Viscous flow through one phase under a pressure gradient in one direction.

    Parameters
    ----------
    phase, direction, boundary, interface : str
        What was computed.
    permeability : float
        k in m^2: the mean velocity along the direction is -k / viscosity times the mean pressure
        gradient. 0 if the phase does not percolate, infinite if it fills the image.
    superficial_velocity : ndarray of float64, shape (3,)
        Mean velocity over the whole image along (z, y, x), for a pressure that falls by 1 Pa/m
        along the direction and a viscosity of 1 Pa s. In m^2, that is, one row of the
        permeability tensor. Along the direction it is `permeability`; the two others are zero but
        with ``boundary="periodic"``.
    volume_fraction : float
        Share of the voxels with the label of the phase: the porosity.
    percolating_fraction : float
        Share of those voxels that belong to a cluster which percolates in this direction.
    iterations : int
        Steps of conjugate gradients for the pressure.
    residual : float
        The larger of the residual of the momentum balance over the part of the driving force that
        friction takes, and the norm of the divergence over that of the velocity.
    flux_spread : float
        (max - min) / mean of the flux through the layers.
    largest_divergence : float
        Largest flow out of a voxel that is not made up for, over the root mean square of the flow
        through its open faces.
    layer_flux : ndarray of float64, shape (n,)
        Mean velocity through each layer of faces across the direction, in m^2. With ``faces`` and
        ``mirror`` there are n + 1 layers of faces for n layers of voxels, otherwise n.
    residual_history, spread_history : tuple of float
        Residual and flux spread each time they were computed.
    """

    phase: str
    direction: Direction
    boundary: Boundary
    interface: Interface
    permeability: float
    superficial_velocity: NDArray[np.float64]
    volume_fraction: float
    percolating_fraction: float
    iterations: int = 0
    residual: float = 0.0
    flux_spread: float = 0.0
    largest_divergence: float = 0.0
    layer_flux: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), repr=False)
    residual_history: tuple[float, ...] = field(default=(), repr=False)
    spread_history: tuple[float, ...] = field(default=(), repr=False)
    _state: FlowState | None = field(default=None, repr=False)

    @property
    def percolates(self) -> bool:
        """Whether the phase connects the image to itself in this direction."""
        return self.percolating_fraction > 0.0

    @property
    def interstitial_velocity(self) -> NDArray[np.float64]:
        """Mean velocity over the percolating pores alone, shape (3,), in m^2.

        The superficial velocity over the volume fraction of what percolates; 0 if nothing does.
        """
        carried = self.volume_fraction * self.percolating_fraction
        return self.superficial_velocity / carried if carried else self.superficial_velocity

    @property
    def message(self) -> str:
        """One sentence that says what was found."""
        if self.volume_fraction == 0.0:
            return f"There is no voxel of {self.phase}: the permeability is 0."
        if not self.percolates:
            return (
                f"The {self.phase} phase does not percolate along {self.direction}: the "
                "permeability is 0."
            )
        if np.isinf(self.permeability):
            return (
                f"The {self.phase} phase fills the image and nothing holds the flow: the "
                "permeability is infinite."
            )
        return (
            f"Permeability of {self.phase} along {self.direction}: {self.permeability:.4g} m2 = "
            f"{self.permeability / DARCY:.4g} D ({self.iterations} iterations, flux spread "
            f"{self.flux_spread:.1e})."
        )

    def velocity(self) -> NDArray[np.float64]:
        """Return the velocity at voxel centres, shape (3, nz, ny, nx), components (z, y, x).

        In m^2: for a mean pressure gradient of 1 Pa/m and a viscosity of 1 Pa s. Each component is
        the mean of the two faces of the voxel, and zero outside the percolating phase. The mean
        over the image is `superficial_velocity`.
        """
        return self._fields().velocity()

    def face_velocity(self, axis: Direction) -> NDArray[np.float64]:
        """Return the velocity through the faces across an axis, in m^2.

        Shape (nz, ny, nx) with one layer more along the axis: the faces before all voxels, and
        after the last. What flows into a voxel through its six faces flows out: the solver's
        unknowns, in which mass is conserved.
        """
        return self._fields().face_velocity(axis_index(axis))

    def pressure(self) -> NDArray[np.float64]:
        """Return the pressure, shape (nz, ny, nx): 1 at the low outer face, 0 at the high one.

        It is NaN outside the percolating phase. In a periodic image the mean pressure falls by one
        over the period, and its mean value is one half.
        """
        return self._fields().pressure()

    def hydraulic_tortuosity(self) -> float:
        """Return the mean magnitude of the velocity over its mean along the direction.

        At least 1; the length of streamlines weighted by the flow (A. Duda, Z. Koza, M. Matyka,
        Phys. Rev. E 84 (2011) 036319). It is a ratio of lengths, not a tortuosity factor.
        """
        velocity = self._fields().velocity()
        along = velocity[axis_index(self.direction)].sum()
        return float(np.sqrt((velocity**2).sum(axis=0)).sum() / along)

    def without_fields(self) -> Permeability:
        """Return the numbers alone, without the memory that velocity and pressure need."""
        return replace(self, _state=None)

    def _fields(self) -> FlowState:
        if self._state is None:
            flows = self.percolates and np.isfinite(self.permeability)
            reason = "it was stripped by without_fields()" if flows else self.message
            raise ValueError(f"this result has no fields: {reason}")
        return self._state


@dataclass(frozen=True, eq=False)
class PermeabilityTensor:
    """Permeability of one phase in all directions.

    Parameters
    ----------
    tensor : ndarray of float64, shape (3, 3)
        In m^2, symmetric, rows and columns in the order (z, y, x). With ``faces`` and ``mirror``
        it is diagonal by construction.
    loads : tuple of 3 Permeability
        The flows along z, y and x, without their fields.
    """

    tensor: NDArray[np.float64]
    loads: tuple[Permeability, Permeability, Permeability]

    @property
    def principal_values(self) -> NDArray[np.floating]:
        """Principal values in falling order, shape (3,), in m^2."""
        return np.linalg.eigvalsh(self.tensor)[::-1]

    @property
    def principal_directions(self) -> NDArray[np.float64]:
        """Unit vectors of the principal values in the columns, components (z, y, x)."""
        return np.linalg.eigh(self.tensor)[1][:, ::-1]

    @property
    def through_plane(self) -> float:
        """The zz component, in m^2."""
        return float(self.tensor[0, 0])

    @property
    def in_plane(self) -> float:
        """Mean of the yy and xx components, in m^2."""
        return float(0.5 * (self.tensor[1, 1] + self.tensor[2, 2]))


def permeability(
    micro: Microstructure,
    phase: str,
    direction: Direction = "z",
    boundary: Boundary = "periodic",
    interface: Interface = "smooth",
    tol: float = 1e-5,
    *,
    level_set: NDArray[np.floating] | None = None,
    max_iterations: int = 300,
    progress: Progress | None = None,
) -> Permeability:
    """Compute the permeability of a phase for slow viscous flow.

    Solves viscosity x laplacian(u) = grad p, div u = 0 in the phase with u = 0 on its surface, and
    compares the mean velocity with the mean pressure gradient (Darcy's law).

    Parameters
    ----------
    micro : Microstructure
        The image. Voxels may be anisotropic.
    phase : str
        Name of the phase that the fluid fills.
    direction : {"z", "y", "x"}
        Direction of the flow.
    boundary : {"periodic", "faces", "mirror"}
        ``periodic``: the image repeats, and a mean pressure gradient drives the flow. ``faces``:
        pressures are fixed on the two outer faces of the image, half a voxel outside the first
        voxel centres, and the flow is normal to them; the sides are planes of symmetry, which the
        fluid slips along and does not cross. ``mirror``: periodic on the image joined to its
        reflection; by symmetry this is the same problem as ``faces``. For a sample in an
        impermeable sleeve put a layer of solid around it.
    interface : {"smooth", "voxel"}
        Where the fluid sticks. ``smooth``: on the interface rebuilt within the voxels. ``voxel``:
        on the staircase.
    tol : float
        Bound on the relative spread of the flux between layers and on the residual, at which the
        solve may stop.
    level_set : ndarray of float, shape (nz, ny, nx), optional
        A field that is not negative in exactly the voxels of the phase: a signed distance, or
        the probability of the phase minus the largest other one. It refines the smooth interface.
    max_iterations : int
        Bound on the iterations.
    progress : callable, optional
        Called as ``progress(iteration, residual, flux_spread)``.

    Returns
    -------
    Permeability

    Raises
    ------
    ValueError
        For unknown names and values that are not allowed.
    ConvergenceError
        If the solver does not reach the tolerance.

    Notes
    -----
    A phase that does not percolate is no error: the permeability is 0, and ``message`` says so.
    Velocities live on the faces of voxels and pressures in voxels (F. H. Harlow, J. E. Welch,
    Phys. Fluids 8 (1965) 2182), so that mass is conserved voxel by voxel. The theory page on flow
    gives the equations and measured errors.

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> labels = np.ones((2, 2, 34), np.uint8)
    >>> labels[:, :, 1:33] = 0  # a slit 32 um wide
    >>> micro = mt.Microstructure(labels, 1e-6, {"pore": 0, "wall": 1})
    >>> k = mt.transport.permeability(micro, "pore").permeability
    >>> round(k / (32 / 34 * (32e-6) ** 2 / 12), 4)  # width squared over 12
    1.0
    """
    check_options(boundary, interface, tol)
    axis = axis_index(direction)
    # With fixed pressures the flow runs along the first axis of the arrays of the solver.
    inside = np.moveaxis(micro.labels == micro.label(phase), axis, 0)
    surface = checked_level_set(level_set, inside, interface, axis)
    clusters = carrying_clusters(np.ascontiguousarray(inside), 0, boundary == "periodic")
    carried = float(np.count_nonzero(clusters) / clusters.size)
    fraction = micro.volume_fraction(phase)
    result = Permeability(
        phase=phase, direction=direction, boundary=boundary, interface=interface, permeability=0.0,
        superficial_velocity=np.zeros(3), volume_fraction=fraction,
        percolating_fraction=carried / fraction if carried else 0.0,
    )  # fmt: skip
    if not carried:
        return result
    if carried == 1.0:
        unbounded = np.where(np.arange(3) == axis, np.inf, 0.0)
        return replace(result, permeability=np.inf, superficial_velocity=unbounded)
    inside = clusters > 0
    del clusters
    spacing = (micro.voxel_size[axis], *np.delete(micro.voxel_size, axis))
    system = stokes_system(inside, surface, spacing, boundary == "periodic", interface == "voxel")
    solution = solve_saddle(
        system, rtol=tol, flux_tol=tol, max_iterations=max_iterations, progress=progress
    )
    state = FlowState(solution.fields, solution.p, inside, system.grid, spacing, axis)
    mean = state.mean_velocity()
    layer = solution.layer_flux * (state.unit / (inside.shape[1] * inside.shape[2]))
    return replace(
        result,
        permeability=float(mean[axis]),
        superficial_velocity=mean,
        iterations=solution.iterations,
        residual=solution.residual,
        flux_spread=solution.flux_spread,
        largest_divergence=solution.largest_divergence,
        layer_flux=layer,
        residual_history=solution.residual_history,
        spread_history=solution.spread_history,
        _state=state,
    )


def permeability_tensor(
    micro: Microstructure,
    phase: str,
    boundary: Boundary = "periodic",
    interface: Interface = "smooth",
    tol: float = 1e-5,
    *,
    level_set: NDArray[np.floating] | None = None,
    max_iterations: int = 300,
    progress: Progress | None = None,
) -> PermeabilityTensor:
    """Compute the permeability tensor of a phase from the flows along z, y and x.

    Parameters
    ----------
    micro, phase, boundary, interface, tol, level_set, max_iterations, progress
        As in `permeability`. Only ``boundary="periodic"`` gives what lies off the diagonal.

    Returns
    -------
    PermeabilityTensor

    Raises
    ------
    ValueError
        For unknown names and values that are not allowed, and where the phase fills the image.
    ConvergenceError
        If the solver does not reach the tolerance.

    Notes
    -----
    The tensor is symmetric (reciprocity) and positive; the little asymmetry that a finite tolerance
    leaves is averaged out.
    """
    loads = tuple(
        permeability(
            micro, phase, direction, boundary, interface, tol, level_set=level_set,
            max_iterations=max_iterations, progress=progress,
        ).without_fields()
        for direction in AXES
    )  # fmt: skip
    rows = np.stack([load.superficial_velocity for load in loads])
    if not np.isfinite(rows).all():
        raise ValueError(f"there is no finite tensor: {loads[0].message}")
    return PermeabilityTensor(0.5 * (rows + rows.T), loads)  # type: ignore[arg-type]
