from __future__ import annotations

import pytest

from microtwin.trust import cross_verification, refined


@pytest.mark.parametrize("order", [1.0, 1.5, 2.0])
def test_values_of_known_order_are_extrapolated_exactly(order):
    sizes = (1.0, 1.5, 2.5)
    values = [3.0 + 0.2 * s**order for s in sizes]
    found = refined(sizes, values, order=2.0)
    assert found.observed_order == pytest.approx(order, abs=1e-6)
    assert found.extrapolated == pytest.approx(3.0, abs=1e-9)
    assert found.error == pytest.approx(0.2, abs=1e-9)


def test_two_values_are_extrapolated_with_the_formal_order():
    found = refined((1.0, 2.0), (1.04, 1.16), order=2.0)
    assert found.observed_order is None
    assert found.extrapolated == pytest.approx(1.0)


def test_values_that_do_not_converge_steadily_fall_back_to_the_formal_order():
    found = refined((1.0, 2.0, 4.0), (1.0, 1.1, 1.0), order=2.0)
    assert found.observed_order is None
    assert found.order == 2.0


def test_two_methods_that_agree():
    found = cross_verification(
        lambda h: 5.0 + 0.3 * h**2, lambda s: 5.01 - 0.1 * s**2, ((1, 2), (1.5, 3))
    )
    assert found.agrees
    assert found.difference == pytest.approx(0.01 / 5.005, rel=1e-6)
    assert "the two agree" in found.sentence


def test_a_method_with_an_error_of_its_own_is_found():
    found = cross_verification(
        lambda h: 5.0 + 0.01 * h**2, lambda s: 5.3 - 0.01 * s**2, ((1, 2), (1, 2))
    )
    assert not found.agrees
    assert "different details" in found.sentence


def test_a_difference_within_the_errors():
    found = cross_verification(
        lambda h: 5.0 + 0.3 * h**2, lambda s: 5.2 - 0.01 * s**2, ((1, 2), (1, 2))
    )
    assert found.agrees
    assert "within what the resolutions explain" in found.sentence


def test_nothing_on_both_sides_agrees():
    found = cross_verification(lambda h: 0.0, lambda s: 0.0, ((1, 2), (1, 2)))
    assert found.agrees
    assert found.difference == 0.0


@pytest.mark.parametrize("sizes", [(1.0,), (2.0, 1.0), (0.0, 1.0)])
def test_sizes_that_are_not_allowed(sizes):
    with pytest.raises(ValueError, match=r"finest first|at least two"):
        refined(sizes, [1.0] * len(sizes), 2.0)


@pytest.mark.parametrize(("first", "second"), [(0.0, 0.1), (0.1, 0.0)])
def test_what_gets_through_with_one_method_only_is_said(first, second):
    found = cross_verification(lambda _: first, lambda _: second, ((1.0, 2.0), (1.0, 2.0)))
    closed, open_ = ("voxels", "mesh") if first == 0.0 else ("mesh", "voxels")
    assert f"On {closed} the value is 0, on {open_} 0.1 and 0.1" in found.sentence
    assert not found.agrees and found.difference == 2.0
