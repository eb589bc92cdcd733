"""An imaged electrode in a BPX file, the exchange format for battery parameters.

The file of the user stays as it is but for what was measured. See https://bpxstandard.com.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ..electrochemistry import FARADAY
from .electrode_parameters import ElectrodeParameters
from .pybamm_parameters import SIDES, checked_side

__all__ = ["to_bpx", "write_bpx"]

SECTIONS = ("Cell", "Electrolyte", "Negative electrode", "Positive electrode", "Separator")
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
        If the template is no BPX file, holds a single-particle model or a part of a cell only, or
        its electrode is a blend.
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
    parameters. PyBaMM's importer
    needs the reference temperature, volume and external surface area of the cell besides, which
    are optional in BPX.
    """
    bpx = _bpx()
    checked_side(electrode)
    if keep not in ("area", "radius"):
        raise ValueError(f"keep {keep!r} is not allowed; use 'area' or 'radius'")
    parameters.check_conduction()
    content = _complete(_current(_content(template)))
    cell = content["Parameterisation"]
    before = _smaller_capacity(cell)
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
    try:
        # The library puts its own objects into what it is given.
        bpx.parse_bpx_obj(copy.deepcopy(content))
    except ValueError as error:
        raise ValueError(
            f"the library of BPX does not accept the result: {_first(error)}; check the template"
        ) from None
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
        If the name has another ending, or the content is no BPX.
    ImportError
        If the library of BPX is not there.
    """
    bpx = _bpx()
    target = Path(path)
    if target.suffix.lower() != ".json":
        raise ValueError(f"{target.name!r} is not allowed; the name of a BPX file ends in .json")
    if isinstance(content, bpx.BPX):
        content = content.model_dump(by_alias=True, exclude_none=True)
    elif not isinstance(content, Mapping):
        raise ValueError(f"a {type(content).__name__} is no BPX; give what to_bpx returns")
    target.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def _bpx() -> Any:
    try:
        import bpx
    except ImportError:
        raise ImportError(
            "BPX files need the library bpx, which is not there: pip install 'microtwin[cell]'"
        ) from None
    return bpx


def _content(template: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the content of a template."""
    if isinstance(template, Mapping):
        return copy.deepcopy(dict(template))
    from ruamel.yaml import YAML, YAMLError

    path = Path(template)
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix.lower() in (".yml", ".yaml"):
            content = YAML(typ="safe").load(text)
        else:
            content = json.loads(text)
    except (ValueError, YAMLError) as error:
        raise ValueError(f"{path} is no BPX file: {_first(error)}; give JSON or YAML") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no BPX file: it holds a {type(content).__name__}")
    return content


def _current(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content in the present version of BPX."""
    bpx = _bpx()
    header = content.get("Header")
    if not isinstance(header, dict) or "BPX" not in header or "Parameterisation" not in content:
        raise ValueError(
            "the template is no BPX: it needs a 'Header' with the version under 'BPX', and a "
            "'Parameterisation'"
        )
    version = header["BPX"]
    try:
        old = bpx.is_legacy_bpx(content)
    except ValueError:
        raise ValueError(
            f"the version {version!r} in the header of the template is not known; BPX has versions "
            "such as '1.1.0'"
        ) from None
    if old:
        content = bpx.convert_v0_to_v1(content)
        warnings.warn(
            f"the template is BPX {version} and was converted to {content['Header']['BPX']} by the "
            "library of BPX: initial temperature and concentration are now under 'State', and the "
            "state of charge is 1; check them",
            UserWarning,
            stacklevel=3,
        )
    else:
        header["BPX"] = str(version)
    return content


def _complete(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content as that of a whole cell with electrolyte, or raise a `ValueError`."""
    header, cell = content["Header"], content["Parameterisation"]
    model = header.get("Model")
    missing = [name for name in SECTIONS if not cell.get(name)]
    if model == "SPM":
        raise ValueError(
            "the template is for the model SPM, which has no porosity, transport efficiency and "
            "conductivity; give a file for DFN or SPMe"
        )
    if model == "Partial":
        if missing:
            raise ValueError(
                f"the template is of the model 'Partial' and lacks {', '.join(missing)}, so cell "
                "models cannot use it; give a complete file for DFN"
            )
        header["Model"] = "DFN"
        warnings.warn(
            "the template is of the model 'Partial', which PyBaMM cannot read, but holds a whole "
            "cell; the model is now 'DFN'",
            UserWarning,
            stacklevel=3,
        )
    elif missing:
        raise ValueError(f"the template lacks {', '.join(missing)}; give a complete BPX file")
    return content


def _capacity(section: Mapping[str, Any]) -> float:
    """Return the capacity of an electrode within its stoichiometries, in A h/m^2."""
    particles = section["Particle"].values() if "Particle" in section else [section]
    amount = sum(
        p["Maximum concentration [mol.m-3]"]
        * (p["Maximum stoichiometry"] - p["Minimum stoichiometry"])
        * p[AREA]
        * p[RADIUS]
        / 3.0
        for p in particles
    )
    return FARADAY * amount * section["Thickness [m]"] / 3600.0


def _capacities(cell: Mapping[str, Any]) -> list[float]:
    try:
        return [_capacity(cell[f"{side.capitalize()} electrode"]) for side in SIDES]
    except KeyError as error:
        raise ValueError(
            f"an electrode of the template lacks {error.args[0]!r}; give a complete BPX file"
        ) from None


def _smaller_capacity(cell: Mapping[str, Any]) -> float:
    return min(_capacities(cell))


def _balance(cell: dict[str, Any], before: float) -> None:
    """Bring the nominal capacity up to date, and warn if the electrodes do not match."""
    capacities = _capacities(cell)
    if NOMINAL in cell["Cell"]:
        cell["Cell"][NOMINAL] *= min(capacities) / before
    if max(capacities) > (1.0 + BALANCE) * min(capacities):
        positive, negative = capacities
        warnings.warn(
            f"within their stoichiometries the positive electrode holds {positive:.3g} A h/m^2 and "
            f"the negative one {negative:.3g} A h/m^2, so these no longer belong to the same state "
            "of charge; adapt the stoichiometries or the other electrode",
            UserWarning,
            stacklevel=3,
        )


def _document(
    content: dict[str, Any], parameters: ElectrodeParameters, electrode: str, keep: str
) -> None:
    """Say in the header and among the user-defined parameters what was measured, and how well."""
    from .. import __version__

    # What is left over is no measurement, and follows from the others.
    measured = {n: q for n, q in parameters.quantities().items() if n != "inert_fraction"}
    derived = "particle radius" if keep == "area" else "surface area"
    lines = [
        f"{electrode.capitalize()} electrode from an image, by microtwin {__version__}.",
        *(f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in measured.items()),
        f"The {derived} in this file follows from the active fraction.",
    ]
    header = content["Header"]
    old = header.get("Description")
    header["Description"] = "\n".join([*([old] if old else []), *lines])
    if sources := dict.fromkeys(q.source for q in measured.values() if q.source):
        known = header.get("References")
        header["References"] = "\n".join([*([known] if known else []), *sources])
    errors = {
        f"{electrode.capitalize()} electrode {name.replace('_', ' ')}, uncertainty": q.uncertainty
        for name, q in measured.items()
        if q.uncertainty is not None
    }
    if errors:
        cell = content["Parameterisation"]
        cell["User-defined"] = {**(cell.get("User-defined") or {}), **errors}


def _first(error: Exception) -> str:
    """Return the first lines of an error in one line: those of pydantic are long."""
    return " ".join(str(error).split("\n")[:3])
