from __future__ import annotations

import math

import pytest

from microtwin import transport
from microtwin.transport.options import check_options

from .pictures import blobs, channel


def test_allowed_options_pass():
    for boundary in ("faces", "periodic", "mirror"):
        for interface in ("smooth", "voxel"):
            check_options(boundary, interface, 1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("open", "smooth", 1e-4), "boundary 'open' is not known; use 'faces' .*'periodic'"),
        (("faces", "sharp", 1e-4), "interface 'sharp' is not known; use 'smooth'"),
        (("faces", "smooth", 0.0), "tol 0.0 is not allowed; .* between 0 and 1"),
        (("faces", "smooth", 1.0), "tol 1.0 is not allowed"),
        (("faces", "smooth", -1e-4), "tol -0.0001 is not allowed"),
        (("faces", "smooth", math.nan), "tol nan is not allowed"),
    ],
)
def test_other_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        check_options(*options)
    boundary, interface, tol = options
    with pytest.raises(ValueError, match=message):
        transport.tortuosity_factor(
            channel(), "pore", boundary=boundary, interface=interface, tol=tol
        )
    with pytest.raises(ValueError, match=message):
        transport.homogenize(channel(), {"pore": 1.0}, boundary, interface, tol)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match=r"phase 'void' is not in .* it has pore, solid"):
        transport.tortuosity_factor(channel(), "void")
    with pytest.raises(ValueError, match=r"phase 'void' is not in .* it has pore, solid"):
        transport.homogenize(channel(), {"void": 1.0})
    with pytest.raises(ValueError, match=r"'w'.*z.*y.*x"):
        transport.tortuosity_factor(channel(), "pore", "w")


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_conductivities_must_be_finite_and_not_negative(value):
    with pytest.raises(ValueError, match=r"conductivity .* of phase 'pore' is not allowed"):
        transport.homogenize(channel(), {"pore": value})


@pytest.mark.parametrize("phases", [{}, {"pore": 0.0}])
def test_something_must_conduct(phases):
    with pytest.raises(ValueError, match="no phase conducts"):
        transport.homogenize(channel(), phases)


@pytest.mark.parametrize("interface", ["smooth", "voxel"])
def test_too_few_iterations_raise_and_return_no_number(interface):
    # 32^3 voxels are beyond the direct solver: one iteration does not reach a residual of 1e-6.
    from microtwin.numerics import ConvergenceError

    with pytest.raises(ConvergenceError, match="no convergence in 1 iterations: residual"):
        transport.tortuosity_factor(blobs(), "pore", interface=interface, max_iterations=1)
    with pytest.raises(ConvergenceError, match="no convergence in 1 iterations: residual"):
        transport.homogenize(blobs(), {"pore": 1.0}, interface=interface, max_iterations=1)
