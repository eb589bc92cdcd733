from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.electrochemistry import (
    butler_volmer,
    hot_spots,
    interface_current,
    random_exchange_current,
    reacting_interface,
)
from microtwin.electrochemistry.verification import CASES, VOXEL, ball
from microtwin.geometry.surface import interface_area
from microtwin.trust import run_cases
from real_images import real_image


def image(labels, names=("pore", "active", "binder")):
    return mt.Microstructure(labels, VOXEL, {name: n for n, name in enumerate(names)})


def slabs(*labels, n=6):
    """Return layers along z, each two voxels thick unless it is written once."""
    return image(np.tile(np.array(labels, np.uint8)[:, None, None], (1, n, n)))


def inner_area(facets, inside, outside, shape):
    """Return the area between the outermost voxel centres.

    Half of an outermost voxel lies there, but all of what crosses it along the axis.
    """
    mine = facets.between(inside, outside)
    vector = facets.area[mine, None] * facets.normal[mine]
    place = np.array(np.unravel_index(facets.voxel[mine], shape))
    outer = (place == 0) | (place == np.array(shape)[:, None] - 1)
    for axis in range(3):
        others = [k for k in range(3) if k != axis]
        vector[:, others] *= np.where(outer[axis], 0.5, 1.0)[:, None]
    return np.linalg.norm(vector, axis=1).sum()


@pytest.mark.parametrize("row", run_cases(CASES), ids=lambda row: row.case)
def test_verification(row):
    assert row.passed


def test_faces_of_voxels_have_too_much_area():
    exact = 4 * np.pi * (12 * VOXEL) ** 2
    staircase = reacting_interface(ball(12), interface="voxel").area.sum()
    assert 1.45 < staircase / exact < 1.55
    # At one place between the voxels; `verify` takes the mean of several.
    assert reacting_interface(ball(12)).area.sum() == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("interface", ["smooth", "voxel"])
def test_normals_point_out_of_the_active_material(interface):
    facets = reacting_interface(ball(8), interface=interface)
    assert np.linalg.norm(facets.normal, axis=1) == pytest.approx(1.0)
    outward = facets.centre - np.array(facets.extent) / 2
    assert ((facets.normal * outward).sum(axis=1) > 0).all()
    # A closed surface has no direction.
    assert np.abs(facets.area @ facets.normal).max() < 1e-3 * facets.area.sum()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 3))
def test_areas_are_those_of_the_crofton_formula(seed, phases):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, phases, (3, 4, 3)).astype(np.uint8)
    micro = image(coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2))
    measured = interface_area(micro)
    for pair in (("active", "pore"), ("active", "binder")):
        if measured[pair] == 0.0 or not micro.mask(pair[1]).any():
            continue
        facets = reacting_interface(micro, *pair)
        assert inner_area(facets, *pair, micro.shape) == pytest.approx(measured[pair], rel=1e-6)


def test_both_sides_of_a_thin_film_count():
    film = slabs(1, 1, 1, 0, 1, 1, 1)
    facets = reacting_interface(film)
    face = (6 * VOXEL) ** 2
    for sign, height in ((1.0, 3.0), (-1.0, 4.0)):
        side = facets.normal[:, 0] == sign
        assert facets.area[side].sum() == pytest.approx(face, rel=1e-3)
        assert np.allclose(facets.centre[side, 0], height * VOXEL)


@pytest.mark.parametrize("first", [1, 2, 6])
@pytest.mark.parametrize("last", [1, 2])
def test_flat_interfaces_near_the_ends_of_the_image(first, last):
    layers = [1] * first + [0] * 4 + [1] * last
    facets = reacting_interface(slabs(*layers))
    face = (6 * VOXEL) ** 2
    assert facets.area.sum() == pytest.approx(2 * face, rel=1e-3)


def test_voxels_that_are_no_cubes():
    edges, radius = (2e-7, 4e-7, 3e-7), 4e-6
    axes = [(np.arange(n) + 0.5 - n / 2) * h for n, h in zip((46, 26, 32), edges, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    labels = (z**2 + y**2 + x**2 < radius**2).astype(np.uint8)
    facets = reacting_interface(mt.Microstructure(labels, edges, {"pore": 0, "active": 1}))
    assert facets.area.sum() == pytest.approx(4 * np.pi * radius**2, rel=0.01)
    place = facets.centre - np.array(facets.extent) / 2
    along = (facets.normal * place).sum(axis=1) / np.linalg.norm(place, axis=1)
    # Vectors scatter about the true normal: that is why their lengths are scaled, by 0.957.
    assert facets.area @ along > 0.95 * facets.area.sum()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("interface", ["smooth", "voxel"])
def test_a_film_along_any_axis_of_voxels_that_are_no_cubes(axis, interface):
    edges = (2e-7, 4e-7, 3e-7)
    labels = np.ones((9, 9, 9), np.uint8)
    np.moveaxis(labels, axis, 0)[4] = 0
    micro = mt.Microstructure(labels, edges, {"pore": 0, "active": 1})
    facets = reacting_interface(micro, interface=interface)
    face = 81 * np.prod(edges) / edges[axis]
    for sign, height in ((1.0, 4.0), (-1.0, 5.0)):
        side = np.isclose(facets.normal[:, axis], sign)
        assert facets.area[side].sum() == pytest.approx(face, rel=1e-3)
        assert np.allclose(facets.centre[side, axis], height * edges[axis])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_opposite_faces_of_the_box_are_no_neighbours(axis):
    labels = np.zeros((6, 6, 6), np.uint8)
    np.moveaxis(labels, axis, 0)[-1] = 1
    for interface in ("smooth", "voxel"):
        facets = reacting_interface(image(labels), interface=interface)
        assert facets.area.sum() == pytest.approx((6 * VOXEL) ** 2, rel=1e-3)
        assert np.allclose(facets.normal[:, axis], -1.0)


@pytest.mark.parametrize("edges", [(4e-7, 2e-6, 2e-6), (2e-6, 4e-7, 4e-7), (4e-7, 4e-7, 3.2e-6)])
def test_long_voxels(edges):
    radius = 12e-6
    counts = [int(2 * radius / edge) + 6 for edge in edges]
    axes = [(np.arange(n) + 0.5 - n / 2) * h for n, h in zip(counts, edges, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    labels = (z**2 + y**2 + x**2 < radius**2).astype(np.uint8)
    facets = reacting_interface(mt.Microstructure(labels, edges, {"pore": 0, "active": 1}))
    # A ball of 4 to 6 voxels along the longest edge.
    assert facets.area.sum() == pytest.approx(4 * np.pi * radius**2, rel=0.03)


def test_a_mesh_has_the_same_current():
    micro = ball(8)
    mesh = mt.meshing.tetrahedralize(micro)
    on_mesh = interface_current(mesh, 0.02, 3.0)
    on_voxels = interface_current(micro, 0.02, 3.0)
    assert on_mesh.total_current == pytest.approx(on_voxels.total_current, rel=0.015)
    assert on_mesh.area == pytest.approx(mesh.interface_areas["active", "pore"], rel=1e-12)
    outward = on_mesh.facets.centre - np.array(mesh.extent) / 2
    assert ((on_mesh.facets.normal * outward).sum(axis=1) > 0).all()
    assert np.nansum(on_mesh.on_image()) > 0


def test_a_field_reaches_the_facets():
    micro = ball(8)
    field = np.ones(micro.shape)
    field[: micro.shape[0] // 2] = 3.0
    result = interface_current(micro, 0.01, field)
    one = float(butler_volmer(0.01, 1.0))
    assert set(np.round(result.current_density / one, 9)) == {1.0, 3.0}
    middle = micro.extent[0] / 2
    by_place = interface_current(
        micro, 0.01, lambda place: np.where(place[:, 0] < middle, 3.0, 1.0)
    )
    assert np.array_equal(by_place.current_density, result.current_density)
    lower = result.profile()[: micro.shape[0] // 2].sum()
    assert lower == pytest.approx(0.75, abs=0.01)
    assert result.profile().sum() == pytest.approx(1.0)
    assert result.quantile(1.0) == pytest.approx(3 * one) and result.mean < 2.02 * one
    assert result.deviation == pytest.approx(one, rel=0.01)
    seen = result.on_image()
    assert np.nanmax(seen) == pytest.approx(3 * one, rel=1e-6)
    assert np.count_nonzero(np.isfinite(seen)) == len(np.unique(result.facets.voxel))


@pytest.mark.parametrize("source", ["smooth", "voxel", "mesh"])
def test_fields_are_read_on_the_active_side(source):
    micro = ball(8)
    field = np.where(micro.mask("active"), 2.0, np.nan)
    if source == "mesh":
        result = interface_current(mt.meshing.tetrahedralize(micro), 0.01, field)
    else:
        result = interface_current(micro, 0.01, field, interface=source)
    assert result.mean == pytest.approx(float(butler_volmer(0.01, 2.0)), rel=1e-12)


def test_fields_are_read_on_both_sides_of_a_film():
    film = slabs(1, 1, 1, 1, 0, 1, 1, 1, 1)
    field = np.zeros(film.shape)
    field[:4], field[5:] = 2.0, 8.0
    result = interface_current(film, 0.01, field)
    upper = result.facets.normal[:, 0] < 0
    assert set(result.exchange_current_density[~upper]) == {2.0}
    assert set(result.exchange_current_density[upper]) == {8.0}


def test_a_phase_named_twice_counts_once():
    once = interface_current(ball(6)).total_current
    twice = interface_current(ball(6), active=["active", "active"]).total_current
    assert once == twice


def test_active_phases_have_their_own_kinetics():
    micro = slabs(1, 1, 1, 0, 0, 0, 2, 2, 2)
    result = interface_current(
        micro, 0.01, {"active": 1.0, "binder": 4.0}, active=("active", "binder")
    )
    assert result.current_of("binder") == pytest.approx(4 * result.current_of("active"))
    total = result.current_of("binder") + result.current_of("active")
    assert result.total_current == pytest.approx(total)
    assert result.blocked_area == 0.0


def test_covered_area_is_blocked_or_resists():
    labels = np.zeros((8, 6, 6), np.uint8)
    labels[:4] = 1
    labels[4:, :, :3] = 2
    micro = image(labels)
    blocked = interface_current(micro, 0.01)
    bare = reacting_interface(micro, "active", "pore").area.sum()
    covered = reacting_interface(micro, "active", "binder").area.sum()
    assert blocked.area == pytest.approx(bare) and blocked.blocked_area == pytest.approx(covered)
    assert blocked.concentration_ratio() == pytest.approx(1.0)
    r = 0.02
    eta = 1e-5
    resisted = interface_current(micro, eta, coverings={"binder": r})
    assert resisted.blocked_area == 0.0
    under = resisted.facets.between("active", "binder")
    charge_transfer = eta / float(butler_volmer(eta, 1.0))
    assert resisted.current_density[under] == pytest.approx(eta / (charge_transfer + r), rel=1e-6)
    assert resisted.current_density[~under] == pytest.approx(eta / charge_transfer)
    free = interface_current(micro, 0.01, coverings={"binder": 0.0})
    assert free.total_current == pytest.approx(
        float(butler_volmer(0.01, 1.0)) * (bare + covered), rel=1e-9
    )
    named = interface_current(micro, 0.01, coverings={"binder": None})
    assert named.total_current == blocked.total_current


@pytest.mark.parametrize("meshed", [False, True])
def test_two_hot_patches_are_found(meshed):
    labels = np.zeros((8, 24, 24), np.uint8)
    labels[:4] = 1
    micro = image(labels)
    places = np.array([[6.0, 6.0], [16.0, 17.0]]) * VOXEL
    radii = np.array([4.0, 3.0]) * VOXEL

    def exchange(place):
        far = np.linalg.norm(place[:, None, 1:] - places, axis=2)
        return np.where((far < radii).any(axis=1), 5.0, 1.0)

    source = mt.meshing.tetrahedralize(micro, 1.0) if meshed else micro
    result = interface_current(source, 0.01, exchange)
    found = result.hot_spots(multiple=2.0)
    assert len(found.spots) == 2
    one = float(butler_volmer(0.01, 1.0))
    for spot, place, radius in zip(found.spots, places, radii, strict=True):
        # A disc of three voxels holds 32 faces of voxels, not 28.3.
        assert spot.diameter == pytest.approx(2 * radius, rel=0.07)
        assert spot.centre[1:] == pytest.approx(place, abs=0.3 * VOXEL)
        assert spot.mean == pytest.approx(5 * one) == spot.peak
        assert spot.current == pytest.approx(spot.mean * spot.area)
    hot = found.number >= 0
    assert found.share_of_area == pytest.approx(
        result.facets.area[hot].sum() / result.area, rel=1e-12
    )
    assert sum(spot.share for spot in found.spots) == pytest.approx(found.share_of_current)
    assert found.spots[0].current > found.spots[1].current
    assert sum(spot.facets for spot in found.spots) == hot.sum()


def test_a_quantile_leaves_its_share_of_the_area():
    micro = ball(10)
    result = interface_current(micro, 0.01, random_exchange_current(micro, 1.0, 0.5, 1e-6))
    found = result.hot_spots(quantile=0.9)
    assert found.share_of_area == pytest.approx(0.1, abs=0.002)
    assert 0.1 < found.share_of_current < 0.4
    assert result.quantile(0.9) == found.threshold
    assert result.concentration_ratio(0.9) == pytest.approx(found.threshold / result.mean)
    backward = interface_current(micro, -0.01, random_exchange_current(micro, 1.0, 0.5, 1e-6))
    same = backward.hot_spots(quantile=0.9)
    assert np.array_equal(same.number, found.number)
    assert same.spots[0].current == pytest.approx(-found.spots[0].current)


@pytest.mark.parametrize("radius", [4, 6, 10])
def test_a_uniform_current_has_no_hot_spot(radius):
    found = interface_current(ball(radius)).hot_spots(multiple=1.0)
    assert found.spots == () and found.share_of_current == 0.0 == found.share_of_area


def test_currents_of_both_signs():
    labels = np.zeros((8, 24, 12), np.uint8)
    labels[:4, :12], labels[:4, 12:] = 1, 2
    result = interface_current(
        image(labels), {"active": 0.02, "binder": -0.01}, active=("active", "binder")
    )
    found = result.hot_spots(multiple=0.2)
    assert len(found.spots) == 2
    assert found.spots[0].current > 0.0 > found.spots[1].current
    assert found.share_of_current == pytest.approx(1.0)
    assert sum(spot.share for spot in found.spots) == pytest.approx(1.0)
    assert result.profile().sum() == pytest.approx(1.0)
    magnitude = np.abs(result.current_density)
    assert result.quantile(1.0) == magnitude.max()
    mean = magnitude @ result.facets.area / result.area
    assert result.concentration_ratio(1.0) == pytest.approx(magnitude.max() / mean)
    assert result.hot_spots(multiple=1.5).threshold == pytest.approx(1.5 * mean)


@pytest.mark.parametrize("wall", [1, 2, 3])
def test_the_sides_of_a_wall_are_two_spots(wall):
    labels = np.zeros((10 + wall, 20, 20), np.uint8)
    labels[5 : 5 + wall] = 1
    result = interface_current(
        image(labels),
        0.01,
        lambda place: np.where(
            np.linalg.norm(place[:, 1:] - 10 * VOXEL, axis=1) < 3.1 * VOXEL, 5.0, 1.0
        ),
    )
    found = result.hot_spots(multiple=2.0)
    assert len(found.spots) == 2
    sides = {spot.centre[0] > (5 + wall / 2) * VOXEL for spot in found.spots}
    assert sides == {True, False}


def test_spots_touch_at_corners_and_around_edges():
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:4, :4] = 1
    micro = image(labels)
    hot = np.zeros(micro.shape)
    # A row along the outer edge of a block, and one that it touches at a corner only.
    hot[3, 3, :3], hot[3, 2, 3] = 1.0, 1.0
    found = interface_current(micro, 0.01, 1.0 + 9.0 * hot, interface="voxel").hot_spots(
        multiple=2.0
    )
    assert len(found.spots) == 1
    assert found.spots[0].facets == 7
    apart = np.zeros(micro.shape)
    apart[3, 3, 0], apart[3, 3, 3] = 1.0, 1.0
    found = interface_current(micro, 0.01, 1.0 + 9.0 * apart, interface="voxel").hot_spots(
        multiple=2.0
    )
    assert [spot.facets for spot in found.spots] == [2, 2]


def test_the_place_of_a_spot_is_weighted_by_current():
    labels = np.zeros((8, 6, 12), np.uint8)
    labels[:4] = 1
    field = np.ones((8, 6, 12))
    field[:, :, 4:6], field[:, :, 6:8] = 10.0, 30.0
    result = interface_current(image(labels), 0.01, field, interface="voxel")
    (spot,) = result.hot_spots(multiple=1.0).spots
    assert spot.centre[2] == pytest.approx((10 * 5 + 30 * 7) / 40 * VOXEL)


def test_layers_share_the_facets_between_them():
    labels = np.zeros((6, 20, 30), np.uint8)
    labels[:3] = 1
    assert interface_current(image(labels), interface="voxel").profile() == pytest.approx(
        [0.0, 0.0, 0.5, 0.5, 0.0, 0.0]
    )
    shares = interface_current(ball(8), interface="voxel").profile()
    assert shares == pytest.approx(shares[::-1])
    assert interface_current(ball(8)).profile(1) == pytest.approx([1.0])


def test_film_and_covering_add():
    labels = np.zeros((8, 6, 6), np.uint8)
    labels[:4] = 1
    labels[4:, :, :3] = 2
    eta = 1e-5
    result = interface_current(image(labels), eta, film_resistance=0.01, coverings={"binder": 0.02})
    transfer = eta / float(butler_volmer(eta, 1.0))
    under = result.facets.between("active", "binder")
    assert result.current_density[under] == pytest.approx(eta / (transfer + 0.03), rel=1e-6)
    assert result.current_density[~under] == pytest.approx(eta / (transfer + 0.01), rel=1e-6)


def test_a_mesh_without_an_image():
    n = 20
    place = np.indices((n, n, n)) + 0.5 - n / 2
    distance = (6.0 - np.sqrt((place**2).sum(axis=0))) * VOXEL
    fields = mt.meshing.level_set_fields({"active": distance}, (n * VOXEL,) * 3)
    mesh = mt.meshing.tetrahedralize(fields)
    result = interface_current(mesh, electrolyte=fields.phases[0], overpotential=0.02)
    assert result.mean == pytest.approx(float(butler_volmer(0.02, 1.0)))
    assert result.profile(4) == pytest.approx(result.profile(4)[::-1], abs=0.02)
    with pytest.raises(ValueError, match="has no image, so give the number of layers"):
        result.profile()
    with pytest.raises(ValueError, match="was not made from an image"):
        result.on_image()
    with pytest.raises(ValueError, match="one value for each of the"):
        interface_current(mesh, 0.01, np.ones((n, n, n)), electrolyte=fields.phases[0])


def test_facets_can_be_chosen_on_a_mesh():
    facets = reacting_interface(mt.meshing.tetrahedralize(ball(5)))
    some = facets.normal[:, 0] > 0.5
    part = facets.chosen(some)
    assert len(part) == some.sum() == len(part.corners) == len(part.active_voxel)
    assert np.array_equal(part.corners, facets.corners[some])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"active": "carbon"}, "phase 'carbon' is not known; there are pore, active"),
        ({"electrolyte": "active"}, "cannot be on both sides"),
        ({"active": []}, "no phase is named"),
        ({"interface": "rough"}, "interface 'rough' is not known"),
        ({"exchange_current_density": np.ones((2, 2))}, r"has the shape \(2, 2\)"),
        ({"exchange_current_density": "1 A"}, "'1 A' is not a number"),
        ({"exchange_current_density": {"graphite": 1.0}}, "no value for the phase 'active'"),
        ({"exchange_current_density": -1.0}, "exchange current density is negative"),
        ({"film_resistance": -1.0}, "film resistance is negative"),
        ({"coverings": {"pore": 1.0}}, "'pore' covers nothing"),
        ({"coverings": {"skin": 1.0}}, "'skin' is not known"),
        ({"coverings": {"binder": -1.0}}, "covering 'binder' is not allowed"),
        ({"overpotential": 100.0}, "no finite current density"),
        ({"overpotential": np.nan, "film_resistance": 1.0}, "an overpotential is no finite number"),
        ({"coverings": ["binder"]}, "give resistances by name"),
        ({"coverings": {"binder": "thin"}}, "covering 'binder' is not allowed"),
        ({"temperature": "room"}, "temperature 'room' is not allowed"),
        ({"active": None}, "None names no phase"),
        ({"electrolyte": ["pore"]}, r"\['pore'\] is not known"),
        ({"transfer_coefficients": 0.5}, "transfer coefficients 0.5 are not allowed"),
        ({"exchange_current_density": lambda place: "x"}, "'x' is not a number"),
    ],
)
def test_what_is_not_allowed(options, words):
    micro = slabs(1, 1, 0, 0, 2, 2)
    with pytest.raises(ValueError, match=words):
        interface_current(micro, **options)


def test_phases_that_do_not_meet():
    with pytest.raises(ValueError, match="do not meet, so nothing can react"):
        interface_current(slabs(1, 1, 2, 2, 0, 0))
    with pytest.raises(ValueError, match="do not meet"):
        reacting_interface(slabs(1, 1, 2, 2, 0, 0))
    with pytest.raises(ValueError, match="a ndarray has no interface"):
        interface_current(np.zeros((4, 4, 4)))


def test_thresholds_that_are_not_allowed():
    result = interface_current(ball(4))
    for options, words in (
        ({"quantile": 0.9, "multiple": 2.0}, "both given"),
        ({"quantile": 1.0}, "quantile 1.0 is not allowed"),
        ({"multiple": 0.0}, "multiple 0.0 is not allowed"),
    ):
        with pytest.raises(ValueError, match=words):
            result.hot_spots(**options)
    with pytest.raises(ValueError, match="one value for each of the"):
        hot_spots(result.facets, np.ones(3))
    with pytest.raises(ValueError, match="a current density is no finite number"):
        hot_spots(result.facets, np.full(len(result.facets), np.nan))
    values = list(result.exchange_current_density)
    assert hot_spots(result.facets, values).spots == ()
    for layers in (0, 2.5, "a", True):
        with pytest.raises(ValueError, match="give a whole number of 1 or more"):
            result.profile(layers)
    with pytest.raises(ValueError, match="'c' is not known"):
        result.facets.between("c", "pore")
    with pytest.raises(ValueError, match=r"share 2\.0 is not allowed"):
        result.quantile(2.0)
    with pytest.raises(ValueError, match="'carbon' is not known"):
        result.current_of("carbon")


def test_a_real_electrode_is_mostly_covered():
    """Binder covers 55 to 60 % of the active surface of this image."""
    path = real_image("nmc-cbd/nmc-1-cal_generatedCBD_bridge.tif")
    phases = {"pore": 0, "active": 1, "binder": 2}
    micro = mt.read_microstructure(path, voxel_size=VOXEL, phases=phases)
    result = interface_current(micro.crop(slice(70, 150), slice(100, 180), slice(100, 180)))
    covered = result.blocked_area / (result.area + result.blocked_area)
    assert 0.5 < covered < 0.65
