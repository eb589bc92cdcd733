"""Compiled geometry of one particle: gauge, distance and support point of each form.

A particle is the image of a body around the origin under a stretch by its semi-axes, a rotation
and a shift. Its gauge g(x) is the factor by which it must be scaled about its centre to have the
point x on its surface: below 1 inside. Its support point in a direction u is the point of its
convex hull that lies farthest along u.

``kind`` is one of the numbers below; ``data`` holds the rows of the body that belong to it:

* SPHERE, ELLIPSOID: none; the body is the unit ball.
* PLATE: none; the particle is a flat disc with a rounded rim, all points within the half
  thickness (first semi-axis) of a disc.
* POLYHEDRON: unit normal (3) and distance from the centre (1) of each facet.
* IRREGULAR: direction k (3), degree n and amplitude of each wave of the surface; the radius in the
  direction u is c (1 + sum of amplitude * P_n(k . u)), with the Legendre polynomials P_2 to P_5
  and c as amplitude of the last row.

``hull`` holds corners of the body, for the support of polyhedra and irregular bodies.
"""

from __future__ import annotations

import math

from numba import njit

from ..numerics.compiling import INNER, OPTIONS

__all__ = [
    "ELLIPSOID",
    "FARTHEST",
    "IRREGULAR",
    "NEAREST",
    "PLATE",
    "POLYHEDRON",
    "SPHERE",
    "gauge_and_distance",
    "half_extents",
    "support",
]

SPHERE, ELLIPSOID, PLATE, POLYHEDRON, IRREGULAR = range(5)

# Irregular bodies have their surface between these gauges of the ball they are made from (`forms`
# draws no others), and far from it their waves do not matter.
NEAREST, FARTHEST = 0.3, 2.5


@njit(**INNER)
def gauge_and_distance(kind, data, first, end, a, p, q, r):
    """Return gauge and signed distance of a point (p, q, r) in the frame of the particle.

    ``a`` holds the three semi-axes. The distance is exact for spheres and plates and inside
    polyhedra; elsewhere it is right to first order in the distance from the surface.
    """
    if kind == SPHERE:
        length = math.sqrt(p * p + q * q + r * r)
        return length / a[0], length - a[0]
    if kind == PLATE:
        return _plate(a[0], a[1], abs(p), math.sqrt(q * q + r * r))
    u, v, w = p / a[0], q / a[1], r / a[2]
    smallest = min(a[0], min(a[1], a[2]))
    if kind == POLYHEDRON:
        gauge, distance = 0.0, -1e30
        slope, stretched = 1.0 / smallest, a[0] != a[1] or a[1] != a[2]
        for i in range(first, end):
            along = data[i, 0] * u + data[i, 1] * v + data[i, 2] * w
            if stretched:  # length of the gradient of `along` in the frame of the particle
                slope = math.sqrt(
                    (data[i, 0] / a[0]) ** 2 + (data[i, 1] / a[1]) ** 2 + (data[i, 2] / a[2]) ** 2
                )
            gauge = max(gauge, along / data[i, 3])
            distance = max(distance, (along - data[i, 3]) / slope)
        return gauge, distance
    gauge = math.sqrt(u * u + v * v + w * w)
    if gauge < 1e-9:
        return gauge, -smallest
    # Gradient of the gauge in the frame of the body; for an ellipsoid it is the unit vector.
    gu, gv, gw = u / gauge, v / gauge, w / gauge
    if kind == IRREGULAR and NEAREST < gauge < FARTHEST:
        # The radius r(u) in the direction u makes the gauge |q| / r, and its gradient
        # u / r - |q| / r^2 grad r, with the sum of h P_n'(k . u) (k - (k . u) u) / |q| in it.
        eu, ev, ew = gu, gv, gw
        wave, along = 1.0, 0.0
        su, sv, sw = 0.0, 0.0, 0.0
        for i in range(first, end - 1):
            t = data[i, 0] * eu + data[i, 1] * ev + data[i, 2] * ew
            value, slope = _legendre(data[i, 3], t)
            wave += data[i, 4] * value
            slope *= data[i, 4]
            along += slope * t
            su, sv, sw = su + slope * data[i, 0], sv + slope * data[i, 1], sw + slope * data[i, 2]
        radius = data[end - 1, 4] * wave
        gu = (eu - (su - along * eu) / wave) / radius
        gv = (ev - (sv - along * ev) / wave) / radius
        gw = (ew - (sw - along * ew) / wave) / radius
        gauge /= radius
    slope = math.sqrt((gu / a[0]) ** 2 + (gv / a[1]) ** 2 + (gw / a[2]) ** 2)
    return gauge, (gauge - 1.0) / slope


@njit(**INNER)
def _legendre(degree, t):
    """Legendre polynomial of degree 2 to 5, and its derivative."""
    square = t * t
    if degree == 2.0:
        return 1.5 * square - 0.5, 3.0 * t
    if degree == 3.0:
        return (2.5 * square - 1.5) * t, 7.5 * square - 1.5
    if degree == 4.0:
        return (4.375 * square - 3.75) * square + 0.375, (17.5 * square - 7.5) * t
    return (
        ((7.875 * square - 8.75) * square + 1.875) * t,
        (39.375 * square - 26.25) * square + 1.875,
    )


@njit(**INNER)
def _plate(half, radius, height, across):
    """Gauge and distance of a rounded disc, at a height above its middle plane and off its axis."""
    disc = radius - half
    outside = across - disc
    distance = height - half if outside <= 0.0 else math.hypot(height, outside) - half
    gauge = height / half
    if across > disc * gauge:
        # The scaled rim passes through the point: (across - g disc)^2 + height^2 = (g half)^2.
        square = across * across + height * height
        # Written so that nothing cancels whichever of disc and half is larger.
        root = across * disc + math.sqrt(
            max(across * across * half * half - (disc * disc - half * half) * height * height, 0.0)
        )
        gauge = square / root if root > 0.0 else 0.0
    return gauge, distance


@njit(**INNER)
def support(kind, hull, first, end, a, rotation, u):
    """Return the point of a particle, from its centre, that lies farthest in the direction u.

    ``rotation`` has the axes of the particle as columns.
    """
    p = rotation[0, 0] * u[0] + rotation[1, 0] * u[1] + rotation[2, 0] * u[2]
    q = rotation[0, 1] * u[0] + rotation[1, 1] * u[1] + rotation[2, 1] * u[2]
    r = rotation[0, 2] * u[0] + rotation[1, 2] * u[1] + rotation[2, 2] * u[2]
    if kind == PLATE:
        across = math.sqrt(q * q + r * r)
        disc = (a[1] - a[0]) / across if across > 1e-12 else 0.0
        p, q, r = a[0] * p, (a[0] + disc) * q, (a[0] + disc) * r
    elif kind >= POLYHEDRON:
        best, chosen = -1e30, first
        for i in range(first, end):
            along = a[0] * hull[i, 0] * p + a[1] * hull[i, 1] * q + a[2] * hull[i, 2] * r
            if along > best:
                best, chosen = along, i
        p, q, r = a[0] * hull[chosen, 0], a[1] * hull[chosen, 1], a[2] * hull[chosen, 2]
    else:
        p, q, r = a[0] * a[0] * p, a[1] * a[1] * q, a[2] * a[2] * r
        height = math.sqrt((p / a[0]) ** 2 + (q / a[1]) ** 2 + (r / a[2]) ** 2)
        p, q, r = p / height, q / height, r / height
    return (
        rotation[0, 0] * p + rotation[0, 1] * q + rotation[0, 2] * r,
        rotation[1, 0] * p + rotation[1, 1] * q + rotation[1, 2] * r,
        rotation[2, 0] * p + rotation[2, 1] * q + rotation[2, 2] * r,
    )


@njit(**OPTIONS)
def half_extents(kinds, hull, spans, body, axes, rotations, out):
    """Write how far each particle reaches along each axis (z, y, x) of the box.

    ``body[i]`` is the body of particle i, ``kinds[b]`` its kind and ``spans[b]`` its first and
    end row of ``hull``. Reaches backwards and forwards are taken together, as the larger one.
    """
    for i in range(body.size):
        b = body[i]
        for axis in range(3):
            reach = 0.0
            for side in (-1.0, 1.0):
                u = (
                    side if axis == 0 else 0.0,
                    side if axis == 1 else 0.0,
                    side if axis == 2 else 0.0,
                )
                point = support(kinds[b], hull, spans[b, 0], spans[b, 1], axes[i], rotations[i], u)
                reach = max(reach, side * point[axis])
            out[i, axis] = reach
