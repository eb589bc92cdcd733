"""Oxygen in tissue fed by vessels: Krogh's cylinder, then capillaries at random.

Run with ``python examples/tumour_vessels.py``.
"""

from __future__ import annotations

import numpy as np

import microtwin as mt

VOXEL = 2.5e-6  # m
PLASMA, UPTAKE, HALF_SATURATION = "40 mmHg", "15 mmHg/s", "1 mmHg"


def cylinder(vessel: float, tissue: float) -> tuple[mt.Microstructure, np.ndarray]:
    """Return a vessel in a cylinder of tissue, radii in voxels, and distances from its axis."""
    n = int(2 * tissue) + 4
    y, x = np.indices((n, n)) + 0.5 - n / 2
    r = np.hypot(y, x)
    plane = np.where(r < vessel, 1, np.where(r < tissue, 0, 2)).astype(np.uint8)
    labels = np.repeat(plane[None], 4, axis=0)
    phases = {"tissue": 0, "vessel": 1, "beyond": 2}
    return mt.Microstructure(labels, VOXEL, phases), np.broadcast_to(r, labels.shape)


def capillaries(shape: int, count: int, radius: float, seed: int, parallel: bool) -> np.ndarray:
    """Return straight vessels at random places, along z or along all three axes."""
    rng = np.random.default_rng(seed)
    place = np.indices((shape, shape, shape)) + 0.5
    labels = np.zeros((shape, shape, shape), np.uint8)
    for number in range(count):
        across = [(1, 2), (0, 2), (0, 1)][0 if parallel else number % 3]
        centre = rng.uniform(0.0, shape, 2)
        labels[np.hypot(*(place[a] - c for a, c in zip(across, centre, strict=True))) < radius] = 1
    return labels


def main() -> None:
    rx = mt.reactions
    tumour = rx.tumour
    wall = tumour.vessel(PLASMA)

    # Krogh's cylinder. The wall takes flux over permeability, the tissue the rest.
    micro, r = cylinder(4.0, 20.0)
    inner, outer = 4.0 * VOXEL, 20.0 * VOXEL
    oxygen = tumour.oxygen("tissue", {"vessel": wall})
    constant = tumour.oxygen_consumption(UPTAKE, None)
    found = rx.solve_uptake(micro, oxygen.diffusivity, {"tissue": constant}, oxygen.supply)
    flux = constant.constant * (outer**2 - inner**2) / (2.0 * inner)
    at_wall = wall.concentration - flux / wall.permeability
    # Where voxels of the cylinder are whole: next to its surfaces centres may lie beyond them.
    whole = (r > 5.0) & (r < 19.0)
    expected = rx.exact.krogh_concentration(
        VOXEL * r[whole], inner, outer, oxygen.diffusivity["tissue"], at_wall, constant.constant
    )
    error = abs(found.concentration[whole] - expected).max() / wall.concentration
    edge = tumour.oxygen_tension(float(found.concentration[(r > 19.0) & (r < 19.5)].mean()))
    print(
        f"Krogh's cylinder: the wall takes {tumour.oxygen_tension(flux / wall.permeability):.1f} "
        f"of 40 mmHg, {edge:.1f} mmHg are left at the edge; largest error {100 * error:.2f} %"
    )
    assert error < 0.01
    assert abs(found.balance) < 1e-9

    # The same number of vessels along z, or along three axes, and twice as many.
    print("capillaries            vessels, %  hypoxic, %  anoxic, %  distance, um: median, 95 %")
    law = tumour.oxygen_consumption(UPTAKE, HALF_SATURATION)
    hypoxia, anoxia = map(tumour.oxygen_concentration, (tumour.HYPOXIA, tumour.ANOXIA))
    low = {}
    for name, count, parallel in (
        ("9 along z", 9, True),
        ("9 along z, y and x", 9, False),
        ("18 along z, y and x", 18, False),
    ):
        labels = capillaries(64, count, 2.0, 3, parallel)
        micro = mt.Microstructure(labels, 2 * VOXEL, {"tissue": 0, "vessel": 1})
        found = rx.solve_uptake(micro, oxygen.diffusivity, {"tissue": law}, oxygen.supply)
        alive = rx.viability(
            micro, found.concentration, "tissue", anoxia, hypoxia, sources=["vessel"]
        )
        _, median, far = 1e6 * alive.distance_percentiles()
        low[name] = alive.hypoxic_fraction
        print(
            f"{name:22s} {100 * micro.volume_fraction('vessel'):10.2f} "
            f"{100 * alive.hypoxic_fraction:11.1f} {100 * alive.core_fraction:10.1f} "
            f"{median:14.0f} {far:11.0f}"
        )
        # What the vessels give is what the tissue takes, and no voxel has more than the plasma.
        assert abs(found.balance) < 1e-9
        tissue = found.concentration[micro.mask("tissue")]
        assert tissue.min() >= 0.0 and tissue.max() < wall.concentration
    assert low["18 along z, y and x"] < low["9 along z, y and x"]


if __name__ == "__main__":
    main()
