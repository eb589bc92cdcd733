from __future__ import annotations

import itertools

import numpy as np
import pytest

from microtwin.geometry.catalogue import EDGES, pattern_table
from microtwin.geometry.kernels import ALL_OTHER, FULL

CORNERS = np.arange(8)
BITS = np.array(list(itertools.product((0, 1), repeat=3)))


def number(digits):
    """Return the pattern numbers of digits, shape (..., 8)."""
    return (np.asarray(digits) << (2 * CORNERS)).sum(-1)


TWO_PHASES = np.array(list(itertools.product((0, 1), repeat=8)))
FOUR_PHASES = np.random.default_rng(0).integers(0, 4, (200, 8))


def rows(digits):
    table = pattern_table()
    patterns = number(digits)
    table.include(patterns)
    return table.faces[patterns].astype(int), table.octants[patterns].astype(int)


@pytest.mark.parametrize("digits", [TWO_PHASES, FOUR_PHASES], ids=["two", "four"])
def test_symmetric_under_the_48_motions_of_the_cube(digits):
    edge = {frozenset(pair): n for n, pair in enumerate(EDGES.tolist())}
    faces, octants = rows(digits)
    for order in itertools.permutations(range(3)):
        for flip in itertools.product((0, 1), repeat=3):
            moved = (BITS[:, order] ^ flip) @ (4, 2, 1)  # where each corner goes
            turned = np.empty_like(digits)
            turned[:, moved] = digits
            new_faces, new_octants = rows(turned)
            np.testing.assert_array_equal(new_octants[:, moved], octants)
            edges = [edge[frozenset((moved[a], moved[b]))] for a, b in EDGES.tolist()]
            np.testing.assert_array_equal(new_faces[:, edges], faces)


def test_two_phases_fill_everything_exactly():
    faces, octants = rows(TWO_PHASES)
    other_faces, other_octants = rows(1 - TWO_PHASES)
    assert (faces + other_faces == FULL).all()
    assert (octants + other_octants == FULL).all()


def test_four_phases_fill_everything_to_rounding():
    total = 0
    for phase in range(4):
        # Exchange the roles of the phase of interest and this one.
        exchange = np.arange(4)
        exchange[[0, phase]] = phase, 0
        digits = exchange[FOUR_PHASES]
        faces, octants = rows(digits)
        total += np.hstack([faces, octants])
    assert np.abs(total - FULL).max() <= 2  # half a unit for each of four


def test_names_of_the_other_phases_do_not_matter():
    faces, octants = rows(FOUR_PHASES)
    renamed = np.array([0, 3, 1, 2])[FOUR_PHASES]
    for one, two in zip(rows(renamed), (faces, octants), strict=True):
        np.testing.assert_array_equal(one, two)


def test_one_phase_alone_fills_all_or_nothing():
    faces, octants = rows(np.array([[0] * 8, [1] * 8]))
    assert (faces[0] == FULL).all()
    assert (octants[0] == FULL).all()
    assert not faces[1].any()
    assert not octants[1].any()
    assert number([1] * 8) == ALL_OTHER


def test_the_phase_of_a_corner_keeps_its_corner():
    faces, octants = rows(FOUR_PHASES)
    inside = FOUR_PHASES == 0
    # More than an eighth: with weight above 1/2 a corner wins whatever the others are.
    assert (octants[inside] > FULL / 8).all()
    both = inside[:, EDGES[:, 0]] & inside[:, EDGES[:, 1]]
    assert (faces[both] > 0).all()


def test_a_flat_interface_is_halfway():
    faces, octants = rows(np.array([[0] * 4 + [1] * 4]))
    np.testing.assert_array_equal(octants[0], [FULL] * 4 + [0] * 4)
    along_z = EDGES[:, 1] - EDGES[:, 0] == 4
    assert (faces[0][along_z] == FULL // 2).all()  # the quarter faces in the interface


def test_shares_against_the_exact_integral():
    """One corner of eight: the phase is where (1 - z)(1 - y)(1 - x) > 1/2."""
    faces, octants = rows(np.array([[0] + [1] * 7]))
    # With c = 1 - coordinate in (1/2, 1): volume of c1 c2 c3 > 1/2 below.
    log2 = np.log(2)
    volume = 1 - 0.5 * (1 + log2 + log2**2 / 2)
    assert octants[0, 0] / (8 * FULL) == pytest.approx(volume, abs=0.002)
    assert not octants[0, 1:].any()
    # On the mid-plane c1 = 1/2 no product exceeds 1/2.
    assert not faces[0].any()


def test_quarter_face_against_the_exact_integral():
    """One edge of the phase: on its mid-plane the phase is where c1 c2 > 1/2."""
    digits = np.ones((1, 8), int)
    digits[0, [0, 4]] = 0
    faces, _ = rows(digits)
    area = 1 - 0.5 * (1 + np.log(2))
    # 100 points per quarter face.
    assert faces[0, 0] / (4 * FULL) == pytest.approx(area, abs=0.004)
