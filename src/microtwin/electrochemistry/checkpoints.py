"""Files from which a half cell goes on."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from .half_cell_model import HalfCell
from .half_cell_state import Before, State

__all__ = ["load_checkpoint", "save_checkpoint"]


def save_checkpoint(cell: HalfCell, path: str | Path) -> Path:
    """Write the state of a cell to a file (npz), from which `load_checkpoint` goes on."""
    path = Path(path)
    arrays: dict[str, Any] = {"last_length": cell.last_length, "identity": _identity(cell)}
    for name, state in (("state", cell.state), ("before", cell.before)):
        if state is not None:
            arrays |= {f"{name}_{key}": value for key, value in vars(state).items()}
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        np.savez(file, **arrays)
    temporary.replace(path)
    return path


def load_checkpoint(cell: HalfCell, path: str | Path) -> None:
    """Bring a cell to the state that was written to a file.

    Raises
    ------
    ValueError
        If the file is no checkpoint, or of another cell.
    """
    try:
        opened = np.load(path)
        files = set(opened.files)
    except (ValueError, EOFError, AttributeError, BadZipFile):
        files = set()
    if not {"last_length", "identity"} <= files:
        raise ValueError(f"{path} is no checkpoint of a half cell")
    with opened as found:
        if str(found["identity"]) != _identity(cell):
            raise ValueError(
                f"{path} is a checkpoint of another cell; give that of the same image, materials, "
                "separator, surface and temperature"
            )
        cell.before = None
        for name, kind in (("before", Before), ("state", State)):
            keys = [key for key in found.files if key.startswith(f"{name}_")]
            if keys:
                values = {key.removeprefix(f"{name}_"): found[key] for key in keys}
                values = {k: float(v) if v.ndim == 0 else v for k, v in values.items()}
                setattr(cell, name, kind(**values))
        cell.last_length = float(found["last_length"])


def _identity(cell: HalfCell) -> str:
    """Return a hash of what makes a cell what it is."""
    found = blake2b(digest_size=16)
    tables, grid = cell.tables, cell.grid
    curves = (
        tables.potential, tables.concentration_potential, tables.conductivity,
        tables.salt_diffusivity, tables.diffusivity, tables.migration,
    )  # fmt: skip
    for array in (
        grid.solid_place, grid.liquid_place, grid.area, grid.active_volume, grid.liquid_volume,
        cell.resistance, cell.exchange_factor, tables.exchange,
        *(curve.values for curve in curves if curve is not None),
        np.array([*grid.shape, grid.layers, *grid.voxel_size, grid.separator_share]),
        np.array([cell.temperature, cell.material.maximum_concentration, cell.capacity]),
        np.array([tables.mean_diffusivity, tables.transference]),
    ):  # fmt: skip
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
