"""From the projections of a tomograph to a grey-scale volume, on a sample that is known.

Three rods are scanned by a detector whose pixels differ in brightness, with a rotation axis that
is not in the middle and some pixels that have drifted since the flats were taken. The
reconstruction finds the axis, takes the rings out, and gives each rod the attenuation it has.

Run it with ``python examples/reconstruct_projections.py``.
"""

import numpy as np

from microtwin.imaging import Projections, reconstruct

COLUMNS, ROWS, VIEWS, CENTRE = 160, 8, 250, 83.4  # pixels, pixels, -, pixels
PIXEL = 1.6e-6  # m
# x, y and radius in pixels from the axis, and attenuation in 1/m.
RODS = ((-20.0, 12.0, 25.0, 4e3), (32.0, 20.0, 12.0, 12e3), (12.0, -38.0, 15.0, 8e3))


def counted(angles: np.ndarray) -> Projections:
    """Return what the detector counts: the rods, its own pattern, darks, and noise."""
    random = np.random.default_rng(1)
    integrals = np.zeros((len(angles), 1, COLUMNS))
    for x, y, radius, attenuation in RODS:
        middle = CENTRE + x * np.cos(angles) + y * np.sin(angles)
        s = np.arange(COLUMNS) - middle[:, None]
        # A ray at a distance s from the middle of a rod runs 2 sqrt(r^2 - s^2) inside.
        length = 2 * np.sqrt(np.maximum(radius**2 - s**2, 0)) * PIXEL
        integrals[:, 0] += attenuation * length
    beam = random.uniform(20_000, 40_000, (ROWS, COLUMNS))
    drifted = np.where(random.random((ROWS, COLUMNS)) < 0.05, 1.02, 1.0)
    counts = random.poisson(drifted * beam * np.exp(-integrals)) + 100
    flats = random.poisson(beam, (20, ROWS, COLUMNS)) + 100
    darks = np.full((1, ROWS, COLUMNS), 100)
    return Projections(counts.astype(np.uint16), angles, flats, darks, pixel_size=PIXEL)


def main() -> None:
    """Reconstruct, and compare the rods with the truth."""
    projections = counted(np.arange(VIEWS) * np.pi / VIEWS)
    result = reconstruct(projections)
    print(result.summary())

    y, x = np.indices(result.scan.shape[1:]) - (result.scan.shape[1] - 1) / 2
    for x0, y0, radius, attenuation in RODS:
        inside = np.hypot(x - x0, y - y0) < radius - 3
        found = np.median(result.scan.values[:, inside])
        print(f"rod of {attenuation:.0f} per m: {found:.0f} found")
        assert abs(found / attenuation - 1) < 0.02
    assert abs(result.centre - CENTRE) < 0.25
    before, after = result.stripe_energy
    assert before > 3 * after


if __name__ == "__main__":
    main()
