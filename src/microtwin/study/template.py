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

__all__ = ["ImageFacts", "look_at_image", "parse_phases", "study_text"]

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
                f"{path} holds grey values ({volume.dtype}), not labels of phases; segment it first"
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


def study_text(
    name: str, image: str, voxel_size: str | VoxelSize, phases: Mapping[str, int]
) -> str:
    """Return the text of a study file with every section, commented.

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
    first = next(iter(phases))
    lines = "\n".join(f"    {phase}: {label}" for phase, label in phases.items())
    return _TEMPLATE.format(
        name=json.dumps(name, ensure_ascii=False),
        image=json.dumps(image, ensure_ascii=False),
        voxel_size=_edges(voxel_size),
        phases=lines,
        first=first,
    )


def _edges(voxel_size: str | VoxelSize) -> str:
    if isinstance(voxel_size, str):
        parts = [part.strip() for part in voxel_size.split(",")]
        words = [json.dumps(part, ensure_ascii=False) for part in parts]
    else:
        edges = voxel_size[:1] if len(set(voxel_size)) == 1 else voxel_size
        words = [json.dumps(f"{1e9 * edge:.6g} nm") for edge in edges]
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"


_TEMPLATE = """\
name: {name}

image:
  path: {image}
  # One edge length, or three in the order (z, y, x); z is through-plane.
  voxel_size: {voxel_size}
  # Name and label of every phase in the image.
  phases:
{phases}
  # crop: {{z: [0, 100], y: [0, 100], x: [0, 100]}}   # first voxel and one past the last
  # coarsen: 2                                        # merge 2 x 2 x 2 voxels into one

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

# Volume fractions, specific surface and other descriptors of the image.
descriptors: true

# The error budget of each number, and the relative uncertainty from which to warn.
uncertainty:
  discretisation: true
  sampling: true
  target: 0.05

output:
  fields: true           # potential, flux and dissipation for ParaView (VTKHDF)
  report: true           # report.html
"""
