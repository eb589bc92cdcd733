"""How the kernels are compiled."""

from __future__ import annotations

from typing import Any

__all__ = ["FAST", "INNER", "OPTIONS"]

# Kernels run on threads of their own, and are compiled once per machine and version of their file.
# A change of what they import from another file does not count: then delete __pycache__/*.nb*.
OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
# Sums may be reordered: the compiler then uses the vector units.
FAST: dict[str, Any] = {**OPTIONS, "fastmath": True}
# Functions that only kernels call: leaving out the way in from Python halves their compilation.
INNER: dict[str, Any] = {**FAST, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
