"""Flexible conjugate gradients in float32, with residuals renewed in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtwin.numerics.multigrid import Multigrid

__all__ = ["ConvergenceError", "Progress", "Solution", "solve"]

Progress = Callable[[int, float, float], None]


class ConvergenceError(RuntimeError):
    """A solver stopped before it reached the tolerance; no number is returned."""


@dataclass(frozen=True, eq=False)
class Solution:
    """Solution of a grid problem and how it was reached.

    Parameters
    ----------
    iterations : int
        Applications of the preconditioner.
    residual : float
        Norm of the residual over the norm of the right-hand side.
    flux : ndarray of float64, shape (nz + 1,)
        Flux along z into the first plane, from each plane to the next and out of the last, in the
        unit of conductance times potential.
    flux_spread : float
        (max - min) of that flux over the magnitude of its mean.
    residual_history, spread_history : tuple of float
        Both measures at the start and after every iteration.
    operator : GridOperator or another object with its methods
        The operator that was solved for.
    parts : tuple of 2 vectors
        The unknown is their sum.
    """

    iterations: int
    residual: float
    flux: NDArray[np.float64]
    flux_spread: float
    residual_history: tuple[float, ...] = field(repr=False)
    spread_history: tuple[float, ...] = field(repr=False)
    operator: Any = field(repr=False)
    parts: tuple[NDArray, NDArray] = field(repr=False)

    @cached_property
    def x(self) -> NDArray[np.float64]:
        """The unknown in float64, shape of the operator; brought onto the grid when first asked."""
        total: NDArray[np.float64] = self.operator.unload(self.parts[0], np.float64)
        total += self.operator.unload(self.parts[1])
        return total


def _spread(flux: NDArray[np.float64]) -> float:
    mean = abs(float(flux.mean()))
    width = float(flux.max() - flux.min())
    if width == 0.0:
        return 0.0
    return width / mean if mean > 0.0 else np.inf


def solve(
    operator: Any,
    source: Any,
    *,
    hierarchy: Multigrid | None = None,
    guess: NDArray | None = None,
    rtol: float = 1e-6,
    flux_tol: float | None = None,
    scale: float | None = None,
    max_iterations: int = 200,
    progress: Progress | None = None,
) -> Solution:
    """Solve A x = source by flexible conjugate gradients with a multigrid K-cycle.

    Parameters
    ----------
    operator : GridOperator or another object with its methods
        The operator A. When updates have reduced the residual by its factor `trusted`, it is
        computed anew: rounding in float32, 1e-7 of what it was, must still be small.
    source : Source
        The right-hand side.
    hierarchy : Multigrid, optional
        Levels built before for this operator; built here otherwise.
    guess : ndarray, optional
        Start (warm start), shape of the operator. It is copied.
    rtol : float
        Bound on the norm of the residual over the norm of the right-hand side.
    flux_tol : float, optional
        Bound on the relative spread of the flux between planes; both bounds must hold.
    scale : float, optional
        Norm to which the residual is compared; by default that of the right-hand side.
    max_iterations : int
        Iterations after which the solve is given up.
    progress : callable, optional
        Called as ``progress(iteration, residual, flux_spread)``.

    Returns
    -------
    Solution

    Raises
    ------
    ConvergenceError
        If the tolerance is not reached, with the residual and flux spread that were.

    Notes
    -----
    The direction p = z + beta p with beta = -z.A p / p.A p is conjugate to the last one even though
    the preconditioner changes from step to step (Notay, SIAM J. Sci. Comput. 22 (2000) 1444).

    All vectors are float32. The solution is the sum of two of them: a part that is fixed, and the
    steps taken since. Where the updated residual says that the end is reached, or has become too
    small to be trusted, it is computed anew from the solution in double precision; so rounding
    costs no accuracy, and what is returned is true.
    """
    source = operator.prepared(source)
    x, y, r, p, z = (operator.zeros() for _ in range(5))
    norm, flux = operator.renew(r, x, y, source)
    if guess is not None:
        source_norm = norm
        start = operator.load(guess)
        x[...] = start
        y[...] = start - x
        del start  # twice the memory of the others
        norm, flux = operator.renew(r, x, y, source)
        scale = float(np.sqrt(source_norm or norm)) if scale is None else scale
    scale = float(np.sqrt(norm)) if scale is None else scale
    renewed, along = norm, 0.0
    residuals = [_ratio(norm, scale)]
    spreads = [_spread(flux)]

    def done() -> bool:
        return residuals[-1] <= rtol and (flux_tol is None or spreads[-1] <= flux_tol)

    curvature = 0.0
    while not done():
        reached = f"residual {residuals[-1]:.1e} (wanted {rtol:.1e})"
        if flux_tol is not None:
            reached += f", flux spread {spreads[-1]:.1e} (wanted {flux_tol:.1e})"
        if not np.isfinite(norm):
            raise ConvergenceError("the input of the solver is not finite; check the conductances")
        if len(residuals) > max_iterations:
            raise ConvergenceError(
                f"no convergence in {max_iterations} iterations: {reached}; loosen the tolerance "
                "or raise max_iterations"
            )
        if hierarchy is None:
            hierarchy = Multigrid(operator)
        own, cross, steepest = hierarchy.precondition(z, r, p)
        beta = -cross / curvature if curvature > 0.0 else 0.0
        curvature = own + 2 * beta * cross + beta**2 * curvature
        slope = steepest + beta * along
        if not (curvature > 0.0 and slope > 0.0):  # rounding has spoilt p: start again from z
            beta, curvature, slope = 0.0, own, steepest
        if not (curvature > 0.0 and slope > 0.0):
            raise ConvergenceError(
                f"the solve came to a stand after {len(residuals) - 1} iterations: {reached}; "
                "loosen the tolerance, or check that the operator is positive"
            )
        norm, change, along = operator.advance(y, r, p, z, slope / curvature, beta)
        flux = flux + change
        residuals.append(_ratio(norm, scale))
        spreads.append(_spread(flux))
        if done() or norm <= operator.trusted**2 * renewed:
            norm, flux = operator.renew(r, x, y, source)
            residuals[-1], spreads[-1] = _ratio(norm, scale), _spread(flux)
            if not done():
                operator.split(x, y)
                renewed, along = norm, operator.dot(p, r)
        if progress is not None:
            progress(len(residuals) - 1, residuals[-1], spreads[-1])
    return Solution(
        len(residuals) - 1,
        residuals[-1],
        flux,
        spreads[-1],
        tuple(residuals),
        tuple(spreads),
        operator,
        (x, y),
    )


def _ratio(square: float, scale: float) -> float:
    """Return a norm from its square over a scale; 0 / 0 is 0."""
    return float(np.sqrt(square)) / scale if square != 0.0 else 0.0
