"""The library algotom, which is installed with the extra ``recon``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["algotom"]


def algotom(module: str) -> Any:
    """Return a module of algotom, for example ``"prep.removal"``.

    Raises
    ------
    ValueError
        If algotom is not installed; the message tells how to install it.
    """
    try:
        return import_module(f"algotom.{module}")
    except ImportError:
        raise ValueError(
            "finding the axis by 'vo' or 'phase' and removing stripes by 'sorting' or 'all' need "
            'the library algotom, which is not installed; run: pip install "microtwin[recon]"'
        ) from None
