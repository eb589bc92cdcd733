"""Elastic problems on meshes whose answer is known, computed and compared.

They need the extra ``mesh``; without it there are no cases.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import numpy as np

from ..meshing import TetrahedralMesh, level_set_fields, tetrahedralize
from ..microstructure import Microstructure
from ..trust import Case
from .large_swelling import large_swelling
from .mesh_swelling import mesh_swelling
from .stiffness import cubic, isotropic, rotated

__all__ = ["CASES", "coated_sphere_pressure"]

CORE, SHELL, MISFIT = isotropic(100e9, 0.25), isotropic(20e9, 0.3), 0.01
RADII = (0.25, 0.4)
BOND = 2e14  # Pa/m


def coated_sphere_pressure(
    core: tuple[float, float], shell: tuple[float, float], radii: tuple[float, float], misfit: float
) -> float:
    """Return the pressure in a core that swells in its shell, free outside, in Pa.

    Parameters
    ----------
    core, shell : (float, float)
        Bulk and shear modulus, in Pa.
    radii : (float, float)
        Of the core and of the shell.
    misfit : float
        Eigenstrain of the core, in each direction.

    Notes
    -----
    Lame: a core under pressure p shrinks by p / (3 k_c); a shell with p inside widens its inner
    radius by p (a^3 / (3 k_s) + b^3 / (4 g_s)) / (b^3 - a^3) (Timoshenko & Goodier, Theory of
    Elasticity, section 136). Both move together.

    Examples
    --------
    >>> p = coated_sphere_pressure((200e9 / 3, 40e9), (50e9 / 3, 20e9 / 2.6), (0.25, 0.4), 0.01)
    >>> round(p / 1e6, 2)
    183.63
    """
    inner, outer = (radius**3 for radius in radii)
    soft = (inner / (3.0 * shell[0]) + outer / (4.0 * shell[1])) / (outer - inner)
    return misfit / (1.0 / (3.0 * core[0]) + soft)


@cache
def _layers() -> TetrahedralMesh:
    labels = np.zeros((12, 8, 8), np.uint8)
    labels[5:] = 1
    return tetrahedralize(Microstructure(labels, 1e-6, {"stiff": 0, "soft": 1}))


@cache
def _coated() -> TetrahedralMesh:
    edge = 48
    z = (np.arange(edge) + 0.5) / edge - 0.5
    r = np.sqrt(z[:, None, None] ** 2 + z[:, None] ** 2 + z**2)
    levels = {"core": RADII[0] - r, "shell": np.minimum(r - RADII[0], RADII[1] - r)}
    return tetrahedralize(level_set_fields(levels, [1e-6] * 3, "void"), 3.0)


def _patch() -> float:
    """Return the largest stress in a free crystal that swells evenly, over its largest modulus."""
    turn = [[np.cos(0.7), -np.sin(0.7), 0], [np.sin(0.7), np.cos(0.7), 0], [0, 0, 1]]
    crystal = rotated(cubic(160e9, 60e9, 80e9), turn)
    own = [0.01, -0.02, 0.005, 0.003, 0.004, -0.006]
    names = ("core", "shell", "void")
    found = mesh_swelling(
        _coated(), dict.fromkeys(names, crystal), dict.fromkeys(names, own), tol=1e-12
    )
    return float(np.abs(found.stress).max() / crystal.stiffness.max())


def _bar() -> float:
    """Return the stress along layers with an imperfect interface, pulled by 30 nm."""
    faces = dict.fromkeys(("z_low", "y_low", "y_high", "x_low", "x_high"), "roller")
    found = mesh_swelling(
        _layers(),
        {"stiff": CORE, "soft": SHELL},
        {},
        faces=faces | {"z_high": {"displacement": 30e-9}},
        debonding={("stiff", "soft"): (BOND, BOND)},
        tol=1e-10,
    )
    return float(np.average(found.interfaces["stiff", "soft"].normal))


def _expected_bar() -> float:
    stiff, soft = CORE.stiffness[0, 0], SHELL.stiffness[0, 0]
    return float(30e-9 / (5e-6 / stiff + 7e-6 / soft + 1.0 / BOND))


def _coated_sphere() -> float:
    found = mesh_swelling(_coated(), {"core": CORE, "shell": SHELL}, {"core": MISFIT}, order=2)
    return -float(found.phase_stress["core"][:3].mean())


def _expected_coated_sphere() -> float:
    core, shell = ((solid.bulk_modulus, solid.shear_modulus) for solid in (CORE, SHELL))
    return coated_sphere_pressure(core, shell, RADII, MISFIT)


def _free_ball() -> float:
    own = {"core": 4.0 ** (1.0 / 3.0) - 1.0}
    return large_swelling(_coated(), {"core": CORE}, own, steps=1).volume_ratio("core")


INSTALLED = all(find_spec(library) is not None for library in ("ngsolve", "pyamg"))
CASES = (
    ()
    if not INSTALLED
    else (
        Case(
            name="free crystal on a mesh that swells evenly",
            quantity="largest stress, over the largest modulus",
            reference=0.0,
            compute=_patch,
            limit=1e-8,
            source="exact",
            relative=False,
        ),
        Case(
            name="layers on a mesh with an imperfect interface",
            quantity="stress across",
            reference=_expected_bar,
            compute=_bar,
            limit=1e-6,
            source="exact",
        ),
        Case(
            name="core that swells in its shell, elements of order 2, 4 to a radius",
            quantity="pressure in the core",
            reference=_expected_coated_sphere,
            compute=_coated_sphere,
            limit=1e-2,
            source="Lame; Timoshenko & Goodier, Theory of Elasticity",
        ),
        Case(
            name="free ball on a mesh that swells by 300 %",
            quantity="volume ratio",
            reference=4.0,
            compute=_free_ball,
            limit=1e-6,
            source="exact",
        ),
    )
)
