from __future__ import annotations

import numpy as np
import pytest

from microtwin.connectivity import percolating_mask
from microtwin.generation import ParticleType, electrode, paint, surface_distances

PLATES = ParticleType((5e-6, 1e-6), "plate", 0.25, alignment=0.6)


@pytest.mark.parametrize(
    ("porosity", "binder", "periodic"),
    [(0.40, 0.10, True), (0.30, 0.05, (False, True, True)), (0.50, 0.0, False)],
)
def test_fractions_are_met_and_phases_percolate(porosity, binder, periodic):
    micro = electrode(
        (64, 72, 80), porosity=porosity, binder_fraction=binder, seed=1, periodic=periodic
    ).micro
    voxel = 1.0 / micro.labels.size
    assert micro.volume_fraction("pore") == pytest.approx(porosity, abs=voxel)
    assert micro.volume_fraction("binder") == pytest.approx(binder, abs=voxel)
    for axis in range(3):
        assert percolating_mask(micro.mask("pore"), axis).sum() > 0.97 * micro.mask("pore").sum()
        solid = micro.mask(["active", "binder"])
        assert percolating_mask(solid, axis).sum() > 0.9 * solid.sum()


@pytest.mark.parametrize(
    "kind",
    [
        PLATES,
        ParticleType((5e-6, 1e-6), "ellipsoid", (1.6, 0.2)),
        ParticleType({"d10": 3e-6, "d50": 5e-6, "d90": 8e-6}, "polyhedron", 0.8),
        ParticleType((5e-6, 1e-6), "irregular"),
    ],
    ids=lambda kind: kind.form,
)
def test_the_particle_list_is_the_image(kind):
    made = electrode(64, porosity=0.45, binder_fraction=0.05, particles=kind, seed=2)
    micro = made.micro
    voxel = 1.0 / micro.labels.size
    assert micro.volume_fraction("active") == pytest.approx(0.5, abs=voxel)
    painted = paint(made.particles, micro.shape) > 0
    assert np.count_nonzero(painted != micro.mask("active")) <= 2


def test_several_phases_of_particles():
    types = [
        ParticleType((5e-6, 1e-6), "polyhedron", share=3.0, phase="graphite"),
        ParticleType((2.5e-6, 0.4e-6), share=1.0, phase="silicon"),
    ]
    made = electrode(72, porosity=0.4, binder_fraction=0.1, particles=types, seed=0)
    assert dict(made.micro.phases) == {"pore": 0, "graphite": 1, "silicon": 2, "binder": 3}
    for name, share in {"graphite": 0.375, "silicon": 0.125, "binder": 0.1, "pore": 0.4}.items():
        assert made.micro.volume_fraction(name) == pytest.approx(share, abs=2e-4)


@pytest.mark.parametrize("seed", range(6))
def test_several_phases_in_few_voxels(seed):
    types = [ParticleType(6.0), ParticleType(4.0, phase="b", share=0.3)]
    micro = electrode(24, 1.0, 0.5, 0.05, types, seed=seed).micro
    assert micro.volume_fraction("b") == pytest.approx(0.45 * 0.3 / 1.3, abs=2e-3)


def test_order_of_particles_without_an_axis():
    made = electrode(48, porosity=0.5, particles=[PLATES, ParticleType(3e-6)], seed=1)
    plates, spheres = (made.particles.order_parameter("z", kind) for kind in (0, 1))
    assert plates > 0.4
    assert spheres == 0.0
    assert made.particles.order_parameter("z") == pytest.approx(plates)


def test_dense_electrodes_grow_their_particles():
    made = electrode(64, porosity=0.2, binder_fraction=0.02, seed=0)
    assert made.micro.volume_fraction("active") == pytest.approx(0.78, abs=1e-5)
    assert made.particles.volume_fraction > 0.78


def test_same_seed_same_bits():
    a, b, c = (electrode(48, seed=seed).micro.labels for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def near(mask: np.ndarray, voxels: int) -> np.ndarray:
    for _ in range(voxels):
        grown = mask.copy()
        for axis in range(3):
            for step in (-1, 1):
                grown |= np.roll(mask, step, axis)
        mask = grown
    return mask


def test_binder_sits_between_particles():
    micro = electrode(64, seed=4).micro
    close = near(micro.mask("active"), 2)
    binder, pore = (close[micro.mask(phase)].mean() for phase in ("binder", "pore"))
    assert binder > 0.85
    assert pore < 0.6


def test_binder_goes_from_film_to_bridges():
    nearest, next_one = [], []
    for morphology in (0.0, 0.5, 1.0):
        made = electrode(
            64, porosity=0.5, binder_fraction=0.1, binder_morphology=morphology, seed=1
        )
        first, second, _ = surface_distances(made.particles, 64, reach=10e-6)
        binder = made.micro.mask("binder")
        nearest.append(first[binder].mean())
        next_one.append(second[binder].mean())
    # A film hugs one particle; bridges sit where the second is near too.
    assert nearest[0] < nearest[1] < nearest[2]
    assert next_one[0] > 1.2 * next_one[1] > 1.2 * next_one[2]
    assert next_one[0] > 1.5 * next_one[2]


def test_binder_profile():
    even, tilted = (
        electrode(
            64,
            porosity=0.45,
            binder_fraction=0.06,
            binder_profile=profile,
            periodic=(False, True, True),
            seed=0,
        ).micro.mask("binder")
        for profile in (None, (1.0, 3.0))
    )
    assert tilted.sum() == even.sum() == round(0.06 * even.size)
    before, after = even.sum(axis=(1, 2)), tilted.sum(axis=(1, 2))
    many = before > 50  # the layers at the walls have few contacts
    wanted = (before * (1 + 2 * (np.arange(64) + 0.5) / 64))[many]
    assert after[many] / after[many].sum() == pytest.approx(wanted / wanted.sum(), rel=0.03)


def test_areal_loading():
    made = electrode(48, seed=0)
    # 19.2 um of 50 % at 4700 and 10 % at 1500 kg/m3.
    assert made.areal_loading({"active": 4700.0, "binder": 1500.0}) == pytest.approx(
        19.2e-6 * (0.5 * 4700 + 0.1 * 1500), rel=1e-4
    )
    with pytest.raises(ValueError, match="not in this electrode"):
        made.areal_loading({"graphite": 2200.0})
    with pytest.raises(ValueError, match="density of binder is missing"):
        made.areal_loading({"active": 4700.0})


def test_particle_diameter_sets_the_scale():
    def surface_voxels(diameter: float) -> int:
        kind = ParticleType((diameter, 0.3 * diameter))
        active = electrode(64, particles=kind, seed=0).micro.mask("active")
        return sum(int((active != np.roll(active, 1, axis)).sum()) for axis in range(3))

    # Specific surface goes as 1 / d; few particles fit at the larger size.
    assert surface_voxels(4e-6) / surface_voxels(8e-6) == pytest.approx(2.0, rel=0.25)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="leave"):
        electrode(32, porosity=0.6, binder_fraction=0.4)
    with pytest.raises(ValueError, match="do not fit a box"):
        electrode(16, particles=ParticleType((10e-6, 3e-6)))
    with pytest.raises(ValueError, match="does not percolate along z"):
        electrode(32, porosity=0.005, binder_fraction=0.55, seed=0)
    with pytest.raises(ValueError, match="another name"):
        electrode(32, particles=ParticleType(3e-6, phase="binder"))
    with pytest.raises(ValueError, match="binder morphology"):
        electrode(32, particles=ParticleType(3e-6), binder_morphology=2.0)
    with pytest.raises(ValueError, match="more binder than"):
        electrode(
            48, porosity=0.1, binder_fraction=0.35, binder_profile=(0.0, 1.0),
            particles=ParticleType(3e-6), periodic=(False, True, True),
        )  # fmt: skip
