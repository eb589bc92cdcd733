from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import microtwin as mt
from microtwin.imaging import separate_particles
from microtwin.mechanics import isotropic, ligaments, rank_ligaments, write_ligaments

PHASES = {"pore": 0, "active": 1, "binder": 2}
H = 1e-6
SOLIDS = {"active": isotropic(100e9, 0.25), "binder": isotropic(1e9, 0.35)}


def image(labels, voxel=H):
    return mt.Microstructure(labels.astype(np.uint8), voxel, PHASES)


def plates(thickness=2, shape=(12, 8, 6), axis=0):
    """Two plates with a film of binder between them, and the number of each."""
    labels = np.ones(shape)
    numbers = np.ones(shape, int)
    moved, own = np.moveaxis(labels, axis, 0), np.moveaxis(numbers, axis, 0)
    moved[4 : 4 + thickness], own[4 : 4 + thickness] = 2, 0
    own[4 + thickness :] = 2
    return labels, numbers


def balls():
    """Two balls along x that do not touch, with a rod of binder between them."""
    z, y, x = np.indices((20, 20, 40)) + 0.5
    labels = np.zeros(z.shape)
    numbers = np.zeros(z.shape, int)
    labels[((z - 10) ** 2 + (y - 10) ** 2 < 9) & (x > 10) & (x < 30)] = 2
    for number, middle in ((1, 10.0), (2, 30.0)):
        ball = (z - 10) ** 2 + (y - 10) ** 2 + (x - middle) ** 2 < 8.0**2
        labels[ball], numbers[ball] = 1, number
    return labels, numbers


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("thickness", [1, 2, 3])
def test_a_film_between_plates(axis, thickness):
    """Exact, also on voxels that are no cubes."""
    edges = np.array([1.0, 2.0, 0.5]) * H
    shape = (12, 10, 11)
    labels, numbers = plates(thickness, shape, axis)
    gap = thickness * edges[axis]
    found = ligaments(image(labels, edges), numbers, widest_gap=gap)
    assert found.kind == ("binder",) and found.particles.tolist() == [[1, 2]]
    area = np.prod(np.array(shape) * edges) / (shape[axis] * edges[axis])
    assert found.smallest_gap[0] == pytest.approx(gap)
    assert found.mean_gap[0] == pytest.approx(gap)
    assert found.area[0] == pytest.approx(area)
    assert found.volume[0] == pytest.approx(area * gap)
    np.testing.assert_allclose(found.axis[0], np.eye(3)[axis])
    expected = 0.5 * np.array(shape) * edges
    expected[axis] = (4 + 0.5 * thickness) * edges[axis]
    np.testing.assert_allclose(found.centre[0], expected)
    assert found.touches_border[0]
    assert (found.region == (labels == 2)).all()


def test_a_film_at_a_slant_has_its_own_area():
    """A plane at 45 degrees: the staircase is longer, the sum of its faces as vectors is not."""
    z, y, _ = np.indices((24, 24, 8))
    way = z + y
    labels = np.where((way >= 22) & (way < 25), 2, 1)
    numbers = np.where(way < 22, 1, np.where(way >= 25, 2, 0))
    found = ligaments(image(labels), numbers, widest_gap=4e-6)
    assert len(found) == 1
    np.testing.assert_allclose(found.axis[0], [np.sqrt(0.5), np.sqrt(0.5), 0.0], atol=0.05)
    # Both surfaces run over 22.5 voxels of the 24 along z and y.
    assert found.area[0] == pytest.approx(np.sqrt(2.0) * 22.5 * 8 * H**2, rel=0.03)


def test_a_rod_between_balls():
    labels, numbers = balls()
    found = ligaments(image(labels), numbers, widest_gap=6e-6)
    assert found.kind == ("binder",)
    np.testing.assert_allclose(found.axis[0], [0.0, 0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(found.centre[0], [10e-6, 10e-6, 20e-6])
    assert found.smallest_gap[0] == pytest.approx(4e-6)
    assert found.area[0] == pytest.approx((labels[:, :, 20] == 2).sum() * H**2)
    assert not found.touches_border[0]
    # Narrower than the gap there is no ligament, and a coating that joins nothing is none.
    assert len(ligaments(image(labels), numbers, widest_gap=3e-6)) == 0
    labels[:, :, 19:21] = 0
    assert len(ligaments(image(labels), numbers, widest_gap=6e-6)) == 0


def test_each_place_between_the_same_particles_counts():
    labels, numbers = plates(2, (12, 9, 6))
    labels[4:6, 4] = 0
    found = ligaments(image(labels), numbers, widest_gap=3e-6)
    assert len(found) == 2 and (found.particles == [1, 2]).all()
    np.testing.assert_allclose(found.area, 24e-12)


def test_contacts_of_particles():
    labels, numbers = plates(0)
    labels[0, 0, 0], numbers[0, 0, 0] = 2, 0  # some binder elsewhere
    found = ligaments(image(labels), numbers, widest_gap=2e-6)
    assert found.kind == ("contact",)
    assert found.area[0] == pytest.approx(48e-12, rel=1e-9, abs=0.0)
    assert found.volume[0] == pytest.approx(2 * 48e-18, rel=1e-9, abs=0.0)
    assert found.smallest_gap[0] == found.mean_gap[0] == 0.0
    np.testing.assert_allclose(found.axis[0], [1.0, 0.0, 0.0])
    np.testing.assert_allclose(found.centre[0], [4e-6, 4e-6, 3e-6])
    assert len(ligaments(image(labels), numbers, widest_gap=2e-6, contacts=False)) == 0


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_what_belongs_to_whom(seed):
    """On random images: regions, kinds, volumes and neighbours agree with each other."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2], (10, 9, 8), p=[0.2, 0.5, 0.3])
    numbers = np.where(labels == 1, rng.integers(1, 5, labels.shape), 0)
    found = ligaments(image(labels), numbers, widest_gap=3e-6)
    counts = np.bincount(found.region.ravel(), minlength=len(found) + 1)[1:]
    np.testing.assert_allclose(found.volume, counts * H**3)
    for k, kind in enumerate(found.kind):
        assert (labels[found.region == k + 1] == (2 if kind == "binder" else 1)).all()
    np.testing.assert_allclose(np.linalg.norm(found.axis, axis=1), 1.0)
    assert (found.particles[:, 0] < found.particles[:, 1]).all()
    gaps = found.smallest_gap
    binder = np.array([kind == "binder" for kind in found.kind])
    assert (gaps[binder] >= 0.99 * H).all() and (found.mean_gap >= gaps - 1e-12).all()


def test_particles_are_separated_where_none_are_given():
    micro = mt.generation.electrode(24, 0.4e-6, porosity=0.3, binder_fraction=0.2, seed=3).micro
    found = ligaments(micro, widest_gap=1.2e-6)
    again = ligaments(micro, separate_particles(micro, "active").labels, widest_gap=1.2e-6)
    assert len(found) > 0 and (found.region == again.region).all()


def test_loads_of_layers_are_those_known():
    """A film is in series with its plates: the stress across it is the same everywhere."""
    labels, numbers = plates(2, (12, 6, 6))
    micro = image(labels)
    load = np.array([3e6, 0.0, 0.0, 0.0, 1e6, 0.0])
    solved = mt.mechanics.solve_swelling(micro, SOLIDS, {}, mean_stress=load, tol=1e-9)
    found = ligaments(micro, numbers, widest_gap=3e-6)
    loads = rank_ligaments(found, solved.stress, length=2e-6, materials=SOLIDS, periodic=True)
    assert loads.normal_stress[0] == pytest.approx(3e6, rel=1e-6)
    assert loads.shear_stress[0] == pytest.approx(1e6, rel=1e-6)
    assert loads.force[0] == pytest.approx(3e6 * 36e-12, rel=1e-6, abs=0.0)
    binder = solved.stress[:, labels == 2]
    expected = binder.mean(axis=1, dtype=float)
    np.testing.assert_allclose(loads.mean_stress[0], expected, rtol=1e-6, atol=1.0)
    # The stress is even in the film, so means and peaks are one.
    assert loads.peak_von_mises[0] == pytest.approx(loads.mean_von_mises[0], rel=1e-6)
    expected = 0.5 * binder[:, 0] @ SOLIDS["binder"].compliance @ binder[:, 0] * found.volume[0]
    assert loads.energy[0] == pytest.approx(expected, rel=1e-6)


def ranked(**more):
    """Two films, one under three times the pull of the other, and a contact."""
    labels, numbers = plates(2, (14, 12, 5))
    labels[4:6, [5, 6, 9]] = 0
    labels[4:6, 10:], numbers[4:6, 10:] = 1, 1
    stress = np.zeros((6, *labels.shape))
    stress[0, :, :5], stress[0, :, 5:10], stress[0, :, 10:] = 1e6, 3e6, -9e6
    found = ligaments(image(labels), numbers, widest_gap=3e-6)
    return found, rank_ligaments(found, stress, length=2e-6, **more)


def test_the_highest_load_comes_first():
    found, loads = ranked()
    kinds = [found.kind[k] for k in loads.order]
    assert kinds == ["contact", "binder", "binder"]
    np.testing.assert_allclose(loads.peak_von_mises[loads.top(kind="binder")], [3e6, 1e6])
    assert len(loads.top(1)) == 1 and len(loads.top(inner=True)) == 0
    _, by_pull = ranked(by="normal_stress")
    assert [found.kind[k] for k in by_pull.order] == ["binder", "binder", "contact"]
    assert by_pull.normal_stress[by_pull.order[0]] == pytest.approx(3e6)
    assert by_pull.maximum_principal[by_pull.order[-1]] == pytest.approx(0.0, abs=1.0)


def test_tables_are_written_and_read_back(tmp_path):
    _, loads = ranked()
    write_ligaments(tmp_path / "loads.csv", loads)
    write_ligaments(tmp_path / "loads.json", loads)
    with (tmp_path / "loads.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    whole = json.loads((tmp_path / "loads.json").read_text())
    assert whole["by"] == "peak_von_mises" and whole["ligaments"] == loads.rows()
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert float(rows[0]["peak_von_mises_Pa"]) == pytest.approx(9e6)
    assert rows[0]["energy_J"] == "" and whole["ligaments"][0]["energy_J"] is None
    with pytest.raises(ValueError, match=r"ends in \.csv or \.json"):
        write_ligaments(tmp_path / "loads.txt", loads)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"widest_gap": 0.5e-6}, "widest_gap 5e-07 is not allowed"),
        ({"particles": np.ones((3, 3), int)}, "do not fit an image of shape"),
        ({"particles": np.zeros((12, 8, 6), int)}, "no particle at all"),
        ({"particles": -np.ones((12, 8, 6), int)}, "negative numbers"),
        ({"particles": np.ones((12, 8, 6), int)}, "outside of phase 'active'"),
        ({"particles": np.ones((12, 8, 6))}, "one whole number for each voxel"),
        ({"binder": "pore"}, "phase 'pore' has no voxel"),
        ({"binder": "glue"}, "phase 'glue' is not in"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    labels, numbers = plates()
    with pytest.raises(ValueError, match=words):
        ligaments(image(labels), **{"particles": numbers, "widest_gap": 3e-6, **change})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stress": np.zeros((6, 3, 3, 3))}, "does not fit ligaments in an image"),
        ({"by": "colour"}, "'colour' cannot be ranked by"),
        ({"by": "energy"}, "the energy needs materials"),
        ({"materials": {}}, "the material of 'binder' is missing"),
        ({"length": 0.0}, "length 0.0 is not allowed"),
    ],
)
def test_loads_that_do_not_fit_are_refused(change, words):
    labels, numbers = plates()
    found = ligaments(image(labels), numbers, widest_gap=3e-6)
    arguments = {"stress": np.zeros((6, *labels.shape)), "length": 2e-6, **change}
    with pytest.raises(ValueError, match=words):
        rank_ligaments(found, **arguments)


def test_without_a_ligament_there_is_nothing_to_rank():
    labels, numbers = plates(3)
    found = ligaments(image(labels), numbers, widest_gap=1e-6)
    with pytest.raises(ValueError, match="no ligament to rank"):
        rank_ligaments(found, np.zeros((6, *labels.shape)), length=2e-6)
