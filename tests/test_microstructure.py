from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from microtwin import Microstructure, Scan

PHASES = {"pore": 0, "active": 1, "binder": 2}


def images(min_side: int = 2, max_side: int = 9) -> st.SearchStrategy[np.ndarray]:
    shapes = st.tuples(*[st.integers(min_side, max_side)] * 3)
    return hnp.arrays(np.uint8, shapes, elements=st.integers(0, 2))


def micro_of(labels, voxel_size=1e-6) -> Microstructure:
    return Microstructure(labels, voxel_size, PHASES)


# --- construction -------------------------------------------------------------------------------


def test_labels_cannot_be_written_and_are_not_copied():
    labels = np.zeros((3, 4, 5), np.uint8)
    micro = micro_of(labels)
    with pytest.raises(ValueError, match="read-only"):
        micro.labels[0, 0, 0] = 1
    assert np.shares_memory(micro.labels, labels)
    labels[0, 0, 0] = 0  # the array of the caller stays writeable


def test_phases_cannot_be_written():
    with pytest.raises(TypeError):
        micro_of(np.zeros((2, 2, 2), np.uint8)).phases["pore"] = 3


def test_size_and_extent_follow_the_axes():
    micro = micro_of(np.zeros((2, 3, 4), np.uint8), (1e-6, 2e-6, 3e-6))
    assert micro.shape == (2, 3, 4)
    assert micro.voxel_size == (1e-6, 2e-6, 3e-6)
    assert micro.extent == pytest.approx((2e-6, 6e-6, 12e-6), rel=1e-15)


def test_scalar_voxel_size_holds_for_all_axes():
    assert micro_of(np.zeros((2, 2, 2), np.uint8), 0.4e-6).voxel_size == (0.4e-6,) * 3


@pytest.mark.parametrize("dtype", [bool, np.int64, np.uint16, np.int8])
def test_whole_numbers_of_any_type_become_bytes(dtype):
    labels = np.zeros((2, 2, 2), dtype)
    labels[0] = 1
    assert micro_of(labels).labels.dtype == np.uint8
    assert micro_of(labels).volume_fraction("active") == 0.5


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (np.zeros((4, 4), np.uint8), r"2 dimension\(s\).*3-D"),
        (np.zeros((0, 4, 4), np.uint8), "at least 2 voxels"),
        (np.zeros((1, 4, 4), np.uint8), "at least 2 voxels"),
        (np.zeros((4, 4, 1), np.uint8), "at least 2 voxels"),
        (np.zeros((4, 4, 4), np.float32), "segmented first"),
        (np.full((4, 4, 4), 300), "from 300 to 300"),
        (np.full((4, 4, 4), -1), "from -1 to -1"),
        (np.full((4, 4, 4), "a"), "whole numbers"),
    ],
)
def test_images_that_are_no_labels_are_refused(labels, match):
    with pytest.raises(ValueError, match=match):
        micro_of(labels)


@pytest.mark.parametrize(
    "voxel_size", [0, -1e-6, float("nan"), float("inf"), (1e-6, 1e-6), (1e-6, 1e-6, 0), [1] * 4]
)
def test_voxel_sizes_that_are_no_lengths_are_refused(voxel_size):
    with pytest.raises(ValueError, match=r"voxel size.*not allowed.*metres"):
        micro_of(np.zeros((2, 2, 2), np.uint8), voxel_size)


def test_missing_voxel_size_says_how_to_give_it():
    with pytest.raises(ValueError, match=r"voxel size is missing.*voxel_size=0\.4e-6"):
        Microstructure(np.zeros((2, 2, 2), np.uint8), phases=PHASES)


def test_unnamed_labels_are_listed_with_their_counts():
    labels = np.zeros((2, 2, 2), np.uint8)
    labels[0, 0] = 7
    labels[1, 1, 1] = 9
    with pytest.raises(ValueError, match=r"7 \(2 voxels\), 9 \(1 voxels\).*pore=0"):
        Microstructure(labels, 1e-6, {"pore": 0})


@pytest.mark.parametrize(
    ("phases", "match"),
    [
        ({"pore": 0, "active": 0}, "'pore' and 'active' share label 0"),
        ({"pore": 0, "": 1}, "name ''"),
        ({"pore": 0, "active": 1.5}, "1.5"),
        ({"pore": 0, "active": 256}, "256"),
    ],
)
def test_phases_that_are_ambiguous_are_refused(phases, match):
    with pytest.raises(ValueError, match=match):
        Microstructure(np.zeros((2, 2, 2), np.uint8), 1e-6, phases)


def test_a_phase_may_be_absent_from_the_image():
    assert micro_of(np.zeros((2, 2, 2), np.uint8)).volume_fraction("binder") == 0.0


def test_unknown_phase_lists_the_known_ones():
    micro = micro_of(np.zeros((2, 2, 2), np.uint8))
    for ask in (micro.label, micro.mask, micro.volume_fraction, micro.profile):
        with pytest.raises(ValueError, match=r"'poor'.*pore, active, binder"):
            ask("poor")


def test_unknown_direction_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'w'.*'z'"):
        micro_of(np.zeros((2, 2, 2), np.uint8)).profile("pore", "w")


# --- fractions ----------------------------------------------------------------------------------


@given(images())
def test_fractions_are_shares_of_the_voxels(labels):
    micro = micro_of(labels)
    assert sum(micro.volume_fractions.values()) == pytest.approx(1, abs=1e-12)
    for name, value in PHASES.items():
        assert micro.volume_fraction(name) == (labels == value).sum() / labels.size
        assert np.array_equal(micro.mask(name), labels == value)
        for direction in ("z", "y", "x"):
            profile = micro.profile(name, direction)
            # The mean of the layers is the whole, to the rounding of a mean.
            assert profile.mean() == pytest.approx(micro.volume_fraction(name), abs=1e-12)
    assert np.array_equal(micro.mask(["pore", "binder"]), labels != 1)


# --- mirror, crop -------------------------------------------------------------------------------


@given(images())
def test_mirror_is_even_and_keeps_fractions(labels):
    micro = micro_of(labels)
    mirrored = micro.mirror()
    assert mirrored.shape == tuple(2 * n for n in labels.shape)
    assert mirrored.volume_fractions == micro.volume_fractions
    assert mirrored.voxel_size == micro.voxel_size
    for axis in range(3):
        assert np.array_equal(mirrored.labels, np.flip(mirrored.labels, axis))
    nz, ny, nx = labels.shape
    assert np.array_equal(mirrored.labels[:nz, :ny, :nx], labels)


def test_mirror_along_one_direction_leaves_the_others():
    micro = micro_of(np.zeros((2, 3, 4), np.uint8))
    assert micro.mirror(["y"]).shape == (2, 6, 4)
    assert micro.mirror([]).shape == (2, 3, 4)


@given(images(4), st.data())
def test_crop_is_slicing(labels, data):
    slices = []
    for n in labels.shape:
        start = data.draw(st.integers(0, n - 2))
        slices.append(slice(start, data.draw(st.integers(start + 2, n))))
    z, y, x = slices
    cropped = micro_of(labels).crop(z=z, y=y, x=x)
    assert np.array_equal(cropped.labels, labels[z, y, x])
    assert dict(cropped.phases) == PHASES


@pytest.mark.parametrize("z", [slice(0, 1), slice(5, 9), slice(3, 1)])
def test_crop_that_leaves_too_little_is_refused(z):
    with pytest.raises(ValueError, match="at least 2 voxels"):
        micro_of(np.zeros((4, 4, 4), np.uint8)).crop(z=z)


# --- coarsen ------------------------------------------------------------------------------------


@given(images(4), st.integers(1, 2))
def test_coarse_labels_are_majorities(labels, factor):
    micro = micro_of(labels)
    coarse = micro.coarsen(factor)
    assert coarse.shape == tuple(n // factor for n in labels.shape)
    assert coarse.voxel_size == tuple(factor * h for h in micro.voxel_size)
    fractions = np.stack([micro.coarse_fractions(name, factor) for name in PHASES])
    chosen = np.take_along_axis(fractions, coarse.labels[None].astype(int), 0)[0]
    assert np.array_equal(chosen, fractions.max(0))


@given(images(4), st.integers(1, 2))
def test_coarse_fractions_count_the_voxels_of_each_block(labels, factor):
    micro = micro_of(labels)
    nz, ny, nx = (n // factor for n in labels.shape)
    for name, value in PHASES.items():
        inside = labels[: nz * factor, : ny * factor, : nx * factor] == value
        blocks = inside.reshape(nz, factor, ny, factor, nx, factor).mean(axis=(1, 3, 5))
        # float32 holds multiples of 1/8 exactly.
        assert np.array_equal(micro.coarse_fractions(name, factor), blocks.astype(np.float32))


def test_coarsening_by_a_large_odd_factor_counts_beyond_a_byte():
    labels = np.zeros((14, 14, 14), np.uint8)
    labels[:7, :7, :4] = 1  # 196 of the 343 voxels of the first block
    fraction = micro_of(labels).coarse_fractions("active", 7)
    assert fraction[0, 0, 0] == pytest.approx(196 / 343, rel=1e-7)
    assert micro_of(labels).coarsen(7).labels[0, 0, 0] == 1


def test_no_phase_gains_from_ties():
    # Every block is half pore and half active: the coarse image should be, too.
    labels = np.zeros((16, 16, 16), np.uint8)
    labels[::2] = 1
    assert micro_of(labels).coarsen(2).volume_fraction("pore") == 0.5


@pytest.mark.parametrize("factor", [0, -2, 1.5, 4])
def test_coarsening_factor_that_does_not_fit_is_refused(factor):
    with pytest.raises(ValueError, match=r"coarsening factor.*from 1 to 3"):
        micro_of(np.zeros((6, 7, 8), np.uint8)).coarsen(factor)


# --- scan ---------------------------------------------------------------------------------------


def test_scan_keeps_its_values_read_only():
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    scan = Scan(values, 1e-6)
    assert scan.values.dtype == np.int16
    with pytest.raises(ValueError, match="read-only"):
        scan.values[0, 0, 0] = 5
    assert scan.crop(x=slice(1, 3)).shape == (2, 3, 2)
    assert scan.extent == pytest.approx((2e-6, 3e-6, 4e-6), rel=1e-15)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.zeros((3, 3)), "3-D"),
        (np.full((2, 2, 2), np.nan), "8 NaN or infinite.*z 0:2, y 0:2, x 0:2"),
        (
            np.array([[[1, np.inf], [0, 0]], [[0, 0], [0, 0]]]),
            "1 NaN or infinite.*z 0:1, y 0:1, x 1:2",
        ),
        (np.zeros((2, 2, 2), complex), "real numbers"),
    ],
)
def test_values_that_are_no_scan_are_refused(values, match):
    with pytest.raises(ValueError, match=match):
        Scan(values, 1e-6)


def test_scan_without_voxel_size_is_refused():
    with pytest.raises(ValueError, match="voxel size is missing"):
        Scan(np.zeros((2, 2, 2)))


def test_representation_tells_size_and_fractions():
    micro = micro_of(np.zeros((2, 3, 4), np.uint8), (4e-7, 4e-7, 5e-7))
    assert repr(micro) == (
        "Microstructure(2 x 3 x 4 voxels of 400 x 400 x 500 nm: "
        "pore 100.0 %, active 0.0 %, binder 0.0 %)"
    )
    assert repr(Scan(np.zeros((2, 2, 2)), 1e-6)) == "Scan(2 x 2 x 2 voxels of 1000 nm, float64)"


# --- probabilities ------------------------------------------------------------------------------


def soft(shape=(4, 6, 8)) -> Microstructure:
    rng = np.random.default_rng(3)
    binder = rng.integers(0, 100, shape).astype(np.uint8)
    active = rng.integers(0, 100, shape).astype(np.uint8)
    probable = np.stack([255 - binder - active, active, binder])
    labels = np.argmax(probable, axis=0).astype(np.uint8)
    return Microstructure(labels, 1e-6, PHASES, probable)


def test_without_probabilities_labels_are_certain():
    micro = micro_of(np.array([[[0, 1], [2, 1]], [[1, 1], [0, 2]]], np.uint8))
    assert micro.probabilities is None
    assert np.array_equal(micro.probability("active"), micro.labels == 1)


def test_probabilities_are_numbers_from_zero_to_one_that_add_up():
    micro = soft()
    total = sum(micro.probability(phase) for phase in PHASES)
    assert np.abs(total - 1).max() < 1e-6
    with pytest.raises(ValueError, match="glass"):
        micro.probability("glass")


def test_probabilities_follow_crops_reflections_and_coarsening():
    micro = soft()
    crop = micro.crop(z=slice(1, 3), x=slice(2, 8))
    assert np.array_equal(crop.probabilities, micro.probabilities[:, 1:3, :, 2:8])
    mirrored = micro.mirror(["y"])
    assert np.array_equal(
        mirrored.probability("binder")[:, 6:], micro.probability("binder")[:, ::-1]
    )
    coarse = micro.coarsen(2)
    blocks = micro.probability("active").reshape(2, 2, 3, 2, 4, 2).mean(axis=(1, 3, 5))
    # The means are rounded to 255ths.
    assert np.abs(coarse.probability("active") - blocks).max() <= 0.5 / 255 + 1e-6


def test_probabilities_of_another_shape_are_refused():
    labels = np.zeros((3, 3, 3), np.uint8)
    with pytest.raises(ValueError, match=r"shape \(3, 3, 3, 3\) \(phases, z, y, x\) and uint8"):
        Microstructure(labels, 1e-6, PHASES, np.zeros((2, 3, 3, 3), np.uint8))
