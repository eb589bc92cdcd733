"""Swelling and stiffness of an image on its voxels (see `numerics.hexahedra` for the equations)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..microstructure import Microstructure
from ..numerics.hexahedra import Hexahedra
from .composite_voxels import Interface, voxel_solids
from .elastic_image import ElasticImage
from .faces import Condition
from .stiffness import Solid, engineering_constants
from .voxel_input import checked_tolerance
from .voxel_results import EffectiveStiffness, Swelling

__all__ = ["effective_stiffness", "solve_swelling"]

Progress = Callable[[int, float], None]


def solve_swelling(
    micro: Microstructure,
    materials: Mapping[str, Solid],
    eigenstrain: Mapping[str, float | ArrayLike],
    *,
    faces: Mapping[str, Condition] | None = None,
    mean_strain: ArrayLike | None = None,
    mean_stress: ArrayLike | None = None,
    interface: Interface = "smooth",
    tol: float = 1e-6,
    progress: Progress | None = None,
) -> Swelling:
    """Solve for strain and stress where phases swell and hold each other.

    Parameters
    ----------
    micro : Microstructure
    materials : mapping of str to Solid
        The phases that are solid; the others are void.
    eigenstrain : mapping of str to float or array
        Strain that a phase would have by itself: a number for the same in each direction, six
        components, or a field of either, shape (nz, ny, nx) or (6, nz, ny, nx).
    faces : mapping of str to str or mapping, optional
        By face of the image (`meshing.BOX_FACES`): "free", "roller" (no normal displacement),
        "clamped", ``{"displacement": d}`` along the outward normal in metres, ``{"pressure": p}``
        in Pa, positive where it pushes on the solid, or ``{"traction": (z, y, x)}`` in Pa. An axis
        of which no face is named is periodic; a face whose opposite is named is free by default.
    mean_strain : array, shape (6,), optional
        Held components of the mean strain; NaN where free. Across axes that are not periodic it is
        0, but for the normal strain between two rollers: these are plates, which stay where they
        are by default, and move as a whole if that strain is free. By default all components of
        periodic axes are free.
    mean_stress : array, shape (6,), optional
        In the free components, in Pa; by default none. Between plates it is minus their pressure.
    interface : {"smooth", "voxel", "laminate", "voigt", "reuss"}
        How voxels that an interface crosses are treated: cut in two, as what their centre is
        (staircase), as laminates along the interface, or as mixtures with equal strains or equal
        stresses. But on the staircase, void in a voxel takes its share of the stiffness.
    tol : float
        Norm of the forces that are left, over that at the start.
    progress : callable, optional
        Called as ``progress(iteration, residual)``.

    Returns
    -------
    Swelling

    Raises
    ------
    ValueError
        If a name or number is not allowed, nothing is solid, a pressure acts on a body that
        nothing holds, or a mean stress along an axis through which no solid leads.
    ConvergenceError
        If the solver does not reach the tolerance.

    Notes
    -----
    Voxels that touch at an edge or a corner are joined there, as hinges: they share the nodes.

    Examples
    --------
    >>> import numpy as np
    >>> import microtwin as mt
    >>> labels = np.zeros((8, 4, 4), np.uint8)
    >>> labels[:4] = 1
    >>> micro = mt.Microstructure(labels, 1e-6, {"soft": 0, "stiff": 1})
    >>> solids = {"soft": mt.mechanics.isotropic(1e9, 0.3)}
    >>> solids["stiff"] = mt.mechanics.isotropic(100e9, 0.3)
    >>> found = mt.mechanics.solve_swelling(micro, solids, {"stiff": 0.01})
    >>> bool(0.009 < found.mean_strain[1] < 0.01)
    True
    """
    checked_tolerance(tol)
    image = ElasticImage(
        micro, materials, faces=faces, mean_strain=mean_strain, mean_stress=mean_stress,
        interface=interface, remember=0,
    )  # fmt: skip
    return image.swell(eigenstrain, tol=tol, progress=progress)


def effective_stiffness(
    micro: Microstructure,
    materials: Mapping[str, Solid],
    *,
    interface: Interface = "smooth",
    tol: float = 1e-6,
) -> EffectiveStiffness:
    """Return the stiffness of an image as a whole, from six mean strains.

    Parameters
    ----------
    micro : Microstructure
        Continued periodically.
    materials : mapping of str to Solid
        The phases that are solid; the others are void.
    interface, tol
        As in `solve_swelling`.

    Returns
    -------
    EffectiveStiffness

    Raises
    ------
    ValueError
        If a name or number is not allowed, nothing is solid, or what is solid holds together in
        some direction only.
    ConvergenceError
        If the solver does not reach the tolerance.

    Examples
    --------
    >>> import microtwin as mt
    >>> micro = mt.generation.lattice_spheres(12, volume_fraction=0.2)
    >>> names = micro.phase_names
    >>> solids = {name: mt.mechanics.isotropic(1e9, 0.3) for name in names}
    >>> found = mt.mechanics.effective_stiffness(micro, solids)
    >>> [round(e / 1e9, 3) for e in found.constants.young]
    [1.0, 1.0, 1.0]
    """
    rtol = checked_tolerance(tol)
    solids = voxel_solids(micro, materials, interface, (True, True, True))
    grid = Hexahedra(solids.number, solids.stiffnesses, micro.voxel_size, cuts=solids.cuts)
    c, iterations = np.zeros((6, 6)), []
    nothing = np.zeros(grid.size)
    for k in range(6):
        found = grid.solve(nothing, np.eye(6)[k], rtol)
        c[:, k] = grid.mean_stress(found)
        iterations.append(found.iterations)
    c = 0.5 * (c + c.T)
    least = float(np.linalg.eigvalsh(c)[0])
    if least <= 1e-6 * float(np.abs(c).max()):
        raise ValueError(
            "what is solid does not hold together through the image in every direction, so some "
            "strain costs nothing; name more phases as solid, or crop the image"
        )
    solid = Solid(c)
    return EffectiveStiffness(solid, engineering_constants(solid), tuple(iterations))
