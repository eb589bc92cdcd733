"""The BPX file that an imaged electrode is put into: reading it, and what may be wrong with it."""

from __future__ import annotations

import copy
import json
import reprlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .pybamm_parameters import SIDES

__all__ = ["bpx_library", "check_bpx", "particles_of", "read_template"]

SECTIONS = ("Cell", "Electrolyte", "Negative electrode", "Positive electrode", "Separator")
# How the library names the kinds of numbers that it tries for a field.
_KINDS = ("float", "int", "InterpolatedTable")


def read_template(template: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a complete BPX file in the present version, as a copy.

    Raises
    ------
    ValueError
        If it is no BPX file, lacks a number or has one that is not allowed, or holds a
        single-particle model or a part of a cell only.

    Warns
    -----
    UserWarning
        If it was converted.
    """
    content = _current(_complete(_content(template)))
    check_bpx(content, "the template")
    return content


def check_bpx(content: dict[str, Any], noun: str) -> None:
    """Raise a `ValueError` that says what is wrong with a BPX parameter set, if something is.

    Parameters
    ----------
    content : dict
        It is not changed.
    noun : str
        What it is called in the message.
    """
    bpx = bpx_library()
    try:
        # The library puts its own objects into what it is given.
        bpx.parse_bpx_obj(copy.deepcopy(content))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(
            f"the library of BPX does not accept {noun}: {_problems(error)}; see "
            "https://bpxstandard.com for what a file holds"
        ) from None
    try:
        json.dumps(content, allow_nan=False)
    except (ValueError, TypeError):
        raise ValueError(
            f"{noun} holds NaN, infinity or something else that JSON cannot; give finite numbers "
            "and text"
        ) from None
    for side in SIDES:
        # A model of a part of a cell may lack it.
        section = content["Parameterisation"].get(f"{side.capitalize()} electrode")
        for particle in particles_of(section) if section else ():
            low, high = (float(particle[f"{end} stoichiometry"]) for end in ("Minimum", "Maximum"))
            if not low < high:
                raise ValueError(
                    f"in {noun} the minimum stoichiometry of the {side} electrode is {low:g} and "
                    f"the maximum {high:g}; give a minimum below the maximum"
                )


def _problems(error: Exception) -> str:
    """Return what the library found, each field once."""
    if not hasattr(error, "errors"):
        return str(error).partition("\n")[0]
    found: dict[str, str] = {}
    for part in error.errors():
        # A number may also be a function or a table, and each of them is tried and named.
        names = [str(name) for name in part["loc"]]
        kinds = [n for n, name in enumerate(names) if name in _KINDS or "[validate()" in name]
        place = ", ".join(names[: kinds[0]] if kinds else names)
        if part["type"] == "missing":
            words = f"{place} is missing"
        elif part["type"] == "extra_forbidden":
            words = f"{place} is not known"
        else:
            words = f"{place} cannot be {reprlib.repr(part['input'])}" if place else part["msg"]
        found.setdefault(place, words)
    return ", ".join(found.values())


def particles_of(section: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the active materials of an electrode."""
    return list(section["Particle"].values()) if "Particle" in section else [section]


def bpx_library() -> Any:
    """Return the library of BPX, or raise an ImportError that says what needs it."""
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

    if not isinstance(template, (str, Path)):
        raise ValueError(
            f"a {type(template).__name__} is no template; give the path of a BPX file, or its "
            "content as a dict"
        )
    path = Path(template)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() in (".yml", ".yaml"):
            content = YAML(typ="safe").load(text)
        else:
            content = json.loads(text)
    except (ValueError, YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} is no BPX file: {reason}; give JSON or YAML") from None
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} is no BPX file: it holds a {type(content).__name__} where names with values "
            "are needed, 'Header' and 'Parameterisation'"
        )
    return content


def _complete(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content as that of a whole cell with electrolyte, or raise a `ValueError`."""
    header, cell = content.get("Header"), content.get("Parameterisation")
    if not (isinstance(header, dict) and "BPX" in header and isinstance(cell, dict)):
        raise ValueError(
            "the template is no BPX: it needs a 'Header' with the version under 'BPX', and a "
            "'Parameterisation'"
        )
    for name in (*SECTIONS, "User-defined"):
        if cell.get(name) and not isinstance(cell[name], dict):
            raise ValueError(
                f"{name!r} of the template is a {type(cell[name]).__name__}; it must hold names "
                "with values"
            )
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
            stacklevel=4,
        )
    elif missing:
        raise ValueError(f"the template lacks {', '.join(missing)}; give a complete BPX file")
    return content


def _current(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content in the present version of BPX."""
    bpx = bpx_library()
    header = content["Header"]
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
            stacklevel=4,
        )
    else:
        header["BPX"] = str(version)
    return content
