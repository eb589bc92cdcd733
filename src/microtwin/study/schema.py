"""The study file as pydantic models: what may be written in it, with defaults.

Lengths are numbers in metres or text with a unit ("398 nm"). Every section refuses keys that it
does not know. `Study.problems` holds the rules that concern several keys at once.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ..microstructure import AXES, Direction
from ..transport.options import Boundary, Interface
from .electrode_sections import (
    Cell,
    HalfCell,
    HalfCellImpedance,
    Impedance,
    Reaction,
    is_material_file,
)
from .fields import (
    Coarsening,
    Edges,
    FilePath,
    Label,
    Length,
    PhaseName,
    Pixel,
    Range,
    Section,
    Tolerance,
)
from .flow_sections import Flow, flow_problems
from .known import known_fractions
from .mechanics_problems import mechanics_phases, mechanics_problems
from .mechanics_sections import Mechanics
from .problems import Problem, repeated
from .recipes import Recipe
from .uptake_sections import Uptake, uptake_problems

__all__ = [
    "Cell",
    "Correction",
    "Crop",
    "Denoise",
    "Flow",
    "HalfCell",
    "HalfCellImpedance",
    "Homogenize",
    "Image",
    "Impedance",
    "Laboratory",
    "Mechanics",
    "Mesh",
    "Output",
    "Problem",
    "Projections",
    "Reaction",
    "Scan",
    "Segmentation",
    "Study",
    "Transport",
    "Uncertainty",
    "Uptake",
]

SOURCES = ("image", "generate", "scan", "projections")
MeshFormat = Literal["vtu", "vtkhdf", "msh", "xdmf", "inp"]
DescriptorGroup = Literal["surface", "topology", "chords", "sizes", "paths"]


class Crop(Section):
    """Part of the image to use: first voxel and one past the last, per axis."""

    z: Range | None = None
    y: Range | None = None
    x: Range | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Crop:
        for axis in AXES:
            span = getattr(self, axis)
            if span is not None and span[1] - span[0] < 2:
                raise ValueError(
                    f"{axis}: {list(span)} keeps fewer than 2 voxels; write [first, end]"
                )
        return self


class Image(Section):
    """An image of labels on disk."""

    path: FilePath
    voxel_size: Edges
    phases: Annotated[dict[PhaseName, Label], Field(min_length=1)]
    dataset: str | None = None
    crop: Crop | None = None
    coarsen: Coarsening = 1

    @model_validator(mode="after")
    def _own_labels(self) -> Image:
        seen: dict[int, str] = {}
        for name, label in self.phases.items():
            if label in seen:
                raise ValueError(
                    f"phases {seen[label]!r} and {name!r} share label {label}; give each its own"
                )
            seen[label] = name
        return self


class Scan(Section):
    """A grey-scale volume on disk."""

    path: FilePath
    voxel_size: Edges
    dataset: str | None = None
    crop: Crop | None = None
    coarsen: Coarsening = 1


class Projections(Section):
    """Projections of a tomograph on disk, to be reconstructed."""

    path: FilePath
    pixel_size: Pixel
    angles: tuple[float, float] | None = None
    detector: str | None = None
    dataset: str | None = None
    centre: float | Literal["auto", "vo", "phase"] = "auto"
    stripes: Literal["none", "gain", "sorting", "all"] = "gain"
    air: Annotated[int, Field(ge=0)] = 0
    extended: bool = False
    region: Literal["circle", "square"] = "square"
    filter: Literal["ramp", "hann"] = "ramp"


class Correction(Section):
    """Artefacts to look for in the scan and to take away."""

    drift: bool = True
    shading: bool = True
    rings: bool = True
    centre: tuple[float, float] | None = None

    @property
    def steps(self) -> list[str]:
        """Names of the steps that are switched on."""
        return [name for name in ("drift", "shading", "rings") if getattr(self, name)]


class Denoise(Section):
    """Denoising before thresholds or a pixel classifier."""

    method: Literal["curvature", "total variation"] = "curvature"
    strength: Annotated[float, Field(gt=0, le=10)] = 1.0


class Laboratory(Section):
    """What was measured in the laboratory, from which the volume fractions follow."""

    areal_loading: str | float
    thickness: Length
    mass_fractions: Annotated[dict[str, float], Field(min_length=1)]
    densities: Annotated[dict[str, str | float], Field(min_length=1)]
    merge: dict[PhaseName, list[str]] | None = None
    internal_porosity: dict[PhaseName, float] | None = None


class Segmentation(Section):
    """How the grey values become labels."""

    phases: Annotated[list[PhaseName], Field(min_length=2, max_length=8)]
    method: Literal["posterior", "thresholds", "classifier"] = "posterior"
    fractions: dict[PhaseName, Annotated[float, Field(ge=0, le=1)]] | None = None
    laboratory: Laboratory | None = None
    fraction_uncertainty: Annotated[float, Field(ge=0, le=0.2)] = 0.01
    thresholds: list[float] | None = None
    scribbles: FilePath | None = None
    seed: Annotated[int, Field(ge=0)] = 0


class Transport(Section):
    """Tortuosity factor and relative diffusivity, per phase and direction."""

    phases: Annotated[list[PhaseName], Field(min_length=1)]
    directions: Annotated[list[Direction], Field(min_length=1, default_factory=lambda: list(AXES))]
    boundary: Boundary = "faces"
    interface: Interface = "smooth"
    tol: Tolerance = 1e-4


class Homogenize(Section):
    """The full tensor of the effective conductivity; phases without one are insulating."""

    conductivities: Annotated[dict[PhaseName, Annotated[float, Field(ge=0)]], Field(min_length=1)]
    unit: str = "1"
    boundary: Boundary = "periodic"
    interface: Interface = "smooth"
    tol: Tolerance = 1e-4


class Mesh(Section):
    """A conforming mesh of tetrahedra, and transport on it beside that on voxels."""

    size: Annotated[float, Field(ge=0.25, allow_inf_nan=False)] = 2.0
    coarsest: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    formats: tuple[MeshFormat, ...] = ("vtu",)
    cross_verification: bool = True


class Uncertainty(Section):
    """Which parts of the error budget are computed, and the size from which to warn."""

    discretisation: bool = True
    sampling: bool = True
    segmentation: bool = True
    members: Annotated[int, Field(ge=2, le=200)] = 8
    target: Annotated[float, Field(gt=0, lt=1)] = 0.05
    thickness: Length | None = None


class Output(Section):
    """What is written beside results.json."""

    fields: bool = True
    report: bool = True


def _electrode_problems(section: str, part: HalfCell | Cell) -> list[Problem]:
    """Return rates that are named twice, and phases that cannot be what they are named as."""
    found = repeated((section, "c_rates"), [f"{rate:g}" for rate in part.c_rates])
    if part.active == part.pore:
        text = f"{part.pore!r} is active as well; name another phase"
        found.append(Problem((section, "pore"), text))
    for name in part.porous_phases or ():
        if name in (part.active, part.pore):
            text = f"{name!r} is active material or pore; name another phase, as the binder"
            found.append(Problem((section, "porous_phases", name), text))
    return found


class Study(Section):
    """A whole study file.

    Raises
    ------
    pydantic.ValidationError
        If a key is unknown or missing, or a value is not allowed.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    image: Image | None = None
    generate: Recipe | None = None
    scan: Scan | None = None
    projections: Projections | None = None
    correction: Correction = Correction()
    denoise: Denoise | None = None
    segmentation: Segmentation | None = None
    transport: Transport | None = None
    homogenize: Homogenize | None = None
    impedance: Impedance | None = None
    mesh: Mesh | None = None
    reaction: Reaction | None = None
    flow: Flow | None = None
    uptake: Uptake | None = None
    half_cell: HalfCell | None = None
    cell: Cell | None = None
    mechanics: Mechanics | None = None
    descriptors: bool | Annotated[list[DescriptorGroup], Field(min_length=1)] = True
    uncertainty: Uncertainty = Uncertainty()
    output: Output = Output()

    @model_validator(mode="after")
    def _one_source(self) -> Study:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "one_source",
                "a study needs one of the sections 'image' (a file with labels), 'generate' (a "
                "virtual electrode), 'scan' (a grey-scale volume) and 'projections', and this one "
                "has " + (" and ".join(given) or "none of them"),
            )
        return self

    @property
    def from_grey_values(self) -> bool:
        """Whether the labels come from a segmentation."""
        return self.scan is not None or self.projections is not None

    @property
    def source(self) -> str | None:
        """Name of the section that names a file; None for a generated microstructure."""
        return next((n for n in ("image", "scan", "projections") if getattr(self, n)), None)

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases that the microstructure will have; none if nothing names them."""
        if self.image is not None:
            return tuple(self.image.phases)
        if self.segmentation is not None:
            return tuple(self.segmentation.phases)
        return () if self.generate is None else self.generate.phase_names

    def problems(self) -> list[Problem]:
        """Return what does not fit together although each key is allowed by itself."""
        found = []
        names = self.phase_names
        wanted: list[tuple[tuple[str | int, ...], str]] = []
        if self.transport is not None:
            phases = self.transport.phases
            wanted += [(("transport", "phases", i), name) for i, name in enumerate(phases)]
            found += repeated(("transport", "phases"), phases)
            found += repeated(("transport", "directions"), self.transport.directions)
        if self.homogenize is not None:
            section = ("homogenize", "conductivities")
            wanted += [((*section, name), name) for name in self.homogenize.conductivities]
            if not any(self.homogenize.conductivities.values()):
                found.append(
                    Problem(section, "all conductivities are zero; give at least one above zero")
                )
        if self.impedance is not None:
            found += self._impedance_problems()
            wanted.append((("impedance", "phase"), self.impedance.phase))
            solids = self.impedance.solids or ()
            wanted += [(("impedance", "solids", i), name) for i, name in enumerate(solids)]
        found += self._mesh_problems()
        if self.reaction is not None:
            found += self._reaction_problems()
            names_in = {"active": self.reaction.active, "coverings": self.reaction.coverings or ()}
            wanted += [(("reaction", key, n), n) for key, own in names_in.items() for n in own]
            wanted.append((("reaction", "electrolyte"), self.reaction.electrolyte))
        if self.flow is not None:
            problems, named = flow_problems(self.flow, names)
            found, wanted = found + problems, wanted + named
        if self.uptake is not None:
            problems, named = uptake_problems(self.uptake, names)
            found, wanted = found + problems, wanted + named
        if self.half_cell is not None:
            found += self._half_cell_problems()
            cell = self.half_cell
            wanted += [(("half_cell", key), getattr(cell, key)) for key in ("active", "pore")]
            for key in ("conductivities", "porous_phases"):
                wanted += [(("half_cell", key, name), name) for name in getattr(cell, key) or ()]
        if self.cell is not None:
            found += self._cell_problems()
            wanted += [(("cell", key), getattr(self.cell, key)) for key in ("active", "pore")]
            for key in ("conductivities", "porous_phases"):
                wanted += [(("cell", key, n), n) for n in getattr(self.cell, key) or ()]
        if self.mechanics is not None:
            found += mechanics_problems(self.mechanics, self.half_cell)
            wanted += mechanics_phases(self.mechanics)
        source = "the generated image"
        if self.image is not None:
            source = "image.phases"
        elif self.segmentation is not None:
            source = "segmentation.phases"
        found += self._segmentation_problems()
        found += [
            Problem(
                path,
                f"phase {name!r} is not in {source}, which has {', '.join(names)}",
                name,
                names,
            )
            for path, name in wanted
            if names and name not in names
        ]
        return found

    def _impedance_problems(self) -> list[Problem]:
        """Return what does not fit in the section on the impedance."""
        part = self.impedance
        assert part is not None
        if self.phase_names == (part.phase,):
            text = f"{part.phase!r} is the only phase; an impedance needs walls that are charged"
            return [Problem(("impedance",), text)]
        solids = part.solids or []
        found = repeated(("impedance", "solids"), solids)
        if part.phase in solids:
            at = ("impedance", "solids", solids.index(part.phase))
            text = f"{part.phase!r} holds the electrolyte; name the solids whose walls are charged"
            found.append(Problem(at, text))
        return found

    def _mesh_problems(self) -> list[Problem]:
        """Return what does not fit in the section on the mesh."""
        if self.mesh is None:
            return []
        found = repeated(("mesh", "formats"), self.mesh.formats)
        if len(self.phase_names) == 1:
            text = f"{self.phase_names[0]!r} is the only phase; a mesh needs two or more"
            found.append(Problem(("mesh",), text))
        if self.mesh.coarsest is not None and self.mesh.coarsest < self.mesh.size:
            text = f"coarsest is the size inside the phases, and at least size ({self.mesh.size:g})"
            found.append(Problem(("mesh", "coarsest"), text))
        if self.mesh.cross_verification and self.transport is not None:
            missing = [name for name in ("ngsolve", "pyamg") if find_spec(name) is None]
            if missing:
                text = (
                    f"transport on the mesh needs {' and '.join(missing)}: "
                    "pip install 'microtwin[mesh]', or write cross_verification: false"
                )
                found.append(Problem(("mesh", "cross_verification"), text))
        return found

    def _reaction_problems(self) -> list[Problem]:
        """Return what does not fit in the section on the reaction."""
        part = self.reaction
        assert part is not None
        found = []
        if part.overpotential == 0.0:
            text = "without an overpotential nothing reacts; write some volts, for example 0.01"
            found.append(Problem(("reaction", "overpotential"), text))
        if part.electrolyte in part.active:
            text = f"{part.electrolyte!r} is active as well; name another phase"
            found.append(Problem(("reaction", "electrolyte"), text))
        for name in part.coverings or ():
            if name in part.active or name == part.electrolyte:
                text = f"{name!r} covers nothing: it is active material or electrolyte"
                found.append(Problem(("reaction", "coverings", name), text))
        return found

    def _half_cell_problems(self) -> list[Problem]:
        """Return what does not fit in the section on the half cell."""
        part = self.half_cell
        assert part is not None
        found = _electrode_problems("half_cell", part)
        if part.impedance is not None:
            at = ("half_cell", "impedance", "stoichiometries")
            found += repeated(at, [f"{x:g}" for x in part.impedance.stoichiometries or ()])
        elif not part.c_rates:
            text = "there is nothing to compute; name a rate, or add the key 'impedance'"
            found.append(Problem(("half_cell", "c_rates"), text))
        if (part.conductivities or {}).get(part.active) == 0.0:
            text = "the active material must conduct electrons; give more than 0, in S/m"
            found.append(Problem(("half_cell", "conductivities", part.active), text))
        named = not is_material_file(part.chemistry)
        side = part.chemistry.partition(":")[2]
        if named and side not in ("positive", "negative"):
            text = (
                f"{part.chemistry!r} is neither a parameter set with one of its electrodes, as "
                "'Chen2020:positive', nor a YAML file of a material"
            )
            found.append(Problem(("half_cell", "chemistry"), text))
        if not named and part.electrolyte is None:
            text = "a material from a file needs an electrolyte; name a parameter set or a file"
            found.append(Problem(("half_cell", "electrolyte"), text))
        sets = named or (part.electrolyte is not None and not is_material_file(part.electrolyte))
        if sets and find_spec("pybamm") is None:
            text = (
                "parameter sets need PyBaMM: pip install 'microtwin[cell]', or give files of a "
                "material and an electrolyte"
            )
            found.append(Problem(("half_cell", "chemistry"), text))
        return found

    def _cell_problems(self) -> list[Problem]:
        """Return what does not fit in the section on the cell model."""
        part = self.cell
        assert part is not None
        found = _electrode_problems("cell", part)
        if part.pore in (part.conductivities or ()):
            text = f"{part.pore!r} holds electrolyte and conducts no electrons; leave it out"
            found.append(Problem(("cell", "conductivities", part.pore), text))
        missing = [name for name in ("pybamm", "bpx") if find_spec(name) is None]
        if missing:
            text = f"cell models need {' and '.join(missing)}: pip install 'microtwin[cell]'"
            found.append(Problem(("cell",), text))
        return found

    def _segmentation_problems(self) -> list[Problem]:
        """Return what does not fit between the source, the segmentation and the denoising."""
        part = self.segmentation
        if part is None:
            if not self.from_grey_values:
                return []
            text = (
                "a study that starts from grey values needs the section 'segmentation' with the "
                "names of the phases from dark to bright, for example phases: [pore, active]"
            )
            return [Problem(("segmentation",), text)]
        if not self.from_grey_values:
            text = "there is nothing to segment: the study starts from labels; leave it out"
            return [Problem(("segmentation",), text)]
        found = repeated(("segmentation", "phases"), part.phases)
        if part.fractions is not None and part.laboratory is not None:
            text = "fractions are given, and 'laboratory' gives them too; leave one out"
            found.append(Problem(("segmentation", "laboratory"), text))
        for key, method in (("thresholds", "thresholds"), ("scribbles", "classifier")):
            if getattr(part, key) is not None and part.method != method:
                text = f"'{key}' belongs to method: {method}, and method is {part.method}"
                found.append(Problem(("segmentation", key), text))
        if part.method == "classifier" and part.scribbles is None:
            text = (
                "method: classifier learns from marked voxels; name an image of the same size with "
                "0 for unmarked voxels and 1, 2, ... for the phases, scribbles: marks.tif"
            )
            found.append(Problem(("segmentation", "method"), text))
        if part.thresholds is not None and len(part.thresholds) != len(part.phases) - 1:
            text = f"{len(part.phases)} phases need {len(part.phases) - 1} thresholds between them"
            found.append(Problem(("segmentation", "thresholds"), text))
        if part.thresholds is not None and sorted(set(part.thresholds)) != part.thresholds:
            text = f"thresholds {part.thresholds} must ascend: the phases go from dark to bright"
            found.append(Problem(("segmentation", "thresholds"), text))
        try:
            known_fractions(part.model_dump())
        except ValueError as error:
            key = "fractions" if part.fractions is not None else "laboratory"
            found.append(Problem(("segmentation", key), str(error)))
        if self.denoise is not None and part.method == "posterior":
            text = (
                "method: posterior must see the noise as it is; leave 'denoise' out, or choose "
                "method: thresholds or classifier"
            )
            found.append(Problem(("denoise",), text))
        return found
