"""Elastic problems whose answer is known, computed and compared."""

from __future__ import annotations

import numpy as np

from ..microstructure import Microstructure
from ..trust import Case
from .exact import coated_sphere_bulk_modulus, laminate, misfit_sphere
from .stiffness import Solid, cubic, isotropic
from .swelling import effective_stiffness, solve_swelling

__all__ = ["CASES"]

YOUNG, POISSON, MISFIT = 100e9, 0.25, 0.01
STIFF, SOFT = isotropic(100e9, 0.25), isotropic(1e9, 0.35)
CORE, SHELL, MATRIX = (4.0, 5.0), (2.0, 3.0), (3.63868, 1.0)  # Lame constants


def _distance(edge: int) -> np.ndarray:
    """Return the distance of voxel centres from the middle of a cube of edge 1."""
    z = (np.arange(edge) + 0.5) / edge - 0.5
    return np.sqrt(z[:, None, None] ** 2 + z[:, None] ** 2 + z**2)


def _layers() -> Microstructure:
    labels = np.zeros((8, 4, 4), np.uint8)
    labels[:3] = 1
    return Microstructure(labels, 1e-6, {"soft": 0, "stiff": 1})


def _laminate_error() -> float:
    """Return the largest error of the stiffness of layers, over the largest component."""
    found = effective_stiffness(_layers(), {"soft": SOFT, "stiff": STIFF}, tol=1e-9)
    exact, _ = laminate([SOFT, STIFF], [5 / 8, 3 / 8])
    return float(
        np.abs(found.solid.stiffness - exact.stiffness).max() / np.abs(exact.stiffness).max()
    )


def _laminate_swelling() -> float:
    found = solve_swelling(_layers(), {"soft": SOFT, "stiff": STIFF}, {"soft": MISFIT}, tol=1e-9)
    return float(found.mean_strain[0])


def _expected_swelling() -> float:
    own = np.zeros((2, 6))
    own[0, :3] = MISFIT
    return float(laminate([SOFT, STIFF], [5 / 8, 3 / 8], eigenstrains=own)[1][0])


def _scattered() -> tuple[Microstructure, dict[str, Solid]]:
    labels = np.random.default_rng(0).integers(0, 2, (6, 6, 6)).astype(np.uint8)
    return Microstructure(labels, 1e-6, {"soft": 0, "stiff": 1}), {"soft": SOFT, "stiff": STIFF}


def _scattered_swelling() -> float:
    found = solve_swelling(*_scattered(), {"stiff": MISFIT}, interface="voxel", tol=1e-9)
    return float(found.mean_strain[0])


def _levin_swelling() -> float:
    """Return the swelling of two solids from their stiffness as a whole.

    At the strain at which both bear the same stress, strain and stress are even throughout.
    """
    whole = effective_stiffness(*_scattered(), interface="voxel", tol=1e-9).solid
    own = np.array([MISFIT] * 3 + [0.0] * 3)
    even = np.linalg.solve(STIFF.stiffness - SOFT.stiffness, STIFF.stiffness @ own)
    return float((even - whole.compliance @ SOFT.stiffness @ even)[0])


def _misfit() -> float:
    """Return the strain within a sphere that swells, over that of Eshelby with its repetitions."""
    radius = 0.25
    distance = _distance(48)
    labels = (distance < radius).astype(np.uint8)
    micro = Microstructure(labels, 1e-6, {"matrix": 0, "sphere": 1})
    solid = isotropic(YOUNG, POISSON)
    found = solve_swelling(micro, {"matrix": solid, "sphere": solid}, {"sphere": MISFIT})
    inner = float(found.strain[:3][:, distance < 0.5 * radius].mean())
    # Outside of a sphere it changes no volume, so its repetitions only shift the mean.
    share = float(labels.mean())
    alone, _ = misfit_sphere(YOUNG, POISSON, MISFIT)
    return inner / (alone * (1.0 - share) + share * MISFIT)


def _lame(first: float, second: float) -> Solid:
    return cubic(first + 2.0 * second, first, second)


def _coated_sphere() -> float:
    """Return the bulk modulus of a coated sphere in a matrix that it does not disturb."""
    distance = _distance(40)
    labels = np.where(distance < 0.2, 2, np.where(distance < 0.4, 1, 0)).astype(np.uint8)
    micro = Microstructure(labels, 1e-6, {"matrix": 0, "shell": 1, "core": 2})
    solids = {"matrix": _lame(*MATRIX), "shell": _lame(*SHELL), "core": _lame(*CORE)}
    even = [0.01] * 3 + [0.0] * 3
    found = solve_swelling(micro, solids, {}, mean_strain=even)
    return float(found.mean_stress[:3].mean() / 0.03)


def _expected_coated_sphere() -> float:
    core, shell = ((lame + 2.0 / 3.0 * shear, shear) for lame, shear in (CORE, SHELL))
    return coated_sphere_bulk_modulus(core, shell, 0.125)


CASES = (
    Case(
        name="layers, 100 and 1 GPa",
        quantity="largest error of the stiffness, over the largest",
        reference=0.0,
        compute=_laminate_error,
        limit=1e-6,
        source="Backus, J. Geophys. Res. 67 (1962) 4427",
        relative=False,
    ),
    Case(
        name="layers, the soft ones swell by 1 %",
        quantity="mean strain across the layers",
        reference=_expected_swelling,
        compute=_laminate_swelling,
        limit=1e-6,
        source="exact",
    ),
    Case(
        name="two solids scattered over voxels, 100 and 1 GPa",
        quantity="free swelling, from the stiffness",
        reference=_levin_swelling,
        compute=_scattered_swelling,
        limit=1e-5,
        source="Levin, Mekh. Tverd. Tela 2 (1967) 88",
    ),
    Case(
        name="sphere of 12 voxels radius that swells in the same solid",
        quantity="strain in its inner half, over that of Eshelby",
        reference=1.0,
        compute=_misfit,
        limit=2e-3,
        source="Eshelby, Proc. R. Soc. A 241 (1957) 376",
    ),
    Case(
        name="coated sphere of 16 voxels radius in a neutral matrix",
        quantity="bulk modulus",
        reference=_expected_coated_sphere,
        compute=_coated_sphere,
        limit=2e-3,
        source="Hashin, J. Appl. Mech. 29 (1962) 143",
    ),
)
