"""Label a noisy scan from a few marked voxels, with and without known fractions."""

import numpy as np

import microtwin as mt
from microtwin.imaging import Scanner, classify, train_classifier, virtual_scan

# A scan made in the computer, so that the truth is known.
truth = mt.generation.electrode(
    64, particles=mt.generation.ParticleType((5e-6, 1.5e-6)), seed=3
).micro
scanner = Scanner({"pore": 0, "active": 6000, "binder": 2000}, photons=3e4, blur=0.9)
scan = virtual_scan(truth, scanner, seed=1)

# As many marks of each phase, in strokes: a person does not mark phases in proportion.
generator = np.random.default_rng(0)
scribbles = np.zeros(scan.shape, np.uint8)
for number, phase in enumerate(truth.phases, start=1):
    inside = truth.mask(phase)
    for z, y, x in generator.permutation(np.argwhere(inside))[:80]:
        stroke = np.arange(max(y - 8, 0), min(y + 8, 64))
        stroke = stroke[inside[z, stroke, x]]
        scribbles[z, stroke, x] = number

classifier = train_classifier(scan, scribbles, truth.phase_names)
print(f"{sum(classifier.marked.values())} voxels marked, {100 * classifier.accuracy:.0f} % right")

plain = classify(scan, classifier)
known = classify(scan, classifier, truth.volume_fractions)
for name, micro in (("equal priors", plain), ("known fractions", known)):
    right = np.mean(micro.labels == truth.labels)
    print(f"{name:>15}: {100 * right:.1f} % right, {micro}")

assert plain.volume_fraction("binder") > 1.3 * truth.volume_fraction("binder")
assert abs(known.volume_fraction("binder") - truth.volume_fraction("binder")) < 0.001
right = [np.mean(micro.labels == truth.labels) for micro in (plain, known)]
assert right[1] > max(right[0] + 0.01, 0.9)
