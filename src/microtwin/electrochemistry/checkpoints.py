"""Files from which a half cell goes on."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from .half_cell_model import HalfCell
from .half_cell_state import State

__all__ = ["load_checkpoint", "save_checkpoint"]


def save_checkpoint(cell: HalfCell, path: str | Path) -> Path:
    """Write the state of a cell to a file (npz), from which `load_checkpoint` goes on."""
    path = Path(path)
    arrays: dict[str, NDArray | float] = {"last_length": cell.last_length}
    for name, state in (("state", cell.state), ("before", cell.before)):
        if state is not None:
            arrays |= {f"{name}_{key}": value for key, value in vars(state).items()}
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
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
    if "last_length" not in files:
        raise ValueError(f"{path} is no checkpoint of a half cell")
    with opened as found:
        for name in ("before", "state"):
            keys = [key for key in found.files if key.startswith(f"{name}_")]
            if not keys:
                continue
            values = {key.removeprefix(f"{name}_"): found[key] for key in keys}
            values = {k: float(v) if v.ndim == 0 else v for k, v in values.items()}
            state = State(**values)
            same = state.lithium.shape == cell.state.lithium.shape
            if not same or state.current.shape != cell.state.current.shape:
                raise ValueError(f"{path} is a checkpoint of another cell; give that of this image")
            setattr(cell, name, state)
        cell.last_length = float(found["last_length"])
