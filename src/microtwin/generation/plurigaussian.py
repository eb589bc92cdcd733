"""Pluri-Gaussian images: three or more phases cut out of one or several random fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..microstructure import Microstructure
from .checks import checked_shape, checked_triple
from .random_fields import gaussian_random_field

__all__ = ["plurigaussian"]

_ROUNDING = 1e-6


def plurigaussian(
    shape: int | Sequence[int],
    fractions: Mapping[str, float],
    correlation_length: float | Sequence[float | Sequence[float]],
    seed: int = 0,
    voxel_size: float | Sequence[float] = 1e-6,
    periodic: bool = True,
) -> Microstructure:
    """Return an image of several phases, cut out of Gaussian random fields at quantiles.

    With one correlation length, one field is cut at several levels, and a phase only touches the
    phases before and after it in the list: the second of three phases is a layer between the
    other two. With one length for each phase but the last, every phase is cut out of what the
    phases before it left, by a field of its own, and all of them touch each other (truncated
    pluri-Gaussian simulation, Armstrong et al., Plurigaussian Simulations in Geosciences, 2011).

    Parameters
    ----------
    shape : int or 3 ints
        Voxels along (z, y, x).
    fractions : mapping of str to float
        Volume fraction of each phase, in the order of their labels 0, 1, ...; the sum is 1. They
        are met to one voxel.
    correlation_length : float or sequence
        Standard deviation of the kernels in voxels: one number, or a sequence with a number or
        three (z, y, x) for each field, as in `gaussian_random_field`.
    seed : int
        The same seed gives the same image.
    voxel_size : float or 3 floats
        Voxel edge(s) in metres.
    periodic : bool
        Whether opposite faces continue each other.

    Returns
    -------
    Microstructure

    Raises
    ------
    ValueError
        If there are fewer than two phases, the fractions are not positive with the sum 1, or the
        number of lengths is neither one nor one less than the number of phases.

    Examples
    --------
    >>> from microtwin.generation import plurigaussian
    >>> micro = plurigaussian(32, {"pore": 0.4, "active": 0.45, "binder": 0.15}, (4.0, 2.0))
    >>> round(micro.volume_fraction("binder"), 2)
    0.15
    """
    shape = checked_shape(shape)
    names, shares = list(fractions), np.array(list(fractions.values()), float)
    if len(names) < 2 or not np.all(shares > 0) or abs(shares.sum() - 1.0) > _ROUNDING:
        raise ValueError(
            f"fractions {dict(fractions)} are not allowed; give two or more phases with fractions "
            "above 0 whose sum is 1"
        )
    lengths = (
        [correlation_length] if isinstance(correlation_length, int | float) else correlation_length
    )
    if len(lengths) not in (1, len(names) - 1):
        raise ValueError(
            f"{len(lengths)} correlation lengths do not fit {len(names)} phases; give one, or "
            f"{len(names) - 1}"
        )
    labels = np.full(shape, len(names) - 1, np.uint8)
    flat = labels.ravel()
    ends = np.rint(np.cumsum(shares) * flat.size).astype(np.int64)
    free = np.arange(flat.size)
    field = None
    for label, (first, end) in enumerate(zip([0, *ends[:-2]], ends[:-1], strict=True)):
        if label < len(lengths):
            # Streams of their own, so that fields of neighbouring seeds are not the same.
            field = gaussian_random_field(
                shape, lengths[label], seed + label * 2**32, periodic
            ).ravel()
        assert field is not None
        count = int(end - first)
        order = np.argpartition(-field[free], count - 1)
        flat[free[order[:count]]] = label
        free = free[order[count:]]
    size = checked_triple(voxel_size, "voxel size", "give the edge in metres, for example 1e-6")
    return Microstructure(labels, size, {name: label for label, name in enumerate(names)})
