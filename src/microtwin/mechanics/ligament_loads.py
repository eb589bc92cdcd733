"""What each ligament between particles bears, and which bear most."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .averaging import Window, averaged_stress
from .binder_ligaments import Ligaments
from .field_checks import checked_stress
from .invariants import energy_density, maximum_principal, von_mises
from .stiffness import AXES, Solid
from .tractions import normal_and_shear

__all__ = ["LigamentLoads", "rank_ligaments", "write_ligaments"]

RANKED_BY = (
    "peak_von_mises",
    "mean_von_mises",
    "maximum_principal",
    "normal_stress",
    "force",
    "energy",
)
COMPONENTS = ("zz", "yy", "xx", "yx", "zx", "zy")

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LigamentLoads:
    """Loads of ligaments, in their order; arrays have one row each.

    Parameters
    ----------
    ligaments : Ligaments
    mean_stress : ndarray, shape (n, 6)
        Over the volume of each, components (zz, yy, xx, yx, zx, zy), in Pa.
    normal_stress : ndarray, shape (n,)
        Of the mean stress along the axis, in Pa; positive where it is pulled.
    shear_stress : ndarray, shape (n,)
        Of the mean stress on the plane across the axis, in Pa.
    mean_von_mises : ndarray, shape (n,)
        Mean of that of the voxels, in Pa.
    peak_von_mises, maximum_principal : ndarray, shape (n,)
        Largest of the stress averaged over `length`, in Pa.
    force : ndarray, shape (n,)
        Along the axis, normal stress times cross-section, in N; positive where it is pulled.
    energy : ndarray, shape (n,)
        Elastic energy in the ligament, in J; NaN without materials.
    length : float
        Over which stress was averaged, in m.
    by : str
        What they are ranked by.
    order : ndarray of int, shape (n,)
        Rows from the highest load to the lowest.
    """

    ligaments: Ligaments
    mean_stress: NDArray[np.float64] = field(repr=False)
    normal_stress: Vector
    shear_stress: Vector
    mean_von_mises: Vector
    peak_von_mises: Vector
    maximum_principal: Vector
    force: Vector
    energy: Vector
    length: float
    by: str
    order: NDArray[np.int64]

    def top(
        self, count: int | None = None, *, inner: bool = False, kind: str | None = None
    ) -> NDArray[np.int64]:
        """Return the rows with the highest loads, the highest first.

        Parameters
        ----------
        count : int, optional
            How many at most; by default all.
        inner : bool
            Whether to leave out what an outer face of the image cuts.
        kind : {"binder", "contact"}, optional
            By default both.

        Returns
        -------
        ndarray of int
        """
        keep = np.ones(len(self.order), bool)
        if inner:
            keep &= ~self.ligaments.touches_border
        if kind is not None:
            keep &= np.array([own == kind for own in self.ligaments.kind], bool)
        return self.order[keep[self.order]][:count]

    def rows(self) -> list[dict[str, Any]]:
        """Return a table, the highest load first: names hold units, values are plain numbers."""
        found = self.ligaments
        return [
            {
                "rank": rank,
                "ligament": int(k) + 1,
                "kind": found.kind[k],
                "first_particle": int(found.particles[k, 0]),
                "second_particle": int(found.particles[k, 1]),
                **{f"{a}_m": float(found.centre[k, i]) for i, a in enumerate(AXES)},
                **{f"axis_{a}": float(found.axis[k, i]) for i, a in enumerate(AXES)},
                "smallest_gap_m": float(found.smallest_gap[k]),
                "mean_gap_m": float(found.mean_gap[k]),
                "area_m2": float(found.area[k]),
                "volume_m3": float(found.volume[k]),
                "touches_border": bool(found.touches_border[k]),
                "normal_stress_Pa": float(self.normal_stress[k]),
                "shear_stress_Pa": float(self.shear_stress[k]),
                "mean_von_mises_Pa": float(self.mean_von_mises[k]),
                "peak_von_mises_Pa": float(self.peak_von_mises[k]),
                "maximum_principal_Pa": float(self.maximum_principal[k]),
                "force_N": float(self.force[k]),
                "energy_J": None if np.isnan(self.energy[k]) else float(self.energy[k]),
                **{
                    f"stress_{name}_Pa": float(value)
                    for name, value in zip(COMPONENTS, self.mean_stress[k], strict=True)
                },
            }
            for rank, k in enumerate(self.order, 1)
        ]


def rank_ligaments(
    ligaments: Ligaments,
    stress: ArrayLike,
    *,
    length: float,
    by: str = "peak_von_mises",
    materials: Mapping[str, Solid] | None = None,
    window: Window = "ball",
    periodic: bool = False,
) -> LigamentLoads:
    """Read what each ligament bears from a stress field, and rank them.

    Parameters
    ----------
    ligaments : Ligaments
    stress : array, shape (6, nz, ny, nx)
        On the voxels of the same image, in Pa.
    length : float
        In m: peaks are those of the stress averaged over it, within the phase.
    by : str
        "peak_von_mises", "mean_von_mises", "maximum_principal", "energy", or "normal_stress" and
        "force", which rank pull before pressure.
    materials : mapping of str to Solid, optional
        By the names of the phases; for the energy.
    window, periodic
        As in `averaged_stress`.

    Returns
    -------
    LigamentLoads

    Raises
    ------
    ValueError
        If an argument is not allowed, shapes do not fit, there is no ligament, or a material that
        the energy needs is missing.

    Notes
    -----
    The force is exact where stress is uniform over the cross-section of a ligament that is a
    prism; else it is the mean stress of the volume on the mean cross-section.
    """
    s = checked_stress(stress, ndim=4)
    if s.shape[1:] != ligaments.region.shape:
        raise ValueError(
            f"a stress of shape {s.shape} does not fit ligaments in an image of shape "
            f"{ligaments.region.shape}; give the stress on that image"
        )
    if by not in RANKED_BY:
        raise ValueError(f"{by!r} cannot be ranked by; give one of {', '.join(RANKED_BY)}")
    count = len(ligaments)
    if count == 0:
        raise ValueError("there is no ligament to rank; find them with a wider gap")
    if by == "energy" and materials is None:
        raise ValueError("the energy needs materials; give the solid of each phase by its name")
    stresses, means = np.zeros((count, 6)), np.zeros(count)
    peaks = np.full((2, count), -np.inf)
    energies = np.full(count, np.nan)
    for kind in dict.fromkeys(ligaments.kind):
        phase = ligaments.phases[kind]
        mask = ligaments.micro.mask(phase)
        here = mask & (ligaments.region > 0)
        row = ligaments.region[here].astype(np.int64) - 1
        values = s[:, here].astype(np.float64)
        voxels = np.bincount(row, minlength=count)
        own = voxels > 0
        for k in range(6):
            stresses[own, k] = (np.bincount(row, values[k], count)[own]) / voxels[own]
        means[own] = np.bincount(row, von_mises(values), count)[own] / voxels[own]
        averaged = averaged_stress(
            s, mask, length, ligaments.micro.voxel_size, window=window, periodic=periodic, at=here
        )[:, here]
        np.maximum.at(peaks[0], row, von_mises(averaged))
        np.maximum.at(peaks[1], row, maximum_principal(averaged))
        if materials is not None:
            if phase not in materials:
                raise ValueError(f"the material of {phase!r} is missing; give it for the energy")
            density = energy_density(values, materials[phase])
            energies[own] = np.bincount(row, density, count)[own] / voxels[own]
    normal, shear = normal_and_shear(stresses.T, ligaments.axis)
    columns = {
        "normal_stress": normal,
        "shear_stress": shear,
        "mean_von_mises": means,
        "peak_von_mises": peaks[0],
        "maximum_principal": peaks[1],
        "force": normal * ligaments.area,
        "energy": energies * ligaments.volume,
    }
    return LigamentLoads(
        ligaments=ligaments,
        mean_stress=stresses,
        length=float(length),
        by=by,
        order=np.argsort(-columns[by], kind="stable"),
        **columns,
    )


def write_ligaments(path: str | Path, loads: LigamentLoads) -> None:
    """Write the table of ranked ligaments, the highest load first.

    Parameters
    ----------
    path : str or Path
        Ends in .csv or .json.
    loads : LigamentLoads

    Raises
    ------
    ValueError
        If the path has another ending.
    """
    path, rows = Path(path), loads.rows()
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    elif path.suffix == ".json":
        whole = {"by": loads.by, "length_m": loads.length, "ligaments": rows}
        path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    else:
        raise ValueError(f"{path.name!r} is not allowed; give a name that ends in .csv or .json")
