"""Hand the stored data of a run to the report and to files that other programs read."""

from __future__ import annotations

import csv
import io
import math
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..microstructure import AXES, Microstructure
from .cell_stage import CELL_FILES
from .errors import storage_error
from .flow_stage import CURVE_FILE
from .generation_stage import PARTICLE_LIST
from .impedance_stage import SPECTRUM_FILES
from .mechanics_stage import LIGAMENT_LIST
from .reading import StudyFile
from .results import Results
from .stages import microstructure_of, slice_axes
from .store import Entry, write_file
from .stored_ligaments import stored_loads
from .uptake_sections import shown_unit
from .uptake_stage import COURSE_FILE

__all__ = [
    "export_cell",
    "export_courses",
    "export_discharges",
    "export_fields",
    "export_impedances",
    "export_ligaments",
    "export_meshes",
    "export_particles",
    "publish_report",
    "results_as_csv",
]

# Kinds of stages that may keep fields.
WITH_FIELDS = (
    "transport",
    "reaction",
    "flow",
    "uptake",
    "half_cell",
    "mechanics",
    "mechanics_along",
)


def publish_report(
    file: StudyFile, folder: Path, entries: Mapping[str, Entry], results: Results
) -> Path:
    """Write report.html of a run.

    Parameters
    ----------
    file : StudyFile
    folder : Path
        The run directory.
    entries : mapping of str to Entry
        Stored results by stage name.
    results : Results

    Returns
    -------
    Path
        The report.
    """
    from .report import ReportData, write_report

    micro = microstructure_of(entries["microstructure"])
    descriptors = entries.get("descriptors")
    data = ReportData(
        title=file.study.name,
        results=results.model_dump(mode="json"),
        study_text=file.text,
        micro=micro,
        transport=tuple(_transport_view(e) for e in _of(entries, "transport")),
        tensors=tuple(_tensor_view(e) for e in _of(entries, "homogenize")),
        # A study that could not be made, of a phase that does not percolate, has no curve.
        convergence=tuple(
            _convergence_view(e) for e in _of(entries, "discretisation") if "smooth" in e.numbers
        ),
        structure=tuple(
            _structure_view(e) for e in _of(entries, "fractions") if "representative" in e.numbers
        ),
        sampling=tuple(_sampling_view(e) for e in _of(entries, "sampling") if "edges" in e.numbers),
        records=tuple(dict(e.record) for e in entries.values()),
        descriptors=None
        if descriptors is None
        else _descriptor_table(descriptors, micro.phase_names),
        curves=None if descriptors is None else descriptors.numbers["curves"],
        made=_made(entries["microstructure"]),
        scan=_scan_view(entries) if "correction" in entries else None,
        segmentation=(
            _segmentation_view(entries["segmentation"]) if "segmentation" in entries else None
        ),
        mesh=_mesh_view(entries) if "mesh" in entries else None,
        reaction=_reaction_view(entries["reaction"]) if "reaction" in entries else None,
        flows=tuple(_flow_view(e) for e in _of(entries, "flow")),
        uptake=_uptake_view(entries["uptake"]) if "uptake" in entries else None,
        cell=_cell_view(entries["cell"]) if "cell" in entries else None,
        half_cells=tuple(_half_cell_view(e) for e in _of(entries, "half_cell")),
        impedance=_impedance_view(entries["impedance"]) if "impedance" in entries else None,
        half_cell_impedances=tuple(
            _half_cell_impedance_view(e) for e in _of(entries, "half_cell_impedance")
        ),
        mechanics=_mechanics_view(entries["mechanics"], micro) if "mechanics" in entries else None,
        mechanics_along=tuple(_along_view(e) for e in _of(entries, "mechanics_along")),
        stiffness=_stiffness_view(entries["stiffness"]) if "stiffness" in entries else None,
    )
    # Written next door and renamed, so that a killed run leaves no half report.
    temporary = folder / ".report.html.part"
    try:
        write_report(data, temporary)
        os.replace(temporary, folder / "report.html")
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(error, folder) from error
    return folder / "report.html"


def _of(entries: Mapping[str, Entry], stage: str) -> list[Entry]:
    return [entry for name, entry in entries.items() if name.split("/")[0] == stage]


def _descriptor_table(entry: Entry, phases: Iterable[str]) -> dict[str, Any]:
    """Return the descriptors that are not among the results, with units in the names."""
    numbers = entry.numbers
    table: dict[str, Any] = {
        f"percolating fraction along {axis}": {
            phase: numbers["percolating_fraction"][phase][axis] for phase in phases
        }
        for axis in AXES
    }
    sizes = numbers["sizes"]
    for name, share in (("d10", "90 %"), ("d90", "10 %")):
        if sizes:
            table[f"local thickness above which {share} of the phase lie [m]"] = {
                phase: sizes[phase][name] for phase in phases if phase in sizes
            }
    for part in ("pieces", "tunnels", "cavities"):
        if numbers["topology"]:
            table[part] = {phase: numbers["topology"][phase][part] for phase in phases}
    return table


def _transport_view(entry: Entry) -> Any:
    from .report import TransportView

    numbers = entry.numbers
    axes = slice_axes(numbers["direction"])
    sizes = dict(zip("zyx", numbers["voxel_size"], strict=True))
    tau = numbers["tortuosity_factor"]
    pictures = {
        name: entry.array(name) if entry.has(f"{name}.npy") else None
        for name in ("potential_slice", "flux_slice", "dissipation_slice")
    }
    return TransportView(
        phase=numbers["phase"],
        direction=numbers["direction"],
        boundary=numbers["boundary"],
        interface=numbers["interface"],
        numbers={**numbers, "tortuosity_factor": math.inf if tau is None else tau},
        layer_flux=entry.array("layer_flux"),
        residual_history=tuple(numbers["residual_history"]),
        slice_axes=axes,
        voxel_size=(sizes[axes[0]], sizes[axes[1]]),
        **pictures,
    )


def _tensor_view(entry: Entry) -> dict[str, Any]:
    return {"name": "effective_conductivity", **entry.numbers}


def _convergence_view(entry: Entry) -> Any:
    from .report import ConvergenceView

    numbers = entry.numbers
    staircase = [math.nan if v is None else v for v in numbers["staircase"]]
    missing = len(numbers["smooth"]) - len(staircase)
    return ConvergenceView(
        phase=numbers["phase"],
        direction=numbers["direction"],
        voxel_sizes=tuple(numbers["voxel_sizes"]),
        smooth=tuple(numbers["smooth"]),
        staircase=tuple(staircase + [math.nan] * missing),
        richardson=numbers["richardson"],
        discretisation=numbers["discretisation"],
        observed_order=numbers["observed_order"],
        unresolved_interface=numbers["unresolved_interface"],
        sentence=numbers["sentence"],
    )


def _sampling_view(entry: Entry) -> Any:
    from .report import SamplingView

    numbers = entry.numbers
    return SamplingView(
        phase=numbers["phase"],
        direction=numbers["direction"],
        quantity=numbers["quantity"],
        edges=np.array(numbers["edges"], float),
        means=np.array(numbers["means"], float),
        stds=np.array(numbers["stds"], float),
        counts=np.array(numbers["counts"], int),
        fitted_std=np.array(numbers["fitted_std"], float),
        fraction_stds=np.array(numbers["fraction_stds"], float),
        fraction_stds_predicted=np.array(numbers["fraction_stds_predicted"], float),
        std_whole=numbers["std_whole"],
        volume_for={float(target): edge for target, edge in numbers["edge_for"].items()},
        sentence=numbers["sentence"],
    )


def _made(entry: Entry) -> str:
    """Say how generated particles came out."""
    from .report.digits import length, number

    found = entry.numbers.get("particles")
    if found is None:
        return ""
    sizes = ", ".join(length(found["percentiles"][f"d{p}"], 3) for p in (10, 50, 90))
    orders = ", ".join(number(order, 2) for order in found["order_parameters"])
    return (
        f"Generated from {found['count']} particles, 10, 50 and 90 % of their volume below {sizes} "
        f"(grown by {100 * (found['growth'] - 1):+.1f} % to meet the fraction). Order parameter of "
        f"their axes along z, by type: {orders}. The particle list is {PARTICLE_LIST}."
    )


def _structure_view(entry: Entry) -> Any:
    from .report import StructureView

    numbers = entry.numbers
    found = numbers["representative"]
    trend, trend_std = found["trends"]["z"]
    return StructureView(
        phase=numbers["phase"],
        fraction=numbers["volume_fraction"],
        fraction_std=numbers["uncertainty"]["sampling"],
        structure_length=found["structure_length"],
        scale_ratio=found["scale_ratio"],
        volume_for={float(target): edge for target, edge in found["edge_for"].items()},
        trend=trend,
        trend_std=trend_std,
        ratio=found["intercept_ratio"],
        ratio_std=found["intercept_ratio_std"],
        sentences=tuple(found["sentences"]),
    )


def _scan_view(entries: Mapping[str, Entry]) -> Any:
    from .report import ScanView

    correction, labels = entries["correction"], entries["microstructure"]
    found, numbers = correction.numbers, labels.numbers
    steps, quality, model = found["steps"], numbers["quality"], numbers.get("model")
    reconstruction = entries.get("reconstruction")
    phases = sorted(numbers["phases"], key=numbers["phases"].get)
    drift, rings = "drift" in steps, "rings" in steps
    means = quality["means"] if model is None else dict(zip(phases, model["means"], strict=True))
    return ScanView(
        picture=correction.array("picture"),
        voxel_size=tuple(numbers["voxel_size"]),
        labels=labels.array("picture_labels"),
        corrected={step: correction.array(f"picture_{step}") for step in steps},
        denoised=_array_or_none(labels, "picture_denoised"),
        certainty=_certainty(labels),
        gain=correction.array("gain") if drift else None,
        offset=correction.array("offset") if drift else None,
        rings=correction.array("rings").mean(axis=0) if rings else None,
        histogram=labels.array("histogram"),
        histogram_edges=labels.array("histogram_edges"),
        means={phase: means[phase] for phase in phases},
        deviations=quality["deviations"],
        thresholds=tuple(numbers.get("thresholds") or ()),
        known_fractions=numbers["known_fractions"] or {},
        found_fractions=numbers["found_fractions"] or {},
        fraction_uncertainty=numbers["fraction_uncertainty"],
        # Thresholds that were given are not changed by known fractions.
        calibrated=bool(numbers["known_fractions"])
        and not labels.record["parameters"]["thresholds"],
        sizes=found.get("sizes", {}),
        noise=found.get("noise"),
        label_noise=None if model is None else model["noise"],
        blur=None if model is None else model["blur"],
        resolution=quality["resolution"],
        # Stored JSON has sorted keys; pairs are listed from dark to bright.
        contrast_to_noise=dict(
            sorted(
                quality["contrast_to_noise"].items(),
                key=lambda item: phases.index(item[0].split("/")[0]),
            )
        ),
        shares={
            "between_class_variance": quality["between_class_variance"],
            "ambiguous": numbers["ambiguous"],
            "saturated": quality["saturated"],
        }
        | {f"floating_{name}": share for name, share in quality["floating"].items()},
        checks=tuple(labels.record["checks"]),
        method=numbers["method"],
        note=numbers["note"],
        reconstruction=None if reconstruction is None else reconstruction.numbers,
    )


def _array_or_none(entry: Entry, name: str) -> Any:
    return entry.array(name) if entry.has(f"{name}.npy") else None


def _certainty(entry: Entry) -> Any:
    stored = _array_or_none(entry, "picture_certainty")
    return None if stored is None else stored / np.float32(255)


def _segmentation_view(entry: Entry) -> Any:
    from .report import MembersView, SegmentationView

    quantities = []
    for name, found in entry.numbers["quantities"].items():
        what, _, of = name.partition("/")
        numbers = {**found, "members": tuple(found["members"])}
        if what in ("tortuosity_factor", "relative_diffusivity"):
            phase, _, direction = of.rpartition("-")
            of = f"{phase}, {direction}"
        quantities.append(MembersView(what, of, **numbers))
    return SegmentationView(tuple(quantities), entry.numbers["sentence"])


def _mesh_view(entries: Mapping[str, Entry]) -> Any:
    from .report import MeshView

    entry = entries["mesh"]
    return MeshView(
        numbers=entry.numbers,
        checks=tuple(entry.record["checks"]),
        section=entry.array("section"),
        section_phase=entry.array("section_phase"),
        block=entry.array("block"),
        block_phase=entry.array("block_phase"),
        angle_counts=entry.array("angle_counts"),
        phases=tuple(entry.numbers["phases"]),
        comparisons=tuple(e.numbers for e in _of(entries, "cross_verification")),
    )


def _reaction_view(entry: Entry) -> Any:
    from .report import ReactionView

    names = ("plane", "through", "profile", "edges", "shares")
    return ReactionView(
        entry.numbers, entry.record["parameters"], **{name: entry.array(name) for name in names}
    )


def _flow_view(entry: Entry) -> Any:
    from .report import FlowView

    def known(name: str) -> Any:
        return entry.array(name) if entry.has(f"{name}.npy") else None

    numbers = entry.numbers
    axes = slice_axes(numbers["direction"])
    sizes = dict(zip("zyx", numbers["voxel_size"], strict=True))
    return FlowView(
        numbers,
        axes,
        (sizes[axes[0]], sizes[axes[1]]),
        **{name: known(name) for name in ("speed", "pressure", "curve", "tracer")},
    )


def _uptake_view(entry: Entry) -> Any:
    from .report import UptakeView

    shown = entry.numbers["shown"]
    # Stored mappings are sorted by name; pictures are in the order of the study.
    names = shown["order"]

    def known(name: str) -> Any:
        return entry.array(name) if entry.has(f"{name}.npy") else None

    rim = known("rim")
    return UptakeView(
        entry.numbers,
        [(name, *shown_unit(shown["species"][name])) for name in names],
        [entry.array(f"plane_{n}") for n in range(len(names))],
        known("by_distance"),
        np.zeros(0) if rim is None else rim,
        known("course"),
        [entry.array(f"frames_{n}") for n in range(len(names)) if entry.has(f"frames_{n}.npy")],
    )


def _half_cell_view(entry: Entry) -> Any:
    from .report import HalfCellView

    names = ["curve", "losses", "kept_at", "planes", "salt", "current_plane", "profiles"]
    names += ["particles"]
    coarse = entry.array("coarse_curve") if entry.has("coarse_curve.npy") else None
    movie = entry.file("discharge.gif").read_bytes() if entry.has("discharge.gif") else None
    return HalfCellView(
        entry.numbers,
        entry.record["parameters"],
        {name: entry.array(name) for name in names},
        coarse,
        movie,
    )


def _impedance_view(entry: Entry) -> Any:
    from .report import ImpedanceView

    spectrum, line = entry.array("spectrum"), entry.array("line")
    return ImpedanceView(entry.numbers, entry.record["parameters"], spectrum, line)


def _half_cell_impedance_view(entry: Entry) -> Any:
    from .report import HalfCellImpedanceView

    coarse = _array_or_none(entry, "coarse_spectrum")
    return HalfCellImpedanceView(
        entry.numbers, entry.record["parameters"], entry.array("spectrum"), coarse
    )


def _cell_view(entry: Entry) -> Any:
    from .report import CellView

    # An electrode that does not conduct has none.
    rates = _array_or_none(entry, "rates")
    return CellView(entry.numbers, entry.record["parameters"], rates)


def _mechanics_view(entry: Entry, micro: Microstructure) -> Any:
    from ..mechanics import StressDistribution
    from .report import MechanicsView

    stored = entry.numbers["distributions"]["von_mises_stress"]
    # Stored JSON has sorted keys; phases are shown in the order of their labels.
    distributions = {}
    for phase in sorted(stored, key=micro.label):
        part = stored[phase]
        shares = {float(share): value for share, value in part["percentiles"].items()}
        arrays = {name: np.array(part[name], float) for name in ("edges", "shares")}
        distributions[phase] = StressDistribution(**{**part, **arrays, "percentiles": shares})
    index = _array_or_none(entry, "binder_index")
    return MechanicsView(
        numbers=entry.numbers,
        parameters=entry.record["parameters"],
        von_mises=1e6 * entry.array("von_mises").astype(np.float32),
        distributions=distributions,
        loads=stored_loads(entry, micro),
        binder_index=None if index is None else index.astype(np.float32),
    )


def _along_view(entry: Entry) -> Any:
    from .report import MechanicsAlongView

    return MechanicsAlongView(
        entry.numbers,
        entry.record["parameters"],
        entry.array("curve"),
        entry.array("states_at"),
        entry.file("stress.gif").read_bytes(),
    )


def _stiffness_view(entry: Entry) -> Any:
    from .report import StiffnessView

    return StiffnessView(entry.numbers)


def export_meshes(entries: Mapping[str, Entry], folder: Path, stem: str) -> list[Path]:
    """Copy the files of the mesh of a run; return their paths, ``<stem>-mesh.<ending>``."""
    entry = entries.get("mesh")
    written = []
    for name in [] if entry is None else sorted(entry.record["files"]):
        if name.startswith("mesh."):
            target = folder / f"{stem}-{name}"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                source = entry.file(name)  # type: ignore[union-attr]
                if name.endswith(".xdmf"):
                    # It refers to the file with the numbers by name.
                    text = source.read_text(encoding="utf-8")
                    write_file(target, text.replace("mesh.h5", f"{stem}-mesh.h5"))
                else:
                    shutil.copyfile(source, target)
            except OSError as error:
                raise storage_error(error, folder) from error
            written.append(target)
    return written


def export_fields(entries: Mapping[str, Entry], folder: Path, stem: str) -> list[Path]:
    """Copy the field files of a run, for ParaView.

    Returns
    -------
    list of Path
        ``<stem>-<phase>-<direction>.vtkhdf`` of transport, ``<stem>-reaction.vtkhdf``,
        ``<stem>-flow-<phase>-<direction>.vtkhdf``, ``<stem>-uptake.vtkhdf``,
        ``<stem>-mechanics.vtkhdf``, and of each discharge ``<stem>-half_cell-<rate>.vtkhdf`` and
        ``<stem>-mechanics_along-<rate>.vtkhdf``; empty if the study does not keep fields.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kinds = (
            "transport",
            "reaction",
            "flow",
            "uptake",
            "half_cell",
            "mechanics",
            "mechanics_along",
        )
        for entry in (entry for kind in kinds for entry in _of(entries, kind)):
            if entry.has("fields.vtkhdf"):
                case = entry.stage.removeprefix("transport/").replace("/", "-")
                target = folder / f"{stem}-{case}.vtkhdf"
                shutil.copyfile(entry.file("fields.vtkhdf"), target)
                written.append(target)
    except OSError as error:
        raise storage_error(error, folder) from error
    return written


def export_discharges(entries: Mapping[str, Entry], folder: Path, stem: str) -> list[Path]:
    """Copy curves and movies of discharges, and of the stress along them; return their paths.

    ``<stem>-half_cell-<rate>.csv`` and ``.gif``, ``<stem>-mechanics_along-<rate>.csv`` and
    ``.gif``.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for entry in [*_of(entries, "half_cell"), *_of(entries, "mechanics_along")]:
            for name in ("curve.csv", "discharge.gif", "stress.csv", "stress.gif"):
                if entry.has(name):
                    case = entry.stage.replace("/", "-")
                    target = folder / f"{stem}-{case}{Path(name).suffix}"
                    shutil.copyfile(entry.file(name), target)
                    written.append(target)
    except OSError as error:
        raise storage_error(error, folder) from error
    return written


def export_impedances(entries: Mapping[str, Entry], folder: Path, stem: str) -> list[Path]:
    """Copy spectra, and what they belong to; return their paths.

    ``<stem>-impedance.csv`` and ``.json``, and ``<stem>-half_cell_impedance-<stoichiometry>``.
    """
    written = []
    for entry in [*_of(entries, "impedance"), *_of(entries, "half_cell_impedance")]:
        for name in SPECTRUM_FILES:
            case = entry.stage.replace("/", "-")
            target = folder / f"{stem}-{case}{Path(name).suffix}"
            write_file(target, entry.file(name).read_text(encoding="utf-8"))
            written.append(target)
    return written


def export_cell(entries: Mapping[str, Entry], folder: Path, stem: str) -> list[Path]:
    """Copy the parameter sets of a cell model; return their paths, ``<stem>-<file>``."""
    entry = entries.get("cell")
    written = []
    for name in [] if entry is None else CELL_FILES:
        if entry.has(name):  # type: ignore[union-attr]
            target = folder / f"{stem}-{name}"
            write_file(target, entry.file(name).read_text(encoding="utf-8"))  # type: ignore[union-attr]
            written.append(target)
    return written


def export_courses(entries: Mapping[str, Entry], folder: Path, stem: str) -> list[Path]:
    """Copy amounts of species over time, and breakthrough curves; return the paths.

    ``<stem>-uptake.csv`` and ``<stem>-flow-<phase>-<direction>.csv``.
    """
    written = []
    for name, kind in ((COURSE_FILE, "uptake"), (CURVE_FILE, "flow")):
        for entry in _of(entries, kind):
            if entry.has(name):
                target = folder / f"{stem}-{entry.stage.replace('/', '-')}.csv"
                write_file(target, entry.file(name).read_text(encoding="utf-8"))
                written.append(target)
    return written


def export_ligaments(entries: Mapping[str, Entry], folder: Path, stem: str) -> list[Path]:
    """Copy the table of ranked ligaments; return its path, ``<stem>-ligaments.csv``, or nothing."""
    entry = entries.get("mechanics")
    if entry is None or not entry.has(LIGAMENT_LIST):
        return []
    target = folder / f"{stem}-{LIGAMENT_LIST}"
    write_file(target, entry.file(LIGAMENT_LIST).read_text(encoding="utf-8"))
    return [target]


def export_particles(entries: Mapping[str, Entry], folder: Path, stem: str) -> list[Path]:
    """Copy the particle list of a generated electrode; return its path, or nothing.

    Parameters
    ----------
    entries : mapping of str to Entry
    folder : Path
    stem : str
        The file is ``<stem>-particles.csv``.

    Returns
    -------
    list of Path
    """
    entry = entries.get("microstructure")
    if entry is None or not entry.has(PARTICLE_LIST):
        return []
    target = folder / f"{stem}-{PARTICLE_LIST}"
    write_file(target, entry.file(PARTICLE_LIST).read_text(encoding="utf-8"))
    return [target]


def results_as_csv(results: Results) -> str:
    """Return the quantities of a run as a table with one line each."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    terms = ("discretisation", "sampling", "segmentation", "material", "total")
    table.writerow(
        [
            "name",
            "phase",
            "direction",
            "condition",
            "value",
            "unit",
            *(f"u_{t}" for t in terms),
            "verdict",
        ]
    )
    for row in results.quantities:
        table.writerow(
            [
                row.name,
                row.phase,
                row.direction,
                row.condition,
                row.value if row.text is None else "inf",
                row.unit,
                *(getattr(row.uncertainty, term) for term in terms),
                row.verdict,
            ]
        )
    return out.getvalue()
