"""Multigrid cycles with Krylov acceleration on the coarse levels (K-cycle)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Multigrid"]

DIRECT_SIZE = 1000  # unknowns: below this the coarse problem is factorised


class Multigrid:
    """A hierarchy of ever coarser operators, used as a preconditioner.

    Parameters
    ----------
    operator : GridOperator or another object with its methods
        The operator on the finest level.

    Notes
    -----
    One application smooths, solves the coarse problem approximately, adds its correction and
    smooths in the reverse order. On the first coarse levels, as many as the operator says, the
    problem is solved by two steps of flexible conjugate gradients preconditioned by the next level,
    or by one where that reduces the residual as far as the operator asks:
    the K-cycle of Notay and Vassilevski, Numer. Linear Algebra Appl. 15 (2008) 473. That repairs
    what piecewise constant corrections lack, and makes the number of iterations independent of the
    size of the grid.
    """

    def __init__(self, operator: Any) -> None:
        self.operators = [operator]
        while self.operators[-1].size > DIRECT_SIZE and self.operators[-1].can_coarsen:
            self.operators.append(self.operators[-1].coarsen())
        self._direct = self.operators[-1].factorize()
        self._krylov_levels: int = operator.krylov_levels
        self._good_enough: float = operator.good_enough
        self._rhs = [None, *(op.zeros() for op in self.operators[1:])]
        self._first = [None, *(op.zeros() for op in self.operators[1:-1])]
        self._second = [None, *(op.zeros() for op in self.operators[1:-1])]

    def renew_finest(self, operator: Any) -> None:
        """Replace the operator on the finest level by one close to it; coarse levels stay."""
        self.operators[0] = operator

    def precondition(
        self, u: NDArray[np.float32], rhs: NDArray[np.float32], v: NDArray[np.float32]
    ) -> tuple[float, float, float]:
        """Overwrite u with an approximate solution of A u = rhs; return u.A u, u.A v and u.rhs."""
        return self._cycle(0, u, rhs, v)

    def _cycle(
        self, level: int, u: NDArray, rhs: NDArray, v: NDArray
    ) -> tuple[float, float, float]:
        operator = self.operators[level]
        if level == len(self.operators) - 1:
            u[...] = self._direct(rhs)
            products: tuple[float, float, float] = operator.products(u, v, rhs)
            return products
        operator.smooth_and_restrict(u, rhs, self._rhs[level + 1])
        correction = self._coarse(level + 1)
        return operator.prolong_and_smooth(u, correction, rhs, v)

    def _coarse(self, level: int) -> NDArray:
        """Solve the problem of a coarse level approximately; its right-hand side is overwritten."""
        rhs: NDArray = self._rhs[level]
        if level == len(self.operators) - 1:
            return self._direct(rhs)
        operator = self.operators[level]
        first: NDArray = self._first[level]
        second: NDArray = self._second[level]
        stiffness, _, slope = self._cycle(level, first, rhs, first)
        if level > self._krylov_levels or stiffness <= 0.0:
            return first
        before = operator.dot(rhs, rhs)
        alpha = slope / stiffness
        after = operator.subtract_product(rhs, first, alpha)
        if after <= self._good_enough**2 * before:
            operator.combine(first, alpha, first, 0.0)
            return first
        own, cross, slope = self._cycle(level, second, rhs, first)
        beta = -cross / stiffness
        curvature = own + beta * cross  # p.A p of p = second + beta first
        if curvature <= 0.0:
            operator.combine(first, alpha, first, 0.0)
            return first
        step = slope / curvature
        operator.combine(second, step, first, alpha + step * beta)
        return second
