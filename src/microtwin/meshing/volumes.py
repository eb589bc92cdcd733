"""Offsets of the fields that give each phase the volume it should have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import over_slabs, slab_bounds
from . import facet_kernels
from .complex_kernels import Complex
from .facets import interface_facets
from .field_kernels import Fields, count_samples
from .phase_fields import PhaseFields, kernel_fields, mixed_samples
from .topology_kernels import total_volumes

__all__ = ["calibrated", "corrected", "phase_volumes", "refined_level_set"]

PARTS = 2  # samples per voxel edge
STEP = 0.02  # of an offset, to measure what it does
LONGEST = 0.1  # step of an offset at once


def phase_volumes(mesh: Complex, phases: int) -> NDArray[np.float64]:
    """Return the volume of each phase in a mesh, shape (phases,)."""
    volumes = np.empty(phases)
    total_volumes(mesh, volumes)
    return volumes


def calibrated(fields: Fields, fractions: NDArray[np.float64]) -> Fields:
    """Return fields whose offsets give the phases about the right volume fractions.

    Parameters
    ----------
    fields : Fields
    fractions : ndarray, shape (phases,)
        Add up to 1.

    Returns
    -------
    Fields
    """
    mixed = mixed_samples(fields)
    n = len(fractions)
    now = _sampled(fields, mixed)
    rates = np.empty((n, n))
    for p in range(n - 1):
        moved = fields.offsets + STEP * (np.arange(n) == p)
        rates[:, p] = (_sampled(fields._replace(offsets=moved), mixed) - now) / STEP
    # All offsets together do nothing.
    rates[:, n - 1] = -rates[:, : n - 1].sum(axis=1)
    return _moved(fields, rates, fractions - now)


def corrected(mesh: Complex, fields: Fields, volumes: NDArray[np.float64]) -> Fields:
    """Return fields whose offsets move the interfaces of a mesh towards the right volumes.

    Parameters
    ----------
    mesh : Complex
    fields : Fields
    volumes : ndarray, shape (phases,)
        That each phase should have.

    Returns
    -------
    Fields
    """
    n = len(volumes)
    facets, phases = interface_facets(mesh)
    rates = np.empty((n, n))
    facet_kernels.mobilities(mesh, fields, facets, phases, rates)
    return _moved(fields, rates, volumes - phase_volumes(mesh, n))


def refined_level_set(fields: PhaseFields, phase: str, factor: int = 2) -> NDArray[np.float32]:
    """Return a function that is positive inside a phase, on a grid several times finer.

    It is the field of the phase less the largest of the others, with the offsets that give each
    phase its volume fraction; so finite volumes can be refined on the geometry that is meshed.

    Parameters
    ----------
    fields : PhaseFields
    phase : str
    factor : int
        Cells of the grid per cell of the fields, along each axis.

    Returns
    -------
    ndarray of float32, shape (factor * nz, factor * ny, factor * nx)

    Raises
    ------
    ValueError
        If the phase has no field.
    """
    if phase not in fields.phases:
        raise ValueError(f"phase {phase!r} has no field; there are {', '.join(fields.phases)}")
    kernel = kernel_fields(fields)
    if fields.fractions is not None:
        kernel = calibrated(kernel, np.array([fields.fractions[name] for name in fields.phases]))
    found = best = None
    for p, name in enumerate(fields.phases):
        values = _refined(fields.values[..., p], factor) + np.float32(kernel.offsets[p])
        if name == phase:
            found = values
        else:
            best = values if best is None else np.maximum(best, values, out=best)
    assert found is not None
    return found if best is None else found - best


def _refined(values: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Interpolate trilinearly at the centres of smaller cells; outermost values go on."""
    for axis in range(3):
        n = values.shape[axis]
        place = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0.0, n - 1.0)
        low = np.minimum(place.astype(int), n - 2)
        share = (place - low).astype(np.float32)
        share = share.reshape([-1 if a == axis else 1 for a in range(3)])
        near, far = np.take(values, low, axis), np.take(values, low + 1, axis)
        values = near + share * (far - near)
    return values


def _sampled(fields: Fields, mixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    shape = fields.values.shape
    counts = np.empty((shape[0], shape[3]), np.int64)
    over_slabs(count_samples, slab_bounds(shape[:3]), fields, mixed, PARTS, counts)
    total: NDArray[np.float64] = counts.sum(axis=0) / counts.sum()
    return total


def _moved(fields: Fields, rates: NDArray, lacking: NDArray) -> Fields:
    step = np.linalg.lstsq(rates, lacking, rcond=1e-9)[0]
    return fields._replace(offsets=fields.offsets + np.clip(step, -LONGEST, LONGEST))
