"""Rims and cores against spheroids and slabs that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.reactions import ZeroOrder, exact, onset, solve_uptake, viability

D, C0, A = 2e-9, 0.2, 0.04
LIMIT = exact.diffusion_limit(D, C0, A)
LITTLE = 2e-3 * C0


def ball(voxels, radius=LIMIT):
    """Return a ball in medium and the distance of voxels from its centre, off those of voxels."""
    edge = 2 * voxels + 6
    place = np.indices((edge, edge, edge)) + 0.5 - 0.5 * edge + 0.13
    r = np.sqrt((place**2).sum(axis=0)) * radius / voxels
    labels = (r < radius).astype(np.uint8)
    return mt.Microstructure(labels, radius / voxels, {"medium": 0, "tissue": 1}), r


def slab(shape=(30, 4, 3)):
    return mt.Microstructure(np.ones(shape, np.uint8), (1e-6, 2e-6, 3e-6), {"tissue": 1})


def level(c, radius, core=0.0):
    """Return where the concentration in a spheroid is c."""
    r = np.linspace(core, radius, 100_001)[1:]
    return np.interp(c, exact.spheroid_concentration(r, radius, D, C0, A), r)


@pytest.mark.parametrize("times", [1.2, 2.0])
def test_the_rim_of_a_spheroid(times):
    """From the exact profile: volumes, radii and rim within half a voxel."""
    radius = times * LIMIT
    micro, r = ball(16, radius)
    voxel = micro.voxel_size[0]
    c = exact.spheroid_concentration(r, radius, D, C0, A)
    found = viability(micro, c, "tissue", LITTLE, 0.25 * C0)
    core = exact.spheroid_core(radius, D, C0, A)
    starved, low = level(LITTLE, radius, core), level(0.25 * C0, radius, core)
    assert found.radius == pytest.approx(radius, rel=5e-3)
    assert abs(found.core_radius - starved) < 0.1 * voxel
    assert abs(found.hypoxic_radius - low) < 0.02 * voxel
    assert abs(found.core_radius - core) < 0.5 * voxel + (starved - core)
    assert abs(found.rim_percentiles(50) - (radius - starved)) < 0.5 * voxel
    assert found.rim.min() > radius - starved - 1.5 * voxel
    assert found.rim.max() < radius - starved + 1.5 * voxel
    assert found.cores == 1
    assert found.unknown == 0.0
    assert found.viable_fraction == pytest.approx(1.0 - (starved / radius) ** 3, abs=0.01)


def test_the_rim_of_a_computed_spheroid_matches_the_cubic():
    radius = 1.6 * LIMIT
    micro, _ = ball(12, radius)
    voxel = micro.voxel_size[0]
    solved = solve_uptake(micro, {"tissue": D}, {"tissue": ZeroOrder(A)}, {"medium": C0})
    found = viability(micro, solved.concentration, "tissue", LITTLE, sources=["medium"])
    core = exact.spheroid_core(radius, D, C0, A)
    shift = level(LITTLE, radius, core) - core
    assert abs(found.core_radius - shift - core) < 0.5 * voxel
    assert abs(found.rim_percentiles(50) + shift - (radius - core)) < 0.5 * voxel


def test_the_volume_of_a_core_converges():
    radius = 1.5 * LIMIT
    wanted = level(0.1 * C0, radius, exact.spheroid_core(radius, D, C0, A))
    errors = []
    for voxels in (6, 12, 24):
        micro, r = ball(voxels, radius)
        c = exact.spheroid_concentration(r, radius, D, C0, A)
        found = viability(micro, c, "tissue", 0.1 * C0)
        errors.append(abs(found.core_volume / (4.0 / 3.0 * np.pi * wanted**3) - 1.0))
    assert errors[0] < 0.03
    assert errors[1] < 0.03 / 4
    assert errors[2] < 0.03 / 16


def test_voxels_count_in_part():
    """Balls of 5 voxels radius anywhere: a tenth of the scatter of whole voxels, of 0.7 %."""
    rng = np.random.default_rng(0)
    micro = mt.Microstructure(np.ones((16, 16, 16), np.uint8), 1.0, {"tissue": 1})
    parts, wholes = [], []
    for _ in range(20):
        place = np.indices(micro.shape) + 0.5 - 8.0 - rng.random((3, 1, 1, 1))
        c = 1.0 + (place**2).sum(axis=0)
        found = viability(micro, c, "tissue", 26.0, sources=["z_low"])
        parts.append(found.core_volume / (4.0 / 3.0 * np.pi * 5.0**3) - 1.0)
        wholes.append((c < 26.0).sum() / (4.0 / 3.0 * np.pi * 5.0**3) - 1.0)
    assert np.sqrt(np.mean(np.square(parts))) < 2e-3
    assert np.sqrt(np.mean(np.square(wholes))) > 5e-3


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.05, 0.95),
    st.sampled_from(["z_low", "z_high", "y_low", "y_high", "x_low"]),
)
def test_a_plane_level_is_exact(share, face):
    """To a millionth of the volume, wherever it lies between centres of voxels."""
    micro = slab((24, 20, 16))
    axis, n = "zyx".index(face[0]), micro.shape["zyx".index(face[0])]
    depth = (np.arange(n) + 0.5) / n
    if face.endswith("high"):
        depth = depth[::-1]
    c = np.broadcast_to(
        1.0 - depth.reshape([-1 if a == axis else 1 for a in range(3)]), micro.shape
    )
    found = viability(micro, c, "tissue", share, sources=[face])
    # Voxels beside a wall count as level.
    near_end = min(share, 1.0 - share) * n < 1.0
    assert found.core_fraction == pytest.approx(share, abs=0.5 / n if near_end else 1e-6)
    rim = found.rim_percentiles(50)
    if not near_end:
        assert rim == pytest.approx((1.0 - share) * micro.extent[axis], rel=1e-6)


@given(st.floats(1e-3, 10.0), st.floats(1e-3, 10.0))
def test_uniform_fields(value, threshold):
    micro = slab((5, 4, 3))
    found = viability(micro, np.full(micro.shape, value), "tissue", threshold, sources=["x_low"])
    starved = value < threshold
    assert found.core_fraction == float(starved)
    assert found.cores == int(starved)
    assert found.rim.size == 0
    assert np.isnan(found.rim_percentiles()).all()
    assert found.core_radius == (found.radius if starved else 0.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.05, 0.9), st.floats(0.0, 0.1))
def test_a_higher_threshold_starves_more(seed, threshold, more):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, (6, 7, 5)).astype(np.uint8)
    micro = mt.Microstructure(labels, 1e-6, {"medium": 0, "rim": 1, "tissue": 2})
    c = rng.random(micro.shape)
    found = viability(micro, c, ["rim", "tissue"], threshold, threshold + more)
    assert 0.0 <= found.core_fraction <= found.hypoxic_fraction <= 1.0
    assert found.core_volumes.sum() == pytest.approx(found.core_volume, rel=1e-6, abs=0.0)
    assert (np.diff(found.core_volumes) <= 0.0).all()
    assert ((found.core > 0.0) <= (labels > 0)).all()


def test_cores_are_told_apart():
    labels = np.ones((20, 5, 5), np.uint8)
    labels[0] = 0
    micro = mt.Microstructure(labels, 1e-6, {"medium": 0, "tissue": 1})
    c = np.ones(micro.shape)
    c[4:6, 1:4, 1:4] = 0.0
    c[10:14, 1:4, 1:4] = 0.0
    found = viability(micro, c, "tissue", 0.5)
    assert found.cores == 2
    assert found.core_volumes[0] == pytest.approx(2.0 * found.core_volumes[1], rel=1e-6, abs=0.0)


def test_distances_count_from_the_sources():
    labels = np.ones((9, 4, 4), np.uint8)
    labels[0], labels[-1] = 0, 2
    micro = mt.Microstructure(labels, 1e-6, {"vessel": 0, "tissue": 1, "wall": 2})
    c = np.ones(micro.shape)
    far = viability(micro, c, "tissue", 0.5, sources=["vessel"]).distance
    np.testing.assert_allclose(far[1:-1, 0, 0] * 1e6, np.arange(7) + 0.5, rtol=1e-6)
    assert np.isnan(far[[0, -1]]).all()
    both = viability(micro, c, "tissue", 0.5)
    np.testing.assert_allclose(
        both.distance[1:-1, 0, 0] * 1e6, [0.5, 1.5, 2.5, 3.5, 2.5, 1.5, 0.5], rtol=1e-6
    )
    assert both.distance_percentiles(100) * 1e6 == pytest.approx(3.5)


def test_what_is_not_known_is_left_out():
    """As salt in closed pores of an electrode."""
    micro = slab((8, 2, 2))
    c = np.ones(micro.shape)
    c[:2] = np.nan
    c[2:5] = 0.1
    found = viability(micro, c, "tissue", 0.5, sources=["z_high"])
    assert found.unknown == pytest.approx(0.25)
    assert found.core_fraction == pytest.approx(0.5, abs=0.05)


def test_a_core_appears_at_the_diffusion_limit():
    """Within 1 %, from concentrations on an image whose voxels grow."""

    def concentration(scale):
        micro, _ = ball(12, scale)
        found = solve_uptake(micro, {"tissue": D}, {"tissue": ZeroOrder(A)}, {"medium": C0})
        return found.concentration

    assert onset(concentration, LITTLE, (0.6 * LIMIT, 1.7 * LIMIT)) == pytest.approx(
        LIMIT, rel=0.01
    )


def test_onset_works_with_falling_scales():
    """More supply instead of a larger size: the core goes away at c0 = threshold + a R^2 / 6 D."""
    radius = LIMIT
    r = np.linspace(0.0, radius, 30)
    found = onset(
        lambda c0: exact.spheroid_concentration(r, radius, D, c0, A), LITTLE, (0.1, 1.0), tol=1e-6
    )
    assert found == pytest.approx(C0 + LITTLE, rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"threshold": 0.0}, "threshold 0.0 is not allowed"),
        ({"hypoxic": 0.1}, "hypoxic 0.1 is not allowed"),
        ({"concentration": np.ones((2, 2, 2))}, "give the concentration on the voxels"),
        ({"concentration": np.full((30, 4, 3), np.nan)}, "known nowhere in 'tissue'"),
        ({"phases": "bone"}, "bone"),
        ({"sources": None}, "no source to count distances from"),
        ({"sources": ["tissue"]}, "cannot be both a source"),
        ({"sources": ["lung"]}, "lung"),
        ({"sources": "lung"}, "'lung'"),
        ({"threshold": "10 mmHg"}, "threshold '10 mmHg' is not allowed"),
    ],
)
def test_problems_are_said(changes, words):
    given = {
        "micro": slab(),
        "concentration": np.ones((30, 4, 3)),
        "phases": "tissue",
        "threshold": 0.5,
        "sources": ["z_low"],
    }
    with pytest.raises(ValueError, match=words):
        viability(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bracket": (2.0, 1.0)}, "the smaller first"),
        ({"bracket": (1.0, 1.5)}, "is not below the threshold"),
        ({"bracket": (3.0, 4.0)}, "is below the threshold"),
        ({"tol": 0.0}, "tol 0.0"),
        ({"threshold": -1.0}, "threshold -1.0"),
    ],
)
def test_problems_of_onset_are_said(changes, words):
    given = {"threshold": 0.5, "bracket": (1.0, 4.0)}
    with pytest.raises(ValueError, match=words):
        onset(lambda scale: np.array([1.0, 2.5 - scale, np.nan]), **(given | changes))


def test_onset_says_where_nothing_is_known():
    with pytest.raises(ValueError, match="at the scale 1 has no number in it"):
        onset(lambda scale: np.full(3, np.nan), 0.5, (1.0, 4.0))


def test_a_period_may_begin_anywhere():
    """A vessel at the edge of the period, and the same in its middle."""
    n = 16
    way = np.minimum(np.arange(n), n - np.arange(n))
    c = np.exp(-0.2 * np.hypot(way[:, None, None], way[None, :, None]) * np.ones((1, 1, 4)))
    labels = np.ones(c.shape, np.uint8)
    labels[0, 0] = 2
    found = []
    for shift in (0, 8):
        moved = np.roll(labels, (shift, shift), (0, 1))
        micro = mt.Microstructure(moved, 1e-6, {"tissue": 1, "vessel": 2})
        known = np.roll(c, (shift, shift), (0, 1))
        found.append(
            viability(micro, known, "tissue", 0.25, 0.5, sources=["vessel"], periodic=True)
        )
    one, other = found
    assert one.cores == other.cores == 1 and 0.1 < one.core_fraction < 0.5
    assert one.core_fraction == pytest.approx(other.core_fraction)
    assert one.hypoxic_fraction == pytest.approx(other.hypoxic_fraction)
    np.testing.assert_allclose(np.sort(one.rim), np.sort(other.rim), rtol=1e-6)
    np.testing.assert_allclose(
        one.rim_percentiles((50,)), 1e-6 * (np.log(4.0) / 0.2 - 0.5), rtol=0.02
    )
    with pytest.raises(ValueError, match="has no face 'z_low'"):
        viability(micro, known, "tissue", 0.25, sources=["z_low"], periodic=True)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_distances_on_voxels_of_three_edges(axis):
    shape, size = [6, 6, 6], (1e-6, 8e-6, 3e-6)
    shape[axis] = 40
    labels = np.ones(shape, np.uint8)
    np.moveaxis(labels, axis, 0)[:4] = 2
    along = (np.arange(40) + 0.5 - 4.0).reshape([-1 if a == axis else 1 for a in range(3)])
    micro = mt.Microstructure(labels, size, {"tissue": 1, "vessel": 2})
    c = np.broadcast_to(1.0 - along / 36.0, shape)
    found = viability(micro, c, "tissue", 0.5, sources=["vessel"])
    np.testing.assert_allclose(found.rim, 18.0 * size[axis], rtol=1e-5)
    assert found.distance[labels == 1].min() == pytest.approx(0.5 * size[axis], rel=1e-5, abs=0.0)
