"""The page: sections in order, table of contents, style, one file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from string import Template

from .cell_section import cell_section
from .flow_section import flow_section
from .half_cell_section import half_cell_section
from .impedance_section import half_cell_impedance_section, impedance_section
from .markup import Html, section, text
from .mechanics_along_section import mechanics_along_section
from .mechanics_section import mechanics_section
from .mesh_section import mesh_section
from .microstructure_section import microstructure_section
from .model import ReportData
from .reaction_section import reaction_section
from .result_sections import (
    results_section,
    tensors_section,
    transport_section,
    voxel_words,
)
from .scan_sections import scan_section
from .stiffness_section import stiffness_section
from .trust_sections import (
    conventions_section,
    convergence_section,
    run_section,
    sampling_section,
    segmentation_section,
)
from .uptake_section import uptake_section
from .words import summary_sentences

__all__ = ["write_report"]

_SECTIONS: tuple[tuple[str, str, Callable[[ReportData], str]], ...] = (
    ("results", "Results", results_section),
    ("scan", "From scan to labels", scan_section),
    ("microstructure", "Microstructure", microstructure_section),
    ("transport", "Transport", transport_section),
    ("tensors", "Effective tensors", tensors_section),
    ("impedance", "Impedance of a symmetric cell", impedance_section),
    ("reaction", "Reaction on the interface", reaction_section),
    ("flow", "Flow and what it carries", flow_section),
    ("uptake", "Diffusion with uptake", uptake_section),
    ("half-cell", "Discharge against lithium", half_cell_section),
    ("half-cell-impedance", "Impedance against lithium", half_cell_impedance_section),
    ("cell", "Parameters of a cell model", cell_section),
    ("mechanics", "Swelling and stress", mechanics_section),
    ("mechanics-along", "Stress along the discharge", mechanics_along_section),
    ("stiffness", "Effective stiffness", stiffness_section),
    ("mesh", "Mesh", mesh_section),
    ("convergence", "Grid convergence", convergence_section),
    ("sampling", "Representative volume", sampling_section),
    ("segmentation", "Plausible segmentations", segmentation_section),
    ("run", "What was run", run_section),
    ("conventions", "Conventions", conventions_section),
)
# What is missing in a section without content; a section that is not named here is left out.
_ABSENT = {
    "convergence": "Grid convergence was not studied, so no discretisation uncertainty is known.",
    "sampling": "Sampling was not studied, so it is not known how representative the image is.",
}
# The same in a study without any physics.
_NO_PHYSICS = {
    "transport": "The study solved no transport problem.",
    "tensors": "The study computed no effective tensor.",
}
_PHYSICS = (
    "tensors",
    "impedance",
    "reaction",
    "flows",
    "uptake",
    "half_cells",
    "half_cell_impedances",
    "cell",
    "mechanics",
    "stiffness",
)
_OF_THE_IMAGE = ("volume_fraction",)
_COMPARED = (
    "How transport changes with the size of voxels was not studied. Quantities with a part of the "
    "discretisation in their uncertainty were computed again on voxels twice as large."
)
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="$policy">
<title>$title</title>
<style>$style</style>
</head>
<body>
<header>
<p class="kicker">microtwin report</p>
<h1>$title</h1>
<p class="facts">$facts</p>
<p class="summary">$summary</p>
</header>
<nav aria-label="Contents"><ol>$contents</ol></nav>
<main>$body</main>
</body>
</html>
""")
# The browser itself is told to load nothing: all it shows is inside the file.
_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; font-src data:; "
    "script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; frame-src 'self' about:"
)


def write_report(data: ReportData, path: str | Path) -> Path:
    """Write one HTML file that shows a whole study and loads nothing from anywhere.

    Parameters
    ----------
    data : ReportData
    path : str or Path
        File to write; it is replaced whole or not at all. Equal data gives equal bytes.

    Returns
    -------
    Path
        The file written.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(_page(data), encoding="utf-8", newline="\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _page(data: ReportData) -> str:
    body, contents = "", ""
    for identifier, title, build in _SECTIONS:
        inside = build(data)
        if not inside:
            missing = _missing(data, identifier)
            if not missing:
                continue
            inside = f'<p class="remark">{missing}</p>'
        body += section(identifier, title, inside)
        contents += f'<li><a href="#{identifier}">{text(title)}</a></li>'
    shape = " × ".join(str(n) for n in data.micro.shape)
    return _PAGE.substitute(
        policy=_POLICY,
        title=text(data.title),
        style=_style(),
        facts=text(
            f"{shape} voxels of {voxel_words(data)} · {len(data.micro.phase_names)} phases: "
            + ", ".join(data.micro.phase_names)
        ),
        summary=Html(" ".join(text(sentence) for sentence in summary_sentences(data))),
        contents=contents,
        body=body,
    )


def _missing(data: ReportData, identifier: str) -> str:
    """Return what a section without content says, or nothing if it is to be left out."""
    if identifier in _NO_PHYSICS:
        parts = (getattr(data, name) for name in _PHYSICS)
        return "" if any(part not in (None, ()) for part in parts) else _NO_PHYSICS[identifier]
    if identifier == "convergence" and any(
        (quantity.get("uncertainty") or {}).get("discretisation") is not None
        for quantity in data.results.get("quantities", ())
        if quantity.get("name") not in _OF_THE_IMAGE
    ):
        return _COMPARED
    return _ABSENT.get(identifier, "")


def _style() -> str:
    css = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).strip()
