"""Tables for a terminal: numbers with the digits they deserve, and verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from ..study.results import Check, Quantity, Results
from ..trust import VerificationRow, format_with_uncertainty

__all__ = [
    "bench_table",
    "image_line",
    "remarks",
    "results_table",
    "status_table",
    "verification_table",
]

STYLES = {
    "pass": "green",
    "warn": "yellow",
    "fail": "bold red",
    "done": "green",
    "to do": "dim",
    "damaged": "bold red",
}
# Smaller terms are noise of the solver.
SMALLEST_SHARE = 1e-4
# Quantities that the table shows; the others are in results.json and in the report.
SHOWN = (
    "volume_fraction",
    "specific_surface",
    "tortuosity_factor",
    "relative_diffusivity",
    "ionic_resistance",
    "impedance_tortuosity_factor",
    "reacting_surface",
    "blocked_surface_fraction",
    "interface_current_density",
    "current_concentration_ratio",
    "hot_spot_current_fraction",
    "permeability",
    "hydraulic_tortuosity",
    "longitudinal_dispersion",
    "transverse_dispersion",
    "effluent_concentration",
    "apparent_dispersion",
    "apparent_velocity",
    "filling_time",
    "uptake_rate",
    "production_rate",
    "effectiveness_factor",
    "mean_concentration",
    "viable_fraction",
    "starved_fraction",
    "hypoxic_fraction",
    "rim_thickness",
    "distance_to_supply",
    "discharge_capacity",
    "capacity_utilisation",
    "mean_voltage",
    "cell_resistance",
    "charge_transfer_resistance",
    "swelling_strain",
    "mean_stress",
    "von_mises_stress",
    "failing_binder_fraction",
    "cracking_particle_fraction",
    "debonding_area_fraction",
    "largest_swelling_strain",
    "largest_von_mises_stress",
    "largest_failing_binder_fraction",
    "young_modulus",
    "bulk_modulus",
    "mesh_relative_diffusivity",
    "mesh_cells",
    "smallest_dihedral_angle",
    "particle_growth",
    "between_class_variance",
    "contrast_to_noise",
    "resolution",
)
# Parts of the error budget that get a column, if they are known of anything.
SOURCES = ("discretisation", "sampling", "segmentation")


def results_table(results: Results) -> Table:
    """Return the table of results: value, error budget as shares of the value, verdict."""
    table = _table("")
    rows = _in_order(results)
    sources = [s for s in SOURCES if any(getattr(q.uncertainty, s) is not None for q in rows)]
    for name in ("value", *sources):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    previous = None
    for row in rows:
        if previous != row.name:
            if previous is not None:
                table.add_section()
            table.add_row(Text(_words(row.name), style="bold"))
        table.add_row(
            "  " + " ".join(filter(None, (row.phase, row.direction, row.condition))),
            _value(row),
            *(_share(getattr(row.uncertainty, source), row.value) for source in sources),
            _verdict(row.verdict),
        )
        previous = row.name
    return table


def image_line(results: Results) -> str:
    """Return what the results belong to, in one line."""
    image = results.microstructure
    unit, scale = ("um", 1e6) if min(image.voxel_size) >= 1e-6 else ("nm", 1e9)
    edges = image.voxel_size[:1] if len(set(image.voxel_size)) == 1 else image.voxel_size
    size = _times((scale * edge for edge in edges), ".4g")
    extent = _times((1e6 * length for length in image.extent), ".3g")
    return f"{_times(image.shape)} voxels of {size} {unit}, {extent} um"


def remarks(results: Results) -> list[str]:
    """Return what the table cannot say: values without a number, and checks that did not pass.

    The same remark on several phases and directions is one sentence.
    """
    rows = _in_order(results)
    sentences = [row.text for row in rows if row.text is not None]
    groups: dict[str, list[str]] = {}
    for row in rows:
        for check in row.checks:
            # That a phase does not percolate has been said as the text of its value.
            if check.verdict != "pass" and check.name != "percolates":
                subjects = groups.setdefault(f"{check.verdict}: {_meaning(check)}", [])
                subjects += [word for word in [_subject_of(check, row)] if word not in subjects]
    sentences += [f"{meaning}: {', '.join(subjects)}" for meaning, subjects in groups.items()]
    return sentences


_MEANING = {
    "relative_uncertainty": "uncertain by more than {share}",
    "finite_on_segmentations": "not finite on some plausible segmentations, so the part of the "
    "labels in its uncertainty is not known",
    "staircase_agrees": "the extrapolated staircase differs by more than the discretisation",
    "enough_samples": "the image is too small to tell the sampling uncertainty",
    "between_class_variance": "phases explain less than {share} of the variance of grey values, so "
    "their labels are doubtful",
    "contrast_to_noise": "phases differ by less than {limit:.2g} times the noise, so their labels "
    "are doubtful",
    "saturated_voxels": "more than {share} of the voxels have the smallest or largest grey value",
    "ambiguous_voxels": "more than {share} of the voxels have no clear phase",
    "grey_value_balance": "the mean grey value differs from that of the known fractions by more "
    "than {share} of the contrast",
    "known_fractions_met": "the labels could not be given the known fractions; they differ by more "
    "than {limit:.2g}",
    "floating_solid": "more than {share} of the solid is not connected to the rest",
    "scale_separation": "the electrode is not {limit:.2g} times as thick as the structure is long, "
    "or the image is too small to tell",
    "no_trend": "the fraction changes along an axis by more than chance, or the image is too small "
    "to tell",
    "particle_growth": "the particles jammed and were grown by more than a factor of {limit:.3g}, "
    "so they are larger than asked for",
    "inverted_tetrahedra": "the mesh has tetrahedra without volume; do not use it",
    "unmatched_faces": "the mesh has faces that do not fit; do not use it",
    "absent_phases": "a phase of the image is too small for the mesh and is not in it",
    "unfilled_volume": "the tetrahedra do not fill the box once; do not use the mesh",
    "self_touching_points": "the mesh has points at which a phase touches itself",
    "smallest_dihedral_angle": "the mesh has dihedral angles below {limit:.2g} degrees",
    "first_percentile_of_angles": "more than 1 % of the tetrahedra at interfaces have dihedral "
    "angles below {limit:.2g} degrees",
    "mesh_volume_fraction": "the mesh misses a volume fraction by more than {share}",
    "mesh_interface_area": "an interface of the mesh differs by more than {share} from the area "
    "measured on the voxels (which misses up to a tenth of films one voxel thick)",
    "connected_as_in_the_image": "the mesh has cut parts of a phase off that are connected in the "
    "image",
    "cross_verification": "transport on the mesh and on the voxels differ by more than {share}",
    "residual": "the solver stopped above its tolerance {limit:.2g}",
    "mean_stress_as_given": "the mean stress is not what was given",
    "unheld_solid": "more than {share} of the solid hangs on nothing",
    "percentiles_settle": "the 95th percentile of the stress changes by more than {share} on "
    "voxels twice as large",
    "stiffness_below_voigt": "the image is stiffer than Voigt's average",
    "bulk_modulus_below_hashin_shtrikman": "the bulk modulus is outside the bounds of an isotropic "
    "mixture",
    "shear_modulus_below_hashin_shtrikman": "the shear modulus is outside the bounds of an "
    "isotropic mixture",
    "ended_as_asked": "the run could not go on to its end; the report says why",
    "flux_spread": "the flux differs between layers by more than {limit:.2g}",
    "tortuosity_factor_at_least_1": "the tortuosity factor is below its bound {limit:.2g}",
}


def _meaning(check: Check) -> str:
    limit = check.limit or 0.0
    words = _MEANING.get(check.name, _words(check.name))
    return words.format(limit=limit, share=f"{100 * limit:.2g} %")


def _subject(row: Quantity) -> str:
    return " ".join(filter(None, (_words(row.name), row.phase, row.direction, row.condition)))


def _subject_of(check: Check, row: Quantity) -> str:
    """Name the quantity if the check concerns it alone, and the solve otherwise."""
    if check.name == "relative_uncertainty":
        return f"{_subject(row)} ({_share(check.value, 1.0)})"
    name = _SUBJECTS.get(row.name) or _words(row.name)
    return " ".join(filter(None, (row.phase or name, row.direction, row.condition)))


# What the checks of a quantity concern, where it is not the quantity alone.
_SUBJECTS = {
    "smallest_dihedral_angle": "mesh",
    "mesh_cells": "mesh",
    "young_modulus": "effective stiffness",
}


def verification_table(rows: Iterable[VerificationRow]) -> Table:
    """Return the verification table: reference beside ours."""
    table = _table("case", "quantity")
    for name in ("reference", "ours", "error", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    table.add_column("source")
    for row in rows:
        table.add_row(
            row.case,
            row.quantity,
            f"{row.reference:.7g}",
            f"{row.ours:.7g}",
            _error(row.error, row.relative),
            _error(row.limit, row.relative),
            _verdict(row.verdict),
            row.source,
        )
    return table


def status_table(rows: Iterable[tuple[str, str, float | None]]) -> Table:
    """Return a table of stages, their state and the seconds that they took."""
    table = _table("stage", "state")
    table.add_column("seconds", justify="right")
    for stage, state, seconds in rows:
        word = "to do" if state == "missing" else state
        table.add_row(stage, _verdict(word), "" if seconds is None else f"{seconds:.1f}")
    return table


def bench_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of whatever the benchmark has measured, one column per name."""
    table = _table()
    for name in rows[0] if rows else ():
        table.add_column(_words(name), justify="right")
    for row in rows:
        table.add_row(*(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, collapse_padding=True)
    for name in columns:
        table.add_column(name)
    return table


def _in_order(results: Results) -> list[Quantity]:
    tensor = [q for q in results.quantities if q.name == "effective_conductivity"]
    shown = [q for name in SHOWN for q in results.quantities if q.name == name]
    return shown + tensor


def _value(row: Quantity) -> str:
    if row.value is None:
        # A stiffness, or a resistance that could not be fitted, is not infinite.
        return "infinite" if row.text and "inf" in row.text.lower() else "unknown"
    unit = "" if row.unit == "1" else row.unit
    if unit == "m":
        return f"{1e9 * row.value:.4g} nm" if row.value < 1e-6 else f"{1e6 * row.value:.4g} um"
    if unit == "Pa":
        scale, unit = (1e9, "GPa") if abs(row.value) >= 1e10 else (1e6, "MPa")
        total = row.uncertainty.total
        return format_with_uncertainty(row.value / scale, total and total / scale, unit)
    return format_with_uncertainty(row.value, row.uncertainty.total, unit)


def _share(term: float | None, value: float | None) -> str:
    """Return a term of the error budget as a percentage of the value."""
    if term is None or not value:
        return ""
    share = term / abs(value)
    if share and share < SMALLEST_SHARE:
        return f"< {100 * SMALLEST_SHARE:g} %"
    return f"{100 * share:.2g} %" if share < 1 else "> 100 %"


def _error(value: float, relative: bool) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{100 * value:.2g} %" if relative else f"{value:.2g}"


def _verdict(word: str) -> Text:
    return Text(word, style=STYLES.get(word, ""))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _times(values: Iterable[float], form: str = "g") -> str:
    return " x ".join(format(value, form) for value in values)
