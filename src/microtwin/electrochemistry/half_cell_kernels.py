"""Compiled kernels of the half cell: currents over facets, tables, and one step in time."""

from __future__ import annotations

import math

import numpy as np
from numba import float32 as f4
from numba import float64 as f8
from numba import njit

from microtwin.numerics.compiling import FAST, INNER

NEARLY = 1e-6  # stoichiometries closer to empty or full have the kinetics of this one
FACET_STEPS = 60
FACET_GAP = 1e-5  # V; the last step makes it the square of that
LEAST_RISE = 1e-9  # ohm m^2
LEAST_EXCHANGE = 1e-12  # A/m^2
LEAST_SALT = 1e-9  # mol/m^3
MOST_CURRENT = 1e12  # A/m^2


@njit(**INNER)
def _in_table(table, first, step, x):
    """Return a tabulated function and its slope, continued as straight lines."""
    s = (x - first) / step
    i = min(max(int(s), 0), table.shape[0] - 2)
    slope = table[i + 1] - table[i]
    return table[i] + (s - i) * slope, slope / step


@njit(**INNER)
def _exchange_current(table, root, x):
    """Return the exchange current density and its slope with the stoichiometry.

    The table, shape (m, n), runs over the root of the salt concentration, `root`, in steps, and
    over s with x = sin^2(pi s / 2): square roots of both are as good as straight there.
    """
    if x < NEARLY or x > 1.0 - NEARLY:
        x, turns = min(max(x, NEARLY), 1.0 - NEARLY), 0.0
    else:
        turns = 1.0
    s = 2.0 / math.pi * math.asin(math.sqrt(x)) * (table.shape[1] - 1)
    j = min(int(s), table.shape[1] - 2)
    t = min(max(root, 0.0), table.shape[0] - 1.0)
    i = min(int(t), table.shape[0] - 2)
    a, b = t - i, s - j
    low = table[i, j] + a * (table[i + 1, j] - table[i, j])
    high = table[i, j + 1] + a * (table[i + 1, j + 1] - table[i, j + 1])
    # ds/dx = 1 / (pi sqrt(x (1 - x))) in units of 1, times the steps of the table.
    along = (table.shape[1] - 1) / (math.pi * math.sqrt(x * (1.0 - x)))
    return low + b * (high - low), turns * (high - low) * along


@njit(**INNER)
def _facet_equation(
    i, surface, response, resistance, factor, drive, root, potentials, potential_range,
    exchange, thermal,
):  # fmt: skip
    """Return how far the equation of a facet is from fulfilled, in V, and its slope.

    Where a full surface gives off lithium, its kinetics grow with the current, and the slope may be
    next to nothing or negative. It is then taken as half of what it is without that: as a tie
    between the potentials, no slope would be a short circuit.
    """
    x = surface - response * i
    u, du = _in_table(potentials, potential_range[0], potential_range[1], x)
    j0, dj0 = _exchange_current(exchange, root, x)
    j0, dj0 = max(j0 * factor, LEAST_EXCHANGE), dj0 * factor
    width = math.sqrt(4.0 * j0 * j0 + i * i)
    rest = u + resistance * i + 2.0 * thermal * math.asinh(0.5 * i / j0) - drive
    rise = max(2.0 * thermal / width - response * du, LEAST_RISE)
    rise += max(response * 2.0 * thermal * i / (j0 * width) * dj0, -0.5 * rise)
    return rest, rise + max(resistance, -0.5 * rise)


@njit(**FAST)
def facet_currents(
    first, end, solid, liquid, salt, solid_place, liquid_place, surface, response, resistance,
    factor, shift, current, exact, slope, potentials, potential_range, concentrations,
    concentration_range, exchange, exchange_step, thermal,
):  # fmt: skip
    """Linearise the equation of each facet at the present potentials.

    `exact` is set to the current density at these potentials: the equation grows with the current,
    so it is found by Newton's method, and by halving where that leaves what is known to hold the
    root. `current`, which the last linear solve gave, is replaced by what the linearised equation
    gives at these potentials, and `slope` is set to how that changes with them. It is linearised
    at the smaller of both currents: where potentials have gone too far, a reaction that grows
    exponentially with them has not in the last current, and a surface that is full has in the
    exact one.

    The stoichiometry at the surface is `surface` - `response` current; `factor` multiplies the
    exchange current density, and `shift` adds to the open-circuit potential.
    """
    for f in range(first, end):
        c = max(salt[liquid_place[f]], LEAST_SALT)
        phi, _ = _in_table(
            concentrations, concentration_range[0], concentration_range[1], math.log(c)
        )
        drive = solid[solid_place[f]] - liquid[liquid_place[f]] - phi - shift[f]
        root = math.sqrt(c) / exchange_step
        given = current[f]
        i, low, high = given, -np.inf, np.inf
        rest, rise = _facet_equation(
            i, surface[f], response[f], resistance[f], factor[f], drive, root, potentials,
            potential_range, exchange, thermal,
        )  # fmt: skip
        linear, tangent = given - rest / rise, 1.0 / rise
        for _ in range(FACET_STEPS):
            if abs(rest) < FACET_GAP:
                i -= rest / rise
                break
            if rest > 0.0:
                high = i
            else:
                low = i
            new = min(max(i - rest / rise, -MOST_CURRENT), MOST_CURRENT)
            if not low < new < high:
                new = 0.5 * (low + high)
            if new == i:
                break
            i = new
            rest, rise = _facet_equation(
                i, surface[f], response[f], resistance[f], factor[f], drive, root, potentials,
                potential_range, exchange, thermal,
            )  # fmt: skip
        exact[f] = i
        if abs(i) <= abs(given):
            linear, tangent = i, 1.0 / rise
        current[f] = linear
        slope[f] = tangent


@njit(**FAST)
def begin_step(first, end, guess, residual, now, before, volume, forward, a, b, c):
    """Set guess to now + forward (now - before), and residual to -volume (a guess - b now + ...).

    The last term is c before: the derivative in time of second order.
    """
    for k in range(first, end):
        g, r, n, p, v = guess[k], residual[k], now[k], before[k], volume[k]
        for q in range(g.shape[0]):
            value = n[q] + forward * (n[q] - p[q])
            g[q] = value
            r[q] = f4(-f8(v[q]) * (a * value - b * n[q] + c * p[q]))


@njit(**FAST)
def scatter(out, place, value, factor):
    """Add factor times each value to its place, in single precision."""
    for t in range(place.shape[0]):
        out[place[t]] += f4(factor * value[t])


@njit(**FAST)
def carry_on(first, end, out, now, before, forward):
    """Set out to now + forward (now - before)."""
    for k in range(first, end):
        a, n, p = out[k], now[k], before[k]
        for q in range(a.shape[0]):
            a[q] = n[q] + forward * (n[q] - p[q])


@njit(**FAST)
def carry_change(first, end, out, now, change, forward):
    """Set out to now + forward change."""
    for k in range(first, end):
        a, n, c = out[k], now[k], change[k]
        for q in range(a.shape[0]):
            a[q] = n[q] + forward * c[q]


@njit(**FAST)
def difference(first, end, out, now, before):
    """Set out to now - before, in single precision."""
    for k in range(first, end):
        a, n, p = out[k], now[k], before[k]
        for q in range(a.shape[0]):
            a[q] = f4(n[q] - p[q])


@njit(**INNER)
def _held(table, start, step, x):
    """Return a tabulated function, beyond its ends what it is there."""
    s = min(max((x - start) / step, 0.0), table.shape[0] - 1.0)
    i = min(int(s), table.shape[0] - 2)
    return table[i] + (s - i) * (table[i + 1] - table[i])


@njit(**FAST)
def sample(first, end, out, field, table, start, step):
    """Set out to a tabulated function of a field."""
    for k in range(first, end):
        a, b = out[k], field[k]
        for q in range(a.shape[0]):
            a[q] = f4(_held(table, start, step, b[q]))


@njit(**FAST)
def drift(first, end, field, old, table, start, step, changes):
    """Set `changes`, shape (planes, 2): by how much a function of a field has changed, and it."""
    for k in range(first, end):
        a, b = field[k], old[k]
        change, largest = 0.0, 0.0
        for q in range(a.shape[0]):
            value, was = _held(table, start, step, a[q]), _held(table, start, step, b[q])
            change, largest = max(change, abs(value - was)), max(largest, abs(was))
        changes[k, 0], changes[k, 1] = change, largest


@njit(**FAST)
def lags(
    first, end, lag, surface, expected, salt, liquid_place, outside, steepest, potentials,
    potential_range, concentrations, concentration_range,
):  # fmt: skip
    """Set lag to what the electromotive force of each facet has changed by, in V.

    From the stoichiometry that was expected to that at the surface, of which no more than
    `steepest` per stoichiometry counts, and from the salt concentration `outside` to that now.
    """
    for f in range(first, end):
        x, y = surface[f], expected[f]
        u, _ = _in_table(potentials, potential_range[0], potential_range[1], x)
        v, _ = _in_table(potentials, potential_range[0], potential_range[1], y)
        most = steepest * abs(x - y)
        c = math.log(max(salt[liquid_place[f]], LEAST_SALT))
        d = math.log(max(outside[f], LEAST_SALT))
        a, _ = _in_table(concentrations, concentration_range[0], concentration_range[1], c)
        b, _ = _in_table(concentrations, concentration_range[0], concentration_range[1], d)
        lag[f] = min(max(u - v, -most), most) + a - b
