"""An image of elastic solids that is loaded again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..microstructure import Microstructure
from ..numerics.earlier_solutions import MOST, EarlierSolutions
from ..numerics.hexahedra import Hexahedra
from .composite_voxels import Interface, voxel_solids
from .faces import Condition
from .stiffness import Solid
from .voxel_input import boundary, checked_tolerance, floating_share, require_carried
from .voxel_results import Swelling
from .voxel_stress import (
    checked_eigenstrains,
    eigenstresses,
    extended,
    solid_stresses,
    stresses_in_parts,
)

__all__ = ["ElasticImage"]

Progress = Callable[[int, float], None]


class ElasticImage:
    """An image of elastic solids.

    The solver is set up once; each load starts from what it has in common with the last few.

    Parameters
    ----------
    micro, materials, faces, mean_strain, mean_stress, interface
        As in `solve_swelling`.
    remember : int
        How many of the last solutions are kept, of 24 bytes per voxel each.

    Raises
    ------
    ValueError
        If a name or number is not allowed, nothing is solid, a pressure acts on a body that
        nothing holds, or a mean stress along an axis through which no solid leads.

    Examples
    --------
    >>> import microtwin as mt
    >>> micro = mt.generation.lattice_spheres(12, volume_fraction=0.2)
    >>> names = micro.phase_names
    >>> solids = {name: mt.mechanics.isotropic(1e9, 0.3) for name in names}
    >>> image = mt.mechanics.ElasticImage(micro, solids)
    >>> runs = [image.swell({names[1]: strain}) for strain in (0.01, 0.02)]
    >>> round(runs[1].energy / runs[0].energy, 4)
    4.0
    """

    def __init__(
        self,
        micro: Microstructure,
        materials: Mapping[str, Solid],
        *,
        faces: Mapping[str, Condition] | None = None,
        mean_strain: ArrayLike | None = None,
        mean_stress: ArrayLike | None = None,
        interface: Interface = "smooth",
        remember: int = MOST,
    ) -> None:
        self.micro = micro
        self.names = list(materials)
        self._given = boundary(faces, mean_strain, mean_stress)
        self._solids = voxel_solids(micro, materials, interface, self._given.periodic)
        self.floating = floating_share(self._solids.number, self._given)
        require_carried(self._solids.number, self._given)
        self._grid = Hexahedra(
            self._solids.number, self._solids.stiffnesses, micro.voxel_size,
            free=self._given.free, periodic=self._given.periodic, held=self._given.held,
            cuts=self._solids.cuts,
        )  # fmt: skip
        self._earlier = EarlierSolutions(remember) if remember else None

    def swell(
        self,
        eigenstrain: Mapping[str, float | ArrayLike],
        *,
        tol: float = 1e-6,
        progress: Progress | None = None,
    ) -> Swelling:
        """Solve for strain and stress where phases swell.

        Parameters
        ----------
        eigenstrain, tol, progress
            As in `solve_swelling`.

        Returns
        -------
        Swelling

        Raises
        ------
        ValueError
            If an eigenstrain is not allowed.
        ConvergenceError
            If the solver does not reach the tolerance.
        """
        rtol, given, grid = checked_tolerance(tol), self._given, self._grid
        strains = checked_eigenstrains(self.micro, self.names, eigenstrain)
        strains = extended(strains, self.micro, self.names, given.periodic)
        own = eigenstresses(self._solids, strains)
        in_parts = stresses_in_parts(self._solids, strains)
        load, held_back = grid.eigenforces(own, in_parts)
        largest = float(np.abs(own).max())
        del own
        load[-6:] += grid.mean_stress_load(given.stress)
        for face, traction in given.tractions.items():
            grid.add_traction(load, face, traction)
        found = grid.solve(
            load, given.strain, rtol, given=given.displacements or None, stress=largest,
            earlier=self._earlier, progress=progress,
        )  # fmt: skip
        del load
        strain = grid.strains(found)
        if in_parts is not None:
            in_parts = grid.strains_in_parts(found, in_parts[1] - in_parts[0])
        inside = solid_stresses(self._solids, strain, strains, in_parts)
        return Swelling(
            found.mean_strain,
            grid.mean_stress(found) - held_back,
            dict(zip(self.names, inside.mean, strict=True)),
            inside.energy / self.micro.labels.size,
            strain,
            inside.stress,
            found.displacement,
            self.floating,
            found.iterations,
        )
