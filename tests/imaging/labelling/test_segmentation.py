from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from microtwin import Microstructure, Scan
from microtwin.generation import electrode, gaussian_field
from microtwin.imaging import (
    Scanner,
    label_by_thresholds,
    segment,
    thresholds_for_fractions,
    virtual_scan,
)
from microtwin.imaging.labelling.posterior import GreyModel
from microtwin.imaging.labelling.response import blurred
from microtwin.imaging.labelling.segmentation import (
    label_voxels,
    phase_probabilities,
    weights_for_fractions,
)

PHASES = ("pore", "binder", "active")
ATTENUATION = {"pore": 0.0, "binder": 2.0e4, "active": 4.0e4}


def dice(found, truth, phase):
    one, other = found.mask(phase), truth.mask(phase)
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def two_phases(shape=(48, 48, 48), noise=0.3, seed=0):
    """A thresholded Gaussian field, and a blurred noisy picture of it."""
    micro = gaussian_field(shape, 4.0, 0.4, seed=seed)
    labels = (micro.labels != micro.label("pore")).astype(np.uint8)
    truth = Microstructure(labels, 1e-6, {"pore": 0, "active": 1})
    values = blurred(labels.astype(np.float32), 0.9)
    return truth, values + noise * np.random.default_rng(seed).standard_normal(shape)


def scan_of(values, dtype=np.float32):
    return Scan(np.asarray(values).astype(dtype), 1e-6)


@pytest.fixture(scope="module")
def cell():
    """An electrode of three phases and its virtual scan."""
    truth = electrode((56, 64, 64), 0.4e-6, seed=2).micro
    scan = virtual_scan(truth, Scanner(ATTENUATION, photons=3e4, blur=0.8), seed=1)
    return truth, scan


@pytest.fixture(scope="module")
def labelled(cell):
    truth, scan = cell
    return segment(scan, 0.4e-6, PHASES, fractions=truth.volume_fractions, seed=3)


def test_labels_are_better_than_calibrated_thresholds(cell, labelled):
    truth, scan = cell
    fractions = {name: truth.volume_fractions[name] for name in PHASES}
    plain = label_by_thresholds(scan, thresholds_for_fractions(scan, fractions), PHASES)
    for name in PHASES:
        # Where thresholds see a film of binder around all particles, the blur explains it. How many
        # errors fewer there are depends a little on how the processor rounds.
        left = 1.0 - dice(labelled.microstructure, truth, name)
        assert left < 0.85 * (1.0 - dice(plain, truth, name))


def test_known_fractions_are_met(cell, labelled):
    truth, _ = cell
    micro = labelled.microstructure
    for name, fraction in truth.volume_fractions.items():
        assert micro.volume_fraction(name) == pytest.approx(fraction, abs=0.002)
        # The probabilities have them on average, within what their rounding to 1/255 adds.
        assert micro.probability(name).mean() == pytest.approx(fraction, abs=0.002)
        assert labelled.known_fractions[name] == pytest.approx(fraction)
    assert sum(labelled.found_fractions.values()) == pytest.approx(1)


def test_probabilities_are_right_as_often_as_they_say(cell, labelled):
    truth, _ = cell
    micro = labelled.microstructure
    for name in ("pore", "active"):
        probable, right = micro.probability(name), truth.mask(name)
        for low in (0.1, 0.3, 0.5, 0.7):
            chosen = (probable >= low) & (probable < low + 0.2)
            # The mean of those within a fifth; thousands of voxels.
            assert chosen.sum() > 300
            assert right[chosen].mean() == pytest.approx(probable[chosen].mean(), abs=0.15)


def test_what_a_segmentation_tells(cell, labelled):
    _, scan = cell
    micro = labelled.microstructure
    assert dict(micro.phases) == {"pore": 0, "binder": 1, "active": 2}
    assert micro.voxel_size == scan.voxel_size
    assert_array_equal(micro.probabilities.sum(axis=0, dtype=int), 255)
    assert 0 < labelled.ambiguous < 0.4
    least = micro.probabilities.max(axis=0) < 230
    assert labelled.ambiguous == pytest.approx(least.mean())
    assert 0.5 < min(labelled.model.blur) <= max(labelled.model.blur) < 1.3


def test_two_phases_with_and_without_known_fractions():
    truth, values = two_phases()
    for known in (truth.volume_fractions, None):
        found = segment(scan_of(values), 1e-6, ("pore", "active"), fractions=known)
        micro = found.microstructure
        assert dice(micro, truth, "active") > 0.95
        if known is None:
            assert found.known_fractions is None
            # Nothing is made to agree: what the grey values say.
            assert found.found_fractions == pytest.approx(micro.volume_fractions, abs=1e-3)
            assert micro.volume_fraction("pore") == pytest.approx(0.4, abs=0.02)
        # Voxels of a probability of about p are right in a share p.
        probable, right = micro.probability("active"), truth.mask("active")
        for low in (0.05, 0.2, 0.4, 0.6, 0.8):
            chosen = (probable >= low) & (probable < low + 0.15)
            assert right[chosen].mean() == pytest.approx(probable[chosen].mean(), abs=0.1)


def test_the_same_seed_gives_the_same_bits():
    _, values = two_phases((20, 24, 24))
    one, again, other = (
        segment(scan_of(values), 1e-6, ("pore", "active"), seed=seed) for seed in (1, 1, 2)
    )
    assert one.model == again.model
    assert_array_equal(one.microstructure.probabilities, again.microstructure.probabilities)
    assert (one.microstructure.probabilities != other.microstructure.probabilities).any()


@pytest.mark.parametrize(
    ("scale", "offset", "dtype"),
    [(60, 70, np.uint8), (500, 30_000, np.uint16), (500, -30_000, np.int16), (1e-7, 0, np.float64)],
)
def test_any_scale_and_type(scale, offset, dtype):
    truth, values = two_phases((32, 40, 40))
    found = segment(scan_of(scale * values + offset, dtype), 1e-6, ("pore", "active"))
    plain = segment(scan_of(values), 1e-6, ("pore", "active"))
    assert dice(found.microstructure, truth, "active") > 0.93
    # The same model in other units. Rounding turns a draw here and there, and the draws that
    # follow; labels that are sure stay.
    assert found.model.noise / scale == pytest.approx(plain.model.noise, rel=0.05)
    different = found.microstructure.labels != plain.microstructure.labels
    assert different.mean() < 0.02


@pytest.mark.parametrize("shape", [(2, 60, 60), (5, 50, 40), (60, 12, 9)])
def test_thin_scans(shape):
    truth, values = two_phases((60, 60, 60))
    part = tuple(slice(n) for n in shape)
    micro = Microstructure(truth.labels[part], 1e-6, truth.phases)
    found = segment(
        scan_of(values[part]), 1e-6, ("pore", "active"), fractions=micro.volume_fractions
    )
    assert found.microstructure.shape == shape
    # Without much of a third dimension there are fewer neighbours to learn from.
    assert dice(found.microstructure, micro, "active") > 0.88


def test_four_phases():
    generator = np.random.default_rng(0)
    one, two = (gaussian_field((40, 40, 40), 6.0, 0.5, seed=s).labels for s in (1, 2))
    labels = (one + 2 * two).astype(np.uint8)
    names = ("a", "b", "c", "d")
    truth = Microstructure(labels, 1e-6, {name: k for k, name in enumerate(names)})
    values = blurred(np.array([0.0, 1.0, 2.2, 3.0])[labels], 0.7)
    values = values + 0.15 * generator.standard_normal(labels.shape)
    found = segment(scan_of(values), 1e-6, names, fractions=truth.volume_fractions)
    assert min(dice(found.microstructure, truth, name) for name in names) > 0.85


def test_saturated_grey_values():
    truth, values = two_phases()
    clipped = np.clip(values, -0.1, 1.1)
    found = segment(scan_of(clipped), 1e-6, ("pore", "active"))
    assert dice(found.microstructure, truth, "active") > 0.93


def test_slabs_agree_where_they_meet(monkeypatch):
    from microtwin.imaging import layers

    _, values = two_phases((40, 40, 40))
    whole = segment(scan_of(values), 1e-6, ("pore", "active"))
    monkeypatch.setattr(layers, "slab_layers", lambda shape: 16)
    slabs = segment(scan_of(values), 1e-6, ("pore", "active"))
    assert slabs.model == whole.model
    different = whole.microstructure.labels != slabs.microstructure.labels
    # Other draws, so other labels where they are not sure; no more of them at the seams.
    seams = different[[15, 16, 31, 32]].mean()
    assert seams < 1.5 * different.mean() + 0.005


def test_files_instead_of_memory(tmp_path):
    _, values = two_phases((20, 24, 24))
    scan = scan_of(values)
    plain = segment(scan, 1e-6, ("pore", "active"))
    stored = segment(scan, 1e-6, ("pore", "active"), folder=tmp_path)
    assert_array_equal(np.load(tmp_path / "labels.npy"), plain.microstructure.labels)
    assert_array_equal(np.load(tmp_path / "probabilities.npy"), plain.microstructure.probabilities)
    assert_array_equal(stored.microstructure.labels, plain.microstructure.labels)


def random_probabilities(seed, phases, shape):
    generator = np.random.default_rng(seed)
    shares = generator.dirichlet(np.full(phases, 0.3), shape)
    low = np.floor(255 * shares).astype(np.uint8)
    low[..., 0] += 255 - low.sum(axis=-1, dtype=int).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(low, -1, 0))


shapes = st.tuples(*(st.integers(2, 9) for _ in range(3)))


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 4), shapes, st.booleans())
def test_labelling_keeps_what_must_hold(seed, phases, shape, calibrated):
    probabilities = random_probabilities(seed, phases, shape)
    known = np.random.default_rng(seed).dirichlet(np.full(phases, 5.0)) if calibrated else None
    before = probabilities.copy()
    labels = np.empty(shape, np.uint8)
    found, unsure = label_voxels(probabilities, known, labels)
    assert (probabilities.sum(axis=0, dtype=int) == 255).all()
    assert labels.max() < phases
    assert found.sum() == pytest.approx(1)
    assert unsure == pytest.approx((probabilities.max(axis=0) < 230).mean())
    # What is impossible stays so.
    assert not probabilities[before == 0].any()
    if known is None:
        assert_array_equal(probabilities, before)
        assert_array_equal(labels, probabilities.argmax(axis=0))


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.integers(2, 3), shapes)
def test_probabilities_of_any_image_add_up(seed, phases, shape):
    values = np.random.default_rng(seed).uniform(-1, phases, shape).astype(np.float32)
    coupling = tuple(map(tuple, (0.5 * (1 - np.eye(phases))).tolist()))
    model = GreyModel(
        tuple(map(float, range(phases))), 0.5, (0.8, 0.6, 0.9), coupling, (0.0,) * phases
    )
    found = phase_probabilities(values, model, seed)
    assert found.shape == (phases, *shape)
    assert (found.sum(axis=0, dtype=int) == 255).all()
    # The same grey values in other units, by numbers that lose no digits.
    other = GreyModel(
        tuple(4 * m - 8 for m in model.means), 2.0, model.blur, model.coupling, model.field
    )
    assert np.mean(phase_probabilities(4 * values - 8, other, seed) != found) < 0.05


@pytest.mark.parametrize("fractions", [(0.2, 0.3, 0.5), (0.0, 0.4, 0.6), (0.9, 0.05, 0.05)])
def test_weights_for_fractions(fractions):
    sample = np.random.default_rng(0).dirichlet([0.5, 0.5, 0.5], 5000).T.astype(np.float32)
    weights = weights_for_fractions(sample, np.array(fractions))
    shares = sample * weights[:, None]
    # The iteration ends at 1e-5, or after 60 steps.
    assert_allclose((shares / shares.sum(axis=0)).mean(axis=1), fractions, atol=2e-4)


def test_an_absent_phase_with_a_known_fraction_of_zero():
    truth, values = two_phases((32, 32, 32))
    known = {**truth.volume_fractions, "metal": 0.0}
    found = segment(scan_of(values), 1e-6, ("pore", "active", "metal"), fractions=known)
    assert found.microstructure.volume_fraction("metal") < 0.002


def test_refusals():
    _, values = two_phases((16, 16, 16))
    scan = scan_of(values)
    with pytest.raises(ValueError, match=r"phases \['pore'\] are not allowed; name at least two"):
        segment(scan, 1e-6, ("pore",))
    with pytest.raises(ValueError, match="each once, from dark to bright"):
        segment(scan, 1e-6, ("pore", "pore"))
    with pytest.raises(ValueError, match="fractions are given of pore, glass, and the phases are"):
        segment(scan, 1e-6, ("pore", "active"), fractions={"pore": 0.4, "glass": 0.6})
    with pytest.raises(ValueError, match="scan is constant"):
        segment(scan_of(np.ones((4, 5, 6))), 1e-6, ("pore", "active"))
