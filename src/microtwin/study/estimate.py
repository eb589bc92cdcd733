"""What a study will cost, known from its file and the header of its image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..imaging import open_volume, read_projections
from .errors import StudyError
from .impedance_stage import PER_DECADE, count_of
from .reading import StudyFile
from .schema import Projections, Study

__all__ = ["Cost", "estimate_cost", "require_memory"]

# Peak memory of one solve in bytes per voxel of the image, the image included.
BYTES_PER_VOXEL = {"voxel": 40, "smooth": 60}
# Potential, flux and dissipation while they are written for ParaView.
BYTES_PER_VOXEL_FIELDS = 24
# Python, its libraries and the compiled kernels.
BYTES_FIXED = 400_000_000
# Wall time of one solve in nanoseconds per voxel on two cores; a guide, not a promise.
NS_PER_VOXEL = {"voxel": 150, "smooth": 250}
# The same for composites, per distinct conductivity if there are several.
BYTES_PER_VOXEL_COMPOSITE = {"voxel": 110, "smooth": 170}
NS_PER_VOXEL_COMPOSITE = {"voxel": 600, "smooth": 1500}
NS_PER_VOXEL_FIELDS = 500
# For three phases.
NS_PER_VOXEL_DESCRIPTORS = {
    "surface": 100,
    "topology": 80,
    "chords": 170,
    "sizes": 1800,
    "paths": 1000,
}
# Descriptors with correlations; a generated electrode with two phases of particles.
BYTES_PER_VOXEL_DESCRIPTORS = 30
BYTES_PER_VOXEL_GENERATE = 45
# Particles that jam take longer, which nobody knows before.
NS_PER_VOXEL_GENERATE = 500
NS_PER_VOXEL_CALENDERING = 4000
# A mesh of elements two voxels large in a rough electrode, with its quality; and transport on it
# and on a coarser one. Both grow with the number of elements at interfaces.
BYTES_PER_VOXEL_MESH = 600
# Elements of order 2 per voxel, up to the largest mesh that gets them; and voxels of half the edge.
BYTES_PER_VOXEL_CROSS = 3000
BYTES_CROSS = 5_000_000_000
BYTES_PER_VOXEL_FINER = 600
# The interface of a rough electrode, half of it covered.
BYTES_PER_VOXEL_REACTION = 120
NS_PER_VOXEL_REACTION = 1000
BYTES_PER_VOXEL_FLOW = 150
BYTES_PER_VOXEL_TRACER = 600
BYTES_PER_VOXEL_REFLECTED = 3600  # dispersion on an image joined to its reflections
PIECES = 8  # of that image
NS_PER_VOXEL_FLOW = 40_000
NS_PER_VOXEL_DISPERSION = 30_000  # for each Péclet number
# A time step lasts while the fastest fluid crosses half a voxel, several times as fast as the mean.
NS_PER_VOXEL_TRACER_STEP = 60
STEPS_PER_LAYER = 12
BYTES_PER_VOXEL_UPTAKE = 150  # and more for each further species
NS_PER_VOXEL_UPTAKE = 1500
STEPS_OF_UPTAKE = 60  # over a duration
# Complex solves, per frequency; those of a half cell with its separator.
BYTES_PER_VOXEL_IMPEDANCE = 380
NS_PER_VOXEL_IMPEDANCE = 1700
BYTES_PER_VOXEL_HALF_CELL_IMPEDANCE = 2700
NS_PER_VOXEL_HALF_CELL_IMPEDANCE = 15_000
# By default, four decades; and the geometry and frequency 0, in units of one of them.
FREQUENCIES_IMPEDANCE = (21, 4)
# Of a discharge, on average over rates, and that on larger voxels with it; with the separator.
BYTES_PER_VOXEL_HALF_CELL = 400
NS_PER_VOXEL_HALF_CELL = 40_000
NS_PER_VOXEL_CELL = 12_000
# Swelling with what is read from its stress; six mean strains.
BYTES_PER_VOXEL_MECHANICS = 700
NS_PER_VOXEL_SWELLING = 16_000
# Along a discharge, per state: its lithium, and what is kept of its stress for ParaView.
BYTES_PER_VOXEL_STATE = 2
BYTES_PER_VOXEL_STATE_FIELDS = 24
NS_PER_VOXEL_STIFFNESS = 35_000
NS_PER_VOXEL_MESH = 20_000
NS_PER_VOXEL_CROSS = 25_000
# A segmented scan: itself, labels, probabilities of three phases and a slab of work.
BYTES_PER_VOXEL_SCAN = 12
NS_PER_VOXEL_SCAN = 6000
NS_PER_VOXEL_RECONSTRUCT = 3000
# Solves on plausible segmentations: two fine ones, coarse ones, and blocks.
SOLVES_SEGMENTATION = 3.5
# Solves on coarse voxels, with the staircase, and on sub-volumes, in units of the main solve.
SOLVES_DISCRETISATION = 1.0
SOLVES_SAMPLING = 0.5
SECONDS_FIXED = 10.0
LARGEST_COARSENING = 16


@dataclass(frozen=True)
class Cost:
    """Estimated cost of a study.

    Attributes
    ----------
    shape : tuple of int
        Voxels along (z, y, x) after crop and coarsening.
    solves : int
        Main solves: phases times directions, and three for a tensor.
    memory_bytes, available_bytes : int
        Peak memory needed and memory free now.
    seconds : float
        Wall time on two cores, within a factor of about two.
    fitting_coarsening : int or None
        Smallest coarsening (in total) that fits in memory; None if none does.
    """

    shape: tuple[int, int, int]
    solves: int
    memory_bytes: int
    available_bytes: int
    seconds: float
    fitting_coarsening: int | None

    @property
    def fits(self) -> bool:
        """Whether the memory free now is enough."""
        return self.memory_bytes <= self.available_bytes


def estimate_cost(file: StudyFile, available_bytes: int | None = None) -> Cost:
    """Estimate memory and time of a study without reading the voxels of its image.

    Parameters
    ----------
    file : StudyFile
    available_bytes : int, optional
        Memory to compare with; by default what is free now.

    Returns
    -------
    Cost

    Raises
    ------
    ValueError
        If the image cannot be read as a volume, the crop does not lie inside it, or the elements
        of a mesh are too large for it.
    """
    if available_bytes is None:
        import psutil

        available_bytes = int(psutil.virtual_memory().available)
    study = file.study
    fine, coarsen = _shape_in_voxels(file)
    shape = (fine[0] // coarsen, fine[1] // coarsen, fine[2] // coarsen)
    _check_mesh_size(file, shape)
    bytes_per_voxel = _bytes_per_voxel(study)

    def memory(factor: int) -> int:
        voxels = math.prod(n // factor for n in fine)
        return int(BYTES_FIXED + max(bytes_per_voxel * voxels, _cross_bytes(study, voxels)))

    possible = range(coarsen, min(LARGEST_COARSENING, min(fine) // 2) + 1)
    fitting = next((f for f in possible if memory(f) <= available_bytes), None)
    return Cost(
        shape=shape,
        solves=_solves(study),
        memory_bytes=memory(coarsen),
        available_bytes=available_bytes,
        seconds=SECONDS_FIXED + 1e-9 * math.prod(shape) * _ns_per_voxel(study, max(shape)),
        fitting_coarsening=fitting,
    )


def require_memory(file: StudyFile, cost: Cost) -> None:
    """Refuse a study that does not fit in memory, saying what would fit.

    Raises
    ------
    StudyError
        If it does not fit.
    """
    if cost.fits:
        return
    shape = " x ".join(map(str, cost.shape))
    if cost.fitting_coarsening is None:
        remedy = "crop the image"
    elif file.study.source is None:
        remedy = "make 'generate.shape' smaller"
    elif file.study.source == "projections":
        remedy = "reconstruct fewer rows, save the volume, and start from it as a 'scan'"
    else:
        section = file.study.source
        remedy = (
            f"write 'coarsen: {cost.fitting_coarsening}' in the section '{section}', or crop it"
        )
    raise StudyError(
        f"{shape} voxels need about {cost.memory_bytes / 1e9:.2g} GB of memory and "
        f"{cost.available_bytes / 1e9:.2g} GB are free; {remedy}"
    )


def _shape_in_voxels(file: StudyFile) -> tuple[tuple[int, int, int], int]:
    """Return the shape before coarsening, and the coarsening."""
    study = file.study
    if study.generate is not None:
        return study.generate.voxels, 1
    path, section = file.source_path, study.source
    assert path is not None and section is not None  # the schema requires one of the sources
    if not path.exists():
        raise StudyError(
            f"{file.where(section, 'path')}: there is no file or folder {path}; a relative path is "
            "meant from the folder of the study file"
        )
    if study.projections is not None:
        return _reconstructed_shape(path, study.projections), 1
    part = study.image or study.scan
    assert part is not None
    shape = list(open_volume(path, dataset=part.dataset).shape)
    if part.crop is not None:
        for axis, span in enumerate((part.crop.z, part.crop.y, part.crop.x)):
            if span is not None:
                _check_span(file, axis, span, shape[axis])
                shape[axis] = span[1] - span[0]
    return (shape[0], shape[1], shape[2]), part.coarsen


def _reconstructed_shape(path: Path, part: Projections) -> tuple[int, int, int]:
    """Return the largest shape that a reconstruction of some projections can have."""
    angles = None if part.angles is None else np.deg2rad(part.angles)
    frames = read_projections(
        path,
        pixel_size=part.pixel_size,
        angles=angles,
        detector=part.detector,
        dataset=part.dataset,
    )
    _, rows, columns = frames.values.shape
    edge = (2 if part.extended else 1) * columns
    # A single row is repeated; the square inside the circle has half of its area.
    edge = int(edge / np.sqrt(2)) if part.region == "square" else edge
    return max(rows, 2), edge, edge


def _check_span(file: StudyFile, axis: int, span: tuple[int, int], size: int) -> None:
    name = "zyx"[axis]
    if span[1] > size:
        raise StudyError(
            f"{file.where(file.study.source or '', 'crop', name)}: the crop ends at voxel "
            f"{span[1]}, but there are {size} voxels along {name}; write an end of at most {size}"
        )


def _check_mesh_size(file: StudyFile, shape: tuple[int, int, int]) -> None:
    """Refuse elements that are larger than half of the shortest side of the image."""
    study = file.study
    if study.mesh is None:
        return
    part = study.image or study.scan or study.generate
    edges = (1.0, 1.0, 1.0) if part is None else part.voxel_size
    sides = [n * edge / min(edges) for n, edge in zip(shape, edges, strict=True)]
    if study.mesh.size > min(sides) / 2:
        raise StudyError(
            f"{file.where('mesh', 'size')}: elements {study.mesh.size:g} voxels large do not fit "
            f"in an image with a side of {min(sides):g} voxels; write {min(sides) / 2:g} or less"
        )


def _composite_fields(study: Study) -> int:
    """Return the number of different conductivities of the composite."""
    if study.homogenize is None:
        return 0
    return len({value for value in study.homogenize.conductivities.values() if value > 0.0})


def _bytes_per_voxel(study: Study) -> float:
    interfaces = {part.interface for part in (study.transport, study.homogenize) if part}
    solve: float = max((BYTES_PER_VOXEL[interface] for interface in interfaces), default=10)
    conductors = _composite_fields(study)
    if study.homogenize is not None and conductors > 1:
        solve = max(solve, conductors * BYTES_PER_VOXEL_COMPOSITE[study.homogenize.interface])
    fields = study.transport is not None and study.output.fields
    if study.from_grey_values:
        solve = max(solve, BYTES_PER_VOXEL_SCAN)
    if study.descriptors:
        solve = max(solve, BYTES_PER_VOXEL_DESCRIPTORS)
    if study.reaction is not None:
        solve = max(solve, BYTES_PER_VOXEL_REACTION)
    if study.flow is not None:
        carried = study.flow.dispersion is not None or study.flow.breakthrough is not None
        solve = max(solve, BYTES_PER_VOXEL_TRACER if carried else BYTES_PER_VOXEL_FLOW)
        if study.flow.dispersion is not None and study.flow.boundary != "periodic":
            solve = max(solve, BYTES_PER_VOXEL_REFLECTED)
    if study.uptake is not None:
        solve = max(solve, BYTES_PER_VOXEL_UPTAKE * (1 + len(study.uptake.species)))
    if study.impedance is not None:
        solve = max(solve, BYTES_PER_VOXEL_IMPEDANCE)
    if study.half_cell is not None:
        solve = max(solve, BYTES_PER_VOXEL_HALF_CELL + _bytes_kept(study))
        if study.half_cell.impedance is not None:
            solve = max(solve, BYTES_PER_VOXEL_HALF_CELL_IMPEDANCE)
    if study.mechanics is not None:
        solve = max(solve, BYTES_PER_VOXEL_MECHANICS + _bytes_along(study))
    if study.generate is not None:
        solve = max(solve, BYTES_PER_VOXEL_GENERATE)
    if study.mesh is not None:
        solve = max(solve, BYTES_PER_VOXEL_MESH * _elements(study.mesh.size))
        if study.mesh.cross_verification and study.transport is not None:
            solve = max(solve, BYTES_PER_VOXEL_FINER)
    return solve + (BYTES_PER_VOXEL_FIELDS if fields else 0)


def _bytes_kept(study: Study) -> float:
    """Return what is kept of a discharge for the stress along it: lithium in each picture."""
    if study.half_cell is None or study.mechanics is None or study.mechanics.along is None:
        return 0.0
    return BYTES_PER_VOXEL_STATE * max(study.half_cell.frames, study.mechanics.along.states)


def _bytes_along(study: Study) -> float:
    """Return what the states of a discharge take while their stress is computed."""
    if study.mechanics is None or study.mechanics.along is None:
        return 0.0
    each = BYTES_PER_VOXEL_STATE + BYTES_PER_VOXEL_STATE_FIELDS * study.output.fields
    return each * study.mechanics.along.states


def _cross_bytes(study: Study, voxels: int) -> float:
    """Return the memory that transport on a mesh needs."""
    if study.mesh is None or not study.mesh.cross_verification or study.transport is None:
        return 0.0
    return min(BYTES_CROSS, BYTES_PER_VOXEL_CROSS * _elements(study.mesh.size) * voxels)


def _elements(size: float) -> float:
    """Return about how many more elements a mesh has than one with elements two voxels large."""
    return (2.0 / size) ** 2


def _solves(study: Study) -> int:
    transport = study.transport
    main = len(transport.phases) * len(transport.directions) if transport else 0
    return main + (3 if study.homogenize is not None else 0)


def _ns_of_flow(study: Study, layers: int) -> float:
    """Return the work of flows, and of the tracers in them, per voxel."""
    part = study.flow
    assert part is not None
    each = float(NS_PER_VOXEL_FLOW)
    if part.dispersion is not None:
        pieces = 1 if part.boundary == "periodic" else PIECES
        each += pieces * NS_PER_VOXEL_DISPERSION * len(part.dispersion.peclet)
    if part.breakthrough is not None:
        volumes = part.breakthrough.pore_volumes or 3.0 * part.breakthrough.retardation
        each += NS_PER_VOXEL_TRACER_STEP * STEPS_PER_LAYER * volumes * layers
    return each * len(part.directions) * (1 + study.uncertainty.discretisation / 8)


def _ns_per_voxel(study: Study, layers: int) -> float:
    total = 0.0
    if study.transport is not None:
        extra = SOLVES_DISCRETISATION * study.uncertainty.discretisation
        extra += SOLVES_SAMPLING * study.uncertainty.sampling
        if study.from_grey_values:
            extra += SOLVES_SEGMENTATION * study.uncertainty.segmentation
        solve = (1 + extra) * NS_PER_VOXEL[study.transport.interface]
        solve += NS_PER_VOXEL_FIELDS * study.output.fields
        total += solve * len(study.transport.phases) * len(study.transport.directions)
    if study.homogenize is not None:
        conductors, interface = _composite_fields(study), study.homogenize.interface
        composite = conductors * NS_PER_VOXEL_COMPOSITE[interface]
        total += 3 * 1.125 * (composite if conductors > 1 else NS_PER_VOXEL[interface])
    if study.descriptors:
        groups = NS_PER_VOXEL_DESCRIPTORS if study.descriptors is True else set(study.descriptors)
        total += 1.125 * sum(NS_PER_VOXEL_DESCRIPTORS[group] for group in groups)
    total += NS_PER_VOXEL_REACTION * (study.reaction is not None)
    if study.flow is not None:
        total += _ns_of_flow(study, layers)
    if study.uptake is not None:
        steps = 1 if study.uptake.duration is None else STEPS_OF_UPTAKE
        images = 1 + study.uncertainty.discretisation / 8
        total += NS_PER_VOXEL_UPTAKE * steps * images * len(study.uptake.species)
    if study.cell is not None:
        total += NS_PER_VOXEL_CELL
    if study.impedance is not None:
        usual, fixed = FREQUENCIES_IMPEDANCE
        span = study.impedance.frequencies
        count = usual if span is None else count_of(span, PER_DECADE)
        total += NS_PER_VOXEL_IMPEDANCE * (count + fixed)
    if study.half_cell is not None:
        total += NS_PER_VOXEL_HALF_CELL * len(study.half_cell.c_rates)
        part = study.half_cell.impedance
        if part is not None:
            spectra = len(part.stoichiometries or [None])
            count = count_of(part.frequencies, part.per_decade)
            total += NS_PER_VOXEL_HALF_CELL_IMPEDANCE * count * spectra
    if study.mechanics is not None:
        # On larger voxels, and in the eight parts, which together are one image.
        images = 1 + study.uncertainty.discretisation / 8 + study.uncertainty.sampling
        each = NS_PER_VOXEL_SWELLING + NS_PER_VOXEL_STIFFNESS * study.mechanics.stiffness
        total += each * images
        if study.mechanics.along is not None:
            images = 1 + study.uncertainty.discretisation / 8
            total += NS_PER_VOXEL_SWELLING * study.mechanics.along.states * images
        if study.from_grey_values:
            total += SOLVES_SEGMENTATION * study.uncertainty.segmentation * NS_PER_VOXEL_SWELLING
    if study.mesh is not None:
        cross = study.mesh.cross_verification and study.transport is not None
        cases = _solves(study.model_copy(update={"homogenize": None})) if cross else 0
        each = NS_PER_VOXEL_MESH + cases * NS_PER_VOXEL_CROSS
        total += each * _elements(study.mesh.size)
    total += NS_PER_VOXEL_SCAN * study.from_grey_values
    total += NS_PER_VOXEL_RECONSTRUCT * (study.projections is not None)
    if study.generate is not None:
        total += NS_PER_VOXEL_GENERATE
        # Pressing packs the particles anew in each of its steps; random fields have none.
        total += NS_PER_VOXEL_CALENDERING * (
            getattr(study.generate, "calendering", None) is not None
        )
    return total
