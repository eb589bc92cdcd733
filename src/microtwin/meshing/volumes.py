"""Offsets of the fields that give each phase the volume it should have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numerics.threads import over_slabs, slab_bounds
from . import facet_kernels
from .complex_kernels import Complex
from .facets import interface_facets
from .field_kernels import Fields, count_samples
from .phase_fields import mixed_samples
from .topology_kernels import total_volumes

__all__ = ["calibrated", "corrected", "phase_volumes"]

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
    for _ in range(1):
        now = _sampled(fields, mixed)
        rates = np.empty((n, n))
        for p in range(n - 1):
            moved = fields.offsets + STEP * (np.arange(n) == p)
            rates[:, p] = (_sampled(fields._replace(offsets=moved), mixed) - now) / STEP
        # All offsets together do nothing.
        rates[:, n - 1] = -rates[:, : n - 1].sum(axis=1)
        fields = _moved(fields, rates, fractions - now)
    return fields


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


def _sampled(fields: Fields, mixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    shape = fields.values.shape
    counts = np.empty((shape[0], shape[3]), np.int64)
    over_slabs(count_samples, slab_bounds(shape[:3]), fields, mixed, PARTS, counts)
    total: NDArray[np.float64] = counts.sum(axis=0) / counts.sum()
    return total


def _moved(fields: Fields, rates: NDArray, lacking: NDArray) -> Fields:
    step = np.linalg.lstsq(rates, lacking, rcond=1e-9)[0]
    return fields._replace(offsets=fields.offsets + np.clip(step, -LONGEST, LONGEST))
