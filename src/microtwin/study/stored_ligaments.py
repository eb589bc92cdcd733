"""Ligaments and their loads as arrays in the store, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from .store import Entry

if TYPE_CHECKING:
    from ..mechanics import LigamentLoads

__all__ = ["ligament_arrays", "stored_loads"]

# Columns of the stored tables; vectors take several.
_PLACES = {"centre": 3, "axis": 3, "smallest_gap": 1, "mean_gap": 1, "area": 1, "volume": 1}
_LOADS = {
    "mean_stress": 6,
    "normal_stress": 1,
    "shear_stress": 1,
    "mean_von_mises": 1,
    "peak_von_mises": 1,
    "maximum_principal": 1,
    "force": 1,
    "energy": 1,
}


def ligament_arrays(loads: LigamentLoads) -> dict[str, NDArray]:
    """Return what `stored_loads` reads."""
    found = loads.ligaments
    whole = np.array([
        [kind == "contact" for kind in found.kind], found.touches_border, *found.particles.T,
        loads.order,
    ]).T  # fmt: skip
    return {
        "ligament_whole": whole.astype(np.int64),
        "ligament_places": _side_by_side(found, _PLACES),
        "ligament_loads": _side_by_side(loads, _LOADS),
        # Small numbers take one or two bytes.
        "ligament_region": found.region.astype(np.min_scalar_type(int(found.region.max()))),
    }


def stored_loads(entry: Entry, micro: Microstructure) -> LigamentLoads | None:
    """Return the ranked ligaments that a stage has stored; None if it found none."""
    from ..mechanics import LigamentLoads, Ligaments

    if not entry.has("ligament_whole.npy"):
        return None
    given = entry.record["parameters"]
    contact, cut, first, second, order = entry.array("ligament_whole").T
    places = Ligaments(
        kind=tuple("contact" if k else "binder" for k in contact),
        particles=np.stack([first, second], axis=1),
        touches_border=cut.astype(bool),
        region=entry.array("ligament_region").astype(np.int32),
        micro=micro,
        phases={"binder": given["binder"], "contact": given["particles"]},
        **_apart(entry.array("ligament_places"), _PLACES),
    )
    return LigamentLoads(
        ligaments=places,
        length=entry.numbers["averaging_length"],
        by="peak_von_mises",
        order=order,
        **_apart(entry.array("ligament_loads"), _LOADS),
    )


def _side_by_side(source: Any, columns: Mapping[str, int]) -> NDArray[np.float64]:
    return np.column_stack([getattr(source, name) for name in columns])


def _apart(table: NDArray[np.float64], columns: Mapping[str, int]) -> dict[str, Any]:
    parts = np.split(table, np.cumsum(list(columns.values()))[:-1], axis=1)
    return {
        name: part if columns[name] > 1 else part[:, 0]
        for name, part in zip(columns, parts, strict=True)
    }
