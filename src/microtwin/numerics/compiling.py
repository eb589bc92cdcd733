"""How the kernels are compiled."""

from __future__ import annotations

from typing import Any

__all__ = ["FAST", "OPTIONS"]

# Kernels run on threads of their own, and are compiled once per machine.
OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
# Sums may be reordered: the compiler then uses the vector units.
FAST: dict[str, Any] = {**OPTIONS, "fastmath": True}
