"""Eigenstrains and stresses of the solids in voxels (see `composite_voxels` for the equations)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import correlate1d

from ..microstructure import Microstructure
from .composite_voxels import VoxelSolids

__all__ = [
    "SolidStresses",
    "checked_eigenstrains",
    "eigenstresses",
    "extended",
    "solid_stresses",
    "stresses_in_parts",
]

Matrix = NDArray[np.float64]
Eigenstrains = dict[int, NDArray[np.floating]]
SAME = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])  # in every direction
PLANES = 8  # of voxels worked on at a time


@dataclass(frozen=True, eq=False)
class SolidStresses:
    """Stresses in the solids of an image.

    Parameters
    ----------
    stress : ndarray of float32, shape (6, nz, ny, nx)
        In the phase of the centre of each voxel, in Pa; 0 in void.
    mean : ndarray, shape (n, 6)
        Over each solid, in Pa.
    volume : ndarray, shape (n,)
        Of each solid, in voxels.
    energy : float
        Sum over the voxels of the energy density, in J/m^3.
    """

    stress: NDArray[np.float32]
    mean: Matrix
    volume: Matrix
    energy: float


def checked_eigenstrains(
    micro: Microstructure, names: Sequence[str], given: Mapping[str, float | ArrayLike]
) -> Eigenstrains:
    """Return eigenstrains by the number of the solid.

    Each has the shape (6,), (1, nz, ny, nx) if it is the same in each direction, or
    (6, nz, ny, nx).

    Raises
    ------
    ValueError
        If a phase has no material, or an eigenstrain is no number and no field.
    """
    found: Eigenstrains = {}
    for name, value in given.items():
        micro.label(name)
        if name not in names:
            raise ValueError(f"phase {name!r} swells but has no material; give it one")
        strain = np.asarray(value)
        fields = {(), micro.shape, (6,), (6, *micro.shape)}
        wrong = strain.shape not in fields or strain.dtype.kind not in "fiu"
        if (
            wrong
            or not np.isfinite(strain[..., micro.mask(name)] if strain.ndim > 2 else strain).all()
        ):
            raise ValueError(
                f"the eigenstrain of {name!r} is not allowed; give a number, six components, or a "
                "field of either on the voxels"
            )
        if strain.shape == ():
            strain = float(strain) * SAME
        elif strain.shape == micro.shape:
            strain = strain[None]
        found[names.index(name)] = strain
    return found


def extended(
    strains: Eigenstrains, micro: Microstructure, names: Sequence[str], periodic: Sequence[bool]
) -> Eigenstrains:
    """Return eigenstrains also in neighbouring voxels, where parts of the solid may lie.

    There they are the mean of those in the 26 voxels around that belong to the phase.
    """
    return {
        solid: strain if strain.ndim == 1 else _spread(strain, micro.mask(names[solid]), periodic)
        for solid, strain in strains.items()
    }


def _spread(
    field: NDArray[np.floating], mask: NDArray[np.bool_], periodic: Sequence[bool]
) -> NDArray[np.float32]:
    def around(values: NDArray[np.float32]) -> NDArray[np.float32]:
        for axis, ring in enumerate(periodic):
            mode = "wrap" if ring else "constant"
            values = correlate1d(values, np.ones(3), axis, mode=mode)
        return values

    weight = around(mask.astype(np.float32))
    out = np.empty(field.shape, np.float32)
    for part, values in zip(out, field, strict=True):
        known = np.where(mask, values, 0.0).astype(np.float32)
        with np.errstate(invalid="ignore", divide="ignore"):
            part[...] = np.where(mask, known, np.nan_to_num(around(known) / weight))
    return out


def eigenstresses(solids: VoxelSolids, strains: Eigenstrains) -> NDArray[np.float32]:
    """Return the stress that would hold each voxel as it was, shape (6, nz, ny, nx), in Pa.

    It is 0 where an interface cuts the voxel, see `stresses_in_parts`.

    Parameters
    ----------
    solids : VoxelSolids
    strains : dict
        By the number of the solid, as `extended`.
    """
    out = np.zeros((6, *solids.number.shape), np.float32)
    for solid, strain in strains.items():
        weights = np.concatenate([_weights(solids, solid), np.zeros((1, 6, 6))])  # -1 is void
        columns = [weights @ SAME] if len(strain) == 1 else list(np.moveaxis(weights, 2, 0))
        if strain.ndim == 1:
            columns = [weights @ strain]
        for part in _parts(solids):
            number = solids.number[part]
            for n, column in enumerate(columns):
                found = column[number]
                if strain.ndim > 1:
                    found *= strain[n][part][..., None]
                out[:, part] += np.moveaxis(found, 3, 0)
    return out


def _weights(solids: VoxelSolids, solid: int) -> Matrix:
    """Return what a unit of eigenstrain in a solid adds to p, of each row, shape (m, 6, 6)."""
    f = solids.second_share[:, None, None]
    through = f * (1.0 - f) * solids.difference @ solids.jump
    first = (1.0 - f) * np.eye(6) + through
    second = f * np.eye(6) - through
    weights = np.where((solids.first == solid)[:, None, None], first, 0.0)
    mixed = (solids.second == solid) & (solids.first != solid)
    weights = np.where(mixed[:, None, None], second, weights)
    weights[solids.is_cut] = 0.0
    found: Matrix = solids.solid_share[:, None, None] * weights @ solids.solids[solid]
    return found


def stresses_in_parts(solids: VoxelSolids, strains: Eigenstrains) -> NDArray[np.float32] | None:
    """Return the same in either part of the voxels that an interface cuts, shape (2, 6, n).

    None if there are no such voxels.
    """
    if not solids.is_cut.any():
        return None
    is_cut = np.append(solids.is_cut, False)
    found = []
    for part in _parts(solids):
        number = solids.number[part].ravel()
        here = np.flatnonzero(is_cut[number])
        own = np.zeros((2, 6, len(here)), np.float32)
        for solid, strain in strains.items():
            for n, side in enumerate((solids.first, solids.second)):
                mine = side[number[here]] == solid
                own[n][:, mine] = _own(solids, solid, strain, part, here[mine])
        found.append(own)
    return np.concatenate(found, axis=2)


def _parts(solids: VoxelSolids) -> Iterator[slice]:
    for start in range(0, len(solids.number), PLANES):
        yield slice(start, start + PLANES)


def solid_stresses(
    solids: VoxelSolids,
    strain: NDArray[np.float32],
    strains: Eigenstrains,
    in_parts: NDArray[np.float32] | None,
) -> SolidStresses:
    """Return the stresses in the solids.

    Parameters
    ----------
    solids : VoxelSolids
    strain : ndarray, shape (6, nz, ny, nx)
        Mean over each voxel.
    strains : dict
        Eigenstrains by the number of the solid, as `extended`.
    in_parts : ndarray, shape (2, 6, n), optional
        Strains in the parts of the voxels that an interface cuts.
    """
    count = len(solids.solids)
    stress_sum, volume, energy = np.zeros((count, 6)), np.zeros(count), 0.0
    kinds = np.append((solids.first * count + solids.second) * 2 + solids.is_cut, -1)
    out = np.zeros(strain.shape, np.float32)
    passed = 0
    for part in _parts(solids):
        shown = out[:, part].reshape(6, -1)
        number = solids.number[part].ravel()
        kind = kinds[number]  # -1 is void
        place = np.cumsum((kind >= 0) & (kind % 2 == 1)) - 1 + passed
        passed = int(place[-1]) + 1
        for code in np.unique(kind[kind >= 0]):
            here = np.flatnonzero(kind == code)
            of = tuple(dict.fromkeys(int(solid) for solid in np.divmod(code // 2, count)))
            own = [_own(solids, solid, strains.get(solid), part, here) for solid in of]
            if code % 2:
                assert in_parts is not None
                both = list(in_parts[:, :, place[here]].astype(float))
            else:
                mean = strain[:, part].reshape(6, -1)[:, here].astype(float)
                both = _composite(solids, number[here], of, mean, own)
            f = solids.second_share[number[here]] if len(of) == 2 else np.zeros(len(here))
            whole = solids.solid_share[number[here]]
            for n, solid in enumerate(of):
                stress = solids.solids[solid] @ both[n] - own[n]
                share = whole * (f if n else 1.0 - f)
                stress_sum[solid] += stress @ share
                volume[solid] += share.sum()
                strained = solids.compliances[solid] @ stress
                energy += 0.5 * float((np.einsum("in,in->n", stress, strained) * share).sum())
                if n == 0:
                    at_centre = solids.at_centre[number[here]]
                    shown[:, here[at_centre]] = stress[:, at_centre]
        out[:, part] = shown.reshape(out[:, part].shape)
    with np.errstate(invalid="ignore"):
        means = stress_sum / volume[:, None]
    return SolidStresses(out, means, volume, energy)


def _own(
    solids: VoxelSolids,
    solid: int,
    strain: NDArray[np.floating] | None,
    part: slice,
    here: NDArray[np.int64],
) -> Matrix:
    """Return p of a solid in some voxels, shape (6, n) or (6, 1)."""
    stiffness = solids.solids[solid]
    if strain is None:
        return np.zeros((6, 1))
    if strain.ndim == 1:
        return (stiffness @ strain)[:, None]
    inside = strain[:, part].reshape(len(strain), -1)[:, here].astype(float)
    return stiffness @ (inside if len(inside) == 6 else SAME[:, None] * inside)


def _composite(
    solids: VoxelSolids,
    number: NDArray[np.signedinteger],
    of: tuple[int, ...],
    strain: Matrix,
    own: list[Matrix],
) -> list[Matrix]:
    """Return the strains in the one or two solids of some voxels."""
    if len(of) == 1:
        return [strain]
    f = solids.second_share[number]
    step = solids.solids[of[1]] - solids.solids[of[0]]
    jump = np.einsum("nij,jn->in", solids.jump[number], own[1] - own[0] - step @ strain)
    return [strain - f * jump, strain + (1.0 - f) * jump]
