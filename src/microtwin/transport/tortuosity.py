"""Tortuosity factor and relative diffusivity of one phase."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from microtwin.connectivity import carrying_clusters
from microtwin.geometry import level_set_geometry, smooth_geometry, voxel_geometry
from microtwin.microstructure import Direction, Microstructure, axis_index
from microtwin.numerics.krylov import Progress, solve
from microtwin.transport import fields
from microtwin.transport.cell_problem import RESIDUAL_PART, cell_problem
from microtwin.transport.options import Boundary, Interface, check_options, checked_level_set

__all__ = ["TortuosityResult", "tortuosity_factor"]


@dataclass(frozen=True, eq=False)
class TortuosityResult:
    """Steady diffusion through one phase in one direction.

    Parameters
    ----------
    phase, direction, boundary, interface : str
        What was computed.
    tortuosity_factor : float
        tau = volume_fraction / relative_diffusivity; infinite if the phase does not percolate.
    relative_diffusivity : float
        D_eff / D_0, diffusivity of the porous body over that of the bulk; 0 without percolation.
    volume_fraction : float
        Fraction of the image that the phase fills by the geometry used.
    label_fraction : float
        Share of the voxels with the label of the phase.
    percolating_fraction : float
        Share of those voxels that belong to a cluster which percolates in this direction.
    iterations : int
        Iterations of the solver.
    residual : float
        Norm of the residual over the norm of the right-hand side.
    flux_spread : float
        (max - min) / mean of the flux through the layers.
    layer_flux : ndarray of float64, shape (n,)
        Flux from each layer to the next over that of an image without obstacles. With fixed
        potentials there are n - 1 pairs of layers, with periodicity n.
    residual_history, spread_history : tuple of float
        Residual and flux spread at the start and after every iteration.
    """

    phase: str
    direction: Direction
    boundary: Boundary
    interface: Interface
    tortuosity_factor: float
    relative_diffusivity: float
    volume_fraction: float
    label_fraction: float
    percolating_fraction: float
    iterations: int = 0
    residual: float = 0.0
    flux_spread: float = 0.0
    layer_flux: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), repr=False)
    residual_history: tuple[float, ...] = field(default=(), repr=False)
    spread_history: tuple[float, ...] = field(default=(), repr=False)
    _state: fields.FluxState | None = field(default=None, repr=False)

    @property
    def percolates(self) -> bool:
        """Whether the phase connects the image to itself in this direction."""
        return self.percolating_fraction > 0.0

    @property
    def message(self) -> str:
        """One sentence that says what was found."""
        if self.label_fraction == 0.0:
            return (
                f"There is no voxel of {self.phase}: D_eff is 0 and the tortuosity factor infinite."
            )
        if not self.percolates:
            return (
                f"The {self.phase} phase does not percolate along {self.direction}: D_eff is 0 and "
                "the tortuosity factor infinite."
            )
        return (
            f"Tortuosity factor of {self.phase} along {self.direction}: "
            f"{self.tortuosity_factor:.4g} ({self.iterations} iterations, flux spread "
            f"{self.flux_spread:.1e})."
        )

    def potential(self) -> NDArray[np.float64]:
        """Return the potential, shape (nz, ny, nx): 1 at the low outer face, 0 at the high one.

        It is NaN outside the percolating phase. In a periodic image the mean potential falls by
        one over the period, and its mean value is one half.
        """
        return self._fields().potential()

    def flux(self) -> NDArray[np.float32]:
        """Return the flux density at voxel centres, shape (3, nz, ny, nx), components (z, y, x).

        It is relative to the flux density of an image without obstacles, counted per area of the
        voxel face (superficial), and positive in the direction of falling potential.
        """
        return self._fields().flux()

    def dissipation(self) -> NDArray[np.float32]:
        """Return the dissipation in each voxel over the mean of the image, shape (nz, ny, nx).

        Its mean is 1; large values mark the bottlenecks, which govern the effective diffusivity.
        """
        return self._fields().dissipation()

    def without_fields(self) -> TortuosityResult:
        """Return the numbers alone, without the memory that potential and flux need."""
        return replace(self, _state=None)

    def _fields(self) -> fields.FluxState:
        if self._state is None:
            reason = "it was stripped by without_fields()" if self.percolates else self.message
            raise ValueError(f"this result has no fields: {reason}")
        return self._state


def tortuosity_factor(
    micro: Microstructure,
    phase: str,
    direction: Direction = "z",
    boundary: Boundary = "faces",
    interface: Interface = "smooth",
    tol: float = 1e-4,
    *,
    level_set: NDArray[np.floating] | None = None,
    max_iterations: int = 200,
    progress: Progress | None = None,
    initial: NDArray[np.float64] | None = None,
) -> TortuosityResult:
    """Compute the tortuosity factor and the relative diffusivity of a phase.

    Solves div(grad u) = 0 in the phase, with no flux through its interface, and compares the flux
    with that of an empty box: D_eff / D_0 = mean flux x length / (area x potential drop) and
    tau = volume fraction / (D_eff / D_0).

    Parameters
    ----------
    micro : Microstructure
        The image. Voxels may be anisotropic.
    phase : str
        Name of the phase that conducts.
    direction : {"z", "y", "x"}
        Direction of the flux.
    boundary : {"faces", "periodic", "mirror"}
        ``faces``: potentials fixed on the two outer faces of the image, half a voxel outside the
        first voxel centres, and no flux through the sides. ``periodic``: the image repeats.
        ``mirror``: periodic on the image joined to its reflection; by symmetry this is the same
        problem as ``faces``.
    interface : {"smooth", "voxel"}
        ``smooth``: the interface is rebuilt within the voxels. ``voxel``: staircase.
    tol : float
        Relative spread of the flux between layers at which the solve may stop; the residual must
        be a hundred times smaller.
    level_set : ndarray of float, shape (nz, ny, nx), optional
        A field that is not negative in exactly the voxels of the phase: a signed distance, or
        the probability of the phase minus the largest other one. It refines the smooth interface.
    max_iterations : int
        Bound on the iterations.
    progress : callable, optional
        Called as ``progress(iteration, residual, flux_spread)``.
    initial : ndarray of float64, shape (nz, ny, nx), optional
        Potential to start from, as `TortuosityResult.potential` returns it (NaN is ignored).

    Returns
    -------
    TortuosityResult

    Raises
    ------
    ValueError
        For unknown names and values that are not allowed.
    ConvergenceError
        If the solver does not reach the tolerance.

    Notes
    -----
    A phase that does not percolate is no error: D_eff is 0 and tau infinite, and ``message``
    says so. The tortuosity factor is that of Cooper et al., SoftwareX 5 (2016) 203; boundary
    conditions differ between codes by a term of the order of one voxel over the image size.

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> micro = mt.Microstructure(np.zeros((8, 8, 8), np.uint8), 1e-6, {"pore": 0})
    >>> mt.transport.tortuosity_factor(micro, "pore").tortuosity_factor
    1.0
    """
    check_options(boundary, interface, tol)
    axis = axis_index(direction)
    periodic = boundary == "periodic"
    # The flux runs along the first axis of the arrays of the solver.
    # Everything but the phase is one solid: where two solids meet they do not round its corners.
    inside = np.ascontiguousarray(np.moveaxis(micro.labels == micro.label(phase), axis, 0))
    surface = checked_level_set(level_set, inside, interface, axis)
    clusters = carrying_clusters(inside, 0, periodic)
    label_fraction = micro.volume_fraction(phase)
    carried = float(np.count_nonzero(clusters) / inside.size)
    if surface is not None:
        geometry = level_set_geometry(surface, clusters, periodic)
    else:
        build = smooth_geometry if interface == "smooth" else voxel_geometry
        geometry = build(inside.view(np.uint8), 1, clusters, periodic)
    result = TortuosityResult(
        phase=phase, direction=direction, boundary=boundary, interface=interface,
        tortuosity_factor=np.inf, relative_diffusivity=0.0,
        volume_fraction=geometry.volume_fraction, label_fraction=label_fraction,
        percolating_fraction=carried / label_fraction if carried else 0.0,
    )  # fmt: skip
    if not carried:
        return result
    inside = clusters > 0
    del clusters
    across = [micro.voxel_size[a] for a in range(3) if a != axis]
    spacing = (micro.voxel_size[axis], across[0], across[1])
    operator, source, scale = cell_problem(geometry.faces, geometry.outer, spacing, periodic)
    guess = None if initial is None else fields.fluctuation(initial, axis, operator.shape)
    solution = solve(
        operator, source, guess=guess, rtol=tol * RESIDUAL_PART, flux_tol=tol, scale=scale,
        max_iterations=max_iterations, progress=progress,
    )  # fmt: skip
    _, ny, nx = operator.shape
    flux = solution.flux[1:] if periodic else solution.flux[1:-1]
    flux = flux * (geometry.unit / (ny * nx))
    diffusivity = float(flux.mean())
    return replace(
        result,
        relative_diffusivity=diffusivity,
        tortuosity_factor=geometry.volume_fraction / diffusivity,
        iterations=solution.iterations,
        residual=solution.residual,
        flux_spread=solution.flux_spread,
        layer_flux=flux,
        residual_history=solution.residual_history,
        spread_history=solution.spread_history,
        _state=fields.FluxState(solution, source, geometry.unit, axis, inside, diffusivity),
    )
