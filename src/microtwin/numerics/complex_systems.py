"""Linear systems of impedances: a symmetric positive definite part and an imaginary one.

At one frequency, conduction or diffusion with storage is (A + j B) u = b with real, symmetric and
positive semi-definite A and B. Written for real and imaginary part, the matrix that is
preconditioned by

    [A, -B; B, A + 2 B]

has all its eigenvalues between 1/2 and 1, whatever A, B and the frequency are, and that
preconditioner costs two solves with the real A + B (`presb`; Axelsson, Neytcheva & Ahmad, Numer.
Algorithms 66 (2014) 811). One multigrid cycle does for each. Outside runs FGMRES (Saad, SIAM J.
Sci. Comput. 14 (1993) 461), which allows preconditioners that change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .krylov import ConvergenceError
from .multigrid import Multigrid
from .operator import GridOperator

__all__ = ["ComplexField", "ComplexSolution", "complex_product", "presb", "solve_complex"]

# Steps until the residual is computed anew.
REMEMBERED = 20
TRUSTED = 3e-7
ITERATIONS = 100

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class ComplexSolution:
    """The solution of a complex system.

    Parameters
    ----------
    values : ndarray of complex128
    iterations : int
    residual : float
        Norm of what is left of the right-hand side.
    """

    values: Complex
    iterations: int
    residual: float


def presb(
    solve_sum: Callable[[NDArray[np.float64]], NDArray],
    imaginary: Callable[[NDArray], NDArray],
    rhs: Complex,
) -> Complex:
    """Return an approximate solution of (A + j B) u = rhs, by two real solves.

    Parameters
    ----------
    solve_sum : callable
        Solves (A + B) v = f approximately.
    imaginary : callable
        Returns B v.
    rhs : ndarray of complex128
    """
    both = solve_sum(rhs.real + rhs.imag)
    second = solve_sum(rhs.imag - imaginary(both))
    found = np.empty(rhs.shape, complex)
    found.real = both - second
    found.imag = second
    return found


def solve_complex(
    product: Callable[[Complex], Complex],
    precondition: Callable[[Complex], Complex],
    rhs: Complex,
    target: float,
    *,
    guess: Complex | None = None,
    max_iterations: int = ITERATIONS,
    double_steps: bool = False,
) -> ComplexSolution:
    """Solve A u = rhs until the norm of the residual is below a target.

    Parameters
    ----------
    product : callable
        Returns A u.
    precondition : callable
        Returns an approximate solution of A u = r. It need not be linear, nor the same each time.
    rhs : ndarray of complex128
    target : float
        Norm at which to stop.
    guess : ndarray of complex128, optional
        To start from.
    max_iterations : int
    double_steps : bool
        Whether steps are kept in double precision. In single precision a level that little holds
        drowns what differs from place to place.

    Returns
    -------
    ComplexSolution

    Raises
    ------
    ConvergenceError
        If the target is not reached.
    """
    u = np.zeros_like(rhs) if guess is None else guess.copy()
    residual = rhs.copy() if guess is None else rhs - product(u)
    start = norm = _norm(residual)
    iterations = 0
    while not norm <= target:
        if iterations >= max_iterations or not np.isfinite(norm):
            raise ConvergenceError(
                f"a complex system did not converge: in {iterations} iterations the residual went "
                f"from {start:.1e} to {norm:.1e}, wanted {target:.1e}"
            )
        goal = max(0.5 * target, TRUSTED * norm)
        count = min(REMEMBERED, max_iterations - iterations)
        iterations += _restart(product, precondition, u, residual, norm, goal, count, double_steps)
        residual = rhs - product(u)
        norm = _norm(residual)
    return ComplexSolution(u, iterations, norm)


def _restart(
    product: Callable[[Complex], Complex],
    precondition: Callable[[Complex], Complex],
    u: Complex,
    residual: Complex,
    norm: float,
    goal: float,
    count: int,
    double_steps: bool,
) -> int:
    """Improve u by up to `count` steps; return how many there were."""
    basis = [(residual / norm).astype(np.complex64)]
    kept = np.complex128 if double_steps else np.complex64
    steps: list[NDArray] = []
    hessenberg = np.zeros((count + 1, count), complex)
    wanted = np.zeros(count + 1, complex)
    wanted[0] = norm
    for k in range(count):
        # Rounded before it is multiplied, so that a step and its product belong together.
        z = precondition(basis[k].astype(complex)).astype(kept)
        w = product(z.astype(complex))
        for i, v in enumerate(basis):
            hessenberg[i, k] = _dot(v, w)
            w -= hessenberg[i, k] * v
        length = _norm(w)
        hessenberg[k + 1, k] = length
        steps.append(z)
        part = hessenberg[: k + 2, : k + 1]
        shares, *_ = np.linalg.lstsq(part, wanted[: k + 2], rcond=None)
        left = _norm(wanted[: k + 2] - part @ shares)
        if left <= goal or not length > 0.0:
            break
        basis.append((w / length).astype(np.complex64))
    for share, z in zip(shares, steps, strict=True):
        u += share * z
    return len(steps)


def complex_product(operator: GridOperator, u: Complex) -> Complex:
    """Return the product of a real operator with a complex vector, of the same shape."""
    out = np.empty(u.shape, complex)
    flow = operator.zeros(float)
    for part, of in ((out.real, u.real), (out.imag, u.imag)):
        flow[...] = 0
        operator.subtract_product(flow, np.ascontiguousarray(of).reshape(flow.shape), -1.0)
        part[...] = flow.reshape(u.shape)
    return out


class ComplexField:
    """A field on the grid with storage, at one frequency: (K + j w M) u = b.

    Parameters
    ----------
    operator : GridOperator
        K. Its own mass, if it has one, is real.
    storage : ndarray, in the layout of vectors
        w M, not negative.
    """

    def __init__(self, operator: GridOperator, storage: NDArray) -> None:
        self.operator = operator
        self.storage = storage.astype(float)
        mass = storage.astype(np.float32)
        both = mass if operator.mass is None else mass + operator.load(operator.mass.grid())
        self._cycle = Multigrid(operator.with_mass(both))
        self._room = [operator.zeros() for _ in range(2)]
        # Where no end fixes the level, the storage does, however little it is: rounding would drown
        # it, so it is set apart.
        floating = operator.ends is None and operator.mass is None
        self._stored = float(self.storage.sum()) if floating else 0.0
        if self._stored > 0.0:
            self._present = operator.load(operator.with_mass(mass).diagonal() > 0.0).astype(float)

    def product(self, u: Complex) -> Complex:
        """Return (K + j w M) u."""
        return complex_product(self.operator, u) + 1j * (self.storage * u)

    def precondition(self, rhs: Complex) -> Complex:
        """Return an approximate solution, whose level is exact where no end fixes it."""
        found = presb(self._solve_sum, lambda v: self.storage * v, rhs)
        if self._stored > 0.0:
            missing = complex(rhs.sum()) / 1j - complex((self.storage * found).sum())
            found += self._present * (missing / self._stored)
        return found

    def solve(self, rhs: Complex, rtol: float) -> ComplexSolution:
        """Solve to a residual of `rtol` times the norm of the right-hand side.

        Raises
        ------
        ConvergenceError
            If it is not reached.
        """
        target = rtol * _norm(rhs)
        guess = None
        if self._stored > 0.0:
            guess = self._present * (complex(rhs.sum()) / (1j * self._stored))
        return solve_complex(self.product, self.precondition, rhs, target, guess=guess)

    def _solve_sum(self, rhs: NDArray[np.float64]) -> NDArray[np.float64]:
        u, f = self._room
        # Single precision has no room for what is tiny.
        largest = float(np.abs(rhs).max())
        if largest == 0.0:
            return np.zeros(rhs.shape)
        f[...] = rhs / largest
        stiffness, _, slope = self._cycle.precondition(u, f, f)
        return u * (largest * slope / stiffness)


def _dot(u: NDArray, v: NDArray) -> complex:
    # Not a product of BLAS, whose threads would go on spinning on the cores used here.
    return complex((u.conj() * v).sum())


def _norm(u: NDArray) -> float:
    return float(np.sqrt((np.square(u.real) + np.square(u.imag)).sum()))
