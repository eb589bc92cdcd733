"""The stages from projections or grey values to labels.

The volume itself is stored once at most (a reconstruction): corrections are stored as the numbers
that describe them and applied again where layers are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..microstructure import AXES, Microstructure, VoxelSize
from .errors import StudyError
from .stages import Params, check
from .store import Entry, StageOutput
from .tasks import Inputs

if TYPE_CHECKING:
    from ..imaging import Corrections, GreyModel, Segmentation
    from ..imaging.layers import Layers

__all__ = ["correct", "grey_model_of", "label", "prepared_volumes", "reconstruct"]

# A volume that takes less than this share of the free memory is read once and kept.
_KEPT = 0.25
_HISTOGRAM_BINS = 256
# Labels whose fractions differ by more from the known ones could not be made to agree with them.
_MISSED = 0.005


def reconstruct(params: Params, inputs: Inputs) -> StageOutput:
    """Reconstruct a volume from projections."""
    from ..imaging import read_projections
    from ..imaging import reconstruct as solve

    angles = params["angles"]
    projections = read_projections(
        inputs.sources["projections"],
        pixel_size=params["pixel_size"],
        angles=None if angles is None else np.deg2rad(angles),
        detector=params["detector"],
        dataset=params["dataset"],
    )
    names = ("centre", "stripes", "air", "extended", "region", "filter")
    found = solve(projections, **{name: params[name] for name in names})
    numbers: dict[str, Any] = {
        name: value for name, value in vars(found).items() if isinstance(value, int | float | str)
    }
    numbers |= {
        "stripe_energy": found.stripe_energy,
        "shape": found.scan.shape,
        "voxel_size": found.scan.voxel_size,
        "summary": found.summary(),
    }
    arrays = {"values": found.scan.values, "picture": _middle(found.scan)}
    return StageOutput(numbers, arrays)


def correct(params: Params, inputs: Inputs) -> StageOutput:
    """Find the artefacts of a scan; keep a picture of the middle slice after each step."""
    from ..imaging import learn_corrections
    from ..imaging.artefacts.corrections import STEPS

    volume, voxel_size = _volume(params, inputs)
    steps = [step for step in STEPS if step in params["steps"]]
    numbers: dict[str, Any] = {
        "shape": volume.shape,
        "voxel_size": voxel_size,
        "steps": steps,
    }
    arrays = {"picture": _middle(volume)}
    if not steps:
        return StageOutput(numbers, arrays)
    centre = params["centre"]
    found = learn_corrections(
        volume, params["classes"], steps=steps, centre=None if centre is None else tuple(centre)
    )
    numbers |= {
        "means": found.means,
        "noise": found.noise,
        "split": found.rings.split,
        "centre": found.rings.centre,
        "share": found.share,
        "note": found.note,
        "sizes": {
            "drift": found.drift_size,
            "shading": found.shading_size(volume.shape[1:]),
            "rings": found.rings.size,
        },
    }
    fields = ("gain", "offset", "shading_gain", "shading_offset")
    arrays |= {name: getattr(found, name) for name in fields}
    arrays |= {"rings": found.rings.profiles, "rings_core": found.rings.core}
    middle = volume.shape[0] // 2
    raw = volume.read_layers(middle, middle + 1).astype(np.float32)
    for number, step in enumerate(steps):
        arrays[f"picture_{step}"] = found.apply(raw, middle, steps[: number + 1])[0]
    return StageOutput(numbers, arrays)


def _corrections_of(entry: Entry) -> Corrections | None:
    from ..imaging import Corrections, Rings

    numbers = entry.numbers
    if not numbers["steps"]:
        return None
    return Corrections(
        means=tuple(numbers["means"]),
        noise=numbers["noise"],
        share=numbers["share"],
        note=numbers["note"],
        gain=entry.array("gain"),
        offset=entry.array("offset"),
        shading_gain=entry.array("shading_gain"),
        shading_offset=entry.array("shading_offset"),
        rings=Rings(
            entry.array("rings"),
            numbers["split"],
            tuple(numbers["centre"]),
            entry.array("rings_core"),
        ),
    )


def prepared_volumes(params: Params, inputs: Inputs) -> tuple[Layers, Layers, Layers, VoxelSize]:
    """Return the scan as it was read, corrected, and denoised; and its voxel size."""
    from ..imaging import Corrected, denoise

    volume, voxel_size = _volume(params["scan"], inputs)
    corrections = _corrections_of(inputs["correction"])
    corrected: Layers = volume if corrections is None else Corrected(volume, corrections)
    smooth = corrected
    if params["denoise"] is not None:
        smooth = denoise(corrected, **params["denoise"])
    return volume, corrected, smooth, voxel_size


def label(params: Params, inputs: Inputs) -> StageOutput:
    """Label a corrected scan; judge the labels."""
    from ..imaging import assess_quality

    volume, corrected, smooth, voxel_size = prepared_volumes(params, inputs)
    # The middle layer before and after, and what the labels are made from.
    arrays = {"picture": _middle(corrected)}
    if smooth is not corrected:
        arrays["picture_denoised"] = _middle(smooth)
    known = params["fractions"]
    method = _METHODS[params["method"]]
    micro, numbers = method(smooth, voxel_size, params, inputs)
    model = numbers.get("model")
    quality = assess_quality(
        corrected,
        micro,
        raw=volume,
        blur=None if model is None else model["blur"],
        # A grey value that follows from the balance leaves nothing to compare.
        known_fractions=None if "balance" in numbers.get("origins", ()) else known,
        grey_values=None if model is None else dict(zip(micro.phases, model["means"], strict=True)),
        ambiguous=numbers["ambiguous"],
    )
    counts, edges = _histogram(smooth)
    middle = micro.shape[0] // 2
    arrays |= {
        "labels": micro.labels,
        "histogram": counts,
        "histogram_edges": edges,
        "picture_labels": micro.labels[middle],
    }
    if micro.probabilities is not None:
        arrays["probabilities"] = micro.probabilities
        arrays["picture_certainty"] = micro.probabilities[:, middle].max(axis=0)
    numbers |= {
        "shape": micro.shape,
        "voxel_size": micro.voxel_size,
        "extent": micro.extent,
        "phases": dict(micro.phases),
        "volume_fractions": micro.volume_fractions,
        "known_fractions": known,
        "fraction_uncertainty": params["fraction_uncertainty"],
        "method": params["method"],
        "denoise": params["denoise"],
        "quality": asdict(quality),
    }
    checks = [check(*found) for found in quality.checks()]
    if known is not None:
        missed = max(abs(micro.volume_fraction(name) - value) for name, value in known.items())
        met = missed <= _MISSED
        checks.append(check("known_fractions_met", missed, _MISSED, "pass" if met else "warn"))
    return StageOutput(numbers, arrays, checks=checks)


Found = tuple[Microstructure, dict[str, Any]]


def _by_posterior(volume: Layers, voxel_size: VoxelSize, params: Params, inputs: Inputs) -> Found:
    from ..imaging import inverted_contrast, segment

    phases, known = params["phases"], params["fractions"]
    found: Segmentation = segment(volume, voxel_size, phases, fractions=known, seed=params["seed"])
    notes = []
    if len(found.levels.peaks) > len(phases):
        peaks = ", ".join(f"{peak:.4g}" for peak in found.levels.peaks)
        notes.append(
            f"the grey values away from interfaces have {len(found.levels.peaks)} peaks ({peaks}), "
            f"and {len(phases)} phases are named; name the others too if they are materials"
        )
    origins = dict(zip(phases, found.levels.origins, strict=True))
    guessed = [name for name, origin in origins.items() if origin == "classes"]
    if guessed:
        notes.append(
            f"{', '.join(guessed)} cannot be seen away from interfaces, so the grey value is a "
            "guess that interfaces distort, and so are the labels; scan with finer voxels, or give "
            "known fractions if it is one phase only"
        )
    for name, origin in origins.items():
        if origin == "balance":
            notes.append(
                f"{name} cannot be seen away from interfaces; its grey value follows from the mean "
                "of the scan and the known fractions"
            )
    if known is not None:
        notes.append(inverted_contrast(volume, known) or "")
    numbers = {
        "model": asdict(found.model),
        "origins": found.levels.origins,
        "found_fractions": found.found_fractions,
        "ambiguous": found.ambiguous,
        "note": "; ".join(filter(None, notes)),
    }
    return found.microstructure, numbers


def _by_thresholds(volume: Layers, voxel_size: VoxelSize, params: Params, inputs: Inputs) -> Found:
    from ..imaging import find_thresholds, inverted_contrast, thresholds_for_fractions

    phases, known = params["phases"], params["fractions"]
    free = find_thresholds(volume, len(phases))
    note = ""
    if params["thresholds"] is not None:
        values = tuple(params["thresholds"])
    elif known is not None:
        chosen = thresholds_for_fractions(volume, {name: known[name] for name in phases})
        values, note = chosen.values, chosen.note
        note = "; ".join(filter(None, [note, inverted_contrast(volume, known) or ""]))
    else:
        values = free.values
    labels = np.empty(volume.shape, np.uint8)
    for start in range(0, volume.shape[0], _THIN):
        stop = min(start + _THIN, volume.shape[0])
        labels[start:stop] = np.searchsorted(values, volume.read_layers(start, stop))
    names = {name: number for number, name in enumerate(phases)}
    numbers = {
        "thresholds": values,
        "found_fractions": dict(zip(phases, free.fractions, strict=True)),
        "ambiguous": None,
        "note": note,
    }
    return Microstructure(labels, voxel_size, names), numbers


_THIN = 16


def _by_classifier(volume: Layers, voxel_size: VoxelSize, params: Params, inputs: Inputs) -> Found:
    from ..imaging import classify, open_volume, train_classifier
    from ..microstructure import Scan

    marks = open_volume(inputs.sources["scribbles"])
    scribbles = marks.read_layers(0, marks.shape[0])
    scan = Scan(volume.read_layers(0, volume.shape[0]), voxel_size)
    classifier = train_classifier(scan, scribbles, params["phases"], seed=params["seed"])
    plain = classify(scan, classifier)
    found = plain.volume_fractions
    micro = (
        plain if params["fractions"] is None else classify(scan, classifier, params["fractions"])
    )
    assert micro.probabilities is not None
    unsure = float(np.mean(micro.probabilities.max(axis=0) < 0.9 * 255))
    return micro, {"found_fractions": found, "ambiguous": unsure, "note": ""}


_METHODS = {
    "posterior": _by_posterior,
    "thresholds": _by_thresholds,
    "classifier": _by_classifier,
}


def grey_model_of(numbers: Mapping[str, Any]) -> GreyModel | None:
    """Return the model that a segmentation was made with, from the data of its stage."""
    from ..imaging import GreyModel

    model = numbers.get("model")
    if model is None:
        return None
    coupling = tuple(tuple(row) for row in model["coupling"])
    return GreyModel(
        tuple(model["means"]),
        model["noise"],
        tuple(model["blur"]),
        coupling,
        tuple(model["field"]),
        tuple(model["mean_uncertainties"]),
    )


def _volume(params: Params, inputs: Inputs) -> tuple[Layers, VoxelSize]:
    """Return the scan of a study, in memory or in its file, and its voxel size."""
    from ..imaging import open_volume, read_scan
    from ..microstructure import Scan

    if "reconstruction" in inputs.entries:
        entry = inputs["reconstruction"]
        return Scan(entry.array("values"), entry.numbers["voxel_size"]), entry.numbers["voxel_size"]
    path = inputs.sources["scan"]
    size = tuple(params["voxel_size"])
    if params["coarsen"] > 1 and not params["crop"]:
        # Coarsened while it is read, a large scan never is in memory at full resolution.
        whole = read_scan(path, size, dataset=params["dataset"], coarsen=params["coarsen"])
        return whole, whole.voxel_size
    stored = _Cropped(open_volume(path, dataset=params["dataset"]), params["crop"] or {})
    if params["coarsen"] > 1:
        whole = Scan(stored.read_layers(0, stored.shape[0]), size).coarsen(params["coarsen"])
        return whole, whole.voxel_size
    if stored.bytes < _KEPT * _free_memory():
        return Scan(stored.read_layers(0, stored.shape[0]), size), (size[0], size[1], size[2])
    return stored, (size[0], size[1], size[2])


class _Cropped:
    """A part of a volume in a file, whose layers are looked at for NaN when they are read."""

    def __init__(self, volume: Any, spans: Mapping[str, Any]) -> None:
        self._volume = volume
        self._spans = []
        for axis, size in zip(AXES, volume.shape, strict=True):
            start, stop = spans.get(axis) or (0, size)
            if stop > size:
                raise StudyError(
                    f"scan.crop.{axis} ends at voxel {stop}, but the scan has {size} voxels along "
                    f"{axis}; write an end of at most {size}"
                )
            self._spans.append((start, stop))

    @property
    def shape(self) -> tuple[int, int, int]:
        nz, ny, nx = (stop - start for start, stop in self._spans)
        return nz, ny, nx

    @property
    def bytes(self) -> int:
        """Size of the part in memory."""
        return int(np.prod(self.shape)) * self._volume.dtype.itemsize

    def read_layers(self, start: int, stop: int) -> NDArray:
        z, y, x = self._spans
        values = self._volume.read_layers(z[0] + start, z[0] + stop)[:, y[0] : y[1], x[0] : x[1]]
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise StudyError(
                f"layers {z[0] + start} to {z[0] + stop - 1} of the scan hold NaN or infinite "
                "values; crop them away or fill them in"
            )
        return values


def _free_memory() -> int:
    import psutil

    return int(psutil.virtual_memory().available)


def _middle(volume: Layers) -> NDArray:
    middle = volume.shape[0] // 2
    return np.asarray(volume.read_layers(middle, middle + 1)[0])


def _histogram(volume: Layers) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count the grey values of blocks that are spread over the volume."""
    from ..imaging.layers import sampled_blocks

    values = np.concatenate([b.ravel() for b in sampled_blocks(volume, 2_000_000, (12, 1, 1))])
    ends = np.quantile(values, (1e-4, 1 - 1e-4))
    return np.histogram(values, _HISTOGRAM_BINS, (ends[0], ends[1]))
