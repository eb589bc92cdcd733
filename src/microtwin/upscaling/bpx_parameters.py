"""An imaged electrode in a BPX file, the exchange format for battery parameters.

The file of the user stays as it is but for what was measured. See https://bpxstandard.com.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ..electrochemistry import FARADAY
from .bpx_templates import bpx_library, check_bpx, particles_of, read_template
from .electrode_parameters import UNITS, ElectrodeParameters
from .pybamm_parameters import SIDES, checked_side

__all__ = ["to_bpx", "write_bpx"]

AREA, RADIUS = "Surface area per unit volume [m-1]", "Particle radius [m]"
NOMINAL = "Nominal cell capacity [A.h]"
# Names of BPX for what an image gives.
MEASURED = {
    "thickness": "Thickness [m]",
    "porosity": "Porosity",
    "liquid_transport_efficiency": "Transport efficiency",
    "solid_conductivity": "Conductivity [S.m-1]",
}
# Capacities of the electrodes that differ by more belong to another state of charge.
BALANCE = 0.05


def to_bpx(
    parameters: ElectrodeParameters,
    template: str | Path | Mapping[str, Any],
    electrode: str = "positive",
    *,
    keep: Literal["area", "radius"] = "area",
) -> dict[str, Any]:
    """Return a BPX parameter set with one electrode replaced by the imaged one.

    Parameters
    ----------
    parameters : ElectrodeParameters
    template : str, Path or mapping
        A complete BPX file, JSON or YAML, or its content. It is not changed. Older versions than
        1.0 are converted by the library of BPX, with a warning.
    electrode : {"positive", "negative"}
        Which electrode was imaged.
    keep : {"area", "radius"}
        BPX holds no fraction of active material: importers derive it, area x radius / 3. So one of
        the two follows from the active fraction and the other. ``area`` keeps the measured area,
        and the radius becomes the Sauter radius; ``radius`` keeps the measured radius, and the
        area becomes that of spheres.

    Returns
    -------
    dict
        Checked by the library of BPX; `write_bpx` writes it.

    Raises
    ------
    ValueError
        If the template is no BPX file, lacks a number or has one that is not allowed, holds a
        single-particle model or a part of a cell only, or its electrode is a blend.
    ImportError
        If the library of BPX is not there.

    Warns
    -----
    UserWarning
        If the template was converted, or the capacities of the two electrodes no longer match.

    Notes
    -----
    Thickness, porosity, transport efficiency, area, radius and, if measured, the effective solid
    conductivity are replaced. The nominal capacity changes in the ratio in which the smaller of
    the two electrodes does. Values with uncertainties are appended to the description in the
    header and their sources to its references; uncertainties also stand among the user-defined
    parameters. Where the template has them already of the same electrode they are replaced.
    PyBaMM's importer needs the reference temperature, volume and external surface area of the cell
    besides, which are optional in BPX.
    """
    checked_side(electrode)
    if keep not in ("area", "radius"):
        raise ValueError(f"keep {keep!r} is not allowed; use 'area' or 'radius'")
    parameters.check_conduction()
    content = read_template(template)
    cell = content["Parameterisation"]
    before = min(_capacities(cell))
    section = cell[f"{electrode.capitalize()} electrode"]
    if "Particle" in section:
        raise ValueError(
            f"the {electrode} electrode of the template is a blend of "
            f"{', '.join(section['Particle'])}, which one measured area and radius cannot be "
            "shared out to; give a template with one active material"
        )
    for name, key in MEASURED.items():
        if (quantity := getattr(parameters, name)) is not None:
            section[key] = quantity.value
    solid = 3.0 * parameters.active_fraction.value
    if keep == "area":
        section[AREA] = parameters.specific_surface.value
        section[RADIUS] = solid / section[AREA]
    else:
        section[RADIUS] = parameters.particle_radius.value
        section[AREA] = solid / section[RADIUS]
    _balance(cell, before)
    _document(content, parameters, electrode, keep)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said of the template
        check_bpx(content, "the result")
    return content


def write_bpx(content: Any, path: str | Path) -> Path:
    """Write a BPX parameter set as JSON.

    Parameters
    ----------
    content : dict or bpx.BPX
        As `to_bpx` returns it, or an object of the library of BPX.
    path : str or Path
        Ends in ``.json``.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ValueError
        If the name has another ending, or the content is no BPX or holds NaN or infinity.
    ImportError
        If the library of BPX is not there.
    """
    bpx = bpx_library()
    target = Path(path)
    if target.suffix.lower() != ".json":
        raise ValueError(f"{target.name!r} is not allowed; the name of a BPX file ends in .json")
    if isinstance(content, bpx.BPX):
        content = content.model_dump(by_alias=True, exclude_none=True)
    elif not isinstance(content, Mapping):
        raise ValueError(f"a {type(content).__name__} is no BPX; give what to_bpx returns")
    content = dict(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said by to_bpx
        check_bpx(content, "the content")
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    target.write_text(text + "\n", encoding="utf-8")
    return target


def _capacities(cell: Mapping[str, Any]) -> list[float]:
    """Return the capacity of each electrode within its stoichiometries, in A h/m^2."""
    found = []
    for side in SIDES:
        section = cell[f"{side.capitalize()} electrode"]
        amount = sum(
            float(p["Maximum concentration [mol.m-3]"])
            * (float(p["Maximum stoichiometry"]) - float(p["Minimum stoichiometry"]))
            * float(p[AREA])
            * float(p[RADIUS])
            / 3.0
            for p in particles_of(section)
        )
        found.append(FARADAY * amount * float(section["Thickness [m]"]) / 3600.0)
        if not found[-1] > 0.0:
            raise ValueError(
                f"the {side} electrode of the template takes up no lithium; give a thickness, "
                "concentration, radius and area above 0"
            )
    return found


def _balance(cell: dict[str, Any], before: float) -> None:
    """Bring the nominal capacity up to date, and warn if the electrodes do not match."""
    capacities = _capacities(cell)
    if NOMINAL in cell["Cell"]:
        cell["Cell"][NOMINAL] = float(cell["Cell"][NOMINAL]) * min(capacities) / before
    if max(capacities) > (1.0 + BALANCE) * min(capacities):
        positive, negative = capacities
        warnings.warn(
            f"within their stoichiometries the positive electrode holds {positive:.3g} A h/m² and "
            f"the negative one {negative:.3g} A h/m², so these no longer belong to the same state "
            "of charge; adapt the stoichiometries or the other electrode",
            UserWarning,
            stacklevel=3,
        )


def _document(
    content: dict[str, Any], parameters: ElectrodeParameters, electrode: str, keep: str
) -> None:
    """Say in the header and among the user-defined parameters what was measured, and how well.

    What an earlier image of the same electrode left there is taken out.
    """
    from .. import __version__

    # What is left over is no measurement, and follows from the others.
    measured = {n: q for n, q in parameters.quantities().items() if n != "inert_fraction"}
    derived = "particle radius" if keep == "area" else "surface area"
    values = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in measured.items())
    title = f"{electrode.capitalize()} electrode"
    # One line each, which is found again by its beginning.
    start = f"{title} from an image"
    header, cell = content["Header"], content["Parameterisation"]
    _set_line(
        header,
        "Description",
        start,
        f", by microtwin {__version__}: {values}. "
        f"The {derived} in this file follows from the active fraction.",
    )
    sources = dict.fromkeys(" ".join(q.source.split()) for q in measured.values() if q.source)
    _set_line(header, "References", start, f": {' '.join(sources)}" if sources else "")
    errors = {_error_key(title, name): q.uncertainty for name, q in measured.items()}
    known = dict(cell.get("User-defined") or {})
    for name in UNITS:
        known.pop(_error_key(title, name), None)
    known |= {key: error for key, error in errors.items() if error is not None}
    if known:
        cell["User-defined"] = known
    else:
        cell.pop("User-defined", None)


def _set_line(header: dict[str, Any], key: str, start: str, rest: str) -> None:
    """Replace the lines of a text that begin like this by one, or by none if there is no rest."""
    old = header.get(key)
    lines = [line for line in old.split("\n") if not line.startswith(start)] if old else []
    if rest:
        lines.append(start + rest)
    if lines:
        header[key] = "\n".join(lines)
    else:
        header.pop(key, None)


def _error_key(title: str, name: str) -> str:
    return f"{title} {name.replace('_', ' ')}, uncertainty"
