"""Two things that starve, side by side: a spheroid without oxygen, an electrode without salt.

Both live on what diffuses in from outside, and both have a core that gets too little once they are
too large or work too hard. The same functions find it. Run with
``python examples/starved_electrode_and_tumour.py``; it needs ``pip install 'microtwin[cell]'``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np
from scipy.optimize import brentq

import microtwin as mt

PULSE = 60.0  # s: by then the profile of the salt is steady
RATE = 6.0  # C


@dataclass(frozen=True)
class Starved:
    """One column of the table."""

    name: str
    of: str
    threshold: str
    load: str
    found: mt.reactions.Viability
    begins: str
    theory: str


def spheroid() -> Starved:
    """Return the starved core of a spheroid in medium."""
    rx = mt.reactions
    place = np.indices((28, 28, 28)) - 13.5
    tissue = (np.sqrt((place**2).sum(axis=0)) < 12.0).astype(np.uint8)
    micro = mt.Microstructure(tissue, 400e-6 / 12.0, {"medium": 0, "tissue": 1})
    oxygen = rx.tumour.oxygen("tissue", {"medium": rx.tumour.NORMOXIA})
    uptake = rx.tumour.oxygen_consumption(half_saturation=None)
    anoxia = rx.tumour.oxygen_concentration(rx.tumour.ANOXIA)

    def at(radius: float) -> np.ndarray:
        sized = replace(micro, voxel_size=(radius / 12.0,) * 3)
        solved = rx.solve_uptake(sized, oxygen.diffusivity, {"tissue": uptake}, oxygen.supply)
        return np.where(sized.mask("tissue"), solved.concentration, np.nan)

    found = rx.viability(micro, at(400e-6), "tissue", anoxia, sources=["medium"])
    begins, limit = rx.onset(at, anoxia, (200e-6, 300e-6), tol=2e-3), rx.tumour.diffusion_limit()
    # Grimes et al. (2014): sqrt(6 D c0 / a). The threshold is half a per cent of the supply.
    assert abs(begins / limit - 1.0) < 0.01
    return Starved(
        "spheroid",
        "oxygen",
        rx.tumour.ANOXIA,
        "radius 400 um",
        found,
        f"radius {1e6 * begins:.0f} um",
        f"radius {1e6 * limit:.0f} um",
    )


def onset_if_even(
    liquid: mt.electrochemistry.Electrolyte,
    separator: mt.electrochemistry.Separator,
    thickness: float,
    porosity: float,
    share: float,
    threshold: float,
) -> float:
    """Return the current in A/m^2 at which the salt next to the collector falls to a threshold.

    In a homogeneous electrode that reacts evenly the steady flux of salt grows in proportion to z,
    in the separator it is constant, and the salt as a whole stays: with G the integral of D dc,
    G(c) - G(threshold) = (1 - t) I z^2 / (2 F L b), b the share of D that the pores leave.
    """
    c = np.linspace(threshold, 5.0 * liquid.concentration, 2000)
    middle = 0.5 * (c[1:] + c[:-1])
    potential = np.concatenate([[0.0], np.cumsum(liquid.diffusivity(middle) * np.diff(c))])
    part = (np.arange(500) + 0.5) / 500

    def surplus(current: float) -> float:
        flux = (1.0 - liquid.transference_number) * current / mt.electrochemistry.FARADAY
        inner = flux * thickness / (2.0 * share)
        outer = inner + flux * separator.thickness * part / separator.share
        held = [
            porosity * thickness * np.interp(inner * part**2, potential, c).mean(),
            separator.porosity * separator.thickness * np.interp(outer, potential, c).mean(),
        ]
        space = porosity * thickness + separator.porosity * separator.thickness
        return float(sum(held)) / space - liquid.concentration

    return float(brentq(surplus, 1.0, 1e3))


def electrode() -> Starved:
    """Return the starved part of the electrolyte of an electrode under fast discharge."""
    ec, rx = mt.electrochemistry, mt.reactions
    micro = mt.generation.electrode(
        (30, 20, 20),
        2e-6,
        porosity=0.4,
        binder_fraction=0.0,
        particles=mt.generation.ParticleType((8e-6, 2e-6)),
        seed=3,
    ).micro
    material = ec.material_from_pybamm("Chen2020:positive")
    liquid = ec.electrolyte_from_pybamm("Chen2020")
    current = {}

    def at(c_rate: float) -> np.ndarray:
        cell = ec.half_cell(micro, material, liquid)
        pulse = ec.run(cell, [ec.ConstantCurrent(c_rate, until_time=PULSE)])
        current[c_rate] = pulse.records[-1].current_density
        return ec.fields(cell, pulse.kept[-1]).salt

    threshold = 200.0
    salt = at(RATE)
    found = rx.viability(micro, salt, "pore", threshold, sources=["z_high"])
    begins = rx.onset(at, threshold, (5.0, RATE), tol=1e-2)
    # With less current nothing starves.
    gentle = rx.viability(micro, at(0.95 * begins), "pore", threshold, sources=["z_high"])
    assert gentle.cores == 0 < found.cores

    # A homogeneous electrode that reacts evenly is a little better off than the imaged one.
    share = mt.transport.tortuosity_factor(micro, "pore", direction="z").relative_diffusivity
    layer = ec.separator_from_pybamm("Chen2020")
    porosity = 1.0 - float(np.isnan(salt).mean())
    even = onset_if_even(liquid, layer, micro.extent[0], porosity, share, threshold)
    even *= RATE / current[RATE]
    assert 0.9 < begins / even < 1.1
    return Starved(
        "electrode",
        "salt",
        f"{threshold:g} mol/m3",
        f"{RATE:g}C",
        found,
        f"{begins:.2f}C",
        f"{even:.2f}C",
    )


def main() -> None:
    columns = [spheroid()]
    if find_spec("pybamm") is None:
        print("PyBaMM is not there, so there is no electrode")
    else:
        columns.append(electrode())
    rows = {
        "what runs out": [c.of for c in columns],
        "starved is below": [c.threshold for c in columns],
        "load": [c.load for c in columns],
        "starved, % of volume": [f"{100 * c.found.core_fraction:.1f}" for c in columns],
        "starved, um3": [f"{1e18 * c.found.core_volume:.3g}" for c in columns],
        "separate regions": [str(c.found.cores) for c in columns],
        "rim, um": [f"{1e6 * c.found.rim_percentiles()[1]:.0f}" for c in columns],
        "begins at": [c.begins for c in columns],
        "theory says": [c.theory for c in columns],
    }
    print(f"{'':22s}" + "".join(f"{c.name:>16s}" for c in columns))
    for name, row in rows.items():
        print(f"{name:22s}" + "".join(f"{value:>16s}" for value in row))


if __name__ == "__main__":
    main()
