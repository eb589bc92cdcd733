from __future__ import annotations

import csv

import numpy as np
import pytest

from microtwin.upscaling import write_battery_data


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_columns_and_signs(tmp_path):
    path = write_battery_data(
        tmp_path / "cell.bdf.csv",
        [0.0, 1.5, 3.0],
        [4.2, 4.1, 3.9],
        [0.0, 0.5, -0.25],  # rest, discharge, charge
        cycle=[0, 0, 1],
        step=[1, 2, 3],
        ambient_temperature=298.15,
    )
    header, *lines = rows(path)
    assert header == [
        "Test Time / s",
        "Voltage / V",
        "Current / A",
        "Cycle Count / 1",
        "Step Count / 1",
        "Ambient Temperature / degC",
    ]
    # The format has charging currents positive.
    assert lines[0] == ["0.0", "4.2", "0.0", "0", "1", "25.0"]
    assert lines[1] == ["1.5", "4.1", "-0.5", "0", "2", "25.0"]
    assert lines[2][2] == "0.25"


def test_numbers_are_written_in_full(tmp_path):
    time = np.cumsum(np.random.default_rng(1).random(50))
    path = write_battery_data(tmp_path / "cell.bdf", time, time / 7, -time / 3)
    read = np.array(rows(path)[1:], float)
    assert (read == np.stack([time, time / 7, time / 3], axis=1)).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": [0.0, -1.0]}, "time falls"),
        ({"voltage": [4.0]}, "voltage has shape"),
        ({"current": [0.0, np.nan]}, "current holds NaN"),
        ({"cycle": [0.5, 1.0]}, "whole numbers"),
        ({"step": [-1, 0]}, "whole numbers"),
        ({"step": [2, 1]}, "step falls"),
        ({"path": "cell.txt"}, "ends in '.txt'"),
        ({"time": [], "voltage": [], "current": []}, "time has shape"),
    ],
)
def test_what_is_not_allowed(changes, message, tmp_path):
    given = {"path": "cell.csv", "time": [0, 1], "voltage": [4, 4], "current": [0, 0]} | changes
    given["path"] = tmp_path / given["path"]
    with pytest.raises(ValueError, match=message):
        write_battery_data(**given)
