"""Full effective tensors of composites in which several phases conduct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtwin.microstructure import Microstructure
from microtwin.numerics.krylov import Progress, solve
from microtwin.transport.cell_problem import RESIDUAL_PART
from microtwin.transport.composite import composite_problem
from microtwin.transport.options import Boundary, Interface, check_options

__all__ = ["HomogenizedTensor", "homogenize"]


@dataclass(frozen=True, eq=False)
class HomogenizedTensor:
    """Effective conductivity or diffusivity of an image.

    Parameters
    ----------
    tensor : ndarray of float64, shape (3, 3)
        Symmetric, rows and columns in the order (z, y, x), in the unit of the input.
    boundary, interface : str
        What was computed. With ``faces`` and ``mirror`` the off-diagonal terms are zero by
        construction: the sides let no flux through.
    conductivities : dict of str to float
        The input; phases not in it do not conduct.
    iterations : tuple of 3 ints
        Iterations of the loads along z, y and x; 0 where nothing percolates.
    residuals, flux_spreads : tuple of 3 floats
        Residual and flux spread at which each load stopped.
    """

    tensor: NDArray[np.float64]
    boundary: Boundary
    interface: Interface
    conductivities: Mapping[str, float]
    iterations: tuple[int, ...]
    residuals: tuple[float, ...]
    flux_spreads: tuple[float, ...]

    @property
    def principal_values(self) -> NDArray[np.floating]:
        """Principal values in falling order, shape (3,)."""
        return np.linalg.eigvalsh(self.tensor)[::-1]

    @property
    def principal_directions(self) -> NDArray[np.float64]:
        """Unit vectors of the principal values in the columns, components (z, y, x)."""
        return np.linalg.eigh(self.tensor)[1][:, ::-1]

    @property
    def anisotropy_ratio(self) -> float:
        """Largest over smallest principal value; infinite if the image blocks one direction."""
        values = self.principal_values
        if values[2] <= 0.0:
            return float("inf") if values[0] > 0.0 else 1.0
        return float(values[0] / values[2])

    @property
    def through_plane(self) -> float:
        """The zz component."""
        return float(self.tensor[0, 0])

    @property
    def in_plane(self) -> float:
        """Mean of the yy and xx components."""
        return float(0.5 * (self.tensor[1, 1] + self.tensor[2, 2]))


def homogenize(
    micro: Microstructure,
    conductivities: Mapping[str, float],
    boundary: Boundary = "periodic",
    interface: Interface = "smooth",
    tol: float = 1e-4,
    *,
    max_iterations: int = 200,
    progress: Progress | None = None,
) -> HomogenizedTensor:
    """Compute the effective conductivity tensor of a composite.

    Parameters
    ----------
    micro : Microstructure
        The image.
    conductivities : mapping of str to float
        Conductivity (or diffusivity) of each conducting phase, any unit; phases not named insulate.
    boundary : {"periodic", "faces", "mirror"}
        ``periodic`` imposes a mean gradient and gives the full tensor. ``faces`` and ``mirror``
        give its diagonal between fixed potentials, see `tortuosity_factor`.
    interface : {"smooth", "voxel"}
        ``smooth``: interfaces rebuilt within the voxels; ``voxel``: staircase, with the harmonic
        mean of the two conductivities on the face between two phases.
    tol : float
        Relative spread of the flux between layers at which a solve may stop.
    max_iterations : int
        Bound on the iterations of each load.
    progress : callable, optional
        Called as ``progress(iteration, residual, flux_spread)``.

    Returns
    -------
    HomogenizedTensor

    Raises
    ------
    ValueError
        For unknown phases, negative or infinite conductivities, and unknown options.
    ConvergenceError
        If a solve does not reach the tolerance.

    Notes
    -----
    With ``smooth``, current crosses the faces of films one voxel thick as on the staircase: two
    half voxels in series. Everywhere else the interface is rebuilt within the voxels.
    """
    check_options(boundary, interface, tol)
    values = _checked(micro, conductivities)
    tensor = np.zeros((3, 3))
    iterations, residuals, spreads = [0] * 3, [0.0] * 3, [0.0] * 3
    periodic = boundary == "periodic"
    for axis in range(3):
        order = [axis, *(a for a in range(3) if a != axis)]
        labels = np.ascontiguousarray(np.transpose(micro.labels, order))
        spacing = tuple(micro.voxel_size[a] for a in order)
        problem = composite_problem(labels, values, spacing, periodic, interface == "smooth")  # type: ignore[arg-type]
        if problem is None:
            continue
        solution = solve(
            problem.operator, problem.source, scale=problem.norm, rtol=tol * RESIDUAL_PART,
            flux_tol=tol, max_iterations=max_iterations, progress=progress,
        )  # fmt: skip
        flux = problem.operator.mean_flux(solution.x, problem.source)
        # Links along axis a carry the weight (h0 / ha)^2 and a step of the potential over h0; the
        # flux density per unit gradient has one of the two factors.
        for a, through in zip(order, flux, strict=True):
            tensor[a, axis] = through * micro.voxel_size[a] / spacing[0]
        iterations[axis], residuals[axis] = solution.iterations, solution.residual
        spreads[axis] = solution.flux_spread
    if boundary != "periodic":
        tensor = np.diag(np.diag(tensor))
    return HomogenizedTensor(
        0.5 * (tensor + tensor.T), boundary, interface, dict(conductivities),
        tuple(iterations), tuple(residuals), tuple(spreads),
    )  # fmt: skip


def _checked(micro: Microstructure, conductivities: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the conductivity of every label, shape (256,)."""
    values = np.zeros(256)
    for phase, value in conductivities.items():
        if not np.isfinite(value) or value < 0.0:
            raise ValueError(
                f"conductivity {value!r} of phase {phase!r} is not allowed; "
                "use zero or a positive number"
            )
        values[micro.label(phase)] = value
    if not values.any():
        raise ValueError(
            "no phase conducts; give the conductivity of at least one, for example {'pore': 1.0}, "
            f"out of {', '.join(micro.phase_names)}"
        )
    return values
