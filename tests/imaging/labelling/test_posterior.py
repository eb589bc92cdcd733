from __future__ import annotations

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from microtwin.imaging.labelling.posterior import GreyModel, LabelSampler
from microtwin.imaging.labelling.response import blurred, response
from phases_in_a_scan import model_of, scanned, spheres

WEIGHTS = {1: 1.0, 2: 1 / np.sqrt(2), 3: 1 / np.sqrt(3)}


def response_matrix(shape, blur):
    """The blur as a matrix, mirrored at the border, cut off like that of the sampler."""
    weights, reach = response(blur)
    radius = weights.shape[1] // 2
    places = list(np.ndindex(shape))
    matrix = np.zeros((len(places), len(places)))
    for row, target in enumerate(places):
        for column, source in enumerate(places):
            offset = [t - s for t, s in zip(target, source, strict=True)]
            if max(map(abs, offset[:2])) > radius:
                continue
            if abs(offset[2]) > reach[offset[0] + radius, offset[1] + radius]:
                continue
            product = 1.0
            for t, s, n, along in zip(target, source, shape, weights, strict=True):
                images = [s + 2 * n * k for k in range(-9, 10)]
                images += [-1 - s + 2 * n * k for k in range(-9, 10)]
                product *= sum(along[radius + t - i] for i in images if abs(t - i) <= radius)
            matrix[row, column] = product
    return matrix


def energy(labels, values, model, response):
    """The definition: the blur as a matrix, pairs of neighbours one by one."""
    means = np.array(model.means)
    left = values.ravel() - response @ means[labels.ravel()]
    total = np.sum(left**2) / (2 * model.noise**2) - np.sum(np.array(model.field)[labels])
    places = list(np.ndindex(labels.shape))
    for a, b in itertools.combinations(places, 2):
        offset = np.abs(np.subtract(a, b))
        if offset.max() == 1:
            total += model.coupling[labels[a]][labels[b]] * WEIGHTS[int(offset.sum())]
    return total


@pytest.mark.parametrize(
    ("shape", "means", "field"),
    [((2, 2, 3), (0.0, 1.0), (0.0, 0.3)), ((1, 2, 3), (0.0, 0.6, 1.0), (0.2, 0.0, -0.1))],
)
def test_the_sampler_draws_from_the_posterior(shape, means, field):
    model = model_of(means, noise=0.6, blur=(0.5, 0.7, 0.9), coupling=0.3, field=field)
    values = np.random.default_rng(4).uniform(0, 1, shape).astype(np.float32)
    count = int(np.prod(shape))
    states = np.array(list(itertools.product(range(len(means)), repeat=count)), np.uint8)
    response = response_matrix(shape, model.blur)
    energies = np.array([energy(s.reshape(shape), values, model, response) for s in states])
    weight = np.exp(energies.min() - energies)
    weight /= weight.sum()
    exact = np.array([(weight[:, None] * (states == p)).sum(0) for p in range(len(means))])
    sampler = LabelSampler(values, np.zeros(shape, np.uint8), model, seed=3)
    for _ in range(20):
        sampler.draw(everywhere=True)
    draws = 3000
    seen = np.zeros(exact.shape)
    for _ in range(draws):
        sampler.draw(everywhere=True)
        seen += sampler.labels.ravel() == np.arange(len(means))[:, None]
    # Standard deviation 0.5 / sqrt(3000) of independent draws, three times of it for the worst of
    # all, and twice more for draws that follow each other.
    assert_allclose(seen / draws, exact, atol=0.05)
    # Conditional probabilities, averaged, are the same with less scatter. The sums have 16 bits.
    total = np.zeros(exact.shape)
    for turn in range(4):
        counted = LabelSampler(values, sampler.labels.copy(), model, seed=10 + turn)
        for _ in range(500):
            counted.draw(everywhere=True, weight=130)
        total += counted.sums.reshape(exact.shape)
    # Shares of 130 are rounded to whole numbers.
    assert_allclose(total / total.sum(axis=0), exact, atol=0.03)


def test_one_conditional_probability():
    # One draw at one voxel whose neighbours are known: the first one that a sweep visits.
    model = model_of((0.0, 1.0), noise=0.4, blur=0.9, coupling=0.35, field=(0.1, -0.1))
    labels = spheres((3, 4, 5), 2, width=1.0)
    values = np.random.default_rng(0).uniform(0, 1, labels.shape).astype(np.float32)
    energies = []
    for number in (0, 1):
        changed = labels.copy()
        changed[0, 0, 0] = number
        energies.append(energy(changed, values, model, response_matrix(labels.shape, 0.9)))
    sampler = LabelSampler(values, labels.copy(), model)
    sampler.draw(everywhere=True, weight=60_000)
    expected = 1 / (1 + np.exp(energies[0] - energies[1]))
    # Energies are differences of sums in single precision.
    assert sampler.sums[0, 0, 0, 0] / 60_000 == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("shape", "blur"),
    [
        ((20, 18, 22), 1.0),
        ((40, 30, 30), 2.3),
        ((2, 9, 30), 1.4),
        ((5, 3, 4), 2.0),
        ((2, 2, 2), 0.3),
        ((24, 20, 22), (0.6, 1.3, 1.9)),
        ((20, 24, 22), (1.7, 1.1, 0.4)),
    ],
)
def test_the_residual_is_kept_up_to_date(shape, blur):
    labels = np.random.default_rng(0).integers(0, 3, shape).astype(np.uint8)
    model = model_of((0.0, 1.0, 3.0), blur=blur)
    values = scanned(labels, model)
    sampler = LabelSampler(values, labels.copy(), model)
    for _ in range(3):
        sampler.draw(everywhere=True)
    kept = sampler.residuals.copy()
    assert (sampler.labels != labels).any()
    sampler.use(model)
    # Sums of some hundred numbers in single precision.
    assert_allclose(kept, sampler.residuals, atol=2e-5)


def test_the_residual_is_that_of_the_blurred_picture():
    labels = spheres((14, 15, 16), 2)
    model = model_of((2.0, 5.0), blur=1.1)
    values = scanned(labels, model)
    sampler = LabelSampler(values, labels, model)
    expected = values - blurred(np.array(model.means)[labels], model.blur)
    # The response is followed in a ball: less than 0.5 % of it lies in the corners of the cube,
    # which half of the contrast is multiplied with.
    assert_allclose(sampler.residuals, expected, atol=0.005 * 1.5)


def test_labels_do_not_depend_on_the_grey_scale():
    labels = spheres((20, 24, 24))
    model = model_of((0.0, 1.0, 2.0), noise=0.7)
    values = scanned(labels, model)
    drawn = []
    for scale, offset in ((1.0, 0.0), (256.0, 30_000.0), (4.0, -7.0)):
        other = GreyModel(
            tuple(scale * m + offset for m in model.means),
            scale * model.noise,
            model.blur,
            model.coupling,
            model.field,
        )
        sampler = LabelSampler((scale * values + offset).astype(np.float32), labels.copy(), other)
        for _ in range(3):
            sampler.draw()
        drawn.append(sampler.labels)
    # The random numbers are the same; a rounded residual may turn a draw here and there.
    for other in drawn[1:]:
        assert np.mean(other != drawn[0]) < 1e-3


def test_labels_that_agree_with_their_neighbours_are_left_alone():
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:, :, 4:] = 1
    model = model_of((0.0, 0.1), noise=10.0, coupling=0.1)
    values = np.zeros(labels.shape, np.float32)
    sampler = LabelSampler(values, labels.copy(), model)
    sampler.draw(weight=100)
    assert_array_equal(sampler.sums[0, :, :, :3], 100)
    assert 0 < sampler.sums[0, 4, 4, 3] < 100
    everywhere = LabelSampler(values, labels.copy(), model)
    everywhere.draw(everywhere=True, weight=100)
    assert (everywhere.sums[0, :, :, :3] < 100).all()


SCRIPT = """
import numpy as np, zlib
from microtwin.imaging.labelling.posterior import GreyModel, LabelSampler
labels = np.random.default_rng(0).integers(0, 2, (70, 20, 20)).astype(np.uint8)
values = np.random.default_rng(1).uniform(0, 1, labels.shape).astype(np.float32)
model = GreyModel((0.0, 1.0), 0.4, 1.2, ((0.0, 0.4), (0.4, 0.0)), (0.0, 0.1))
sampler = LabelSampler(values, labels, model, seed=5)
for _ in range(4):
    sampler.draw(weight=1000)
print(zlib.crc32(sampler.labels.tobytes() + sampler.sums.tobytes()))
"""


def test_bits_do_not_depend_on_the_number_of_threads():
    printed = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "MICROTWIN_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "3")
    }
    assert len(printed) == 1


def test_several_callers_at_once_do_not_disturb_each_other():
    labels = spheres((40, 20, 20), 2)
    model = model_of((0.0, 1.0))
    values = scanned(labels, model)

    def drawn(seed):
        sampler = LabelSampler(values, labels.copy(), model, seed)
        for _ in range(3):
            sampler.draw()
        return sampler.labels

    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(drawn, [1, 2, 1, 2]))
    assert_array_equal(together[0], drawn(1))
    assert_array_equal(together[0], together[2])
    assert_array_equal(together[1], together[3])
    assert (together[0] != together[1]).any()
