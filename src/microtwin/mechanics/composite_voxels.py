"""Voxels that an interface crosses.

Fractions and normals are those of the embedded boundary (see `geometry`). By default an interface
between two solids cuts the element of the voxel in two (see `numerics.cut_elements`). Otherwise
such a voxel is a composite of two solids a and b, the latter with the fraction f of what is solid.
Strains differ by ::

    D = e_b - e_a = J (p_b - p_a - (C_b - C_a) e),   e_a = e - f D,   e_b = e + (1 - f) D

for the mean strain e and the stresses p = C e* of the eigenstrains e*. The stress of the voxel is
C e - p with ::

    C = (1 - f) C_a + f C_b - f (1 - f) (C_b - C_a) J (C_b - C_a)
    p = (1 - f) p_a + f p_b - f (1 - f) (C_b - C_a) J (p_b - p_a)

J = N (N' M N)^-1 N' with M = (1 - f) C_b + f C_a makes tractions equal across an interface with the
normal n, where N m is the strain of the tensor sym(m n): a laminate. J = 0 makes strains equal
(Voigt), and J = M^-1 stresses (Reuss). Void in a voxel carries nothing: C and p are multiplied by
the share s of what is solid.

As a number of composites is far smaller than that of voxels, fractions and normals are rounded to
those of a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..geometry import area_vectors, phase_fractions
from ..microstructure import Microstructure
from ..numerics.cut_elements import across
from ..numerics.hexahedra import Cuts
from .stiffness import Solid

__all__ = ["INTERFACES", "Interface", "VoxelSolids", "voxel_solids"]

Interface: TypeAlias = Literal["smooth", "voxel", "laminate", "voigt", "reuss"]
INTERFACES = {
    "smooth": "interfaces cut voxels",
    "voxel": "staircase, each voxel is one solid",
    "laminate": "voxels that an interface crosses are laminates",
    "voigt": "strains in such voxels are equal",
    "reuss": "stresses in such voxels are equal",
}
# Rounding of fractions, and where void shares the voxel with two solids; and of slopes.
LEVELS, FEW_LEVELS = 16, 8
ANGLES = 5
# Area of an interface, in faces of a voxel: below, several parts of it cancel, and no normal is
# better than another.
DIRECTED = 0.1

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VoxelSolids:
    """Of what the voxels of an image are made.

    Parameters
    ----------
    number : ndarray of int16 or int32, shape (nz, ny, nx)
        Row of the table for each voxel, -1 for void.
    first, second : ndarray of int, shape (m,)
        The solids of a row; the same where there is only one. The phase of the centre of a voxel
        is the first, if it is solid.
    at_centre : ndarray of bool, shape (m,)
        Whether that is so.
    second_share : ndarray, shape (m,)
        Of the second in what is solid.
    solid_share : ndarray, shape (m,)
        What is solid in the voxel.
    jump : ndarray, shape (m, 6, 6)
        J, in 1/Pa.
    normal : ndarray, shape (m, 3)
        Of the interface, from the first to the second, in rows that it cuts; 0 in others.
    solids : ndarray, shape (n, 6, 6)
        Stiffnesses of the solids, in Pa.
    """

    number: NDArray[np.signedinteger] = field(repr=False)
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    at_centre: NDArray[np.bool_]
    second_share: Matrix
    solid_share: Matrix
    jump: Matrix = field(repr=False)
    normal: Matrix = field(repr=False)
    solids: Matrix = field(repr=False)

    @property
    def compliances(self) -> Matrix:
        """Inverse stiffnesses of the solids, in 1/Pa."""
        return np.asarray(np.linalg.inv(self.solids), float)

    @property
    def difference(self) -> Matrix:
        """C_b - C_a of each row, in Pa."""
        found: Matrix = self.solids[self.second] - self.solids[self.first]
        return found

    @property
    def is_cut(self) -> NDArray[np.bool_]:
        """Which rows an interface cuts."""
        return np.asarray(self.normal.any(axis=1))

    @property
    def cuts(self) -> Cuts:
        """What the solver needs to know of these."""
        rows = np.flatnonzero(self.is_cut)
        return Cuts(
            rows, self.solids[self.first[rows]], self.solids[self.second[rows]],
            self.normal[rows], self.second_share[rows], self.solid_share[rows],
        )  # fmt: skip

    @property
    def stiffnesses(self) -> Matrix:
        """Stiffness of each row, shape (m, 6, 6), in Pa."""
        f = self.second_share[:, None, None]
        mean = (1.0 - f) * self.solids[self.first] + f * self.solids[self.second]
        step = self.difference
        found = self.solid_share[:, None, None] * (mean - f * (1.0 - f) * step @ self.jump @ step)
        return found


def voxel_solids(
    micro: Microstructure,
    materials: Mapping[str, Solid],
    interface: Interface,
    periodic: Sequence[bool],
) -> VoxelSolids:
    """Return of what the voxels of an image are made.

    Parameters
    ----------
    micro : Microstructure
    materials : mapping of str to Solid
        The phases that are solid; the others are void.
    interface : str
        See `INTERFACES`.
    periodic : sequence of 3 bool
        Along which axes the image repeats itself; beyond its other faces it goes on as it is there.

    Raises
    ------
    ValueError
        If a name is not allowed, or nothing is solid.
    """
    if interface not in INTERFACES:
        choices = ", ".join(f"{name!r} ({what})" for name, what in INTERFACES.items())
        raise ValueError(f"interface {interface!r} is not known; use {choices}")
    centre = np.full(256, -1, np.int16)
    for position, (name, solid) in enumerate(materials.items()):
        if not isinstance(solid, Solid):
            raise ValueError(
                f"the material of {name!r} is {solid!r}; give a Solid, such as isotropic(young, "
                "poisson)"
            )
        centre[micro.label(name)] = position
    number = centre[micro.labels]
    if (number < 0).all():
        raise ValueError("no phase of the image has a material, so nothing is solid")
    solids = np.array([solid.stiffness for solid in materials.values()])
    each = np.arange(len(solids))
    pure = VoxelSolids(
        number, each, each, np.ones(len(each), bool), np.zeros(len(each)), np.ones(len(each)),
        np.zeros_like(solids), np.zeros((len(each), 3)), solids,
    )  # fmt: skip
    if interface == "voxel":
        return pure
    return _mixed(micro, list(materials), pure, interface, periodic)


def _mixed(
    micro: Microstructure,
    names: list[str],
    pure: VoxelSolids,
    interface: Interface,
    periodic: Sequence[bool],
) -> VoxelSolids:
    """Return the solids where voxels that hold more than one phase are composites."""
    labels = np.pad(micro.labels, [(1, 1) if ring else (0, 0) for ring in periodic], mode="wrap")
    inner = tuple(slice(1, -1) if ring else slice(None) for ring in periodic)
    shares = [phase_fractions(labels, micro.label(name))[inner] for name in names]
    own = pure.number
    whole = np.sum(shares, axis=0)
    most = np.max(shares, axis=0)
    at = np.flatnonzero((most < 1.0 - 0.5 / LEVELS) & (whole >= 0.5 / LEVELS))
    del most
    there = np.array([share.ravel()[at] for share in shares])
    del shares
    whole = whole.ravel()[at]
    columns = np.arange(len(at))
    first = own.ravel()[at].astype(np.int64)
    at_centre = first >= 0
    first = np.where(at_centre, first, there.argmax(axis=0))
    others = there.copy()
    others[first, columns] = -1.0
    second = others.argmax(axis=0)
    pair = there[first, columns] + there[second, columns]
    f = np.where(second == first, 0.0, there[second, columns] / np.where(pair > 0.0, pair, 1.0))
    del there, others
    full = whole >= 1.0 - 0.5 / LEVELS
    few = ~full & (f >= 0.5 / LEVELS)
    step = np.where(few, LEVELS // FEW_LEVELS, 1)
    parts = (step * np.rint(f * LEVELS / step)).astype(np.int64)
    filled = np.maximum(step * np.rint(whole * LEVELS / step), step).astype(np.int64)
    filled[full] = LEVELS
    second = np.where(parts == 0, first, second)
    way = np.zeros(len(at), np.int64)
    if interface in ("smooth", "laminate"):
        way = _ways(labels, inner, micro, names, at, (first, second))
    codes = np.stack([first, second, at_centre, parts, filled, way])
    rows, row = np.unique(codes, axis=1, return_inverse=True)
    first, second, at_centre, parts, filled, way = rows
    normal = _normals(way)
    count = len(names)
    kind = np.int16 if count + len(first) < np.iinfo(np.int16).max else np.int32
    number: NDArray[np.signedinteger] = own.astype(kind)
    number.ravel()[at] = row.ravel() + count
    return VoxelSolids(
        number,
        np.concatenate([pure.first, first]),
        np.concatenate([pure.second, second]),
        np.concatenate([pure.at_centre, at_centre.astype(bool)]),
        np.concatenate([pure.second_share, parts / LEVELS]),
        np.concatenate([pure.solid_share, filled / LEVELS]),
        np.concatenate([pure.jump, _jumps(pure.solids, first, second, parts, normal, interface)]),
        np.concatenate([pure.normal, normal if interface == "smooth" else 0.0 * normal]),
        pure.solids,
    )


def _ways(
    labels: NDArray[np.uint8],
    inner: tuple[slice, ...],
    micro: Microstructure,
    names: list[str],
    at: NDArray[np.int64],
    pair: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Return the normal of the interface from one to the other solid of some voxels, as a number.

    0 is none; the others count the axis to which the normal is nearest, its sign, then the slopes
    along the other two.
    """
    out = np.zeros(len(at), np.int64)
    for a, b in combinations(range(len(names)), 2):
        here = np.flatnonzero(
            np.minimum(*pair) * len(names) + np.maximum(*pair) == a * len(names) + b
        )
        if not len(here):
            continue
        areas = area_vectors(labels, micro.label(names[a]), micro.label(names[b]))
        area = np.array([part[inner].ravel()[at[here]] for part in areas], float)
        del areas
        directed = np.linalg.norm(area, axis=0) > DIRECTED
        here, area = here[directed], area[:, directed] / np.array(micro.voxel_size)[:, None]
        area *= np.where(pair[0][here] == a, 1.0, -1.0)
        axis = np.abs(area).argmax(axis=0)
        columns = np.arange(len(here))
        nearest = area[axis, columns]
        half = (ANGLES - 1) / 2
        code = 2 * axis + (nearest > 0.0)
        for turn in (1, 2):
            slope = area[(axis + turn) % 3, columns] / np.abs(nearest)
            code = code * ANGLES + np.rint(half * (1.0 + slope)).astype(np.int64)
        out[here] = 1 + code
    return out


def _normals(way: NDArray[np.int64]) -> Matrix:
    """Return unit normals from their numbers, shape (n, 3); 0 where there is none."""
    code, x = np.divmod(np.maximum(way - 1, 0), ANGLES)
    code, y = np.divmod(code, ANGLES)
    axis, sign = np.divmod(code, 2)
    columns = np.arange(len(way))
    out = np.empty((len(way), 3))
    out[columns, axis] = 2.0 * sign - 1.0
    for turn, level in ((1, y), (2, x)):
        out[columns, (axis + turn) % 3] = 2.0 * level / (ANGLES - 1) - 1.0
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    return np.where(way[:, None] > 0, out, 0.0)


def _jumps(
    solids: Matrix,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    parts: NDArray[np.int64],
    normal: Matrix,
    interface: Interface,
) -> Matrix:
    """Return J of each row, shape (m, 6, 6)."""
    out = np.zeros((len(first), 6, 6))
    mixed = first != second
    if interface == "voigt" or not mixed.any():
        return out
    f = parts[mixed, None, None] / LEVELS
    mean = (1.0 - f) * solids[second[mixed]] + f * solids[first[mixed]]
    equal_stress = np.linalg.inv(mean)
    if interface == "reuss":
        out[mixed] = equal_stress
        return out
    normal = normal[mixed]
    directed = normal.any(axis=1)
    # Without a normal: half way between equal stresses and equal strains.
    out[mixed] = 0.5 * equal_stress
    n = across(normal[directed])
    flat = np.swapaxes(n, 1, 2)
    laminate = n @ np.linalg.inv(flat @ mean[directed] @ n) @ flat
    out[np.flatnonzero(mixed)[directed]] = laminate
    return out
