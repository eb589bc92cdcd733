"""Tables of time, voltage and current as Battery Data Format, the open format for cycler data.

Columns and signs are those of the Battery Data Format ontology 1.2.0 of the Battery Data Alliance
(https://w3id.org/battery-data-alliance/ontology/battery-data-format); its labels of these columns
are the same since 1.0.0.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["write_battery_data"]

ENDINGS = (".bdf", ".csv")
KELVIN = 273.15


def write_battery_data(
    path: str | Path,
    time: ArrayLike,
    voltage: ArrayLike,
    current: ArrayLike,
    *,
    cycle: ArrayLike | None = None,
    step: ArrayLike | None = None,
    ambient_temperature: ArrayLike | None = None,
) -> Path:
    """Write a table of one cell as Battery Data Format, in text with commas.

    Parameters
    ----------
    path : str or Path
        Ends in ``.bdf`` or ``.csv``; ``.bdf.csv`` says both.
    time : array_like, shape (n,)
        Since the start, in s; never falling.
    voltage : array_like, shape (n,)
        In V.
    current : array_like, shape (n,)
        In A, positive on discharge, as everywhere in microtwin. The format has it positive on
        charge, and so it is written.
    cycle, step : array_like of int, shape (n,), optional
        Count of cycles and of steps of the protocol, each 0 or more and never falling.
    ambient_temperature : float or array_like, shape (n,), optional
        In K; written in degrees Celsius.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ValueError
        If lengths differ, a value is no number, the time falls, a count is not allowed, or the
        name has another ending.
    """
    target = Path(path)
    if target.suffix.lower() not in ENDINGS:
        raise ValueError(
            f"{target.name!r} ends in {target.suffix!r}; Battery Data Format in text ends in .bdf "
            "or .csv, as in 'cell.bdf.csv'"
        )
    seconds = np.atleast_1d(np.asarray(time, float))
    columns: dict[str, NDArray] = {
        "Test Time / s": _rising(seconds, "time", seconds.size),
        "Voltage / V": _column(voltage, "voltage", seconds.size),
        # Adding 0 turns -0 into 0.
        "Current / A": -_column(current, "current", seconds.size) + 0.0,
    }
    for name, counts in (("cycle", cycle), ("step", step)):
        if counts is not None:
            whole = _rising(counts, name, seconds.size)
            if (whole != np.round(whole)).any() or whole[0] < 0:
                raise ValueError(f"{name} holds other than whole numbers from 0 up; give counts")
            columns[f"{name.capitalize()} Count / 1"] = whole.astype(np.int64)
    if ambient_temperature is not None:
        kelvin = np.broadcast_to(np.asarray(ambient_temperature, float), seconds.shape)
        celsius = _column(kelvin, "ambient_temperature", seconds.size) - KELVIN
        # Undoes the rounding of the difference: 298.15 K is 25 degrees.
        columns["Ambient Temperature / degC"] = np.round(celsius, 9)
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    return target


def _column(values: ArrayLike, name: str, length: int) -> NDArray[np.float64]:
    column = np.atleast_1d(np.asarray(values, float))
    if column.shape != (length,) or not length:
        raise ValueError(
            f"{name} has shape {column.shape}; give one number for each of the {length} times"
        )
    if not np.isfinite(column).all():
        raise ValueError(f"{name} holds NaN or infinite values; leave such rows out")
    return column


def _rising(values: ArrayLike, name: str, length: int) -> NDArray[np.float64]:
    column = _column(values, name, length)
    if (np.diff(column) < 0.0).any():
        raise ValueError(f"{name} falls somewhere; sort the rows, or write each run to its file")
    return column
