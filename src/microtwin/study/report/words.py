"""Names of quantities as a reader knows them, and sentences about the results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .digits import length, number, percent, value_with_uncertainty
from .markup import Html, text
from .model import ReportData, ScanView, TransportView

__all__ = [
    "coarse_problem",
    "does_not_percolate",
    "is_infinite",
    "labelling_sentence",
    "percolation_sentences",
    "quantity_name",
    "sampling_problem",
    "share_list",
    "size_words",
    "summary_sentences",
]

_NAMES = {
    "tortuosity_factor": "Tortuosity factor τ",
    "relative_diffusivity": Html("Relative diffusivity D<sub>eff</sub>/D<sub>0</sub>"),
    "volume_fraction": "Volume fraction ε",
    "label_fraction": "Volume fraction by counting voxels",
    "percolating_fraction": "Share of the phase that percolates",
    "specific_surface": "Specific surface",
    "interface_area": "Interface area per volume",
    "median_thickness": "Median local thickness",
    "triple_line_density": "Triple line length per volume",
    "euler_density": "Euler number per volume",
    "iterations": "Iterations of the solver",
    "residual": "Relative residual",
    "flux_spread": "Spread of the flux between layers",
    "effective_conductivity": "Effective conductivity",
    "anisotropy_ratio": "Anisotropy ratio",
    "between_class_variance": "Between-class variance η",
    "contrast_to_noise": "Contrast to noise",
    "resolution": "Resolution (full width at half maximum)",
    "drift": "Drift of the slices",
    "shading": "Shading within slices",
    "rings": "Rings",
    "ambiguous_voxels": "Voxels without a clear phase",
    "saturated_voxels": "Saturated voxels",
    "grey_value_balance": "Grey value balance",
    "scale_separation": "Thickness over structure length",
    "particle_growth": "Particles over the size asked for",
    "permeability": "Permeability k",
    "hydraulic_tortuosity": "Length of streamlines over that of the image",
    "longitudinal_dispersion": "Dispersion along the flow, over the diffusivity",
    "transverse_dispersion": "Dispersion across the flow, over the diffusivity",
    "effluent_concentration": "Concentration of the effluent at the end, over that at the inlet",
    "apparent_dispersion": "Dispersion of the column with the same breakthrough",
    "apparent_velocity": "Velocity of the column with the same breakthrough",
    "filling_time": "Time to fill with a wetting liquid",
    "uptake_rate": "Uptake, per volume or area of where it is",
    "production_rate": "Production, per volume or area of where it is",
    "effectiveness_factor": "Effectiveness factor η",
    "mean_concentration": "Mean concentration",
    "viable_fraction": "Viable share, at or above the threshold",
    "starved_fraction": "Starved or necrotic share, below the threshold",
    "hypoxic_fraction": "Hypoxic share, below the second threshold",
    "rim_thickness": "Thickness of the viable rim, median",
    "distance_to_supply": "Distance to the nearest source, 95th percentile",
    "ionic_resistance": Html("Ionic resistance R<sub>ion</sub>, per area"),
    "impedance_tortuosity_factor": "Tortuosity factor τ from the impedance",
    "fitted_ionic_resistance": Html("R<sub>ion</sub> fitted as in a measurement"),
    "areal_capacitance": "Capacitance of the walls, per area of collector",
    "characteristic_frequency": "Characteristic frequency",
    "cell_resistance": "Real part of the impedance at 1\u00a0kHz",
    "charge_transfer_resistance": "Resistance of the reaction alone, per area of collector",
    "reacting_surface": "Surface that reacts, per volume",
    "blocked_surface_fraction": "Share of the active surface that is covered",
    "interface_current_density": "Mean current density of the interface",
    "volumetric_current": "Current per volume",
    "current_concentration_ratio": "95th percentile of the current density over its mean",
    "hot_spot_current_fraction": "Share of the current in hot spots",
    "discharge_capacity": "Capacity against lithium, per area",
    "capacity_utilisation": "Capacity over that of the active material",
    "mean_voltage": "Mean voltage of the discharge",
    "discharge_energy": "Energy of the discharge, per area",
    "inactive_active_fraction": "Active material that is not connected",
    "ended_as_asked": "Went on to its end",
    "plating_area_fraction": "Area below the potential of lithium at the end",
    "swelling_strain": "Swelling, over the length",
    "thickness_change": "Change of the imaged thickness",
    "mean_stress": "Mean stress where strain is held",
    "elastic_energy_density": "Elastic energy per volume",
    "unheld_solid": "Solid that hangs on nothing",
    "von_mises_stress": "Von Mises stress",
    "maximum_principal_stress": "Largest principal stress",
    "hydrostatic_stress": "Hydrostatic stress",
    "failing_binder_fraction": "Binder that fails",
    "cracking_particle_fraction": "Particles that may crack, by volume",
    "debonding_area_fraction": "Interface that comes apart",
    "largest_swelling_strain": "Swelling, over the length, largest on the way",
    "largest_thickness_change": "Change of the imaged thickness, largest on the way",
    "largest_mean_stress": "Mean stress where strain is held, largest on the way",
    "largest_elastic_energy_density": "Elastic energy per volume, largest on the way",
    "largest_von_mises_stress": "Von Mises stress, largest on the way",
    "largest_maximum_principal_stress": "Largest principal stress, largest on the way",
    "largest_failing_binder_fraction": "Binder that fails, largest on the way",
    "largest_cracking_particle_fraction": "Particles that may crack, largest on the way",
    "largest_debonding_area_fraction": "Interface that comes apart, largest on the way",
    "young_modulus": "Young's modulus",
    "shear_modulus": "Shear modulus",
    "bulk_modulus": "Bulk modulus",
    "mesh_cells": "Tetrahedra of the mesh",
    "smallest_dihedral_angle": "Smallest dihedral angle of the mesh",
    "mesh_relative_diffusivity": Html("D<sub>eff</sub>/D<sub>0</sub> on the mesh, extrapolated"),
    "inverted_tetrahedra": "Inverted tetrahedra",
    "unmatched_faces": "Faces that do not fit",
    "absent_phases": "Phases that are not in the mesh",
    "unfilled_volume": "Volume that is not filled once",
    "self_touching_points": "Points where a phase touches itself",
    "first_percentile_of_angles": "First percentile of angles at interfaces",
    "mesh_volume_fraction": "Largest difference of a volume fraction",
    "mesh_interface_area": "Largest difference of an interface area",
    "connected_as_in_the_image": "Connected as in the image",
    "cross_verification": "Mesh against voxels",
    "no_trend": "Largest trend over its chance",
    "floating_solid": "Solid that floats",
}
_MOST_SENTENCES = 6


def quantity_name(name: Any) -> str:
    """Return the name of a quantity in words; unknown names lose their underscores."""
    words = str(name)
    return _NAMES.get(words) or words.replace("_", " ").strip().capitalize() or "–"


def does_not_percolate(quantity: Mapping[str, Any]) -> bool:
    """Whether a quantity of results.json says that its phase has no connected path."""
    value = quantity.get("value")
    infinite = isinstance(value, float) and math.isinf(value)
    said = value is None and "inf" in str(quantity.get("text", "")).lower()
    return quantity.get("name") == "tortuosity_factor" and (infinite or said)


def is_infinite(view: TransportView) -> bool:
    """Whether a transport solve found no connected path, and thus an infinite tortuosity factor."""
    value = view.numbers.get("tortuosity_factor")
    return isinstance(value, float) and math.isinf(value)


def share_list(shares: Mapping[str, float]) -> str:
    """Return "pore (41.2 %), active (50.3 %) and binder (8.5 %)"."""
    return _joined([f"{name} ({percent(share)})" for name, share in shares.items()])


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def size_words(lengths: Sequence[float]) -> str:
    """Return one length if all are equal, else the three of them in the order z × y × x."""
    if max(lengths) - min(lengths) <= 1e-6 * max(lengths):
        return length(lengths[0])
    return " × ".join(length(value) for value in lengths) + " (z × y × x)"


def summary_sentences(data: ReportData) -> list[str]:
    """Return the report in a few sentences: what was imaged, how large, and the main results."""
    micro = data.micro
    shape = " × ".join(str(n) for n in micro.shape)
    extent = " × ".join(length(side, 3) for side in micro.extent)
    sentences = [
        f"The sample consists of {share_list(micro.volume_fractions)}, by volume.",
        f"Its image has {shape} voxels (z × y × x) of {size_words(micro.voxel_size)}, "
        f"a block of {extent}.",
    ]
    if data.scan is not None:
        sentences.append(labelling_sentence(data.scan))
    return sentences + _result_sentences(data)


def labelling_sentence(view: ScanView) -> str:
    """Return how the labels were made, from the scan on."""
    source = "a scan" if view.reconstruction is None else "a volume reconstructed from projections"
    done = [f"corrected for {_joined(list(view.corrected))}"] if view.corrected else []
    done += ["denoised"] if view.denoised is not None else []
    treated = f" that was {', and '.join(done)}" if done else ""
    how, known = _METHODS.get(view.method, (f"by the method {view.method}", ""))
    known = known if view.calibrated else ""
    return f"The labels were made from {source}{treated}, {how}{known}."


# How labels are made, and what known fractions change.
_METHODS = {
    "posterior": (
        "by the probability of each phase given the grey values, their blur and their noise",
        ", weighted to the known volume fractions",
    ),
    "thresholds": (
        "by thresholds between the grey values of the phases",
        ", at which the phases have the known volume fractions",
    ),
    "classifier": (
        "by a pixel classifier that learned from marked voxels",
        ", weighted to the known volume fractions",
    ),
}


def _result_sentences(data: ReportData) -> list[str]:
    found = [
        _tortuosity_sentence(
            q.get("phase"),
            q.get("direction"),
            q.get("value"),
            (q.get("uncertainty") or {}).get("total"),
        )
        for q in data.results.get("quantities", [])
        if q.get("name") == "tortuosity_factor" and not does_not_percolate(q)
    ]
    if not found:
        found = [
            _tortuosity_sentence(v.phase, v.direction, v.numbers["tortuosity_factor"], None)
            for v in data.transport
            if "tortuosity_factor" in v.numbers and not is_infinite(v)
        ]
    more = len(found) - _MOST_SENTENCES
    return found[:_MOST_SENTENCES] + ([f"{more} more are in the table below."] if more > 0 else [])


def _tortuosity_sentence(phase: Any, direction: Any, value: Any, total: Any) -> str:
    shown = value_with_uncertainty(value, total) if value is not None else number(value)
    return f"The tortuosity factor of {phase} along {direction} is {shown}."


def percolation_sentences(data: ReportData) -> list[str]:
    """Return a sentence for each phase and direction without a connected path."""
    pairs = [
        (q.get("phase"), q.get("direction"))
        for q in data.results.get("quantities", [])
        if does_not_percolate(q)
    ]
    for view in data.transport:
        if is_infinite(view):
            pairs.append((view.phase, view.direction))
    return [
        f"The phase {phase} does not percolate along {direction}: no connected path of it "
        "joins the two ends of the image, so its effective diffusivity is 0 and its tortuosity "
        "factor infinite."
        for phase, direction in dict.fromkeys(pairs)
    ]


def coarse_problem(numbers: Mapping[str, Any]) -> str:
    """Return why a stage has no error of the discretisation, after a blank; nothing if it has."""
    problem = numbers.get("coarse_problem")
    if problem is None:
        return ""
    return (
        f" No error of the discretisation can be told: on voxels twice as large, {text(problem)}."
    )


def sampling_problem(numbers: Mapping[str, Any]) -> str:
    """Return why a stage has no error of the sampling, after a blank; nothing if it has."""
    problem = numbers.get("sampling_problem")
    if problem is None:
        return ""
    return f" No error of the sampling can be told: {text(problem)}."
