"""From a virtual scan with known truth to labels: seconds, memory, Dice, fractions, tortuosity.

    python benchmarks/segmentation.py electrode.tif --crop 248 --seeds 20

The image holds the labels 0 pore, 1 active, 2 binder; without one an electrode is generated. Each
seed is another scan of it (other noise, rings and drift). The chain runs in a process of its own,
after a small scan that compiles its kernels, so that seconds and memory are those of the chain.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

import microtwin as mt
from microtwin.imaging import (
    Corrected,
    Scanner,
    alternative_segmentations,
    denoise,
    learn_corrections,
    plausible_segmentation,
    rehearse,
    segment,
    thresholds_for_fractions,
    virtual_scan,
)
from microtwin.trust import segmentation_study

PHASES = ("pore", "binder", "active")  # from dark to bright
ATTENUATION = 25_000.0  # 1/m: about 1.2 through the middle of a 248-voxel cathode of 398 nm
# Moderate artefacts: half a per cent of error of the gains, three per cent of drift, and a
# spectrum that takes an eighth of the contrast away and shades the slices by six per cent of it.
SCANNER = Scanner(
    {"pore": 0.0, "active": ATTENUATION, "binder": 0.25 * ATTENUATION},
    photons=4500,
    blur=0.9,
    spectrum=((0.3, 0.6), (0.4, 1.0), (0.3, 1.5)),
    rings=0.006,
    drift=0.03,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", nargs="?", help="labels 0 pore, 1 active, 2 binder")
    parser.add_argument("--voxel-size", default="398 nm")
    parser.add_argument("--crop", type=int, default=248, help="edge of the cube that is scanned")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--directions", default="zyx")
    parser.add_argument("--others", action="store_true", help="also simpler ways, for comparison")
    parser.add_argument("--chain", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.chain:
        chain(Path(options.chain))
        return
    truth = load(options)
    print(truth)
    print(
        f"{'seed':>4} {'scan':>6} {'chain':>6} {'B/vox':>6} {'pore':>6} {'binder':>6} "
        f"{'active':>6} {'d eps':>7}  tortuosity: error, standard uncertainty, inside 90 %"
    )
    inside = {d: 0 for d in options.directions}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        one_seed(truth, seed, options, inside)
    for d, count in inside.items():
        print(f"{d}: the truth was inside the 90 % interval in {count} of {options.seeds} scans")


def load(options: argparse.Namespace) -> mt.Microstructure:
    labels = {"pore": 0, "active": 1, "binder": 2}
    if options.image:
        micro = mt.read_microstructure(options.image, options.voxel_size, labels)
        span = slice(0, options.crop)
        micro = micro.crop(span, span, span)
    else:
        micro = mt.generation.electrode(
            shape=(options.crop,) * 3,
            voxel_size=398e-9,
            porosity=0.4,
            binder_fraction=0.1,
            particles=mt.generation.ParticleType((8e-6, 2.4e-6)),
        ).micro
    numbers = {micro.label(name): number for number, name in enumerate(PHASES)}
    table = np.zeros(256, np.uint8)
    table[list(numbers)] = list(numbers.values())
    return mt.Microstructure(
        table[micro.labels], micro.voxel_size, {name: k for k, name in enumerate(PHASES)}
    )


def one_seed(truth, seed, options, inside) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        start = time.perf_counter()
        scan = virtual_scan(truth, SCANNER, seed)
        seconds = time.perf_counter() - start
        np.save(place / "scan.npy", scan.values)
        (place / "facts.json").write_text(
            json.dumps({"voxel_size": truth.voxel_size, "fractions": truth.volume_fractions})
        )
        command = [sys.executable, __file__, "--chain", str(place)]
        facts = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        labels = np.load(place / "labels.npy")
        probabilities = np.load(place / "probabilities.npy")
    found = mt.Microstructure(labels, truth.voxel_size, truth.phases, probabilities)
    scores = dice(found.labels, truth.labels)
    print(
        f"{seed:4d} {seconds:6.1f} {facts['seconds']:6.1f} {facts['bytes_per_voxel']:6.1f} "
        + " ".join(f"{scores[name]:6.4f}" for name in PHASES)
        + f" {100 * (found.volume_fraction('pore') - truth.volume_fraction('pore')):+6.2f}%",
        end="  ",
        flush=True,
    )
    model = mt.imaging.GreyModel(**facts["model"])
    corrected = Corrected(scan, learn_corrections(scan, len(PHASES)))
    tortuosities = study(corrected, found, model, options.directions)
    for d in options.directions:
        tau = tortuosity(truth, d)
        part = tortuosities[f"tau/{d}"]
        error = part.whole / tau - 1
        hit = abs(part.whole - tau) <= 1.645 * part.uncertainty
        inside[d] += hit
        print(
            f"{d} {100 * error:+.1f} {100 * part.uncertainty / part.whole:.1f} % "
            f"{'yes' if hit else 'no '}",
            end="  ",
            flush=True,
        )
    print("| " + ", ".join(f"{name} {value:.1f} s" for name, value in facts["steps"].items()))
    if options.others:
        simpler_ways(scan, truth, options.directions)


def chain(place: Path) -> None:
    """Correct and segment the scan in a folder; print what it took."""
    facts = json.loads((place / "facts.json").read_text())
    values, size = np.load(place / "scan.npy"), facts["voxel_size"]
    fractions = facts["fractions"]
    warm = mt.Scan(np.ascontiguousarray(values[:40, :64, :64]), size)
    segment(Corrected(warm, learn_corrections(warm, 3)), size, PHASES, fractions=fractions)
    scan = mt.Scan(values, size)
    peak = PeakMemory()
    steps = {}
    start = time.perf_counter()
    corrections = learn_corrections(scan, len(PHASES))
    steps["corrections"] = time.perf_counter() - start
    found = segment(Corrected(scan, corrections), size, PHASES, fractions=fractions)
    seconds = time.perf_counter() - start
    steps["segmentation"] = seconds - steps["corrections"]
    extra = peak.stop()
    np.save(place / "labels.npy", found.microstructure.labels)
    np.save(place / "probabilities.npy", found.microstructure.probabilities)
    json.dump(
        {
            "seconds": seconds,
            "steps": steps,
            "bytes_per_voxel": extra / values.size,
            "model": vars(found.model),
        },
        sys.stdout,
    )


class PeakMemory:
    """Watches how far the memory of this process rises above where it was."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._before = self._process.memory_info().rss
        self._peak = self._before
        self._going = True
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while self._going:
            self._peak = max(self._peak, self._process.memory_info().rss)
            time.sleep(0.005)

    def stop(self) -> int:
        """Return the bytes above the start."""
        self._going = False
        self._thread.join()
        return self._peak - self._before


def study(scan, found: mt.Microstructure, model, directions: str):
    quantities = segmentation_study(
        found,
        lambda micro: {f"tau/{d}": tortuosity(micro, d) for d in directions},
        lambda seed: plausible_segmentation(
            found, seed, correlation=model.blur, fraction_uncertainty=0.01
        ),
        rehearsals=(rehearse(found, model, seed) for seed in range(2)),
        alternatives=alternative_segmentations(scan, found, model),
        kind=lambda name: "tau",
    )
    return quantities.quantities


def simpler_ways(scan: mt.Scan, truth: mt.Microstructure, directions: str) -> None:
    """Thresholds on the scan as it is, corrected, and denoised; with the known fractions."""
    corrected = Corrected(scan, learn_corrections(scan, len(PHASES)))
    ways = {
        "thresholds, as measured": lambda: scan,
        "thresholds, corrected": lambda: corrected,
        "thresholds, corrected, curvature": lambda: denoise(corrected),
        "thresholds, corrected, total variation": lambda: denoise(corrected, "total variation"),
    }
    for name, make in ways.items():
        start = time.perf_counter()
        volume = make()
        values = volume.read_layers(0, truth.shape[0])
        limits = thresholds_for_fractions(volume, truth.volume_fractions).values
        labels = np.searchsorted(limits, values).astype(np.uint8)
        seconds = time.perf_counter() - start
        micro = mt.Microstructure(labels, truth.voxel_size, truth.phases)
        scores = dice(labels, truth.labels)
        errors = [tortuosity(micro, d) / tortuosity(truth, d) - 1 for d in directions]
        print(
            f"     {name:40} {seconds:5.1f} s  "
            + " ".join(f"{scores[phase]:.4f}" for phase in PHASES)
            + "  tortuosity "
            + " ".join(f"{100 * error:+.1f}" for error in errors)
            + " %"
        )


def tortuosity(micro: mt.Microstructure, direction: str) -> float:
    return mt.transport.tortuosity_factor(
        micro, "pore", direction=direction, tol=1e-3
    ).tortuosity_factor


def dice(labels: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return the Dice coefficient of each phase: twice the overlap over the sum of the sizes."""
    scores = {}
    for number, name in enumerate(PHASES):
        ours, theirs = labels == number, truth == number
        scores[name] = float(2 * np.sum(ours & theirs) / (ours.sum() + theirs.sum()))
    return scores


if __name__ == "__main__":
    main()
