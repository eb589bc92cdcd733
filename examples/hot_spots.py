"""The reaction on the surface of an electrode: uneven kinetics, covered area, hot spots.

Run with ``python examples/hot_spots.py``.
"""

from __future__ import annotations

import microtwin as mt

OVERPOTENTIAL = 0.01  # V
MEAN, DEVIATION = 1.5, 1.0  # A/m^2


def main() -> None:
    electrochemistry = mt.electrochemistry
    micro = mt.generation.electrode(64, 0.4e-6, porosity=0.4, binder_fraction=0.1, seed=3).micro

    # The same kinetics everywhere: the current is that of Butler and Volmer times the area.
    even = electrochemistry.interface_current(micro, OVERPOTENTIAL, MEAN)
    density = float(electrochemistry.butler_volmer(OVERPOTENTIAL, MEAN))
    assert abs(even.total_current / (density * even.area) - 1.0) < 1e-12
    assert abs(even.concentration_ratio() - 1.0) < 1e-12

    # Binder takes surface away, unless electrolyte reaches the surface through it.
    covered = even.blocked_area / (even.area + even.blocked_area)
    print(f"binder covers {100 * covered:.1f} % of the active surface")
    assert 0.2 < covered < 0.8
    resistance = 5e-3  # ohm m^2
    wetted = electrochemistry.interface_current(
        micro, OVERPOTENTIAL, MEAN, coverings={"binder": resistance}
    )
    gain = wetted.total_current / even.total_current - 1.0
    # Covered facets carry eta / (R_ct + r), free ones eta / R_ct, as long as both are linear.
    transfer = OVERPOTENTIAL / density
    expected = even.blocked_area / even.area * transfer / (transfer + resistance)
    print(f"through a film of {resistance:g} ohm m^2 it would add {100 * gain:.1f} % of current")
    assert abs(gain / expected - 1.0) < 0.01

    # Uneven kinetics: the mean stays, a few places carry much more.
    kinetics = electrochemistry.random_exchange_current(micro, MEAN, DEVIATION, 2e-6, seed=1)
    uneven = electrochemistry.interface_current(micro, OVERPOTENTIAL, kinetics)
    found = uneven.hot_spots(multiple=2.0)
    print(
        f"uneven: {uneven.total_current / even.total_current:.3f} of the even current; the 95th "
        f"percentile is {uneven.concentration_ratio():.2f} times the mean; {len(found.spots)} hot "
        f"spots carry {100 * found.share_of_current:.1f} % of the current on "
        f"{100 * found.share_of_area:.1f} % of the area"
    )
    assert abs(uneven.total_current / even.total_current - 1.0) < 0.1
    # A lognormal density of this deviation has its 95th percentile at 2.26 times the mean.
    assert 1.9 < uneven.concentration_ratio() < 2.6
    assert found.share_of_current > 2.0 * found.share_of_area
    largest = found.spots[0]
    place = ", ".join(f"{1e6 * value:.1f}" for value in largest.centre)
    print(f"the largest lies at ({place}) um and is {1e6 * largest.diameter:.1f} um wide")


if __name__ == "__main__":
    main()
