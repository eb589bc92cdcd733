from __future__ import annotations

import pytest

from microtwin.descriptors import bruggeman, stenzel


def test_published_exponents():
    # Bruggeman 1935 and Stenzel et al. 2016.
    assert bruggeman(0.4) == pytest.approx(0.4**1.5)
    assert bruggeman(0.4, exponent=2.0) == pytest.approx(0.16)
    assert stenzel(1.0, 1.0, 1.0) == 1.0
    assert stenzel(0.5, 0.25, 1.2) == pytest.approx(0.5**1.15 * 0.25**0.37 / 1.2**4.39)
    assert stenzel(0.5, 0.0, float("inf")) == 0.0


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((1.2, 0.5, 1.1), "volume fraction"), ((0.5, -1, 1.1), "constr"), ((0.5, 0.5, 0.9), "geod")],
)
def test_what_is_not_allowed(arguments, name):
    with pytest.raises(ValueError, match=name):
        stenzel(*arguments)
    if name == "volume fraction":
        with pytest.raises(ValueError, match=name):
            bruggeman(arguments[0])
