"""Write a commented study file for an image."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..imaging import open_volume
from ..microstructure import VoxelSize
from .errors import StudyError

__all__ = [
    "ImageFacts",
    "look_at_image",
    "parse_fractions",
    "parse_phases",
    "scan_study_text",
    "study_text",
]

# More distinct values than this are grey levels, not labels of phases.
MOST_LABELS = 16


@dataclass(frozen=True)
class ImageFacts:
    """What an image file tells: voxels per axis, voxel size if it has one, labels and counts."""

    shape: tuple[int, int, int]
    voxel_size: VoxelSize | None
    counts: Mapping[int, int]


def look_at_image(path: Path) -> ImageFacts:
    """Read the shape, the voxel size and the labels of an image file.

    Raises
    ------
    ValueError
        If the file cannot be read as a volume, or holds grey values instead of labels.
    """
    volume = open_volume(path)
    counts: dict[int, int] = {}
    for layer in range(volume.shape[0]):
        values, numbers = np.unique(volume.read_layers(layer, layer + 1), return_counts=True)
        if values.dtype.kind == "f" or len(counts) > MOST_LABELS:
            raise StudyError(
                f"{path} holds grey values ({volume.dtype}), not labels of phases; start from it "
                "with --scan in the place of --image, and name the phases from dark to bright"
            )
        for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
            counts[int(value)] = counts.get(int(value), 0) + number
    return ImageFacts(volume.shape, volume.voxel_size, dict(sorted(counts.items())))


def parse_phases(items: Sequence[str]) -> dict[str, int]:
    """Return names and labels from words such as "pore=0".

    Raises
    ------
    StudyError
        If a word is not of this form, or a name or a label comes twice.
    """
    phases: dict[str, int] = {}
    for item in items:
        name, equals, label = item.partition("=")
        if not equals or not label.strip().isdigit() or not name.strip():
            raise StudyError(f"--phase {item} is not understood; write name=label, --phase pore=0")
        if name.strip() in phases or int(label) in phases.values():
            raise StudyError(f"--phase {item} repeats a name or a label; give each phase its own")
        phases[name.strip()] = int(label)
    return phases


def parse_fractions(items: Sequence[str], phases: Sequence[str]) -> dict[str, float]:
    """Return known fractions from words such as "pore=0.4"; empty if there are none.

    Raises
    ------
    StudyError
        If a word is not of this form, or the fractions do not fit the phases.
    """
    from ..composition import checked_fractions

    found: dict[str, float] = {}
    for item in items:
        name, _, value = item.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise StudyError(
                f"--fraction {item} is not understood; write name=number, --fraction pore=0.4"
            ) from None
    if not found:
        return found
    try:
        return checked_fractions(found, phases)
    except ValueError as error:
        raise StudyError(f"--fraction: {error}") from None


def study_text(
    name: str, image: str, voxel_size: str | VoxelSize, phases: Mapping[str, int]
) -> str:
    """Return the text of a study of an image of labels, with every section, commented.

    Parameters
    ----------
    name : str
        Title of the study.
    image : str
        Path of the image, relative to the study file.
    voxel_size : str or 3 floats
        As the user wrote it, or metres along (z, y, x).
    phases : mapping of str to int
        Name and label of each phase; the transport of the first is computed.
    """
    lines = "\n".join(f"    {phase}: {label}" for phase, label in phases.items())
    source = _IMAGE.format(image=_quoted(image), voxel_size=_edges(voxel_size), phases=lines)
    return _whole(name, source, next(iter(phases)), segmented=False)


def scan_study_text(
    name: str,
    path: str,
    voxel_size: str | VoxelSize,
    phases: Sequence[str],
    fractions: Mapping[str, float],
    projections: bool = False,
) -> str:
    """Return the text of a study of a grey-scale volume or of projections, commented.

    Parameters
    ----------
    name : str
        Title of the study.
    path : str
        Path of the volume or the projections, relative to the study file.
    voxel_size : str or 3 floats
        As the user wrote it, or metres along (z, y, x); the pixel size for projections.
    phases : sequence of str
        Names of the phases from dark to bright; the transport of the first is computed.
    fractions : mapping of str to float
        Known volume fractions; may be empty.
    projections : bool
        Whether the file holds projections.
    """
    known = ", ".join(f"{phase}: {value:.6g}" for phase, value in fractions.items())
    template = _PROJECTIONS if projections else _SCAN
    source = template.format(path=_quoted(path), voxel_size=_edges(voxel_size))
    source += _SEGMENTATION.format(
        phases=", ".join(phases),
        fractions=f"  fractions: {{{known}}}" if known else f"  # fractions: {{{phases[0]}: 0.4}}",
    )
    return _whole(name, source, phases[0], segmented=True)


def _whole(name: str, source: str, first: str, segmented: bool) -> str:
    extra = "  segmentation: true     # other plausible labels\n" if segmented else ""
    return _TEMPLATE.format(name=_quoted(name), source=source, first=first, extra=extra)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _edges(voxel_size: str | VoxelSize) -> str:
    if isinstance(voxel_size, str):
        parts = [part.strip() for part in voxel_size.split(",")]
        words = [json.dumps(part, ensure_ascii=False) for part in parts]
    else:
        edges = voxel_size[:1] if len(set(voxel_size)) == 1 else voxel_size
        words = [json.dumps(f"{1e9 * edge:.6g} nm") for edge in edges]
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"


_IMAGE = """\
image:
  path: {image}
  # One edge length, or three in the order (z, y, x); z is through-plane.
  voxel_size: {voxel_size}
  # Name and label of every phase in the image.
  phases:
{phases}
  # crop: {{z: [0, 100], y: [0, 100], x: [0, 100]}}   # first voxel and one past the last
  # coarsen: 2                                        # merge 2 x 2 x 2 voxels into one
"""

_SCAN = """\
scan:
  path: {path}
  # One edge length, or three in the order (z, y, x); z is through-plane and the rotation axis.
  voxel_size: {voxel_size}
  # crop: {{z: [0, 100], y: [0, 100], x: [0, 100]}}   # first voxel and one past the last
  # coarsen: 2                                        # average 2 x 2 x 2 voxels
"""

_PROJECTIONS = """\
projections:
  path: {path}
  pixel_size: {voxel_size}
  # angles: [0, 180]     # degrees, where the file does not tell them
  centre: auto           # auto | vo | phase | column of the rotation axis
  stripes: gain          # none | gain | sorting | all
"""

_SEGMENTATION = """
# Artefacts that are looked for and taken away; each can be switched off.
correction:
  drift: true            # gain and offset of the slices
  shading: true          # beam hardening, cupping
  rings: true

segmentation:
  # From dark to bright.
  phases: [{phases}]
  method: posterior      # posterior | thresholds | classifier
  # Known volume fractions; one may be left out, it is the rest.
{fractions}
  fraction_uncertainty: 0.01
"""

_TEMPLATE = """\
name: {name}

{source}
# Tortuosity factor and relative diffusivity D_eff/D_0 of each phase in each direction.
transport:
  phases: [{first}]
  directions: [z, y, x]
  boundary: faces        # faces | periodic | mirror
  interface: smooth      # smooth | voxel (the staircase of other voxel codes)
  tol: 1.0e-4            # allowed spread of the flux between layers

# Full tensor of the effective conductivity; phases without a conductivity are insulating.
# homogenize:
#   conductivities: {{{first}: 1.0}}
#   unit: S/m
#   boundary: periodic

# Impedance in a symmetric cell whose electrodes block: ionic resistance and tortuosity factor.
# impedance:
#   phase: {first}
#   conductivity: 1.0      # of the electrolyte, S/m
#   capacitance: 0.1       # of the double layer, F/m^2

# Butler-Volmer kinetics where active material meets the pores, and hot spots of the reaction.
# reaction:
#   active: {{active: 1.0}}    # exchange current density in A/m^2
#   electrolyte: pore
#   variation: {{deviation: 0.5, correlation_length: 2 um}}

# Viscous flow: permeability; dispersion and breakthrough of a tracer in it; filling by a liquid.
# flow:
#   phase: {first}
#   directions: [z]
#   dispersion: {{peclet: [0, 1, 10]}}
#   breakthrough: {{diffusivity: 1e-9 m^2/s, velocity: 1 m/day}}

# Species that diffuse and react: oxygen in tissue, substrate in biofilm, solutes in rock.
# uptake:
#   species:
#     oxygen: {{diffusivity: {{{first}: 2e-9 m^2/s}}, supply: {{z_high: 0.2 mol/m^3}}}}
#   reactions:
#     - {{where: {first}, of: oxygen, zero_order: 0.03 mol/m^3/s}}
#   viability: {{of: oxygen, phases: [{first}], threshold: 0.01 mol/m^3}}

# Discharge against lithium, resolved on the image (pip install 'microtwin[cell]').
# half_cell:
#   chemistry: Chen2020:positive    # or Chen2020:negative, or a YAML file
#   c_rates: [0.5, 1, 2]
#   impedance: {{stoichiometries: [0.4, 0.6, 0.8]}}    # spectra at rest

# The electrode as parameters of a cell model, and its capacity at several rates.
# cell:
#   base: Chen2020
#   electrode: positive
#   template: my_cell.json    # a BPX file to put the electrode into

# Particles swell by a linear strain; stress, the ligaments that bear most, what fails, stiffness.
# mechanics:
#   materials:
#     active: {{young: 142 GPa, poisson: 0.3}}
#     binder: {{young: 2 GPa, poisson: 0.35}}
#   swelling: {{active: 0.01}}
#   faces: electrode       # electrode | periodic | by name, {{z_low: clamped, z_high: free}}
#   strength:
#     binder: {{tensile: 30 MPa, compressive: 90 MPa}}
#   # along: {{strain: 0.02, reference: 0.9}}    # stress along the discharge of half_cell

# A mesh of tetrahedra, and transport on it beside that on voxels (pip install 'microtwin[mesh]').
# mesh:
#   size: 2.0            # edge of elements at interfaces, in voxels
#   formats: [vtu]       # vtu | vtkhdf | msh | xdmf | inp

# Volume fractions, surfaces, sizes, topology and paths; a list, [surface, chords], for a part.
descriptors: true

# The error budget of each number, and the relative uncertainty from which to warn.
uncertainty:
  discretisation: true
  sampling: true
{extra}  target: 0.05

output:
  fields: true           # potential, flux and dissipation for ParaView (VTKHDF)
  report: true           # report.html
"""
