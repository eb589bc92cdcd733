"""How the kernels are compiled."""

from __future__ import annotations

from typing import Any

__all__ = ["ALLOCATING", "FAST", "INNER", "OPTIONS"]

# Kernels run on threads of their own, and are compiled once per machine and version of their file.
# A change of what they import from another file does not count: then delete __pycache__/*.nb*.
OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
# Sums may be reordered: the compiler then uses the vector units.
ALLOCATING: dict[str, Any] = {**OPTIONS, "fastmath": True}
# References to arrays are not counted. Each slice would cost two atomic operations, on counters
# that all threads share: on small grids more than the work itself. What is compiled in this way can
# allocate nothing, and if it returns slices it may only be called by its like.
FAST: dict[str, Any] = {**ALLOCATING, "_nrt": False}
# Functions that only kernels call: leaving out the way in from Python halves their compilation.
INNER: dict[str, Any] = {**FAST, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
