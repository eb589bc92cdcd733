"""Projections in the HDF5 layout of DXchange.

``/exchange/data`` holds the projections (theta, y, x), ``/exchange/data_white`` and
``/exchange/data_dark`` frames without a sample and without a beam, ``/exchange/theta`` the angles
(F. De Carlo et al., J. Synchrotron Rad. 21 (2014) 1224). The size of a pixel at the sample has no
fixed place.
"""

from __future__ import annotations

from pathlib import Path

from ..files.hdf5_links import files_behind
from .frames import FoundProjections, StoredFrames
from .hdf5_frames import located, number_with_unit, opened, stored_frames
from .nxtomo import radians

__all__ = ["open_dxchange"]

_AXES = ("theta:y:x", "theta, y, x")


def open_dxchange(path: Path) -> FoundProjections | None:
    """Look into a DXchange file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    FoundProjections or None
        None if the file has no ``/exchange/data``. Angles are None where ``theta`` is missing.

    Raises
    ------
    ValueError
        If the axes of the projections are not theta, y, x; if ``theta`` has another length than
        the projections or a unit that is no angle.
    """
    with opened(path) as file:
        places = {
            name: located(file, f"exchange/{name}")
            for name in ("data", "data_white", "data_dark", "theta")
        }
        data, theta = places["data"], places["theta"]
        if data is None:
            return None
    with opened(data[0]) as file:
        axes = file[data[1]].attrs.get("axes", _AXES[0])
        axes = axes.decode() if isinstance(axes, bytes) else str(axes)
        if axes not in _AXES:
            raise ValueError(
                f"{path}: /exchange/data has the axes {axes!r}, and only {_AXES[0]!r} is read; "
                "transpose it and pass the array to Projections"
            )
    values = stored_frames(data)
    angles = None
    if theta is not None:
        with opened(theta[0]) as file:
            numbers, unit = number_with_unit(file[theta[1]], "degrees")
        angles = radians(numbers, unit, f"{path}: /exchange/theta")
        if len(angles) != values.shape[0]:
            raise ValueError(
                f"{path}: /exchange/theta holds {len(angles)} angles for {values.shape[0]} "
                "projections, so the scan stopped half-way or the angles are of another one; give "
                "angles, one for each projection"
            )

    def frames(name: str) -> StoredFrames | None:
        place = places[name]
        return None if place is None else stored_frames(place)

    companions = files_behind(path, [f"exchange/{name}" for name in places])
    return FoundProjections(
        values, angles, frames("data_white"), frames("data_dark"), companions=companions
    )
